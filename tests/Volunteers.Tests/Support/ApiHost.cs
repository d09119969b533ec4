using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Volunteers.Platform;

namespace Volunteers.Tests.Support;

/// <summary>The service itself on a free port, over one database, with a clock that the test can move.</summary>
public sealed class ApiHost : WebApplicationFactory<Program>
{
    /// <summary>Thousands at once on a small machine take their time.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public const string OperatorLogin = "operator@example.org";
    public const string OperatorPassword = "operator-password";

    private readonly ConcurrentBag<(HttpClient Http, string Login, string Password)> sessions = [];
    private readonly string connectionString;
    private readonly (string Name, string Value)[] settings;

    public ApiHost(string connectionString, params (string Name, string Value)[] settings)
    {
        (this.connectionString, this.settings) = (connectionString, settings);
        UseKestrel(0);
    }

    public TestClock Clock { get; } = new();

    /// <summary>What this host has in place of the service's own.</summary>
    internal Action<IServiceCollection>? Also { get; init; }

    /// <summary>An HTTP client without a token. Real HTTP: the service listens on a port.</summary>
    public Api Anonymous => new(Http(), "");

    /// <summary>Signs in as the mobile app does.</summary>
    public async Task<Api> SignIn(string login, string password)
    {
        var http = Http();
        sessions.Add((http, login, password));
        return await SignIn(http, login, password);
    }

    /// <summary>Moves the clock on, and signs everybody in again whose token ran out meanwhile.</summary>
    public async Task Later(TimeSpan by)
    {
        Clock.Advance(by);
        foreach (var (http, login, password) in sessions) await SignIn(http, login, password);
    }

    private static async Task<Api> SignIn(HttpClient http, string login, string password)
    {
        var tokens = await PostToken(http, ("grant_type", "password"), ("client_id", "volunteers-mobile"), ("username", login), ("password", password),
            ("scope", "api offline_access"));
        tokens.ShouldBe(200);
        return Api.With(http, (string)tokens["access_token"]!);
    }

    public Task<Api> SignInAsOperator() => SignIn(OperatorLogin, OperatorPassword);

    /// <summary>An OAuth request to the token endpoint, answered as RFC 6749 says.</summary>
    public static async Task<Answer> PostToken(HttpClient http, params (string Name, string Value)[] form) =>
        await Answer.Of(await http.PostAsync(new Uri("/connect/token", UriKind.Relative),
            new FormUrlEncodedContent(form.Select(field => KeyValuePair.Create(field.Name, field.Value)))));

    public async Task InServices(Func<IServiceProvider, Task> act)
    {
        await using var scope = Services.CreateAsyncScope();
        await act(scope.ServiceProvider);
    }

    public HttpClient Http()
    {
        StartServer();
        return new HttpClient(new ContractHandler(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, Expect100ContinueTimeout = Patience })) { BaseAddress = ClientOptions.BaseAddress, Timeout = Patience };
    }

    /// <summary>A client at an address of its own: the loopback network has many.</summary>
    public HttpClient HttpFrom(IPAddress address)
    {
        StartServer();
        return new HttpClient(new ContractHandler(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseCookies = false, Expect100ContinueTimeout = Patience,
            ConnectCallback = async (context, ct) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                socket.Bind(new IPEndPoint(address, 0));
                await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, ct);
                return new NetworkStream(socket, ownsSocket: true);
            },
        }))
        { BaseAddress = ClientOptions.BaseAddress, Timeout = Patience };
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseEnvironment("Testing");
        builder.UseSetting("ConnectionStrings:Volunteers", connectionString);
        builder.UseSetting("SignIn:RequireHttps", "false");
        builder.UseSetting("Stopping:WaitSeconds", "0");
        builder.UseSetting("Logging:LogLevel:Default", "Error");
        // A race of thousands waits for connections; each answers 503 and says no more.
        builder.UseSetting("Logging:LogLevel:Microsoft.EntityFrameworkCore.Database.Connection", "None");
        builder.UseSetting("TimeLimits:RequestSeconds", $"{(int)Patience.TotalSeconds}");
        // Keys that protect nothing.
        builder.UseSetting("PersonalData:Keys:test", Convert.ToBase64String(new byte[32]));
        builder.UseSetting("PersonalData:CurrentKey", "test");
        builder.UseSetting("PersonalData:HashKey", Convert.ToBase64String([.. Enumerable.Range(0, 32).Select(i => (byte)i)]));
        // All tests come from one address: who tests a limit sets it.
        foreach (var limit in typeof(RateLimits).GetProperties().Where(limit => limit.Name.Contains("Per", StringComparison.Ordinal)))
            builder.UseSetting($"RateLimits:{limit.Name}", "0");
        foreach (var (name, value) in settings) builder.UseSetting(name, value);
        builder.ConfigureTestServices(services =>
        {
            services.Replace(ServiceDescriptor.Singleton<TimeProvider>(Clock));
            // A test signs in often, and its passwords need no protection.
            services.Configure<PasswordHasherOptions>(options => options.IterationCount = 1);
            Also?.Invoke(services);
        });
    }
}

/// <summary>The real time, moved by as much as a test says.</summary>
public sealed class TestClock : TimeProvider
{
    private TimeSpan ahead;

    public void Advance(TimeSpan by) => ahead += by;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + ahead;

    public override long GetTimestamp() => base.GetTimestamp() + (long)(ahead.TotalSeconds * TimestampFrequency);
}
