using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Data;
using Volunteers.Features.Identity;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>Guessing gets slow, and whoever is not guessing gets in.</summary>
public sealed class LockoutTests(TestDatabases databases) : ApiTest(databases)
{
    private const string Wrong = "not-the-password";
    private const string Home = "127.0.0.1";

    [Fact]
    public async Task After_five_failures_from_an_address_it_waits_a_minute_then_longer_and_never_more_than_a_quarter_of_an_hour()
    {
        for (var i = 0; i < 5; i++) await Refused(Home);

        foreach (var minutes in new[] { 1, 2, 4, 8, 15, 15 })
        {
            Clock.Advance(TimeSpan.FromMinutes(minutes) - TimeSpan.FromSeconds(10));
            Assert.Equal("invalid_grant", (string?)(await SignIn(Home)).ShouldBe(400)["error"]);
            Clock.Advance(TimeSpan.FromSeconds(15));
            await Refused(Home);
        }
        Clock.Advance(TimeSpan.FromMinutes(15));
        (await SignIn(Home)).ShouldBe(200);
    }

    [Fact]
    public async Task Trying_too_early_does_not_make_the_wait_longer()
    {
        for (var i = 0; i < 5; i++) await Refused(Home);
        for (var i = 0; i < 30; i++) await Refused(Home);

        Clock.Advance(TimeSpan.FromSeconds(61));

        (await SignIn(Home)).ShouldBe(200);
    }

    [Fact]
    public async Task A_success_forgets_the_failures_before_it()
    {
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 4; i++) await Refused(Home);
            (await SignIn(Home)).ShouldBe(200);
        }
        Assert.Empty(await Counts(count => count.Failures > 0 && count.Source != "everywhere"));
    }

    [Fact]
    public async Task Failures_are_forgotten_after_a_day()
    {
        for (var i = 0; i < 5; i++) await Refused(Home);
        Clock.Advance(TimeSpan.FromHours(24.1));

        for (var i = 0; i < 4; i++) await Refused(Home);
        (await SignIn(Home)).ShouldBe(200);
    }

    [Fact]
    public async Task Guesses_from_elsewhere_shut_nobody_out_at_home()
    {
        for (var i = 0; i < 12; i++) await Refused("127.0.0.66");

        (await SignIn("127.0.0.66")).ShouldBe(400);
        (await SignIn(Home)).ShouldBe(200);
    }

    [Fact]
    public async Task Twenty_guesses_at_the_same_moment_count_twenty()
    {
        await Task.WhenAll(Enumerable.Range(10, 20).Select(i => Refused($"127.0.0.{i}")));

        Assert.Equal(20, Assert.Single(await Counts(count => count.Source == "everywhere")).Failures);
    }

    [Fact]
    public async Task Of_twenty_guesses_at_the_same_moment_from_one_address_five_are_looked_at()
    {
        var hasher = new CountingHasher();
        await using var host = CountingHasher.In(ConnectionString, hasher);
        await host.WithPasswordFrom(ApiHost.OperatorLogin, ApiHost.OperatorPassword, "127.0.0.99");
        hasher.Looked.Clear();

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => host.WithPasswordFrom(ApiHost.OperatorLogin, Wrong, Home)));

        Assert.Equal(5, hasher.Looked.Count(password => password == Wrong));
        Assert.Equal(5, Assert.Single(await Counts(count => count.Source == $"address {Home}")).Failures);
    }

    [Fact]
    public async Task Guesses_from_everywhere_are_slowed_down_together_and_for_five_minutes_at_most()
    {
        await Task.WhenAll(Enumerable.Range(10, 30).Select(i => Refused($"127.0.0.{i}")));
        for (var i = 0; i < 5; i++)
        {
            Clock.Advance(TimeSpan.FromMinutes(5));
            await Refused($"127.0.1.{i}");
        }

        (await SignIn("127.0.0.200")).ShouldBe(400);
        Clock.Advance(TimeSpan.FromMinutes(5));
        (await SignIn("127.0.0.200")).ShouldBe(200);
    }

    [Fact]
    public async Task A_device_that_signed_in_before_gets_in_while_strangers_guess()
    {
        var token = (string)(await SignIn(Home)).ShouldBe(200)["device_token"]!;
        var refresh = (string)(await SignIn(Home)).ShouldBe(200)["refresh_token"]!;
        await Task.WhenAll(Enumerable.Range(10, 30).Select(i => Refused($"127.0.0.{i}")));
        for (var i = 0; i < 5; i++) await Refused(Home);

        (await SignIn(Home)).ShouldBe(400);
        var known = (await SignIn(Home, ("device_token", token))).ShouldBe(200);
        Assert.NotNull((string?)known["device_token"]);
        (await Host.Refresh(refresh)).ShouldBe(200);
    }

    [Fact]
    public async Task A_device_that_guesses_waits_itself()
    {
        var token = (string)(await SignIn(Home)).ShouldBe(200)["device_token"]!;
        for (var i = 0; i < 5; i++) (await Host.WithPasswordFrom(ApiHost.OperatorLogin, Wrong, Home, ("device_token", token))).ShouldBe(400);

        (await SignIn(Home, ("device_token", token))).ShouldBe(400);
        (await SignIn(Home)).ShouldBe(200);
    }

    [Fact]
    public async Task A_device_is_known_to_its_own_account_alone_for_half_a_year()
    {
        var o = await Given.Organization();
        var (login, _) = await o.Account(await o.Volunteer());
        var token = (string)(await Host.WithPasswordFrom(login, Given.Password, Home)).ShouldBe(200)["device_token"]!;
        for (var i = 0; i < 5; i++) await Refused(Home);

        (await SignIn(Home, ("device_token", token))).ShouldBe(400);
        (await SignIn(Home, ("device_token", "garbage"))).ShouldBe(400);

        Clock.Advance(KnownDevices.Known + TimeSpan.FromDays(1));
        for (var i = 0; i < 5; i++) (await Host.WithPasswordFrom(login, Wrong, Home)).ShouldBe(400);
        (await Host.WithPasswordFrom(login, Given.Password, Home, ("device_token", token))).ShouldBe(400);
    }

    [Fact]
    public async Task Old_counts_are_deleted_and_no_login_is_kept_that_nobody_has()
    {
        await Host.WithPasswordFrom("13700137000", Wrong, Home);
        await Refused(Home);
        var counts = await Counts(_ => true);
        Assert.Equal(2, counts.Count(count => count.Subject == Lockout.PoseAs("13700137000")));
        Assert.All(counts.Where(count => count.Subject == Lockout.PoseAs("13700137000")), count => Assert.EndsWith("-0000-0000-0000-000000000000", $"{count.Subject}", StringComparison.Ordinal));

        await Host.InServices(async services => await Lockout.ForgetOld(services.GetRequiredService<VolunteersDb>(), Clock.GetUtcNow().AddHours(1), Clock.GetUtcNow().AddHours(25), CancellationToken.None));

        Assert.Empty(await Counts(_ => true));
    }

    private async Task Refused(string from) => Assert.Equal("invalid_grant", (string?)(await Host.WithPasswordFrom(ApiHost.OperatorLogin, Wrong, from)).ShouldBe(400)["error"]);

    private Task<Answer> SignIn(string from, params (string, string)[] fields) => Host.WithPasswordFrom(ApiHost.OperatorLogin, ApiHost.OperatorPassword, from, fields);

    private async Task<List<FailureCount>> Counts(Func<FailureCount, bool> which)
    {
        var counts = new List<FailureCount>();
        await Host.InServices(async services => counts = await services.GetRequiredService<VolunteersDb>().Set<FailureCount>().AsNoTracking().ToListAsync());
        return [.. counts.Where(which)];
    }
}
