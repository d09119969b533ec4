using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Platform;

public sealed class ETagTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task A_resource_read_again_unchanged_is_304()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var tag = (await o.Admin.Get($"/teams/{team}")).Header("ETag")!;

        Assert.Matches("^\"[0-9]+\"$", tag);
        foreach (var known in new[] { tag, $"\"0\", {tag}", "*", "W/" + tag })
        {
            var again = (await o.Admin.Get($"/teams/{team}", ("If-None-Match", known))).ShouldBe(304);
            Assert.Equal((tag, ""), (again.Header("ETag"), again.Text));
        }
        (await o.Admin.Get($"/teams/{team}", ("If-None-Match", "\"0\""))).ShouldBe(200);
        (await o.Admin.Get($"/teams/{team}", ("If-None-Match", "garbage"))).ShouldBe(200);
    }

    [Theory]
    [InlineData("\"0\"", 412)]
    [InlineData("W/\"1\"", 412)]
    [InlineData("\"01\"", 412)]
    [InlineData("\"1\"", 200)]
    [InlineData("\"0\", \"1\"", 200)]
    [InlineData("*", 200)]
    [InlineData("1", 428)]
    [InlineData("\"1", 428)]
    [InlineData("\"", 428)]
    [InlineData("garbage", 428)]
    public async Task A_change_needs_the_version_it_was_made_for(string ifMatch, int status)
    {
        var o = await Given.Organization();
        var team = await o.Team();

        var answer = await o.Admin.Patch($"/teams/{team}", new { description = "Changed" }, ifMatch);

        answer.ShouldBe(status).ShouldBeCivil(ifMatch);
        Assert.Equal(status == 200 ? "\"2\"" : "\"1\"", (await o.Admin.Get($"/teams/{team}")).Header("ETag"));
    }

    [Fact]
    public async Task Of_many_changes_to_one_version_one_is_made()
    {
        var o = await Given.Organization();
        var project = await o.Project();

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => o.Admin.Patch($"/projects/{project}", new { summary = $"Summary {i}" }, "\"1\"")));

        Assert.Single(answers, answer => answer.Status == 200);
        Assert.All(answers.Where(answer => answer.Status != 200), answer => answer.ShouldRefuse(412, "stale_version"));
        Assert.Equal("\"2\"", (await o.Admin.Get($"/projects/{project}")).Header("ETag"));
    }

    [Fact]
    public async Task A_merge_patch_replaces_removes_and_leaves()
    {
        var o = await Given.Organization();
        var project = (await o.Admin.Post("/projects", new { title = "Patrol", category = "patrol", summary = "Every Friday", defaults = new { minutes = 90, capacity = 12, posts = new[] { "East", "West" } } }))
            .ShouldBe(201).Id;

        var patched = (await o.Admin.Patch($"/projects/{project}", new { summary = (string?)null, defaults = new { capacity = (int?)null, posts = new[] { "North" } } })).ShouldBe(200);

        Assert.Null(patched["summary"]);
        Assert.Equal("Patrol", (string?)patched["title"]);
        Assert.Equal(90, (int)patched["defaults"]!["minutes"]!);
        Assert.Null(patched["defaults"]!["capacity"]);
        Assert.Equal("North", (string?)Assert.Single(patched["defaults"]!["posts"]!.AsArray()));
        Assert.Equal(patched.Text, (await o.Admin.Get($"/projects/{project}")).Text);
        (await o.Admin.Patch($"/projects/{project}", new { title = (string?)null })).ShouldRefuse(400, "invalid_request");
    }

    [Fact]
    public async Task A_patch_that_changes_nothing_keeps_the_version()
    {
        var o = await Given.Organization();
        var team = await o.Team();

        (await o.Admin.Patch($"/teams/{team}", new { })).ShouldBe(200);

        Assert.Equal("\"1\"", (await o.Admin.Get($"/teams/{team}")).Header("ETag"));
    }
}
