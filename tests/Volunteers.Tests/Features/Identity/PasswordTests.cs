using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

public sealed class PasswordTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task An_e_mail_address_signs_in_in_any_case()
    {
        await Host.TokensOf("OPERATOR@Example.ORG", ApiHost.OperatorPassword);
        var me = await Host.Call((await Host.TokensOf(" operator@example.org ", ApiHost.OperatorPassword)).Access);

        Assert.Equal("operator@example.org", (string?)me.ShouldBe(200)["login"]);
    }

    [Theory]
    [InlineData("13800138000")]
    [InlineData("+8613800138000")]
    [InlineData("138 0013 8000")]
    [InlineData("+86 138-0013-8000")]
    public async Task A_phone_number_signs_in_however_it_is_written(string login)
    {
        var o = await Given.Organization();
        var invitation = (await o.Admin.Post($"/volunteers/{await o.Volunteer()}/invitation")).ShouldBe(200);
        (await Host.Anonymous.Post("/v1/accounts",
            new { invitationCode = (string)invitation["code"]!, login = "13800138000", password = Given.Password, displayName = "Driver" })).ShouldBe(201);

        var me = await Host.Call((await Host.TokensOf(login, Given.Password)).Access);

        Assert.Equal("+8613800138000", (string?)me["login"]);
    }

    [Fact]
    public async Task A_wrong_password_and_an_unknown_login_are_answered_alike()
    {
        var wrong = await Host.WithPassword(ApiHost.OperatorLogin, "not-the-password");
        var unknown = await Host.WithPassword("nobody@example.org", "not-the-password");
        var nonsense = await Host.WithPassword("' or 1=1 --", new string('x', 100_000));

        Assert.Equal("invalid_grant", (string?)wrong.ShouldBe(400)["error"]);
        Assert.Equal(wrong.Text, unknown.ShouldBe(400).Text);
        Assert.Equal(wrong.Text, nonsense.ShouldBe(400).Text);
    }

    [Theory]
    [InlineData("grant_type=password&client_id=volunteers-mobile", "invalid_request")]
    [InlineData("grant_type=password&client_id=somebody-else&username=a&password=b", "invalid_client")]
    [InlineData("grant_type=magic&client_id=volunteers-mobile", "unsupported_grant_type")]
    [InlineData("grant_type=client_credentials&client_id=volunteers-mobile", "invalid_request")]
    [InlineData("grant_type=refresh_token&client_id=volunteers-mobile&refresh_token=garbage", "invalid_grant")]
    [InlineData("", "invalid_request")]
    [InlineData("grant_type=password&client_id=volunteers-mobile&username=%00&password=%00", "invalid_request")]
    [InlineData("grant_type=password&client_id=%00&username=a&password=b", "invalid_request")]
    [InlineData("grant_type=password&client_id=volunteers-mobile&username=a&password=b&scope=everything", "invalid_scope")]
    public async Task Errors_of_the_token_endpoint_are_those_of_RFC_6749(string form, string error)
    {
        using var content = new StringContent(form, System.Text.Encoding.ASCII, "application/x-www-form-urlencoded");

        var answer = await Host.Anonymous.Post("/connect/token", content);

        Assert.InRange(answer.Status, 400, 401);
        Assert.Equal("application/json", answer.ContentHeaders.ContentType?.MediaType);
        Assert.Equal(error, (string?)answer["error"]);
    }

    [Fact]
    public async Task The_discovery_document_names_what_a_client_library_needs()
    {
        var discovery = (await Host.Anonymous.Get("/.well-known/openid-configuration")).ShouldBe(200);

        var issuer = (string)discovery["issuer"]!;
        Assert.Equal($"{issuer}connect/token", (string?)discovery["token_endpoint"]);
        Assert.Equal($"{issuer}connect/revoke", (string?)discovery["revocation_endpoint"]);
        Assert.Subset(Words("grant_types_supported"), new HashSet<string> { "password", "refresh_token", "client_credentials" });
        Assert.Subset(Words("scopes_supported"), new HashSet<string> { "api", "offline_access", "openid" });

        var keys = (await Host.Anonymous.Get(new Uri((string)discovery["jwks_uri"]!).AbsolutePath)).ShouldBe(200);
        var key = Assert.Single(keys["keys"]!.AsArray())!;
        Assert.Equal(("RSA", "sig", "RS256"), ((string)key["kty"]!, (string)key["use"]!, (string)key["alg"]!));
        Assert.Null(key["d"]);

        HashSet<string> Words(string member) => [.. discovery[member]!.AsArray().Select(word => (string)word!)];
    }
}
