using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Activities;

public sealed class ActivityTests(TestDatabases databases) : ApiTest(databases)
{
    private const string StartsAt = "2026-06-07T14:30:00+08:00";
    private const string EndsAt = "2026-06-07T18:30:00+08:00";

    [Fact]
    public async Task What_is_not_given_comes_from_the_project()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var project = (await o.Admin.Post("/projects", new { title = "爱心送考", category = "exam", defaults = new { minutes = 150 } })).ShouldBe(201).Id;

        var made = (await o.Admin.Post("/activities", new { teamId = team, projectId = project, startsAt = "2026-06-07T06:30:00+08:00" })).ShouldBe(201);
        var given = (await o.Admin.Post("/activities", new { teamId = team, projectId = project, title = "中考送考", category = "school", startsAt = StartsAt, endsAt = EndsAt })).ShouldBe(201);

        Assert.Equal(made.Text, (await o.Admin.Get($"/activities/{made.Id}")).Text);
        Assert.Equal(("爱心送考", "exam", "draft"), ((string?)made["title"], (string?)made["category"], (string?)made["status"]));
        Assert.Equal(DateTimeOffset.Parse("2026-06-07T09:00:00+08:00", null), (DateTimeOffset)made["endsAt"]!);
        Assert.Equal(("中考送考", "school"), ((string?)given["title"], (string?)given["category"]));
        (await o.Admin.Post("/activities", new { teamId = team, startsAt = StartsAt, endsAt = EndsAt, category = "a" })).ShouldRefuse(400, "title_needed");
        (await o.Admin.Post("/activities", new { teamId = team, startsAt = StartsAt, endsAt = EndsAt, title = "a" })).ShouldRefuse(400, "category_needed");
        (await o.Admin.Post("/activities", new { teamId = team, startsAt = StartsAt, category = "a", title = "a" })).ShouldRefuse(400, "end_needed");
    }

    [Theory]
    [InlineData("2026-06-07T14:30:00+08:00", "2026-06-07T14:30:00+08:00", null)]
    [InlineData("2026-06-07T14:30:00+08:00", "2026-06-07T06:00:00Z", null)]
    [InlineData("2026-06-07T14:30:00+08:00", "2026-07-08T14:30:01+08:00", null)]
    [InlineData("2026-06-07T14:30:00", "2026-06-07T18:30:00+08:00", null)]
    [InlineData("2199-12-31T23:00:00+08:00", "2200-01-01T18:30:00+08:00", null)]
    [InlineData(StartsAt, EndsAt, """{ "name": "" }""")]
    [InlineData(StartsAt, EndsAt, """{ "name": "a", "latitude": 91, "longitude": 0 }""")]
    [InlineData(StartsAt, EndsAt, """{ "name": "a", "latitude": 22.5 }""")]
    [InlineData(StartsAt, EndsAt, """{ "name": "a", "radiusMeters": 9 }""")]
    public async Task A_plan_that_cannot_take_place_is_refused(string startsAt, string endsAt, string? location)
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var body = $$"""{ "title": "a", "category": "a", "teamId": "{{team}}", "startsAt": "{{startsAt}}", "endsAt": "{{endsAt}}", "location": {{location ?? "null"}} }""";

        var answer = await o.Admin.Post("/activities", new StringContent(body, System.Text.Encoding.UTF8, "application/json"));

        answer.ShouldBe(400);
        Assert.NotNull(answer.Code);
    }

    [Fact]
    public async Task It_is_published_and_completed_with_its_outcome()
    {
        var o = await Given.Organization();
        var id = await o.Activity(await o.Team());
        Assert.Equal("published", (string?)(await o.Admin.Get($"/activities/{id}"))["status"]);

        var done = (await o.Admin.Post($"/activities/{id}/complete", new { outcome = new { beneficiaries = 120, method = "estimated", note = "约" } })).ShouldBe(200);
        Assert.Equal(("completed", 120, "estimated"), ((string?)done["status"], (int)done["outcome"]!["beneficiaries"]!, (string?)done["outcome"]!["method"]));
        var corrected = (await o.Admin.Post($"/activities/{id}/complete", new { outcome = new { beneficiaries = 118, method = "counted" } })).ShouldBe(200);
        Assert.Equal(118, (int)corrected["outcome"]!["beneficiaries"]!);
        Assert.Equal(corrected.Text, (await o.Admin.Get($"/activities/{id}")).Text);
        (await o.Admin.Post($"/activities/{id}/publish")).ShouldRefuse(409, "activity_completed");
        (await o.Admin.Post($"/activities/{id}/cancel", new { reason = "rain" })).ShouldRefuse(409, "activity_completed");
        (await o.Admin.Post($"/activities/{id}/complete", new { outcome = new { beneficiaries = -1, method = "counted" } })).ShouldRefuse(400, "invalid_request");
    }

    [Fact]
    public async Task What_has_not_begun_is_not_completed()
    {
        var o = await Given.Organization();
        var start = Clock.GetUtcNow().AddDays(2);
        var id = await o.Activity(await o.Team(), start.ToString("O"), start.AddHours(1).ToString("O"));

        (await o.Admin.Post($"/activities/{id}/complete", new { })).ShouldRefuse(409, "in_the_future");
        Clock.Advance(TimeSpan.FromDays(2));
        var api = (await Host.SignInAsOperator()).At(o.Path);
        (await api.Post($"/activities/{id}/complete", new { })).ShouldBe(200);
    }

    [Fact]
    public async Task What_was_called_off_stays_called_off()
    {
        var o = await Given.Organization();
        var id = await o.Activity(await o.Team());

        (await o.Admin.Post($"/activities/{id}/cancel", new { reason = "" })).ShouldRefuse(400, "invalid_request");
        var cancelled = (await o.Admin.Post($"/activities/{id}/cancel", new { reason = "台风" })).ShouldBe(200);

        Assert.Equal(("cancelled", "台风"), ((string?)cancelled["status"], (string?)cancelled["cancelReason"]));
        (await o.Admin.Post($"/activities/{id}/cancel", new { reason = "again" })).ShouldRefuse(409, "activity_cancelled");
        (await o.Admin.Post($"/activities/{id}/publish")).ShouldRefuse(409, "activity_cancelled");
        (await o.Admin.Post($"/activities/{id}/complete", new { })).ShouldRefuse(409, "activity_cancelled");
        (await o.Admin.Patch($"/activities/{id}", new { title = "a" })).ShouldRefuse(409, "activity_cancelled");
    }

    [Fact]
    public async Task It_cannot_be_called_off_while_hours_stand_on_it()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var (id, volunteer) = (await o.Activity(team), await o.Volunteer(inTeam: team));
        var record = await o.Record(id, volunteer, StartsAt, EndsAt);

        (await o.Admin.Post($"/activities/{id}/cancel", new { reason = "rain" })).ShouldRefuse(409, "activity_has_service");

        (await o.Admin.Post($"/service-records/{record}/void", new { reason = "wrong day" })).ShouldBe(200);
        (await o.Admin.Post($"/activities/{id}/cancel", new { reason = "rain" })).ShouldBe(200);
    }

    [Fact]
    public async Task Hours_never_stand_on_an_activity_called_off_at_the_same_moment()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var volunteers = await o.Volunteers(6, inTeam: team);
        for (var round = 0; round < 6; round++)
        {
            var (startsAt, endsAt) = ($"2026-06-{10 + round}T08:00:00+08:00", $"2026-06-{10 + round}T10:00:00+08:00");
            var id = await o.Activity(team, startsAt, endsAt);

            var cancel = o.Admin.Post($"/activities/{id}/cancel", new { reason = "rain" });
            var records = await Task.WhenAll(volunteers.Select(v => o.Admin.Post("/service-records", new { activityId = id, volunteerId = v, startsAt, endsAt })));

            var recorded = records.Count(answer => answer.Status == 201);
            Assert.All(records.Where(answer => answer.Status != 201), answer => answer.ShouldRefuse(409, "activity_cancelled"));
            if (recorded > 0) (await cancel).ShouldRefuse(409, "activity_has_service");
            else (await cancel).ShouldBe(200);
        }
    }

    [Fact]
    public async Task Changing_the_plan_leaves_recorded_service_where_it_was()
    {
        var o = await Given.Organization();
        var (team, other) = (await o.Team(), await o.Team());
        var (id, volunteer) = (await o.Activity(team), await o.Volunteer(inTeam: team));
        var record = await o.Record(id, volunteer, StartsAt, EndsAt);

        (await o.Admin.Patch($"/activities/{id}", new { teamId = other, category = "other", location = new { name = "下沙广场" } })).ShouldBe(200);

        Assert.Equal(team, (string?)(await o.Admin.Get($"/service-records/{record}"))["teamId"]);
        (await o.Admin.Patch($"/activities/{id}", new { endsAt = (string?)null })).ShouldRefuse(400, "end_needed");
        (await o.Admin.Patch($"/activities/{id}", new { title = "a" }, "\"1\"")).ShouldRefuse(412, "stale_version");
    }
}
