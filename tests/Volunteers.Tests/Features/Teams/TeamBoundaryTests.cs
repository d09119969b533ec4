using System.Text.Json.Nodes;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Features.Reports;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Teams;

/// <summary>Where a team coordinator's teams end: nothing is moved over the border, and what somebody else moves is seen on one side only.</summary>
public sealed class TeamBoundaryTests(TestDatabases databases) : HoursTest(databases)
{
    private string Other { get; set; } = null!;

    private string OtherActivity { get; set; } = null!;

    private Api Coordinator { get; set; } = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Other = await O.Team();
        OtherActivity = await O.Activity(Other);
        Coordinator = await O.SignedInWithRole("coordinator", Team);
    }

    [Fact]
    public async Task Nobody_and_nothing_is_taken_out_of_a_team_or_into_it()
    {
        var (mine, stranger) = (await O.Volunteer(Team), await O.Volunteer(Other));
        var series = new { title = "Duty", category = "patrol", firstOn = $"{DateTime.UtcNow:yyyy-MM-dd}", startTime = "12:00", endTime = "13:00", recurrence = "FREQ=WEEKLY;COUNT=2" };
        var mySeries = (await Coordinator.Post("/series", With(series, ("teamId", Team)))).ShouldBe(201).Id;
        var otherSeries = (await Admin.Post("/series", With(series, ("teamId", Other)))).ShouldBe(201).Id;

        (await Coordinator.Patch($"/activities/{Activity}", new { teamId = Other })).ShouldRefuse(404, "team_not_found");
        (await Coordinator.Patch($"/activities/{OtherActivity}", new { teamId = Team }, "*")).ShouldRefuse(404, "not_found");
        (await Coordinator.Patch($"/series/{mySeries}", new { teamId = Other })).ShouldRefuse(404, "team_not_found");
        (await Coordinator.Patch($"/series/{otherSeries}", new { teamId = Team }, "*")).ShouldRefuse(404, "not_found");
        (await Coordinator.Put($"/teams/{Other}/members/{mine}", new { role = "member" })).ShouldRefuse(404, "not_found");
        (await Coordinator.Put($"/teams/{Team}/members/{stranger}", new { role = "member" })).ShouldRefuse(404, "not_found");
        (await Coordinator.Patch($"/teams/{Team}", new { parentTeamId = Other })).ShouldRefuse(403, "forbidden");
        (await Coordinator.Patch($"/teams/{Other}", new { parentTeamId = Team }, "*")).ShouldRefuse(403, "forbidden");
        var shift = await O.Shift(await O.UpcomingActivity(Team));
        (await Coordinator.Post($"/shifts/{shift}/sign-ups", new { volunteerId = stranger })).ShouldRefuse(409, "not_a_member");
        (await Record(Coordinator, stranger, At("15:00"), At("16:00"))).ShouldRefuse(409, "not_a_member");
        (await Record(Coordinator, mine, At("15:00"), At("16:00"), activity: OtherActivity)).ShouldRefuse(403, "only_own_service");

        Assert.Equal(1, await Count($"select count(*) from activities where id = '{Activity}' and team_id = '{Team}'"));
        Assert.Equal(1, await Count($"select count(*) from activities where id = '{OtherActivity}' and team_id = '{Other}'"));
        Assert.Equal(2, await Count("select count(*) from team_members m join volunteers v on v.id = m.volunteer_id"));
        Assert.Equal(0, await Count("select count(*) from service_records"));
        Assert.Equal(0, await Count("select count(*) from sign_ups"));
    }

    [Fact]
    public async Task A_batch_with_one_item_of_another_team_is_refused_whole()
    {
        var (mine, stranger) = (await O.Volunteer(Team), await O.Volunteer(Other));
        var waiting = (await Record(await O.SignedInAs(mine), mine, At("15:00"), At("16:00"))).ShouldBe(201).Id;
        var theirs = (await Record(await O.SignedInAs(stranger), stranger, At("15:00"), At("16:00"), activity: OtherActivity)).ShouldBe(201).Id;
        var shift = await O.Shift(await O.UpcomingActivity(Other, Clock.GetUtcNow().AddMinutes(5)));
        await O.SignUp(shift, stranger);

        foreach (var (path, body) in new (string, object)[]
                 {
                     ("approvals", new { recordIds = new[] { waiting, theirs } }),
                     ("rejections", new { recordIds = new[] { waiting, theirs }, reason = "Both." }),
                     ("batch", new { items = new[] { Service(mine, At("17:00"), At("18:00")), Service(stranger, At("17:00"), At("18:00"), activity: OtherActivity) } }),
                 })
        {
            var refused = (await Coordinator.Post($"/service-records/{path}", body)).ShouldRefuse(409, "batch_refused");
            Assert.Equal(1, (int)Assert.Single(refused["refusals"]!.AsArray())!["index"]!);
        }
        var attendance = (await Coordinator.Post("/attendance/batch",
            new { events = new[] { new { clientEventId = Guid.NewGuid(), volunteerId = stranger, shiftId = shift, kind = "checkIn", occurredAt = Clock.GetUtcNow() } } })).ShouldBe(200);

        Assert.Equal("shift_not_found", (string?)Assert.Single(attendance.Items)!["code"]);
        Assert.Equal(2, await Count("select count(*) from service_records where status = 'submitted'"));
        Assert.Equal(0, await Count("select count(*) from attendance_events"));
    }

    [Fact]
    public async Task A_sub_team_is_theirs_until_somebody_moves_it_away()
    {
        var below = await O.Team(parentTeamId: Team);
        var (member, activity) = (await O.Volunteer(below), await O.Activity(below));
        var record = await O.Record(activity, member, At("15:00"), At("16:00"));
        var report = (await Coordinator.Post("/reports/hours/issued", new { from = "2026-01-01", to = "2026-12-31" })).ShouldBe(201).Id;
        foreach (var path in Paths()) (await Coordinator.Get(path)).ShouldBe(200);
        Assert.Equal(60, await Minutes());

        (await Admin.Patch($"/teams/{below}", new { parentTeamId = Other })).ShouldBe(200);
        Clock.Advance(TimeSpan.FromSeconds(6));

        foreach (var path in Paths()) (await Coordinator.Get(path)).ShouldRefuse(404, "not_found");
        Assert.Equal(0, await Minutes());
        foreach (var list in new[] { "/service-records", "/ledger", "/activities?team=" + below, "/volunteers" })
            Assert.DoesNotContain((await Coordinator.Get(list)).ShouldBe(200).Items, item => new[] { record, activity, member }.Any(id => item!.ToJsonString().Contains(id, StringComparison.Ordinal)));
        (await Do(Coordinator, "void", record)).ShouldRefuse(404, "not_found");

        string[] Paths() => [$"/teams/{below}", $"/teams/{below}/members", $"/volunteers/{member}", $"/activities/{activity}", $"/service-records/{record}", $"/reports/hours/issued/{report}"];
        async Task<long> Minutes() => (long)(await Coordinator.Get("/reports/hours?from=2026-01-01&to=2026-12-31")).ShouldBe(200)["total"]!["minutes"]!;
    }

    [Fact]
    public async Task An_activity_that_is_moved_leaves_the_service_given_for_it_where_it_was_given()
    {
        var (mine, stranger) = (await O.Volunteer(Team), await O.Volunteer(Other));
        var there = await O.Record(OtherActivity, stranger, At("15:00"), At("17:00"));
        var waiting = (await Record(await O.SignedInAs(stranger), stranger, At("17:00"), At("18:00"), activity: OtherActivity)).ShouldBe(201).Id;
        (await Admin.Patch($"/activities/{OtherActivity}", new { teamId = Team })).ShouldBe(200);
        await O.Record(OtherActivity, mine, At("15:00"), At("15:30"));

        (await Coordinator.Get($"/activities/{OtherActivity}")).ShouldBe(200);
        foreach (var record in new[] { there, waiting }) (await Coordinator.Get($"/service-records/{record}")).ShouldRefuse(404, "not_found");
        Assert.Equal(30, (long)(await Coordinator.Get("/reports/hours?from=2026-01-01&to=2026-12-31"))["total"]!["minutes"]!);
        // Both activities are theirs now; of the hours for them only what was given in their team.
        var activities = (await Coordinator.Get("/reports/activities?from=2026-01-01&to=2026-12-31&groupBy=team")).ShouldBe(200);
        Assert.Equal((2, 30, 1), ((long)activities["total"]!["activities"]!, (long)activities["total"]!["minutes"]!, (long)activities["total"]!["persons"]!));
        Assert.Equal(30, (long)Assert.Single(activities["byEvidence"]!.AsArray())!["minutes"]!);
        Assert.Equal(150, (long)(await Admin.Get("/reports/activities?from=2026-01-01&to=2026-12-31"))["total"]!["minutes"]!);
        var overdue = Assert.Single((await Coordinator.Get("/reports/overdue")).ShouldBe(200).Items, item => (string?)item!["activityId"] == OtherActivity)!;
        Assert.Equal((1, 0, 30), ((int)overdue["records"]!, (int)overdue["waiting"]!, (long)overdue["recorded"]!["minutes"]!));
    }

    [Fact]
    public async Task Attendance_does_not_change_what_was_booked_in_the_team_that_an_activity_was_moved_from()
    {
        var activity = await O.UpcomingActivity(Other, Clock.GetUtcNow().AddMinutes(10), hours: 2);
        var shift = await O.Shift(activity);
        var volunteer = await O.Volunteer(Other);
        await O.Member(Team, volunteer);
        await O.SignUp(shift, volunteer);
        async Task<Answer> Take(Api by, string what) => (await by.Post($"/shifts/{shift}/{what}", new { volunteerId = volunteer })).ShouldBe(200);
        await Host.Later(TimeSpan.FromMinutes(10));
        await Take(Admin, "check-in");
        await Host.Later(TimeSpan.FromMinutes(30));
        var booked = (string)(await Take(Admin, "check-out"))["serviceRecord"]!["id"]!;
        (await Admin.Patch($"/activities/{activity}", new { teamId = Team })).ShouldBe(200);

        await Take(Coordinator, "check-in");
        await Host.Later(TimeSpan.FromMinutes(30));
        var again = await Take(Coordinator, "check-out");

        Assert.Equal(("booked_in_another_team", null), ((string?)again["bookingRefusal"], again["serviceRecord"]));
        Assert.Equal(30, (int)(await Admin.Get($"/service-records/{booked}")).ShouldBe(200)["minutes"]!);
    }

    [Fact]
    public async Task The_feed_of_every_team_shows_a_team_coordinator_their_own()
    {
        var feed = await Coordinator.Feed("organization");
        var both = await (await O.CoordinatorWhoIs(await O.Volunteer(Team), Team)).Feed("organization");
        var everything = await Admin.Feed("organization");

        Assert.Equal([Activity], await Activities(feed));
        // A volunteer reads what is published, whatever else they are.
        Assert.Equal(new[] { Activity, OtherActivity }.Order(), await Activities(both));
        Assert.Equal(new[] { Activity, OtherActivity }.Order(), await Activities(everything));

        async Task<string[]> Activities(string path)
        {
            var text = (await Host.Anonymous.Get(path)).ShouldBe(200).Text;
            return [.. new[] { Activity, OtherActivity }.Where(id => text.Contains(id, StringComparison.Ordinal)).Order()];
        }
    }

    [Fact]
    public async Task In_which_other_teams_their_people_are_is_not_told()
    {
        var shared = await O.Volunteer(Team);
        await O.Member(Other, shared);
        await O.Record(OtherActivity, shared, At("15:00"), At("17:00"));
        var both = await O.CoordinatorWhoIs(await O.Volunteer(Team), Team);

        foreach (var caller in new[] { Coordinator, both })
        {
            Assert.Empty((await caller.Get($"/volunteers?team={Other}")).ShouldBe(200).Items);
            Assert.Empty((await caller.Get($"/stars?level=0&team={Other}")).ShouldBe(200).Items);
            Assert.Single((await caller.Get($"/stars?level=0&team={Team}")).ShouldBe(200).Items);
        }
        Assert.Single((await Admin.Get($"/volunteers?team={Other}")).Items);
        Assert.Single((await Admin.Get($"/stars?level=0&team={Other}")).Items);
    }

    [Fact]
    public async Task A_report_narrowed_to_another_team_does_not_say_its_name()
    {
        var name = (string)(await Admin.Get($"/teams/{Other}"))["name"]!;

        var file = await Coordinator.Http.GetByteArrayAsync(new Uri($"{O.Path}/reports/hours?from=2026-01-01&to=2026-12-31&team={Other}&format=xlsx", UriKind.Relative), TestContext.Current.CancellationToken);

        var about = Workbook.Read(file).About;
        Assert.Contains(Other, about.Values);
        Assert.DoesNotContain(about.Values, value => value.Contains(name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Groups_on_another_teams_shift_are_not_shown_to_who_coordinates_one_team_and_serves_besides()
    {
        var shift = await O.Shift(await O.UpcomingActivity(Other));
        (await Admin.Post($"/shifts/{shift}/groups", new { title = "Class 3b", places = 2 })).ShouldBe(200);
        var both = await O.CoordinatorWhoIs(await O.Volunteer(Team), Team);

        (await both.Get($"/shifts/{shift}")).ShouldBe(200);
        (await both.Get($"/shifts/{shift}/groups")).ShouldRefuse(404, "not_found");
    }

    [Fact]
    public async Task An_occurrence_that_was_moved_to_another_team_is_that_teams()
    {
        var volunteer = await O.Volunteer(Team);
        await O.Member(Other, volunteer);
        var series = (await Coordinator.Post("/series", new
        {
            title = "Duty", teamId = Team, category = "patrol", firstOn = $"{DateTime.UtcNow.AddDays(1):yyyy-MM-dd}", startTime = "12:00", endTime = "13:00", recurrence = "FREQ=DAILY;COUNT=3",
        })).ShouldBe(201).Id;
        var moved = (string)(await Coordinator.Get("/activities?status=published")).Items.First(activity => (string?)activity!["seriesId"] == series)!["id"]!;
        (await Admin.Patch($"/activities/{moved}", new { teamId = Other })).ShouldBe(200);

        var signedUp = (await Coordinator.Post($"/series/{series}/sign-ups", new { volunteerId = volunteer })).ShouldBe(201);
        var changed = (await Coordinator.Patch($"/series/{series}", new { description = "In uniform." })).ShouldBe(200);

        Assert.Equal(2, signedUp["occurrences"]!.AsArray().Count);
        Assert.DoesNotContain(moved, signedUp.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(moved, changed.Text, StringComparison.Ordinal);
        Assert.Contains(moved, (await Admin.Patch($"/series/{series}", new { description = "Without." })).ShouldBe(200).Text, StringComparison.Ordinal);
        Assert.Equal(0, await Count($"select count(*) from sign_ups s join shifts t on t.id = s.shift_id where t.activity_id = '{moved}'"));
    }

    [Fact]
    public async Task A_fault_of_the_ledger_is_told_and_another_teams_record_is_not_named()
    {
        var (mine, there) = (await O.Record(Activity, await O.Volunteer(Team), At("15:00"), At("16:00")), await O.Record(OtherActivity, await O.Volunteer(Other), At("15:00"), At("16:00")));
        await Tamper("update service_records set minutes = minutes - 1");

        var told = (await Coordinator.Get("/ledger/verification")).ShouldBe(200);

        Assert.Equal(new[] { null, mine }, told["faults"]!.AsArray().Where(fault => (string?)fault!["kind"] == "recordSum").Select(fault => (string?)fault!["recordId"]).Order());
        Assert.Contains(there, (await Admin.Get("/ledger/verification")).Text, StringComparison.Ordinal);
    }

    private static JsonNode With(object values, params (string Name, string Value)[] more)
    {
        var node = System.Text.Json.JsonSerializer.SerializeToNode(values)!;
        foreach (var (name, value) in more) node[name] = value;
        return node;
    }
}
