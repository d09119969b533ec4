using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

public sealed class PasswordChangeTests(TestDatabases databases) : ApiTest(databases)
{
    private const string New = "another-good-password";

    [Fact]
    public async Task A_changed_password_ends_every_other_sign_in_and_keeps_this_one()
    {
        var (other, mine) = (await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword), await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword));
        var withoutRefresh = Tokens.Of(await Host.WithPassword(ApiHost.OperatorLogin, ApiHost.OperatorPassword, scope: "api"));
        using var browser = new Browser(Host);
        await browser.SignIn(await browser.Open("/sign-in"));
        Assert.Equal("You are signed in.", (await browser.Open("/sign-in")).Title);

        (await Change(mine, ApiHost.OperatorPassword, New)).ShouldBe(204);

        Clock.Advance(TimeSpan.FromSeconds(5));
        (await Host.Call(mine.Access)).ShouldBe(200);
        (await Host.Refresh(mine.Refresh)).ShouldBe(200);
        (await Host.Call(other.Access)).ShouldRefuse(401, "not_signed_in");
        (await Host.Refresh(other.Refresh)).ShouldBe(400);
        (await Host.Call(withoutRefresh.Access)).ShouldRefuse(401, "not_signed_in");
        Assert.Equal("Sign in", (await browser.Open("/sign-in")).Title);
        (await Host.WithPassword(ApiHost.OperatorLogin, ApiHost.OperatorPassword)).ShouldBe(400);
        (await Host.WithPassword(ApiHost.OperatorLogin, New)).ShouldBe(200);
    }

    [Fact]
    public async Task A_wrong_current_password_changes_nothing_and_counts_for_this_session_alone()
    {
        var (stolen, own) = (await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword), await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword));
        for (var i = 0; i < 5; i++) (await Change(stolen, "a-wrong-guess", New)).ShouldRefuse(409, "wrong_password");

        var early = (await Change(stolen, ApiHost.OperatorPassword, New)).ShouldRefuse(429, "too_many_attempts");

        Assert.InRange(int.Parse(early.Header("Retry-After")!, System.Globalization.CultureInfo.InvariantCulture), 1, 60);
        (await Change(Tokens.Of(await Host.Refresh(stolen.Refresh)), ApiHost.OperatorPassword, New)).ShouldRefuse(429, "too_many_attempts");
        (await Change(own, ApiHost.OperatorPassword, New)).ShouldBe(204);
    }

    [Fact]
    public async Task Twenty_guesses_at_the_same_moment_are_held_to_five()
    {
        var stolen = await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Change(stolen, $"a-wrong-guess-{i}", New)));

        Assert.Equal(5, answers.Count(answer => answer.Code == "wrong_password"));
        Assert.Equal(15, answers.Count(answer => answer.Code == "too_many_attempts"));
    }

    [Fact]
    public async Task Of_two_changes_at_once_one_stands()
    {
        var sessions = new List<Tokens>();
        for (var i = 0; i < 6; i++) sessions.Add(await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword));

        var answers = await Task.WhenAll(sessions.Select((session, i) => Change(session, ApiHost.OperatorPassword, $"{New}-{i}")));

        var won = Assert.Single(Enumerable.Range(0, 6), i => answers[i].Status == 204);
        (await Host.WithPassword(ApiHost.OperatorLogin, $"{New}-{won}")).ShouldBe(200);
        (await Host.Refresh(sessions[won].Refresh)).ShouldBe(200);
        foreach (var lost in Enumerable.Range(0, 6).Where(i => i != won)) (await Host.Refresh(sessions[lost].Refresh)).ShouldBe(400);
    }

    [Fact]
    public async Task A_sign_in_with_the_old_password_at_the_moment_of_the_change_does_not_outlive_it()
    {
        for (var round = 0; round < 5; round++)
        {
            var (before, after) = (round == 0 ? ApiHost.OperatorPassword : $"{New}-{round - 1}", $"{New}-{round}");
            var mine = await Host.TokensOf(ApiHost.OperatorLogin, before);

            var rivals = Enumerable.Range(0, 4).Select(_ => Host.WithPassword(ApiHost.OperatorLogin, before)).ToArray();
            (await Change(mine, before, after)).ShouldBe(204);

            foreach (var rival in (await Task.WhenAll(rivals)).Where(answer => answer.Status == 200)) (await Host.Refresh((string?)rival["refresh_token"])).ShouldBe(400);
            Clock.Advance(TimeSpan.FromMinutes(20));
        }
    }

    [Theory]
    [InlineData("password123")]
    [InlineData("PassWord123")]
    [InlineData("woaini1314")]
    [InlineData("88888888")]
    [InlineData("operator@example.org")]
    [InlineData("Operator@EXAMPLE.org")]
    [InlineData("operator")]
    [InlineData("abababababab")]
    [InlineData("Administrator")]
    public async Task A_password_that_others_would_guess_is_refused(string password)
    {
        var mine = await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);

        var refused = (await Change(mine, ApiHost.OperatorPassword, password)).ShouldRefuse(400, "weak_password");

        Assert.NotNull(refused["errors"]!["/newPassword"]);
        (await Host.WithPassword(ApiHost.OperatorLogin, ApiHost.OperatorPassword)).ShouldBe(200);
    }

    [Theory]
    [InlineData("13800138000", "13800138000")]
    [InlineData("13800138000", "8613800138000")]
    [InlineData("13800138000", "+8613800138000")]
    [InlineData("person@example.org", "12345678")]
    public async Task An_account_does_not_begin_with_such_a_password_either(string login, string password)
    {
        var o = await Given.Organization();
        var code = (string)(await o.Admin.Post($"/volunteers/{await o.Volunteer()}/invitation")).ShouldBe(200)["code"]!;

        (await Host.Anonymous.Post("/v1/accounts", new { invitationCode = code, login, password, displayName = "Somebody" })).ShouldRefuse(400, "weak_password");
        (await Host.Anonymous.Post("/v1/accounts", new { invitationCode = code, login, password = Given.Password, displayName = "Somebody" })).ShouldBe(201);
    }

    private async Task<Answer> Change(Tokens tokens, string currentPassword, string newPassword)
    {
        using var http = Host.Http();
        return await Api.With(http, tokens.Access).Put("/v1/me/password", new { currentPassword, newPassword });
    }
}
