using System.Linq.Expressions;
using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Hours;

/// <summary>What waits for review, and many decisions at once.</summary>
internal static class ReviewQueue
{
    public static void MapReviewQueue(this RouteGroupBuilder records)
    {
        records.MapGet("/review", List).WithName("listServiceRecordsToReview").ShowsPersonalData().Allows(Access.Read);
        records.MapPost("/approvals", ApproveMany).WithName("approveServiceRecords").Allows(Access.Coordinate).RefusesWith(409);
        records.MapPost("/rejections", RejectMany).WithName("rejectServiceRecords").Allows(Access.Coordinate).RefusesWith(409);
    }

    /// <summary>Lists the service that waits for review, what has waited longest first. A team coordinator's list is about their teams.</summary>
    private static Task<Paged<ReviewItemView>> List(
        [AsParameters] PageQuery page, [AsParameters] ReviewFilter filter, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct) =>
        filter.Apply(db.ServiceRecords.Where(r => r.OrganizationId == tenant.Id && r.Status == ServiceStatus.Submitted
                && (tenant.ReadsAll || tenant.Teams.Contains(r.TeamId))))
            .ToPage(page, r => r.RecordedAt, r => r.Id, ReviewItemView.Projection(db, tenant, clock.GetUtcNow()), ct);

    /// <summary>Approves up to 1,000 submitted records, all or none.</summary>
    private static async Task<Ok<ServiceRecordBatchView>> ApproveMany(
        ApprovalsRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await db.ShareActivitiesOf(tenant.Id, [.. request.RecordIds], ct);
        var locked = await db.LockRecords(tenant.Id, [.. request.RecordIds], ct);
        var counted = await CountedTwice.Load(db, locked, ct);
        var records = ReviewAll(request.RecordIds, locked, tenant, record =>
        {
            record.Approve(Reviewer.Of(tenant), now);
            counted.Admit(record, apart: false);
        });
        var postings = await db.Post(tenant.Id, [.. records.Select(record => Booking.Of(record, PostingCause.Approved))], tenant.ActorId, now, ct);
        db.AddRange(records.Select(record => new ServiceRecordEvent(record, RecordStep.Approved, tenant.ActorId, now, reason: null, postings)));
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(new ServiceRecordBatchView([.. records.Select(ServiceRecordView.Of)]));
    }

    /// <summary>Rejects up to 1,000 submitted records for one reason, all or none.</summary>
    private static async Task<Ok<ServiceRecordBatchView>> RejectMany(
        RejectionsRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var locked = await db.LockRecords(tenant.Id, [.. request.RecordIds], ct);
        var records = ReviewAll(request.RecordIds, locked, tenant, record => record.Reject(Reviewer.Of(tenant), request.Reason, now));
        db.AddRange(records.Select(record => new ServiceRecordEvent(record, RecordStep.Rejected, tenant.ActorId, now, request.Reason, [])));
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(new ServiceRecordBatchView([.. records.Select(ServiceRecordView.Of)]));
    }

    /// <summary>In the order of the request; one that is refused refuses all, and each is named.</summary>
    private static List<ServiceRecord> ReviewAll(IReadOnlyList<Guid> ids, List<ServiceRecord> locked, Tenant tenant, Action<ServiceRecord> verb)
    {
        var known = locked.ToDictionary(record => record.Id);
        var refusals = new List<Refusal>();
        foreach (var (index, id) in ids.Index())
        {
            try
            {
                if (!known.TryGetValue(id, out var record) || !tenant.Coordinates(record.TeamId)) throw new RuleBreach("record_not_found");
                verb(record);
            }
            catch (RuleBreach breach)
            {
                refusals.Add(Refusal.Of(index, breach));
            }
        }
        return refusals.Count > 0 ? throw new BatchRefused(refusals) : [.. ids.Select(id => known[id])];
    }
}

/// <summary>Which waiting service to list.</summary>
/// <param name="From">First local day of service.</param>
/// <param name="To">Last local day of service.</param>
/// <param name="Team">Given in this team.</param>
/// <param name="Volunteer">Given by this volunteer.</param>
/// <param name="Activity">Given for this activity.</param>
/// <param name="Evidence">How we know.</param>
/// <param name="Flag">With this reason to look twice.</param>
/// <param name="RecordedLate">Only what was recorded late, or only what was in time.</param>
internal sealed record ReviewFilter(
    [property: FromQuery] DateOnly? From = null, [property: FromQuery] DateOnly? To = null, [property: FromQuery] Guid? Team = null,
    [property: FromQuery] Guid? Volunteer = null, [property: FromQuery] Guid? Activity = null, [property: FromQuery] Evidence? Evidence = null,
    [property: FromQuery] RecordFlag? Flag = null, [property: FromQuery] bool? RecordedLate = null)
{
    public IQueryable<ServiceRecord> Apply(IQueryable<ServiceRecord> records) =>
        new ServiceRecordFilter(From, To, Team, Volunteer, Activity, Status: null, Evidence, RecordedLate, Flag).Apply(records);

    internal sealed class Validator : AbstractValidator<ReviewFilter>
    {
        public Validator() => RuleFor(filter => filter.To).GreaterThanOrEqualTo(filter => filter.From).WithMessage(_ => Messages.Title("to_before_from"))
            .When(filter => filter.From is not null);
    }
}

/// <summary>Records to be rejected together, all or none.</summary>
/// <param name="RecordIds">1 to 1,000, each once.</param>
/// <param name="Reason">Kept in each record's history; at most 500 characters.</param>
internal sealed record RejectionsRequest(IReadOnlyList<Guid> RecordIds, string Reason)
{
    internal sealed class Validator : AbstractValidator<RejectionsRequest>
    {
        public Validator()
        {
            RuleFor(request => request.RecordIds).NotEmpty().AtMost(1000);
            RuleFor(request => request.RecordIds).Must(ids => ids is null || ids.Distinct().Count() == ids.Count).WithMessage(_ => Messages.Title("each_once"));
            RuleFor(request => request.Reason).NotEmpty().MaximumLength(500);
        }
    }
}

/// <summary>Service that waits for review.</summary>
/// <param name="RecordId">The record.</param>
/// <param name="VolunteerId">Who gave it; null for a headcount.</param>
/// <param name="VolunteerNumber">Their number.</param>
/// <param name="VolunteerName">Their name.</param>
/// <param name="ActivityId">What it was given for.</param>
/// <param name="ActivityTitle">What that is called now.</param>
/// <param name="TeamId">In which team.</param>
/// <param name="TeamName">What that is called now.</param>
/// <param name="StartsAt">When the service began.</param>
/// <param name="EndsAt">When it ended.</param>
/// <param name="Minutes">Whole minutes.</param>
/// <param name="PersonTimes">Participations.</param>
/// <param name="Evidence">How we know.</param>
/// <param name="Flag">Why to look twice.</param>
/// <param name="RecordedLate">It was recorded after the tenth working day following its activity.</param>
/// <param name="Disputed">The volunteer disputes it, and nobody has answered yet.</param>
/// <param name="Own">It is the caller's own: another coordinator decides.</param>
/// <param name="Note">What was noted with it.</param>
/// <param name="RecordedAt">Since when it waits.</param>
/// <param name="DaysWaiting">Full days of 24 hours since then.</param>
internal sealed record ReviewItemView(
    Guid RecordId, Guid? VolunteerId, string? VolunteerNumber, string? VolunteerName, Guid ActivityId, string ActivityTitle, Guid TeamId, string TeamName,
    DateTimeOffset StartsAt, DateTimeOffset EndsAt, int Minutes, int PersonTimes, Evidence Evidence, RecordFlag? Flag, bool RecordedLate, bool Disputed, bool Own,
    string? Note, DateTimeOffset RecordedAt, int DaysWaiting)
{
    public static Expression<Func<ServiceRecord, ReviewItemView>> Projection(VolunteersDb db, Tenant tenant, DateTimeOffset now) => r => new ReviewItemView(
        r.Id, r.VolunteerId,
        db.Volunteers.Where(v => v.OrganizationId == r.OrganizationId && v.Id == r.VolunteerId).Select(v => v.Number).FirstOrDefault(),
        db.Volunteers.Where(v => v.OrganizationId == r.OrganizationId && v.Id == r.VolunteerId).Select(v => v.Name).FirstOrDefault(),
        r.ActivityId, db.Activities.Where(a => a.OrganizationId == r.OrganizationId && a.Id == r.ActivityId).Select(a => a.Title).First(),
        r.TeamId, db.Teams.Where(t => t.OrganizationId == r.OrganizationId && t.Id == r.TeamId).Select(t => t.Name).First(),
        r.StartsAt, r.EndsAt, r.Minutes, r.PersonTimes, r.Evidence, r.Flag, r.RecordedLate,
        db.Disputes.Any(d => d.OrganizationId == r.OrganizationId && d.RecordId == r.Id && d.Status == DisputeStatus.Open),
        tenant.VolunteerId != null && r.VolunteerId == tenant.VolunteerId, r.Note, r.RecordedAt, (int)(now - r.RecordedAt).TotalDays);
}
