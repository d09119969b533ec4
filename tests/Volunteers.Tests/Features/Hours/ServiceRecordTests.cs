using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

public sealed class ServiceRecordTests(TestDatabases databases) : HoursTest(databases)
{
    [Fact]
    public async Task A_coordinators_entry_for_others_is_approved_and_posted_at_once()
    {
        var volunteer = await O.Volunteer(inTeam: Team);

        var record = (await Admin.Post("/service-records", new
        {
            volunteerId = volunteer, activityId = Activity, shiftId = (string?)null,
            startsAt = "2026-06-07T14:30:00+08:00", endsAt = "2026-06-07T17:00:00+08:00", minutes = 150, note = "…",
        })).ShouldBe(201);

        Assert.Equal("approved", Text(record, "status"));
        Assert.Equal("coordinator", Text(record, "evidence"));
        Assert.Equal("\"1\"", record.Header("ETag"));
        Assert.Equal($"{O.Path}/service-records/{record.Id}", record.Header("Location"));
        var posting = Assert.Single((await Admin.Get("/ledger")).Items);
        Assert.Equal(150, (int)posting!["minutes"]!);
        Assert.Equal(1, (long)posting["position"]!);
        Assert.True((bool)(await Admin.Get("/ledger/verification"))["valid"]!);
    }

    [Fact]
    public async Task What_was_answered_is_what_is_read_again()
    {
        var record = (await Record(Admin, await O.Volunteer(Team), At("08:00"), At("09:00"))).ShouldBe(201);

        var read = (await Admin.Get($"/service-records/{record.Id}")).ShouldBe(200);

        Assert.Equal(record.Header("ETag"), read.Header("ETag"));
        Assert.Equal(record.Text, read.Text);
    }

    [Fact]
    public async Task Ones_own_service_is_submitted_and_posts_nothing_until_another_coordinator_approves()
    {
        var volunteer = await O.Volunteer(Team);
        var self = await O.SignedInAs(volunteer);

        var record = (await Record(self, volunteer, At("08:00"), At("10:00"))).ShouldBe(201);
        Assert.Equal(("submitted", "self", 0), (Text(record, "status"), Text(record, "evidence"), Number(record, "creditedMinutes")));
        Assert.Equal((0, 0), await Credited());
        (await Do(self, "approve", record.Id)).ShouldRefuse(403, "forbidden");

        var approved = (await Do(Admin, "approve", record.Id)).ShouldBe(200);
        Assert.Equal(("approved", 120), (Text(approved, "status"), Number(approved, "creditedMinutes")));
        Assert.Equal((120, 1), await Credited());
        (await Do(Admin, "approve", record.Id)).ShouldRefuse(409, "already_reviewed");
        (await Do(Admin, "reject", record.Id)).ShouldRefuse(409, "already_reviewed");
        Assert.Equal(1, await VerifiedPosition());
    }

    [Fact]
    public async Task Coordinators_do_not_review_their_own_hours()
    {
        var volunteer = await O.Volunteer(Team);
        var coordinator = await O.CoordinatorWhoIs(volunteer);

        var record = (await Record(coordinator, volunteer, At("08:00"), At("10:00"))).ShouldBe(201);
        Assert.Equal(("submitted", "self"), (Text(record, "status"), Text(record, "evidence")));
        (await Do(coordinator, "approve", record.Id)).ShouldRefuse(409, "own_hours");
        (await Do(coordinator, "reject", record.Id)).ShouldRefuse(409, "own_hours");
        var bulk = (await coordinator.Post("/service-records/approvals", new { recordIds = new[] { record.Id } })).ShouldRefuse(409, "batch_refused");
        Assert.Equal("own_hours", (string?)bulk["refusals"]![0]!["code"]);
        var batch = (await coordinator.Post("/service-records/batch", new { items = new[] { Service(volunteer, At("11:00"), At("12:00")) } })).ShouldBe(200);
        Assert.Equal("submitted", (string?)batch.Items[0]!["status"]);

        (await Do(Admin, "approve", record.Id)).ShouldBe(200);
        (await Do(coordinator, "void", record.Id)).ShouldRefuse(409, "own_hours");
        (await Do(coordinator, "correct", record.Id, new { reason = "More.", endsAt = At("10:30") })).ShouldRefuse(409, "own_hours");
        (await Do(coordinator, "correct", record.Id, new { reason = "More.", endsAt = At("11:30") })).ShouldRefuse(409, "own_hours");
        Assert.Equal((120, 1), await Credited());
    }

    [Fact]
    public async Task A_volunteer_records_only_their_own()
    {
        var (mine, other) = (await O.Volunteer(Team), await O.Volunteer(Team));
        var self = await O.SignedInAs(mine);

        (await Record(self, other, At("08:00"), At("10:00"))).ShouldRefuse(403, "only_own_service");
        (await Headcount(self, 3, At("08:00"), At("10:00"))).ShouldRefuse(403, "only_own_service");
        (await self.Post("/service-records/batch", new { items = new[] { Service(mine, At("08:00"), At("09:00")) } })).ShouldRefuse(403, "forbidden");

        var theirs = await O.Record(Activity, other, At("08:00"), At("10:00"));
        var own = (await Record(self, mine, At("08:00"), At("10:00"))).ShouldBe(201).Id;
        Assert.Equal(own, (string?)Assert.Single((await self.Get("/service-records")).Items)!["id"]);
        (await self.Get($"/service-records/{theirs}")).ShouldRefuse(404, "not_found");
        (await self.Get($"/service-records/{theirs}/history")).ShouldRefuse(404, "not_found");
    }

    [Fact]
    public async Task A_volunteer_cannot_record_service_for_a_draft()
    {
        var volunteer = await O.Volunteer(Team);
        var draft = (await Admin.Post("/activities", new
        {
            title = "Draft", teamId = Team, category = "patrol", startsAt = At("08:00"), endsAt = At("12:00"),
        })).ShouldBe(201).Id;

        (await Record(await O.SignedInAs(volunteer), volunteer, At("08:00"), At("10:00"), activity: draft)).ShouldRefuse(404, "activity_not_found");
        (await Record(Admin, volunteer, At("08:00"), At("10:00"), activity: draft)).ShouldBe(201);
    }

    [Fact]
    public async Task One_minute_counts_once_in_whatever_team()
    {
        var (volunteer, otherTeam) = (await O.Volunteer(Team), await O.Team());
        await O.Member(otherTeam, volunteer);
        var elsewhere = await O.Activity(otherTeam);
        var first = (await Record(Admin, volunteer, At("08:00"), At("10:00"))).ShouldBe(201).Id;

        (await Record(Admin, volunteer, At("09:59"), At("11:00"), activity: elsewhere)).ShouldRefuse(409, "overlapping_service");
        (await Record(Admin, volunteer, At("08:30"), At("09:00"), activity: elsewhere)).ShouldRefuse(409, "overlapping_service");
        (await Record(Admin, volunteer, At("10:00"), At("11:00"), activity: elsewhere)).ShouldBe(201);
        (await Record(Admin, volunteer, At("07:00"), At("08:00"), activity: elsewhere)).ShouldBe(201);
        (await Record(Admin, await O.Volunteer(Team), At("08:00"), At("10:00"))).ShouldBe(201);

        (await Do(Admin, "void", first)).ShouldBe(200);
        (await Record(Admin, volunteer, At("08:00"), At("10:00"), activity: elsewhere)).ShouldBe(201);
        Assert.Equal(6, await VerifiedPosition());
    }

    [Fact]
    public async Task Submitted_service_keeps_its_time_until_it_is_rejected()
    {
        var volunteer = await O.Volunteer(Team);
        var self = await O.SignedInAs(volunteer);
        var submitted = (await Record(self, volunteer, At("08:00"), At("10:00"))).ShouldBe(201).Id;

        (await Record(Admin, volunteer, At("09:00"), At("11:00"))).ShouldRefuse(409, "overlapping_service");
        var rejected = (await Do(Admin, "reject", submitted, new { reason = "Not there." })).ShouldBe(200);

        Assert.Equal(("rejected", "Not there.", 0), (Text(rejected, "status"), Text(rejected, "reviewReason"), Number(rejected, "creditedMinutes")));
        (await Record(Admin, volunteer, At("09:00"), At("11:00"))).ShouldBe(201);
        (await Do(Admin, "approve", submitted)).ShouldRefuse(409, "already_reviewed");
        (await Do(Admin, "void", submitted)).ShouldRefuse(409, "not_approved");
        Assert.Equal((120, 1), await Credited());
    }

    [Fact]
    public async Task A_cancelled_activity_takes_no_service_and_one_with_service_is_not_cancelled()
    {
        var volunteer = await O.Volunteer(Team);
        var cancelled = await O.Activity(Team);
        (await Admin.Post($"/activities/{cancelled}/cancel", new { reason = "Rain." })).ShouldBe(200);
        (await Record(Admin, volunteer, At("08:00"), At("10:00"), activity: cancelled)).ShouldRefuse(409, "activity_cancelled");

        (await Record(Admin, volunteer, At("08:00"), At("10:00"))).ShouldBe(201);
        (await Admin.Post($"/activities/{Activity}/cancel", new { reason = "Rain." })).ShouldRefuse(409, "activity_has_service");
    }

    [Fact]
    public async Task Service_to_come_is_not_recorded()
    {
        var (volunteer, now) = (await O.Volunteer(Team), Clock.GetUtcNow());

        (await Record(Admin, volunteer, now.AddHours(-1).ToString("O"), now.AddMinutes(5).ToString("O"))).ShouldRefuse(409, "in_the_future");
        var record = (await Record(Admin, volunteer, now.AddHours(-1).ToString("O"), now.ToString("O"))).ShouldBe(201);
        (await Do(Admin, "correct", record.Id, new { reason = "Longer.", endsAt = now.AddMinutes(5).ToString("O") })).ShouldRefuse(409, "in_the_future");
        Clock.Advance(TimeSpan.FromMinutes(6));
        (await Do(Admin, "correct", record.Id, new { reason = "Longer.", endsAt = now.AddMinutes(5).ToString("O") })).ShouldBe(200);
    }

    [Fact]
    public async Task Only_members_serve_in_a_team_and_those_of_its_sub_teams_do()
    {
        var subTeam = await O.Team(parentTeamId: Team);
        var (member, inSubTeam, stranger) = (await O.Volunteer(Team), await O.Volunteer(subTeam), await O.Volunteer());
        var below = await O.Activity(subTeam);

        (await Record(Admin, stranger, At("08:00"), At("09:00"))).ShouldRefuse(409, "not_a_member");
        (await Record(Admin, inSubTeam, At("08:00"), At("09:00"))).ShouldBe(201);
        (await Record(Admin, member, At("08:00"), At("09:00"), activity: below)).ShouldRefuse(409, "not_a_member");

        (await Admin.Put($"/teams/{Team}/members/{member}", new { joinedOn = "2026-01-01", leftOn = "2026-06-07" })).ShouldBe(200);
        (await Record(Admin, member, At("23:00"), At("01:00", day: 8))).ShouldBe(201);
        (await Record(Admin, member, At("08:00", day: 8), At("09:00", day: 8))).ShouldRefuse(409, "not_a_member");
    }

    [Fact]
    public async Task Minutes_are_the_period_unless_fewer_were_given()
    {
        var volunteer = await O.Volunteer(Team);

        Assert.Equal(90, Number((await Record(Admin, volunteer, At("08:00"), At("09:30"))).ShouldBe(201), "minutes"));
        Assert.Equal(45, Number((await Record(Admin, volunteer, At("10:00"), At("11:00"), minutes: 45)).ShouldBe(201), "minutes"));
        (await Record(Admin, volunteer, At("12:00"), At("13:00"), minutes: 61)).ShouldRefuse(409, "minutes_exceed_period");
        (await Record(Admin, volunteer, At("12:00"), At("13:00"), minutes: 0)).ShouldRefuse(400, "invalid_request");
        (await Record(Admin, volunteer, "2026-06-07T12:00:00+08:00", "2026-06-07T12:00:59+08:00")).ShouldRefuse(409, "minutes_exceed_period");
        (await Record(Admin, volunteer, At("13:00"), At("13:00"))).ShouldRefuse(400, "invalid_request");
        (await Record(Admin, volunteer, At("12:00"), At("12:01", day: 8))).ShouldRefuse(400, "invalid_request");
    }

    [Fact]
    public async Task A_night_shift_is_one_record_on_the_local_day_on_which_it_began()
    {
        var record = (await Record(Admin, await O.Volunteer(Team), "2026-06-30T22:00:00+08:00", "2026-07-01T02:00:00+08:00")).ShouldBe(201);

        Assert.Equal(("2026-06-30", 240), (Text(record, "serviceDate"), Number(record, "minutes")));
        Assert.Equal("2026-06-30", (string?)Assert.Single((await Admin.Get("/ledger")).Items)!["serviceDate"]);
        Assert.Single((await Admin.Get("/service-records?from=2026-06-30&to=2026-06-30")).Items);
        Assert.Empty((await Admin.Get("/service-records?from=2026-07-01&to=2026-07-01")).Items);
        Assert.Equal(1, await Count("select count(*) from hour_totals where month = '2026-06-01' and minutes = 240"));
    }
}
