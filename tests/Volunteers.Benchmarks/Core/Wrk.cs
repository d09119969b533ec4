using System.Globalization;

namespace Volunteers.Benchmarks.Core;

/// <summary>Load by wrk, in one thread, so that a script may count.</summary>
internal static class Wrk
{
    private const string Summary =
        """

        done = function(summary, latency, requests)
          local e = summary.errors
          io.write(string.format("RESULT %.0f %.0f %.0f %.0f %.0f\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
            e.status + e.connect + e.read + e.write + e.timeout))
        end
        """;

    /// <param name="server">Who is asked.</param>
    /// <param name="script">Lua that defines <c>request</c>.</param>
    /// <param name="connections">How many at once.</param>
    /// <param name="seconds">How long.</param>
    public static async Task<Sample> Run(ServerProcess server, string script, int connections, int seconds)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, script + Summary);
            var cpu = server.CpuSeconds;
            var said = await Tool.Run("wrk", ["-t1", $"-c{connections}", $"-d{seconds}s", "--timeout", "30s", "-s", file, server.Address.ToString()]);
            var result = said.Split('\n').Single(line => line.StartsWith("RESULT", StringComparison.Ordinal)).Split(' ')[1..].Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToArray();
            var (requests, duration) = (result[0], result[1] / 1e6);
            return new Sample(requests, requests / duration, result[2] / 1000, result[3] / 1000, (long)result[4])
            {
                CpuMicroseconds = requests > 0 ? (server.CpuSeconds - cpu) * 1e6 / requests : null, MemoryMiB = server.MemoryMiB,
            };
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>The start of a script whose requests carry a token.</summary>
    public static string Signed(string token) => $"wrk.headers[\"Authorization\"] = \"Bearer {token}\"\nmath.randomseed({Random.Shared.Next()})\n";
}
