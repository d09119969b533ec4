using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Projects;

public sealed class ProjectTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task A_project_is_proposed_adopted_and_retired()
    {
        var o = await Given.Organization();
        var made = (await o.Admin.Post("/projects", new
        {
            title = "爱心送考", category = "exam", summary = "免费接送考生", defaults = new { minutes = 150, capacity = 47, posts = new[] { "司机", "联络" } },
        })).ShouldBe(201);

        Assert.Equal("proposed", (string?)made["status"]);
        Assert.Equal(made.Text, (await o.Admin.Get($"/projects/{made.Id}")).Text);
        Assert.Equal("adopted", (string?)(await o.Admin.Patch($"/projects/{made.Id}", new { status = "adopted" })).ShouldBe(200)["status"]);
        var retired = (await o.Admin.Patch($"/projects/{made.Id}", new { status = "retired", defaults = new { minutes = (int?)null } })).ShouldBe(200);
        Assert.Equal((null, 47, "司机"), ((int?)retired["defaults"]!["minutes"], (int)retired["defaults"]!["capacity"]!, (string?)retired["defaults"]!["posts"]![0]));
        (await o.Admin.Send(HttpMethod.Patch, $"/projects/{made.Id}", new { status = "adopted" })).ShouldRefuse(428, "if_match_required");
        (await o.Admin.Patch($"/projects/{made.Id}", new { status = "adopted" }, "\"1\"")).ShouldRefuse(412, "stale_version");
    }

    [Fact]
    public async Task The_library_is_narrowed_by_category_and_status()
    {
        var o = await Given.Organization();
        var exam = await o.Project("exam");
        var patrol = await o.Project("patrol");
        (await o.Admin.Patch($"/projects/{patrol}", new { status = "retired" })).ShouldBe(200);

        Assert.Equal([exam, patrol], await Ids(""));
        Assert.Equal([exam], await Ids("?category=exam"));
        Assert.Equal([patrol], await Ids("?status=retired"));
        Assert.Equal([], await Ids("?category=exam&status=retired"));

        async Task<List<string>> Ids(string query) => [.. (await o.Admin.Get("/projects" + query)).ShouldBe(200).Items.Select(project => (string)project!["id"]!)];
    }

    [Theory]
    [InlineData("""{ "category": "a" }""")]
    [InlineData("""{ "title": "", "category": "a" }""")]
    [InlineData("""{ "title": "a", "category": null }""")]
    [InlineData("""{ "title": "a", "category": "a", "status": 1 }""")]
    [InlineData("""{ "title": "a", "category": "a", "defaults": { "minutes": 0 } }""")]
    [InlineData("""{ "title": "a", "category": "a", "defaults": { "minutes": 1441 } }""")]
    [InlineData("""{ "title": "a", "category": "a", "defaults": { "capacity": 0 } }""")]
    [InlineData("""{ "title": "a", "category": "a", "defaults": { "posts": [""] } }""")]
    [InlineData("""{ "title": "a", "category": "a", "defaults": { "posts": [null] } }""")]
    [InlineData("""{ "title": "a\nb", "category": "a" }""")]
    public async Task What_is_no_project_is_refused(string body)
    {
        var o = await Given.Organization();
        var answer = await o.Admin.Post("/projects", new StringContent(body, System.Text.Encoding.UTF8, "application/json"));

        answer.ShouldBe(400);
        Assert.NotNull(answer.Code);
        Assert.NotNull(answer["errors"]);
    }

    [Fact]
    public async Task Everybody_of_the_organization_reads_the_library_and_coordinators_write_it()
    {
        var o = await Given.Organization();
        var project = await o.Project();
        var coordinator = await o.SignedInWithRole("coordinator", await o.Team());
        var volunteer = await o.SignedInAs(await o.Volunteer());

        (await volunteer.Get($"/projects/{project}")).ShouldBe(200);
        (await volunteer.Post("/projects", new { title = "a", category = "a" })).ShouldRefuse(403, "forbidden");
        var proposed = (await coordinator.Post("/projects", new { title = "a", category = "a" })).ShouldBe(201);
        // The library is every team's: who coordinates one team proposes, and leaves what there is alone.
        (await coordinator.Post("/projects", new { title = "b", category = "a", status = "adopted" })).ShouldRefuse(403, "only_proposals");
        (await coordinator.Patch($"/projects/{proposed.Id}", new { status = "adopted" })).ShouldRefuse(403, "forbidden");
        (await coordinator.Patch($"/projects/{project}", new { title = "Ours" })).ShouldRefuse(403, "forbidden");
        Assert.Equal("adopted", (string?)(await (await o.SignedInWithRole("coordinator")).Patch($"/projects/{proposed.Id}", new { status = "adopted" })).ShouldBe(200)["status"]);
    }
}
