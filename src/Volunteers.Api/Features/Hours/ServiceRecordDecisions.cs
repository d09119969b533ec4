using FluentValidation;
using Volunteers.Platform;

namespace Volunteers.Features.Hours;

/// <summary>How a record is approved; nothing need be said, but of a participation that a headcount may hold already.</summary>
/// <param name="Reason">Kept in the record's history; at most 500 characters.</param>
/// <param name="HeadcountId">It was counted there: its minutes and its person-time move from that headcount to this record, and no total changes.</param>
/// <param name="NotCountedElsewhere">It was not: this record is booked beside the headcount.</param>
internal sealed record ApprovalRequest(string? Reason = null, Guid? HeadcountId = null, bool NotCountedElsewhere = false)
{
    internal sealed class Validator : AbstractValidator<ApprovalRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Reason).Length(1, 500);
            RuleFor(request => request.NotCountedElsewhere).Equal(false).WithMessage(_ => Messages.Title("headcount_or_apart"))
                .When(request => request.HeadcountId is not null);
        }
    }
}

/// <summary>Records to be approved together, all or none.</summary>
/// <param name="RecordIds">1 to 1,000, each once.</param>
internal sealed record ApprovalsRequest(IReadOnlyList<Guid> RecordIds)
{
    internal sealed class Validator : AbstractValidator<ApprovalsRequest>
    {
        public Validator()
        {
            RuleFor(request => request.RecordIds).NotEmpty().AtMost(1000);
            RuleFor(request => request.RecordIds).Must(ids => ids is null || ids.Distinct().Count() == ids.Count).WithMessage(_ => Messages.Title("each_once"));
        }
    }
}

/// <summary>Why a record is rejected, or an entry voided.</summary>
/// <param name="Reason">Kept in the record's history; at most 500 characters.</param>
internal sealed record ReasonRequest(string Reason)
{
    internal sealed class Validator : AbstractValidator<ReasonRequest>
    {
        public Validator() => RuleFor(request => request.Reason).NotEmpty().MaximumLength(500);
    }
}

/// <summary>Why a record is voided, and what becomes of what it claimed.</summary>
/// <param name="Reason">Kept in the record's history; at most 500 characters.</param>
/// <param name="BackToHeadcount">Of a record claimed from a headcount: only the name is wrong. Its minutes and its person-time go back there, and no total changes.</param>
/// <param name="NotCountedElsewhere">With that, of a headcount in which all had names: whom it holds again and who is recorded by name beside it are not the same people.</param>
internal sealed record VoidRequest(string Reason, bool BackToHeadcount = false, bool NotCountedElsewhere = false)
{
    internal sealed class Validator : AbstractValidator<VoidRequest>
    {
        public Validator() => RuleFor(request => request.Reason).NotEmpty().MaximumLength(500);
    }
}

/// <summary>Other figures for approved service; what is not given stays.</summary>
/// <param name="Reason">Kept in the record's history; at most 500 characters.</param>
/// <param name="StartsAt">RFC 3339 with an offset.</param>
/// <param name="EndsAt">After the start, at most 24 hours later.</param>
/// <param name="Minutes">Whole minutes; when only the period changes, all of it.</param>
/// <param name="PersonTimes">Of a headcount.</param>
/// <param name="DailyLimitOverride">Why this may exceed the daily limit.</param>
/// <param name="NotCountedElsewhere">A headcount and the names that the correction brings beside it are not the same people.</param>
internal sealed record CorrectionRequest(
    string Reason, DateTimeOffset? StartsAt = null, DateTimeOffset? EndsAt = null, int? Minutes = null, int? PersonTimes = null, string? DailyLimitOverride = null,
    bool NotCountedElsewhere = false)
{
    public ServiceEntry ToEntry(ServiceRecord record)
    {
        var (startsAt, endsAt) = (StartsAt ?? record.StartsAt, EndsAt ?? record.EndsAt);
        if (endsAt <= startsAt || endsAt > startsAt.AddHours(24)) throw RuleBreach.Malformed("at_most_a_day", "/endsAt");
        var samePeriod = StartsAt is null && EndsAt is null && PersonTimes is null;
        return new ServiceEntry(record.VolunteerId, PersonTimes ?? record.PersonTimes, record.HeadcountMethod, record.ActivityId, startsAt, endsAt,
            Minutes ?? (samePeriod ? record.Minutes : null), record.Note, DailyLimitOverride);
    }

    internal sealed class Validator : AbstractValidator<CorrectionRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Reason).NotEmpty().MaximumLength(500);
            RuleFor(request => request.Minutes).InclusiveBetween(1, ServiceFigures.MostMinutes);
            RuleFor(request => request.PersonTimes).InclusiveBetween(1, 100_000);
            RuleFor(request => request.DailyLimitOverride).Length(1, 500);
            RuleFor(request => request).Must(request => request is not { StartsAt: null, EndsAt: null, Minutes: null, PersonTimes: null })
                .WithMessage(_ => Messages.Title("nothing_to_correct")).OverridePropertyName("");
        }
    }
}

/// <summary>Who one participation of a headcount was.</summary>
/// <param name="VolunteerId">The volunteer.</param>
/// <param name="Minutes">Of the headcount's minutes; all of the period when not given.</param>
/// <param name="StartsAt">Within the headcount's period and on the local day on which that began; its start when not given.</param>
/// <param name="EndsAt">Within the headcount's period; its end when not given.</param>
/// <param name="DailyLimitOverride">Why this may exceed the daily limit.</param>
internal sealed record ClaimRequest(
    Guid VolunteerId, int? Minutes = null, DateTimeOffset? StartsAt = null, DateTimeOffset? EndsAt = null, string? DailyLimitOverride = null)
{
    public ServiceEntry ToEntry(ServiceRecord headcount)
    {
        var (startsAt, endsAt) = (StartsAt ?? headcount.StartsAt, EndsAt ?? headcount.EndsAt);
        return endsAt <= startsAt
            ? throw RuleBreach.Malformed("at_most_a_day", "/endsAt")
            : new ServiceEntry(VolunteerId, 1, null, headcount.ActivityId, startsAt, endsAt, Minutes, headcount.Note, DailyLimitOverride);
    }

    internal sealed class Validator : AbstractValidator<ClaimRequest>
    {
        public Validator()
        {
            RuleFor(request => request.VolunteerId).NotEmpty();
            RuleFor(request => request.Minutes).InclusiveBetween(1, ServiceFigures.MostMinutes);
            RuleFor(request => request.DailyLimitOverride).Length(1, 500);
        }
    }
}
