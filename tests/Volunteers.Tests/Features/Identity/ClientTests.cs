using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

public sealed class ClientTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task A_client_acts_for_its_organization_with_its_role()
    {
        var o = await Given.Organization();
        var other = await Given.AnotherOrganization();
        var client = await o.Client("auditor");

        var token = Tokens.Of(await Host.AskForToken(client));

        Assert.Null(token.Refresh);
        (await Host.Call(token.Access, $"{o.Path}/volunteers")).ShouldBe(200);
        (await Host.Call(token.Access, $"{o.Path}/clients")).ShouldRefuse(403, "forbidden");
        (await Host.Call(token.Access, $"{other.Path}/volunteers")).ShouldRefuse(404, "not_found");
        var me = (await Host.Call(token.Access)).ShouldBe(200);
        Assert.Equal("auditor", (string?)me["organizations"]![0]!["roles"]![0]!["role"]);
    }

    [Fact]
    public async Task A_client_is_shown_as_it_was_admitted_and_without_its_secret()
    {
        var o = await Given.Organization();
        var expiresAt = Clock.GetUtcNow().AddDays(30);
        var made = (await o.Admin.Post("/clients", new { name = "Gateway", role = "auditor", scopes = new[] { "reports.read", "hours.read", "hours.read" }, expiresAt })).ShouldBe(201);

        var shown = (await new Api(o.Admin.Http, "").Get(made.Header("Location")!)).ShouldBe(200);

        Assert.Equal(("Gateway", "auditor", (string?)made["clientId"]), ((string?)shown["name"], (string?)shown["role"], (string?)shown["clientId"]));
        Assert.Equal(["hours.read", "reports.read"], shown["scopes"]!.AsArray().Select(scope => (string)scope!));
        Assert.Equal(expiresAt, (DateTimeOffset)shown["expiresAt"]!, TimeSpan.FromMilliseconds(1));
        Assert.Null(shown["lastUsedAt"]);
        Assert.Single(shown["secrets"]!.AsArray());
        Assert.Equal("\"1\"", shown.Header("ETag"));
        Assert.Equal(shown.Text, Assert.Single((await o.Admin.Get("/clients")).Items)!.ToJsonString(), ignoreLineEndingDifferences: true);
        Assert.DoesNotContain((string)made["clientSecret"]!, shown.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_secret_opens_and_a_client_that_nobody_made_is_answered_alike()
    {
        var o = await Given.Organization();
        var client = await o.Client();

        var wrong = await Host.WithSecret(client.ClientId, client.Secret + "x");
        var unknown = await Host.WithSecret(client.ClientId[..^1] + (client.ClientId[^1] == '0' ? "1" : "0"), client.Secret);
        var elsewhere = await Host.WithSecret($"{Guid.NewGuid():n}.{client.ClientId.Split('.')[1]}", client.Secret);
        var shouting = await Host.WithSecret(client.ClientId.ToUpperInvariant(), client.Secret);
        var other = await Host.WithSecret(client.ClientId, (await o.Client()).Secret);

        Assert.Equal("invalid_client", (string?)wrong.ShouldBe(401)["error"]);
        Assert.Equal("invalid_request", (string?)(await Host.WithSecret(client.ClientId, "")).ShouldBe(400)["error"]);
        Assert.All([unknown, elsewhere, shouting, other], answer => Assert.Equal(wrong.Text, answer.ShouldBe(401).Text));
        Assert.Equal(wrong.Text, (await Host.Revoke("token", ("client_id", client.ClientId), ("client_secret", "x"))).ShouldBe(401).Text);
    }

    [Fact]
    public async Task A_deleted_client_stops_within_five_seconds()
    {
        var o = await Given.Organization();
        var client = await o.Client();
        var token = Tokens.Of(await Host.AskForToken(client));
        (await Host.Call(token.Access)).ShouldBe(200);

        (await o.Admin.Delete($"/clients/{client.ClientId}")).ShouldBe(204);

        Assert.Equal("invalid_client", (string?)(await Host.AskForToken(client)).ShouldBe(401)["error"]);
        Clock.Advance(TimeSpan.FromSeconds(5));
        (await Host.Call(token.Access)).ShouldRefuse(401, "not_signed_in");
        (await o.Admin.Delete($"/clients/{client.ClientId}")).ShouldRefuse(404, "not_found");
        (await o.Admin.Get($"/clients/{client.ClientId}")).ShouldRefuse(404, "not_found");
    }

    [Fact]
    public async Task A_client_that_has_expired_gets_no_token_and_those_it_has_stop()
    {
        var o = await Given.Organization();
        var client = await o.Client(expiresAt: Clock.GetUtcNow().AddMinutes(10));
        var token = Tokens.Of(await Host.AskForToken(client));
        Clock.Advance(TimeSpan.FromMinutes(9));
        (await Host.Call(token.Access)).ShouldBe(200);

        Clock.Advance(TimeSpan.FromMinutes(1));

        (await Host.Call(token.Access)).ShouldRefuse(401, "not_signed_in");
        Assert.Equal("invalid_client", (string?)(await Host.AskForToken(client)).ShouldBe(401)["error"]);
        // Its coordinator thinks again.
        (await o.Admin.Patch($"/clients/{client.ClientId}", new { expiresAt = Clock.GetUtcNow().AddDays(1) })).ShouldBe(200);
        Clock.Advance(TimeSpan.FromSeconds(5));
        (await Host.Call(token.Access)).ShouldBe(200);
        (await Host.AskForToken(client)).ShouldBe(200);
    }

    [Fact]
    public async Task A_client_is_changed_against_the_version_that_was_seen()
    {
        var o = await Given.Organization();
        var client = await o.Client(scopes: ["hours.read"]);
        var path = $"/clients/{client.ClientId}";

        (await o.Admin.Send(HttpMethod.Patch, path, new { name = "Renamed" })).ShouldRefuse(428, "if_match_required");
        var changed = (await o.Admin.Patch(path, new { name = "Renamed", scopes = new[] { "roster.read" } }, "\"1\"")).ShouldBe(200);

        Assert.Equal(("Renamed", "\"2\""), ((string?)changed["name"], changed.Header("ETag")));
        Assert.Equal(["roster.read"], changed["scopes"]!.AsArray().Select(scope => (string)scope!));
        (await o.Admin.Patch(path, new { name = "Again" }, "\"1\"")).ShouldRefuse(412, "stale_version");
        foreach (var member in new object[] { new { role = "coordinator" }, new { clientId = "x" }, new { organizationId = Guid.NewGuid() }, new { lastUsedAt = Clock.GetUtcNow() }, new { secrets = Array.Empty<object>() } })
            (await o.Admin.Patch(path, member)).ShouldRefuse(400, "malformed_json");
    }

    [Fact]
    public async Task Scopes_that_there_are_not_and_times_that_have_passed_are_refused()
    {
        var o = await Given.Organization();
        var client = await o.Client();
        object?[] wrong = [null, Array.Empty<string>(), new[] { "hours.*" }, new[] { "api" }, new[] { "organization.write" }, new string?[] { null }, Enumerable.Repeat("hours.read", 100)];

        foreach (var scopes in wrong)
        {
            (await o.Admin.Post("/clients", new { name = "Gateway", role = "auditor", scopes })).ShouldBe(400);
            (await o.Admin.Patch($"/clients/{client.ClientId}", new { scopes })).ShouldBe(400);
        }
        (await o.Admin.Post("/clients", new { name = "Gateway", role = "auditor", scopes = new[] { "hours.read" }, expiresAt = Clock.GetUtcNow() })).ShouldRefuse(400, "expired_already");
        (await o.Admin.Post($"/clients/{client.ClientId}/secrets", new { expiresAt = Clock.GetUtcNow() })).ShouldRefuse(400, "expired_already");
        Assert.Single((await o.Admin.Get("/clients")).Items);
    }

    [Fact]
    public async Task Nobody_touches_another_organizations_client()
    {
        var o = await Given.Organization();
        var other = await Given.AnotherOrganization();
        var client = await other.Client("auditor");
        var secret = (string)Assert.Single((await other.Admin.Get($"/clients/{client.ClientId}"))["secrets"]!.AsArray())!["id"]!;

        foreach (var name in new[] { client.ClientId, "volunteers-mobile", $"{o.Id.Replace("-", "", StringComparison.Ordinal)}.{client.ClientId.Split('.')[1]}" })
        {
            (await o.Admin.Delete($"/clients/{name}")).ShouldRefuse(404, "not_found");
            (await o.Admin.Get($"/clients/{name}")).ShouldRefuse(404, "not_found");
            (await o.Admin.Patch($"/clients/{name}", new { name = "Mine" }, "*")).ShouldRefuse(404, "not_found");
            (await o.Admin.Post($"/clients/{name}/secrets")).ShouldRefuse(404, "not_found");
            (await o.Admin.Delete($"/clients/{name}/secrets/{secret}")).ShouldRefuse(404, "not_found");
        }
        (await Host.AskForToken(client)).ShouldBe(200);
        await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);
    }

    [Theory]
    [InlineData("administrator")]
    [InlineData("volunteer")]
    public async Task A_client_is_neither_administrator_nor_volunteer(string role) =>
        (await (await Given.Organization()).Admin.Post("/clients", new { name = "Gateway", role, scopes = Clients.AllScopes })).ShouldRefuse(400, "invalid_request");
}
