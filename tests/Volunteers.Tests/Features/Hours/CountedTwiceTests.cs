using System.Text.Json.Nodes;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

/// <summary>The leader counts a group, participants check out, coordinators enter names: one participation is booked once.</summary>
public sealed class CountedTwiceTests(TestDatabases databases) : AttendanceTest(databases)
{
    [Theory]
    [InlineData(0, 120)]
    [InlineData(0, 90)]
    [InlineData(30, 120)]
    [InlineData(30, 90)]
    public async Task Who_was_named_in_the_leaders_count_is_not_counted_again_by_their_own_check_out(int from, int to)
    {
        await Settings(new { attendanceConfirmedBy = "automatic", graceMinutes = 15 });
        var volunteer = await SignedUp();
        await Minute(0);
        (await In(volunteer)).ShouldBe(200);
        await Minute(125);
        var headcount = (await Counted(3, from, to)).ShouldBe(201).Id;
        (await Do(Admin, "claims", headcount, new { volunteerId = volunteer })).ShouldBe(201);

        var answer = (await Out(volunteer)).ShouldBe(200);

        Assert.Equal("counted_in_headcount", Text(answer, "bookingRefusal"));
        Assert.Equal(((to - from) * 3, 3), await Credited());
        Assert.Equal("counted_in_headcount", (string?)Assert.Single(await Exceptions("&kind=notBooked"))!["notBooked"]);
        await SettleAfter(300);
        Assert.Equal(((to - from) * 3, 3), await Credited());
        await VerifiedPosition();
    }

    [Fact]
    public async Task Whose_check_out_was_booked_first_is_not_named_in_the_count_of_the_same_time()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        var volunteer = await SignedUp();
        Assert.Equal("approved", (string?)RecordIn(await Stay(volunteer, 0, 60))["status"]);
        await Minute(125);

        (await Counted(3, 0, 120)).ShouldRefuse(409, "counted_by_name");
        var others = (await Counted(2, 0, 120, apart: true, minutes: 180)).ShouldBe(201).Id;
        (await Do(Admin, "claims", others, new { volunteerId = volunteer, startsAt = Start, endsAt = Start.AddMinutes(60) })).ShouldRefuse(409, "overlapping_service");

        Assert.Equal((60 + 180, 3), await Credited());
    }

    [Fact]
    public async Task On_another_shift_the_same_volunteer_is_counted_again()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        var next = await O.Shift(Event, startsAt: End, endsAt: End.AddHours(2));
        var volunteer = await SignedUp(next);
        await Minute(125);
        var headcount = (await Counted(3, 0, 120)).ShouldBe(201).Id;
        (await Do(Admin, "claims", headcount, new { volunteerId = volunteer })).ShouldBe(201);

        var record = RecordIn(await Stay(volunteer, 130, 190, next));

        Assert.Equal(("approved", null, 60), Brief(record));
        Assert.Equal((3 * 120 + 60, 4), await Credited());
    }

    [Fact]
    public async Task What_is_left_of_attendance_beside_an_entry_for_the_same_shift_waits_to_be_looked_at()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        var volunteer = await SignedUp();
        await Minute(0);
        (await In(volunteer)).ShouldBe(200);
        await Minute(120.3);
        await O.Record(Event, volunteer, Start.ToString("O"), Start.AddMinutes(60).ToString("O"));

        var record = RecordIn(await Out(volunteer));

        Assert.Equal(("submitted", "partlyRecorded", 60), Brief(record));
        Assert.Equal((60, 1), await Credited());
        Assert.Equal("partlyRecorded", (string?)Assert.Single((await Admin.Get("/service-records/review?flag=partlyRecorded")).ShouldBe(200).Items)!["flag"]);
    }

    [Fact]
    public async Task More_attendance_does_not_stretch_an_approved_record_over_a_count()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        var volunteer = await SignedUp();
        var record = (string)RecordIn(await Stay(volunteer, 0, 20))["id"]!;
        await Minute(60);
        (await Counted(3, 30, 60)).ShouldBe(201);

        var answer = await Stay(volunteer, 70, 100);

        Assert.Equal("counted_in_headcount", Text(answer, "bookingRefusal"));
        Assert.Equal(20, Number(await Admin.Get($"/service-records/{record}"), "minutes"));
        Assert.Equal((20 + 90, 4), await Credited());
        await VerifiedPosition();
    }

    [Fact]
    public async Task A_correction_does_not_bring_a_record_under_a_count_unless_the_coordinator_says_they_are_apart()
    {
        (await Headcount(Admin, 3, At("08:00"), At("10:00"))).ShouldBe(201);
        var volunteer = await O.Volunteer(Team);
        var self = await O.SignedInAs(volunteer);
        var record = (await Record(self, volunteer, At("10:00"), At("11:00"))).ShouldBe(201).Id;
        (await Do(Admin, "approve", record)).ShouldBe(200);

        (await Do(Admin, "correct", record, new { reason = "Earlier.", startsAt = At("09:30") })).ShouldRefuse(409, "counted_in_headcount");
        var dispute = (await self.Post($"/service-records/{record}/disputes", new { message = "I came earlier." })).ShouldBe(201).Id;
        (await Admin.Post($"/disputes/{dispute}/answer", new { explanation = "So it is.", correction = new { startsAt = At("09:30") } })).ShouldRefuse(409, "counted_in_headcount");
        Assert.Equal((360 + 60, 4), await Credited());

        (await Admin.Post($"/disputes/{dispute}/answer",
            new { explanation = "So it is.", correction = new { startsAt = At("09:30"), notCountedElsewhere = true } })).ShouldBe(200);
        // Decided once: other figures of the same time are not asked about again.
        (await Do(Admin, "correct", record, new { reason = "A break.", minutes = 80 })).ShouldBe(200);
        (await Do(Admin, "correct", record, new { reason = "Later.", startsAt = At("09:45") })).ShouldBe(200);
        Assert.Equal((360 + 75, 4), await Credited());
        await VerifiedPosition();
    }

    [Fact]
    public async Task A_correction_does_not_bring_a_count_over_names_unless_the_coordinator_says_they_are_apart()
    {
        var headcount = (await Headcount(Admin, 3, At("08:00"), At("09:00"))).ShouldBe(201).Id;
        await O.Record(Activity, await O.Volunteer(Team), At("09:00"), At("10:00"));

        (await Do(Admin, "correct", headcount, new { reason = "Longer.", endsAt = At("09:30") })).ShouldRefuse(409, "counted_by_name");
        Assert.Equal((180 + 60, 4), await Credited());
        (await Do(Admin, "correct", headcount, new { reason = "Longer.", endsAt = At("09:30"), notCountedElsewhere = true })).ShouldBe(200);
        (await Do(Admin, "correct", headcount, new { reason = "One more.", personTimes = 4 })).ShouldBe(200);

        Assert.Equal((360 + 60, 5), await Credited());
    }

    [Fact]
    public async Task Who_was_booked_when_all_of_a_count_had_names_is_not_counted_again_when_it_grows()
    {
        var headcount = (await Headcount(Admin, 1, At("08:00"), At("10:00"))).ShouldBe(201).Id;
        (await Do(Admin, "claims", headcount, new { volunteerId = await O.Volunteer(Team) })).ShouldBe(201);
        await O.Record(Activity, await O.Volunteer(Team), At("08:00"), At("10:00"));

        (await Do(Admin, "correct", headcount, new { reason = "Two came.", personTimes = 2 })).ShouldRefuse(409, "counted_by_name");

        Assert.Equal((240, 2), await Credited());
    }

    [Fact]
    public async Task One_volunteer_has_one_name_in_a_count()
    {
        var (volunteer, other) = (await O.Volunteer(Team), await O.Volunteer(Team));
        var own = (await Record(await O.SignedInAs(volunteer), volunteer, At("09:30"), At("10:00"))).ShouldBe(201).Id;
        var headcount = (await Headcount(Admin, 3, At("08:00"), At("10:00"), minutes: 180)).ShouldBe(201).Id;
        (await Do(Admin, "claims", headcount, new { volunteerId = volunteer, endsAt = At("09:00") })).ShouldBe(201);

        (await Do(Admin, "claims", headcount, new { volunteerId = volunteer, startsAt = At("09:00"), endsAt = At("09:30") })).ShouldRefuse(409, "claimed_already");
        (await Admin.Post($"/service-records/{own}/approve", new { headcountId = headcount })).ShouldRefuse(409, "claimed_already");
        (await Do(Admin, "claims", headcount, new { volunteerId = other, startsAt = At("09:00"), endsAt = At("09:30") })).ShouldBe(201);

        Assert.Equal((180, 3), await Credited());
        await VerifiedPosition();
    }

    [Fact]
    public async Task Names_that_a_coordinator_enters_are_not_counted_beside_the_group_that_holds_them()
    {
        var volunteer = await O.Volunteer(Team);
        (await Headcount(Admin, 3, At("08:00"), At("10:00"))).ShouldBe(201);

        (await Record(Admin, volunteer, At("09:00"), At("10:00"))).ShouldRefuse(409, "counted_in_headcount");
        var batch = await Admin.Post("/service-records/batch", new { items = new[] { Service(volunteer, At("09:00"), At("10:00")), Service(volunteer, At("10:00"), At("11:00")) } });
        Assert.Equal([(0, "counted_in_headcount")], batch.ShouldRefuse(409, "batch_refused")["refusals"]!.AsArray().Select(r => ((int)r!["index"]!, (string)r["code"]!)));
        (await Record(Admin, volunteer, At("10:00"), At("11:00"))).ShouldBe(201);
        (await Headcount(Admin, 2, At("10:30"), At("11:00"))).ShouldRefuse(409, "counted_by_name");

        Assert.Equal((360 + 60, 4), await Credited());
    }

    [Fact]
    public async Task What_stands_apart_on_a_coordinators_word_is_booked_and_can_be_listed()
    {
        var (volunteer, reporting) = (await O.Volunteer(Team), await O.Volunteer(Team));
        (await Headcount(Admin, 3, At("08:00"), At("10:00"))).ShouldBe(201);
        var entry = Service(volunteer, At("09:00"), At("10:00"));
        entry["notCountedElsewhere"] = true;
        var later = Service(volunteer, At("10:00"), At("11:00"));
        later["notCountedElsewhere"] = true;
        var entered = (await Admin.Post("/service-records", entry)).ShouldBe(201).Id;
        Assert.Null(Text((await Admin.Post("/service-records", later)).ShouldBe(201), "flag"));
        var reported = (await Record(await O.SignedInAs(reporting), reporting, At("08:00"), At("09:00"))).ShouldBe(201).Id;
        (await Do(Admin, "approve", reported, new { notCountedElsewhere = true })).ShouldBe(200);

        var listed = (await Admin.Get("/service-records?flag=besideHeadcount")).ShouldBe(200).Items;

        Assert.Equal([reported, entered], listed.Select(r => (string?)r!["id"]));
        Assert.Equal((360 + 60 + 60 + 60, 6), await Credited());
    }

    [Fact]
    public async Task Approvals_out_of_a_count_its_claims_and_its_corrections_at_the_same_moment_add_up()
    {
        for (var round = 0; round < 5; round++)
        {
            var (from, to) = (At("08:00", 10 + round), At("10:00", 10 + round));
            var reporting = await O.Volunteers(3, Team);
            var own = new List<string>();
            foreach (var volunteer in reporting) own.Add((await Record(await O.SignedInAs(volunteer), volunteer, from, to)).ShouldBe(201).Id);
            var headcount = (await Headcount(Admin, 2, from, to)).ShouldBe(201).Id;
            var named = await O.Volunteers(3, Team);
            var before = await Credited();

            var answers = await Task.WhenAll(Enumerable.Range(0, 9).Select(i => Task.Run(() => (i % 3) switch
            {
                0 => Admin.Post($"/service-records/{own[i / 3]}/approve", new { headcountId = headcount }),
                1 => Do(Admin, "claims", headcount, new { volunteerId = named[i / 3] }),
                _ => Do(Admin, "correct", headcount, new { reason = "Counted again.", personTimes = 2, minutes = 240 }),
            })));

            // None is busy: whoever waits, waits for somebody who does not wait for them.
            Assert.All(answers, answer => Assert.True(answer.Status is 200 or 201 or 409, answer.Text));
            Assert.Equal(2, answers.Where((_, i) => i % 3 != 2).Count(answer => answer.Status is 200 or 201));
            Assert.Equal(before, await Credited());
        }
        await VerifiedPosition();
    }

    /// <summary>A group on no particular shift of the event, at these minutes after its start.</summary>
    private Task<Answer> Counted(int personTimes, int from, int to, bool apart = false, int? minutes = null) => Admin.Post("/service-records", new JsonObject
    {
        ["activityId"] = Event, ["startsAt"] = Start.AddMinutes(from).ToString("O"), ["endsAt"] = Start.AddMinutes(to).ToString("O"), ["minutes"] = minutes,
        ["notCountedElsewhere"] = apart, ["headcount"] = new JsonObject { ["personTimes"] = personTimes, ["method"] = "counted" },
    });
}
