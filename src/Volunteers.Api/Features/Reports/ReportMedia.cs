using System.Globalization;
using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Reports;

internal enum ReportFormat
{
    Json,
    Csv,
    Xlsx,
    Pdf,
}

/// <summary>Something that was added up, for a program, for a spreadsheet or for paper.</summary>
internal interface IReport
{
    DateOnly From { get; }

    DateOnly To { get; }

    string TimeZone { get; }

    LedgerPoint AsOf { get; }

    /// <summary>How many lines it has.</summary>
    int Lines { get; }

    /// <summary>What every form of it says, in the language of the request.</summary>
    ReportTable ToTable(DateTimeOffset drawnAt);
}

internal static class ReportMedia
{
    public const string Csv = "text/csv", Xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Pdf = "application/pdf";

    private static readonly (ReportFormat Format, string MediaType)[] All =
        [(ReportFormat.Json, "application/json"), (ReportFormat.Csv, Csv), (ReportFormat.Xlsx, Xlsx), (ReportFormat.Pdf, Pdf)];

    /// <summary>What was asked for by <c>format</c>, else the best of <c>Accept</c>; null when nothing acceptable is offered.</summary>
    public static ReportFormat? Choose(HttpRequest request, ReportFormat? given) => Choose(request, given, [.. All.Select(offer => offer.Format)]);

    /// <param name="request">Whose <c>Accept</c> counts when nothing is given.</param>
    /// <param name="given">By <c>format</c>.</param>
    /// <param name="offered">The first is for those to whom all is the same.</param>
    public static ReportFormat? Choose(HttpRequest request, ReportFormat? given, ReportFormat[] offered)
    {
        var accepted = request.GetTypedHeaders().Accept;
        if (given is not null || accepted.Count == 0) return given ?? offered[0];

        // The narrowest range that names a form says how welcome it is (RFC 9110, 12.5.1); equally welcome, the one named most narrowly.
        return offered
            .Select(offer => (Offer: offer, Range: accepted.Where(range => range.MatchesMediaType(TypeOf(offer))).MinBy(Breadth)))
            .Where(choice => choice.Range is { Quality: not 0 })
            .OrderByDescending(choice => choice.Range!.Quality ?? 1).ThenBy(choice => Breadth(choice.Range!)).ThenBy(choice => accepted.IndexOf(choice.Range!))
            .Select(choice => (ReportFormat?)choice.Offer).FirstOrDefault();
    }

    /// <summary>Whether a report is asked for as a file, by <c>format</c> or by <c>Accept</c>.</summary>
    public static bool AsksForFile(HttpRequest request) =>
        Choose(request, Enum.TryParse<ReportFormat>(request.Query["format"], ignoreCase: true, out var given) ? given : null) is not (null or ReportFormat.Json);

    private static int Breadth(MediaTypeHeaderValue range) => range.MatchesAllTypes ? 2 : range.MatchesAllSubTypes ? 1 : 0;

    public static string TypeOf(ReportFormat format) => All.Single(offer => offer.Format == format).MediaType;

    /// <summary>
    /// Says that the answer is a file and what it is called (RFC 6266): by organization and period, in Chinese too, and in
    /// plain letters for clients that read no more.
    /// </summary>
    public static void NameFile(HttpResponse response, ReportFormat format, string title, string plain)
    {
        var (headers, extension) = (response.GetTypedHeaders(), "." + format.ToString().ToLowerInvariant());
        headers.ContentType = new MediaTypeHeaderValue(TypeOf(format)) { Charset = format == ReportFormat.Csv ? "utf-8" : default };
        headers.ContentDisposition = new ContentDispositionHeaderValue("attachment") { FileName = plain + extension, FileNameStar = FileName(title) + extension };
    }

    /// <summary>Nothing that a file system or a header could take amiss, and no longer than every file system allows.</summary>
    internal static string FileName(string title)
    {
        const int longest = 60;
        var name = string.Concat(title.EnumerateRunes().Select(rune => IsHarmful(rune) ? "_" : rune.ToString()));
        if (name.Length > longest)
        {
            // The period stands at the end, so what is long is cut in the middle.
            var (start, end) = (longest / 2, name.Length - (longest / 2) + 1);
            if (char.IsLowSurrogate(name[start])) start--;
            if (char.IsLowSurrogate(name[end])) end++;
            name = name[..start] + "…" + name[end..];
        }
        return name.Trim(' ', '.');
    }

    private static bool IsHarmful(Rune rune) =>
        "\\/:*?\"<>|%'".Contains(rune.ToString(), StringComparison.Ordinal) || rune == Rune.ReplacementChar
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    public static RouteHandlerBuilder AnswersFilesToo(this RouteHandlerBuilder route) => route.HandlesFiles().Exports(AsksForFile).RefusesWith(StatusCodes.Status409Conflict, "report_too_long_to_print").AddOpenApiOperationTransformer((operation, _, _) =>
    {
        Offer(operation, Csv, "UTF-8 with BOM, CRLF; headings in the language of Accept-Language; the last line is the total.");
        Offer(operation, Xlsx, "Numbers as numbers, dates as dates; the last row is the total; a second sheet says period, filters, position and when it was drawn.");
        Offer(operation, Pdf, "A4, at most 5,000 rows (`report_too_long_to_print`).");
        return Task.CompletedTask;
    });

    public static RouteHandlerBuilder AnswersRecordFiles(this RouteHandlerBuilder route) => route.Exports().AddOpenApiOperationTransformer((operation, _, _) =>
    {
        Offer(operation, Csv, "UTF-8 with BOM, CRLF; headings in the language of Accept-Language; the last line is the total and says how many there are.");
        Offer(operation, Xlsx, "Numbers as numbers, days and times as such, in the organization's time zone; the last row is the total.");
        return Task.CompletedTask;
    });

    private static void Offer(OpenApiOperation operation, string mediaType, string description)
    {
        var schema = new OpenApiSchema { Type = JsonSchemaType.String, Description = description };
        if (mediaType != Csv) schema.Format = "binary";
        operation.Responses!["200"].Content![mediaType] = new OpenApiMediaType { Schema = schema };
    }
}

/// <summary>A report as JSON or as a file, with the position of the ledger it was drawn at.</summary>
internal sealed class ReportAnswer<T>(T report, ReportFormat format) : IResult, IShowsRows, IEndpointMetadataProvider where T : IReport
{
    public long Rows => report.Lines;

    public bool AsFile => format != ReportFormat.Json;

    public async Task ExecuteAsync(HttpContext http)
    {
        var headers = http.Response.GetTypedHeaders();
        headers.Append("Volunteers-Ledger-Position", report.AsOf.Position);
        headers.Append(HeaderNames.Vary, "Accept, Accept-Language");
        if (format == ReportFormat.Json)
        {
            await http.Response.WriteAsJsonAsync(report, ReportRow.InOrder.Options, http.RequestAborted);
            return;
        }

        var drawnAt = http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow();
        var table = report.ToTable(drawnAt);
        var file = format switch
        {
            ReportFormat.Xlsx => await ReportXlsx.Of(table, http.RequestAborted),
            ReportFormat.Pdf => ReportPdf.Of(table, ReportFacts.Foot(report.AsOf, report.TimeZone, drawnAt)),
            _ => ReportCsv.Of(table.Main),
        };
        ReportMedia.NameFile(http.Response, format, table.Title, $"report-{report.From:yyyy-MM-dd}-{report.To:yyyy-MM-dd}");
        http.Response.ContentLength = file.Length;
        await http.Response.Body.WriteAsync(file, http.RequestAborted);
    }

    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(T), ["application/json"]));
}
