using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Data;
using Volunteers.Features.Identity;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

public sealed class SecondFactorTests(TestDatabases databases) : ApiTest(databases)
{
    private Api api = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        api = await Host.SignInAsOperator();
    }

    /// <summary>RFC 6238, appendix B.</summary>
    [Theory]
    [InlineData(59, "94287082")]
    [InlineData(1111111109, "07081804")]
    [InlineData(1111111111, "14050471")]
    [InlineData(1234567890, "89005924")]
    [InlineData(2000000000, "69279037")]
    [InlineData(20000000000, "65353130")]
    public void The_app_of_these_tests_is_that_of_the_RFC(long at, string code) =>
        Assert.Equal(code, new Authenticator(Encoding.ASCII.GetBytes("12345678901234567890")).CodeAt(DateTimeOffset.FromUnixTimeSeconds(at), digits: 8));

    [Fact]
    public async Task An_app_that_others_wrote_reads_the_picture_and_shows_the_code_that_signs_in()
    {
        var begun = (await api.Post("/v1/me/second-factor")).ShouldBe(200);
        Assert.Equal("no-store", begun.Header("Cache-Control"));

        var uri = (string?)(await NodeReader.Read("read-qr.mjs", Encoding.UTF8.GetBytes((string)begun["svg"]!)))["content"];
        Assert.Equal((string)begun["uri"]!, uri);
        var shown = await NodeReader.Read("read-otpauth.mjs", JsonSerializer.SerializeToUtf8Bytes(new { uri, at = Clock.GetUtcNow().ToUnixTimeSeconds() }));

        Assert.Equal(("Volunteers", $"Volunteers:{ApiHost.OperatorLogin}"), ((string)shown["issuer"]!, (string)shown["label"]!));
        (await Confirm((string)shown["code"]!)).ShouldBe(200);
        Clock.Advance(TimeSpan.FromSeconds(30));
        var next = await NodeReader.Read("read-otpauth.mjs", JsonSerializer.SerializeToUtf8Bytes(new { uri, at = Clock.GetUtcNow().ToUnixTimeSeconds() }));
        (await SignIn((string)next["code"]!)).ShouldBe(200);
    }

    [Fact]
    public async Task The_password_alone_no_longer_signs_in()
    {
        var app = await Enrol();

        var asked = (await SignIn(null)).ShouldBe(400);
        Assert.Equal(("invalid_grant", "second_factor_required"), ((string)asked["error"]!, (string)asked["error_code"]!));
        var wrong = (await SignIn("000000")).ShouldBe(400);
        Assert.Equal(("invalid_grant", "second_factor_wrong"), ((string)wrong["error"]!, (string)wrong["error_code"]!));

        Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.NotNull((string?)(await SignIn(app.CodeAt(Clock.GetUtcNow()))).ShouldBe(200)["access_token"]);
    }

    [Fact]
    public async Task Only_the_right_password_says_that_there_is_a_second_factor()
    {
        var app = await Enrol();
        Clock.Advance(TimeSpan.FromSeconds(30));

        var wrong = await Host.WithPasswordFrom(ApiHost.OperatorLogin, "not-the-password", "127.0.0.1", ("second_factor_code", app.CodeAt(Clock.GetUtcNow())));
        var unknown = await Host.WithPasswordFrom("nobody@example.org", "not-the-password", "127.0.0.1");

        Assert.Equal(unknown.ShouldBe(400).Text, wrong.ShouldBe(400).Text);
        Assert.Null(wrong["error_code"]);
        (await SignIn(app.CodeAt(Clock.GetUtcNow()))).ShouldBe(200);
    }

    [Theory]
    [InlineData(-30, true)]
    [InlineData(30, true)]
    [InlineData(-90, false)]
    [InlineData(90, false)]
    public async Task A_code_may_be_a_half_minute_early_or_late(int seconds, bool accepted)
    {
        var app = await Enrol();
        Clock.Advance(TimeSpan.FromMinutes(10));

        Assert.Equal(accepted ? 200 : 400, (await SignIn(app.CodeAt(Clock.GetUtcNow().AddSeconds(seconds)))).Status);
    }

    [Fact]
    public async Task A_code_is_good_once_and_none_before_it_either()
    {
        var app = await Enrol();
        (await SignIn(app.CodeAt(Clock.GetUtcNow()))).ShouldBe(400);
        Clock.Advance(TimeSpan.FromMinutes(2));
        var (code, before) = (app.CodeAt(Clock.GetUtcNow()), app.CodeAt(Clock.GetUtcNow().AddSeconds(-30)));

        (await SignIn(code)).ShouldBe(200);
        (await SignIn(code)).ShouldBe(400);
        (await SignIn(before)).ShouldBe(400);
    }

    [Fact]
    public async Task Of_many_who_bring_one_code_at_once_one_signs_in()
    {
        var app = await Enrol();
        Clock.Advance(TimeSpan.FromMinutes(2));
        var code = app.CodeAt(Clock.GetUtcNow());

        var answers = await Task.WhenAll(Enumerable.Range(10, 8).Select(i => SignIn(code, $"127.0.0.{i}")));

        Assert.Single(answers, answer => answer.Status == 200);
        Assert.All(answers.Where(answer => answer.Status != 200), answer => Assert.Equal("second_factor_wrong", (string?)answer["error_code"]));
    }

    [Fact]
    public async Task A_recovery_code_signs_in_once_however_many_bring_it()
    {
        var app = await Enrol();
        Assert.Equal(10, app.RecoveryCodes.Distinct().Count());

        var answers = await Task.WhenAll(Enumerable.Range(10, 8).Select(i => SignIn(app.RecoveryCodes[0], $"127.0.0.{i}")));

        Assert.Single(answers, answer => answer.Status == 200);
        (await SignIn(app.RecoveryCodes[0])).ShouldBe(400);
        (await SignIn(app.RecoveryCodes[1].ToLowerInvariant().Replace("-", "", StringComparison.Ordinal))).ShouldBe(200);
        Assert.Equal(8, (int)(await api.Get("/v1/me/second-factor")).ShouldBe(200)["recoveryCodesLeft"]!);
    }

    [Fact]
    public async Task Guesses_at_the_code_are_held_to_five_although_the_password_is_right()
    {
        var app = await Enrol();
        Clock.Advance(TimeSpan.FromMinutes(2));

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => SignIn($"{i:000000}")));

        Assert.Equal(5, answers.Count(answer => (string?)answer["error_code"] == "second_factor_wrong"));
        Assert.Null((await SignIn(app.CodeAt(Clock.GetUtcNow()))).ShouldBe(400)["error_code"]);
    }

    [Fact]
    public async Task Asking_which_step_comes_next_neither_counts_nor_takes_failures_back()
    {
        var app = await Enrol();
        for (var i = 0; i < 20; i++) Assert.Equal("second_factor_required", (string?)(await SignIn(null)).ShouldBe(400)["error_code"]);
        for (var i = 0; i < 4; i++) (await SignIn("000000")).ShouldBe(400);
        for (var i = 0; i < 3; i++) (await SignIn(null)).ShouldBe(400);
        (await SignIn("000000")).ShouldBe(400);

        Clock.Advance(TimeSpan.FromSeconds(30));
        (await SignIn(app.CodeAt(Clock.GetUtcNow()))).ShouldBe(400);
        Clock.Advance(TimeSpan.FromSeconds(40));
        (await SignIn(app.CodeAt(Clock.GetUtcNow()))).ShouldBe(200);
    }

    [Fact]
    public async Task Turning_it_on_needs_the_password_and_ends_every_other_sign_in()
    {
        var other = await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);
        var app = Authenticator.Of((await api.Post("/v1/me/second-factor")).ShouldBe(200).Body!);

        (await Confirm(app.CodeAt(Clock.GetUtcNow()), "not-the-password")).ShouldRefuse(409, "wrong_password");
        (await Confirm("000000")).ShouldRefuse(409, "wrong_code");
        (await Host.WithPassword(ApiHost.OperatorLogin, ApiHost.OperatorPassword)).ShouldBe(200);
        (await Confirm(app.CodeAt(Clock.GetUtcNow()))).ShouldBe(200);

        (await Host.Refresh(other.Refresh)).ShouldBe(400);
        (await api.Get("/v1/me")).ShouldBe(200);
        (await api.Post("/v1/me/second-factor")).ShouldRefuse(409, "second_factor_on");
        (await Confirm(app.CodeAt(Clock.GetUtcNow()))).ShouldRefuse(409, "wrong_code");
    }

    [Fact]
    public async Task Of_two_who_confirm_at_once_one_gets_recovery_codes_and_those_work()
    {
        var app = Authenticator.Of((await api.Post("/v1/me/second-factor")).ShouldBe(200).Body!);

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Confirm(app.CodeAt(Clock.GetUtcNow()))));

        var won = Assert.Single(answers, answer => answer.Status == 200);
        Assert.Equal(10, (int)(await api.Get("/v1/me/second-factor"))["recoveryCodesLeft"]!);
        (await SignIn((string)won["codes"]![0]!)).ShouldBe(200);
    }

    [Fact]
    public async Task A_secret_that_was_begun_anew_is_the_only_one()
    {
        var first = Authenticator.Of((await api.Post("/v1/me/second-factor")).ShouldBe(200).Body!);
        var second = Authenticator.Of((await api.Post("/v1/me/second-factor")).ShouldBe(200).Body!);

        (await Confirm(first.CodeAt(Clock.GetUtcNow()))).ShouldRefuse(409, "wrong_code");
        (await Confirm(second.CodeAt(Clock.GetUtcNow()))).ShouldBe(200);
    }

    [Fact]
    public async Task New_recovery_codes_end_the_old_ones()
    {
        var app = await Enrol();

        (await api.Put("/v1/me/second-factor/recovery-codes", new { code = "000000" })).ShouldRefuse(409, "wrong_code");
        var renewed = (await api.Put("/v1/me/second-factor/recovery-codes", new { code = app.RecoveryCodes[3] })).ShouldBe(200);

        Assert.Equal("no-store", renewed.Header("Cache-Control"));
        Assert.Equal(10, renewed["codes"]!.AsArray().Count);
        (await SignIn(app.RecoveryCodes[0])).ShouldBe(400);
        (await SignIn((string)renewed["codes"]![0]!)).ShouldBe(200);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_is_removed_with_the_password_or_a_code_and_with_nothing_else(bool byCode)
    {
        var app = await Enrol();
        (await api.Delete("/v1/me/second-factor")).ShouldBe(400);
        (await Remove(new { })).ShouldRefuse(400, "invalid_request");
        (await Remove(new { password = "not-the-password" })).ShouldRefuse(409, "wrong_password");
        (await Remove(new { code = "000000" })).ShouldRefuse(409, "wrong_code");
        Clock.Advance(TimeSpan.FromSeconds(30));

        (await Remove(byCode ? new { code = app.CodeAt(Clock.GetUtcNow()) } : new { password = ApiHost.OperatorPassword })).ShouldBe(204);

        (await SignIn(null)).ShouldBe(200);
        Assert.Equal(0, (int)(await api.Get("/v1/me/second-factor")).ShouldBe(200)["recoveryCodesLeft"]!);
    }

    [Fact]
    public async Task Whoever_stole_a_token_guesses_five_times_and_turns_nothing_off()
    {
        await Enrol();

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Remove(new { code = $"{i:000000}" })));

        Assert.Equal(5, answers.Count(answer => answer.Code == "wrong_code"));
        (await Remove(new { password = ApiHost.OperatorPassword })).ShouldRefuse(429, "too_many_attempts");
        Assert.NotNull((string?)(await api.Get("/v1/me/second-factor"))["confirmedAt"]);
    }

    [Fact]
    public async Task Neither_secret_nor_recovery_codes_can_be_read_in_the_database()
    {
        var begun = (await api.Post("/v1/me/second-factor")).ShouldBe(200);
        var app = Authenticator.Of(begun.Body!);
        var codes = (await Confirm(app.CodeAt(Clock.GetUtcNow()))).ShouldBe(200)["codes"]!.AsArray();

        await Host.InServices(async services =>
        {
            var db = services.GetRequiredService<VolunteersDb>();
            var kept = await db.SecondFactors.AsNoTracking().SingleAsync();
            Assert.Equal(-1, kept.Protected.AsSpan().IndexOf(OtpNet.Base32Encoding.ToBytes((string)begun["secret"]!)));
            var hashes = await db.Set<RecoveryCode>().AsNoTracking().Select(code => code.Hash).ToListAsync();
            Assert.DoesNotContain(hashes, hash => codes.Any(code => hash.AsSpan().IndexOf(Encoding.ASCII.GetBytes((string)code!)) >= 0));
        });
    }

    private Task<Authenticator> Enrol() => Authenticator.Enrol(Host, api, ApiHost.OperatorPassword);

    private Task<Answer> Confirm(string code, string password = ApiHost.OperatorPassword) => api.Put("/v1/me/second-factor", new { code, password });

    private Task<Answer> Remove(object proof) => api.Send(HttpMethod.Delete, "/v1/me/second-factor", proof);

    private Task<Answer> SignIn(string? code, string from = "127.0.0.1") => code is null
        ? Host.WithPasswordFrom(ApiHost.OperatorLogin, ApiHost.OperatorPassword, from)
        : Host.WithPasswordFrom(ApiHost.OperatorLogin, ApiHost.OperatorPassword, from, ("second_factor_code", code));
}
