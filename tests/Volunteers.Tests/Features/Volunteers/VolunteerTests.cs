using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Volunteers;

public sealed class VolunteerTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task A_volunteer_is_shown_as_they_were_entered()
    {
        var o = await Given.Organization();
        var made = (await o.Admin.Post("/volunteers", new
        {
            number = "A-1", name = "张三", phone = "+86 138 0013 8000", hometown = "湖北", gender = "male", birthDate = "1980-01-02", residence = "下沙村",
            skills = new[] { new { name = "急救", expiresOn = "2027-01-01" } }, joinedOn = "2020-03-04", status = "paused",
            consent = new { version = "v1", at = "2020-03-04T08:00:00+08:00" },
        })).ShouldBe(201);

        var shown = await o.Admin.Get($"/volunteers/{made.Id}");

        Assert.Equal(made.Text, shown.Text);
        Assert.Equal($"{o.Path}/volunteers/{made.Id}", made.Header("Location"));
        Assert.Equal(("\"1\"", "\"1\""), (made.Header("ETag"), shown.Header("ETag")));
        Assert.Equal(("张三", "paused", "2027-01-01"), ((string?)shown["name"], (string?)shown["status"], (string?)shown["skills"]![0]!["expiresOn"]));
        Assert.Equal(304, (await o.Admin.Get($"/volunteers/{made.Id}", ("If-None-Match", "\"1\""))).Status);
        Assert.Equal(200, (await o.Admin.Get($"/volunteers/{made.Id}", ("If-None-Match", "\"2\""))).Status);
    }

    [Fact]
    public async Task Twenty_who_are_entered_at_once_without_a_number_get_twenty()
    {
        var o = await Given.Organization();
        (await o.Admin.Post("/volunteers", new { name = "在先", number = "000005" })).ShouldBe(201);

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => o.Admin.Post("/volunteers", new { name = $"志愿者 {i}" })));

        Assert.All(answers, answer => answer.ShouldBe(201));
        var numbers = answers.Select(answer => (string)answer["number"]!).ToHashSet();
        Assert.Equal(20, numbers.Count);
        Assert.DoesNotContain("000005", numbers);
    }

    [Fact]
    public async Task A_number_belongs_to_one_volunteer_also_when_two_ask_at_once()
    {
        var o = await Given.Organization();

        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(i => o.Admin.Post("/volunteers", new { name = $"志愿者 {i}", number = "A-1" })));

        var made = Assert.Single(answers, answer => answer.Status == 201);
        Assert.All(answers.Where(answer => answer != made), answer => answer.ShouldRefuse(409, "volunteer_number_taken"));
        var other = await o.Volunteer();
        (await o.Admin.Patch($"/volunteers/{other}", new { number = "A-1" })).ShouldRefuse(409, "volunteer_number_taken");
        (await (await Given.AnotherOrganization()).Admin.Post("/volunteers", new { name = "张三", number = "A-1" })).ShouldBe(201);
    }

    [Theory]
    [InlineData("q=三", "张三")]
    [InlineData("q=B-", "李四")]
    [InlineData("q=-1", "")]
    [InlineData("q=%25", "")]
    [InlineData("hometown=湖北", "张三,王五")]
    [InlineData("hometown=湖", "")]
    [InlineData("status=paused", "李四")]
    [InlineData("skill=急救", "张三")]
    [InlineData("skill=急", "")]
    [InlineData("team={team}", "张三")]
    [InlineData("hometown=湖北&status=active&q=王", "王五")]
    public async Task The_list_is_narrowed_by(string filter, string names)
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var first = await o.Admin.Post("/volunteers", new { name = "张三", number = "A-1", hometown = "湖北", skills = new[] { new { name = "急救" } } });
        var second = await o.Admin.Post("/volunteers", new { name = "李四", number = "B-1", hometown = "湖南", status = "paused" });
        await o.Admin.Post("/volunteers", new { name = "王五", number = "C-1", hometown = "湖北" });
        await o.Member(team, first.ShouldBe(201).Id);
        await o.Member(team, second.ShouldBe(201).Id);
        (await o.Admin.Delete($"/teams/{team}/members/{second.Id}")).ShouldBe(204);

        var list = (await o.Admin.Get("/volunteers?" + filter.Replace("{team}", team, StringComparison.Ordinal))).ShouldBe(200);

        Assert.Equal(names.Split(',', StringSplitOptions.RemoveEmptyEntries), list.Items.Select(person => (string?)person!["name"]));
    }

    [Fact]
    public async Task Paging_shows_each_once_in_one_order_while_others_come()
    {
        var o = await Given.Organization();
        var all = await o.Volunteers(7);

        var seen = new List<string>();
        var path = $"{o.Path}/volunteers?limit=3&status=active";
        var pages = 0;
        while (path is not null)
        {
            var page = (await new Api(o.Admin.Http, "").Get(path)).ShouldBe(200);
            seen.AddRange(page.Items.Select(person => (string)person!["id"]!));
            if (pages++ == 0) await o.Volunteer();
            Assert.Equal(page["next"] is null, page.Header("Link") is null);
            path = page.Header("Link") is { } link ? new Uri(link[1..link.IndexOf('>', StringComparison.Ordinal)]).PathAndQuery : null;
        }

        Assert.Equal((3, 8), (pages, seen.Count));
        Assert.Equal(all, seen.Take(7));
        Assert.Equal(8, seen.Distinct().Count());
        (await o.Admin.Get("/volunteers?limit=201")).ShouldRefuse(400, "invalid_request");
        (await o.Admin.Get("/volunteers?cursor=abc")).ShouldRefuse(400, "invalid_cursor");
        (await o.Admin.Get("/volunteers?status=1")).ShouldRefuse(400, "malformed_parameter");
        (await o.Admin.Get("/volunteers?colour=red")).ShouldRefuse(400, "unknown_parameter");
    }

    [Fact]
    public async Task A_merge_patch_changes_what_it_names_and_null_removes()
    {
        var o = await Given.Organization();
        var id = (await o.Admin.Post("/volunteers", new { name = "张三", phone = "13800138000", hometown = "湖北", joinedOn = "2020-01-02" })).ShouldBe(201).Id;

        var changed = (await o.Admin.Patch($"/volunteers/{id}", new { phone = (string?)null, residence = "下沙村" })).ShouldBe(200);

        Assert.Equal("\"2\"", changed.Header("ETag"));
        Assert.Equal(
            (null, "下沙村", "湖北", "2020-01-02"),
            ((string?)changed["phone"], (string?)changed["residence"], (string?)changed["hometown"], (string?)changed["joinedOn"]));
        Assert.Equal(changed.Text, (await o.Admin.Get($"/volunteers/{id}")).Text);
        (await o.Admin.Patch($"/volunteers/{id}", new { name = (string?)null })).ShouldBe(400);
        (await o.Admin.Patch($"/volunteers/{id}", new { colour = "red" })).ShouldRefuse(400, "malformed_json");
        (await o.Admin.Patch($"/volunteers/{id}", new { phone = "call me" })).ShouldRefuse(400, "invalid_request");
        (await o.Admin.Patch($"/volunteers/{id}", new { phone = "13800138000\n" })).ShouldRefuse(400, "invalid_request");
    }

    [Fact]
    public async Task A_patch_needs_the_version_it_was_made_against()
    {
        var o = await Given.Organization();
        var id = await o.Volunteer();

        (await o.Admin.Send(HttpMethod.Patch, $"/volunteers/{id}", new { hometown = "湖北" })).ShouldRefuse(428, "if_match_required");
        (await o.Admin.Patch($"/volunteers/{id}", new { hometown = "湖北" }, "\"7\"")).ShouldRefuse(412, "stale_version");
        (await o.Admin.Patch($"/volunteers/{id}", new { hometown = "湖北" }, "W/\"1\"")).ShouldRefuse(412, "stale_version");
        (await o.Admin.Patch($"/volunteers/{Guid.NewGuid()}", new { hometown = "湖北" }, "\"1\"")).ShouldRefuse(404, "not_found");

        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(i => o.Admin.Patch($"/volunteers/{id}", new { hometown = $"湖北 {i}" }, "\"1\"")));
        Assert.Single(answers, answer => answer.Status == 200);
        Assert.Equal(4, answers.Count(answer => answer is { Status: 412, Code: "stale_version" }));
    }

    [Fact]
    public async Task A_volunteer_sees_only_themselves_and_a_team_coordinator_their_teams_people()
    {
        var o = await Given.Organization();
        var (team, otherTeam) = (await o.Team(), await o.Team());
        var (mine, mate, stranger) = (await o.Volunteer(inTeam: team), await o.Volunteer(inTeam: team), await o.Volunteer(inTeam: otherTeam));

        var volunteer = await o.SignedInAs(mine);
        Assert.Equal(mine, (string?)Assert.Single((await volunteer.Get("/volunteers")).Items)!["id"]);
        (await volunteer.Get($"/volunteers/{mate}")).ShouldRefuse(404, "not_found");
        (await volunteer.Patch($"/volunteers/{mine}", new { name = "Somebody else" })).ShouldRefuse(403, "forbidden");

        var coordinator = await o.SignedInWithRole("coordinator", team);
        Assert.Equal(new[] { mine, mate }, (await coordinator.Get("/volunteers")).Items.Select(person => (string?)person!["id"]));
        (await coordinator.Get($"/volunteers/{stranger}")).ShouldRefuse(404, "not_found");
        (await coordinator.Patch($"/volunteers/{stranger}", new { hometown = "湖北" }, "\"1\"")).ShouldRefuse(404, "not_found");
        (await coordinator.Patch($"/volunteers/{mate}", new { hometown = "湖北" })).ShouldBe(200);
        (await coordinator.Post("/volunteers", new { name = "张三" })).ShouldRefuse(403, "forbidden");
    }
}
