namespace Volunteers.Features.Activities;

/// <summary>
/// When somebody was there, from all their check-ins and check-outs on one shift in whatever order they arrived. A check-in
/// while they are there changes nothing; of several check-outs in a row the last counts; who goes and comes back has several
/// stays.
/// </summary>
internal sealed record Presence(IReadOnlyList<Presence.Stay> Stays, DateTimeOffset? OpenSince)
{
    internal readonly record struct Stay(DateTimeOffset From, DateTimeOffset To);

    public static Presence Of(IEnumerable<AttendanceEvent> events)
    {
        var stays = new List<Stay>();
        DateTimeOffset? open = null;
        foreach (var taken in events.OrderBy(e => e.CountedAt).ThenBy(e => e.Kind).ThenBy(e => e.Id))
        {
            if (taken.Kind == AttendanceKind.CheckIn) open ??= taken.CountedAt;
            else if (open is { } from)
            {
                stays.Add(new Stay(from, taken.CountedAt));
                open = null;
            }
            else if (stays.Count > 0) stays[^1] = stays[^1] with { To = taken.CountedAt };
        }
        return new Presence(stays, open);
    }

    /// <summary>Only what lies within these instants.</summary>
    public IReadOnlyList<Stay> Within(DateTimeOffset from, DateTimeOffset to) =>
        [.. Stays.Select(stay => new Stay(stay.From > from ? stay.From : from, stay.To < to ? stay.To : to)).Where(stay => stay.From < stay.To)];
}
