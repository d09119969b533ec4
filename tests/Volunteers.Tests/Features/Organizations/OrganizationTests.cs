using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Organizations;

public sealed class OrganizationTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task An_organization_starts_with_the_rules_of_the_field()
    {
        var api = await Given.Operator();
        var made = (await api.Post("/v1/organizations", new { name = "下沙社区", timeZone = "Asia/Shanghai" })).ShouldBe(201);

        Assert.Equal(made.Text, (await api.Get($"/v1/organizations/{made.Id}")).Text);
        Assert.Equal($"/v1/organizations/{made.Id}", made.Header("Location"));
        Assert.Equal(
            ("zh-CN", 720, 15, "coordinator"),
            ((string?)made["locale"], (int)made["settings"]!["dailyLimitMinutes"]!, (int)made["settings"]!["graceMinutes"]!,
                (string?)made["settings"]!["attendanceConfirmedBy"]));
        Assert.Contains((await api.Get("/v1/organizations")).Items, organization => (string?)organization!["id"] == made.Id);
    }

    [Theory]
    [InlineData("""{ "dailyLimitMinutes": 59 }""")]
    [InlineData("""{ "dailyLimitMinutes": 1441 }""")]
    [InlineData("""{ "graceMinutes": -1 }""")]
    [InlineData("""{ "graceMinutes": 121 }""")]
    [InlineData("""{ "attendanceConfirmedBy": "nobody" }""")]
    [InlineData("""{ "attendanceConfirmedBy": 1 }""")]
    [InlineData("""{ "unknown": 1 }""")]
    public async Task Settings_out_of_bounds_are_refused(string settings)
    {
        var o = await Given.Organization();
        var body = new StringContent($$"""{ "settings": {{settings}} }""", System.Text.Encoding.UTF8, "application/json");

        var answer = await o.Admin.Send(HttpMethod.Patch, "", body, ("If-Match", "\"1\""));

        answer.ShouldBe(400);
        Assert.Contains("/settings", answer["errors"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(1, (int)(await o.Admin.Get(""))["version"]!);
    }

    [Theory]
    [InlineData("China Standard Time")]
    [InlineData("UTC+8")]
    [InlineData("Asia/Shixia")]
    [InlineData("../etc/passwd")]
    [InlineData("")]
    public async Task A_time_zone_is_an_IANA_name(string timeZone)
    {
        var api = await Given.Operator();
        var answer = (await api.Post("/v1/organizations", new { name = "下沙社区", timeZone })).ShouldRefuse(400, "invalid_request");
        Assert.NotNull(answer["errors"]!["/timeZone"]);
        var o = await Given.Organization();
        (await o.Admin.Patch("", new { timeZone })).ShouldRefuse(400, "invalid_request");
    }

    [Fact]
    public async Task Only_the_operator_creates_and_only_an_administrator_changes()
    {
        var o = await Given.Organization();
        foreach (var role in new[] { "administrator", "coordinator", "auditor" })
        {
            var api = await o.SignedInWithRole(role);
            var http = new Api(api.Http, "");
            (await http.Post("/v1/organizations", new { name = "下沙社区", timeZone = "Asia/Shanghai" })).ShouldRefuse(403, "forbidden");
            var changed = await api.Patch("", new { name = Given.Unique("Renamed") });
            if (role == "administrator") changed.ShouldBe(200);
            else changed.ShouldRefuse(403, "forbidden");
        }
    }

    [Fact]
    public async Task The_first_administrator_may_be_somebody_else_and_must_exist()
    {
        var o = await Given.Organization();
        var (login, accountId) = await o.Account(await o.Volunteer());
        var api = await Given.Operator();

        var made = (await api.Post("/v1/organizations", new { name = "益田社区", timeZone = "Asia/Shanghai", administratorAccountId = accountId })).ShouldBe(201);

        (await api.Get($"/v1/organizations/{made.Id}")).ShouldRefuse(404, "not_found");
        var administrator = (await Host.SignIn(login, Given.Password)).At($"/v1/organizations/{made.Id}");
        (await administrator.Patch("", new { name = "益田社区志愿者" })).ShouldBe(200);
        (await api.Post("/v1/organizations", new { name = "a", timeZone = "Asia/Shanghai", administratorAccountId = Guid.NewGuid() })).ShouldRefuse(404, "account_not_found");
        (await api.Post("/v1/organizations", new { name = "a", timeZone = "Asia/Shanghai", supervisingOrganizationId = Guid.NewGuid() }))
            .ShouldRefuse(404, "supervising_organization_not_found");
        (await administrator.Patch("", new { supervisingOrganizationId = made.Id })).ShouldRefuse(409, "supervises_itself");
        // Nobody takes a name for their certificates that is not theirs to give.
        (await administrator.Patch("", new { supervisingOrganizationId = o.Id })).ShouldRefuse(404, "supervising_organization_not_found");
        (await o.Admin.Put($"/roles/{accountId}", new { roles = new[] { new { role = "administrator" } } })).ShouldBe(200);
        (await administrator.Patch("", new { supervisingOrganizationId = o.Id })).ShouldBe(200);
        (await o.Admin.Delete($"/roles/{accountId}")).ShouldBe(204);
        (await administrator.Patch("", new { name = "益田社区" })).ShouldBe(200);
    }

    [Fact]
    public async Task Another_organizations_ids_are_not_found()
    {
        var (o, other) = (await Given.Organization(), await Given.AnotherOrganization());
        var team = await other.Team();
        var volunteer = await other.Volunteer(inTeam: team);
        var project = await other.Project();
        var activity = await other.Activity(team);
        var (ownTeam, ownVolunteer) = (await o.Team(), await o.Volunteer());
        const string startsAt = "2026-06-07T14:30:00+08:00", endsAt = "2026-06-07T18:30:00+08:00";

        foreach (var path in new[] { $"/teams/{team}", $"/teams/{team}/members", $"/volunteers/{volunteer}", $"/projects/{project}", $"/activities/{activity}" })
            (await o.Admin.Get(path)).ShouldRefuse(404, "not_found");
        foreach (var path in new[] { $"/teams/{team}", $"/volunteers/{volunteer}", $"/projects/{project}", $"/activities/{activity}" })
            (await o.Admin.Patch(path, new { description = "x" }, "\"1\"")).ShouldRefuse(404, "not_found");
        foreach (var verb in new[] { "publish", "cancel", "complete" })
            (await o.Admin.Post($"/activities/{activity}/{verb}", verb == "publish" ? null : verb == "cancel" ? new { reason = "x" } : new { })).ShouldRefuse(404, "not_found");
        (await o.Admin.Post($"/volunteers/{volunteer}/invitation")).ShouldRefuse(404, "not_found");
        (await o.Admin.Delete($"/teams/{team}")).ShouldRefuse(404, "not_found");
        (await o.Admin.Put($"/teams/{ownTeam}/members/{volunteer}", new { role = "member" })).ShouldRefuse(404, "not_found");
        (await o.Admin.Put($"/teams/{team}/members/{ownVolunteer}", new { role = "member" })).ShouldRefuse(404, "not_found");
        (await o.Admin.Post("/teams", new { name = "Part", parentTeamId = team })).ShouldRefuse(404, "parent_team_not_found");
        (await o.Admin.Post("/activities", new { title = "a", category = "a", teamId = team, startsAt, endsAt })).ShouldRefuse(404, "team_not_found");
        (await o.Admin.Post("/activities", new { title = "a", category = "a", teamId = ownTeam, projectId = project, startsAt, endsAt })).ShouldRefuse(404, "project_not_found");
        (await o.Admin.Post("/activities", new { title = "a", category = "a", teamId = ownTeam, responsibleVolunteerId = volunteer, startsAt, endsAt }))
            .ShouldRefuse(404, "responsible_volunteer_not_found");
        (await o.Admin.Post("/service-records", new { volunteerId = ownVolunteer, activityId = activity, startsAt, endsAt })).ShouldRefuse(404, "activity_not_found");
        Assert.Empty((await o.Admin.Get($"/volunteers?team={team}")).Items);

        var stranger = (await other.SignedInWithRole("administrator")).Http;
        foreach (var path in new[] { "", "/teams", "/volunteers", "/projects", "/activities", "/roles", "/ledger", "/service-records" })
            (await new Api(stranger, o.Path).Get(path)).ShouldRefuse(404, "not_found");
    }
}
