using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>A family is every token that descends from one sign-in.</summary>
public sealed class RefreshTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task A_refresh_token_gives_a_new_pair()
    {
        var first = await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);
        var second = Tokens.Of(await Host.Refresh(first.Refresh));
        var third = Tokens.Of(await Host.Refresh(second.Refresh));

        Assert.Equal(3, new[] { first.Refresh, second.Refresh, third.Refresh }.Distinct().Count());
        (await Host.Call(third.Access)).ShouldBe(200);
    }

    [Fact]
    public async Task Replay_of_a_used_refresh_token_ends_the_whole_family()
    {
        var other = await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);
        var first = await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);
        var second = Tokens.Of(await Host.Refresh(first.Refresh));
        (await Host.Call(first.Access)).ShouldBe(200);
        (await Host.Call(second.Access)).ShouldBe(200);

        Assert.Equal("invalid_grant", (string?)(await Host.Refresh(first.Refresh)).ShouldBe(400)["error"]);

        Assert.Equal("invalid_grant", (string?)(await Host.Refresh(second.Refresh)).ShouldBe(400)["error"]);
        Clock.Advance(TimeSpan.FromSeconds(5));
        (await Host.Call(first.Access)).ShouldRefuse(401, "not_signed_in");
        (await Host.Call(second.Access)).ShouldRefuse(401, "not_signed_in");
        (await Host.Call(other.Access)).ShouldBe(200);
        (await Host.Refresh(other.Refresh)).ShouldBe(200);
    }

    [Fact]
    public async Task A_refresh_token_used_twice_at_once_leaves_nobody_signed_in()
    {
        var first = await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Host.Refresh(first.Refresh)));

        Assert.All(answers, answer => Assert.True(answer.Status is 200 or 400, answer.Text));
        Assert.InRange(answers.Count(answer => answer.Status == 200), 0, 1);
        // Two of them cannot both be the owner, and nobody knows which is: the family ends.
        Clock.Advance(TimeSpan.FromSeconds(5));
        foreach (var tokens in answers.Where(answer => answer.Status == 200).Select(Tokens.Of))
        {
            (await Host.Refresh(tokens.Refresh)).ShouldBe(400);
            (await Host.Call(tokens.Access)).ShouldRefuse(401, "not_signed_in");
        }
        (await Host.Call(first.Access)).ShouldRefuse(401, "not_signed_in");
    }

    [Fact]
    public async Task A_refresh_token_works_for_thirty_days_and_an_access_token_for_fifteen_minutes()
    {
        var tokens = await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);

        Clock.Advance(TimeSpan.FromMinutes(14));
        (await Host.Call(tokens.Access)).ShouldBe(200);
        Clock.Advance(TimeSpan.FromMinutes(2));
        (await Host.Call(tokens.Access)).ShouldRefuse(401, "not_signed_in");

        var later = Tokens.Of(await Host.Refresh(tokens.Refresh));
        (await Host.Call(later.Access)).ShouldBe(200);
        Clock.Advance(TimeSpan.FromDays(31));
        (await Host.Refresh(later.Refresh)).ShouldBe(400);
    }

    [Fact]
    public async Task Without_offline_access_there_is_no_refresh_token()
    {
        var tokens = Tokens.Of(await Host.WithPassword(ApiHost.OperatorLogin, ApiHost.OperatorPassword, scope: "api"));

        Assert.Null(tokens.Refresh);
        (await Host.Call(tokens.Access)).ShouldBe(200);
    }

    [Fact]
    public async Task Revoking_a_refresh_token_signs_the_family_out()
    {
        var tokens = await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);
        (await Host.Call(tokens.Access)).ShouldBe(200);

        (await Host.Revoke(tokens.Refresh!)).ShouldBe(200);

        (await Host.Refresh(tokens.Refresh)).ShouldBe(400);
        Clock.Advance(TimeSpan.FromSeconds(5));
        (await Host.Call(tokens.Access)).ShouldRefuse(401, "not_signed_in");
    }

    [Fact]
    public async Task Revoking_an_access_token_leaves_the_refresh_token()
    {
        var tokens = await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);
        (await Host.Call(tokens.Access)).ShouldBe(200);

        (await Host.Revoke(tokens.Access)).ShouldBe(200);

        Clock.Advance(TimeSpan.FromSeconds(5));
        (await Host.Call(tokens.Access)).ShouldRefuse(401, "not_signed_in");
        (await Host.Refresh(tokens.Refresh)).ShouldBe(200);
    }

    [Fact]
    public async Task What_was_revoked_stops_although_nobody_moves_the_clock()
    {
        var tokens = await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);
        (await Host.Call(tokens.Access)).ShouldBe(200);
        (await Host.Revoke(tokens.Access)).ShouldBe(200);

        await SignIn.Until(401, () => Host.Call(tokens.Access));
    }
}
