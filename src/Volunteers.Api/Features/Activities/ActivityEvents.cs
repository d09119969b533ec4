using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Volunteers.Platform.Outbox;

namespace Volunteers.Features.Activities;

/// <summary>What other systems are told of activities; of a draft, nothing.</summary>
internal static class ActivityEvents
{
    public static readonly EventType Published = new("activity.published");

    /// <summary>One that is published has another plan.</summary>
    public static readonly EventType Changed = new("activity.changed");
    public static readonly EventType Cancelled = new("activity.cancelled");
    public static readonly EventType Completed = new("activity.completed");

    public static readonly IReadOnlyList<EventType> All = [Published, Changed, Cancelled, Completed];

    public static IEnumerable<Happening> Of(Activity activity, EntityEntry entry)
    {
        if (TypeOf(activity, entry) is { } type)
            yield return new Happening(type, activity.OrganizationId, activity.Id, new
            {
                ActivityId = activity.Id, activity.TeamId, activity.ProjectId, activity.SeriesId, activity.Status, activity.StartsAt, activity.EndsAt,
                activity.Outcome?.Beneficiaries,
            });
    }

    private static EventType? TypeOf(Activity activity, EntityEntry entry)
    {
        var before = entry.State switch
        {
            EntityState.Added => (ActivityStatus?)ActivityStatus.Draft,
            EntityState.Modified => (ActivityStatus)entry.Property(nameof(Activity.Status)).OriginalValue!,
            _ => null,
        };
        if (before is null) return null;
        return activity.Status switch
        {
            ActivityStatus.Published when before != ActivityStatus.Published => Published,
            ActivityStatus.Completed when before != ActivityStatus.Completed => Completed,
            ActivityStatus.Cancelled when before != ActivityStatus.Cancelled => before == ActivityStatus.Draft ? null : Cancelled,
            ActivityStatus.Published when entry.Property(nameof(Activity.Sequence)).IsModified => Changed,
            // Its outcome, too.
            ActivityStatus.Completed => Changed,
            _ => null,
        };
    }
}
