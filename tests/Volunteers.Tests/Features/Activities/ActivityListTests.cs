using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Activities;

public sealed class ActivityListTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task Activities_are_listed_in_the_order_in_which_they_start()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var starts = new[] { 9, 3, 7, 3, 5, 3 };
        var ids = new List<(int Day, string Id)>();
        foreach (var day in starts)
            ids.Add((day, await o.Activity(team, $"2026-06-0{day}T08:00:00+08:00", $"2026-06-0{day}T10:00:00+08:00")));

        var seen = new List<string>();
        string? cursor = null;
        do
        {
            var page = (await o.Admin.Get("/activities?limit=2" + (cursor is null ? "" : $"&cursor={cursor}"))).ShouldBe(200);
            seen.AddRange(page.Items.Select(activity => (string)activity!["id"]!));
            cursor = (string?)page["next"];
        }
        while (cursor is not null);

        Assert.Equal(ids.OrderBy(activity => activity.Day).ThenBy(activity => activity.Id, StringComparer.Ordinal).Select(activity => activity.Id), seen);
    }

    [Theory]
    [InlineData("Asia/Shanghai", "+08:00")]
    [InlineData("America/New_York", "-04:00")]
    public async Task An_activity_belongs_whole_to_the_local_day_on_which_it_starts(string timeZone, string offset)
    {
        var o = await Given.AnotherOrganization(timeZone);
        var team = await o.Team();
        var before = await o.Activity(team, $"2026-06-06T23:59:59{offset}", $"2026-06-07T06:00:00{offset}");
        var first = await o.Activity(team, $"2026-06-07T00:00:00{offset}", $"2026-06-07T01:00:00{offset}");
        var overnight = await o.Activity(team, $"2026-06-08T23:59:59{offset}", $"2026-06-09T06:00:00{offset}");
        var after = await o.Activity(team, $"2026-06-09T00:00:00{offset}", $"2026-06-09T01:00:00{offset}");

        Assert.Equal([first, overnight], await Ids("?from=2026-06-07&to=2026-06-08"));
        Assert.Equal([before, first], await Ids("?to=2026-06-07"));
        Assert.Equal([after], await Ids("?from=2026-06-09"));
        Assert.Equal([], await Ids("?from=2026-06-10&to=2026-06-01"));
        (await o.Admin.Get("/activities?from=07.06.2026")).ShouldRefuse(400, "malformed_parameter");
        (await o.Admin.Get("/activities?from=1900-01-01&to=2199-12-31")).ShouldBe(200);

        async Task<List<string>> Ids(string query) => [.. (await o.Admin.Get("/activities" + query)).ShouldBe(200).Items.Select(activity => (string)activity!["id"]!)];
    }

    [Fact]
    public async Task The_list_is_narrowed_by_team_category_and_status()
    {
        var o = await Given.Organization();
        var (team, other) = (await o.Team(), await o.Team());
        var patrol = await o.Activity(team, category: "patrol");
        var exam = await o.Activity(team, category: "exam");
        var others = await o.Activity(other, category: "exam");
        (await o.Admin.Post($"/activities/{exam}/complete", new { })).ShouldBe(200);

        Assert.Equal([patrol, exam], await Ids($"?team={team}"));
        Assert.Equal([exam, others], await Ids("?category=exam"));
        Assert.Equal([exam], await Ids("?status=completed"));
        Assert.Equal([others], await Ids("?category=exam&status=published"));

        async Task<List<string>> Ids(string query) => [.. (await o.Admin.Get("/activities" + query)).ShouldBe(200).Items.Select(activity => (string)activity!["id"]!)];
    }

    [Fact]
    public async Task Drafts_are_seen_by_those_who_plan_them()
    {
        var o = await Given.Organization();
        var (team, other) = (await o.Team(), await o.Team());
        var (published, othersPublished) = (await o.Activity(team), await o.Activity(other));
        var draft = await Draft(team);
        var othersDraft = await Draft(other);
        var volunteer = await o.SignedInAs(await o.Volunteer(inTeam: team));
        var coordinator = await o.SignedInWithRole("coordinator", team);
        var auditor = await o.SignedInWithRole("auditor");

        Assert.Equal(Sorted(published, othersPublished), await Ids(volunteer));
        Assert.Equal(Sorted(published, draft), await Ids(coordinator));
        Assert.Equal(Sorted(published, othersPublished, draft, othersDraft), await Ids(auditor));
        (await volunteer.Get($"/activities/{draft}")).ShouldRefuse(404, "not_found");
        (await volunteer.Get("/activities?status=draft")).ShouldBe(200);
        Assert.Empty((await volunteer.Get("/activities?status=draft")).Items);
        (await coordinator.Get($"/activities/{othersDraft}")).ShouldRefuse(404, "not_found");
        (await coordinator.Post($"/activities/{othersDraft}/publish")).ShouldRefuse(404, "not_found");
        (await coordinator.Patch($"/activities/{draft}", new { teamId = other })).ShouldRefuse(404, "team_not_found");
        (await volunteer.Post($"/activities/{draft}/publish")).ShouldRefuse(403, "forbidden");
        (await coordinator.Post($"/activities/{draft}/publish")).ShouldBe(200);
        (await volunteer.Get($"/activities/{draft}")).ShouldBe(200);

        async Task<string> Draft(string teamId) => (await o.Admin.Post("/activities", new
        {
            title = "草稿", category = "patrol", teamId, startsAt = "2026-06-08T08:00:00+08:00", endsAt = "2026-06-08T10:00:00+08:00",
        })).ShouldBe(201).Id;

        static async Task<List<string>> Ids(Api api) => [.. (await api.Get("/activities")).ShouldBe(200).Items.Select(activity => (string)activity!["id"]!).Order(StringComparer.Ordinal)];

        static string[] Sorted(params string[] ids) => [.. ids.Order(StringComparer.Ordinal)];
    }
}
