using System.Linq.Expressions;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using Volunteers.Features.Activities;
using Volunteers.Platform;

namespace Volunteers.Features.Hours;

/// <summary>Which service records to list.</summary>
/// <param name="From">First local day of service.</param>
/// <param name="To">Last local day of service.</param>
/// <param name="Team">Given in this team.</param>
/// <param name="Volunteer">Given by this volunteer.</param>
/// <param name="Activity">Given for this activity.</param>
/// <param name="Status">Submitted, approved, rejected or voided.</param>
/// <param name="Evidence">How we know.</param>
/// <param name="RecordedLate">Only what was recorded late, or only what was in time.</param>
/// <param name="Flag">With this reason to look twice.</param>
internal sealed record ServiceRecordFilter(
    [property: FromQuery] DateOnly? From = null, [property: FromQuery] DateOnly? To = null, [property: FromQuery] Guid? Team = null,
    [property: FromQuery] Guid? Volunteer = null, [property: FromQuery] Guid? Activity = null,
    [property: FromQuery] ServiceStatus? Status = null, [property: FromQuery] Evidence? Evidence = null, [property: FromQuery] bool? RecordedLate = null,
    [property: FromQuery] RecordFlag? Flag = null)
{
    public IQueryable<ServiceRecord> Apply(IQueryable<ServiceRecord> records)
    {
        // A local day is within a day of the same day in UTC, whatever the time zone is or was: so the list's index is entered where the days begin.
        if (From is { } from) records = records.Where(r => r.ServiceDate >= from && r.StartsAt >= DaysFrom(from, -1));
        if (To is { } to) records = records.Where(r => r.ServiceDate <= to && r.StartsAt < DaysFrom(to, 2));
        if (Team is { } team) records = records.Where(r => r.TeamId == team);
        if (Volunteer is { } volunteer) records = records.Where(r => r.VolunteerId == volunteer);
        if (Activity is { } activity) records = records.Where(r => r.ActivityId == activity);
        if (Status is { } status) records = records.Where(r => r.Status == status);
        if (Evidence is { } evidence) records = records.Where(r => r.Evidence == evidence);
        if (RecordedLate is { } late) records = records.Where(r => r.RecordedLate == late);
        if (Flag is { } flag) records = records.Where(r => r.Flag == flag);
        return records;
    }

    private static DateTimeOffset DaysFrom(DateOnly day, int days) =>
        new(DateOnly.FromDayNumber(Math.Clamp(day.DayNumber + days, 0, DateOnly.MaxValue.DayNumber)).ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);
}

/// <summary>A group whose names were not taken.</summary>
/// <param name="PersonTimes">How many took part, 1 to 100,000.</param>
/// <param name="Method">Counted or estimated.</param>
internal sealed record Headcount(int PersonTimes, CountingMethod Method);

/// <summary>Service to be recorded, by one volunteer or by a headcount.</summary>
/// <param name="ActivityId">What it was given for.</param>
/// <param name="StartsAt">RFC 3339 with an offset.</param>
/// <param name="EndsAt">After the start, at most 24 hours later, not in the future.</param>
/// <param name="VolunteerId">Who gave it; null for a headcount.</param>
/// <param name="Headcount">In place of a volunteer, a group whose names were not taken.</param>
/// <param name="ShiftId">The shift it was given on, if any.</param>
/// <param name="Minutes">Whole minutes actually given, at most the period (times the persons of a headcount); all of it when not given.</param>
/// <param name="Note">At most 1,000 characters.</param>
/// <param name="DailyLimitOverride">Why this may exceed the daily limit; only a coordinator's reason counts. At most 500 characters.</param>
/// <param name="NotCountedElsewhere">A coordinator's word that a headcount and the names beside it, for the same activity at the same time, are not the same people.</param>
internal sealed record ServiceRecordRequest(
    Guid ActivityId, DateTimeOffset StartsAt, DateTimeOffset EndsAt, Guid? VolunteerId = null, Headcount? Headcount = null, Guid? ShiftId = null,
    int? Minutes = null, string? Note = null, string? DailyLimitOverride = null, bool NotCountedElsewhere = false)
{
    public ServiceEntry ToEntry() => new(VolunteerId, Headcount?.PersonTimes ?? 1, Headcount?.Method, ActivityId, StartsAt, EndsAt, Minutes, Note,
        DailyLimitOverride, ShiftId, NotCountedElsewhere);

    internal sealed class Validator : AbstractValidator<ServiceRecordRequest>
    {
        public Validator()
        {
            RuleFor(request => request.ActivityId).NotEmpty();
            RuleFor(request => request.StartsAt).NotEmpty();
            RuleFor(request => request.EndsAt).NotEmpty().GreaterThan(request => request.StartsAt).WithMessage(_ => Messages.Title("end_before_start"));
            RuleFor(request => request.EndsAt).LessThanOrEqualTo(request => request.StartsAt.AddHours(24)).WithMessage(_ => Messages.Title("at_most_a_day"));
            RuleFor(request => request.VolunteerId).Must((request, volunteer) => volunteer.HasValue != (request.Headcount is not null))
                .WithMessage(_ => Messages.Title("volunteer_or_headcount"));
            RuleFor(request => request.Headcount!).ChildRules(headcount => headcount.RuleFor(h => h.PersonTimes).InclusiveBetween(1, 100_000))
                .When(request => request.Headcount is not null);
            RuleFor(request => request.Minutes).InclusiveBetween(1, ServiceFigures.MostMinutes);
            RuleFor(request => request.Note).MaximumLength(1000);
            RuleFor(request => request.DailyLimitOverride).Length(1, 500);
        }
    }
}

/// <summary>Services to be recorded together, all or none.</summary>
/// <param name="Items">1 to 1,000.</param>
internal sealed record ServiceRecordBatchRequest(IReadOnlyList<ServiceRecordRequest> Items)
{
    internal sealed class Validator : AbstractValidator<ServiceRecordBatchRequest>
    {
        public Validator(IValidator<ServiceRecordRequest> item)
        {
            RuleFor(request => request.Items).NotEmpty().AtMost(1000);
            RuleForEach(request => request.Items).NotNull().SetValidator(item).When(request => request.Items is { Count: <= 1000 });
        }
    }
}

/// <summary>The claim that service was given, and where it stands.</summary>
/// <param name="Id">The record.</param>
/// <param name="VolunteerId">Who gave it; null for a headcount.</param>
/// <param name="HeadcountMethod">How a headcount was arrived at; null for a named record.</param>
/// <param name="ActivityId">What it was given for.</param>
/// <param name="ShiftId">The shift it was given on, if any.</param>
/// <param name="TeamId">The activity's team when it was recorded.</param>
/// <param name="ProjectId">The activity's project when it was recorded.</param>
/// <param name="Category">The activity's category when it was recorded.</param>
/// <param name="StartsAt">When the service began.</param>
/// <param name="EndsAt">When it ended.</param>
/// <param name="ServiceDate">The organization's local day on which it began; reports count it there, whole.</param>
/// <param name="Minutes">Whole minutes; of a headcount, all persons' together.</param>
/// <param name="PersonTimes">Participations: 1, or the size of the headcount.</param>
/// <param name="CreditedMinutes">What stands in the ledger now: 0 unless approved, less what named people claimed of a headcount.</param>
/// <param name="CreditedPersonTimes">The same of the person-times.</param>
/// <param name="ClaimedFromId">The headcount that this record was claimed from.</param>
/// <param name="Evidence">How we know.</param>
/// <param name="Status">Submitted, approved, rejected or voided.</param>
/// <param name="Flag">Why a coordinator should look twice.</param>
/// <param name="Note">What was noted with it.</param>
/// <param name="DailyLimitOverride">Why it may exceed the daily limit.</param>
/// <param name="Origin">The other system that an imported record came from.</param>
/// <param name="RecordedBy">The account or client that entered it; all zeros when the service did by itself.</param>
/// <param name="RecordedAt">When.</param>
/// <param name="RecordedLate">It was recorded after the tenth working day following the local day on which its activity ended.</param>
/// <param name="ReviewedBy">The account or client that reviewed it last; all zeros when attendance is enough by the organization's setting.</param>
/// <param name="ReviewedAt">When.</param>
/// <param name="ReviewReason">Why it was rejected, corrected or voided.</param>
/// <param name="Version">Grows by one with every change.</param>
internal sealed record ServiceRecordView(
    Guid Id, Guid? VolunteerId, CountingMethod? HeadcountMethod, Guid ActivityId, Guid? ShiftId, Guid TeamId, Guid? ProjectId, string Category,
    DateTimeOffset StartsAt, DateTimeOffset EndsAt, DateOnly ServiceDate, int Minutes, int PersonTimes, int CreditedMinutes, int CreditedPersonTimes,
    Guid? ClaimedFromId, Evidence Evidence, ServiceStatus Status, RecordFlag? Flag, string? Note, string? DailyLimitOverride, ServiceOrigin? Origin,
    Guid RecordedBy, DateTimeOffset RecordedAt, bool RecordedLate, Guid? ReviewedBy, DateTimeOffset? ReviewedAt, string? ReviewReason, long Version) : IVersioned
{
    public static Expression<Func<ServiceRecord, ServiceRecordView>> Projection => r => new ServiceRecordView(
        r.Id, r.VolunteerId, r.HeadcountMethod, r.ActivityId, r.ShiftId, r.TeamId, r.ProjectId, r.Category, r.StartsAt, r.EndsAt, r.ServiceDate,
        r.Minutes, r.PersonTimes, r.Status == ServiceStatus.Approved ? r.Minutes - r.ClaimedMinutes : 0,
        r.Status == ServiceStatus.Approved ? r.PersonTimes - r.ClaimedPersonTimes : 0,
        r.ClaimedFromId, r.Evidence, r.Status, r.Flag, r.Note, r.DailyLimitOverride,
        r.OriginSystem == null ? null : new ServiceOrigin(r.OriginSystem, r.OriginReference!),
        r.RecordedBy, r.RecordedAt, r.RecordedLate, r.ReviewedBy, r.ReviewedAt, r.ReviewReason, r.Version);

    public static ServiceRecordView Of(ServiceRecord record) => Compiled(record);

    private static readonly Func<ServiceRecord, ServiceRecordView> Compiled = Projection.Compile();
}

/// <summary>Records of one batch, in the order of the request.</summary>
internal sealed record ServiceRecordBatchView(IReadOnlyList<ServiceRecordView> Items);
