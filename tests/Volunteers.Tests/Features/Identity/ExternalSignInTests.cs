using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>Signing in at an authority that is not ours: who gets in, and who does not.</summary>
public sealed class ExternalSignInTests(TestDatabases databases) : ExternalSignInTest(databases)
{
    [Fact]
    public async Task Somebody_whose_address_is_verified_there_gets_tokens_of_ours()
    {
        var (login, id) = await Member();
        await AuthorityKnows(new { anna = new { email = login.ToUpperInvariant(), email_verified = true } });
        using var browser = new Browser(Host);
        var app = Rota();

        var consent = await SignInElsewhere(browser, app.Request(), "anna");
        var tokens = Tokens.Of(await app.Exchange(app.CodeFrom(await browser.Submit(consent, ("decision", "allow")))));

        var me = Api.With(Host.Http(), tokens.Access);
        Assert.Equal((id, login), ((await me.Get("/v1/me")).ShouldBe(200).Id, (string?)(await me.Get("/v1/me"))["login"]));
        Assert.Equal(["rota", null], (await me.Get("/v1/me/sessions")).ShouldBe(200).Items.Select(session => (string?)session!["clientId"]).OrderDescending());
    }

    [Fact]
    public async Task Once_linked_it_is_the_person_that_counts_and_no_longer_the_address()
    {
        var (login, _) = await Member();
        var (another, _) = await Member();
        await AuthorityKnows(new { anna = new { email = login, email_verified = true } });
        using (var first = new Browser(Host)) Assert.Equal("You are signed in.", (await SignInElsewhere(first, "/sign-in", "anna")).Title);

        // Anna has another address now, and somebody else has hers.
        await AuthorityKnows(new { anna = new { email = another, email_verified = true }, berta = new { email = login, email_verified = true } });

        using var annas = new Browser(Host);
        await SignInElsewhere(annas, "/sign-in", "anna");
        Assert.Equal(login, await WhoIs(annas));
        using var bertas = new Browser(Host);
        Assert.Equal("This cannot be linked.", (await SignInElsewhere(bertas, "/sign-in", "berta")).Title);
        Assert.Null(bertas.SessionCookie);
    }

    [Theory]
    [InlineData("unverified")]
    [InlineData("silent")]
    [InlineData("text")]
    [InlineData("addressless")]
    public async Task An_address_that_is_not_verified_opens_no_account(string person)
    {
        var (login, _) = await Member();
        await AuthorityKnows(new
        {
            unverified = new { email = login, email_verified = (object)false }, silent = new { email = login }, text = new { email = login, email_verified = (object)"yes" }, addressless = new { email_verified = true },
        });
        using var browser = new Browser(Host);

        var refused = await SignInElsewhere(browser, "/sign-in", person);

        Assert.Equal((400, "Your account was not found."), (refused.Status, refused.Title));
        Assert.Contains("Street <i>office</i> does not say that it has verified", refused.Text, StringComparison.Ordinal);
        Assert.Null(browser.SessionCookie);
    }

    [Fact]
    public async Task Somebody_whom_nobody_here_knows_is_told_so_and_gets_no_account()
    {
        await AuthorityKnows(new { stranger = new { email = "stranger@example.org", email_verified = true } });
        using var browser = new Browser(Host, "zh-CN");

        var refused = await SignInElsewhere(browser, Rota().Request(), "stranger");

        Assert.Equal((400, "没有找到您的账号。"), (refused.Status, refused.Title));
        Assert.Contains("returnUrl=", refused.Html, StringComparison.Ordinal);
        Assert.Null(browser.SessionCookie);
        Assert.Null(await browser.Open("/sign-in") is { Title: "登录" } ? null : "signed in");
    }

    [Fact]
    public async Task A_second_factor_of_ours_is_asked_for_all_the_same()
    {
        var (login, _) = await Member();
        var app = await Authenticator.Enrol(Host, await Host.SignIn(login, Given.Password), Given.Password);
        await AuthorityKnows(new { anna = new { email = login, email_verified = true } });
        using var browser = new Browser(Host);

        var asked = await SignInElsewhere(browser, Rota().Request(), "anna");

        Assert.Equal("Second step", asked.Title);
        Assert.Null(browser.SessionCookie);
        var wrong = await browser.Submit(asked, ("code", "000000"));
        Assert.Equal(400, wrong.Status);
        Assert.Null(browser.SessionCookie);
        Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("Allow access?", (await browser.Submit(wrong, ("code", app.CodeAt(Clock.GetUtcNow())))).Title);
    }

    [Fact]
    public async Task An_administrator_without_a_second_factor_is_held_to_the_rule_however_they_sign_in()
    {
        await using var strict = new ApiHost(ConnectionString, [.. Configuration, ("SignIn:RequireSecondFactorForAdministrators", "true")]);
        using (var http = strict.Http())
            await Authority.Knows(new Uri(http.BaseAddress!, $"/sign-in/external/{Name}/callback").AbsoluteUri, new { boss = new { email = ApiHost.OperatorLogin, email_verified = true } });
        using var browser = new Browser(strict);
        var app = new CodeFlow(strict, "rota", RotaRedirect);

        var allowed = await browser.Submit(await SignInElsewhere(browser, app.Request(), "boss"), ("decision", "allow"));
        var boss = Api.With(strict.Http(), Tokens.Of(await app.Exchange(app.CodeFrom(allowed))).Access);

        (await boss.Get("/v1/organizations")).ShouldRefuse(403, "second_factor_required");
        (await boss.Get("/v1/me")).ShouldBe(200);
    }

    [Fact]
    public async Task It_needs_no_password_and_no_patience_after_others_have_guessed_passwords()
    {
        var (login, _) = await Member();
        await AuthorityKnows(new { anna = new { email = login, email_verified = true } });
        for (var i = 0; i < 8; i++) (await Host.WithPassword(login, "not-the-password")).ShouldBe(400);
        using var browser = new Browser(Host);

        await SignInElsewhere(browser, "/sign-in", "anna");

        Assert.Equal(login, await WhoIs(browser));
        // And it is no way around the wait either.
        (await Host.WithPassword(login, Given.Password)).ShouldBe(400);
    }

    [Fact]
    public async Task Two_browsers_at_the_same_moment_are_one_person()
    {
        var (login, _) = await Member();
        await AuthorityKnows(new { anna = new { email = login, email_verified = true } });
        var browsers = Enumerable.Range(0, 4).Select(_ => new Browser(Host)).ToArray();
        var answers = await Task.WhenAll(browsers.Select(async browser =>
        {
            using var there = new AuthorityBrowser(Authority.Issuer);
            return (browser, back: await there.SignIn(await Leave(browser, await browser.Open("/sign-in")), "anna"));
        }));

        var pages = await Task.WhenAll(answers.Select(answer => answer.browser.Open(answer.back.AbsoluteUri)));

        Assert.All(pages, page => Assert.Equal("You are signed in.", page.Title));
        Assert.Single((await (await Host.SignIn(login, Given.Password)).Get("/v1/me/external-sign-ins")).ShouldBe(200).Items);
        Array.ForEach(browsers, browser => browser.Dispose());
    }

    [Fact]
    public async Task An_application_that_asks_for_a_new_sign_in_gets_one()
    {
        var (login, _) = await Member();
        await AuthorityKnows(new { anna = new { email = login, email_verified = true } });
        using var browser = new Browser(Host);
        using var there = new AuthorityBrowser(Authority.Issuer);
        await browser.Open((await there.SignIn(await Leave(browser, await browser.Open("/sign-in")), "anna")).AbsoluteUri);

        // It is known there by now, and not asked again, unless we say so.
        using var second = new Browser(Host);
        await there.SignIn(await Leave(second, await second.Open(Rota().Request())), "anna");
        Assert.False(there.WasAsked);
        foreach (var (parameter, value) in new[] { ("prompt", "login"), ("max_age", "60") })
        {
            using var third = new Browser(Host);
            var back = await there.SignIn(await Leave(third, await third.Open(Rota().Request((parameter, value)))), "anna");
            Assert.True(there.WasAsked);
            Assert.Equal("Allow access?", (await third.Open(back.AbsoluteUri)).Title);
        }
    }

    [Fact]
    public async Task Whoever_takes_the_wish_for_a_new_sign_in_out_of_the_address_is_refused()
    {
        var (login, _) = await Member();
        await AuthorityKnows(new { anna = new { email = login, email_verified = true } });
        using var browser = new Browser(Host);
        using var there = new AuthorityBrowser(Authority.Issuer);
        var asked = await Leave(browser, await browser.Open(Rota().Request(("prompt", "login"))));
        var parameters = System.Web.HttpUtility.ParseQueryString(asked.Query);
        parameters.Remove("prompt");
        parameters.Remove("max_age");

        var back = await there.SignIn(new UriBuilder(asked) { Query = parameters.ToString() }.Uri, "anna");

        Assert.Contains("once more", (await browser.Open(back.AbsoluteUri)).Text, StringComparison.Ordinal);
        Assert.Null(browser.SessionCookie);
    }

    /// <summary>The login of whoever is signed in in this browser.</summary>
    private async Task<string?> WhoIs(Browser browser)
    {
        var app = Rota();
        var page = await browser.Open(app.Request());
        if (page.LeftFor is null) page = await browser.Submit(page, ("decision", "allow"));
        using var http = Host.Http();
        return (string?)(await Api.With(http, Tokens.Of(await app.Exchange(app.CodeFrom(page))).Access).Get("/v1/me")).ShouldBe(200)["login"];
    }
}
