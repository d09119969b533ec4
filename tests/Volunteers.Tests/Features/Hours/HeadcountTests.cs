using System.Text.Json.Nodes;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

/// <summary>Groups whose names were not taken, and those who are named later.</summary>
public sealed class HeadcountTests(TestDatabases databases) : HoursTest(databases)
{
    [Fact]
    public async Task A_headcount_counts_person_times_and_all_their_minutes_without_a_name()
    {
        var record = (await Headcount(Admin, 21, At("08:00"), At("10:00"))).ShouldBe(201);

        Assert.Equal((21, 2520, "counted", null), (Number(record, "personTimes"), Number(record, "minutes"), Text(record, "headcountMethod"), Text(record, "volunteerId")));
        (await Headcount(Admin, 21, At("08:00"), At("10:00"), minutes: 2521)).ShouldRefuse(409, "minutes_exceed_period");
        (await Headcount(Admin, 0, At("08:00"), At("10:00"))).ShouldRefuse(400, "invalid_request");
        (await Headcount(Admin, 100_001, At("08:00"), At("10:00"))).ShouldRefuse(400, "invalid_request");
        var both = Service(await O.Volunteer(Team), At("08:00"), At("10:00"));
        both["headcount"] = new JsonObject { ["personTimes"] = 2, ["method"] = "counted" };
        (await Admin.Post("/service-records", both)).ShouldRefuse(400, "invalid_request");
        (await Record(Admin, null, At("08:00"), At("10:00"))).ShouldRefuse(400, "invalid_request");
        Assert.Equal((2520, 21), await Credited());
    }

    [Fact]
    public async Task The_largest_headcounts_add_up()
    {
        for (var day = 1; day <= 20; day++) (await Headcount(Admin, 100_000, At("00:00", day), At("00:00", day + 1))).ShouldBe(201);

        Assert.Equal((2_880_000_000, 2_000_000), await Credited());
        Assert.Equal(1, await Count("select count(*) from hour_totals where minutes = 2880000000"));
        Assert.Equal(20, await VerifiedPosition());
    }

    [Fact]
    public async Task A_claim_gives_one_participation_a_name_and_changes_no_total()
    {
        var volunteer = await O.Volunteer(Team);
        var headcount = (await Headcount(Admin, 3, At("08:00"), At("10:00"), minutes: 300)).ShouldBe(201).Id;

        var named = (await Do(Admin, "claims", headcount, new { volunteerId = volunteer, minutes = 100 })).ShouldBe(201);

        Assert.Equal((volunteer, headcount, "approved", 100, 1, "coordinator"), (Text(named, "volunteerId"), Text(named, "claimedFromId"), Text(named, "status"),
            Number(named, "minutes"), Number(named, "personTimes"), Text(named, "evidence")));
        Assert.Equal($"{O.Path}/service-records/{named.Id}", named.Header("Location"));
        var rest = await Admin.Get($"/service-records/{headcount}");
        Assert.Equal((300, 200, 2), (Number(rest, "minutes"), Number(rest, "creditedMinutes"), Number(rest, "creditedPersonTimes")));
        Assert.Equal((300, 3), await Credited());
        Assert.Equal("claimed", (string?)(await Admin.Get($"/service-records/{headcount}/history"))["steps"]![1]!["step"]);
        Assert.Equal(3, (long)(await Admin.Get($"/service-records/{named.Id}/history"))["steps"]![0]!["positions"]![0]!);
        Assert.Equal(3, await VerifiedPosition());
    }

    [Fact]
    public async Task Claims_leave_a_rest_that_makes_sense_and_the_last_takes_it_all()
    {
        var (first, second, third) = (await O.Volunteer(Team), await O.Volunteer(Team), await O.Volunteer(Team));
        var headcount = (await Headcount(Admin, 2, At("08:00"), At("10:00"), minutes: 180)).ShouldBe(201).Id;

        // One person would be left with more minutes than there were.
        (await Do(Admin, "claims", headcount, new { volunteerId = first, minutes = 59 })).ShouldRefuse(409, "claims_do_not_fit");
        (await Do(Admin, "claims", headcount, new { volunteerId = first, minutes = 100 })).ShouldBe(201);
        (await Do(Admin, "claims", headcount, new { volunteerId = second, minutes = 79 })).ShouldRefuse(409, "claims_do_not_fit");
        (await Do(Admin, "claims", headcount, new { volunteerId = second, minutes = 81 })).ShouldRefuse(409, "claims_do_not_fit");
        (await Do(Admin, "claims", headcount, new { volunteerId = second, minutes = 80 })).ShouldBe(201);
        (await Do(Admin, "claims", headcount, new { volunteerId = third, minutes = 1 })).ShouldRefuse(409, "claims_do_not_fit");
        Assert.Equal((180, 2), await Credited());
        (await Do(Admin, "void", headcount)).ShouldBe(200);
        Assert.Equal((180, 2), await Credited());
        await VerifiedPosition();
    }

    [Fact]
    public async Task A_claim_keeps_the_rules_about_a_persons_time()
    {
        var (busy, stranger, named) = (await O.Volunteer(Team), await O.Volunteer(), await O.Volunteer(Team));
        await O.Record(await O.Activity(Team), busy, At("09:00"), At("11:00"));
        var headcount = (await Headcount(Admin, 5, At("08:00"), At("10:00"))).ShouldBe(201).Id;

        (await Do(Admin, "claims", headcount, new { volunteerId = busy })).ShouldRefuse(409, "overlapping_service");
        (await Do(Admin, "claims", headcount, new { volunteerId = stranger })).ShouldRefuse(409, "not_a_member");
        (await Do(Admin, "claims", headcount, new { volunteerId = named, endsAt = At("10:01") })).ShouldRefuse(409, "claim_outside_headcount");
        (await Do(Admin, "claims", headcount, new { volunteerId = named, minutes = 121 })).ShouldRefuse(409, "minutes_exceed_period");
        (await Do(Admin, "claims", headcount, new { volunteerId = named, startsAt = At("09:00"), endsAt = At("08:30") })).ShouldRefuse(400, "at_most_a_day");
        var record = (await Do(Admin, "claims", headcount, new { volunteerId = named })).ShouldBe(201).Id;
        (await Do(Admin, "claims", headcount, new { volunteerId = named })).ShouldRefuse(409, "claimed_already");
        (await Do(Admin, "claims", record, new { volunteerId = stranger })).ShouldRefuse(409, "not_a_headcount");
        Assert.Equal((720, 6), await Credited());
    }

    [Fact]
    public async Task A_wrong_name_is_taken_off_again_without_moving_a_total()
    {
        var (wrong, right) = (await O.Volunteer(Team), await O.Volunteer(Team));
        var headcount = (await Headcount(Admin, 2, At("08:00"), At("10:00"), minutes: 200)).ShouldBe(201).Id;
        var named = (await Do(Admin, "claims", headcount, new { volunteerId = wrong, minutes = 90 })).ShouldBe(201).Id;

        var voided = (await Do(Admin, "void", named, new { reason = "It was somebody else.", backToHeadcount = true })).ShouldBe(200);

        Assert.Equal(("voided", 0), (Text(voided, "status"), Number(voided, "creditedMinutes")));
        var rest = await Admin.Get($"/service-records/{headcount}");
        Assert.Equal((200, 2), (Number(rest, "creditedMinutes"), Number(rest, "creditedPersonTimes")));
        Assert.Equal((200, 2), await Credited());
        (await Do(Admin, "void", named, new { reason = "Again.", backToHeadcount = true })).ShouldRefuse(409, "not_approved");
        (await Do(Admin, "claims", headcount, new { volunteerId = right, minutes = 90 })).ShouldBe(201);
        (await Do(Admin, "claims", headcount, new { volunteerId = wrong, minutes = 110 })).ShouldBe(201);
        Assert.Equal((200, 2), await Credited());
        Assert.Equal(9, await VerifiedPosition());
    }

    [Fact]
    public async Task What_goes_back_to_a_headcount_must_fit_there()
    {
        var volunteers = await O.Volunteers(3, Team);
        var headcount = (await Headcount(Admin, 2, At("08:00"), At("10:00"), minutes: 150)).ShouldBe(201).Id;
        var longer = (await Do(Admin, "claims", headcount, new { volunteerId = volunteers[0], minutes = 60 })).ShouldBe(201).Id;
        (await Do(Admin, "correct", longer, new { reason = "More.", minutes = 100 })).ShouldBe(200);
        Task<Answer> Back(string record, bool apart = false) => Do(Admin, "void", record, new { reason = "A wrong name.", backToHeadcount = true, notCountedElsewhere = apart });

        // More than was ever claimed.
        (await Back(longer)).ShouldRefuse(409, "claims_do_not_fit");
        (await Do(Admin, "correct", longer, new { reason = "A day later.", startsAt = At("08:00", 8), endsAt = At("09:00", 8), minutes = 60 })).ShouldBe(200);
        (await Back(longer)).ShouldRefuse(409, "claim_outside_headcount");
        (await Back(await O.Record(await O.Activity(Team), volunteers[1], At("12:00"), At("13:00")))).ShouldRefuse(409, "not_claimed");
        (await Back(headcount)).ShouldRefuse(409, "not_claimed");

        var last = (await Do(Admin, "claims", headcount, new { volunteerId = volunteers[1], minutes = 90 })).ShouldBe(201).Id;
        // All have names, so this one is another.
        await O.Record(Activity, volunteers[2], At("08:00"), At("09:00"));
        (await Back(last)).ShouldRefuse(409, "counted_by_name");
        var before = await Credited();
        (await Back(last, apart: true)).ShouldBe(200);
        Assert.Equal(before, await Credited());

        var other = (await Do(Admin, "claims", headcount, new { volunteerId = volunteers[1], minutes = 90 })).ShouldBe(201).Id;
        (await Do(Admin, "void", headcount)).ShouldBe(200);
        (await Back(other)).ShouldRefuse(409, "not_approved");
        (await Do(Admin, "void", other)).ShouldBe(200);
        await VerifiedPosition();
    }

    [Fact]
    public async Task Nobody_gives_back_their_own_and_a_team_coordinator_only_their_teams()
    {
        var own = await O.Volunteer(Team);
        var headcount = (await Headcount(Admin, 2, At("08:00"), At("10:00"))).ShouldBe(201).Id;
        var named = (await Do(Admin, "claims", headcount, new { volunteerId = own })).ShouldBe(201).Id;
        var body = new { reason = "A wrong name.", backToHeadcount = true };

        (await Do(await O.CoordinatorWhoIs(own), "void", named, body)).ShouldRefuse(409, "own_hours");
        (await Do(await O.SignedInWithRole("coordinator", await O.Team()), "void", named, body)).ShouldRefuse(404, "not_found");
        Assert.Equal((240, 2), await Credited());
    }

    [Fact]
    public async Task Claims_and_their_ways_back_at_the_same_moment_move_no_total()
    {
        var volunteers = await O.Volunteers(6, Team);
        var headcount = (await Headcount(Admin, 3, At("08:00"), At("10:00"))).ShouldBe(201).Id;
        var named = new List<string>();
        foreach (var volunteer in volunteers.Take(3)) named.Add((await Do(Admin, "claims", headcount, new { volunteerId = volunteer })).ShouldBe(201).Id);

        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Task.Run(() => i % 2 == 0
            ? Do(Admin, "void", named[i / 2 % 3], new { reason = "A wrong name.", backToHeadcount = true })
            : Do(Admin, "claims", headcount, new { volunteerId = volunteers[3 + (i / 2 % 3)] }))));

        Assert.All(answers, answer => Assert.True(answer.Status is 200 or 201 or 409, answer.Text));
        Assert.Equal(3, answers.Count(answer => answer.Status == 200));
        Assert.Equal((360, 3), await Credited());
        await VerifiedPosition();
    }

    [Fact]
    public async Task Nobody_claims_for_themselves()
    {
        var own = await O.Volunteer(Team);
        var coordinator = await O.CoordinatorWhoIs(own);
        var headcount = (await Headcount(coordinator, 2, At("08:00"), At("10:00"))).ShouldBe(201).Id;

        (await Do(coordinator, "claims", headcount, new { volunteerId = own })).ShouldRefuse(409, "own_hours");
        (await Do(await O.SignedInAs(await O.Volunteer(Team)), "claims", headcount, new { volunteerId = own })).ShouldRefuse(403, "forbidden");
        (await Do(Admin, "claims", headcount, new { volunteerId = own })).ShouldBe(201);
    }

    [Fact]
    public async Task Corrections_of_a_headcount_leave_room_for_what_was_claimed()
    {
        var headcount = (await Headcount(Admin, 3, At("08:00"), At("10:00"))).ShouldBe(201).Id;
        foreach (var volunteer in await O.Volunteers(2, Team)) (await Do(Admin, "claims", headcount, new { volunteerId = volunteer })).ShouldBe(201);

        (await Do(Admin, "correct", headcount, new { reason = "One.", personTimes = 1 })).ShouldRefuse(409, "claims_do_not_fit");
        (await Do(Admin, "correct", headcount, new { reason = "Fewer.", minutes = 240 })).ShouldRefuse(409, "claims_do_not_fit");
        (await Do(Admin, "correct", headcount, new { reason = "Two.", personTimes = 2 })).ShouldBe(200);
        Assert.Equal((240, 2), await Credited());
        (await Do(Admin, "correct", headcount, new { reason = "Twenty.", personTimes = 20 })).ShouldBe(200);
        Assert.Equal((2400, 20), await Credited());
        await VerifiedPosition();
    }

    [Fact]
    public async Task A_claim_of_a_night_stays_on_the_day_of_the_headcount()
    {
        var volunteer = await O.Volunteer(Team);
        var headcount = (await Headcount(Admin, 2, "2026-06-30T22:00:00+08:00", "2026-07-01T02:00:00+08:00", minutes: 300)).ShouldBe(201).Id;

        // It would begin in July, and June's total would change.
        (await Do(Admin, "claims", headcount, new { volunteerId = volunteer, startsAt = "2026-07-01T00:00:00+08:00" }))
            .ShouldRefuse(409, "claim_outside_headcount");
        var named = (await Do(Admin, "claims", headcount, new { volunteerId = volunteer, startsAt = "2026-06-30T23:00:00+08:00" })).ShouldBe(201);
        Assert.Equal("2026-06-30", Text(named, "serviceDate"));
        Assert.Equal(300, await Count("select sum(minutes)::bigint from hour_totals where month = '2026-06-01'"));
    }

    [Fact]
    public async Task What_the_leader_counted_is_not_counted_again_when_a_participant_reports_it()
    {
        var headcount = (await Headcount(Admin, 3, At("08:00"), At("10:00"), minutes: 240)).ShouldBe(201).Id;
        var (record, another) = (await OwnRecord(At("08:30"), At("09:30")), await OwnRecord(At("08:30"), At("09:30")));

        (await Do(Admin, "approve", record)).ShouldRefuse(409, "counted_in_headcount");
        (await Admin.Post("/service-records/approvals", new { recordIds = new[] { record, another } })).ShouldRefuse(409, "batch_refused");
        Assert.Equal((240, 3), await Credited());

        var approved = (await Approve(record, headcount)).ShouldBe(200);
        Assert.Equal(("approved", headcount, "self", 60), (Text(approved, "status"), Text(approved, "claimedFromId"), Text(approved, "evidence"), Number(approved, "creditedMinutes")));
        Assert.Equal((240, 3), await Credited());
        Assert.Equal(180, Number(await Admin.Get($"/service-records/{headcount}"), "creditedMinutes"));

        (await Admin.Post($"/service-records/{another}/approve", new { notCountedElsewhere = true })).ShouldBe(200);
        Assert.Equal((300, 4), await Credited());
        await VerifiedPosition();
    }

    [Fact]
    public async Task What_a_participant_reported_is_not_counted_again_by_the_leader()
    {
        (await Do(Admin, "approve", await OwnRecord(At("08:30"), At("09:30")))).ShouldBe(200);

        (await Headcount(Admin, 3, At("08:00"), At("10:00"))).ShouldRefuse(409, "counted_by_name");
        (await Headcount(Admin, 3, At("09:30"), At("10:00"))).ShouldBe(201);
        var others = new JsonObject
        {
            ["activityId"] = Activity, ["startsAt"] = At("08:00"), ["endsAt"] = At("09:00"), ["notCountedElsewhere"] = true,
            ["headcount"] = new JsonObject { ["personTimes"] = 2, ["method"] = "counted" },
        };
        var record = (await Admin.Post("/service-records", others)).ShouldBe(201);

        Assert.Equal("besideHeadcount", Text(record, "flag"));
        Assert.Equal((60 + 90 + 120, 6), await Credited());
    }

    [Fact]
    public async Task An_approval_out_of_a_headcount_keeps_its_rules()
    {
        var headcount = (await Headcount(Admin, 1, At("08:00"), At("10:00"))).ShouldBe(201).Id;
        var (longer, fits) = (await OwnRecord(At("08:00"), At("10:30")), await OwnRecord(At("08:00"), At("10:00")));

        (await Approve(longer, headcount)).ShouldRefuse(409, "claim_outside_headcount");
        (await Approve(fits, longer)).ShouldRefuse(409, "not_a_headcount");
        (await Approve(fits, Guid.NewGuid().ToString())).ShouldRefuse(404, "record_not_found");
        (await Admin.Post($"/service-records/{fits}/approve", new { headcountId = headcount, notCountedElsewhere = true })).ShouldRefuse(400, "invalid_request");
        (await Approve(fits, headcount)).ShouldBe(200);
        (await Approve(fits, headcount)).ShouldRefuse(409, "already_reviewed");
        // Nobody is left in it.
        (await Do(Admin, "approve", longer)).ShouldBe(200);
        Assert.Equal((270, 2), await Credited());
        await VerifiedPosition();
    }

    [Fact]
    public async Task A_headcount_and_an_approval_at_the_same_moment_do_not_miss_each_other()
    {
        for (var hour = 8; hour < 14; hour++)
        {
            var (from, to) = (At($"{hour:00}:00"), At($"{hour + 1:00}:00"));
            var record = await OwnRecord(from, to);

            var answers = await Task.WhenAll(Headcount(Admin, 3, from, to), Do(Admin, "approve", record));

            Assert.Single(answers, answer => answer.Status == 409);
        }
    }

    private async Task<string> OwnRecord(string from, string to)
    {
        var volunteer = await O.Volunteer(Team);
        return (await Record(await O.SignedInAs(volunteer), volunteer, from, to)).ShouldBe(201).Id;
    }

    private Task<Answer> Approve(string record, string headcount) => Admin.Post($"/service-records/{record}/approve", new { headcountId = headcount });
}
