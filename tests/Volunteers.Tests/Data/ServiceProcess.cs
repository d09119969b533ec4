using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Volunteers.Data;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Data;

/// <summary>The built service as a process of its own, as a person or a container starts it.</summary>
public sealed partial class ServiceProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly TaskCompletionSource<string> greeted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServiceProcess(Process process) => this.process = process;

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>All that was printed so far.</summary>
    public string Output
    {
        get { lock (output) return output.ToString(); }
    }

    public string Address { get; private set; } = "";

    public static ServiceProcess Run(string command, params (string Name, string Value)[] settings)
    {
        var start = new ProcessStartInfo("dotnet", $"{Path.Combine(AppContext.BaseDirectory, "Volunteers.Api.dll")} {command}")
        {
            WorkingDirectory = AppContext.BaseDirectory, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("ASPNETCORE_", StringComparison.Ordinal) || name.Contains("__", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        foreach (var (name, value) in settings) start.Environment[name] = value;

        var service = new ServiceProcess(new Process { StartInfo = start });
        service.process.OutputDataReceived += (_, line) => service.Read(line.Data);
        service.process.ErrorDataReceived += (_, line) => service.Read(line.Data);
        service.process.Start();
        service.process.BeginOutputReadLine();
        service.process.BeginErrorReadLine();
        return service;
    }

    /// <summary>In Development on a data folder of its own, until it has said where it listens.</summary>
    public static async Task<ServiceProcess> Serve(string dataFolder, params (string Name, string Value)[] settings)
    {
        var service = Run("", [.. InDevelopment(dataFolder), .. settings]);
        var ended = service.process.WaitForExitAsync(Ct);
        if (await Task.WhenAny(service.greeted.Task, ended).WaitAsync(TimeSpan.FromMinutes(3), Ct) == ended) Assert.Fail(service.Output);
        service.Address = await service.greeted.Task;
        return service;
    }

    public static (string, string)[] InDevelopment(string dataFolder) =>
        [("ASPNETCORE_ENVIRONMENT", "Development"), ("EmbeddedPostgres__DataDirectory", dataFolder), ("ASPNETCORE_URLS", "http://127.0.0.1:0"), ("RateLimits__RequestsPerMinute", "0")];

    /// <summary>A folder that PostgreSQL's own user can reach.</summary>
    public static string NewDataFolder()
    {
        Assert.SkipWhen(PostgresBinaries.Find(PostgresBinaries.Folders(), DatabaseUser.Find()).Count == 0, "There are no PostgreSQL binaries on this machine.");
        var folder = Directory.CreateDirectory($"/tmp/volunteers-service-{Guid.NewGuid().ToString("N")[..8]}").FullName;
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.OtherExecute);
        return folder;
    }

    /// <summary>Signed in as the first administrator, whose password is in the data folder; paths below the seeded organization.</summary>
    public async Task<Api> SignIn(string dataFolder)
    {
        var http = new HttpClient { BaseAddress = new Uri(Address), Timeout = TimeSpan.FromSeconds(100) };
        var password = (await File.ReadAllTextAsync(Path.Combine(dataFolder, "admin-password"), Ct)).Trim();
        var tokens = (await ApiHost.PostToken(http, ("grant_type", "password"), ("client_id", "volunteers-mobile"), ("username", "admin@localhost"),
            ("password", password), ("scope", "api"))).ShouldBe(200);
        var api = Api.With(http, (string)tokens["access_token"]!);
        var organization = Assert.Single((await api.Get("/v1/organizations")).ShouldBe(200).Items);
        return api.At($"/v1/organizations/{organization!["id"]}");
    }

    public async Task<int> ExitCode()
    {
        await process.WaitForExitAsync(Ct).WaitAsync(TimeSpan.FromMinutes(3), Ct);
        return process.ExitCode;
    }

    /// <summary>kill -9: no code of the service runs any more.</summary>
    public async Task Kill()
    {
        process.Kill();
        await process.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>As Ctrl+C or a container's stop ends it.</summary>
    public async Task Stop()
    {
        using (var kill = Process.Start("kill", $"-TERM {process.Id}")) await kill.WaitForExitAsync(Ct);
        Assert.Equal(0, await ExitCode());
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) await Kill();
        process.Dispose();
    }

    private void Read(string? line)
    {
        if (line is null) return;
        lock (output) output.AppendLine(line);
        if (ListensOn().Match(line) is { Success: true } match) greeted.TrySetResult(match.Groups[1].Value);
    }

    [GeneratedRegex(@"Volunteers listens on (http://\S+)")]
    private static partial Regex ListensOn();
}
