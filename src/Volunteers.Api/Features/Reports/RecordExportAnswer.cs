using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;
using Npgsql;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Reports;

/// <summary>
/// Streams the records of a period from one snapshot: neither the service nor the database holds the whole. Refusals come
/// before the first byte. When something fails later, the connection is cut, so that no client takes a part for the whole;
/// a file that was cut off lacks the total line (CSV) or does not open (XLSX).
/// </summary>
internal sealed class RecordExportAnswer(RecordExportQuery query, ReportFormat format, Tenant tenant, VolunteersDb db, TimeProvider clock)
    : IResult, ILeavesItsTrace, IEndpointMetadataProvider
{
    /// <summary>Below the heading and above the total.</summary>
    private const int MostInWorkbook = XlsxFile.MostRows - 2;

    /// <summary>Between two fetches the transaction waits for the client at most two minutes (idle_in_transaction_session_timeout).</summary>
    private const int AtOnce = 1_000;

    /// <summary>What the statement_timeout below says; the driver's own limit of 30 s would come first.</summary>
    internal const int LongestStatementSeconds = 300;

    public async Task ExecuteAsync(HttpContext http)
    {
        var ct = http.RequestAborted;
        if (query is { Status: not null, AsOf: not null }) throw RuleBreach.Malformed("not_in_ledger", "/asOf");

        await using var snapshot = await LedgerPoint.Snapshot(db, tenant.Id, ct, query.AsOf);
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        var now = clock.GetUtcNow();
        var asOf = await LedgerPoint.Find(query.AsOf, tenant.Id, db, now, ct);
        var organization = await db.OrganizationAt(tenant.Id, asOf.NamesAt, ct);
        var export = new RecordExport(query, asOf, organization, tenant);
        var facts = ReportFacts.Of(organization.Name, query.From, query.To, organization.TimeZone, await Filters(asOf, ct), asOf, now);
        // Sorting a city's records takes longer than an ordinary statement may.
        await db.Database.ExecuteSqlAsync($"set local statement_timeout = '5min'", ct);
        var rows = await Count(export, connection, ct);
        if (format == ReportFormat.Xlsx && rows > MostInWorkbook) throw new RuleBreach("export_too_large", MostInWorkbook);
        await AuditTrail.Look(http, AuditKind.Export, new Shown(rows, [], AsFile: true));
        await using (var open = export.Open(connection)) await open.ExecuteNonQueryAsync(ct);

        http.Response.GetTypedHeaders().Append("Volunteers-Ledger-Position", asOf.Position);
        http.Response.GetTypedHeaders().Append(HeaderNames.Vary, "Accept, Accept-Language");
        ReportMedia.NameFile(http.Response, format, export.Title, $"service-records-{query.From:yyyy-MM-dd}-{query.To:yyyy-MM-dd}");
        if (format == ReportFormat.Xlsx) await WriteXlsx(http, export, facts, connection);
        else await WriteCsv(http, export, connection);
        Measures.ExportRows.Add(rows, new KeyValuePair<string, object?>("format", format.ToString().ToLowerInvariant()));
    }

    private static async Task WriteCsv(HttpContext http, RecordExport export, NpgsqlConnection connection)
    {
        var text = new StringBuilder("\ufeff");
        ReportCsv.AppendHeadings(text, export.Columns);
        try
        {
            await foreach (var row in Rows(export, connection, http.RequestAborted))
            {
                ReportCsv.AppendRow(text, export.Columns, row);
                if (text.Length > 32_000) await Send();
            }
            await Send();
        }
        catch when (http.Response.HasStarted)
        {
            http.Abort();
            throw;
        }

        async Task Send()
        {
            await http.Response.WriteAsync(text.ToString(), Encoding.UTF8, http.RequestAborted);
            text.Clear();
        }
    }

    private static async Task WriteXlsx(HttpContext http, RecordExport export, List<ReportFact> facts, NpgsqlConnection connection)
    {
        using var file = new XlsxFile(http.Response.Body, ReportXlsx.SheetNames(), http.RequestAborted);
        try
        {
            file.BeginSheet(RecordExport.Widths, freezesHeading: true);
            await file.Headings(export.Columns);
            await foreach (var row in Rows(export, connection, http.RequestAborted)) await file.Row(export.Columns, row);
            await file.EndSheet();
            await ReportXlsx.About(file, facts, []);
            await file.Finish();
        }
        catch when (http.Response.HasStarted)
        {
            http.Abort();
            throw;
        }
    }

    /// <summary>The lines, and the total after the last.</summary>
    private static async IAsyncEnumerable<object?[]> Rows(
        RecordExport export, NpgsqlConnection connection, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        var (count, minutes, personTimes) = (0L, 0L, 0L);
        await using var fetch = new NpgsqlCommand($"fetch {AtOnce} from export", connection) { CommandTimeout = LongestStatementSeconds };
        for (var fetched = AtOnce; fetched == AtOnce;)
        {
            fetched = 0;
            await using var reader = await fetch.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                fetched++;
                var line = export.Read(reader);
                (count, minutes, personTimes) = (count + 1, minutes + line.Minutes, personTimes + line.PersonTimes);
                yield return line.Cells;
            }
        }
        await using var persons = export.Persons(connection);
        yield return export.Total(count, (long)(await persons.ExecuteScalarAsync(ct))!, minutes, personTimes);
    }

    private static async Task<long> Count(RecordExport export, NpgsqlConnection connection, CancellationToken ct)
    {
        await using var count = export.Count(connection);
        return (long)(await count.ExecuteScalarAsync(ct))!;
    }

    private async Task<List<ReportFact>> Filters(LedgerPoint asOf, CancellationToken ct)
    {
        var filters = await ReportFacts.Filters(db, ReportScope.Of(tenant), asOf.NamesAt, ct, query.Team, query.Volunteer, query.Activity, category: query.Category, evidence: query.Evidence);
        if (query.Status is { } status)
            filters.Add(new ReportFact(Messages.Title("export_status"), Messages.Title("export_status_" + status.ToString().ToLowerInvariant())));
        return filters;
    }

    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(string), [ReportMedia.Csv]));
}
