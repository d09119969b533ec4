using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Hours;

internal static class ServiceRecordEndpoints
{
    public static void MapServiceRecords(this RouteGroupBuilder organization)
    {
        var records = organization.MapGroup("/service-records").WithTags("Service records").Scoped(Scope.Hours);

        records.MapGet("", List).WithName("listServiceRecords").ShowsPersonalData();
        records.MapPost("", Record).WithName("recordService").Allows(Access.TakePart).RefusesWith(404, 409);
        records.MapPost("/batch", RecordBatch).WithName("recordServiceBatch").Allows(Access.Coordinate).RefusesWith(409);
        records.MapReviewQueue();
        records.MapGet("/{recordId:guid}", Get).WithName("getServiceRecord").ShowsPersonalData().RefusesWith(404);
        records.MapGet("/{recordId:guid}/history", History).WithName("getServiceRecordHistory").ShowsPersonalData().RefusesWith(404);
        records.MapServiceRecordReview();
    }

    /// <summary>Lists service records in the order in which the service began. Volunteers see their own.</summary>
    private static Task<Paged<ServiceRecordView>> List(
        [AsParameters] PageQuery page, [AsParameters] ServiceRecordFilter filter, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        filter.Apply(db.ServiceRecords.VisibleTo(tenant)).ToPage(page, r => r.StartsAt, r => r.Id, ServiceRecordView.Projection, ct);

    /// <summary>
    /// Records service. A coordinator's entry for others is approved and posted at once; anything about oneself is submitted
    /// and waits for another coordinator.
    /// </summary>
    private static async Task<Platform.Created<ServiceRecordView>> Record(
        ServiceRecordRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var record = await db.Record(organization, request.ToEntry(), Recorder.Of(tenant), clock.GetUtcNow(), ct);
        return Answer.Created($"/v1/organizations/{tenant.Id}/service-records/{record.Id}", ServiceRecordView.Of(record));
    }

    /// <summary>Records up to 1,000 services, all or none.</summary>
    private static async Task<Ok<ServiceRecordBatchView>> RecordBatch(
        ServiceRecordBatchRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var records = await db.Record(organization, [.. request.Items.Select(item => item.ToEntry())], Recorder.Of(tenant), clock.GetUtcNow(), ct);
        return TypedResults.Ok(new ServiceRecordBatchView([.. records.Select(ServiceRecordView.Of)]));
    }

    /// <summary>Shows a service record.</summary>
    private static async Task<Results<Found<ServiceRecordView>, NotFound>> Get(Guid recordId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.ServiceRecords.VisibleTo(tenant).Where(r => r.Id == recordId).Select(ServiceRecordView.Projection).SingleOrDefaultAsync(ct) is { } view
            ? Answer.Found(view)
            : TypedResults.NotFound();

    /// <summary>
    /// Shows every step of a record in plain words: who did what, when, why, and what it did to the totals. Disputes and
    /// their answers are steps too.
    /// </summary>
    private static async Task<Results<Ok<ServiceRecordHistory>, NotFound>> History(Guid recordId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.ServiceRecords.VisibleTo(tenant).AnyAsync(r => r.Id == recordId, ct)
            ? TypedResults.Ok(await ServiceRecordHistory.Of(recordId, tenant.Id, db, ct))
            : TypedResults.NotFound();
}

internal static class ServiceRecordQueries
{
    /// <summary>All for those who read everything, their teams' for a team coordinator, and one's own.</summary>
    public static IQueryable<ServiceRecord> VisibleTo(this IQueryable<ServiceRecord> records, Tenant tenant) => records.Where(r =>
        r.OrganizationId == tenant.Id && (tenant.ReadsAll || tenant.Teams.Contains(r.TeamId)
            || (tenant.VolunteerId != null && r.VolunteerId == tenant.VolunteerId)));
}
