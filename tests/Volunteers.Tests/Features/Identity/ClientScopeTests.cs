using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>What a token of a client is good for. That each operation has its scope is shown in the architecture tests.</summary>
public sealed class ClientScopeTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task A_missing_scope_is_named_as_RFC_6750_says()
    {
        var o = await Given.Organization();
        var api = (await Host.SignedIn(await o.Client(scopes: ["roster.read"]))).At(o.Path);

        var refused = (await api.Post("/volunteers", new { name = "Somebody" }, ("Accept-Language", "zh-CN"))).ShouldRefuse(403, "insufficient_scope");

        Assert.Equal("Bearer error=\"insufficient_scope\", scope=\"roster.write\"", refused.Header("WWW-Authenticate"));
        Assert.Contains("roster.write", (string)refused["detail"]!, StringComparison.Ordinal);
        (await api.Get("/volunteers")).ShouldBe(200);
        (await api.Get("/service-records")).ShouldRefuse(403, "insufficient_scope");
    }

    [Fact]
    public async Task The_role_stays_the_ceiling()
    {
        var o = await Given.Organization();
        var auditor = (await Host.SignedIn(await o.Client("auditor"))).At(o.Path);

        var refused = (await auditor.Post("/volunteers", new { name = "Somebody" })).ShouldRefuse(403, "forbidden");

        Assert.Null(refused.Header("WWW-Authenticate"));
        (await auditor.Post("/teams", new { name = "Team" })).ShouldRefuse(403, "forbidden");
    }

    [Fact]
    public async Task A_token_is_good_for_what_it_was_asked_for_and_api_is_all_the_client_has()
    {
        var o = await Given.Organization();
        var client = await o.Client(scopes: ["roster.read", "hours.read", "organization.read"]);

        foreach (var (scope, roster, hours) in new[] { ("hours.read", 403, 200), ("api hours.read", 403, 200), ("hours.read roster.read", 200, 200), ("api", 200, 200), (null, 200, 200) })
        {
            var api = (await Host.SignedIn(client, scope)).At(o.Path);
            (await api.Get("/volunteers")).ShouldBe(roster);
            (await api.Get("/service-records")).ShouldBe(hours);
            (await api.Get("/reports/overdue")).ShouldRefuse(403, "insufficient_scope");
        }
    }

    [Theory]
    [InlineData("roster.read")]
    [InlineData("hours.read roster.write")]
    [InlineData("api roster.read")]
    [InlineData("everything")]
    [InlineData("offline_access")]
    public async Task A_client_asks_for_no_more_than_it_has(string scope)
    {
        var client = await (await Given.Organization()).Client(scopes: ["hours.read"]);

        var refused = (await Host.AskForToken(client, scope)).ShouldBe(400);

        Assert.Contains((string?)refused["error"], new[] { "invalid_scope", "invalid_request" });
        Assert.Null(refused["access_token"]);
        (await Host.AskForToken(client, "hours.read")).ShouldBe(200);
    }

    [Fact]
    public async Task A_scope_taken_away_is_missed_by_live_tokens_within_five_seconds_and_one_given_works_at_once()
    {
        var o = await Given.Organization();
        var client = await o.Client(scopes: ["roster.read", "hours.read"]);
        var all = (await Host.SignedIn(client)).At(o.Path);
        var some = (await Host.SignedIn(client, "roster.read")).At(o.Path);
        (await all.Get("/volunteers")).ShouldBe(200);
        (await some.Get("/volunteers")).ShouldBe(200);

        (await o.Admin.Patch($"/clients/{client.ClientId}", new { scopes = new[] { "hours.read", "reports.read" } })).ShouldBe(200);

        (await all.Get("/reports/overdue")).ShouldBe(200);
        Clock.Advance(TimeSpan.FromSeconds(5));
        (await all.Get("/volunteers")).ShouldRefuse(403, "insufficient_scope");
        (await some.Get("/volunteers")).ShouldRefuse(403, "insufficient_scope");
        // What a token was not asked for it does not get.
        (await some.Get("/reports/overdue")).ShouldRefuse(403, "insufficient_scope");
    }

    [Fact]
    public async Task The_background_task_tells_another_replica()
    {
        var issuer = ("SignIn:Issuer", "https://volunteers.example.org/");
        await using var one = new ApiHost(ConnectionString, issuer);
        await using var other = new ApiHost(ConnectionString, issuer);
        var o = await Given.Organization();
        var client = await o.Client(scopes: ["roster.read", "hours.read"]);
        var token = (string)(await one.AskForToken(client, "roster.read hours.read")).ShouldBe(200)["access_token"]!;
        (await other.Call(token, $"{o.Path}/volunteers")).ShouldBe(200);

        (await o.Admin.Patch($"/clients/{client.ClientId}", new { scopes = new[] { "hours.read" } })).ShouldBe(200);

        await SignIn.Until(403, () => other.Call(token, $"{o.Path}/volunteers"));
        (await other.Call(token, $"{o.Path}/service-records")).ShouldBe(200);
    }

    [Fact]
    public async Task People_are_not_limited_by_scopes_and_get_none_of_them()
    {
        (await Host.WithPassword(ApiHost.OperatorLogin, ApiHost.OperatorPassword, "roster.read")).ShouldBe(400);
        (await Host.WithPassword(ApiHost.OperatorLogin, ApiHost.OperatorPassword, "api roster.read")).ShouldBe(400);
        var nothing = Tokens.Of(await Host.WithPassword(ApiHost.OperatorLogin, ApiHost.OperatorPassword, "openid"));
        (await Host.Call(nothing.Access)).ShouldRefuse(401, "not_signed_in");
    }
}
