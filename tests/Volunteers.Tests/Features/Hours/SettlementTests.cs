using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

/// <summary>What the background worker does two hours after a shift.</summary>
public sealed class SettlementTests(TestDatabases databases) : AttendanceTest(databases)
{
    private static readonly (string, string) OneName = ("SignIn:Issuer", "https://volunteers.example.org/");

    [Fact]
    public async Task Nothing_is_settled_before_two_hours_after_the_end()
    {
        var volunteer = await SignedUp();

        await SettleAfter(239);
        Assert.Equal("confirmed", await StatusOf(volunteer));
        Assert.Empty(await Exceptions());
        await SettleAfter(241);
        Assert.Equal("noShow", await StatusOf(volunteer));
    }

    [Theory]
    [InlineData("automatic")]
    [InlineData("coordinator")]
    public async Task Who_did_not_come_is_marked_and_who_forgot_to_check_out_waits_for_review(string confirmedBy)
    {
        await Settings(new { attendanceConfirmedBy = confirmedBy });
        var (missing, early, late) = (await SignedUp(), await SignedUp(), await SignedUp());
        var afterwards = await SignedUp();
        await Minute(-30);
        (await In(early)).ShouldBe(200);
        await Minute(29.5);
        (await In(late)).ShouldBe(200);
        await Minute(121);
        (await In(afterwards)).ShouldBe(200);

        await SettleAfter(241);

        Assert.Equal("noShow", await StatusOf(missing));
        Assert.Equal(("submitted", "forgottenCheckOut", 120), Brief(await RecordOf(early)));
        Assert.Equal(("submitted", "forgottenCheckOut", 90), Brief(await RecordOf(late)));
        Assert.Empty((await Admin.Get($"/service-records?volunteer={missing}")).Items);
        Assert.Empty((await Admin.Get($"/service-records?volunteer={afterwards}")).Items);
        Assert.Equal((0, 0), await Credited());
        Assert.Equal((4, 1, 3, 1), ((await Exceptions()).Count, (await Exceptions("&kind=noShow")).Count, (await Exceptions("&kind=forgottenCheckOut")).Count, (await Exceptions("&kind=notBooked")).Count));
        (await Do(Admin, "approve", (string)(await RecordOf(early))["id"]!)).ShouldBe(200);
        Assert.Equal((120, 1), await Credited());
    }

    [Fact]
    public async Task Replicas_that_settle_at_once_settle_once()
    {
        var people = new List<string>();
        for (var i = 0; i < 6; i++) people.Add(await SignedUp());
        await Minute(0);
        foreach (var person in people[..4]) (await In(person)).ShouldBe(200);
        await using var other = await Replica();
        await Minute(241);
        other.Clock.Advance(Clock.GetUtcNow() - other.Clock.GetUtcNow());

        await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Settle(i % 2 == 0 ? Host : other)));
        await Settle(other);

        Assert.Equal(4, await Count("select count(*) from service_records where version = 1 and flag = 'forgotten_check_out'"));
        Assert.Equal(4, await Count("select count(*) from service_record_events"));
        // Signed up, and then attended or missed.
        Assert.Equal((2, 2), await Ask("select min(sequence), max(sequence) from sign_ups", row => (row.GetInt32(0), row.GetInt32(1))));
        Assert.Equal(2, await Count("select count(*) from sign_ups where status = 'no_show'"));
        Assert.Equal(1, await Count($"select count(*) from shifts where id = '{Shift}' and settled_at is not null"));
    }

    [Fact]
    public async Task A_crash_in_between_leaves_nothing_and_does_not_hold_up_other_shifts()
    {
        var (other, missing) = (await O.Shift(Event, startsAt: Start, endsAt: End), await SignedUp());
        var (first, second, elsewhere) = (await SignedUp(), await SignedUp(), await SignedUp(other));
        await Minute(0);
        foreach (var person in new[] { first, second }) (await In(person)).ShouldBe(200);
        await Tamper($"""
            create function refuse() returns trigger language plpgsql as $$ begin raise exception 'The disk is full.'; end $$;
            create trigger refuse before insert on service_records for each row when (new.volunteer_id = '{second}') execute function refuse();
            """);

        await SettleAfter(241);
        Assert.Equal(("noShow", "confirmed"), (await StatusOf(elsewhere, other), await StatusOf(missing)));
        Assert.Equal(0, await Count("select count(*) from service_records"));
        Assert.Empty(await Exceptions("&kind=forgottenCheckOut"));

        await Tamper("drop trigger refuse on service_records");
        await Settle(Host);
        Assert.Equal("noShow", await StatusOf(missing));
        foreach (var person in new[] { first, second }) Assert.Equal(("submitted", "forgottenCheckOut", 119), Brief(await RecordOf(person)));
    }

    [Fact]
    public async Task A_check_out_that_arrives_late_replaces_what_was_only_presumed()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        var volunteer = await SignedUp();
        await Minute(0);
        (await In(volunteer)).ShouldBe(200);
        await SettleAfter(241);
        var presumed = await RecordOf(volunteer);
        Assert.Equal(("submitted", "forgottenCheckOut", 119), Brief(presumed));

        Assert.Equal(["recorded"], await Results([Offline(volunteer, "checkOut", 45.5)]));

        var record = await RecordOf(volunteer);
        Assert.Equal((("approved", null, 45), (string?)presumed["id"]), (Brief(record), (string?)record["id"]));
        Assert.Equal((45, 1), await Credited());
        Assert.Empty(await Exceptions());
        await VerifiedPosition();
    }

    [Fact]
    public async Task A_presumed_record_that_was_reviewed_stays_as_it_is()
    {
        var volunteer = await SignedUp();
        await Minute(0);
        (await In(volunteer)).ShouldBe(200);
        await SettleAfter(241);
        var approved = (await Do(Admin, "approve", (string)(await RecordOf(volunteer))["id"]!)).ShouldBe(200);

        Assert.Equal(["recorded"], await Results([Offline(volunteer, "checkOut", 45)]));

        Assert.Equal(approved.Body!.ToJsonString(), (await Admin.Get($"/service-records/{approved.Id}")).Body!.ToJsonString());
        Assert.Equal("already_reviewed", (string?)Assert.Single(await Exceptions())!["notBooked"]);
    }

    [Fact]
    public async Task What_was_corrected_before_the_shift_is_settled_is_no_exception()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        var volunteer = await SignedUp();
        var record = RecordIn(await Stay(volunteer, 0, 60));
        var corrected = (await Do(Admin, "correct", (string)record["id"]!, new { reason = "Lunch.", minutes = 30 })).ShouldBe(200);

        await SettleAfter(241);

        Assert.Empty(await Exceptions());
        Assert.Equal(corrected.Body!.ToJsonString(), (await Admin.Get($"/service-records/{corrected.Id}")).Body!.ToJsonString());
    }

    [Fact]
    public async Task Who_was_marked_as_missing_came_all_the_same_when_the_offline_batch_arrives()
    {
        var volunteer = await SignedUp();
        await SettleAfter(241);
        Assert.Equal("noShow", await StatusOf(volunteer));

        Assert.Equal(["recorded"], await Results([Offline(volunteer, "checkIn", 0)]));
        Assert.Equal(("submitted", "forgottenCheckOut", 120), Brief(await RecordOf(volunteer)));
        Assert.Equal(["recorded"], await Results([Offline(volunteer, "checkOut", 60)]));

        Assert.Equal(("attended", ("submitted", null, 60)), (await StatusOf(volunteer), Brief(await RecordOf(volunteer))));
        Assert.Empty(await Exceptions());
    }

    [Fact]
    public async Task Who_only_checked_out_came_and_is_listed_because_the_hours_are_not_known()
    {
        var volunteer = await SignedUp();
        await Minute(130);
        Assert.Equal(["recorded"], await Results([Offline(volunteer, "checkOut", 120)]));

        await SettleAfter(241);

        var exception = Assert.Single(await Exceptions())!;
        Assert.Equal(("attended", "not_checked_in"), ((string?)exception["status"], (string?)exception["notBooked"]));
    }

    [Fact]
    public async Task A_shift_that_was_settled_empty_and_then_moved_is_settled_again()
    {
        await SettleAfter(241);
        var (start, end) = (Start.AddMinutes(260), Start.AddMinutes(320));
        (await Admin.Patch($"/shifts/{Shift}", new { startsAt = start, endsAt = end })).ShouldBe(200);
        var (missing, volunteer) = (await SignedUp(), await SignedUp());
        await Minute(261.5);
        Assert.Null((await In(volunteer)).ShouldBe(200)["serviceRecord"]);

        await SettleAfter(441);

        Assert.Equal(("noShow", ("submitted", "forgottenCheckOut", 58)), (await StatusOf(missing), Brief(await RecordOf(volunteer))));
    }

    [Fact]
    public async Task A_check_out_at_the_moment_of_settling_ends_in_one_record_with_the_right_figures()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        const int Rounds = 12;
        var volunteers = await O.Volunteers(Rounds, Team);
        var shifts = new string[Rounds];
        for (var round = 0; round < Rounds; round++)
        {
            shifts[round] = await O.Shift(Event, startsAt: Start, endsAt: End.AddMinutes(round));
            await O.SignUp(shifts[round], volunteers[round]);
        }
        await using var ahead = await Replica();
        await Minute(0);
        foreach (var (shift, volunteer) in shifts.Zip(volunteers)) (await In(volunteer, shift)).ShouldBe(200);
        await Minute(60.7);

        for (var round = 0; round < Rounds; round++)
        {
            // This replica's clock lets one more shift fall due.
            ahead.Clock.Advance(End.AddMinutes(round) + TimeSpan.FromHours(2.005) - ahead.Clock.GetUtcNow());
            var settling = Settle(ahead);
            await Task.Delay(round % 4, TestContext.Current.CancellationToken);
            var answers = await Task.WhenAll(Out(volunteers[round], shifts[round]), Out(volunteers[round], shifts[round]));
            await settling;

            Assert.All(answers, answer => answer.ShouldBe(200));
            Assert.Equal(("approved", null, 60), Brief(await RecordOf(volunteers[round])));
        }

        Assert.Equal((Rounds * 60, Rounds), await Credited());
        Assert.Empty(await Exceptions());
        await VerifiedPosition();
    }

    [Fact]
    public async Task Exceptions_are_those_of_the_day_and_the_team_and_of_what_the_caller_may_see()
    {
        var missing = await SignedUp();
        await SettleAfter(241);
        var otherTeam = await O.Team();

        Assert.Equal(missing, (string?)Assert.Single(await Exceptions($"&team={Team}"))!["volunteerId"]);
        Assert.Empty(await Exceptions($"&team={otherTeam}"));
        Assert.Single((await Admin.Get("/attendance/exceptions")).ShouldBe(200).Items);
        Assert.Empty((await Admin.Get($"/attendance/exceptions?from={Start.AddDays(1):yyyy-MM-dd}&to={Start.AddDays(1):yyyy-MM-dd}")).Items);
        (await Admin.Get($"/attendance/exceptions?from={Start:yyyy-MM-dd}&to={Start.AddDays(-1):yyyy-MM-dd}")).ShouldRefuse(400, "invalid_request");
        Assert.Empty((await (await O.SignedInWithRole("coordinator", otherTeam)).Get("/attendance/exceptions")).ShouldBe(200).Items);
        Assert.Single((await (await O.SignedInWithRole("coordinator", Team)).Get("/attendance/exceptions")).ShouldBe(200).Items);
        Assert.Empty((await (await Given.AnotherOrganization()).Admin.Get("/attendance/exceptions")).ShouldBe(200).Items);
    }

    private async Task<ApiHost> Replica()
    {
        var replica = new ApiHost(ConnectionString, OneName);
        (await replica.Anonymous.Get("/health/live")).ShouldBe(200);
        return replica;
    }
}
