using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using OpenIddict.Abstractions;
using Volunteers.Data;
using Volunteers.Features.Identity;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>People see where they are signed in, and end what they do not know.</summary>
public sealed class SessionTests(TestDatabases databases) : SignInTest(databases)
{
    private const string Phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1";

    [Fact]
    public async Task Browsers_and_clients_are_listed_with_what_tells_them_apart()
    {
        using var browser = new Browser(Host, agent: Phone);
        var app = Rota();
        await SignInAndAllow(browser, app);
        var tokens = Tokens.Of(await app.Exchange(app.CodeFrom(await browser.Open(app.Request()))));
        var password = await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);

        var sessions = await Sessions(tokens);

        Assert.Equal([(null, null, "Safari, iPhone", false), ("rota", "Duty rota", "Safari, iPhone", true), ("volunteers-mobile", "Volunteers mobile app", null, false)],
            sessions.Select(s => ((string?)s["clientId"], (string?)s["clientName"], (string?)s["device"], (bool)s["isCurrent"]!)));
        Assert.Equal([false, false, true], (await Sessions(password)).Select(s => (bool)s["isCurrent"]!));
        Assert.DoesNotContain("127.0.0.1", string.Concat(sessions.Select(s => s.ToJsonString())), StringComparison.Ordinal);
        Assert.DoesNotContain("18_6", string.Concat(sessions.Select(s => s.ToJsonString())), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Last_use_follows_the_renewals()
    {
        var first = await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);
        var started = (DateTimeOffset)(await Sessions(first))[0]["lastUsedAt"]!;

        Clock.Advance(TimeSpan.FromHours(3));
        var second = Tokens.Of(await Host.Refresh(first.Refresh));

        var session = Assert.Single(await Sessions(second));
        Assert.Equal(started, (DateTimeOffset)session["startedAt"]!);
        Assert.True((DateTimeOffset)session["lastUsedAt"]! >= started.AddHours(3));
    }

    [Fact]
    public async Task What_opens_nothing_any_more_is_not_listed()
    {
        using var browser = new Browser(Host);
        var app = Rota();
        // A code that nobody brought.
        await SignInAndAllow(browser, app);
        await Host.WithPassword(ApiHost.OperatorLogin, ApiHost.OperatorPassword, scope: "api");
        await Host.Revoke((await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword)).Refresh!);
        var replayed = await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);
        await Host.Refresh(replayed.Refresh);
        await Host.Refresh(replayed.Refresh);
        Assert.Equal(3, (await Sessions(await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword))).Length);

        Clock.Advance(TimeSpan.FromHours(13));

        Assert.Equal(2, (await Sessions(await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword))).Length);
    }

    [Fact]
    public async Task Ending_a_client_ends_its_tokens_and_no_others()
    {
        var mine = await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);
        var lost = await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);
        (await Host.Call(lost.Access)).ShouldBe(200);
        var session = (await Sessions(mine)).Single(s => !(bool)s["isCurrent"]!);

        (await End(mine, $"/{session["id"]}")).ShouldBe(204);

        Clock.Advance(TimeSpan.FromSeconds(5));
        (await Host.Call(lost.Access)).ShouldRefuse(401, "not_signed_in");
        (await Host.Refresh(lost.Refresh)).ShouldBe(400);
        (await Host.Call(mine.Access)).ShouldBe(200);
        (await End(mine, $"/{session["id"]}")).ShouldRefuse(404, "not_found");
        Assert.Single(await Sessions(mine));
    }

    [Fact]
    public async Task Ending_a_browser_makes_it_sign_in_again()
    {
        using var browser = new Browser(Host);
        var app = Rota();
        var bound = Tokens.Of(await app.Exchange(app.CodeFrom(await SignInAndAllow(browser, app, ("scope", "api")))));
        var mine = await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);
        var session = (await Sessions(mine)).Single(s => s["clientId"] is null);

        (await End(mine, $"/{session["id"]}")).ShouldBe(204);

        Assert.Equal("Sign in", (await browser.Open("/sign-in")).Title);
        Assert.Equal("/sign-in", (await browser.Open(app.Request(("scope", "api")))).Address.AbsolutePath);
        Clock.Advance(TimeSpan.FromSeconds(5));
        (await Host.Call(bound.Access)).ShouldRefuse(401, "not_signed_in");
        Assert.Single(await Sessions(mine));
    }

    [Fact]
    public async Task Ending_all_others_leaves_the_one_that_asks()
    {
        using var browser = new Browser(Host);
        var app = Rota();
        // It hangs on the browser's session, which is one of the others.
        var mine = Tokens.Of(await app.Exchange(app.CodeFrom(await SignInAndAllow(browser, app, ("scope", "api")))));
        var others = new[] { await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword), await new CodeFlow(Host).SignIn(new Browser(Host)) };
        foreach (var other in others) (await Host.Call(other.Access)).ShouldBe(200);

        (await End(mine, "")).ShouldBe(204);

        Clock.Advance(TimeSpan.FromSeconds(5));
        foreach (var other in others)
        {
            (await Host.Call(other.Access)).ShouldRefuse(401, "not_signed_in");
            (await Host.Refresh(other.Refresh)).ShouldBe(400);
        }
        Assert.Equal("Sign in", (await browser.Open("/sign-in")).Title);
        Assert.True((bool)Assert.Single(await Sessions(mine))["isCurrent"]!);
    }

    [Fact]
    public async Task A_sign_in_of_somebody_else_is_not_there()
    {
        var login = await SomebodyElse();
        var theirs = await Host.TokensOf(login, Given.Password);
        var mine = await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);
        var session = Assert.Single(await Sessions(theirs));

        (await End(mine, $"/{session["id"]}")).ShouldRefuse(404, "not_found");
        (await End(mine, "")).ShouldBe(204);

        Clock.Advance(TimeSpan.FromSeconds(5));
        (await Host.Call(theirs.Access)).ShouldBe(200);
        Assert.DoesNotContain(await Sessions(mine), s => (string?)s["id"] == (string?)session["id"]);
    }

    [Fact]
    public async Task A_sign_in_that_begins_while_all_are_being_ended_is_ended_or_seen()
    {
        var mine = await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);
        using var stolen = new Browser(Host);
        await SignInAndAllow(stolen, Rota());
        var apps = Enumerable.Range(0, 8).Select(_ => Rota()).ToArray();

        var opened = apps.Select(app => stolen.Open(app.Request())).ToArray();
        var ended = await End(mine, "");
        var pages = await Task.WhenAll(opened);

        ended.ShouldBe(204);
        // Whoever holds a copy of the cookie holds nothing that outlived the end of everything.
        foreach (var (app, page) in apps.Zip(pages).Where(pair => pair.Second.LeftFor is not null))
            (await app.Exchange(page.Sent("code"))).ShouldBe(400);
        Assert.Single(await Sessions(mine));
    }

    [Fact]
    public async Task What_is_over_is_forgotten_with_the_tokens_after_a_month()
    {
        using var browser = new Browser(Host);
        await new CodeFlow(Host).SignIn(browser, scope: "openid api");
        Assert.Equal(2, await Kept());

        Clock.Advance(TimeSpan.FromDays(40));
        var before = Clock.GetUtcNow().AddDays(-31);
        await Host.InServices(async services =>
        {
            await services.GetRequiredService<IOpenIddictTokenManager>().PruneAsync(before);
            await services.GetRequiredService<IOpenIddictAuthorizationManager>().PruneAsync(before);
            await services.GetRequiredService<VolunteersDb>().ForgetBrowserSessions(before, CancellationToken.None);
        });

        Assert.Equal(0, await Kept());
    }

    private async Task<int> Kept()
    {
        var kept = -1;
        await Host.InServices(async services => kept = await services.GetRequiredService<VolunteersDb>().SignInSessions.CountAsync(TestContext.Current.CancellationToken));
        return kept;
    }

    private async Task<JsonNode[]> Sessions(Tokens tokens) => [.. (await Host.Call(tokens.Access, "/v1/me/sessions")).ShouldBe(200).Items.Select(item => item!)];

    private async Task<Answer> End(Tokens tokens, string path)
    {
        using var http = Host.Http();
        return await Api.With(http, tokens.Access).Delete("/v1/me/sessions" + path);
    }
}
