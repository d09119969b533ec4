using Microsoft.AspNetCore.WebUtilities;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>OpenID Connect RP-Initiated Logout.</summary>
public sealed class LogoutTests(TestDatabases databases) : SignInTest(databases)
{
    [Fact]
    public async Task Whoever_confirms_is_signed_out_and_goes_back_to_the_application()
    {
        using var browser = new Browser(Host);
        var app = Rota();
        var answer = await app.Exchange(app.CodeFrom(await SignInAndAllow(browser, app)));

        var page = await browser.Open(Logout(("id_token_hint", (string)answer["id_token"]!), ("post_logout_redirect_uri", RotaLeft), ("state", "s 1&2")));
        Assert.Equal("Sign out", page.Title);
        Assert.Contains("You are signed in as Administrator.", page.Text, StringComparison.Ordinal);
        app.CodeFrom(await browser.Open(app.Request()));
        page = await browser.Submit(page, ("decision", "signOut"));

        Assert.Equal(RotaLeft, page.LeftFor!.GetLeftPart(UriPartial.Path));
        Assert.Equal("s 1&2", page.Sent("state"));
        Assert.Null(browser.SessionCookie);
        Assert.Equal("/sign-in", (await browser.Open(app.Request())).Address.AbsolutePath);
    }

    [Fact]
    public async Task A_copy_of_the_cookie_is_worth_nothing_after_signing_out()
    {
        using var browser = new Browser(Host);
        await browser.SignIn(await browser.Open("/sign-in"));
        using var thief = new Browser(Host);
        thief.Cookies.SetCookies(thief.Service, $"volunteers-session={browser.SessionCookie}");
        Assert.Equal("You are signed in.", (await thief.Open("/sign-in")).Title);

        await browser.Submit(await browser.Open("/connect/logout"), ("decision", "signOut"));

        Assert.Equal("Sign in", (await thief.Open("/sign-in")).Title);
        Assert.Null(thief.SessionCookie);
    }

    [Fact]
    public async Task What_was_not_to_outlive_the_browser_ends_with_it()
    {
        using var browser = new Browser(Host);
        var app = Rota();
        var bound = Tokens.Of(await app.Exchange(app.CodeFrom(await SignInAndAllow(browser, app, ("scope", "api")))));
        var staying = Tokens.Of(await app.Exchange(app.CodeFrom(await browser.Submit(await browser.Open(app.Request()), ("decision", "allow")))));
        (await Host.Call(bound.Access)).ShouldBe(200);

        await browser.Submit(await browser.Open("/connect/logout"), ("decision", "signOut"));

        Clock.Advance(TimeSpan.FromSeconds(5));
        (await Host.Call(bound.Access)).ShouldRefuse(401, "not_signed_in");
        (await Host.Call(staying.Access)).ShouldBe(200);
    }

    [Fact]
    public async Task Nobody_is_sent_where_no_application_is_registered()
    {
        foreach (var address in new string[]
                 {
                     "https://evil.example.org/",
                     "https://rota.example.org/left/further",
                     "https://rota.example.org/left?x=1",
                     "https://rota.example.org/",
                     "https://rota.example.org.evil.example/left",
                     "https://rota.example.org@evil.example/left",
                     "//evil.example.org/left",
                     "javascript:alert(1)",
                     "https://rota.example.org/back",
                 })
        {
            using var browser = new Browser(Host);
            await browser.SignIn(await browser.Open("/sign-in"));

            foreach (var request in new[] { Logout(("post_logout_redirect_uri", address)), Logout(("post_logout_redirect_uri", address), ("client_id", "rota")) })
            {
                var page = await browser.Open(request);
                Assert.Null(page.LeftFor);
                Assert.Equal((400, "This sign-in cannot go on."), (page.Status, page.Title));
            }
            Assert.Equal("You are signed in.", (await browser.Open("/sign-in")).Title);
        }
    }

    [Fact]
    public async Task Another_site_cannot_sign_anybody_out()
    {
        using var browser = new Browser(Host);
        await browser.SignIn(await browser.Open("/sign-in"));

        var page = await browser.Post("/connect/logout", [new("decision", "signOut"), new("post_logout_redirect_uri", RotaLeft)]);

        Assert.Equal("Sign out", page.Title);
        Assert.Equal("You are signed in.", (await browser.Open("/sign-in")).Title);
    }

    private static string Logout(params (string Name, string Value)[] parameters) =>
        QueryHelpers.AddQueryString("/connect/logout", parameters.Select(p => KeyValuePair.Create(p.Name, (string?)p.Value)));
}
