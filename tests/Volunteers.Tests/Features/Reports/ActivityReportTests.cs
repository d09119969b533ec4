using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reports;

public sealed class ActivityReportTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task It_counts_activities_those_that_took_place_who_came_and_who_was_reached()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var project = await o.Project();
        var volunteers = await o.Volunteers(2, inTeam: team);
        var done = await o.Activity(team, "2026-06-07T14:30:00+08:00", "2026-06-07T16:30:00+08:00", projectId: project);
        var planned = await o.Activity(team, "2026-06-08T14:30:00+08:00", "2026-06-08T16:30:00+08:00", category: "culture");
        var cancelled = await o.Activity(team, "2026-06-09T14:30:00+08:00", "2026-06-09T16:30:00+08:00");
        (await o.Admin.Post($"/activities/{cancelled}/cancel", new { reason = "Rain" })).ShouldBe(200);
        (await o.Admin.Post("/activities", new { title = "Draft", teamId = team, category = "patrol", startsAt = "2026-06-10T14:30:00+08:00", endsAt = "2026-06-10T16:30:00+08:00" }))
            .ShouldBe(201);
        (await o.Admin.Post($"/activities/{done}/complete", new { outcome = new { beneficiaries = 30, method = "counted" } })).ShouldBe(200);
        foreach (var volunteer in volunteers) await o.Record(done, volunteer, "2026-06-07T14:30:00+08:00", "2026-06-07T16:30:00+08:00");
        var voided = await o.Record(planned, volunteers[0], "2026-06-08T14:30:00+08:00", "2026-06-08T16:30:00+08:00");
        (await o.Admin.Post($"/service-records/{voided}/void", new { reason = "Entered twice" })).ShouldBe(200);

        var byCategory = (await o.Admin.Get("/reports/activities?from=2026-06-07&to=2026-06-10&groupBy=category")).ShouldBe(200);
        var byProject = (await o.Admin.Get("/reports/activities?from=2026-06-07&to=2026-06-10&groupBy=project")).ShouldBe(200);

        Assert.Equal(
            """[{"category":"culture","activities":1,"sessions":0,"persons":0,"personTimes":0,"minutes":0,"hours":0.00,"beneficiaries":0},{"category":"patrol","activities":1,"sessions":1,"persons":2,"personTimes":2,"minutes":240,"hours":4.00,"beneficiaries":30}]""",
            byCategory["rows"]!.ToJsonString());
        Assert.Equal("""{"activities":2,"sessions":1,"persons":2,"personTimes":2,"minutes":240,"beneficiaries":30,"hours":4.00}""", byCategory["total"]!.ToJsonString());
        Assert.Equal([project, null], byProject["rows"]!.AsArray().Select(row => (string?)row!["project"]?["id"]));
        Assert.True(byProject["rows"]![1]!.AsObject().ContainsKey("project"));
        Assert.Equal(4, (long)byProject["asOf"]!["position"]!);
    }

    [Fact]
    public async Task Days_are_the_organizations_and_filters_narrow_the_total_too()
    {
        var o = await Given.Organization();
        var (first, second) = (await o.Team(), await o.Team());
        await o.Activity(first, "2026-06-07T00:00:00+08:00", "2026-06-07T02:00:00+08:00");
        await o.Activity(first, "2026-06-07T23:59:00+08:00", "2026-06-08T02:00:00+08:00");
        await o.Activity(second, "2026-06-07T12:00:00+08:00", "2026-06-07T13:00:00+08:00", category: "culture");

        async Task<int> Activities(string query) => (int)(await o.Admin.Get($"/reports/activities?{query}")).ShouldBe(200)["total"]!["activities"]!;

        Assert.Equal(3, await Activities("from=2026-06-07&to=2026-06-07"));
        Assert.Equal(0, await Activities("from=2026-06-06&to=2026-06-06"));
        Assert.Equal(0, await Activities("from=2026-06-08&to=2026-06-08"));
        Assert.Equal(2, await Activities($"from=2026-06-07&to=2026-06-07&team={first}"));
        Assert.Equal(1, await Activities("from=2026-06-07&to=2026-06-07&category=culture&groupBy=team"));
    }

    [Fact]
    public async Task As_of_an_earlier_position_activities_stand_as_they_stood()
    {
        var o = await Given.Organization();
        var (first, second) = (await o.Team(), await o.Team());
        var volunteer = await o.Volunteer(first);
        await o.Member(second, volunteer);
        var activity = await o.Activity(first, "2026-06-07T14:30:00+08:00", "2026-06-07T16:30:00+08:00");
        await o.Record(activity, volunteer, "2026-06-07T14:30:00+08:00", "2026-06-07T15:30:00+08:00");
        const string report = "/reports/activities?from=2026-06-01&to=2026-06-30&groupBy=team";
        var drawn = (await o.Admin.Get(report)).ShouldBe(200);

        await o.Activity(first, "2026-06-08T14:30:00+08:00", "2026-06-08T16:30:00+08:00");
        (await o.Admin.Post($"/activities/{activity}/complete", new { outcome = new { beneficiaries = 30, method = "counted" } })).ShouldBe(200);
        (await o.Admin.Patch($"/activities/{activity}", new { teamId = second, startsAt = "2026-05-31T14:30:00+08:00" })).ShouldBe(200);
        (await o.Admin.Patch($"/teams/{first}", new { name = "Another name" })).ShouldBe(200);
        await o.Record(activity, volunteer, "2026-06-07T15:30:00+08:00", "2026-06-07T16:30:00+08:00");

        Assert.Equal(drawn.Text, (await o.Admin.Get($"{report}&asOf={drawn["asOf"]!["position"]}")).ShouldBe(200).Text);
        Assert.Equal(1, (int)drawn["total"]!["persons"]!);
        var now = (await o.Admin.Get(report)).ShouldBe(200);
        Assert.Equal((1, 0, "Another name"), ((int)now["total"]!["activities"]!, (int)now["total"]!["minutes"]!, (string?)now["rows"]![0]!["team"]!["name"]));
        (await o.Admin.Get($"{report}&asOf=soon")).ShouldRefuse(400, "invalid_request");
    }
}
