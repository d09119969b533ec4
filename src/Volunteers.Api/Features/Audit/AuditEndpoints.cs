using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Audit;

internal static class AuditEndpoints
{
    public static void MapAudit(this RouteGroupBuilder organization)
    {
        var audit = organization.MapGroup("/audit").WithTags("Audit").Allows(Access.Administer).NotForClients();

        audit.MapGet("", List).WithName("listAuditEvents").ShowsPersonalData();
        audit.MapGet("/verification", Verify).WithName("verifyAudit").ShowsNoPersonalData().HandlesFiles();
        audit.MapGet("/export", Export).WithName("exportAuditEvents").ExportsPersonalData().Exports().HandlesFiles().AnswersAuditFiles().RefusesWith(406, 409);
    }

    /// <summary>
    /// Lists who did what, newest first: changes, looks at personal data of others, exports and sign-ins. Personal values are
    /// masked, and gone when the person was erased; names are those of now. This list is itself a look, and leaves a trace.
    /// </summary>
    private static async Task<Paged<AuditEventView>> List(
        [AsParameters] PageQuery page, [AsParameters] AuditFilter filter, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var before = page.Cursor is null ? (Guid?)null : Cursors.Read<Guid>(page.Cursor);
        var events = await AuditPage.Read(db, filter.Of(organization, db), before, page.Size + 1, ct);
        var items = await AuditEventView.Of([.. events.Take(page.Size)], tenant.Id, db, ct);
        return new Paged<AuditEventView>(new Page<AuditEventView>(items, events.Count > page.Size ? Cursors.Write(items[^1].Id) : null));
    }

    /// <summary>
    /// Recomputes the chain: positions without a gap, the hash of each event, and the values beside it that were not erased.
    /// Events of the last seconds wait to be sealed; until then only their number is known.
    /// </summary>
    private static async Task<Ok<AuditVerification>> Verify([AsParameters] AuditVerificationQuery query, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        TypedResults.Ok(await AuditVerification.Of(tenant.Id, query.After, db, ct));

    /// <summary>
    /// Streams the events that the filters leave, oldest first, as CSV, as a workbook, or as one JSON object per line (NDJSON). It
    /// ends with what there was when it began. XLSX holds at most 1,048,575 events (<c>export_too_large</c>).
    /// </summary>
    private static Results<AuditExport, StatusCodeHttpResult> Export(
        [AsParameters] AuditFilter filter, [AsParameters] AuditExportQuery query, HttpRequest request, Tenant tenant, VolunteersDb db) =>
        AuditExport.Choose(request, query.Format) is { } format ? new AuditExport(filter, format, tenant, db) : TypedResults.StatusCode(StatusCodes.Status406NotAcceptable);
}

/// <summary>Events by their ids, which are in the order of time.</summary>
internal static class AuditPage
{
    /// <summary>Newest first, before the one given.</summary>
    public static Task<List<SealedEvent>> Read(VolunteersDb db, IQueryable<AuditEvent> events, Guid? before, int size, CancellationToken ct) =>
        WithPosition(db, (before is { } id ? events.Where(e => e.Id < id) : events).OrderByDescending(e => e.Id).Take(size)).OrderByDescending(x => x.Event.Id).ToListAsync(ct);

    /// <summary>Oldest first, after the one given.</summary>
    public static Task<List<SealedEvent>> ReadOn(VolunteersDb db, IQueryable<AuditEvent> events, Guid? after, int size, CancellationToken ct) =>
        WithPosition(db, (after is { } id ? events.Where(e => e.Id > id) : events).OrderBy(e => e.Id).Take(size)).OrderBy(x => x.Event.Id).ToListAsync(ct);

    private static IQueryable<SealedEvent> WithPosition(VolunteersDb db, IQueryable<AuditEvent> events) => events.AsNoTracking().Select(e => new SealedEvent
    {
        Event = e,
        Position = db.Set<AuditLink>().Where(link => link.OrganizationId == e.OrganizationId && link.EventId == e.Id).Select(link => (long?)link.Position).FirstOrDefault(),
    });
}

/// <summary>An event and its place in the chain; none while it waits to be sealed.</summary>
internal sealed class SealedEvent
{
    public required AuditEvent Event { get; init; }

    public long? Position { get; init; }
}
