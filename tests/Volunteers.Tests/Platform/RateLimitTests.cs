using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Volunteers.Tests.Features.Identity;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Platform;

public sealed class RateLimitTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task An_address_may_ask_so_often_whoever_asks_and_again_after_the_time_it_was_told()
    {
        await using var host = Limited(("RequestsPerMinuteFromAddress", 3));
        Task<Answer> From(string address, string path = "/v1/me") => host.Anonymous.Get(path, ("X-Forwarded-For", address), ("Authorization", "Bearer rubbish"));

        (await From("198.51.100.7")).ShouldRefuse(401, "not_signed_in");
        (await From("::ffff:198.51.100.7", "/v1/nothing")).ShouldRefuse(404, "not_found");
        (await From("198.51.100.7", "/.well-known/openid-configuration")).ShouldBe(200);
        var refused = (await From("198.51.100.7")).ShouldRefuse(429, "too_many_requests");

        (await From("198.51.100.8")).ShouldRefuse(401, "not_signed_in");
        (await host.Anonymous.Get("/health/live", ("X-Forwarded-For", "198.51.100.7"))).ShouldBe(200);
        host.Clock.Advance(RetryAfter(refused, longest: 20));
        (await From("198.51.100.7")).ShouldRefuse(401, "not_signed_in");
        (await From("198.51.100.7")).ShouldRefuse(429, "too_many_requests");
    }

    [Fact]
    public async Task Neighbours_in_one_IPv6_network_share_what_they_may_ask()
    {
        await using var host = Limited(("RequestsPerMinuteFromAddress", 3));

        for (var i = 0; i < 3; i++) (await host.Anonymous.Get("/v1/me", ("X-Forwarded-For", $"2001:db8:1:2:{i}::1"))).ShouldBe(401);

        (await host.Anonymous.Get("/v1/me", ("X-Forwarded-For", "2001:db8:1:2:ffff::1"))).ShouldBe(429);
        (await host.Anonymous.Get("/v1/me", ("X-Forwarded-For", "2001:db8:1:3::1"))).ShouldBe(401);
    }

    [Fact]
    public async Task An_account_may_ask_so_often_with_whatever_tokens_and_a_client_for_itself()
    {
        var o = await Given.Organization();
        var (login, _) = await o.Account(await o.Volunteer());
        var made = await o.Client("auditor");
        await using var host = Limited(("RequestsPerMinute", 4));
        var somebody = await host.SignIn(login, Given.Password);
        var client = await host.SignedIn(made);

        foreach (var remaining in new[] { 3, 2 })
        {
            var answer = (await somebody.Get("/v1/me")).ShouldBe(200);
            Assert.Equal("\"ordinary\";q=4;w=60", answer.Header("RateLimit-Policy"));
            Assert.StartsWith($"\"ordinary\";r={remaining};t=", answer.Header("RateLimit"), StringComparison.Ordinal);
        }
        (await somebody.Get($"{o.Path}/clients")).ShouldRefuse(403, "forbidden");
        Assert.StartsWith("\"ordinary\";r=0;", (await somebody.Send(HttpMethod.Post, "/v1/me/invitations", new { })).ShouldBe(400).Header("RateLimit"), StringComparison.Ordinal);
        var refused = (await somebody.Get("/v1/me", ("Accept-Language", "zh-CN"))).ShouldRefuse(429, "too_many_requests");

        Assert.Equal("请求过于频繁。", (string?)refused["title"]);
        Assert.StartsWith("\"ordinary\";r=0;", refused.Header("RateLimit"), StringComparison.Ordinal);
        (await (await host.SignIn(login, Given.Password)).Get("/v1/me")).ShouldBe(429);
        (await (await host.SignInAsOperator()).Get("/v1/me")).ShouldBe(200);
        for (var i = 0; i < 4; i++) (await client.Get($"{o.Path}/teams")).ShouldBe(200);
        (await client.Get($"{o.Path}/teams")).ShouldBe(429);
        host.Clock.Advance(RetryAfter(refused, longest: 15));
        (await somebody.Get("/v1/me")).ShouldBe(200);
    }

    [Fact]
    public async Task Files_are_limited_apart_from_what_is_ordinary()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var volunteer = await o.Volunteer(inTeam: team);
        await o.Record(await o.Activity(team, "2026-01-10T08:00:00+08:00", "2026-01-10T10:00:00+08:00"), volunteer, "2026-01-10T08:00:00+08:00", "2026-01-10T10:00:00+08:00");
        var certificate = (await o.Admin.Post($"/volunteers/{volunteer}/certificates", new { from = "2026-01-01", to = "2026-01-31" })).ShouldBe(201).Id;
        var made = await o.Client();
        const string Period = "from=2026-01-01&to=2026-01-31";
        await using var host = Limited(("ExportsPerMinute", 3), ("RequestsPerMinute", 2));
        var client = (await host.SignedIn(made)).At(o.Path);

        (await client.Get($"/reports/hours?{Period}&format=csv")).ShouldBe(200);
        (await client.Get($"/service-records/export?{Period}")).ShouldBe(200);
        Assert.StartsWith("\"export\";r=0;", (await client.Get($"/certificates/{certificate}/pdf")).ShouldBe(200).Header("RateLimit"), StringComparison.Ordinal);
        (await client.Get($"/reports/activities?{Period}", ("Accept", "application/pdf"))).ShouldRefuse(429, "too_many_requests");
        (await client.Get($"/service-records/export?{Period}")).ShouldRefuse(429, "too_many_requests");

        (await client.Get($"/reports/hours?{Period}")).ShouldBe(200);
        (await client.Get($"/reports/hours?{Period}&format=json", ("Accept", "text/csv"))).ShouldBe(200);
        (await client.Get("/teams")).ShouldRefuse(429, "too_many_requests");
    }

    [Fact]
    public async Task Imports_are_limited_apart_from_what_is_ordinary()
    {
        var o = await Given.Organization();
        await using var host = Limited(("ImportsPerMinute", 1));
        var admin = (await host.SignInAsOperator()).At(o.Path);
        Task<Answer> Import() => admin.Post("/volunteers/import?dryRun=true", new StringContent("name\r\nSomebody\r\n", Encoding.UTF8, "text/csv"));

        (await Import()).ShouldBe(200);
        var refused = (await Import()).ShouldRefuse(429, "too_many_requests");

        (await admin.Get("/volunteers")).ShouldBe(200);
        host.Clock.Advance(RetryAfter(refused, longest: 60));
        (await Import()).ShouldBe(200);
    }

    [Fact]
    public async Task Certificates_and_calendars_are_limited_together_by_address()
    {
        await using var host = Limited(("VerificationsPerMinute", 3));
        Task<Answer> From(string address, string path) => host.Anonymous.Get(path, ("X-Forwarded-For", address));

        (await From("198.51.100.7", "/v1/calendars/wrong.ics")).ShouldBe(404);
        (await From("198.51.100.7", "/v1/certificates/wrong")).ShouldBe(404);
        (await From("198.51.100.7", "/verify/wrong")).ShouldBe(404);
        (await From("198.51.100.7", "/v1/calendars/wrong.ics")).ShouldRefuse(429, "too_many_requests");

        (await From("198.51.100.8", "/v1/calendars/wrong.ics")).ShouldBe(404);
        (await From("198.51.100.7", "/v1/me")).ShouldBe(401);
    }

    [Fact]
    public async Task A_refusal_does_not_wait_for_the_body()
    {
        await using var host = Limited(("SignInsPerMinute", 1), ("RequestsPerMinuteFromAddress", 1));
        var address = host.Http().BaseAddress!;
        (await host.WithPassword(ApiHost.OperatorLogin, "wrong")).ShouldBe(400);
        (await host.Anonymous.Get("/v1/me")).ShouldBe(401);

        foreach (var path in new[] { "/connect/token", "/v1/accounts", "/v1/organizations" })
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync(IPAddress.Loopback, address.Port, TestContext.Current.CancellationToken);
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"), TestContext.Current.CancellationToken);
            using var reader = new StreamReader(socket.GetStream());

            Assert.Equal("HTTP/1.1 429 Too Many Requests", await reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        }
    }

    private ApiHost Limited(params (string Name, int Value)[] limits) => new(ConnectionString,
        [("ForwardedHeaders:KnownProxies:0", "127.0.0.1"), .. limits.Select(limit => ($"RateLimits:{limit.Name}", limit.Value.ToString(CultureInfo.InvariantCulture)))]);

    private static TimeSpan RetryAfter(Answer refused, int longest)
    {
        var seconds = int.Parse(refused.Header("Retry-After")!, CultureInfo.InvariantCulture);
        Assert.InRange(seconds, 1, longest);
        return TimeSpan.FromSeconds(seconds);
    }
}
