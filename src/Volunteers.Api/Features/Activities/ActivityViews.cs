using System.Linq.Expressions;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using Volunteers.Features.Organizations;
using Volunteers.Features.Projects;
using Volunteers.Platform;

namespace Volunteers.Features.Activities;

/// <summary>Which activities to list.</summary>
/// <param name="From">First local day on which they may start.</param>
/// <param name="To">Last local day on which they may start.</param>
/// <param name="Team">Of this team.</param>
/// <param name="Category">Of this category.</param>
/// <param name="Status">Draft, published, cancelled or completed.</param>
/// <param name="OpenFor"><c>me</c>: only what the caller may join, with the shifts that have places left, match their skills and do not clash.</param>
internal sealed record ActivityFilter(
    [property: FromQuery] DateOnly? From = null, [property: FromQuery] DateOnly? To = null, [property: FromQuery] Guid? Team = null,
    [property: FromQuery] string? Category = null, [property: FromQuery] ActivityStatus? Status = null, [property: FromQuery] OpenFor? OpenFor = null)
{
    public IQueryable<Activity> Apply(IQueryable<Activity> activities, Organization organization)
    {
        if (From is { } from)
        {
            var start = organization.StartOf(from);
            activities = activities.Where(a => a.StartsAt >= start);
        }
        if (To is { } to)
        {
            var end = organization.StartOf(to.AddDays(1));
            activities = activities.Where(a => a.StartsAt < end);
        }
        if (Team is { } team) activities = activities.Where(a => a.TeamId == team);
        if (Category is { } category) activities = activities.Where(a => a.Category == category);
        if (Status is { } status) activities = activities.Where(a => a.Status == status);
        return activities;
    }

    internal sealed class Validator : AbstractValidator<ActivityFilter>
    {
        public Validator() => RuleFor(filter => filter.Category).Length(1, 50);
    }
}

/// <summary>An activity, as a client writes it.</summary>
/// <param name="Title">At most 100 characters; the project's title when not given.</param>
/// <param name="TeamId">The team that carries it out.</param>
/// <param name="StartsAt">RFC 3339 with an offset.</param>
/// <param name="EndsAt">After the start, at most 31 days later; by the project's planned length when not given.</param>
/// <param name="ProjectId">The project of the library it is made from, if any.</param>
/// <param name="Category">At most 50 characters; the project's when not given.</param>
/// <param name="Description">At most 4,000 characters.</param>
/// <param name="Location">Where it takes place.</param>
/// <param name="ResponsibleVolunteerId">The person in charge.</param>
internal sealed record ActivityRequest(
    Guid TeamId, DateTimeOffset StartsAt, DateTimeOffset? EndsAt = null, string? Title = null, Guid? ProjectId = null, string? Category = null,
    string? Description = null, Location? Location = null, Guid? ResponsibleVolunteerId = null)
{
    public static ActivityRequest Of(Activity a) =>
        new(a.TeamId, a.StartsAt, a.EndsAt, a.Title, a.ProjectId, a.Category, a.Description, a.Location, a.ResponsibleVolunteerId);

    public ActivityPlan ToPlan(Project? project)
    {
        var length = project?.Defaults.Minutes is { } minutes ? TimeSpan.FromMinutes(minutes) : (TimeSpan?)null;
        return new ActivityPlan(
            Title ?? project?.Title ?? throw RuleBreach.Malformed("title_needed", "/title"), TeamId, ProjectId,
            Category ?? project?.Category ?? throw RuleBreach.Malformed("category_needed", "/category"), Description, Location, StartsAt,
            EndsAt ?? (StartsAt + length) ?? throw RuleBreach.Malformed("end_needed", "/endsAt"), ResponsibleVolunteerId);
    }

    internal sealed class Validator : AbstractValidator<ActivityRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Title).OptionalLine(100).MinimumLength(1);
            RuleFor(request => request.TeamId).NotEmpty();
            RuleFor(request => request.StartsAt).NotEmpty();
            RuleFor(request => request.EndsAt).GreaterThan(request => request.StartsAt).WithMessage(_ => Messages.Title("end_before_start"));
            RuleFor(request => request.EndsAt).LessThanOrEqualTo(request => request.StartsAt.AddDays(31)).WithMessage(_ => Messages.Title("at_most_31_days"));
            RuleFor(request => request.Category).OptionalLine(50).MinimumLength(1);
            RuleFor(request => request.Description).MaximumLength(4000);
            RuleFor(request => request.Location!).IsPlace().When(request => request.Location is not null);
        }
    }
}

internal static class Places
{
    public static IRuleBuilderOptions<T, Location> IsPlace<T>(this IRuleBuilder<T, Location> rule) => rule.ChildRules(location =>
    {
        location.RuleFor(l => l.Name).Line(200);
        location.RuleFor(l => l.Latitude).InclusiveBetween(-90, 90);
        location.RuleFor(l => l.Longitude).InclusiveBetween(-180, 180);
        location.RuleFor(l => l.RadiusMeters).InclusiveBetween(10, 10_000);
        location.RuleFor(l => l.Longitude).Must((l, longitude) => longitude.HasValue == l.Latitude.HasValue)
            .WithMessage(_ => Messages.Title("latitude_with_longitude"));
    });
}

/// <summary>Why an activity is called off.</summary>
/// <param name="Reason">Shown to those who wanted to come; at most 500 characters.</param>
internal sealed record CancelRequest(string Reason)
{
    internal sealed class Validator : AbstractValidator<CancelRequest>
    {
        public Validator() => RuleFor(request => request.Reason).NotEmpty().MaximumLength(500);
    }
}

/// <summary>That an activity took place.</summary>
/// <param name="Outcome">What came of it, if it is known.</param>
internal sealed record CompleteRequest(Outcome? Outcome = null)
{
    internal sealed class Validator : AbstractValidator<CompleteRequest>
    {
        public Validator() => RuleFor(request => request.Outcome!).ChildRules(outcome =>
        {
            outcome.RuleFor(o => o.Beneficiaries).InclusiveBetween(0, 10_000_000);
            outcome.RuleFor(o => o.Note).MaximumLength(2000);
        }).When(request => request.Outcome is not null);
    }
}

/// <summary>Something that takes place: a project carried out by a team, at a place and a time.</summary>
/// <param name="Id">The activity.</param>
/// <param name="Title">What it is.</param>
/// <param name="TeamId">The team that carries it out.</param>
/// <param name="ProjectId">The project of the library it is made from.</param>
/// <param name="Category">The organization's own word.</param>
/// <param name="Description">What there is to do.</param>
/// <param name="Location">Where.</param>
/// <param name="StartsAt">When it starts.</param>
/// <param name="EndsAt">When it ends.</param>
/// <param name="ResponsibleVolunteerId">The person in charge.</param>
/// <param name="Status">Draft, published, cancelled or completed.</param>
/// <param name="CancelReason">Why it was called off.</param>
/// <param name="Outcome">What came of it.</param>
/// <param name="SeriesId">The series it is an occurrence of.</param>
/// <param name="OccurrenceOn">The local day that the series' rule gave it, also after it was moved.</param>
/// <param name="Detached">It was changed on its own: a change of the series leaves it alone.</param>
/// <param name="CreatedAt">When it was planned.</param>
/// <param name="Version">Grows by one with every change.</param>
/// <param name="OpenShifts">With <c>openFor=me</c>: the shifts the caller may join; else null.</param>
internal sealed record ActivityView(
    Guid Id, string Title, Guid TeamId, Guid? ProjectId, string Category, string? Description, Location? Location,
    DateTimeOffset StartsAt, DateTimeOffset EndsAt, Guid? ResponsibleVolunteerId, ActivityStatus Status, string? CancelReason, Outcome? Outcome,
    Guid? SeriesId, DateOnly? OccurrenceOn, bool Detached, DateTimeOffset CreatedAt, long Version, IReadOnlyList<OpenShift>? OpenShifts = null) : IVersioned
{
    public static Expression<Func<Activity, ActivityView>> Projection => a => new ActivityView(
        a.Id, a.Title, a.TeamId, a.ProjectId, a.Category, a.Description, a.Location, a.StartsAt, a.EndsAt, a.ResponsibleVolunteerId,
        a.Status, a.CancelReason, a.Outcome, a.SeriesId, a.OccurrenceOn, a.Detached, a.CreatedAt, a.Version, null);

    public static Expression<Func<Activity, ActivityView>> WithOpenShifts(IQueryable<Shift> open) => a => new ActivityView(
        a.Id, a.Title, a.TeamId, a.ProjectId, a.Category, a.Description, a.Location, a.StartsAt, a.EndsAt, a.ResponsibleVolunteerId,
        a.Status, a.CancelReason, a.Outcome, a.SeriesId, a.OccurrenceOn, a.Detached, a.CreatedAt, a.Version,
        open.Where(s => s.ActivityId == a.Id).OrderBy(s => s.StartsAt).ThenBy(s => s.Id)
            .Select(s => new OpenShift(s.Id, s.Name, s.StartsAt, s.EndsAt, s.Capacity - s.Taken)).ToList());

    public static ActivityView Of(Activity activity) => Compiled(activity);

    private static readonly Func<Activity, ActivityView> Compiled = Projection.Compile();
}
