using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Npgsql;
using Volunteers.Features.Identity;
using Volunteers.Platform;
using Volunteers.Tests.Support;
using Xunit;
using Answer = Volunteers.Tests.Support.Answer;

namespace Volunteers.Tests.Features.Identity;

public sealed class SignInLimitTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task An_address_may_try_so_often_and_is_told_so_as_OAuth_clients_read_it()
    {
        await using var host = Limited(("SignInsPerMinute", 3));

        (await Try(host, "198.51.100.7", "a@example.org")).ShouldBe(400);
        (await Try(host, "198.51.100.7", "b@example.org")).ShouldBe(400);
        // The hash of a new account's password costs the same.
        (await host.Anonymous.Post("/v1/accounts", new { }, ("X-Forwarded-For", "198.51.100.7"))).ShouldBe(400);
        var refused = (await Try(host, "198.51.100.7", ApiHost.OperatorLogin, ApiHost.OperatorPassword)).ShouldBe(429);

        Assert.Equal("temporarily_unavailable", (string?)refused["error"]);
        Assert.Equal("application/json", refused.ContentHeaders.ContentType?.MediaType);
        Assert.Equal("no-store", refused.Header("Cache-Control"));
        (await host.Anonymous.Post("/v1/accounts", new { }, ("X-Forwarded-For", "198.51.100.7"))).ShouldRefuse(429, "too_many_requests");
        (await host.Anonymous.Get("/v1/me", ("X-Forwarded-For", "198.51.100.7"))).ShouldBe(401);
        (await Try(host, "198.51.100.8", ApiHost.OperatorLogin, ApiHost.OperatorPassword)).ShouldBe(200);
        host.Clock.Advance(RetryAfter(refused));
        (await Try(host, "198.51.100.7", ApiHost.OperatorLogin, ApiHost.OperatorPassword)).ShouldBe(200);
    }

    [Fact]
    public async Task A_login_may_be_tried_so_often_however_it_is_written_and_no_password_is_looked_at_after_that()
    {
        await using var host = Limited(("SignInsPerMinuteAndLogin", 6));

        (await Try(host, "198.51.100.7", "OPERATOR@Example.ORG")).ShouldBe(400);
        (await Try(host, "198.51.100.7", " operator@example.org")).ShouldBe(400);
        for (var i = 0; i < 5; i++) (await Try(host, "198.51.100.7", ApiHost.OperatorLogin)).ShouldBe(429);
        (await Try(host, "198.51.100.7", "somebody@example.org")).ShouldBe(400);
        Assert.Equal(2, await Failures());

        // What one stranger used up is a third; the account's owner, elsewhere, signs in.
        (await Try(host, "198.51.100.8", ApiHost.OperatorLogin, ApiHost.OperatorPassword)).ShouldBe(200);
        (await Try(host, "198.51.100.8", ApiHost.OperatorLogin)).ShouldBe(400);
        (await Try(host, "198.51.100.9", ApiHost.OperatorLogin)).ShouldBe(400);
        (await Try(host, "198.51.100.9", ApiHost.OperatorLogin)).ShouldBe(400);
        var refused = (await Try(host, "198.51.100.10", ApiHost.OperatorLogin, ApiHost.OperatorPassword)).ShouldBe(429);
        Assert.Equal("temporarily_unavailable", (string?)refused["error"]);
        Assert.Equal(5, await Failures());

        host.Clock.Advance(RetryAfter(refused));
        (await Try(host, "198.51.100.10", ApiHost.OperatorLogin, ApiHost.OperatorPassword)).ShouldBe(200);
    }

    [Fact]
    public async Task A_login_that_nobody_has_is_limited_alike()
    {
        await using var host = Limited(("SignInsPerMinuteAndLogin", 6));

        foreach (var login in new[] { ApiHost.OperatorLogin, "nobody@example.org", "' or 1=1 --", new string('x', 100_000) })
        {
            (await Try(host, "198.51.100.7", login)).ShouldBe(400);
            (await Try(host, "198.51.100.7", login)).ShouldBe(400);
            (await Try(host, "198.51.100.7", login)).ShouldBe(429);
        }
    }

    [Fact]
    public async Task A_client_is_limited_wherever_its_name_stands_in_the_request()
    {
        var o = await Given.Organization();
        var (client, other) = (await o.Client(), await o.Client());
        await using var host = Limited(("SignInsPerMinuteAndLogin", 6));

        (await InHeader(host, "198.51.100.7", client)).ShouldBe(200);
        (await InHeader(host, "198.51.100.7", client with { Secret = "wrong" })).ShouldBe(401);
        (await InHeader(host, "198.51.100.7", client)).ShouldBe(429);
        (await InForm(host, "198.51.100.7", client)).ShouldBe(429);
        (await InForm(host, "198.51.100.7", other)).ShouldBe(200);
        (await InForm(host, "198.51.100.8", client)).ShouldBe(200);
    }

    [Fact]
    public async Task A_refresh_is_no_attempt()
    {
        await using var host = Limited(("SignInsPerMinuteAndLogin", 1));
        var tokens = await host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);

        for (var i = 0; i < 3; i++) tokens = Tokens.Of(await host.Refresh(tokens.Refresh));
        (await host.WithPassword(ApiHost.OperatorLogin, ApiHost.OperatorPassword)).ShouldBe(429);
    }

    [Fact]
    public void Logins_and_addresses_that_are_invented_do_not_grow_what_is_remembered()
    {
        var attempts = new SignInAttempts(Options.Create(new RateLimits()), TimeProvider.System);
        var http = new DefaultHttpContext();

        for (var i = 0; i < 250_000; i++)
        {
            http.Connection.RemoteIpAddress = new IPAddress([0x20, 1, 0xd, 0xb8, 0, (byte)(i >> 16), (byte)(i >> 8), (byte)i, 0, 0, 0, 0, 0, 0, 0, 1]);
            attempts.Try(http, $"{i}@example.org");
        }

        Assert.InRange(attempts.Remembered, 1, 200_000);
    }

    private static Task<Answer> Try(ApiHost host, string address, string login, string password = "wrong") =>
        Ask(host, address, null, ("grant_type", "password"), ("client_id", "volunteers-mobile"), ("username", login), ("password", password), ("scope", "api"));

    private static Task<Answer> InForm(ApiHost host, string address, MadeClient client) =>
        Ask(host, address, null, ("grant_type", "client_credentials"), ("client_id", client.ClientId), ("client_secret", client.Secret));

    private static Task<Answer> InHeader(ApiHost host, string address, MadeClient client) =>
        Ask(host, address, new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes($"{client.ClientId}:{client.Secret}"))), ("grant_type", "client_credentials"));

    private static async Task<Answer> Ask(ApiHost host, string address, AuthenticationHeaderValue? authorization, params (string Name, string Value)[] form)
    {
        using var http = host.Http();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/connect/token")
        {
            Content = new FormUrlEncodedContent(form.Select(field => KeyValuePair.Create(field.Name, field.Value))),
        };
        request.Headers.Authorization = authorization;
        request.Headers.Add("X-Forwarded-For", address);
        return await Answer.Of(await http.SendAsync(request, TestContext.Current.CancellationToken));
    }

    private ApiHost Limited(params (string Name, int Value)[] limits) => new(ConnectionString,
        [("ForwardedHeaders:KnownProxies:0", "127.0.0.1"), .. limits.Select(limit => ($"RateLimits:{limit.Name}", limit.Value.ToString(CultureInfo.InvariantCulture)))]);

    private static TimeSpan RetryAfter(Answer refused) => TimeSpan.FromSeconds(int.Parse(refused.Header("Retry-After")!, CultureInfo.InvariantCulture));

    /// <summary>Wrong passwords that were looked at.</summary>
    /// <summary>Of passwords that were looked at.</summary>
    private async Task<int> Failures()
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand("select failures from failure_counts f join accounts a on a.id = f.subject where f.source = 'everywhere'", connection);
        return (int)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }
}
