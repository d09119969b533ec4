using System.Net;
using System.Net.Sockets;
using System.Text;
using Npgsql;
using Volunteers.Tests.Data;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Platform;

/// <summary>What every answer carries, and what is settled before any handler is asked.</summary>
public sealed class EdgeTests(TestDatabases databases) : ApiTest(databases)
{
    [Theory]
    [InlineData("/v1/me", 401)]
    [InlineData("/nowhere", 404)]
    [InlineData("/v1/certificates/nonsense", 404)]
    [InlineData("/verify", 200)]
    [InlineData("/openapi/v1.json", 200)]
    [InlineData("/health/live", 200)]
    [InlineData("/swagger/index.html", 200)]
    public async Task Every_answer_tells_a_browser_to_trust_nothing(string path, int status)
    {
        var answer = (await Host.Anonymous.Get(path)).ShouldBe(status);

        Assert.Equal("nosniff", answer.Header("X-Content-Type-Options"));
        Assert.Equal("DENY", answer.Header("X-Frame-Options"));
        Assert.Equal("no-referrer", answer.Header("Referrer-Policy"));
        Assert.Equal("same-origin", answer.Header("Cross-Origin-Resource-Policy"));
        Assert.Contains("default-src 'none'", answer.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", answer.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Null(answer.Header("Server"));
    }

    [Fact]
    public async Task No_cache_keeps_what_is_about_people()
    {
        var o = await Given.Organization();
        var volunteer = await o.Volunteer();

        Assert.Equal("no-cache, private", (await o.Admin.Get($"/volunteers/{volunteer}")).Header("Cache-Control"));
        Assert.Equal("no-cache, private", (await o.Admin.Get($"/volunteers/{Guid.NewGuid()}")).Header("Cache-Control"));
    }

    [Fact]
    public async Task Only_pages_of_the_origins_that_are_set_may_call()
    {
        await using var host = new ApiHost(ConnectionString, ("Cors:Origins:0", "https://app.example.org"));

        var ours = await Preflight(host, "https://app.example.org");
        var others = await Preflight(host, "https://app.example.org.evil.example");
        var asDelivered = await Preflight(Host, "https://app.example.org");

        Assert.Equal("https://app.example.org", ours.Header("Access-Control-Allow-Origin"));
        Assert.Contains("Idempotency-Key", ours.Header("Access-Control-Allow-Headers"), StringComparison.OrdinalIgnoreCase);
        Assert.Null(ours.Header("Access-Control-Allow-Credentials"));
        Assert.Null(others.Header("Access-Control-Allow-Origin"));
        Assert.Null(asDelivered.Header("Access-Control-Allow-Origin"));
        var refused = await host.Anonymous.Get("/v1/me", ("Origin", "https://app.example.org"));
        Assert.Equal("https://app.example.org", refused.ShouldBe(401).Header("Access-Control-Allow-Origin"));
        Assert.Contains("Retry-After", refused.Header("Access-Control-Expose-Headers"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Over_plain_HTTP_calls_are_refused_and_pages_move_to_HTTPS()
    {
        await using var host = new ApiHost(ConnectionString, ("SignIn:RequireHttps", "true"), ("SignIn:Issuer", "https://volunteers.example.org/"));

        (await host.Anonymous.Get("/v1/me")).ShouldRefuse(400, "https_required");
        (await host.Anonymous.Post("/connect/token")).ShouldRefuse(400, "https_required");
        (await host.Anonymous.Get("/health/live")).ShouldBe(200);
        var page = (await host.Anonymous.Get("/verify/abc?x=1%0d%0aSet-Cookie:%20a", ("Host", "evil.example"))).ShouldBe(308);
        Assert.Equal("https://volunteers.example.org/verify/abc?x=1%0d%0aSet-Cookie:%20a", page.Header("Location"));
    }

    [Fact]
    public async Task Behind_a_known_proxy_that_ends_TLS_calls_are_answered_with_HSTS()
    {
        await using var host = new ApiHost(ConnectionString, ("SignIn:RequireHttps", "true"), ("ForwardedHeaders:KnownProxies:0", "127.0.0.0/8"));

        var answer = (await host.Anonymous.Get("/v1/me", ("X-Forwarded-Proto", "https"), ("Host", "volunteers.example.org"))).ShouldBe(401);

        Assert.Equal("max-age=31536000; includeSubDomains", answer.Header("Strict-Transport-Security"));
    }

    [Fact]
    public async Task Nobody_but_a_known_proxy_says_where_a_request_comes_from()
    {
        await using var direct = new ApiHost(ConnectionString, ("SignIn:RequireHttps", "true"), ("ForwardedHeaders:KnownProxies:0", "10.1.2.3"));

        (await direct.Anonymous.Get("/v1/me", ("X-Forwarded-Proto", "https"))).ShouldRefuse(400, "https_required");
    }

    [Theory]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.1.2.3", true)]
    public async Task A_client_changes_its_address_only_through_a_known_proxy(string proxy, bool counted)
    {
        await using var host = new ApiHost(ConnectionString, ("RateLimits:VerificationsPerMinute", "2"), ("ForwardedHeaders:KnownProxies:0", proxy));
        var statuses = new List<int>();

        for (var i = 0; i < 4; i++) statuses.Add((await host.Anonymous.Get("/v1/certificates/nonsense", ("X-Forwarded-For", $"203.0.113.{i}"))).Status);

        Assert.Equal(counted ? [404, 404, 429, 429] : [404, 404, 404, 404], statuses);
    }

    [Fact]
    public async Task A_proxy_list_or_an_origin_that_is_none_stops_the_start()
    {
        await using var proxies = ServiceProcess.Run("healthcheck", ("ConnectionStrings__Volunteers", ConnectionString), ("ForwardedHeaders__KnownProxies__0", "the-proxy"));
        await using var everybody = ServiceProcess.Run("", ("ConnectionStrings__Volunteers", ConnectionString), ("ASPNETCORE_FORWARDEDHEADERS_ENABLED", "true"));
        await using var origin = ServiceProcess.Run("", ("ConnectionStrings__Volunteers", ConnectionString), ("Cors__Origins__0", "https://app.example.org/path"));

        foreach (var (service, word) in new[] { (proxies, "ForwardedHeaders:KnownProxies: the-proxy"), (everybody, "ForwardedHeaders:KnownProxies"), (origin, "Cors:Origins: https://app.example.org/path") })
        {
            Assert.NotEqual(0, await service.ExitCode());
            Assert.Contains(word, service.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_request_that_takes_too_long_is_given_up_and_so_is_its_statement()
    {
        await using var host = new ApiHost(ConnectionString, ("TimeLimits:RequestSeconds", "2"));
        var o = await Given.Organization();
        var team = await o.Team();
        var admin = (await host.SignInAsOperator()).At(o.Path);
        await using var rival = new NpgsqlConnection(ConnectionString);
        await rival.OpenAsync(TestContext.Current.CancellationToken);
        await using var held = await rival.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var hold = new NpgsqlCommand("lock table teams in access exclusive mode", rival)) await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        var refused = (await admin.Post("/teams", new { name = "Late" })).ShouldRefuse(503, "took_too_long");

        Assert.NotNull(refused.Header("Retry-After"));
        // The word to stop takes its way; without it the statement would wait for as long as the lock is held.
        await using var waiting = new NpgsqlCommand("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query ilike '%insert into teams%'", rival);
        for (var look = 1; (long)(await waiting.ExecuteScalarAsync(TestContext.Current.CancellationToken))! > 0; look++)
        {
            Assert.True(look < 100, "The statement still waits.");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
        await held.RollbackAsync(TestContext.Current.CancellationToken);
        Assert.Equal(team, Assert.Single((await o.Admin.Get("/teams")).Items)!["id"]!.ToString());
    }

    [Fact]
    public async Task JSON_nested_without_end_is_refused()
    {
        var o = await Given.Organization();
        using var body = new StringContent(new string('[', 100_000), Encoding.UTF8, "application/json");

        (await o.Admin.Post("/teams", body)).ShouldRefuse(400, "malformed_json");
    }

    [Fact]
    public async Task A_line_break_cannot_be_smuggled_into_a_header_of_the_answer()
    {
        var o = await Given.Organization();

        var answer = await o.Admin.Get("/reports/hours?from=2026-01-01&to=2026-12-31&groupBy=team%0d%0aSet-Cookie:%20a=b&format=csv");

        answer.ShouldBe(400);
        Assert.Null(answer.Header("Set-Cookie"));
    }

    [Fact]
    public async Task A_request_that_two_servers_would_read_differently_is_refused()
    {
        Host.StartServer();
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, Host.ClientOptions.BaseAddress.Port, TestContext.Current.CancellationToken);
        await using var stream = socket.GetStream();
        await stream.WriteAsync("POST /v1/accounts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);

        Assert.Contains(" 400 ", await reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private static Task<Answer> Preflight(ApiHost host, string origin) => host.Anonymous.Send(HttpMethod.Options, "/v1/me", null,
        ("Origin", origin), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "authorization, idempotency-key"));
}
