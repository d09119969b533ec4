using Microsoft.AspNetCore.Http.HttpResults;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Reports;

internal static class ReportEndpoints
{
    public static void MapReports(this RouteGroupBuilder organization)
    {
        var reports = organization.MapGroup("/reports").WithTags("Reports").Allows(Access.Read).Scoped(Scope.Reports);

        reports.MapGet("/hours", Hours).WithName("getHourReport").ShowsPersonalData().AnswersFilesToo().RefusesWith(406, 409);
        reports.MapGet("/hours/changes", Changes).WithName("getHourReportChanges").ShowsPersonalData().AnswersFilesToo().RefusesWith(406, 409);
        reports.MapIssuedReports();
        reports.MapGet("/activities", Activities).WithName("getActivityReport").ShowsNoPersonalData().AnswersFilesToo().RefusesWith(406, 409);
        organization.MapGet("/service-records/export", Records).WithTags("Service records").WithName("exportServiceRecords").ExportsPersonalData().Allows(Access.Read)
            .Scoped(Scope.Hours).AnswersRecordFiles().HandlesFiles().RefusesWith(406, 409);
        reports.MapOverdueReport();
        organization.MapVolunteerSummary();
    }

    /// <summary>
    /// Adds up the hours of a period, as they stand or as they stood at a position of the ledger. A team coordinator's
    /// report, its total included, is about their teams only. At most 50,000 rows (<c>report_too_large</c>).
    /// </summary>
    private static async Task<Results<ReportAnswer<HourReport>, StatusCodeHttpResult>> Hours(
        [AsParameters] HourReportQuery query, HttpRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct) =>
        ReportMedia.Choose(request, query.Format) is { } format
            ? new ReportAnswer<HourReport>(await HourReport.Read(query, tenant, db, clock.GetUtcNow(), ct), format)
            : TypedResults.StatusCode(StatusCodes.Status406NotAcceptable);

    /// <summary>
    /// Compares an hour report at two points of the ledger: the rows whose figures differ, before and after, and the postings
    /// that did it. Applied to the earlier report, the changes give the later.
    /// </summary>
    private static async Task<Results<ReportAnswer<HourChanges>, StatusCodeHttpResult>> Changes(
        [AsParameters] HourChangesQuery query, HttpRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct) =>
        ReportMedia.Choose(request, query.Format) is { } format
            ? new ReportAnswer<HourChanges>(await HourChanges.Read(query, tenant, db, clock.GetUtcNow(), ct), format)
            : TypedResults.StatusCode(StatusCodes.Status406NotAcceptable);

    /// <summary>
    /// Counts the activities, published or completed, that start in a period; those that took place; the persons, person-times
    /// and hours credited for them, on whatever day; and the people they reached. A team coordinator's report is about the
    /// activities of their teams only.
    /// </summary>
    private static async Task<Results<ReportAnswer<ActivityReport>, StatusCodeHttpResult>> Activities(
        [AsParameters] ActivityReportQuery query, HttpRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct) =>
        ReportMedia.Choose(request, query.Format) is { } format
            ? new ReportAnswer<ActivityReport>(await ActivityReport.Read(query, tenant, db, clock.GetUtcNow(), ct), format)
            : TypedResults.StatusCode(StatusCodes.Status406NotAcceptable);

    /// <summary>
    /// Streams the service records of a period, one line each, ordered by start and id, with a total line that counts
    /// them at the end: a file without it was cut off. A record that was ever booked stands there as the ledger has it, a
    /// voided one with 0 minutes, so that the minutes add up to the hour report of the same filters and position, and the
    /// same position gives the same lines for ever. A team coordinator's file is about their teams only. XLSX holds at most
    /// 1,048,574 records (<c>export_too_large</c>).
    /// </summary>
    private static Results<RecordExportAnswer, StatusCodeHttpResult> Records(
        [AsParameters] RecordExportQuery query, HttpRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock)
    {
        ReportFormat? given = query.Format switch { ExportFormat.Csv => ReportFormat.Csv, ExportFormat.Xlsx => ReportFormat.Xlsx, _ => null };
        return ReportMedia.Choose(request, given, [ReportFormat.Csv, ReportFormat.Xlsx]) is { } format
            ? new RecordExportAnswer(query, format, tenant, db, clock)
            : TypedResults.StatusCode(StatusCodes.Status406NotAcceptable);
    }
}
