using Microsoft.AspNetCore.Http.HttpResults;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Reports;

internal static class ReportEndpoints
{
    public static void MapReports(this RouteGroupBuilder organization)
    {
        var reports = organization.MapGroup("/reports").WithTags("Reports").Allows(Access.Read);

        reports.MapGet("/hours", Hours).WithName("getHourReport").AnswersCsvToo().RefusesWith(406, 409);
        reports.MapGet("/activities", Activities).WithName("getActivityReport").AnswersCsvToo().RefusesWith(406, 409);
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
    /// Counts the activities, published or completed, that start in a period; those that took place; the person-times
    /// credited for them, on whatever day; and the people they reached. A team coordinator's report is about the
    /// activities of their teams only.
    /// </summary>
    private static async Task<Results<ReportAnswer<ActivityReport>, StatusCodeHttpResult>> Activities(
        [AsParameters] ActivityReportQuery query, HttpRequest request, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        ReportMedia.Choose(request, query.Format) is { } format
            ? new ReportAnswer<ActivityReport>(await ActivityReport.Read(query, tenant, db, ct), format)
            : TypedResults.StatusCode(StatusCodes.Status406NotAcceptable);
}
