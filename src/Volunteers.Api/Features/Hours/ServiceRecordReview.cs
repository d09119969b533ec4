using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Hours;

/// <summary>What a coordinator does with a record once it is there. Each step locks the record, books, and keeps the step.</summary>
internal static class ServiceRecordReview
{
    public static void MapServiceRecordReview(this RouteGroupBuilder records)
    {
        var review = records.MapGroup("/{recordId:guid}").Allows(Access.Coordinate).RefusesWith(404, 409);

        review.MapPost("/approve", Approve).WithName("approveServiceRecord");
        review.MapPost("/reject", Reject).WithName("rejectServiceRecord");
        review.MapPost("/correct", Correct).WithName("correctServiceRecord");
        review.MapPost("/void", Void).WithName("voidServiceRecord");
        review.MapPost("/claims", Claim).WithName("claimHeadcount");
    }

    /// <summary>
    /// Approves submitted service and posts its minutes. Nobody approves their own. What a headcount of the same activity
    /// may hold already (<c>counted_in_headcount</c>) is approved out of that headcount, or beside it.
    /// </summary>
    private static async Task<Results<Found<ServiceRecordView>, NotFound>> Approve(
        Guid recordId, ApprovalRequest? request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        await db.ShareActivitiesOf(tenant.Id, [recordId], ct);
        var records = await db.LockRecords(tenant.Id, request?.HeadcountId is { } counted ? [recordId, counted] : [recordId], ct);
        if (records.SingleOrDefault(r => r.Id == recordId) is not { } record || !tenant.Coordinates(record.TeamId)) return TypedResults.NotFound();

        var now = clock.GetUtcNow();
        if (request?.HeadcountId is { } headcountId)
        {
            if (records.SingleOrDefault(r => r.Id == headcountId) is not { } headcount || !tenant.Coordinates(headcount.TeamId))
                throw RuleBreach.NotFound("record_not_found", "/headcountId");
            record.ApproveFrom(headcount, Reviewer.Of(tenant), now);
            await db.RefuseSecondName(headcount.Id, record, ct);
            var postings = await db.Post(tenant.Id,
                [Booking.Of(headcount, PostingCause.Claimed, record.Minutes, 1).Reversed, Booking.Of(record, PostingCause.Claimed)], tenant.ActorId, now, ct);
            db.Add(new ServiceRecordEvent(headcount, RecordStep.Claimed, tenant.ActorId, now, reason: null, postings));
            db.Add(new ServiceRecordEvent(record, RecordStep.Approved, tenant.ActorId, now, request.Reason, postings));
            await db.SaveChangesAsync(ct);
            return Answer.Found(ServiceRecordView.Of(record));
        }

        record.Approve(Reviewer.Of(tenant), now);
        (await CountedTwice.Load(db, [record], ct)).Admit(record, apart: request is { NotCountedElsewhere: true });
        await Book(record, RecordStep.Approved, request?.Reason, [Booking.Of(record, PostingCause.Approved)], tenant, db, now, ct);
        return Answer.Found(ServiceRecordView.Of(record));
    }

    /// <summary>Rejects submitted service. Nothing is posted, and its time is free again.</summary>
    private static async Task<Results<Found<ServiceRecordView>, NotFound>> Reject(
        Guid recordId, ReasonRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await Lock(recordId, tenant, db, ct) is not { } record) return TypedResults.NotFound();

        var now = clock.GetUtcNow();
        record.Reject(Reviewer.Of(tenant), request.Reason, now);
        await Book(record, RecordStep.Rejected, request.Reason, [], tenant, db, now, ct);
        return Answer.Found(ServiceRecordView.Of(record));
    }

    /// <summary>Voids approved service and posts its minutes back; what was claimed from a headcount under a wrong name goes back there instead.</summary>
    private static async Task<Results<Found<ServiceRecordView>, NotFound>> Void(
        Guid recordId, VoidRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var from = request.BackToHeadcount
            ? await db.ServiceRecords.Where(r => r.OrganizationId == tenant.Id && r.Id == recordId).Select(r => r.ClaimedFromId).SingleOrDefaultAsync(ct)
            : null;
        if (from is { } id) await db.LockActivityOfHeadcount(tenant.Id, id, ct);
        var records = await db.LockRecords(tenant.Id, from is null ? [recordId] : [recordId, from.Value], ct);
        if (records.SingleOrDefault(r => r.Id == recordId) is not { } record || !tenant.Coordinates(record.TeamId)) return TypedResults.NotFound();

        var now = clock.GetUtcNow();
        if (!request.BackToHeadcount) await db.BookVoid(record, request.Reason, tenant, now, ct);
        else if (from is null) throw new RuleBreach("not_claimed");
        else await db.BookReturn(record, records.Single(r => r.Id == from), request, tenant, now, ct);
        return Answer.Found(ServiceRecordView.Of(record));
    }

    private static async Task BookReturn(
        this VolunteersDb db, ServiceRecord record, ServiceRecord headcount, VoidRequest request, Tenant tenant, DateTimeOffset now, CancellationToken ct)
    {
        var held = Booking.Of(record, PostingCause.Claimed);
        // While all in it had names, others may have been booked beside it.
        var stood = headcount.CreditedPersonTimes > 0 ? Participation.Of(headcount) : null;
        record.GiveBack(headcount, Reviewer.Of(tenant), request.Reason, now);
        if (!request.NotCountedElsewhere)
            (await CountedTwice.Load(db, tenant.Id, [headcount.ActivityId], headcount.StartsAt, headcount.EndsAt, namesToo: true, ct)).Refuse(Participation.Of(headcount), stood);
        var postings = await db.Post(tenant.Id, [held.Reversed, Booking.Of(headcount, PostingCause.Claimed, held.Minutes, 1)], tenant.ActorId, now, ct);
        db.Add(new ServiceRecordEvent(record, RecordStep.Voided, tenant.ActorId, now, request.Reason, postings));
        db.Add(new ServiceRecordEvent(headcount, RecordStep.Returned, tenant.ActorId, now, request.Reason, postings));
        await db.SaveChangesAsync(ct);
    }

    /// <summary>In a transaction that has the record locked.</summary>
    public static async Task BookVoid(this VolunteersDb db, ServiceRecord record, string reason, Tenant tenant, DateTimeOffset now, CancellationToken ct)
    {
        var credited = Booking.Of(record, PostingCause.Voided);
        record.Void(Reviewer.Of(tenant), reason, now);
        await Book(record, RecordStep.Voided, reason, [credited.Reversed], tenant, db, now, ct);
    }

    /// <summary>
    /// Corrects the figures of approved service: the old ones are posted back and the new ones in, in one transaction. What
    /// it would bring beside a headcount, or a headcount beside, is refused as for new service (<c>counted_in_headcount</c>,
    /// <c>counted_by_name</c>).
    /// </summary>
    private static async Task<Results<Found<ServiceRecordView>, NotFound>> Correct(
        Guid recordId, CorrectionRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        await db.LockActivityOfHeadcount(tenant.Id, recordId, ct);
        if (await Lock(recordId, tenant, db, ct) is not { } record) return TypedResults.NotFound();

        await db.BookCorrection(record, request, tenant, clock.GetUtcNow(), ct);
        return Answer.Found(ServiceRecordView.Of(record));
    }

    /// <summary>In a transaction that has the record locked, and of a headcount the activity before it.</summary>
    public static async Task BookCorrection(this VolunteersDb db, ServiceRecord record, CorrectionRequest request, Tenant tenant, DateTimeOffset now, CancellationToken ct)
    {
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var entry = request.ToEntry(record);
        var figures = RecordingRules.FiguresOf(entry, now);
        var day = organization.DayOf(figures.StartsAt);
        var before = Booking.Of(record, PostingCause.Corrected);
        // A headcount in which all had names stood beside nobody.
        var stood = before.PersonTimes > 0 ? Participation.Of(record) : null;
        record.Correct(Reviewer.Of(tenant), figures, day, request.Reason, now);
        var rules = await RecordingRules.Load(db, organization, RecordingScope.Of(organization, entry), ct, except: [record.Id]);
        if (record.VolunteerId is { } volunteer)
        {
            // A day that stands above its limit may always come closer to it.
            var noMore = day == before.ServiceDate && figures.Minutes <= before.Minutes;
            rules.AdmitVolunteer(volunteer, record.TeamId, figures, day, mayOverride: noMore || request.DailyLimitOverride is not null);
        }
        if (!request.NotCountedElsewhere && record.CreditedPersonTimes > 0) rules.RefuseCountedTwice(Participation.Of(record), stood);
        if (request.DailyLimitOverride is { } reason) record.OverrideDailyLimit(reason);
        await Book(record, RecordStep.Corrected, request.Reason, [before.Reversed, Booking.Of(record, PostingCause.Corrected)], tenant, db, now, ct);
    }

    /// <summary>
    /// Gives one participation of a headcount a name: minutes and a person-time move to a record of that volunteer. No
    /// total changes.
    /// </summary>
    private static async Task<Results<Platform.Created<ServiceRecordView>, NotFound>> Claim(
        Guid recordId, ClaimRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        await db.ShareActivitiesOf(tenant.Id, [recordId], ct);
        if (await Lock(recordId, tenant, db, ct) is not { } headcount) return TypedResults.NotFound();

        var now = clock.GetUtcNow();
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var entry = request.ToEntry(headcount);
        var figures = RecordingRules.FiguresOf(entry, now);
        // On another local day its hours would leave one month's total for another's.
        if (organization.DayOf(figures.StartsAt) != organization.DayOf(headcount.StartsAt)) throw new RuleBreach("claim_outside_headcount");
        var named = headcount.Claim(Reviewer.Of(tenant), request.VolunteerId, figures, now);
        await db.RefuseSecondName(headcount.Id, named, ct);
        var rules = await RecordingRules.Load(db, organization, RecordingScope.Of(organization, entry), ct);
        rules.RefuseChild(request.VolunteerId, now);
        rules.AdmitVolunteer(request.VolunteerId, headcount.TeamId, figures, named.ServiceDate, mayOverride: request.DailyLimitOverride is not null);
        named.ComeLate(rules.IsLate(headcount.ActivityId, now));
        if (request.DailyLimitOverride is { } reason) named.OverrideDailyLimit(reason);
        db.Add(named);
        var postings = await db.Post(tenant.Id,
            [Booking.Of(headcount, PostingCause.Claimed, named.Minutes, 1).Reversed, Booking.Of(named, PostingCause.Claimed)], tenant.ActorId, now, ct);
        db.Add(new ServiceRecordEvent(headcount, RecordStep.Claimed, tenant.ActorId, now, reason: null, postings));
        db.Add(new ServiceRecordEvent(named, RecordStep.Claimed, tenant.ActorId, now, request.DailyLimitOverride, postings));
        await db.SaveChangesAsync(ct);
        return Answer.Created($"/v1/organizations/{tenant.Id}/service-records/{named.Id}", ServiceRecordView.Of(named));
    }

    /// <summary>A count of heads has each person once. In a transaction that has the headcount locked.</summary>
    private static async Task RefuseSecondName(this VolunteersDb db, Guid headcountId, ServiceRecord named, CancellationToken ct)
    {
        if (await db.ServiceRecords.AnyAsync(r => r.OrganizationId == named.OrganizationId && r.ClaimedFromId == headcountId && r.VolunteerId == named.VolunteerId
            && r.Status == ServiceStatus.Approved, ct)) throw new RuleBreach("claimed_already");
    }

    private static async Task Book(
        ServiceRecord record, RecordStep step, string? reason, Booking[] bookings, Tenant tenant, VolunteersDb db, DateTimeOffset now, CancellationToken ct)
    {
        var postings = await db.Post(tenant.Id, bookings, tenant.ActorId, now, ct);
        db.Add(new ServiceRecordEvent(record, step, tenant.ActorId, now, reason, postings));
        await db.SaveChangesAsync(ct);
    }

    private static async Task<ServiceRecord?> Lock(Guid recordId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.LockRecords(tenant.Id, [recordId], ct) is [var record] && tenant.Coordinates(record.TeamId) ? record : null;
}
