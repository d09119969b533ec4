using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Volunteers.Benchmarks.Core;

/// <summary>One contestant in one round.</summary>
internal sealed record Sample(double Count, double PerSecond, double P50, double P99, long Errors)
{
    /// <summary>Of the server, for each request.</summary>
    public double? CpuMicroseconds { get; init; }

    public double? MemoryMiB { get; init; }

    public static double Percentile(double[] ordered, double share) => ordered.Length == 0 ? 0 : ordered[Math.Min(ordered.Length - 1, (int)(ordered.Length * share))];
}

/// <summary>All rounds of one contestant at one load.</summary>
internal sealed record Line(string Case, int Connections, string Contestant, List<Sample> Samples)
{
    public double PerSecond => Median(sample => sample.PerSecond);

    public double Median(Func<Sample, double> of) => Median(Samples.Select(of));

    public static double Median(IEnumerable<double> values) => values.Order().ToArray() is { Length: > 0 } ordered ? ordered[ordered.Length / 2] : 0;
}

/// <summary>A figure that stands for itself, and what it should be.</summary>
internal sealed record Figure(string Name, string Value, string Goal);

/// <summary>Everything that was measured, as Markdown and as JSON.</summary>
internal sealed class Table
{
    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private readonly List<Line> lines = [];
    private readonly List<Figure> figures = [];

    public void Add(string what, int connections, string contestant, Sample sample)
    {
        if (lines.Find(line => (line.Case, line.Connections, line.Contestant) == (what, connections, contestant)) is not { } line)
            lines.Add(line = new Line(what, connections, contestant, []));
        line.Samples.Add(sample);
    }

    public void Add(string name, string value, string goal) => figures.Add(new Figure(name, value, goal));

    public double PerSecond(string what, int connections, string contestant) =>
        lines.Find(line => (line.Case, line.Connections, line.Contestant) == (what, connections, contestant))?.PerSecond ?? 0;

    public string Markdown()
    {
        var text = new StringBuilder();
        if (lines.Count > 0)
        {
            text.AppendLine("| scenario | connections | contestant | a second: median (min–max) | p50 ms | p99 ms | errors | CPU µs each | memory MiB |");
            text.AppendLine("| --- | --: | --- | --: | --: | --: | --: | --: | --: |");
            foreach (var line in lines) text.AppendLine(Row(line));
        }
        var ratios = lines.Where(line => line.Contestant == Contestant.Service).Select(Ratios).Where(row => row.Length > 0).ToList();
        if (ratios.Count > 0)
        {
            text.AppendLine().AppendLine("| scenario | connections | A/B | A/C |").AppendLine("| --- | --: | --: | --: |");
            foreach (var row in ratios) text.AppendLine(row);
        }
        if (figures.Count > 0)
        {
            text.AppendLine().AppendLine("| what | measured | goal |").AppendLine("| --- | --- | --- |");
            foreach (var figure in figures) text.AppendLine(CultureInfo.InvariantCulture, $"| {figure.Name} | {figure.Value} | {figure.Goal} |");
        }
        return text.ToString();
    }

    public string Json(Options options) => JsonSerializer.Serialize(new { options, at = DateTimeOffset.UtcNow, processors = Environment.ProcessorCount, lines, figures }, Indented);

    private static string Row(Line line)
    {
        var (least, most) = (line.Samples.Min(sample => sample.PerSecond), line.Samples.Max(sample => sample.PerSecond));
        var served = line.Samples.Any(sample => sample.CpuMicroseconds is not null);
        return string.Create(CultureInfo.InvariantCulture,
            $"| {line.Case} | {line.Connections} | {line.Contestant} | {line.PerSecond:#,0.##} ({least:#,0.##}–{most:#,0.##}) | {line.Median(s => s.P50):0.00} | {line.Median(s => s.P99):0.00} | {line.Samples.Sum(s => s.Errors)} | {(served ? line.Median(s => s.CpuMicroseconds ?? 0).ToString("0", CultureInfo.InvariantCulture) : "")} | {(served ? line.Median(s => s.MemoryMiB ?? 0).ToString("0", CultureInfo.InvariantCulture) : "")} |");
    }

    private string Ratios(Line line)
    {
        var (b, c) = (Ratio(Contestant.Database), Ratio(Contestant.Bare));
        return b + c == "" ? "" : $"| {line.Case} | {line.Connections} | {b} | {c} |";

        string Ratio(string other) => PerSecond(line.Case, line.Connections, other) is > 0 and var rival ? (line.PerSecond / rival).ToString("0.00", CultureInfo.InvariantCulture) : "";
    }
}

internal static class Contestant
{
    public const string Service = "A: service";
    public const string Database = "B: pgbench";
    public const string Bare = "C: bare API";
}
