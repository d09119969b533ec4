using System.Buffers.Text;
using System.Text.Json.Nodes;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>Signing in with a browser: authorization code and PKCE, as OpenID Connect Core says.</summary>
public sealed class AuthorizeTests(TestDatabases databases) : SignInTest(databases)
{
    [Fact]
    public async Task Whoever_signs_in_at_the_page_gives_the_app_tokens()
    {
        using var browser = new Browser(Host);
        var app = new CodeFlow(Host);

        var page = await browser.Open(app.Request());
        Assert.Equal(("/sign-in", "Sign in"), (page.Address.AbsolutePath, page.Title));
        var tokens = Tokens.Of(await app.Exchange(app.CodeFrom(await browser.SignIn(page))));

        (await Host.Call(tokens.Access)).ShouldBe(200);
        (await Host.Call(Tokens.Of(await Host.Refresh(tokens.Refresh)).Access)).ShouldBe(200);
    }

    [Fact]
    public async Task The_identity_token_says_who_and_when_and_no_more()
    {
        using var browser = new Browser(Host);
        var app = new CodeFlow(Host);

        var claims = Claims(await app.Exchange(app.CodeFrom(await browser.SignIn(await browser.Open(app.Request())))));

        Assert.Equal(("n-1", "volunteers-mobile"), ((string?)claims["nonce"], (string?)claims["aud"]));
        Assert.InRange((long)claims["auth_time"]!, Clock.GetUtcNow().ToUnixTimeSeconds() - 60, Clock.GetUtcNow().ToUnixTimeSeconds());
        Assert.Equal(["at_hash", "aud", "auth_time", "azp", "exp", "iat", "iss", "nonce", "oi_au_id", "oi_tkn_id", "sub"], claims.Select(claim => claim.Key).Order());
    }

    [Fact]
    public async Task A_name_is_told_to_whoever_was_granted_the_profile()
    {
        using var browser = new Browser(Host);
        var app = Rota();

        var answer = await app.Exchange(app.CodeFrom(await SignInAndAllow(browser, app, ("scope", "openid profile"))));

        Assert.Equal("Administrator", (string?)Claims(answer)["name"]);
        Assert.Equal("Administrator", (string?)(await Host.Call((string)answer["access_token"]!, "/connect/userinfo"))["name"]);
    }

    [Fact]
    public async Task User_info_tells_who_it_is_for_as_long_as_the_sign_in_lasts()
    {
        using var browser = new Browser(Host);
        var tokens = await new CodeFlow(Host).SignIn(browser);

        var info = (await Host.Call(tokens.Access, "/connect/userinfo")).ShouldBe(200);

        Assert.Equal((await Host.Call(tokens.Access)).Id, (string?)info["sub"]);
        Assert.Single(info.Body!.AsObject());
        (await Host.Call((await new CodeFlow(Host).SignIn(new Browser(Host), scope: "api")).Access, "/connect/userinfo")).ShouldBe(403);
        (await Host.Revoke(tokens.Refresh!)).ShouldBe(200);
        (await Host.Call(tokens.Access, "/connect/userinfo")).ShouldBe(401);
    }

    [Fact]
    public async Task Whoever_is_signed_in_already_is_not_asked_for_the_password_again()
    {
        using var browser = new Browser(Host);
        var (first, second) = (Rota(), Rota());
        await SignInAndAllow(browser, first);

        second.CodeFrom(await browser.Open(second.Request()));
    }

    /// <summary>RFC 8252, 8.6: what claims the app's address may be another app.</summary>
    [Fact]
    public async Task A_code_goes_to_an_app_on_the_device_only_after_somebody_pressed_a_button()
    {
        using var browser = new Browser(Host);
        await new CodeFlow(Host).SignIn(browser);
        var app = new CodeFlow(Host);

        var page = await browser.Open(app.Request());
        Assert.Equal(("Continue?", "/connect/authorize"), (page.Title, page.Address.AbsolutePath));
        Assert.Equal("interaction_required", (await browser.Open(app.Request(("prompt", "none")))).Sent("error"));

        Assert.Equal("access_denied", (await browser.Submit(page, ("decision", "deny"))).Sent("error"));
        app.CodeFrom(await browser.Submit(page, ("decision", "allow")));
    }

    [Theory]
    [InlineData("volunteers://callback")]
    [InlineData("http://127.0.0.1:51004/callback")]
    [InlineData("http://localhost:8931/callback")]
    public async Task The_mobile_app_is_answered_at_its_own_scheme_or_on_this_machine(string redirectUri)
    {
        using var browser = new Browser(Host);

        var tokens = await new CodeFlow(Host, redirectUri: redirectUri).SignIn(browser);

        (await Host.Call(tokens.Access)).ShouldBe(200);
    }

    [Fact]
    public async Task An_application_with_a_secret_has_to_show_it()
    {
        using var browser = new Browser(Host);
        var app = Board();
        var code = app.CodeFrom(await SignInAndAllow(browser, app));

        Assert.Equal("invalid_client", (string?)(await app.Exchange(code, ("client_secret", null))).Body!["error"]);
        Assert.Equal("invalid_client", (string?)(await app.Exchange(code, ("client_secret", "another-secret-that-is-long-enough-too"))).Body!["error"]);
        Tokens.Of(await app.Exchange(code, ("client_secret", BoardSecret)));
    }

    [Fact]
    public async Task Without_a_session_prompt_none_is_answered_login_required()
    {
        using var browser = new Browser(Host);

        var page = await browser.Open(Rota().Request(("prompt", "none")));

        Assert.Equal("login_required", page.Sent("error"));
        Assert.StartsWith(RotaRedirect, page.LeftFor!.AbsoluteUri, StringComparison.Ordinal);
        Assert.NotNull(page.Sent("state"));
    }

    [Fact]
    public async Task With_a_session_and_consent_prompt_none_is_answered_with_a_code()
    {
        using var browser = new Browser(Host);
        var app = Rota();
        await browser.SignIn(await browser.Open(app.Request()));
        Assert.Equal("consent_required", (await browser.Open(app.Request(("prompt", "none")))).Sent("error"));

        await SignInAndAllow(new Browser(Host), app);

        app.CodeFrom(await browser.Open(app.Request(("prompt", "none"))));
    }

    [Theory]
    [InlineData("login")]
    [InlineData("select_account")]
    public async Task Prompt_login_asks_again_and_cannot_be_passed_by_without_a_password(string prompt)
    {
        using var browser = new Browser(Host);
        var app = Rota();
        await SignInAndAllow(browser, app);

        var asked = app.Request(("prompt", prompt));
        var page = await browser.Open(asked);
        Assert.Equal("/sign-in", page.Address.AbsolutePath);
        Assert.Equal("/sign-in", (await browser.Open(asked)).Address.AbsolutePath);
        Assert.Equal("/sign-in", (await browser.Open(page.Form.Fields["returnUrl"])).Address.AbsolutePath);

        app.CodeFrom(await browser.SignIn(page));
        // What was typed in for one request is not good for the next.
        Assert.Equal("/sign-in", (await browser.Open(Rota().Request(("prompt", prompt)))).Address.AbsolutePath);
        Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal("/sign-in", (await browser.Open(asked)).Address.AbsolutePath);
    }

    [Fact]
    public async Task Max_age_asks_again_once_the_sign_in_is_that_old()
    {
        using var browser = new Browser(Host);
        var app = Rota();
        await SignInAndAllow(browser, app);

        Clock.Advance(TimeSpan.FromMinutes(9));
        app.CodeFrom(await browser.Open(app.Request(("max_age", "600"))));
        Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("login_required", (await browser.Open(app.Request(("max_age", "600"), ("prompt", "none")))).Sent("error"));
        var page = await browser.Open(app.Request(("max_age", "600")));
        Assert.Equal("/sign-in", page.Address.AbsolutePath);
        var claims = Claims(await app.Exchange(app.CodeFrom(await browser.SignIn(page))));
        Assert.InRange((long)claims["auth_time"]!, Clock.GetUtcNow().ToUnixTimeSeconds() - 60, Clock.GetUtcNow().ToUnixTimeSeconds());

        // Zero asks every time, and is satisfied by being asked.
        app.CodeFrom(await browser.SignIn(await browser.Open(app.Request(("max_age", "0")))));
    }

    [Fact]
    public async Task An_application_that_expects_somebody_else_does_not_get_this_account()
    {
        var login = await SomebodyElse();
        var app = Rota();
        using var theirs = new Browser(Host);
        var answer = await app.Exchange(app.CodeFrom(await SignInAs(theirs)));
        var hint = ("id_token_hint", (string)answer["id_token"]!);
        using var browser = new Browser(Host);
        await SignInAndAllow(browser, app);

        Assert.Equal("login_required", (await browser.Open(app.Request(hint, ("prompt", "none")))).Sent("error"));
        var page = await browser.Open(app.Request(hint));
        Assert.Equal("/sign-in", page.Address.AbsolutePath);
        Assert.Equal("login_required", (await browser.SignIn(page)).Sent("error"));
        app.CodeFrom(await browser.SignIn(page, login, Given.Password));
        app.CodeFrom(await theirs.Open(app.Request(hint, ("prompt", "none"))));

        async Task<WebPage> SignInAs(Browser their) =>
            await their.Submit(await their.SignIn(await their.Open(app.Request()), login, Given.Password), ("decision", "allow"));
    }

    [Fact]
    public async Task The_discovery_document_offers_the_safe_ways_only()
    {
        var discovery = (await Host.Anonymous.Get("/.well-known/openid-configuration")).ShouldBe(200);

        Assert.Equal(["S256"], discovery["code_challenge_methods_supported"]!.AsArray().Select(word => (string)word!));
        Assert.Equal(["query"], discovery["response_modes_supported"]!.AsArray().Select(word => (string)word!));
        Assert.Equal(["code"], discovery["response_types_supported"]!.AsArray().Select(word => (string)word!));
        Assert.Equal(["authorization_code", "client_credentials", "password", "refresh_token"],
            discovery["grant_types_supported"]!.AsArray().Select(word => (string)word!).Order());
        foreach (var endpoint in new[] { "authorization_endpoint", "end_session_endpoint", "userinfo_endpoint", "token_endpoint", "revocation_endpoint" })
            Assert.StartsWith((string)discovery["issuer"]!, (string?)discovery[endpoint], StringComparison.Ordinal);
        Assert.True((bool)discovery["authorization_response_iss_parameter_supported"]!);
    }

    private static JsonObject Claims(Answer answer) =>
        JsonNode.Parse(Base64Url.DecodeFromChars(((string)answer.ShouldBe(200)["id_token"]!).Split('.')[1]))!.AsObject();
}
