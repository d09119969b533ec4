using System.Linq.Expressions;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using Volunteers.Data;
using Volunteers.Platform;

namespace Volunteers.Features.Hours;

/// <summary>Which disputes to list.</summary>
/// <param name="Status">Open, answered or withdrawn.</param>
/// <param name="Team">About service in this team.</param>
/// <param name="Volunteer">Of this volunteer.</param>
internal sealed record DisputeFilter(
    [property: FromQuery] DisputeStatus? Status = null, [property: FromQuery] Guid? Team = null, [property: FromQuery] Guid? Volunteer = null)
{
    public IQueryable<DisputedRecord> Apply(IQueryable<DisputedRecord> disputes)
    {
        if (Status is { } status) disputes = disputes.Where(x => x.Dispute.Status == status);
        if (Team is { } team) disputes = disputes.Where(x => x.Record.TeamId == team);
        if (Volunteer is { } volunteer) disputes = disputes.Where(x => x.Record.VolunteerId == volunteer);
        return disputes;
    }
}

/// <summary>What is not right about a record of one's own.</summary>
/// <param name="Message">At most 1,000 characters.</param>
internal sealed record DisputeRequest(string Message)
{
    internal sealed class Validator : AbstractValidator<DisputeRequest>
    {
        public Validator() => RuleFor(request => request.Message).NotEmpty().MaximumLength(1000);
    }
}

/// <summary>A coordinator's answer: an explanation, and with it other figures, or the end of the record, or neither.</summary>
/// <param name="Explanation">For the volunteer to read, and the reason of what is changed; at most 500 characters.</param>
/// <param name="Correction">Other figures for approved service.</param>
/// <param name="Void">True: the approved service counts no more.</param>
internal sealed record DisputeAnswerRequest(string Explanation, DisputeCorrection? Correction = null, bool Void = false)
{
    internal sealed class Validator : AbstractValidator<DisputeAnswerRequest>
    {
        public Validator(IValidator<CorrectionRequest> correction)
        {
            RuleFor(request => request.Explanation).NotEmpty().MaximumLength(500);
            RuleFor(request => request.Correction!.Because("-")).SetValidator(correction).OverridePropertyName("Correction").When(request => request.Correction is not null);
            RuleFor(request => request.Void).Equal(false).WithMessage(_ => Messages.Title("correct_or_void")).When(request => request.Correction is not null);
        }
    }
}

/// <summary>Other figures for disputed service; what is not given stays.</summary>
/// <param name="StartsAt">RFC 3339 with an offset.</param>
/// <param name="EndsAt">After the start, at most 24 hours later.</param>
/// <param name="Minutes">Whole minutes; when only the period changes, all of it.</param>
/// <param name="DailyLimitOverride">Why this may exceed the daily limit.</param>
/// <param name="NotCountedElsewhere">What a headcount beside it counted are other people.</param>
internal sealed record DisputeCorrection(
    DateTimeOffset? StartsAt = null, DateTimeOffset? EndsAt = null, int? Minutes = null, string? DailyLimitOverride = null, bool NotCountedElsewhere = false)
{
    public CorrectionRequest Because(string explanation) =>
        new(explanation, StartsAt, EndsAt, Minutes, DailyLimitOverride: DailyLimitOverride, NotCountedElsewhere: NotCountedElsewhere);
}

/// <summary>What a volunteer says about a record of theirs, and the answer.</summary>
/// <param name="Id">The dispute.</param>
/// <param name="RecordId">The record.</param>
/// <param name="VolunteerId">Whose it is.</param>
/// <param name="VolunteerNumber">Their number.</param>
/// <param name="VolunteerName">Their name.</param>
/// <param name="ActivityId">What the service was given for.</param>
/// <param name="ActivityTitle">What that is called now.</param>
/// <param name="TeamId">In which team.</param>
/// <param name="Message">What is not right, in the volunteer's words.</param>
/// <param name="Status">Open, answered or withdrawn.</param>
/// <param name="CreatedAt">When it came in.</param>
/// <param name="Outcome">What it came to, once it is answered.</param>
/// <param name="Explanation">The answer.</param>
/// <param name="ClosedBy">The account or client that answered; of a withdrawn one, the volunteer's account.</param>
/// <param name="ClosedAt">When it was answered or withdrawn.</param>
/// <param name="Version">Grows by one with every change.</param>
internal sealed record DisputeView(
    Guid Id, Guid RecordId, Guid VolunteerId, string VolunteerNumber, string VolunteerName, Guid ActivityId, string ActivityTitle, Guid TeamId, string Message,
    DisputeStatus Status, DateTimeOffset CreatedAt, DisputeOutcome? Outcome, string? Explanation, Guid? ClosedBy, DateTimeOffset? ClosedAt, long Version) : IVersioned
{
    public static Expression<Func<DisputedRecord, DisputeView>> Projection(VolunteersDb db) => x => new DisputeView(
        x.Dispute.Id, x.Record.Id, x.Record.VolunteerId!.Value,
        db.Volunteers.Where(v => v.OrganizationId == x.Record.OrganizationId && v.Id == x.Record.VolunteerId).Select(v => v.Number).First(),
        db.Volunteers.Where(v => v.OrganizationId == x.Record.OrganizationId && v.Id == x.Record.VolunteerId).Select(v => v.Name).First(),
        x.Record.ActivityId, db.Activities.Where(a => a.OrganizationId == x.Record.OrganizationId && a.Id == x.Record.ActivityId).Select(a => a.Title).First(),
        x.Record.TeamId, x.Dispute.Message, x.Dispute.Status, x.Dispute.CreatedAt, x.Dispute.Outcome, x.Dispute.Explanation, x.Dispute.ClosedBy, x.Dispute.ClosedAt,
        x.Dispute.Version);
}
