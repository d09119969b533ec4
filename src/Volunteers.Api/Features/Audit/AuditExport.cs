using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Features.Reports;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Audit;

internal enum AuditExportFormat
{
    Csv,
    Xlsx,

    /// <summary>One JSON object per line.</summary>
    Ndjson,
}

/// <summary>In what form to export.</summary>
/// <param name="Format">The form of the answer; by <c>Accept</c> when not given, CSV when that leaves it open.</param>
internal sealed record AuditExportQuery([property: FromQuery] AuditExportFormat? Format = null);

/// <summary>
/// Streams the trail, a thousand events at a time and without a long transaction: nothing in it changes. It leaves its own
/// trace before the first byte. When something fails later, the connection is cut.
/// </summary>
internal sealed class AuditExport(AuditFilter filter, AuditExportFormat format, Tenant tenant, VolunteersDb db) : IResult, ILeavesItsTrace, IEndpointMetadataProvider
{
    private const string Ndjson = "application/x-ndjson";
    private const int AtOnce = 1_000;
    private const int MostInWorkbook = XlsxFile.MostRows - 1;

    public static AuditExportFormat? Choose(HttpRequest request, AuditExportFormat? given)
    {
        if (given is not null) return given;
        if (request.GetTypedHeaders().Accept.Any(range => range.Quality is not 0 && range.MatchesMediaType(Ndjson) && !range.MatchesAllTypes)) return AuditExportFormat.Ndjson;
        return ReportMedia.Choose(request, given: null, [ReportFormat.Csv, ReportFormat.Xlsx]) switch
        {
            ReportFormat.Csv => AuditExportFormat.Csv,
            ReportFormat.Xlsx => AuditExportFormat.Xlsx,
            _ => null,
        };
    }

    public async Task ExecuteAsync(HttpContext http)
    {
        var ct = http.RequestAborted;
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var events = filter.Of(organization, db);
        if (await events.OrderByDescending(e => e.Id).Select(e => (Guid?)e.Id).FirstOrDefaultAsync(ct) is { } last) events = events.Where(e => e.Id <= last);
        var rows = await events.LongCountAsync(ct);
        if (format == AuditExportFormat.Xlsx && rows > MostInWorkbook) throw new RuleBreach("export_too_large", MostInWorkbook);
        await AuditTrail.Look(http, AuditKind.Export, new Shown(rows, [], AsFile: true));

        NameFile(http.Response, organization);
        try
        {
            await (format switch
            {
                AuditExportFormat.Xlsx => WriteXlsx(http, organization, events),
                AuditExportFormat.Ndjson => WriteNdjson(http, events),
                _ => WriteCsv(http, organization, events),
            });
        }
        catch when (http.Response.HasStarted)
        {
            http.Abort();
            throw;
        }
    }

    private async Task WriteCsv(HttpContext http, Organization organization, IQueryable<AuditEvent> events)
    {
        var lines = new AuditLines(organization.Zone);
        var text = new StringBuilder("\ufeff");
        ReportCsv.AppendHeadings(text, lines.Columns);
        await foreach (var page in Pages(events, http.RequestAborted))
        {
            foreach (var view in page) ReportCsv.AppendRow(text, lines.Columns, lines.Of(view));
            await http.Response.WriteAsync(text.ToString(), Encoding.UTF8, http.RequestAborted);
            text.Clear();
        }
        await http.Response.WriteAsync(text.ToString(), Encoding.UTF8, http.RequestAborted);
    }

    private async Task WriteXlsx(HttpContext http, Organization organization, IQueryable<AuditEvent> events)
    {
        var lines = new AuditLines(organization.Zone);
        using var file = new XlsxFile(http.Response.Body, [Messages.Title("audit_sheet")], http.RequestAborted);
        file.BeginSheet(AuditLines.Widths, freezesHeading: true);
        await file.Headings(lines.Columns);
        await foreach (var page in Pages(events, http.RequestAborted))
            foreach (var view in page) await file.Row(lines.Columns, lines.Of(view));
        await file.EndSheet();
        await file.Finish();
    }

    private async Task WriteNdjson(HttpContext http, IQueryable<AuditEvent> events)
    {
        await foreach (var page in Pages(events, http.RequestAborted))
            await http.Response.WriteAsync(string.Concat(page.Select(view => JsonSerializer.Serialize(view, Json.Options) + "\n")), Encoding.UTF8, http.RequestAborted);
    }

    private async IAsyncEnumerable<IReadOnlyList<AuditEventView>> Pages(IQueryable<AuditEvent> events, [EnumeratorCancellation] CancellationToken ct)
    {
        Guid? after = null;
        while (true)
        {
            var page = await AuditPage.ReadOn(db, events, after, AtOnce, ct);
            if (page.Count > 0) yield return await AuditEventView.Of(page, tenant.Id, db, ct);
            if (page.Count < AtOnce) yield break;
            after = page[^1].Event.Id;
        }
    }

    private void NameFile(HttpResponse response, Organization organization)
    {
        response.GetTypedHeaders().Append(HeaderNames.Vary, "Accept, Accept-Language");
        response.Headers.CacheControl = "no-store, private";
        var title = Messages.Detail("audit_sheet", organization.Name);
        if (format != AuditExportFormat.Ndjson) ReportMedia.NameFile(response, format == AuditExportFormat.Xlsx ? ReportFormat.Xlsx : ReportFormat.Csv, title, "audit");
        else
        {
            response.GetTypedHeaders().ContentType = new MediaTypeHeaderValue(Ndjson) { Charset = "utf-8" };
            response.GetTypedHeaders().ContentDisposition = new ContentDispositionHeaderValue("attachment") { FileName = "audit.ndjson", FileNameStar = ReportMedia.FileName(title) + ".ndjson" };
        }
    }

    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(string), [ReportMedia.Csv]));
}

/// <summary>An event as the cells of a spreadsheet.</summary>
internal sealed class AuditLines(TimeZoneInfo zone)
{
    private static readonly (string Heading, CellKind Kind, double Width)[] Shape =
    [
        ("audit_position", CellKind.Integer, 10), ("audit_at", CellKind.Time, 17), ("audit_kind", CellKind.Text, 10), ("audit_operation", CellKind.Text, 24), ("audit_outcome", CellKind.Text, 12),
        ("audit_code", CellKind.Text, 16), ("audit_times", CellKind.Integer, 8), ("audit_actor", CellKind.Text, 20), ("audit_actor_id", CellKind.Text, 38), ("audit_role", CellKind.Text, 14),
        ("audit_teams", CellKind.Text, 38), ("audit_address", CellKind.Text, 20), ("audit_agent", CellKind.Text, 12), ("audit_trace", CellKind.Text, 34), ("audit_resource_type", CellKind.Text, 16),
        ("audit_resource", CellKind.Text, 38), ("audit_volunteers", CellKind.Text, 38), ("audit_changes", CellKind.Text, 60), ("audit_query", CellKind.Text, 40), ("audit_rows", CellKind.Integer, 8),
    ];

    /// <summary>In the language of the request.</summary>
    public IReadOnlyList<ReportColumn> Columns { get; } = [.. Shape.Select(column => new ReportColumn(Messages.Title(column.Heading), column.Kind))];

    public static IReadOnlyList<double> Widths { get; } = [.. Shape.Select(column => column.Width)];

    public object?[] Of(AuditEventView e) =>
    [
        e.Position, TimeZoneInfo.ConvertTime(e.At, zone).DateTime, Messages.Title("audit_kind_" + Word(e.Kind)), e.Operation, Messages.Title("audit_outcome_" + Word(e.Outcome)),
        e.Code, (long)e.Times, e.Actor.Name ?? Messages.Title("audit_actor_" + Word(e.Actor.Kind)), e.Actor.Id?.ToString(), e.Role is { } role ? Messages.Title("audit_role_" + Word(role)) : null,
        e.TeamIds is null ? null : string.Join(' ', e.TeamIds), e.Address, e.Agent, e.TraceId, e.Resource?.Type, e.Resource?.Id, string.Join(' ', e.VolunteerIds),
        string.Join("; ", e.Changes.Select(Told)), e.Query is null ? null : string.Join("; ", e.Query.Select(parameter => $"{parameter.Key}={parameter.Value}")), e.Rows,
    ];

    private static string Told(AuditChangeView change)
    {
        var which = change.Ids.Count == 1 ? change.Ids[0] : change.Count.ToString(CultureInfo.InvariantCulture);
        var fields = string.Join(", ", change.Fields.Select(field => field.Erased ? $"{field.Name}: {Messages.Title("audit_erased")}" : $"{field.Name}: {field.Before ?? "–"} → {field.After ?? "–"}"));
        return $"{change.Type} {which} {Messages.Title("audit_action_" + Word(change.Action))}{(fields.Length > 0 ? ": " + fields : "")}";
    }

    private static string Word(Enum word) => JsonNamingPolicy.SnakeCaseLower.ConvertName(word.ToString());
}

internal static class AuditFiles
{
    public static RouteHandlerBuilder AnswersAuditFiles(this RouteHandlerBuilder route) => route.AddOpenApiOperationTransformer((operation, _, _) =>
    {
        var content = operation.Responses!["200"].Content!;
        content[ReportMedia.Csv] = File("UTF-8 with BOM, CRLF; headings and words in the language of Accept-Language; times in the organization's time zone.");
        content[ReportMedia.Xlsx] = File("Numbers as numbers, times as such, in the organization's time zone.");
        content["application/x-ndjson"] = File("One AuditEventView per line.");
        return Task.CompletedTask;
    });

    private static OpenApiMediaType File(string description) => new() { Schema = new OpenApiSchema { Type = JsonSchemaType.String, Description = description } };
}
