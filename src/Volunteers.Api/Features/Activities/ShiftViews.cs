using System.Linq.Expressions;
using FluentValidation;
using Volunteers.Features.Projects;
using Volunteers.Platform;

namespace Volunteers.Features.Activities;

/// <summary>A shift, as a client writes it.</summary>
/// <param name="Name">The post or the time of day, for instance <c>North crossing</c>; at most 100 characters.</param>
/// <param name="StartsAt">RFC 3339 with an offset; the activity's start when not given.</param>
/// <param name="EndsAt">After the start, within the activity; the activity's end when not given.</param>
/// <param name="Capacity">Places, 1 to 100,000; null for no limit.</param>
/// <param name="SignUpClosesAt">Until when volunteers sign up themselves, at the latest when the shift ends; its start when not given.</param>
/// <param name="CancelClosesAt">Until when volunteers give their place back themselves; the start when not given.</param>
/// <param name="Skills">What everybody on it must be able to do, by the names of volunteers' skills; at most 10.</param>
internal sealed record ShiftRequest(
    string Name, DateTimeOffset? StartsAt = null, DateTimeOffset? EndsAt = null, int? Capacity = null, DateTimeOffset? SignUpClosesAt = null,
    DateTimeOffset? CancelClosesAt = null, IReadOnlyList<string>? Skills = null)
{
    public static ShiftRequest Of(Shift s) => new(s.Name, s.StartsAt, s.EndsAt, s.Capacity, s.SignUpClosesAt, s.CancelClosesAt, s.Skills);

    public ShiftPlan ToPlan(Activity activity) =>
        new(Name, StartsAt ?? activity.StartsAt, EndsAt ?? activity.EndsAt, Capacity, SignUpClosesAt, CancelClosesAt, Skills ?? []);

    internal sealed class Validator : AbstractValidator<ShiftRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Name).Line(100);
            RuleFor(request => request.EndsAt).GreaterThan(request => request.StartsAt).WithMessage(_ => Messages.Title("end_before_start")).When(request => request.StartsAt is not null);
            RuleFor(request => request.Capacity).InclusiveBetween(1, 100_000);
            RuleFor(request => request.SignUpClosesAt).LessThanOrEqualTo(request => request.EndsAt).WithMessage(_ => Messages.Title("closes_after_end")).When(request => request.EndsAt is not null);
            RuleFor(request => request.CancelClosesAt).LessThanOrEqualTo(request => request.EndsAt).WithMessage(_ => Messages.Title("closes_after_end")).When(request => request.EndsAt is not null);
            RuleFor(request => request.Skills).Must(skills => skills is null or { Count: <= 10 }).WithMessage(_ => Messages.Title("too_many"));
            RuleForEach(request => request.Skills).Line(50);
        }
    }
}

/// <summary>A time slot of an activity with places to fill.</summary>
/// <param name="Id">The shift.</param>
/// <param name="ActivityId">The activity it is part of.</param>
/// <param name="Name">The post or the time of day.</param>
/// <param name="StartsAt">When it starts.</param>
/// <param name="EndsAt">When it ends.</param>
/// <param name="Capacity">Places; null for no limit.</param>
/// <param name="SignUpClosesAt">Until when volunteers sign up themselves; null for the start.</param>
/// <param name="CancelClosesAt">Until when volunteers give their place back themselves; null for the start.</param>
/// <param name="Skills">What everybody on it must be able to do.</param>
/// <param name="Taken">Places that are somebody's, or kept for a group.</param>
/// <param name="Waiting">How many are on the waiting list.</param>
/// <param name="CreatedAt">When it was planned.</param>
/// <param name="Version">Grows with each change, of the plan and of the counts; the ETag.</param>
internal sealed record ShiftView(
    Guid Id, Guid ActivityId, string Name, DateTimeOffset StartsAt, DateTimeOffset EndsAt, int? Capacity, DateTimeOffset? SignUpClosesAt,
    DateTimeOffset? CancelClosesAt, IReadOnlyList<string> Skills, int Taken, int Waiting, DateTimeOffset CreatedAt, long Version) : IVersioned
{
    public static Expression<Func<Shift, ShiftView>> Projection => s => new ShiftView(
        s.Id, s.ActivityId, s.Name, s.StartsAt, s.EndsAt, s.Capacity, s.SignUpClosesAt, s.CancelClosesAt, s.Skills, s.Taken, s.Waiting, s.CreatedAt, s.Version);

    public static ShiftView Of(Shift shift) => Compiled(shift);

    private static readonly Func<Shift, ShiftView> Compiled = Projection.Compile();
}

internal static class ProjectShifts
{
    /// <summary>A shift for each post of the project, each with the project's capacity; one of the whole activity when it has a capacity alone.</summary>
    public static IEnumerable<ShiftRequest> Shifts(this ProjectDefaults defaults, string title) =>
        defaults.Posts.Count > 0 ? defaults.Posts.Select(post => new ShiftRequest(post, Capacity: defaults.Capacity))
        : defaults.Capacity is { } capacity ? [new ShiftRequest(title, Capacity: capacity)]
        : [];
}
