using System.Text.RegularExpressions;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>What comes back from an authority, forged, stolen, repeated, or not at all.</summary>
public sealed class ExternalSignInAttackTests(TestDatabases databases) : ExternalSignInTest(databases)
{
    private const string Failed = "You have not signed in.";

    protected override (string Name, string Value)[] Configuration =>
    [
        .. base.Configuration, ("SignIn:External:1:Id", "another"), ("SignIn:External:1:DisplayName", "Another"), ("SignIn:External:1:Authority", "https://another.example.org"),
        ("SignIn:External:1:ClientId", "x"), ("SignIn:External:1:LinkBy", "email"),
    ];

    [Theory]
    [InlineData("unsigned")]
    [InlineData("strangersKey")]
    [InlineData("nonce")]
    [InlineData("noNonce")]
    [InlineData("issuer")]
    [InlineData("audience")]
    [InlineData("expired")]
    [InlineData("userInfo")]
    public async Task An_identity_that_is_not_what_it_should_be_signs_nobody_in(string lie)
    {
        await AuthorityKnowsTheOperator();
        using var browser = new Browser(Host);
        var back = await GoThere(browser);

        await Authority.Lies(lie);
        var refused = await browser.Open(back);

        Assert.Equal((400, Failed), (refused.Status, refused.Title));
        Assert.Null(browser.SessionCookie);
        // It was the lie: the same way without it leads in.
        await Authority.Lies(null);
        Assert.Equal("You are signed in.", (await browser.Open(await GoThere(browser))).Title);
    }

    [Fact]
    public async Task What_came_back_is_good_once()
    {
        await AuthorityKnowsTheOperator();
        using var browser = new Browser(Host);
        var back = await GoThere(browser);
        Assert.Equal("You are signed in.", (await browser.Open(back)).Title);

        Assert.Equal((400, Failed), await Shown(browser, back));
    }

    [Fact]
    public async Task What_came_back_at_the_same_moment_twice_is_good_once()
    {
        await AuthorityKnowsTheOperator();
        using var browser = new Browser(Host);
        var back = await GoThere(browser);

        var pages = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => browser.Open(back)));

        Assert.InRange(pages.Count(page => page.Title == "You are signed in."), 0, 1);
        Assert.All(pages, page => Assert.InRange(page.Status, 200, 499));
    }

    [Fact]
    public async Task In_another_browser_it_is_worth_nothing()
    {
        await AuthorityKnowsTheOperator();
        using var browser = new Browser(Host);
        using var victims = new Browser(Host);
        await Leave(victims, await victims.Open("/sign-in"));

        Assert.Equal((400, Failed), await Shown(victims, await GoThere(browser)));
        Assert.Null(victims.SessionCookie);
    }

    [Theory]
    [InlineData("state=[^&]*", "state=forged")]
    [InlineData("state=[^&]*", "")]
    [InlineData("state=[^&]*", "state=%00")]
    [InlineData("iss=[^&]*", "iss=https%3A%2F%2Felsewhere.example.org")]
    [InlineData("iss=[^&]*", "")]
    [InlineData("code=[^&]*", "code=forged")]
    [InlineData("code=[^&]*", "")]
    [InlineData("code=[^&]*", "code=%00")]
    [InlineData("office/callback", "another/callback")]
    [InlineData(@"\?.*", "")]
    public async Task An_answer_that_was_changed_on_the_way_is_refused(string part, string by)
    {
        await AuthorityKnowsTheOperator();
        using var browser = new Browser(Host);
        var back = await GoThere(browser);
        var changed = Regex.Replace(back, part, by);
        Assert.NotEqual(back, changed);

        Assert.Equal((400, Failed), await Shown(browser, changed));
        Assert.Null(browser.SessionCookie);
    }

    [Fact]
    public async Task Whoever_takes_too_long_begins_again()
    {
        await AuthorityKnowsTheOperator();
        using var browser = new Browser(Host);
        var back = await GoThere(browser);

        Clock.Advance(TimeSpan.FromMinutes(16));

        Assert.Equal((400, Failed), await Shown(browser, back));
    }

    [Fact]
    public async Task Whoever_thinks_better_of_it_is_led_back_to_where_they_were()
    {
        await AuthorityKnowsTheOperator();
        using var browser = new Browser(Host);
        using var there = new AuthorityBrowser(Authority.Issuer);
        var app = Rota();

        var back = await browser.Open((await there.Cancel(await Leave(browser, await browser.Open(app.Request(("ui_locales", "zh")))))).AbsoluteUri);

        Assert.Equal((400, "尚未登录。"), (back.Status, back.Title));
        var link = System.Net.WebUtility.HtmlDecode(Regex.Match(back.Html, "href=\"(/sign-in[^\"]*)\"").Groups[1].Value);
        Assert.Equal("是否允许访问？", (await browser.SignIn(await browser.Open(link))).Title);
    }

    [Fact]
    public async Task An_authority_that_is_away_is_said_to_be_away()
    {
        await AuthorityKnowsTheOperator();
        using var browser = new Browser(Host);
        var page = await browser.Open(Rota().Request());
        await Authority.Close();

        var away = await Press(browser, page, "/sign-in/external/office");

        Assert.Equal((503, "That does not work at the moment."), (away.Status, away.Title));
        Assert.Contains("Street <i>office</i> cannot be reached", away.Text, StringComparison.Ordinal);
        Assert.Contains("returnUrl=", away.Html, StringComparison.Ordinal);
        Assert.Equal("Allow access?", (await browser.SignIn(page)).Title);
    }

    [Fact]
    public async Task An_authority_that_goes_away_half_way_is_said_to_be_away()
    {
        await AuthorityKnowsTheOperator();
        using var browser = new Browser(Host);
        var back = await GoThere(browser);
        await Authority.Close();

        Assert.Equal((503, "That does not work at the moment."), await Shown(browser, back));
    }

    [Theory]
    [InlineData("broken", 1)]
    [InlineData("metadata", 0)]
    public async Task An_authority_that_is_out_of_order_is_said_to_be(string lie, int afterLeaving)
    {
        await AuthorityKnowsTheOperator();
        using var browser = new Browser(Host);
        if (afterLeaving == 0) await Authority.Lies(lie);
        var page = await browser.Open("/sign-in");
        var shown = await Press(browser, page, "/sign-in/external/office");
        if (afterLeaving == 1)
        {
            using var there = new AuthorityBrowser(Authority.Issuer);
            var back = await there.SignIn(Leaving(shown), "boss");
            await Authority.Lies(lie);
            shown = await browser.Open(back.AbsoluteUri);
        }

        Assert.Equal((503, "That does not work at the moment."), (shown.Status, shown.Title));
    }

    [Theory]
    [InlineData("https://evil.example.org/")]
    [InlineData("//evil.example.org/")]
    [InlineData("/\\evil.example.org/")]
    [InlineData("/connect/authorize@evil.example.org?x=1")]
    [InlineData("javascript:alert(1)")]
    public async Task It_leads_nowhere_else(string returnUrl)
    {
        await AuthorityKnowsTheOperator();
        using var browser = new Browser(Host);
        using var there = new AuthorityBrowser(Authority.Issuer);

        var leaving = await Press(browser, await browser.Open("/sign-in"), "/sign-in/external/office", ("returnUrl", returnUrl));
        var landed = await browser.Open((await there.SignIn(Leaving(leaving), "boss")).AbsoluteUri);

        Assert.Null(landed.LeftFor);
        Assert.Equal(("/sign-in", "You are signed in."), (landed.Address.PathAndQuery, landed.Title));
    }

    [Fact]
    public async Task No_other_site_begins_a_sign_in()
    {
        await AuthorityKnowsTheOperator();
        using var browser = new Browser(Host);

        var posted = await browser.Post("/sign-in/external/office", [new("returnUrl", Rota().Request())]);
        var opened = await browser.Open("/sign-in/external/office");

        Assert.Equal(400, posted.Status);
        Assert.Equal("", posted.Header("Refresh"));
        Assert.Equal(405, opened.Status);
        Assert.Equal(404, (await browser.Post("/sign-in/external/nobody", [])).Status);
    }

    [Fact]
    public async Task The_authority_is_asked_with_all_that_protects_the_answer()
    {
        await AuthorityKnowsTheOperator();
        using var browser = new Browser(Host);

        var leaving = await Press(browser, await browser.Open(Rota().Request(("ui_locales", "zh"))), "/sign-in/external/office");

        var asked = System.Web.HttpUtility.ParseQueryString(Leaving(leaving).Query);
        Assert.Equal(("code", "S256", "zh-CN", "openid email"), (asked["response_type"], asked["code_challenge_method"], asked["ui_locales"], string.Join(' ', asked["scope"]!.Split(' ').OrderDescending())));
        Assert.True(asked["state"]!.Length >= 32 && asked["nonce"]!.Length >= 32 && asked["code_challenge"]!.Length == 43);
        Assert.Equal("no-store", leaving.Header("Cache-Control"));
        Assert.Contains("form-action 'self'", leaving.Header("Content-Security-Policy"), StringComparison.Ordinal);
        var cookie = Assert.Single(leaving.Headers.GetValues("Set-Cookie"), cookie => cookie.StartsWith("volunteers-external", StringComparison.Ordinal));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
    }

    private Task AuthorityKnowsTheOperator() => AuthorityKnows(new { boss = new { email = ApiHost.OperatorLogin, email_verified = true } });

    /// <summary>Signs in at the authority; where it sends the browser back to.</summary>
    private async Task<string> GoThere(Browser browser)
    {
        using var there = new AuthorityBrowser(Authority.Issuer);
        return (await there.SignIn(await Leave(browser, await browser.Open("/sign-in")), "boss")).AbsoluteUri;
    }

    private static async Task<(int Status, string Title)> Shown(Browser browser, string address) => await browser.Open(address) is var page ? (page.Status, page.Title) : default;
}
