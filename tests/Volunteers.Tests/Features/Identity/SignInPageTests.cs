using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>What somebody sees who signs in.</summary>
public sealed class SignInPageTests(TestDatabases databases) : SignInTest(databases)
{
    [Theory]
    [InlineData("en", null, "en", "Sign in")]
    [InlineData("zh-CN", null, "zh-CN", "登录")]
    [InlineData("fr", null, "en", "Sign in")]
    [InlineData("en", "zh", "zh-CN", "登录")]
    [InlineData("zh-CN", "fr en-GB zh", "en", "Sign in")]
    [InlineData("zh-CN", "fr", "zh-CN", "登录")]
    public async Task It_speaks_the_language_that_is_asked_for(string accept, string? locales, string language, string title)
    {
        using var browser = new Browser(Host, accept);

        var page = await browser.Open(Rota().Request(("ui_locales", locales)));
        var refused = await browser.SignIn(page, password: "not-the-password");
        var consent = await browser.SignIn(page);

        Assert.All([page, refused, consent], shown => Assert.Contains($"<html lang=\"{language}\">", shown.Html, StringComparison.Ordinal));
        Assert.Equal(title, page.Title);
        Assert.Equal(language == "en", refused.Text.Contains("wrong", StringComparison.Ordinal));
        Assert.Equal(language == "en" ? "Allow access?" : "是否允许访问？", consent.Title);
    }

    [Fact]
    public async Task Fields_have_labels_and_tell_password_managers_what_they_are()
    {
        using var browser = new Browser(Host);

        var page = await browser.Open(Rota().Request(("login_hint", "someone@example.org")));

        Assert.Contains("<label for=\"login\">E-mail address or phone number</label>", page.Html, StringComparison.Ordinal);
        Assert.Contains("<label for=\"password\">Password</label>", page.Html, StringComparison.Ordinal);
        Assert.Equal(("username", "someone@example.org"), (page.Field("login")["autocomplete"], page.Field("login")["value"]));
        Assert.Equal(("current-password", "password", ""), (page.Field("password")["autocomplete"], page.Field("password")["type"], page.Field("password")["value"]));
        Assert.Contains("To go on to Duty rota.", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("aria-invalid=", page.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page.Html, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_wrong_password_is_said_at_both_fields_and_never_shown_again()
    {
        using var browser = new Browser(Host);

        var refused = await browser.SignIn(await browser.Open(Rota().Request()), "Operator@example.org", "not-the-password");

        Assert.Equal(400, refused.Status);
        Assert.Contains("<p class=\"error\" role=\"alert\" id=\"problem\">The login or the password is wrong", refused.Html, StringComparison.Ordinal);
        Assert.All(new[] { "login", "password" }, field =>
            Assert.Equal(("true", "problem"), (refused.Field(field)["aria-invalid"], refused.Field(field)["aria-describedby"])));
        Assert.Equal("Operator@example.org", refused.Field("login")["value"]);
        Assert.DoesNotContain("not-the-password", refused.Html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "x", "login", "Enter your e-mail address or your phone number.")]
    [InlineData("x", "", "password", "Enter your password.")]
    [InlineData("", "", "login", "Enter your e-mail address or your phone number.")]
    public async Task A_field_left_empty_is_named(string login, string password, string field, string error)
    {
        using var browser = new Browser(Host);

        var refused = await browser.SignIn(await browser.Open(Rota().Request()), login, password);

        Assert.Equal($"{field}-error", refused.Field(field)["aria-describedby"]);
        Assert.Contains($"<p class=\"error\" id=\"{field}-error\">{error}</p>", refused.Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_login_a_wrong_password_and_a_locked_account_look_alike()
    {
        using var browser = new Browser(Host);
        var page = await browser.Open(Rota().Request());

        var unknown = await browser.SignIn(page, "nobody@example.org", "not-the-password");
        var nonsense = await browser.SignIn(page, "' or 1=1 --", new string('x', 100_000));
        for (var i = 0; i < 5; i++) await browser.SignIn(page, password: "not-the-password");
        var locked = await browser.SignIn(page);

        Assert.Null(locked.LeftFor);
        Assert.Equal([unknown.Text, unknown.Text], [nonsense.Text, locked.Text]);
    }

    [Fact]
    public async Task Whoever_signs_in_for_no_application_is_told_who_they_are_and_can_sign_out()
    {
        using var browser = new Browser(Host);

        var page = await browser.SignIn(await browser.Open("/sign-in"));

        Assert.Equal("You are signed in.", page.Title);
        Assert.Contains("you are Administrator", page.Text, StringComparison.Ordinal);
        page = await browser.Submit(await browser.Open("/connect/logout"), ("decision", "signOut"));
        Assert.Equal("You are signed out.", page.Title);
        Assert.Equal("Sign in", (await browser.Open("/sign-in")).Title);
    }

    [Fact]
    public async Task A_session_ends_with_the_working_day()
    {
        using var browser = new Browser(Host);
        await browser.SignIn(await browser.Open("/sign-in"));

        Clock.Advance(TimeSpan.FromHours(11.9));
        Assert.Equal("You are signed in.", (await browser.Open("/sign-in")).Title);
        Clock.Advance(TimeSpan.FromHours(0.2));
        Assert.Equal("Sign in", (await browser.Open("/sign-in")).Title);
    }
}
