namespace Volunteers.Features.Hours;

/// <summary>Credited service in some organization: so many minutes, at some time within the period.</summary>
internal sealed record CreditedPeriod(Guid OrganizationId, Guid RecordId, DateTimeOffset StartsAt, DateTimeOffset EndsAt, int Minutes);

/// <summary>
/// How much time a person can have given: the most minutes that fit into all periods when each minute of the clock is given
/// once. Within one organization periods never overlap, so only several organizations can credit one minute twice.
/// </summary>
internal static class NetTime
{
    /// <summary>The periods that hang together by overlapping, in order; one that overlaps with none stands alone.</summary>
    public static IEnumerable<IReadOnlyList<CreditedPeriod>> Clusters(IEnumerable<CreditedPeriod> periods)
    {
        var cluster = new List<CreditedPeriod>();
        var end = DateTimeOffset.MinValue;
        foreach (var period in periods.OrderBy(p => p.StartsAt).ThenBy(p => p.RecordId))
        {
            if (cluster.Count > 0 && period.StartsAt >= end)
            {
                yield return cluster;
                cluster = [];
            }
            cluster.Add(period);
            end = period.EndsAt > end ? period.EndsAt : end;
        }
        if (cluster.Count > 0) yield return cluster;
    }

    /// <summary>Always the period that ends first gets the time: no other way places more minutes.</summary>
    public static long Minutes(IReadOnlyCollection<CreditedPeriod> cluster)
    {
        var left = cluster.ToDictionary(p => p.RecordId, p => p.Minutes * TimeSpan.TicksPerMinute);
        var edges = cluster.SelectMany(p => new[] { p.StartsAt, p.EndsAt }).Distinct().Order().ToList();
        var given = 0L;
        foreach (var (from, to) in edges.Zip(edges.Skip(1)))
        {
            var time = (to - from).Ticks;
            foreach (var period in cluster.Where(p => p.StartsAt <= from && p.EndsAt >= to).OrderBy(p => p.EndsAt).ThenBy(p => p.RecordId))
            {
                var taken = Math.Min(time, left[period.RecordId]);
                (time, left[period.RecordId], given) = (time - taken, left[period.RecordId] - taken, given + taken);
            }
        }
        return given / TimeSpan.TicksPerMinute;
    }
}
