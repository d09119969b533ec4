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
        var (id, secret) = await NewClient(o, "auditor");

        var token = Tokens.Of(await Host.WithSecret(id, secret));

        Assert.Null(token.Refresh);
        (await Host.Call(token.Access, $"{o.Path}/volunteers")).ShouldBe(200);
        (await Host.Call(token.Access, $"{o.Path}/clients")).ShouldRefuse(403, "forbidden");
        (await Host.Call(token.Access, $"{other.Path}/volunteers")).ShouldRefuse(404, "not_found");
        var me = (await Host.Call(token.Access)).ShouldBe(200);
        Assert.Equal("auditor", (string?)me["organizations"]![0]!["roles"]![0]!["role"]);
    }

    [Fact]
    public async Task The_secret_is_shown_once_and_only_it_opens()
    {
        var o = await Given.Organization();
        var (id, secret) = await NewClient(o, "coordinator");

        Assert.DoesNotContain(secret, (await o.Admin.Get("/clients")).ShouldBe(200).Text, StringComparison.Ordinal);
        Assert.Equal("invalid_client", (string?)(await Host.WithSecret(id, secret + "x")).ShouldBe(401)["error"]);
        Assert.Equal("invalid_request", (string?)(await Host.WithSecret(id, "")).ShouldBe(400)["error"]);
        Assert.Equal("invalid_client", (string?)(await Host.WithSecret(id[..^1] + (id[^1] == '0' ? "1" : "0"), secret)).ShouldBe(401)["error"]);
    }

    [Fact]
    public async Task A_deleted_client_stops_within_five_seconds()
    {
        var o = await Given.Organization();
        var (id, secret) = await NewClient(o, "coordinator");
        var token = Tokens.Of(await Host.WithSecret(id, secret));
        (await Host.Call(token.Access)).ShouldBe(200);

        (await o.Admin.Delete($"/clients/{id}")).ShouldBe(204);

        Assert.Equal("invalid_client", (string?)(await Host.WithSecret(id, secret)).ShouldBe(401)["error"]);
        Clock.Advance(TimeSpan.FromSeconds(5));
        (await Host.Call(token.Access)).ShouldRefuse(401, "not_signed_in");
        (await o.Admin.Delete($"/clients/{id}")).ShouldRefuse(404, "not_found");
    }

    [Fact]
    public async Task Nobody_deletes_another_organizations_client()
    {
        var o = await Given.Organization();
        var other = await Given.AnotherOrganization();
        var (id, secret) = await NewClient(other, "auditor");

        (await o.Admin.Delete($"/clients/{id}")).ShouldRefuse(404, "not_found");
        (await o.Admin.Delete("/clients/volunteers-mobile")).ShouldRefuse(404, "not_found");
        (await Host.WithSecret(id, secret)).ShouldBe(200);
        await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);
    }

    [Theory]
    [InlineData("administrator")]
    [InlineData("volunteer")]
    public async Task A_client_is_neither_administrator_nor_volunteer(string role) =>
        (await (await Given.Organization()).Admin.Post("/clients", new { name = "Gateway", role })).ShouldRefuse(400, "invalid_request");

    private static async Task<(string Id, string Secret)> NewClient(OrganizationSteps o, string role)
    {
        var made = (await o.Admin.Post("/clients", new { name = "Integration", role })).ShouldBe(201);
        return ((string)made["clientId"]!, (string)made["clientSecret"]!);
    }
}
