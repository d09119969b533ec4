using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Reconciliation;

internal static class ReconciliationEndpoints
{
    public static void MapReconciliations(this RouteGroupBuilder organization)
    {
        var reconciliations = organization.MapGroup("/reconciliations").WithTags("Reconciliation").Scoped(Scope.Hours);

        reconciliations.MapGet("", List).WithName("listReconciliations").ShowsNoPersonalData().Allows(Access.Read);
        reconciliations.MapPost("", Reconcile).WithName("reconcile").Allows(Access.CoordinateAll).Costs(Cost.Import).RefusesWith(404, 409, 413, 415)
            .WithMetadata(new RequestSizeLimitAttribute(UpstreamFile.LargestBytes)).HandlesFiles()
            .TakesSpreadsheet("The other system's export, CSV or XLSX, at most 10 MiB.", "姓名,手机号,服务日期,服务时长,活动名称,记录编号\r\n的哥队员48,13800138000,2026-06-07,2.5,爱心送考,SZ-20260607-0031\r\n");
        reconciliations.MapGet("/{reconciliationId:guid}", Get).WithName("getReconciliation").ShowsNoPersonalData().Allows(Access.Read).RefusesWith(404);
        reconciliations.MapGet("/{reconciliationId:guid}/rows", Rows).WithName("listReconciliationRows").ShowsPersonalData().Allows(Access.Read).RefusesWith(404);
        reconciliations.MapPost("/{reconciliationId:guid}/import", Import).WithName("importReconciliation").Allows(Access.CoordinateAll).Costs(Cost.Import).HandlesFiles().RefusesWith(404, 409)
            .RefusesWithMembersOf(409, typeof(ReconciliationImportView), "refused");
        reconciliations.MapDelete("/{reconciliationId:guid}", Delete).WithName("deleteReconciliation").Allows(Access.CoordinateAll).RefusesWith(404);
    }

    /// <summary>Lists reconciliations, the oldest first. Coordinators of single teams see none.</summary>
    private static Task<Paged<ReconciliationView>> List([AsParameters] PageQuery page, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        db.Reconciliations.VisibleTo(tenant).ToPage(page, r => r.Id, ReconciliationView.Projection, ct);

    /// <summary>Holds another system's export against the service of a period, and books nothing.</summary>
    /// <remarks>
    /// CSV (UTF-8, UTF-16 with a mark, or GB18030) or XLSX (its first sheet), as the body itself or as the one file of a form; at most 10 MB and
    /// 50,000 rows. The headings may stand in any of the first ten rows. Each row of the file, and each approved record of a named volunteer in the period, comes
    /// into exactly one list: <c>same</c>, <c>missingThere</c>, <c>missingHere</c>, <c>different</c>, or <c>unmatched</c> with a code that says why.
    ///
    /// A person is found by number, else by phone, else by a name that only one person has, or only one who gave service that day.
    /// Service of one person is paired first with the record that was imported from that very row, then within the local day by the
    /// activity's name, then by minutes, then in order. Of rows of matched people no personal values are kept; everything is forgotten after 90 days.
    /// </remarks>
    private static async Task<Platform.Created<ReconciliationView>> Reconcile(
        UpstreamFile file, [AsParameters] ReconciliationQuery query, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var mapping = await db.MappingOf(tenant.Id, query.Mapping, ct) ?? throw RuleBreach.NotFound("column_mapping_not_found", "/mapping");
        if (query.Team is { } team && !await db.Teams.AnyAsync(t => t.OrganizationId == tenant.Id && t.Id == team, ct)) throw RuleBreach.NotFound("team_not_found", "/team");

        var run = new ReconciliationRun(mapping, query, tenant.ActorId, clock.GetUtcNow());
        var rows = await Reconciling.Compare(db, organization, mapping, run, file, ct);
        db.Add(run);
        await db.SaveChangesAsync(ct);
        await db.Keep(tenant.Id, rows, ct);
        return Answer.Created($"/v1/organizations/{tenant.Id}/reconciliations/{run.Id}", ReconciliationView.Of(run));
    }

    /// <summary>Shows what came of a reconciliation.</summary>
    private static async Task<Results<Found<ReconciliationView>, NotFound>> Get(Guid reconciliationId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.Reconciliations.VisibleTo(tenant).Where(r => r.Id == reconciliationId).Select(ReconciliationView.Projection).SingleOrDefaultAsync(ct) is { } view
            ? Answer.Found(view)
            : TypedResults.NotFound();

    /// <summary>Lists the rows of a reconciliation: those of the file in its order, then the records that are not in it, by day.</summary>
    private static async Task<Results<Paged<ReconciliationRowView>, NotFound>> Rows(
        Guid reconciliationId, [AsParameters] PageQuery page, [AsParameters] ReconciliationRowFilter filter, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        if (!await db.Reconciliations.VisibleTo(tenant).AnyAsync(r => r.Id == reconciliationId, ct)) return TypedResults.NotFound();
        var rows = filter.Apply(db.ReconciliationRows.Where(r => r.OrganizationId == tenant.Id && r.ReconciliationId == reconciliationId));
        return await rows.ToPage(page, r => r.Position, r => r.Id, ReconciliationRowView.Projection(db), ct);
    }

    /// <summary>Books what is missing here, with evidence <c>import</c>; all rows that are asked for or, when one is refused, none.</summary>
    /// <remarks>
    /// The rules for recording service hold: overlaps, the daily limit, membership; nobody imports their own hours. A row without a start and an end is placed in the
    /// person's first free gap of that length from 08:00 local time of its day, and its note says so. With <c>skipRefused</c> the rows that are
    /// refused are named and the others are booked. A row becomes a record once, however often and from however many
    /// reconciliations it is imported.
    /// </remarks>
    private static async Task<Results<Ok<ReconciliationImportView>, ReconciliationImportRefused, NotFound>> Import(
        Guid reconciliationId, ReconciliationImportRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        // One import after the other: the second finds what the first has made.
        var organization = await db.LockOrganization(tenant.Id, ct);
        if (await db.Reconciliations.VisibleTo(tenant).SingleOrDefaultAsync(r => r.Id == reconciliationId, ct) is not { } run) return TypedResults.NotFound();

        var import = new ReconciliationImport(db, organization, run, request, tenant, clock.GetUtcNow());
        await import.Run(ct);
        var view = new ReconciliationImportView(import.Imported, import.Already, import.Refused);
        return view.Refused.Count > 0 && !request.SkipRefused ? new ReconciliationImportRefused(view) : TypedResults.Ok(view);
    }

    /// <summary>Forgets a reconciliation with its rows. What was imported stays.</summary>
    private static async Task<Results<NoContent, NotFound>> Delete(Guid reconciliationId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.DeleteNoted(db.Reconciliations.VisibleTo(tenant).Where(r => r.Id == reconciliationId), ct) == 1 ? TypedResults.NoContent() : TypedResults.NotFound();

    /// <summary>A file holds people of every team, so only who sees every team sees what came of it.</summary>
    private static IQueryable<ReconciliationRun> VisibleTo(this IQueryable<ReconciliationRun> runs, Tenant tenant) =>
        runs.Where(r => r.OrganizationId == tenant.Id && tenant.ReadsAll);
}
