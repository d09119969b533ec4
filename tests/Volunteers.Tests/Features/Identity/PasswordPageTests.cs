using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>The second step and the forgotten password, in a browser.</summary>
public sealed class PasswordPageTests(TestDatabases databases) : ApiTest(databases)
{
    private const string New = "another-good-password";

    [Fact]
    public async Task With_a_second_factor_the_page_asks_for_a_code_and_then_goes_on_to_the_app()
    {
        var authenticator = await Enrol();
        using var browser = new Browser(Host);
        var app = new CodeFlow(Host);

        var second = await browser.SignIn(await browser.Open(app.Request()));
        Assert.Equal((200, "Second step"), (second.Status, second.Title));
        Assert.Null(browser.SessionCookie);
        Assert.Equal("one-time-code", second.Field("code")["autocomplete"]);
        Assert.Contains("form-action 'self' volunteers:", second.Header("Content-Security-Policy"), StringComparison.Ordinal);

        var wrong = await browser.Submit(second, ("code", "000000"));
        Assert.Equal(400, wrong.Status);
        Assert.Contains("wrong, used or too old", wrong.Text, StringComparison.Ordinal);
        var done = await browser.Submit(wrong, ("code", authenticator.CodeAt(Clock.GetUtcNow())));

        (await Host.Call(Tokens.Of(await app.Exchange(app.CodeFrom(done))).Access)).ShouldBe(200);
        Assert.NotNull(browser.SessionCookie);
    }

    [Fact]
    public async Task The_second_step_is_nothing_without_the_first()
    {
        var authenticator = await Enrol();
        using var browser = new Browser(Host);
        var second = await browser.SignIn(await browser.Open("/sign-in"));

        foreach (var forged in new[] { "", "garbage", second.Form.Fields["firstStep"][..^4] + "AAAA" })
            Assert.Equal(400, (await browser.Submit(second, ("code", authenticator.CodeAt(Clock.GetUtcNow())), ("firstStep", forged))).Status);
        using var stranger = new Browser(Host);
        var (action, fields) = second.Form;
        fields["code"] = authenticator.CodeAt(Clock.GetUtcNow());
        Assert.Equal(400, (await stranger.Post(action, fields)).Status);
        Assert.Null(browser.SessionCookie);

        Clock.Advance(TimeSpan.FromMinutes(6));
        var late = await browser.Submit(second, ("code", authenticator.CodeAt(Clock.GetUtcNow())));
        Assert.Contains("took too long", late.Text, StringComparison.Ordinal);
        Assert.Null(browser.SessionCookie);
    }

    [Fact]
    public async Task The_second_step_ends_when_the_password_is_changed_in_between()
    {
        var api = await Host.SignInAsOperator();
        var authenticator = await Authenticator.Enrol(Host, api, ApiHost.OperatorPassword);
        Clock.Advance(TimeSpan.FromMinutes(2));
        using var browser = new Browser(Host);
        var second = await browser.SignIn(await browser.Open("/sign-in"));
        (await api.Put("/v1/me/password", new { currentPassword = ApiHost.OperatorPassword, newPassword = New })).ShouldBe(204);

        Assert.Equal(400, (await browser.Submit(second, ("code", authenticator.CodeAt(Clock.GetUtcNow())))).Status);
        Assert.Null(browser.SessionCookie);
    }

    [Fact]
    public async Task Guesses_at_the_page_are_held_to_five()
    {
        var authenticator = await Enrol();
        using var browser = new Browser(Host);
        var second = await browser.SignIn(await browser.Open("/sign-in"));

        var pages = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => browser.Submit(second, ("code", $"{i:000000}"))));

        Assert.Equal(5, pages.Count(page => page.Text.Contains("wrong, used or too old", StringComparison.Ordinal)));
        Assert.Equal(400, (await browser.Submit(second, ("code", authenticator.CodeAt(Clock.GetUtcNow())))).Status);
    }

    [Fact]
    public async Task A_browser_that_signed_in_before_gets_in_while_strangers_guess()
    {
        using var browser = new Browser(Host);
        await browser.SignIn(await browser.Open("/sign-in"));
        await Task.WhenAll(Enumerable.Range(10, 30).Select(i => Host.WithPasswordFrom(ApiHost.OperatorLogin, "not-the-password", $"127.0.0.{i}")));

        using var stranger = new Browser(Host);
        Assert.Equal(400, (await stranger.SignIn(await stranger.Open("/sign-in"))).Status);
        var app = new CodeFlow(Host);
        app.CodeFrom(await browser.SignIn(await browser.Open(app.Request(("prompt", "login")))));
    }

    [Theory]
    [InlineData("en", "Forgot your password?", "Set a new password")]
    [InlineData("zh-CN", "忘记密码？", "设置新密码")]
    public async Task Whoever_forgot_the_password_sets_a_new_one_with_the_code_that_was_sent(string language, string link, string title)
    {
        await using var gateway = await Gateway.Start();
        await using var host = new ApiHost(ConnectionString, gateway.Settings);
        using var browser = new Browser(host, language);
        var signIn = await browser.Open("/sign-in");
        Assert.Contains(link, signIn.Text, StringComparison.Ordinal);

        var asking = await browser.Open("/password-reset");
        Assert.Equal(title, asking.Title);
        var setting = await browser.Submit(asking, ("login", ApiHost.OperatorLogin));
        var code = (string)Assert.Single(await gateway.Messages(1))["code"]!;
        Assert.Equal(language, (string?)(await gateway.Messages(1))[0]["language"]);
        Assert.Equal(ApiHost.OperatorLogin, setting.Field("login")["value"]);
        Assert.Equal(("password", "new-password"), (setting.Field("newPassword")["type"], setting.Field("newPassword")["autocomplete"]));

        Assert.Equal(400, (await browser.Submit(setting, ("code", "0000-0000-0000"), ("newPassword", New))).Status);
        Assert.Equal(400, (await browser.Submit(setting, ("code", code), ("newPassword", "password123"))).Status);
        Assert.Equal(200, (await browser.Submit(setting, ("code", code), ("newPassword", New))).Status);

        (await host.WithPassword(ApiHost.OperatorLogin, New)).ShouldBe(200);
    }

    [Fact]
    public async Task The_page_for_a_code_looks_the_same_for_a_login_that_nobody_has()
    {
        using var browser = new Browser(Host);
        var asking = await browser.Open("/password-reset");

        var (known, unknown) = (await browser.Submit(asking, ("login", ApiHost.OperatorLogin)), await browser.Submit(asking, ("login", "nobody@example.org")));

        Assert.Equal(WithoutToken(known, ApiHost.OperatorLogin), WithoutToken(unknown, "nobody@example.org"));
    }

    [Fact]
    public async Task A_code_from_a_coordinator_works_at_the_page_and_leads_back_to_the_app()
    {
        var o = await Given.Organization();
        var volunteer = await o.Volunteer();
        var (login, _) = await o.Account(volunteer);
        var code = (string)(await o.Admin.Post($"/volunteers/{volunteer}/password-reset")).ShouldBe(200)["code"]!;
        using var browser = new Browser(Host);
        var app = new CodeFlow(Host);
        var returnUrl = (await browser.Open(app.Request())).Form.Fields["returnUrl"];

        var setting = await browser.Open("/password-reset/code?returnUrl=" + Uri.EscapeDataString(returnUrl));
        var done = await browser.Submit(setting, ("login", login), ("code", code), ("newPassword", New));

        Assert.Contains("/sign-in?returnUrl=", done.Html, StringComparison.Ordinal);
        app.CodeFrom(await browser.SignIn(await browser.Open("/sign-in?returnUrl=" + Uri.EscapeDataString(returnUrl)), login, New));
    }

    [Theory]
    [InlineData("/password-reset")]
    [InlineData("/password-reset/code")]
    [InlineData("/sign-in/second-factor")]
    public async Task A_form_that_another_site_sends_does_nothing(string path)
    {
        using var browser = new Browser(Host);

        var page = await browser.Post(path, new Dictionary<string, string> { ["login"] = ApiHost.OperatorLogin, ["code"] = "0000-0000-0000", ["newPassword"] = New });

        Assert.Equal(400, page.Status);
    }

    [Fact]
    public async Task Nobody_is_sent_elsewhere_from_these_pages()
    {
        using var browser = new Browser(Host);
        foreach (var path in new[] { "/password-reset", "/password-reset/code" })
        {
            var page = await browser.Open(path + "?returnUrl=https://evil.example.org/");
            Assert.DoesNotContain("evil", page.Html, StringComparison.Ordinal);
            Assert.DoesNotContain("<script", page.Html, StringComparison.OrdinalIgnoreCase);
            Assert.Equal("no-store", page.Header("Cache-Control"));
        }
    }

    private async Task<Authenticator> Enrol()
    {
        var authenticator = await Authenticator.Enrol(Host, await Host.SignInAsOperator(), ApiHost.OperatorPassword);
        Clock.Advance(TimeSpan.FromMinutes(2));
        return authenticator;
    }

    private static string WithoutToken(WebPage page, string login) =>
        page.Html.Replace(page.Form.Fields["formToken"], "", StringComparison.Ordinal).Replace(login, "", StringComparison.Ordinal);
}
