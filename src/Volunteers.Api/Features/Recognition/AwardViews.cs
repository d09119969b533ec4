using System.Linq.Expressions;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using Volunteers.Data;
using Volunteers.Platform;

namespace Volunteers.Features.Recognition;

/// <summary>Which awards to list.</summary>
/// <param name="Status">Where they stand.</param>
/// <param name="Volunteer">Of this volunteer.</param>
/// <param name="Level">Star awards of this level.</param>
internal sealed record AwardFilter(
    [property: FromQuery] AwardStatus? Status = null, [property: FromQuery] Guid? Volunteer = null, [property: FromQuery] int? Level = null)
{
    public IQueryable<Award> Apply(IQueryable<Award> awards)
    {
        if (Status is { } status) awards = awards.Where(a => a.Status == status);
        if (Volunteer is { } volunteer) awards = awards.Where(a => a.VolunteerId == volunteer);
        if (Level is { } level) awards = awards.Where(a => a.Level == level);
        return awards;
    }

    internal sealed class Validator : AbstractValidator<AwardFilter>
    {
        public Validator() => RuleFor(filter => filter.Level).InclusiveBetween(1, 10);
    }
}

/// <summary>An award to be proposed.</summary>
/// <param name="VolunteerId">Who is to be honoured.</param>
/// <param name="Name">What it is called; at most 100 characters.</param>
/// <param name="Level">The level of a star award; null for any other.</param>
/// <param name="AwardedBy">Who gives it; at most 100 characters.</param>
/// <param name="Reason">What for; at most 1,000 characters.</param>
/// <param name="ProposedOn">Local day, not in the future; today when not given.</param>
internal sealed record AwardRequest(
    Guid VolunteerId, string Name, int? Level = null, string? AwardedBy = null, string? Reason = null, DateOnly? ProposedOn = null)
{
    internal sealed class Validator : AbstractValidator<AwardRequest>
    {
        public Validator()
        {
            RuleFor(request => request.VolunteerId).NotEmpty();
            RuleFor(request => request.Name).Line(100);
            RuleFor(request => request.Level).InclusiveBetween(1, 10);
            RuleFor(request => request.AwardedBy).OptionalLine(100);
            RuleFor(request => request.Reason).MaximumLength(1000);
        }
    }
}

/// <summary>Star awards to be proposed for all who lack them.</summary>
/// <param name="Name">What they are called; at most 100 characters.</param>
/// <param name="Level">Only for those whose highest level this is; for every level when not given.</param>
/// <param name="AwardedBy">Who gives them; at most 100 characters.</param>
/// <param name="Reason">What for; at most 1,000 characters.</param>
internal sealed record AwardProposalsRequest(string Name, int? Level = null, string? AwardedBy = null, string? Reason = null)
{
    internal sealed class Validator : AbstractValidator<AwardProposalsRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Name).Line(100);
            RuleFor(request => request.Level).InclusiveBetween(1, 10);
            RuleFor(request => request.AwardedBy).OptionalLine(100);
            RuleFor(request => request.Reason).MaximumLength(1000);
        }
    }
}

/// <summary>The days on which an award is public.</summary>
/// <param name="From">First local day, today or later; today when not given. Members see the award from then on.</param>
/// <param name="To">Last local day: as many days as the star rule in force on the first asks, at most 60; by that rule when not given.</param>
internal sealed record AwardPublicationRequest(DateOnly? From = null, DateOnly? To = null)
{
    internal sealed class Validator : AbstractValidator<AwardPublicationRequest>
    {
        public Validator() => RuleFor(request => request.To).GreaterThanOrEqualTo(request => request.From)
            .When(request => request.From is not null).WithMessage(_ => Messages.Title("to_before_from"));
    }
}

/// <summary>The star awards that were proposed.</summary>
/// <param name="Items">The highest level first, then by number.</param>
/// <param name="More">Whether others lack theirs still.</param>
internal sealed record AwardProposalsView(IReadOnlyList<AwardProposalView> Items, bool More);

/// <summary>One star award that was proposed.</summary>
/// <param name="Id">The award.</param>
/// <param name="VolunteerId">Who.</param>
/// <param name="Number">Their number.</param>
/// <param name="VolunteerName">Their name.</param>
/// <param name="Level">The level that they have.</param>
/// <param name="ReachedOn">The local day since which they have it.</param>
internal sealed record AwardProposalView(Guid Id, Guid VolunteerId, string Number, string VolunteerName, int Level, DateOnly ReachedOn);

/// <summary>An award.</summary>
/// <param name="Id">Which award.</param>
/// <param name="VolunteerId">Who is honoured.</param>
/// <param name="VolunteerName">Their name, as it is now.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Level">Of a star award.</param>
/// <param name="AwardedBy">Who gives it.</param>
/// <param name="Reason">What for.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="ProposedOn">Local day.</param>
/// <param name="PublicityFrom">First local day on which it is public.</param>
/// <param name="PublicityTo">Last local day on which it is public and not to be confirmed yet.</param>
/// <param name="ConfirmedOn">Local day.</param>
/// <param name="WithdrawnOn">Local day.</param>
/// <param name="WithdrawalReason">Why it was withdrawn.</param>
/// <param name="OpenObjections">How many objections wait for an answer; null for those who may not see them.</param>
/// <param name="Version">Grows by one with every change; the ETag of the resource.</param>
internal sealed record AwardView(
    Guid Id, Guid VolunteerId, string VolunteerName, string Name, int? Level, string? AwardedBy, string? Reason, AwardStatus Status, DateOnly ProposedOn,
    DateOnly? PublicityFrom, DateOnly? PublicityTo, DateOnly? ConfirmedOn, DateOnly? WithdrawnOn, string? WithdrawalReason, int? OpenObjections, long Version)
    : IVersioned
{
    public static Expression<Func<Award, AwardView>> Projection(Tenant tenant, VolunteersDb db) => a => new AwardView(
        a.Id, a.VolunteerId, db.Volunteers.Where(v => v.OrganizationId == a.OrganizationId && v.Id == a.VolunteerId).Select(v => v.Name).First(),
        a.Name, a.Level, a.AwardedBy, a.Reason, a.Status, a.ProposedOn, a.PublicityFrom, a.PublicityTo, a.ConfirmedOn, a.WithdrawnOn, a.WithdrawalReason,
        tenant.ReadsAll ? db.AwardObjections.Count(o => o.OrganizationId == a.OrganizationId && o.AwardId == a.Id && o.Answer == null) : null, a.Version);
}
