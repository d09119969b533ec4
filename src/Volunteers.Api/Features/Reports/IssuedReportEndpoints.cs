using System.Data;
using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Hours;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Reports;

internal static class IssuedReportEndpoints
{
    public static void MapIssuedReports(this RouteGroupBuilder reports)
    {
        var issued = reports.MapGroup("/hours/issued");

        issued.MapGet("", List).WithName("listIssuedReports").ShowsNoPersonalData();
        issued.MapPost("", Issue).WithName("issueReport").Allows(Access.Coordinate).RefusesWith(409);
        issued.MapGet("/{reportId:guid}", Get).WithName("getIssuedReport").ShowsNoPersonalData().RefusesWith(404);
        issued.MapGet("/{reportId:guid}/report", Draw).WithName("drawIssuedReport").ShowsPersonalData().AnswersFilesToo().RefusesWith(404, 406, 409);
        issued.MapGet("/{reportId:guid}/changes", Changes).WithName("getChangesSinceIssued").ShowsPersonalData().AnswersFilesToo().RefusesWith(404, 406, 409);
    }

    /// <summary>Lists the hour reports that were sent, in the order in which they were. A team coordinator sees those about their teams.</summary>
    private static Task<Paged<IssuedReportView>> List([AsParameters] PageQuery page, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        Visible(db, tenant).ToPage(page, i => i.Id, IssuedReportView.Projection, ct);

    /// <summary>
    /// Remembers an hour report that is sent: what was asked, where the ledger stands, whose names it shows and what it comes
    /// to. It can be drawn again as it was, and what has changed since is one call.
    /// </summary>
    private static async Task<Microsoft.AspNetCore.Http.HttpResults.Created<IssuedReportView>> Issue(
        IssueReportRequest request, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        // Bookings and new names wait, so that point, sums and names are of one moment, which is the one to draw it by again.
        await db.AwaitMoments(tenant.Id, ct);
        var (now, scope) = (db.Moment(), ReportScope.Of(tenant));
        var asOf = await LedgerPoint.Find(request.AsOf, tenant.Id, db, now, ct);
        asOf = asOf with { NamesAt = asOf.NamesAt ?? now };
        var report = await HourReport.At(asOf, request.Report(), scope, db, ct);
        var issued = new IssuedReport(scope, request, report, asOf.NamesAt.Value, tenant.ActorId, now);
        db.Add(issued);
        await db.SaveChangesAsync(ct);
        return TypedResults.Created($"/v1/organizations/{tenant.Id}/reports/hours/issued/{issued.Id}", IssuedReportView.Of(issued));
    }

    /// <summary>Shows a report that was sent: to whom, when, and what it came to.</summary>
    private static async Task<Results<Ok<IssuedReportView>, NotFound>> Get(Guid reportId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await Visible(db, tenant).SingleOrDefaultAsync(i => i.Id == reportId, ct) is { } issued ? TypedResults.Ok(IssuedReportView.Of(issued)) : TypedResults.NotFound();

    /// <summary>Draws a report that was sent once more, as it was: its position, its names, its teams, whoever draws it.</summary>
    private static async Task<Results<ReportAnswer<HourReport>, NotFound, StatusCodeHttpResult>> Draw(
        Guid reportId, [AsParameters] DrawQuery query, HttpRequest request, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        if (ReportMedia.Choose(request, query.Format) is not { } chosen) return TypedResults.StatusCode(StatusCodes.Status406NotAcceptable);
        await using var snapshot = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        return await Visible(db, tenant).SingleOrDefaultAsync(i => i.Id == reportId, ct) is { } issued
            ? new ReportAnswer<HourReport>(await HourReport.At(issued.Point, issued.Request.Report(), issued.Scope, db, ct), chosen)
            : TypedResults.NotFound();
    }

    /// <summary>Says what has changed since a report was sent: the rows that differ, before and after, and the postings that did it.</summary>
    private static async Task<Results<ReportAnswer<HourChanges>, NotFound, StatusCodeHttpResult>> Changes(
        Guid reportId, [AsParameters] DrawQuery query, HttpRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (ReportMedia.Choose(request, query.Format) is not { } chosen) return TypedResults.StatusCode(StatusCodes.Status406NotAcceptable);
        await using var snapshot = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        if (await Visible(db, tenant).SingleOrDefaultAsync(i => i.Id == reportId, ct) is not { } issued) return TypedResults.NotFound();
        var end = await LedgerPoint.Find(asOf: null, tenant.Id, db, clock.GetUtcNow(), ct);
        return new ReportAnswer<HourChanges>(await HourChanges.Between(issued.Point, end, issued.Request.Report(), issued.Scope, db, ct), chosen);
    }

    private static IQueryable<IssuedReport> Visible(VolunteersDb db, Tenant tenant) => db.IssuedReports.AsNoTracking().Where(i =>
        i.OrganizationId == tenant.Id && (tenant.ReadsAll || (i.Teams != null && i.Teams.All(team => tenant.Teams.Contains(team)))));
}

/// <summary>In what form to draw.</summary>
/// <param name="Format">The form of the answer; by <c>Accept</c> when not given.</param>
internal sealed record DrawQuery([property: FromQuery] ReportFormat? Format = null);

/// <summary>An hour report to be sent.</summary>
/// <param name="From">First local day on which the service began.</param>
/// <param name="To">Last local day on which it began; at most ten years after the first.</param>
/// <param name="GroupBy">As in the hour report.</param>
/// <param name="Team">Given in exactly this team.</param>
/// <param name="Volunteer">Given by this volunteer.</param>
/// <param name="Activity">Given for this activity.</param>
/// <param name="Project">Given for an activity of this project.</param>
/// <param name="Category">Given under this category.</param>
/// <param name="Evidence">How we know.</param>
/// <param name="AsOf">As the ledger stood at this position or instant; as it stands now when not given.</param>
/// <param name="SentTo">To whom it is sent; at most 200 characters.</param>
/// <param name="Note">At most 1,000 characters.</param>
internal sealed record IssueReportRequest(
    DateOnly From, DateOnly To, string? GroupBy = null, Guid? Team = null, Guid? Volunteer = null, Guid? Activity = null, Guid? Project = null,
    string? Category = null, Evidence? Evidence = null, string? AsOf = null, string? SentTo = null, string? Note = null)
{
    public HourReportQuery Report() => new(From, To, GroupBy, Team, Volunteer, Activity, Project, Category, Evidence, AsOf);

    internal sealed class Validator : AbstractValidator<IssueReportRequest>
    {
        public Validator(IValidator<HourReportQuery> report)
        {
            RuleFor(request => request.Report()).SetValidator(report).OverridePropertyName("");
            RuleFor(request => request.SentTo).OptionalLine(200);
            RuleFor(request => request.Note).MaximumLength(1000);
        }
    }
}
