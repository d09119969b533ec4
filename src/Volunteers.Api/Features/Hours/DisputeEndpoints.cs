using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Hours;

internal static class DisputeEndpoints
{
    public static void MapDisputes(this RouteGroupBuilder organization)
    {
        organization.MapPost("/service-records/{recordId:guid}/disputes", Open).WithTags("Disputes").WithName("disputeServiceRecord").NotForClients()
            .Allows(Access.TakePart).RefusesWith(404, 409);

        var disputes = organization.MapGroup("/disputes").WithTags("Disputes").Scoped(Scope.Hours);
        disputes.MapGet("", List).WithName("listDisputes").ShowsPersonalData();
        disputes.MapGet("/{disputeId:guid}", Get).WithName("getDispute").ShowsPersonalData().RefusesWith(404);
        disputes.MapPost("/{disputeId:guid}/answer", Answer).WithName("answerDispute").Allows(Access.Coordinate).RefusesWith(404, 409);
        disputes.MapPost("/{disputeId:guid}/withdraw", Withdraw).WithName("withdrawDispute").Allows(Access.TakePart).NotForClients().RefusesWith(404, 409);
    }

    /// <summary>
    /// Says that a record of one's own is not right, whatever became of it: approved, rejected or voided. One at a time: while
    /// it is open there is no second (<c>dispute_open</c>).
    /// </summary>
    private static async Task<Results<Platform.Created<DisputeView>, NotFound>> Open(
        Guid recordId, DisputeRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await db.LockRecords(tenant.Id, [recordId], ct) is not [var record] || !await db.ServiceRecords.VisibleTo(tenant).AnyAsync(r => r.Id == recordId, ct))
            return TypedResults.NotFound();
        if (tenant.VolunteerId is null || record.VolunteerId != tenant.VolunteerId) throw RuleBreach.Forbidden("only_own_dispute");

        var now = clock.GetUtcNow();
        var dispute = new Dispute(record, request.Message, tenant.ActorId, now);
        db.Add(dispute);
        db.Add(new ServiceRecordEvent(record, RecordStep.Disputed, tenant.ActorId, now, request.Message, []));
        await db.SaveChangesAsync(ct);
        return Platform.Answer.Created($"/v1/organizations/{tenant.Id}/disputes/{dispute.Id}", await View(db, tenant, dispute.Id, ct));
    }

    /// <summary>Lists disputes, oldest first: those of their teams for coordinators, one's own for volunteers.</summary>
    private static Task<Paged<DisputeView>> List(
        [AsParameters] PageQuery page, [AsParameters] DisputeFilter filter, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        filter.Apply(db.DisputesVisibleTo(tenant)).ToPage(page, x => x.Dispute.CreatedAt, x => x.Dispute.Id, DisputeView.Projection(db), ct);

    /// <summary>Shows a dispute and its answer.</summary>
    private static async Task<Results<Found<DisputeView>, NotFound>> Get(Guid disputeId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.DisputesVisibleTo(tenant).Where(x => x.Dispute.Id == disputeId).Select(DisputeView.Projection(db)).SingleOrDefaultAsync(ct) is { } view
            ? Platform.Answer.Found(view)
            : TypedResults.NotFound();

    /// <summary>
    /// Answers a dispute: by explaining, by correcting approved service, or by voiding it. The correction and the answer are
    /// one: the explanation is its reason. Nobody answers about their own hours, and nobody twice (<c>dispute_closed</c>).
    /// </summary>
    private static async Task<Results<Found<DisputeView>, NotFound>> Answer(
        Guid disputeId, DisputeAnswerRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await Lock(disputeId, tenant, db, ct) is not var (dispute, record) || !tenant.Coordinates(record.TeamId)) return TypedResults.NotFound();

        record.RefuseOwn(Reviewer.Of(tenant));
        dispute.RefuseUnlessOpen();
        var now = clock.GetUtcNow();
        var outcome = request switch
        {
            { Correction: not null } => DisputeOutcome.Corrected,
            { Void: true } => DisputeOutcome.Voided,
            _ => DisputeOutcome.Explained,
        };
        if (request.Correction is { } correction) await db.BookCorrection(record, correction.Because(request.Explanation), tenant, now, ct);
        if (request.Void) await db.BookVoid(record, request.Explanation, tenant, now, ct);
        dispute.Answer(outcome, request.Explanation, tenant.ActorId, now);
        db.Add(new ServiceRecordEvent(record, RecordStep.DisputeAnswered, tenant.ActorId, now, request.Explanation, []));
        await db.SaveChangesAsync(ct);
        return Platform.Answer.Found(await View(db, tenant, disputeId, ct));
    }

    /// <summary>Takes back one's own open dispute.</summary>
    private static async Task<Results<Found<DisputeView>, NotFound>> Withdraw(
        Guid disputeId, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await Lock(disputeId, tenant, db, ct) is not var (dispute, record)) return TypedResults.NotFound();
        if (tenant.VolunteerId is null || record.VolunteerId != tenant.VolunteerId) throw RuleBreach.Forbidden("only_own_dispute");

        var now = clock.GetUtcNow();
        dispute.Withdraw(tenant.ActorId, now);
        db.Add(new ServiceRecordEvent(record, RecordStep.DisputeWithdrawn, tenant.ActorId, now, reason: null, []));
        await db.SaveChangesAsync(ct);
        return Platform.Answer.Found(await View(db, tenant, disputeId, ct));
    }

    /// <summary>The dispute with its record locked, if the caller may see it. Read after the lock: somebody else may have answered meanwhile.</summary>
    private static async Task<(Dispute, ServiceRecord)?> Lock(Guid disputeId, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        var recordId = await db.DisputesVisibleTo(tenant).Where(x => x.Dispute.Id == disputeId).Select(x => x.Dispute.RecordId).SingleOrDefaultAsync(ct);
        if (recordId == default || await db.LockRecords(tenant.Id, [recordId], ct) is not [var record]) return null;
        return (await db.Disputes.SingleAsync(d => d.OrganizationId == tenant.Id && d.Id == disputeId, ct), record);
    }

    private static Task<DisputeView> View(VolunteersDb db, Tenant tenant, Guid disputeId, CancellationToken ct) =>
        db.DisputesVisibleTo(tenant).Where(x => x.Dispute.Id == disputeId).Select(DisputeView.Projection(db)).SingleAsync(ct);
}

internal static class DisputeQueries
{
    /// <summary>Whoever sees a record sees what was disputed about it.</summary>
    public static IQueryable<DisputedRecord> DisputesVisibleTo(this VolunteersDb db, Tenant tenant) =>
        db.Disputes.Where(d => d.OrganizationId == tenant.Id).Join(db.ServiceRecords.VisibleTo(tenant),
            d => new { d.OrganizationId, Id = d.RecordId }, r => new { r.OrganizationId, r.Id }, (d, r) => new DisputedRecord { Dispute = d, Record = r });
}

/// <summary>A dispute beside what it is about.</summary>
internal sealed class DisputedRecord
{
    public required Dispute Dispute { get; init; }

    public required ServiceRecord Record { get; init; }
}
