using CsCheck;
using Volunteers.Tests.Platform;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

public sealed class OfflineAttendanceTests(TestDatabases databases) : AttendanceTest(databases)
{
    [Fact]
    public async Task A_clock_that_is_wrong_is_put_right_and_both_times_are_kept()
    {
        var volunteer = await SignedUp();
        await Minute(180);
        var late = TimeSpan.FromMinutes(7);

        Assert.Equal(["recorded", "recorded"], await Results([Offline(volunteer, "checkIn", 10 + 7), Offline(volunteer, "checkOut", 70 + 7)], sentAt: Clock.GetUtcNow() + late));

        foreach (var (taken, minute) in (await Events()).Zip([10, 70]))
        {
            Assert.InRange(taken!["countedAt"]!.GetValue<DateTimeOffset>(), Start.AddMinutes(minute), Start.AddMinutes(minute + 1));
            Assert.Equal(Start.AddMinutes(minute) + late, taken["deviceAt"]!.GetValue<DateTimeOffset>());
            Assert.InRange(taken["receivedAt"]!.GetValue<DateTimeOffset>(), Start.AddMinutes(180), Start.AddMinutes(182));
        }
        Assert.Equal(60, (int)(await RecordOf(volunteer))["minutes"]!);
    }

    [Fact]
    public async Task Without_the_device_clock_its_times_count_as_they_are_and_never_later_than_they_came()
    {
        var volunteer = await SignedUp();
        await Minute(60);

        Assert.Equal(["recorded", "recorded"], await Results([Offline(volunteer, "checkIn", 0), Offline(volunteer, "checkOut", 90)]));

        var counted = (await Events()).Select(e => e!["countedAt"]!.GetValue<DateTimeOffset>()).ToArray();
        Assert.Equal(Start, counted[0]);
        Assert.InRange(counted[1], Start.AddMinutes(60), Start.AddMinutes(61));
        Assert.Equal(60, (int)(await RecordOf(volunteer))["minutes"]!);
    }

    [Fact]
    public async Task A_code_proves_the_minute_in_which_it_was_shown()
    {
        var volunteer = await SignedUp();
        var self = await O.SignedInAs(volunteer);
        await Minute(5);
        var shown = (await Admin.Get($"/shifts/{Shift}/check-in-code")).ShouldBe(200);
        var (code, from, until) = (Text(shown, "code")!, shown["shownFrom"]!.GetValue<DateTimeOffset>(), shown["acceptedUntil"]!.GetValue<DateTimeOffset>());
        await Minute(100);

        Assert.Equal(["recorded", "recorded", "check_in_code_invalid", "check_in_code_invalid"],
            await Results([Offline(volunteer, "checkIn", -3, code), Offline(volunteer, "checkIn", 12, code), Offline(volunteer, "checkIn", 20, code), Offline(volunteer, "checkIn", 5)], self));

        Assert.Equal([from, until], (await Events()).Select(e => e!["countedAt"]!.GetValue<DateTimeOffset>()));
        (await self.Post($"/shifts/{Shift}/check-in", new { code })).ShouldRefuse(409, "check_in_code_invalid");
    }

    [Fact]
    public async Task What_volunteers_send_of_themselves_waits_for_review_whatever_the_setting()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        var volunteer = await SignedUp();
        var self = await O.SignedInAs(volunteer);
        await Minute(0);
        var came = await Code();
        await Minute(60);
        var went = await Code();
        await Minute(65);

        Assert.Equal(["recorded", "recorded"], await Results([Offline(volunteer, "checkIn", 0, came), Offline(volunteer, "checkOut", 60, went)], self));

        Assert.Equal(("submitted", "selfReported"), (Brief(await RecordOf(volunteer)).Item1, Brief(await RecordOf(volunteer)).Item2));
        Assert.Single(await Exceptions("&kind=selfReported"));
        var other = await SignedUp();
        Assert.Equal(["only_own_attendance"], await Results([Offline(other, "checkIn", 0, came)], self));
        Assert.Equal(["recorded", "recorded"], await Results([Offline(other, "checkIn", 0), Offline(other, "checkOut", 60)]));
        Assert.Equal(("approved", null, 60), Brief(await RecordOf(other)));
    }

    [Fact]
    public async Task What_stands_approved_does_not_grow_by_what_only_the_volunteer_says()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        var volunteer = await SignedUp();
        Assert.Equal(("approved", null, 30), Brief(RecordIn(await Stay(volunteer, 0, 30))));
        await Minute(90);
        var code = await Code();
        await Minute(95);

        Assert.Equal(["recorded"], await Results([Offline(volunteer, "checkOut", 90, code)], await O.SignedInAs(volunteer)));

        Assert.Equal(("approved", null, 30), Brief(await RecordOf(volunteer)));
        Assert.Equal("attendance_needs_review", (string?)Assert.Single(await Exceptions("&kind=notBooked"))!["notBooked"]);
        Assert.Equal((30, 1), await Credited());
    }

    [Fact]
    public async Task Shifts_of_one_person_in_one_batch_reckon_with_each_other()
    {
        await Settings(new { attendanceConfirmedBy = "automatic", dailyLimitMinutes = 240 });
        var (volunteer, other) = (await SignedUp(), await SignedUp());
        var (next, last) = (await O.Shift(Event, startsAt: End, endsAt: End.AddHours(2)), await O.Shift(Event, startsAt: End.AddHours(2), endsAt: End.AddHours(4)));
        foreach (var shift in new[] { next, last }) Assert.Equal("confirmed", await O.SignUp(shift, volunteer));
        await Minute(400);

        var results = await Results(
        [
            Offline(volunteer, "checkIn", 0), Offline(volunteer, "checkOut", 128), Offline(volunteer, "checkIn", 112, shift: next), Offline(volunteer, "checkOut", 200, shift: next),
            Offline(volunteer, "checkIn", 240, shift: last), Offline(volunteer, "checkOut", 290, shift: last), Offline(other, "checkIn", 0), Offline(other, "checkOut", 60),
        ]);

        Assert.Equal(Enumerable.Repeat("recorded", 8), results);
        var records = (await Admin.Get($"/service-records?volunteer={volunteer}")).Items.Select(r => ((string?)r!["shiftId"], (int)r["minutes"]!)).ToHashSet();
        // Whichever is booked first has the minutes in which two overlap; the 250 minutes of all three are more than a day may hold.
        Assert.Equal(2, records.Count);
        Assert.InRange(records.Sum(record => record.Item2), 120, 200);
        Assert.Equal("daily_limit", (string?)Assert.Single(await Exceptions("&kind=notBooked"))!["notBooked"]);
        Assert.Equal(60, (int)(await RecordOf(other))["minutes"]!);
    }

    [Fact]
    public async Task What_corrects_a_record_in_a_batch_is_held_against_the_others_as_they_stand_then()
    {
        await Settings(new { attendanceConfirmedBy = "automatic", dailyLimitMinutes = 150 });
        var volunteer = await SignedUp();
        var next = await O.Shift(Event, startsAt: End, endsAt: End.AddHours(2));
        Assert.Equal("confirmed", await O.SignUp(next, volunteer));
        await Minute(300);
        Assert.Equal(Enumerable.Repeat("recorded", 4), await Results(
            [Offline(volunteer, "checkIn", 0), Offline(volunteer, "checkOut", 60), Offline(volunteer, "checkIn", 130, shift: next), Offline(volunteer, "checkOut", 190, shift: next)]));
        Assert.Equal((120, 2), await Credited());

        // Half an hour more for each of them: one fits into the day, the other does not.
        Assert.Equal(["recorded", "recorded"], await Results([Offline(volunteer, "checkOut", 90), Offline(volunteer, "checkOut", 220, shift: next)]));

        Assert.Equal((150, 2), await Credited());
        Assert.Equal("daily_limit", (string?)Assert.Single(await Exceptions("&kind=notBooked"))!["notBooked"]);
    }

    [Fact]
    public async Task What_one_record_gives_up_in_a_batch_the_next_may_take_whichever_was_made_first()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        var volunteer = await SignedUp();
        var next = await O.Shift(Event, startsAt: End, endsAt: End.AddHours(1));
        Assert.Equal("confirmed", await O.SignUp(next, volunteer));
        await Minute(-0.3);
        (await In(volunteer)).ShouldBe(200);
        Assert.Equal(60, (int)RecordIn(await Stay(volunteer, 120, 180, next))["minutes"]!);
        await Minute(301);
        await Settle(Host);
        Assert.Single(await Exceptions("&kind=forgottenCheckOut"));

        Assert.Equal(["recorded", "recorded"], await Results([Offline(volunteer, "checkOut", 100), Offline(volunteer, "checkIn", 106, shift: next)]));

        Assert.Empty(await Exceptions("&kind=notBooked"));
        Assert.Equal([74, 100], (await Admin.Get($"/service-records?volunteer={volunteer}")).Items.Select(record => (int)record!["minutes"]!).Order());
    }

    [Fact]
    public async Task A_batch_of_many_asks_the_database_no_more_often_than_one_of_few()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        var (few, many) = (new List<string>(), new List<string>());
        for (var i = 0; i < 12; i++) (i < 2 ? few : many).Add(await SignedUp());
        await Minute(180);

        var (ofFew, ofMany) = (await Trips(few), await Trips(many));

        Assert.True(ofMany <= ofFew, $"{ofMany} for {many.Count} people, {ofFew} for {few.Count}");
        Assert.Equal((12 * 60, 12), await Credited());

        async Task<int> Trips(List<string> people)
        {
            using var statements = new SaidStatements(ConnectionString);
            foreach (var (kind, minute) in new[] { ("checkIn", 0), ("checkOut", 60) })
                Assert.All(await Results(people.Select(person => Offline(person, kind, minute))), result => Assert.Equal("recorded", result));
            return statements.All.Count;
        }
    }

    [Fact]
    public async Task One_bad_item_does_not_spoil_the_others_and_each_is_answered_in_its_place()
    {
        var (volunteer, cancelled, elsewhere) = (await SignedUp(), await O.UpcomingActivity(Team, Start), await Given.AnotherOrganization());
        var off = await O.Shift(cancelled);
        (await Admin.Post($"/activities/{cancelled}/cancel", new { reason = "Rain" })).ShouldBe(200);
        await Minute(180);
        var reused = Offline(volunteer, "checkIn", 1);
        reused["clientEventId"] = Guid.NewGuid().ToString();
        var again = reused.DeepClone().AsObject();
        again["kind"] = "checkOut";

        Assert.Equal(
            ["recorded", "not_signed_up", "shift_not_found", "too_early", "recorded", "event_id_reused", "repeated", "activity_cancelled"],
            await Results(
            [
                Offline(volunteer, "checkOut", 60), Offline(await O.Volunteer(Team), "checkIn", 0), Offline(volunteer, "checkIn", 0, shift: Guid.NewGuid().ToString()),
                Offline(volunteer, "checkIn", -121), reused, again, reused.DeepClone(), Offline(volunteer, "checkIn", 0, shift: off),
            ]));

        Assert.Equal(59, (int)(await RecordOf(volunteer))["minutes"]!);
        Assert.Equal(["shift_not_found"], await Results([Offline(volunteer, "checkIn", 0)], elsewhere.Admin));
        var refused = (await Send(Admin, [again])).Items[0]!;
        Assert.Equal(("refused", "event_id_reused"), ((string?)refused["result"], (string?)refused["code"]));
        Assert.NotEmpty((string)refused["detail"]!);
    }

    [Fact]
    public async Task Of_two_who_came_for_the_last_place_the_first_has_it_however_the_batch_is_ordered()
    {
        await Settings(new { walkInsAllowed = true });
        var shift = await O.Shift(Event, capacity: 1, startsAt: Start, endsAt: End);
        var people = await O.Volunteers(2, Team);
        await Minute(180);

        Assert.Equal(["shift_full", "recorded", "recorded"],
            await Results([Offline(people[1], "checkIn", 5, shift: shift), Offline(people[0], "checkOut", 130, shift: shift), Offline(people[0], "checkIn", 0, shift: shift)]));

        Assert.Equal(130, (int)(await RecordOf(people[0]))["minutes"]!);
    }

    [Fact]
    public async Task A_check_out_may_arrive_before_its_check_in()
    {
        await Settings(new { walkInsAllowed = true });
        var volunteer = await O.Volunteer(Team);
        await Minute(180);

        Assert.Equal(["recorded"], await Results([Offline(volunteer, "checkOut", 125)]));
        Assert.Equal("attended", await StatusOf(volunteer));
        Assert.Equal(["recorded"], await Results([Offline(volunteer, "checkIn", 5)]));

        Assert.Equal(120, (int)(await RecordOf(volunteer))["minutes"]!);
    }

    [Fact]
    public async Task The_same_batch_from_three_devices_at_once_is_taken_once()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        var people = new List<string>();
        for (var i = 0; i < 10; i++) people.Add(await SignedUp());
        var devices = new[] { Admin, await O.SignedInWithRole("coordinator"), await O.SignedInWithRole("coordinator", Team) };
        await Minute(180);
        var events = people.SelectMany(person => new[] { Offline(person, "checkIn", 0), Offline(person, "checkOut", 60) }).ToArray();

        var results = await Task.WhenAll(devices.Select((device, i) => Results(i == 1 ? events.Reverse() : events, device)));

        Assert.Equal((20, 40), (results.Sum(r => r.Count(code => code == "recorded")), results.Sum(r => r.Count(code => code == "repeated"))));
        Assert.Equal(20, (await Events()).Count);
        Assert.Equal(10, await Count("select count(*) from service_records where version = 1 and minutes = 60 and status = 'approved'"));
        Assert.Equal((600, 10), await Credited());
        Assert.Equal(10, await VerifiedPosition());
    }

    [Fact]
    public async Task However_a_batch_is_ordered_split_and_repeated_it_ends_the_same()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        var people = new Queue<string>();
        for (var i = 0; i < 40; i++) people.Enqueue(await SignedUp());
        await Minute(239);
        var stays = new (string Kind, double Minute)[]
        {
            ("checkIn", -20), ("checkIn", 3), ("checkOut", 20), ("checkOut", 31), ("checkIn", 31), ("checkOut", 40), ("checkIn", 70), ("checkOut", 150), ("checkIn", 200),
        };
        var pieces = from order in Gen.Shuffle(Enumerable.Range(0, stays.Length).ToArray())
                     from sizes in Gen.Int[1, 4].Array[stays.Length + 4]
                     from repeated in Gen.Int[0, stays.Length - 1].Array[0, 4]
                     select (order, sizes, repeated);

        await pieces.SampleAsync(async how =>
        {
            var volunteer = people.Dequeue();
            var events = stays.Select(stay => Offline(volunteer, stay.Kind, stay.Minute)).ToArray();
            var left = how.order.Concat(how.repeated).Select(index => events[index]).ToArray();
            for (var piece = 0; left.Length > 0; left = left[Math.Min(how.sizes[piece++], left.Length)..])
                Assert.All(await Results(left.Take(how.sizes[piece])), result => Assert.Contains(result, new[] { "recorded", "repeated" }));

            var record = await RecordOf(volunteer);
            Assert.Equal(("approved", 109, Start.AddMinutes(-15), Start.AddMinutes(135)),
                ((string?)record["status"], (int)record["minutes"]!, record["startsAt"]!.GetValue<DateTimeOffset>(), record["endsAt"]!.GetValue<DateTimeOffset>()));
            Assert.Equal(stays.Select(stay => Start.AddMinutes(stay.Minute)),
                (await Events()).Where(e => (string?)e!["volunteerId"] == volunteer).Select(e => e!["countedAt"]!.GetValue<DateTimeOffset>()));
            (await Do(Admin, "void", (string)record["id"]!)).ShouldBe(200);
        }, iter: 15, threads: 1);
        await VerifiedPosition();
    }

    [Fact]
    public async Task Nothing_a_device_sends_brings_the_service_down()
    {
        var volunteer = await SignedUp();
        await Minute(180);
        (await Send(Admin, Enumerable.Range(0, 501).Select(_ => Offline(volunteer, "checkIn", 0)))).ShouldRefuse(400, "invalid_request");
        (await Send(Admin, [])).ShouldRefuse(400, "invalid_request");

        var members = Offline(volunteer, "checkIn", 0).Select(member => member.Key).Concat(["position", "kiosk"]).ToArray();
        foreach (var value in HostileValues.Values)
        {
            foreach (var member in members)
            {
                var item = Offline(volunteer, "checkIn", 0).ToJsonString();
                var hostile = item.Contains($"\"{member}\":", StringComparison.Ordinal)
                    ? System.Text.RegularExpressions.Regex.Replace(item, $"\"{member}\":(\"[^\"]*\"|null)", _ => $"\"{member}\":{value}")
                    : $"{item[..^1]},\"{member}\":{value}}}";
                await ShouldHold($$"""{"events":[{{hostile}}]}""");
            }
            await ShouldHold($$"""{"events":[{{value}}]}""");
            await ShouldHold($$"""{"events":{{value}}}""");
            await ShouldHold($$"""{"events":[{{Offline(volunteer, "checkOut", 30).ToJsonString()}}],"sentAt":{{value}}}""");
        }
    }

    private async Task ShouldHold(string body)
    {
        var answer = await Admin.Post("/attendance/batch", new StringContent(body, new System.Net.Http.Headers.MediaTypeHeaderValue("application/json")));
        Assert.True(answer.Status < 500, $"{answer.Status} for {body[..Math.Min(body.Length, 500)]}: {answer.Text}");
    }
}
