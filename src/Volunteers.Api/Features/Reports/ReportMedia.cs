using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;
using Volunteers.Platform;

namespace Volunteers.Features.Reports;

internal enum ReportFormat
{
    Json,
    Csv,
}

/// <summary>Something that was added up, for a program or for a spreadsheet.</summary>
internal interface IReport
{
    DateOnly From { get; }

    DateOnly To { get; }

    LedgerPoint AsOf { get; }

    /// <summary>What a spreadsheet of it is called, without an extension, in the language of the request.</summary>
    string Title();

    byte[] ToCsv();
}

internal static class ReportMedia
{
    private static readonly (ReportFormat Format, string MediaType)[] Offered = [(ReportFormat.Json, "application/json"), (ReportFormat.Csv, "text/csv")];

    /// <summary>What was asked for by <c>format</c>, else the best of <c>Accept</c>; null when nothing acceptable is offered.</summary>
    public static ReportFormat? Choose(HttpRequest request, ReportFormat? given)
    {
        var accepted = request.GetTypedHeaders().Accept;
        if (given is not null || accepted.Count == 0) return given ?? ReportFormat.Json;

        return accepted.Where(range => range.Quality is not 0)
            .OrderByDescending(range => range.Quality ?? 1).ThenBy(range => range.MatchesAllTypes).ThenBy(range => range.MatchesAllSubTypes)
            .SelectMany(range => Offered.Where(offer => range.MatchesMediaType(offer.MediaType)))
            .Select(offer => (ReportFormat?)offer.Format).FirstOrDefault();
    }

    public static RouteHandlerBuilder AnswersCsvToo(this RouteHandlerBuilder route) => route.AddOpenApiOperationTransformer((operation, _, _) =>
    {
        operation.Responses!["200"].Content!["text/csv"] = new OpenApiMediaType
        {
            Schema = new OpenApiSchema
            {
                Type = JsonSchemaType.String,
                Description = "UTF-8 with BOM, CRLF; headings in the language of Accept-Language; the last line is the total.",
            },
        };
        return Task.CompletedTask;
    });
}

/// <summary>A report as JSON or as a CSV file, with the position of the ledger it was drawn at.</summary>
internal sealed class ReportAnswer<T>(T report, ReportFormat format) : IResult, IEndpointMetadataProvider where T : IReport
{
    private static readonly JsonSerializerOptions RowsInOrder = new(Json.Options) { Converters = { new ReportRow.InOrder() } };

    public Task ExecuteAsync(HttpContext http)
    {
        var headers = http.Response.GetTypedHeaders();
        headers.Append("Volunteers-Ledger-Position", report.AsOf.Position);
        headers.Append(HeaderNames.Vary, "Accept, Accept-Language");
        if (format == ReportFormat.Json) return http.Response.WriteAsJsonAsync(report, RowsInOrder, http.RequestAborted);

        var file = report.ToCsv();
        headers.ContentType = new MediaTypeHeaderValue("text/csv") { Charset = "utf-8" };
        headers.ContentLength = file.Length;
        headers.ContentDisposition = new ContentDispositionHeaderValue("attachment")
        {
            FileName = $"report-{report.From:yyyy-MM-dd}-{report.To:yyyy-MM-dd}.csv",
            FileNameStar = string.Concat(report.Title().Select(c => "\\/:*?\"<>|".Contains(c, StringComparison.Ordinal) ? '_' : c)) + ".csv",
        };
        return http.Response.Body.WriteAsync(file, http.RequestAborted).AsTask();
    }

    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(T), ["application/json"]));
}
