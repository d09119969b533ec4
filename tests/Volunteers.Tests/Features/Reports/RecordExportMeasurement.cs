using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reports;

/// <summary>
/// How long a million records take to export, and in how much memory. Only when asked for, because it takes minutes:
/// <c>dotnet Volunteers.Tests.dll -explicit only -showLiveOutput -class "*RecordExportMeasurement"</c> in the folder it is built to.
/// </summary>
public sealed class RecordExportMeasurement(TestDatabases databases) : ApiTest(databases)
{
    private const int Records = 1_000_000;

    [Theory(Explicit = true)]
    [InlineData("csv")]
    [InlineData("xlsx")]
    public async Task A_million_records(string format)
    {
        var ct = TestContext.Current.CancellationToken;
        var o = await Given.Organization();
        var team = await o.Team();
        await o.Record(await o.Activity(team), await o.Volunteer(inTeam: team), "2026-06-07T08:00:00+08:00", "2026-06-07T09:00:00+08:00");
        await using var database = NpgsqlDataSource.Create(ConnectionString);
        await using (var fill = database.CreateCommand(RecordFill.Sql))
        {
            fill.CommandTimeout = 1_200;
            fill.Parameters.Add(new NpgsqlParameter { Value = Records - 1 });
            await fill.ExecuteNonQueryAsync(ct);
        }
        await using (var analyze = database.CreateCommand("analyze")) await analyze.ExecuteNonQueryAsync(ct);

        GC.Collect();
        var (managedBefore, workingBefore) = (GC.GetTotalMemory(forceFullCollection: true), Environment.WorkingSet);
        var (peakManaged, peakWorking, bytes, first) = (0L, 0L, 0L, TimeSpan.Zero);
        var watch = Stopwatch.StartNew();
        using var http = new HttpClient { BaseAddress = o.Admin.Http.BaseAddress, Timeout = TimeSpan.FromMinutes(20) };
        http.DefaultRequestHeaders.Authorization = o.Admin.Http.DefaultRequestHeaders.Authorization;
        using var response = await http.GetAsync(new Uri($"{o.Path}/service-records/export?from=2020-01-01&to=2026-12-31&format={format}", UriKind.Relative),
            HttpCompletionOption.ResponseHeadersRead, ct);
        Assert.Equal(System.Net.HttpStatusCode.OK, response.StatusCode);
        await using var stream = await response.Content.ReadAsStreamAsync(ct);
        var buffer = new byte[1 << 16];
        var tail = "";
        for (var read = await stream.ReadAsync(buffer, ct); read > 0; read = await stream.ReadAsync(buffer, ct))
        {
            if (bytes == 0) first = watch.Elapsed;
            bytes += read;
            if (format == "csv") tail = Last(tail + System.Text.Encoding.UTF8.GetString(buffer, 0, read));
            (peakManaged, peakWorking) = (Math.Max(peakManaged, GC.GetTotalMemory(forceFullCollection: false)), Math.Max(peakWorking, Environment.WorkingSet));
        }

        if (format == "csv") Assert.Contains($"Total of {Records} records", tail, StringComparison.Ordinal);
        TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{format}: {Records} records, {bytes / 1e6:0.0} MB in {watch.Elapsed.TotalSeconds:0.0} s, first byte after {first.TotalSeconds:0.0} s; managed {managedBefore / 1e6:0} MB before, {peakManaged / 1e6:0} MB at most; working set {workingBefore / 1e6:0} MB before, {peakWorking / 1e6:0} MB at most"));
    }

    private static string Last(string text) => text[Math.Max(0, text.Length - 200)..];
}
