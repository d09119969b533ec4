using System.Linq.Expressions;
using System.Text.Json.Serialization;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using Volunteers.Features.Organizations;
using Volunteers.Features.Projects;
using Volunteers.Platform;

namespace Volunteers.Features.Activities;

/// <summary>Which series to list.</summary>
/// <param name="Team">Of this team.</param>
/// <param name="Status">Active or ended.</param>
internal sealed record SeriesFilter([property: FromQuery] Guid? Team = null, [property: FromQuery] SeriesStatus? Status = null)
{
    public IQueryable<Series> Apply(IQueryable<Series> series)
    {
        if (Team is { } team) series = series.Where(s => s.TeamId == team);
        return Status is { } status ? series.Where(s => s.Status == status) : series;
    }
}

/// <summary>From when a series ends.</summary>
/// <param name="From">First local day on which it no longer takes place; today when not given.</param>
internal sealed record EndSeriesQuery([property: FromQuery] DateOnly? From = null);

/// <summary>A series, as a client writes it. Days and times are the organization's local ones.</summary>
/// <param name="TeamId">The team that carries it out.</param>
/// <param name="FirstOn">The first day that the rule may give (the day of its DTSTART), at most 31 days back.</param>
/// <param name="StartTime">When it starts, by the local clock, all year.</param>
/// <param name="Recurrence">A rule of RFC 5545: <c>FREQ</c> DAILY, WEEKLY, MONTHLY or YEARLY with INTERVAL, COUNT or UNTIL, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS, WKST. Without an end it is carried on 12 weeks ahead; with one it has at most 400 occurrences within ten years.</param>
/// <param name="EndTime">When it ends; at or before the start means the next day. By the project's planned length when not given.</param>
/// <param name="Title">At most 100 characters; the project's title when not given.</param>
/// <param name="ProjectId">The project of the library it is made from, if any.</param>
/// <param name="Category">At most 50 characters; the project's when not given.</param>
/// <param name="Description">At most 4,000 characters.</param>
/// <param name="Location">Where it takes place.</param>
/// <param name="ResponsibleVolunteerId">The person in charge.</param>
/// <param name="ExceptOn">Days that are left out, at most 366.</param>
/// <param name="Shifts">What every occurrence has, at most 20; when not given the project's posts with the project's capacity, or one of the whole activity.</param>
/// <param name="Publish">Whether volunteers see an occurrence as soon as it is made; true when not given.</param>
internal sealed record SeriesRequest(
    Guid TeamId, DateOnly FirstOn, [property: JsonRequired] TimeOnly StartTime, string Recurrence, TimeOnly? EndTime = null, string? Title = null, Guid? ProjectId = null,
    string? Category = null, string? Description = null, Location? Location = null, Guid? ResponsibleVolunteerId = null,
    IReadOnlyList<DateOnly>? ExceptOn = null, IReadOnlyList<ShiftTemplate>? Shifts = null, bool Publish = true)
{
    public static SeriesRequest Of(Series s) => new(
        s.TeamId, s.FirstOn, s.StartTime, s.Recurrence, s.EndTime, s.Title, s.ProjectId, s.Category, s.Description, s.Location,
        s.ResponsibleVolunteerId, s.ExceptOn, s.Shifts, s.Publish);

    /// <param name="project">Gives what is not said here.</param>
    /// <param name="organization">In whose local time the rule is.</param>
    public SeriesPlan ToPlan(Project? project, Organization organization)
    {
        var rule = Activities.Recurrence.Parse(Recurrence);
        if (!rule.Days(FirstOn, StartTime, organization.Zone).Any()) throw RuleBreach.Malformed("invalid_recurrence", "/recurrence");
        var title = Title ?? project?.Title ?? throw RuleBreach.Malformed("title_needed", "/title");
        return new SeriesPlan(
            title, TeamId, ProjectId, Category ?? project?.Category ?? throw RuleBreach.Malformed("category_needed", "/category"), Description, Location,
            ResponsibleVolunteerId, FirstOn, StartTime,
            EndTime ?? (project?.Defaults.Minutes is { } minutes ? StartTime.AddMinutes(minutes) : throw RuleBreach.Malformed("end_needed", "/endTime")),
            rule, ExceptOn ?? [], Shifts is { Count: > 0 } ? Shifts : OfProject(title, project?.Defaults), Publish);
    }

    private static ShiftTemplate[] OfProject(string title, ProjectDefaults? defaults) => defaults is { Posts.Count: > 0 }
        ? [.. defaults.Posts.Select(post => new ShiftTemplate(post, Capacity: defaults.Capacity))]
        : [new ShiftTemplate(title, Capacity: defaults?.Capacity)];

    internal sealed class Validator : AbstractValidator<SeriesRequest>
    {
        public Validator()
        {
            RuleFor(request => request.TeamId).NotEmpty();
            RuleFor(request => request.FirstOn).NotEmpty();
            RuleFor(request => request.Recurrence).NotEmpty().MaximumLength(500);
            RuleFor(request => request.Title).OptionalLine(100).MinimumLength(1);
            RuleFor(request => request.Category).OptionalLine(50).MinimumLength(1);
            RuleFor(request => request.Description).MaximumLength(4000);
            RuleFor(request => request.Location!).IsPlace().When(request => request.Location is not null);
            RuleFor(request => request.ExceptOn).AtMost(366);
            RuleFor(request => request.ExceptOn).Must(days => days is null || days.Distinct().Count() == days.Count).WithMessage(_ => Messages.Title("each_once"));
            RuleFor(request => request.Shifts).AtMost(20);
            RuleForEach(request => request.Shifts).NotNull().ChildRules(shift =>
            {
                shift.RuleFor(s => s.Name).Line(100);
                shift.RuleFor(s => s.Capacity).InclusiveBetween(1, 100_000);
                shift.RuleFor(s => s.SignUpClosesMinutesBefore).InclusiveBetween(0, 44_640);
                shift.RuleFor(s => s.CancelClosesMinutesBefore).InclusiveBetween(0, 44_640);
                shift.RuleFor(s => s.Skills).AtMost(10);
                shift.RuleForEach(s => s.Skills).Line(50);
            });
        }
    }
}

/// <summary>A recurring activity, by an RFC 5545 rule in the organization's local time. Its occurrences are activities.</summary>
/// <param name="Id">The series.</param>
/// <param name="Title">What its occurrences are called.</param>
/// <param name="TeamId">The team that carries it out.</param>
/// <param name="ProjectId">The project it was made from.</param>
/// <param name="Category">The organization's own word.</param>
/// <param name="Description">More about it.</param>
/// <param name="Location">Where it takes place.</param>
/// <param name="ResponsibleVolunteerId">The person in charge.</param>
/// <param name="FirstOn">The first local day that the rule may give.</param>
/// <param name="StartTime">When it starts, by the local clock.</param>
/// <param name="EndTime">When it ends; at or before the start means the next day.</param>
/// <param name="Recurrence">The rule, without <c>RRULE:</c>.</param>
/// <param name="ExceptOn">Local days that are left out.</param>
/// <param name="Shifts">What every occurrence has.</param>
/// <param name="Publish">Whether volunteers see an occurrence as soon as it is made.</param>
/// <param name="Status">Active or ended.</param>
/// <param name="EndedFrom">The first local day on which it no longer takes place, if it was ended.</param>
/// <param name="MadeUntil">The local day up to which its occurrences were made.</param>
/// <param name="CreatedAt">When it was planned.</param>
/// <param name="Version">Grows with each change, and as it is carried on; the ETag.</param>
internal record SeriesView(
    Guid Id, string Title, Guid TeamId, Guid? ProjectId, string Category, string? Description, Location? Location, Guid? ResponsibleVolunteerId,
    DateOnly FirstOn, TimeOnly StartTime, TimeOnly EndTime, string Recurrence, IReadOnlyList<DateOnly> ExceptOn, IReadOnlyList<ShiftTemplate> Shifts,
    bool Publish, SeriesStatus Status, DateOnly? EndedFrom, DateOnly MadeUntil, DateTimeOffset CreatedAt, long Version) : IVersioned
{
    public static Expression<Func<Series, SeriesView>> Projection => s => new SeriesView(
        s.Id, s.Title, s.TeamId, s.ProjectId, s.Category, s.Description, s.Location, s.ResponsibleVolunteerId, s.FirstOn, s.StartTime, s.EndTime,
        s.Recurrence, s.ExceptOn, s.Shifts, s.Publish, s.Status, s.EndedFrom, s.MadeUntil, s.CreatedAt, s.Version);

    public static SeriesView Of(Series series) => Compiled(series);

    private static readonly Func<Series, SeriesView> Compiled = Projection.Compile();
}

/// <summary>A series, and what became of its occurrences still to come.</summary>
internal sealed record SeriesChangeView : SeriesView
{
    /// <summary>An occurrence that was moved to another team on its own is named to who coordinates that team.</summary>
    public SeriesChangeView(Series series, SeriesChange change, Tenant tenant) : base(Of(series)) =>
        (Created, Changed, Removed, Untouched) = (change.Created, change.Changed, change.Removed, change.Untouched.FindAll(occurrence => tenant.Coordinates(occurrence.TeamId)));

    /// <summary>How many were made, or taken back after they had been called off.</summary>
    public int Created { get; init; }

    /// <summary>How many were changed.</summary>
    public int Changed { get; init; }

    /// <summary>How many were called off, or deleted if nobody had seen them.</summary>
    public int Removed { get; init; }

    /// <summary>Those that are not as the series says and stay as they are.</summary>
    public IReadOnlyList<UntouchedView> Untouched { get; init; }
}
