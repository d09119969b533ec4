using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>An application that is not the service's own gets what the person agreed to.</summary>
public sealed class ConsentTests(TestDatabases databases) : SignInTest(databases)
{
    [Fact]
    public async Task People_are_asked_once_and_read_what_for()
    {
        using var browser = new Browser(Host);
        var app = Rota();

        var page = await browser.SignIn(await browser.Open(app.Request()));
        Assert.Equal("Allow access?", page.Title);
        Assert.Contains("Duty rota asks for access to your account, Administrator.", page.Text, StringComparison.Ordinal);
        Assert.Contains("see and do in Volunteers what you may see and do", page.Text, StringComparison.Ordinal);
        Assert.Contains("while you are away", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("know the name of your account", page.Text, StringComparison.Ordinal);

        app.CodeFrom(await browser.Submit(page, ("decision", "allow")));
        app.CodeFrom(await browser.Open(app.Request()));
        // In another browser, too: it is the account that agreed.
        using var other = new Browser(Host);
        app.CodeFrom(await other.SignIn(await other.Open(app.Request())));
    }

    [Fact]
    public async Task Whoever_does_not_agree_sends_the_application_away_with_an_error()
    {
        using var browser = new Browser(Host);
        var app = Rota();

        var page = await browser.Submit(await browser.SignIn(await browser.Open(app.Request())), ("decision", "deny"));

        Assert.Equal(("access_denied", app.State), (page.Sent("error"), page.Sent("state")));
        Assert.Equal("Allow access?", (await browser.Open(app.Request())).Title);
    }

    [Fact]
    public async Task More_scopes_are_asked_about_and_fewer_are_not()
    {
        using var browser = new Browser(Host);
        var app = Rota();
        await SignInAndAllow(browser, app, ("scope", "openid api"));

        app.CodeFrom(await browser.Open(app.Request(("scope", "openid"))));
        app.CodeFrom(await browser.Open(app.Request(("scope", "api openid"))));
        var page = await browser.Open(app.Request(("scope", "openid api profile")));
        Assert.Equal("Allow access?", page.Title);
        app.CodeFrom(await browser.Submit(page, ("decision", "allow")));
        app.CodeFrom(await browser.Open(app.Request(("scope", "profile"))));
    }

    [Fact]
    public async Task Consent_of_one_account_or_for_one_application_is_nobody_elses()
    {
        using var browser = new Browser(Host);
        await SignInAndAllow(browser, Rota());

        Assert.Equal("Allow access?", (await browser.Open(Board().Request())).Title);
        var login = await SomebodyElse();
        using var theirs = new Browser(Host);
        Assert.Equal("Allow access?", (await theirs.SignIn(await theirs.Open(Rota().Request()), login, Given.Password)).Title);
    }

    [Fact]
    public async Task Prompt_consent_asks_again_and_no_takes_back_what_was_agreed()
    {
        using var browser = new Browser(Host);
        var app = Rota();
        await SignInAndAllow(browser, app);

        var page = await browser.Open(app.Request(("prompt", "consent")));
        Assert.Equal("Allow access?", page.Title);
        app.CodeFrom(await browser.Submit(page, ("decision", "allow")));
        app.CodeFrom(await browser.Open(app.Request()));

        await browser.Submit(page, ("decision", "deny"));
        Assert.Equal("Allow access?", (await browser.Open(app.Request())).Title);
    }

    [Fact]
    public async Task A_name_of_an_application_is_text_and_not_markup()
    {
        using var browser = new Browser(Host);

        var page = await browser.SignIn(await browser.Open(Board().Request()));

        Assert.Contains("<b>Notice</b> board asks", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>", page.Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_account_can_be_chosen_on_the_page()
    {
        var login = await SomebodyElse();
        using var browser = new Browser(Host);
        var page = await browser.SignIn(await browser.Open(Rota().Request()));

        var another = await browser.Open(System.Net.WebUtility.HtmlDecode(System.Text.RegularExpressions.Regex.Match(page.Html, "<a href=\"([^\"]*)\"").Groups[1].Value));
        page = await browser.SignIn(another, login, Given.Password);

        Assert.Contains("your account, Somebody.", page.Text, StringComparison.Ordinal);
    }
}
