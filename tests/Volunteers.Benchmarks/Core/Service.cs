using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Volunteers.Benchmarks.Core;

/// <summary>The published Release service, as it would run in production: everything on, and only the limits of rates raised.</summary>
internal sealed class Service : IAsyncDisposable
{
    public const string IsReady = "/health/ready";

    private const string Login = "benchmark@example.org";
    private const string Password = "a-password-for-benchmarks";

    /// <summary>The same after a restart: it is part of the issuer of tokens.</summary>
    private static readonly int Port = ServerProcess.FreePort();

    private static readonly TimeSpan TokenIsGood = TimeSpan.FromMinutes(10);

    private readonly ServerProcess process;
    private readonly HttpClient http;
    private (string Value, long At) token = ("", 0);

    private Service(ServerProcess process) => (this.process, http) = (process, new HttpClient { BaseAddress = process.Address, Timeout = TimeSpan.FromMinutes(10) });

    public ServerProcess Process => process;

    public Uri Address => process.Address;

    /// <summary>Publishes the service of this repository, for this machine, as its container image does.</summary>
    /// <returns>The folder.</returns>
    public static async Task<string> Publish(string folder)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Volunteers.sln"))) root = root.Parent;
        if (root is null) throw new BenchmarkRefused("The repository was not found above this program: name a published service with --service DIR.");
        await Tool.Run("dotnet", ["publish", "-c", "Release", Path.Combine(root.FullName, "src", "Volunteers.Api"), "--use-current-runtime", "--self-contained", "false", "-o", folder, "--nologo", "-v", "quiet"]);
        return folder;
    }

    public static Task Migrate(string folder, string connectionString) =>
        Tool.Run(Path.Combine(folder, "Volunteers.Api"), ["migrate"], Environment(connectionString, 0));

    public static async Task<Service> Start(string folder, string connectionString, string path = IsReady, string? token = null)
    {
        var process = ServerProcess.Start(Path.Combine(folder, "Volunteers.Api"), [], Environment(connectionString, Port), Port);
        await process.Ready(path, token);
        return new Service(process);
    }

    /// <summary>A token as the mobile app gets it, renewed long before it ends.</summary>
    public async Task<string> Token()
    {
        if (token.At != 0 && Stopwatch.GetElapsedTime(token.At) < TokenIsGood) return token.Value;
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "password", ["client_id"] = "volunteers-mobile", ["scope"] = "api", ["username"] = Login, ["password"] = Password,
        });
        using var answer = await http.PostAsync(new Uri("/connect/token", UriKind.Relative), form);
        var read = await Read(answer);
        token = ((string)read["access_token"]!, Stopwatch.GetTimestamp());
        return token.Value;
    }

    public Task<JsonNode> Get(string path) => Send(HttpMethod.Get, path, null);

    public Task<JsonNode> Post(string path, object body, string? key = null) => Send(HttpMethod.Post, path, body, key);

    /// <summary>Reads an answer to its end.</summary>
    public async Task<Download> Download(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await Token());
        var start = Stopwatch.GetTimestamp();
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (response.StatusCode != HttpStatusCode.OK) await Read(response);
        await using var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[1 << 16];
        var (bytes, first, peak) = (0L, TimeSpan.Zero, process.MemoryMiB);
        for (int read; (read = await body.ReadAsync(buffer)) > 0;)
        {
            if (bytes == 0) first = Stopwatch.GetElapsedTime(start);
            // The size of a process is a file to read: not for every piece.
            if (bytes >> 20 != (bytes + read) >> 20) peak = Math.Max(peak, process.MemoryMiB);
            bytes += read;
        }
        return new Download(bytes, first, Stopwatch.GetElapsedTime(start), peak);
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await process.DisposeAsync();
    }

    private async Task<JsonNode> Send(HttpMethod method, string path, object? body, string? key = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await Token());
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        if (body is not null) request.Content = JsonContent.Create(body, body.GetType(), options: JsonSerializerOptions.Web);
        using var response = await http.SendAsync(request);
        return await Read(response);
    }

    private static async Task<JsonNode> Read(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode)
            throw new BenchmarkRefused($"{response.RequestMessage!.Method} {response.RequestMessage.RequestUri} answered {(int)response.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }

    private static Dictionary<string, string> Environment(string connectionString, int port) => new()
    {
        ["ASPNETCORE_ENVIRONMENT"] = "Production",
        ["ASPNETCORE_URLS"] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"),
        ["ConnectionStrings__Volunteers"] = connectionString,
        ["Bootstrap__AdminLogin"] = Login,
        ["Bootstrap__AdminPassword"] = Password,
        ["SignIn__RequireHttps"] = "false",
        ["PersonalData__Keys__benchmark"] = Convert.ToBase64String(new byte[32]),
        ["PersonalData__CurrentKey"] = "benchmark",
        ["PersonalData__HashKey"] = Convert.ToBase64String([.. Enumerable.Range(0, 32).Select(i => (byte)i)]),
        ["RateLimits__RequestsPerMinute"] = "1000000",
        ["RateLimits__RequestsPerMinuteFromAddress"] = "1000000",
        ["RateLimits__SignInsPerMinute"] = "1000000",
        ["RateLimits__SignInsPerMinuteAndLogin"] = "1000000",
        ["RateLimits__ExportsPerMinute"] = "1000000",
    };
}

/// <summary>What came, and what the server held at most meanwhile.</summary>
internal sealed record Download(long Bytes, TimeSpan First, TimeSpan All, double PeakMiB);
