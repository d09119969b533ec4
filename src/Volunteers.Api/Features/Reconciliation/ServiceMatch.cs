namespace Volunteers.Features.Reconciliation;

/// <summary>Service as the other system has it, of a volunteer who was found.</summary>
internal sealed record ServiceThere(int Row, Guid VolunteerId, DateOnly Day, int Minutes, string? Activity, string Reference);

/// <summary>Service as it is credited here.</summary>
internal sealed record ServiceHere(
    Guid RecordId, Guid VolunteerId, DateOnly Day, DateTimeOffset StartsAt, int Minutes, string Activity, string? Reference, Guid TeamId);

/// <summary>
/// Which service there is which service here. Always the same for the same rows and records: first what was imported from that
/// very row, then within one person's day by the activity's name, then by the minutes, then in order.
/// </summary>
internal sealed class ServiceMatch
{
    private readonly List<(ServiceThere There, ServiceHere Here)> pairs = [];
    private readonly HashSet<ServiceThere> there;
    private readonly HashSet<ServiceHere> here;

    private ServiceMatch(IEnumerable<ServiceThere> there, IEnumerable<ServiceHere> here) => (this.there, this.here) = ([.. there], [.. here]);

    public IReadOnlyList<(ServiceThere There, ServiceHere Here)> Pairs => pairs;

    public IReadOnlyCollection<ServiceThere> OnlyThere => there;

    public IReadOnlyCollection<ServiceHere> OnlyHere => here;

    public static ServiceMatch Of(IReadOnlyCollection<ServiceThere> there, IReadOnlyCollection<ServiceHere> here)
    {
        var match = new ServiceMatch(there, here);
        match.Pair(t => (t.VolunteerId, t.Reference), h => (h.VolunteerId, h.Reference ?? ""));
        match.Pair(t => (t.VolunteerId, t.Day, Plain(t.Activity), t.Minutes), h => (h.VolunteerId, h.Day, Plain(h.Activity), h.Minutes));
        match.Pair(t => (t.VolunteerId, t.Day, Plain(t.Activity)), h => (h.VolunteerId, h.Day, Plain(h.Activity)));
        match.Pair(t => (t.VolunteerId, t.Day, t.Minutes), h => (h.VolunteerId, h.Day, h.Minutes));
        match.Pair(t => (t.VolunteerId, t.Day), h => (h.VolunteerId, h.Day));
        return match;
    }

    /// <summary>Pairs what has the same key, in the order of the rows and of the time of day.</summary>
    private void Pair<TKey>(Func<ServiceThere, TKey> keyThere, Func<ServiceHere, TKey> keyHere) where TKey : notnull
    {
        var open = here.GroupBy(keyHere).ToDictionary(group => group.Key, group => new Queue<ServiceHere>(group.OrderBy(h => h.StartsAt).ThenBy(h => h.RecordId)));
        foreach (var row in there.OrderBy(t => t.Row).ToArray())
        {
            if (!open.TryGetValue(keyThere(row), out var queue) || !queue.TryDequeue(out var record)) continue;
            pairs.Add((row, record));
            there.Remove(row);
            here.Remove(record);
        }
    }

    /// <summary>A row without an activity's name is like no activity.</summary>
    private static string Plain(string? title) => title is null ? "\0" : string.Concat(title.Where(c => !char.IsWhiteSpace(c))).ToLowerInvariant();
}
