using Volunteers.Features.Organizations;

namespace Volunteers.Features.Reconciliation;

/// <summary>
/// Where service stands in a day when all that is known is the day and how long: the first gap of that length from 08:00 local
/// time to midnight, between whatever else the person did.
/// </summary>
internal sealed class FreeTime(Organization organization)
{
    private static readonly TimeOnly Morning = new(8, 0);

    private readonly Dictionary<Guid, List<(DateTimeOffset StartsAt, DateTimeOffset EndsAt)>> taken = [];

    public void Take(Guid volunteerId, DateTimeOffset startsAt, DateTimeOffset endsAt)
    {
        if (!taken.TryGetValue(volunteerId, out var periods)) taken.Add(volunteerId, periods = []);
        periods.Add((startsAt, endsAt));
    }

    /// <returns>The start of a gap, which is taken from then on; null when the day has none.</returns>
    public DateTimeOffset? Place(Guid volunteerId, DateOnly day, int minutes)
    {
        var (start, midnight) = (organization.At(day, Morning), organization.StartOf(day.AddDays(1)));
        foreach (var (startsAt, endsAt) in (taken.GetValueOrDefault(volunteerId) ?? []).Order())
        {
            if (startsAt >= start.AddMinutes(minutes)) break;
            if (endsAt > start) start = endsAt;
        }
        if (start.AddMinutes(minutes) > midnight) return null;
        Take(volunteerId, start, start.AddMinutes(minutes));
        return start;
    }
}
