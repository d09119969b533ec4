using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace Volunteers.Benchmarks.Core;

/// <summary>A server under measurement, on a loopback port; it ends with this program.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private const double TicksPerSecond = 100;

    private readonly Process process;
    private readonly string log;
    private bool ended;

    private ServerProcess(Process process, string log, int port)
    {
        (this.process, this.log) = (process, log);
        Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));
        AppDomain.CurrentDomain.ProcessExit += Kill;
    }

    public Uri Address { get; }

    /// <summary>What it has used of the processors so far, in seconds.</summary>
    public double CpuSeconds
    {
        get
        {
            // After the name, which may hold spaces: user and system time are the 14th and 15th field of the line.
            var fields = File.ReadAllText($"/proc/{process.Id}/stat").Split(") ")[^1].Split(' ');
            return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
        }
    }

    /// <summary>What of it is in memory now.</summary>
    public double MemoryMiB => File.ReadLines($"/proc/{process.Id}/status").First(line => line.StartsWith("VmRSS", StringComparison.Ordinal))
        .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1] is var kib ? double.Parse(kib, CultureInfo.InvariantCulture) / 1024 : 0;

    public static ServerProcess Start(string program, IEnumerable<string> arguments, Dictionary<string, string> environment, int port)
    {
        var log = Path.GetTempFileName();
        // The shell leaves its place to the server, whose output goes into a file as a service manager's would.
        var start = new ProcessStartInfo("/bin/sh", ["-c", """exec "$@" >"$0" 2>&1 </dev/null""", log, program, .. arguments]);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return new ServerProcess(Process.Start(start)!, log, port);
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Returns as soon as this path is answered.</summary>
    public async Task Ready(string path, string? token = null)
    {
        using var http = new HttpClient { BaseAddress = Address };
        if (token is not null) http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        for (var attempt = 0; attempt < 6_000; attempt++)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri(path, UriKind.Relative));
                if (answer.IsSuccessStatusCode) return;
            }
            catch (HttpRequestException)
            {
                // Not yet.
            }
            if (process.HasExited) throw new BenchmarkRefused($"The server ended:\n{await File.ReadAllTextAsync(log)}");
            await Task.Delay(10);
        }
        throw new BenchmarkRefused("The server was not ready within a minute.");
    }

    public async ValueTask DisposeAsync()
    {
        if (ended) return;
        ended = true;
        AppDomain.CurrentDomain.ProcessExit -= Kill;
        Kill(null, EventArgs.Empty);
        await process.WaitForExitAsync();
        process.Dispose();
        File.Delete(log);
    }

    private void Kill(object? sender, EventArgs e)
    {
        if (!process.HasExited) process.Kill();
    }
}
