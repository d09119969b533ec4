using System.Buffers.Text;
using System.Text.Json.Nodes;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>Signing in with a browser: authorization code and PKCE, as OpenID Connect Core says.</summary>
public sealed class AuthorizeTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task Whoever_signs_in_at_the_page_gives_the_app_tokens()
    {
        using var browser = new Browser(Host);
        var app = new CodeFlow(Host);

        var page = await browser.Open(app.Request());
        Assert.Equal("/sign-in", page.Address.AbsolutePath);
        Assert.Equal("Sign in", page.Title);
        var answer = await app.Exchange(app.CodeFrom(await browser.SignIn(page)));

        var tokens = Tokens.Of(answer);
        (await Host.Call(tokens.Access)).ShouldBe(200);
        (await Host.Call(Tokens.Of(await Host.Refresh(tokens.Refresh)).Access)).ShouldBe(200);
    }

    [Fact]
    public async Task The_identity_token_says_who_and_when_and_no_more()
    {
        using var browser = new Browser(Host);
        var app = new CodeFlow(Host);
        var answer = await app.Exchange(app.CodeFrom(await browser.SignIn(await browser.Open(app.Request()))));

        var claims = JsonNode.Parse(Base64Url.DecodeFromChars(((string)answer["id_token"]!).Split('.')[1]))!.AsObject();

        Assert.Equal("n-1", (string?)claims["nonce"]);
        Assert.Equal("volunteers-mobile", (string?)claims["aud"]);
        Assert.InRange((long)claims["auth_time"]!, Host.Clock.GetUtcNow().ToUnixTimeSeconds() - 60, Host.Clock.GetUtcNow().ToUnixTimeSeconds());
        Assert.Equal(["at_hash", "aud", "auth_time", "azp", "exp", "iat", "iss", "nonce", "oi_au_id", "oi_tkn_id", "sub"], claims.Select(claim => claim.Key).Order());
    }
}
