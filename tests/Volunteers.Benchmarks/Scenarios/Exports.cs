using System.Diagnostics;
using System.Globalization;
using Volunteers.Benchmarks.Core;

namespace Volunteers.Benchmarks.Scenarios;

/// <summary>The records of the organization with the long history as a file: up to a million lines of CSV, up to 200,000 in a workbook.</summary>
internal static class Exports
{
    private const string Cursor = "declare export no scroll cursor for";
    private const int LinesOfWorkbook = 200_000;

    public static async Task Csv(Bench bench)
    {
        var (rows, path) = (bench.City.ArchiveRows, Path(bench, bench.FirstDay.AddMonths(City.Months), "csv"));
        var statements = await Statements.OfRead(bench.Postgres, [City.Organization(City.Archive).ToString()], () => bench.Service.Download(path));
        var query = Statements.Script([.. statements.Where(statement => statement.Sql.Contains(Cursor, StringComparison.Ordinal))], DateTimeOffset.MaxValue, []);
        query = query[(query.IndexOf(Cursor, StringComparison.Ordinal) + Cursor.Length)..].Trim().TrimEnd(';').ReplaceLineEndings(" ");

        var downloads = await Download(bench, path, $"CSV, {rows:#,0} records");
        var psql = new List<double>();
        for (var round = 0; round < bench.Options.Rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            await Tool.Run(System.IO.Path.Combine(bench.Postgres.Binaries, "psql"),
                ["-h", bench.Postgres.Socket, "-U", "volunteers", "-d", bench.Database, "-v", "ON_ERROR_STOP=1", "-c", $"\\copy ({query}) to '/dev/null' with (format csv)"]);
            psql.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            Bench.Say(string.Create(CultureInfo.InvariantCulture, $"  psql: {psql[^1]:0.00} s"));
        }
        bench.Table.Add($"CSV, {rows:#,0} records: psql \\copy of the same query", Seconds(psql), "");
        bench.Table.Add($"CSV, {rows:#,0} records: speed against psql", string.Create(CultureInfo.InvariantCulture, $"{Line.Median(psql) / Line.Median(downloads.Select(d => d.All.TotalSeconds)):0.00}"), "≥ 0.75");
    }

    public static async Task Xlsx(Bench bench)
    {
        // The history is spread evenly over its days.
        var share = Math.Min(1, (double)LinesOfWorkbook / bench.City.ArchiveRows);
        var days = bench.FirstDay.AddMonths(City.Months).DayNumber - bench.FirstDay.DayNumber;
        await Download(bench, Path(bench, bench.FirstDay.AddDays((int)(days * share)), "xlsx"), $"XLSX, {Math.Min(LinesOfWorkbook, bench.City.ArchiveRows):#,0} records");
    }

    private static string Path(Bench bench, DateOnly end, string format) =>
        $"/v1/organizations/{City.Organization(City.Archive)}/service-records/export?from={bench.FirstDay:yyyy-MM-dd}&to={end.AddDays(-1):yyyy-MM-dd}&format={format}";

    /// <summary>From a service that has done nothing else, so that what it grows by is the export's.</summary>
    private static async Task<List<Download>> Download(Bench bench, string path, string what)
    {
        var (downloads, grown) = (new List<Download>(), new List<double>());
        for (var round = 0; round < bench.Options.Rounds; round++)
        {
            await bench.Restart();
            await bench.Service.Get($"/v1/organizations/{City.Organization(City.Archive)}");
            await Task.Delay(TimeSpan.FromSeconds(2));
            var idle = bench.Service.Process.MemoryMiB;
            downloads.Add(await bench.Service.Download(path));
            grown.Add(downloads[^1].PeakMiB - idle);
            Bench.Say(string.Create(CultureInfo.InvariantCulture, $"  {what}: {downloads[^1].All.TotalSeconds:0.00} s, {downloads[^1].Bytes / 1e6:0.0} MB, {grown[^1]:0} MiB over {idle:0}"));
        }
        bench.Table.Add($"{what}: time", Seconds([.. downloads.Select(d => d.All.TotalSeconds)]), "");
        bench.Table.Add($"{what}: first byte", string.Create(CultureInfo.InvariantCulture, $"{Line.Median(downloads.Select(d => d.First.TotalMilliseconds)):0} ms"), what.StartsWith("CSV", StringComparison.Ordinal) ? "< 50 ms" : "");
        bench.Table.Add($"{what}: size", string.Create(CultureInfo.InvariantCulture, $"{downloads[0].Bytes / 1e6:0.0} MB"), "");
        bench.Table.Add($"{what}: memory over idle", string.Create(CultureInfo.InvariantCulture, $"{Line.Median(grown):0} MiB"), what.StartsWith("CSV", StringComparison.Ordinal) ? "≤ 32 MiB" : "≤ 64 MiB");
        return downloads;
    }

    private static string Seconds(List<double> values) => string.Create(CultureInfo.InvariantCulture, $"{Line.Median(values):0.00} s ({values.Min():0.00}–{values.Max():0.00})");
}
