using Volunteers.Tests.Architecture;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Platform;

public sealed class QueryTests(TestDatabases databases) : ApiTest(databases)
{
    private static readonly string[] Parameters =
    [
        "limit", "cursor", "from", "to", "team", "category", "status", "q", "hometown", "skill", "role", "includeLeft", "volunteer", "activity",
        "evidence", "after", "groupBy", "asOf", "format", "project", "dryRun",
    ];

    [Fact]
    public async Task A_parameter_that_is_not_in_the_contract_is_refused_everywhere()
    {
        var world = await World.Make(Host, Given);

        foreach (var operation in Operation.All)
            foreach (var name in new[] { "nonsense", "Limit", "", "organizationId", "%00", "%F0%9F%98%80" })
            {
                using var body = world.BodyOf(operation);
                var answer = await world.Send(operation, body, world.PathOf(operation) + $"?{name}=1");
                answer.ShouldRefuse(400, "unknown_parameter").ShouldBeProblem($"{operation.Id} with ?{name}");
            }
    }

    [Fact]
    public async Task No_value_of_any_parameter_is_a_failure_of_ours()
    {
        var world = await World.Make(Host, Given);

        foreach (var operation in Operation.All.Where(operation => operation.Method == "GET"))
        {
            var path = world.PathOf(operation);
            var period = operation.Id.EndsWith("Report", StringComparison.Ordinal) ? "&from=2026-01-01&to=2026-12-31" : "";
            foreach (var name in Parameters)
            {
                if ((await world.Send(operation, null, $"{path}?{name}=x")).Code == "unknown_parameter") continue;
                foreach (var text in HostileValues.Texts)
                {
                    var query = $"?{name}={Uri.EscapeDataString(text)}" + (period.Contains($"&{name}=", StringComparison.Ordinal) ? "" : period);
                    var answer = (await world.Send(operation, null, path + query)).ShouldBeCivil($"{operation.Id} with {query}");
                    if (text.Contains('\0', StringComparison.Ordinal)) Assert.Equal(400, answer.Status);
                }
                (await world.Send(operation, null, $"{path}?{name}=1&{name}=1")).ShouldRefuse(400, "malformed_parameter");
            }
        }
    }

    [Theory]
    [InlineData("limit=0", "invalid_request")]
    [InlineData("limit=-1", "invalid_request")]
    [InlineData("limit=201", "invalid_request")]
    [InlineData("limit=abc", "malformed_request")]
    [InlineData("limit=", "malformed_request")]
    [InlineData("limit=1.5", "malformed_request")]
    [InlineData("limit=1,2", "malformed_request")]
    [InlineData("limit=%EF%BC%95", "malformed_request")]
    [InlineData("cursor=", "invalid_cursor")]
    [InlineData("cursor=garbage", "invalid_cursor")]
    [InlineData("cursor=%F0%9F%98%80", "invalid_cursor")]
    [InlineData("cursor=bnVsbA", "invalid_cursor")]
    [InlineData("cursor=IjAxIg", "invalid_cursor")]
    [InlineData("cursor=a%00b", "malformed_parameter")]
    public async Task A_page_that_cannot_be_is_refused(string query, string code)
    {
        var o = await Given.Organization();

        foreach (var list in new[] { "/teams", "/activities", "/service-records" })
            (await o.Admin.Get($"{list}?{query}")).ShouldRefuse(400, code).ShouldBeProblem(list);
    }

    [Fact]
    public async Task A_cursor_of_another_list_is_refused_or_shows_nothing_that_is_not_ones_own()
    {
        var o = await Given.Organization();
        var other = await Given.AnotherOrganization();
        var team = await o.Team();
        await o.Team();
        var foreign = await other.Team();
        await o.Activity(team);
        await o.Activity(team);
        var byKey = (string)(await o.Admin.Get("/teams?limit=1"))["next"]!;
        var byTwoKeys = (string)(await o.Admin.Get("/activities?limit=1"))["next"]!;

        (await o.Admin.Get($"/teams?cursor={byTwoKeys}")).ShouldRefuse(400, "invalid_cursor");
        (await o.Admin.Get($"/activities?cursor={byKey}")).ShouldRefuse(400, "invalid_cursor");
        var page = (await other.Admin.Get($"/teams?cursor={byKey}")).ShouldBe(200);
        Assert.Equal(foreign, (string?)Assert.Single(page.Items)!["id"]);
    }

    [Fact]
    public async Task Pages_hold_every_item_once_and_link_to_the_next()
    {
        var o = await Given.Organization();
        var teams = new List<string>();
        for (var i = 0; i < 5; i++) teams.Add(await o.Team());

        var read = new List<string>();
        var path = $"{o.Path}/teams?limit=2";
        for (var pages = 0; path is not null; pages++)
        {
            Assert.True(pages < 3);
            var page = (await (await Given.Operator()).Get(path)).ShouldBe(200);
            read.AddRange(page.Items.Select(item => (string)item!["id"]!));
            var link = page.Header("Link");
            Assert.Equal(page["next"] is null, link is null);
            path = link is null ? null : new Uri(link.Split('>')[0].TrimStart('<')).PathAndQuery;
        }

        Assert.Equal(teams, read);
    }
}
