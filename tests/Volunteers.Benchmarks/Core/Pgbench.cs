using System.Globalization;
using System.Text.RegularExpressions;

namespace Volunteers.Benchmarks.Core;

/// <summary>The same statements without a service before them: what the database alone can do.</summary>
internal static partial class Pgbench
{
    private const int Threads = 2;

    public static async Task<Sample> Run(Postgres postgres, string database, string script, int connections, string[] until, long first)
    {
        var folder = Directory.CreateTempSubdirectory("volunteers-pgbench-").FullName;
        try
        {
            var file = Path.Combine(folder, "script.sql");
            await File.WriteAllTextAsync(file, script);
            var said = await Tool.Run(Path.Combine(postgres.Binaries, "pgbench"),
            [
                "-h", postgres.Socket, "-U", "volunteers", "-n", "-M", "prepared", "-c", $"{connections}", "-j", $"{Threads}", .. until, "-f", file, "-D", $"first={first}", "-D", "i=0",
                "--log", "--log-prefix", Path.Combine(folder, "log"), database,
            ], folder: folder);
            var (transactions, perSecond, failed) = (Number(Transactions(), said), Number(PerSecond(), said), Number(Failed(), said));
            var latencies = Directory.GetFiles(folder, "log*").SelectMany(File.ReadLines).Select(line => double.Parse(line.Split(' ')[2], CultureInfo.InvariantCulture) / 1000).Order().ToArray();
            return new Sample(transactions, perSecond, Sample.Percentile(latencies, 0.5), Sample.Percentile(latencies, 0.99), (long)failed);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double Number(Regex pattern, string said) => double.Parse(pattern.Match(said).Groups[1].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"actually processed: (\d+)")]
    private static partial Regex Transactions();

    [GeneratedRegex(@"tps = ([\d.]+)")]
    private static partial Regex PerSecond();

    [GeneratedRegex(@"failed transactions: (\d+)")]
    private static partial Regex Failed();
}
