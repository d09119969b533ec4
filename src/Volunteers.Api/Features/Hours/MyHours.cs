using System.Data;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Hours;

internal static class MyHours
{
    public static void MapMyHours(this RouteGroupBuilder v1) =>
        v1.MapGet("/me/hours", Get).WithTags("Me").WithName("getMyHours").ShowsNoPersonalData().Allows(Access.Account);

    /// <summary>
    /// Shows the caller's own hours in each organization in which they are a volunteer, or were to the last before they left,
    /// and how much time that was: where several organizations credit the same time, it counts once.
    /// </summary>
    private static async Task<Ok<MyHoursView>> Get(Caller caller, VolunteersDb db, CancellationToken ct)
    {
        // One snapshot for the sums and the times, so that what overlaps is part of what is summed.
        await using var snapshot = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        var mine = await db.OwnProfiles(caller, ct);
        var organizations = mine.Select(profile => profile.OrganizationId).Distinct().ToArray();
        var names = await db.Organizations.Where(o => organizations.Contains(o.Id)).ToDictionaryAsync(o => o.Id, o => o.Name, ct);
        var items = new List<MyOrganizationHours>();
        var periods = new List<CreditedPeriod>();
        // One organization at a time: each has its place in a sharded database.
        foreach (var (organization, volunteer) in mine.OrderBy(profile => profile.OrganizationId).ThenBy(profile => profile.VolunteerId))
        {
            var sums = await db.HourTotals.Where(t => t.OrganizationId == organization && t.VolunteerId == volunteer)
                .GroupBy(t => t.Evidence).Select(g => new MyEvidenceHours(g.Key, g.Sum(t => t.Minutes), g.Sum(t => t.PersonTimes))).ToListAsync(ct);
            var waiting = await db.ServiceRecords.Where(r => r.OrganizationId == organization && r.VolunteerId == volunteer && r.Status == ServiceStatus.Submitted)
                .SumAsync(r => (long)r.Minutes, ct);
            if (mine.Count > 1)
                periods.AddRange(await db.ServiceRecords.Where(r => r.OrganizationId == organization && r.VolunteerId == volunteer && r.Status == ServiceStatus.Approved)
                    .Select(r => new CreditedPeriod(r.OrganizationId, r.Id, r.StartsAt, r.EndsAt, r.Minutes)).ToListAsync(ct));
            items.Add(new MyOrganizationHours(organization, names[organization], volunteer, sums.Sum(s => s.Minutes), sums.Sum(s => s.PersonTimes), waiting,
                [.. sums.Where(s => s is not { Minutes: 0, PersonTimes: 0 }).OrderBy(s => s.Evidence)]));
        }
        var overlaps = NetTime.Clusters(periods).Where(cluster => cluster.Count > 1).Select(MyOverlap.Of).Where(overlap => overlap.Minutes > 0).ToList();
        var (gross, twice) = (items.Sum(i => i.Minutes), overlaps.Sum(overlap => overlap.Minutes));
        return TypedResults.Ok(new MyHoursView(
            items, gross, twice, gross - twice, items.Sum(i => i.PersonTimes), items.Sum(i => i.MinutesWaiting), overlaps));
    }
}

/// <summary>The caller's own hours.</summary>
/// <param name="Organizations">One line for each profile of the caller's.</param>
/// <param name="GrossMinutes">Credited, in all of them together.</param>
/// <param name="OverlapMinutes">Of these, minutes of the clock that another organization credits again.</param>
/// <param name="NetMinutes">The caller's own total: gross less overlap.</param>
/// <param name="PersonTimes">Participations, in all of them.</param>
/// <param name="MinutesWaiting">Submitted and not yet reviewed.</param>
/// <param name="Overlaps">Where the overlap comes from, earliest first.</param>
internal sealed record MyHoursView(
    IReadOnlyList<MyOrganizationHours> Organizations, long GrossMinutes, long OverlapMinutes, long NetMinutes, long PersonTimes, long MinutesWaiting,
    IReadOnlyList<MyOverlap> Overlaps);

/// <summary>Service credited by several organizations for overlapping times, more of it than the times can hold.</summary>
/// <param name="StartsAt">When the first of them began.</param>
/// <param name="EndsAt">When the last of them ended.</param>
/// <param name="Minutes">How many minutes are counted more than once, each time after the first.</param>
/// <param name="Records">Which service.</param>
internal sealed record MyOverlap(DateTimeOffset StartsAt, DateTimeOffset EndsAt, long Minutes, IReadOnlyList<MyOverlappingRecord> Records)
{
    public static MyOverlap Of(IReadOnlyList<CreditedPeriod> cluster) => new(
        cluster[0].StartsAt, cluster.Max(p => p.EndsAt), cluster.Sum(p => (long)p.Minutes) - NetTime.Minutes(cluster),
        [.. cluster.Select(p => new MyOverlappingRecord(p.OrganizationId, p.RecordId, p.StartsAt, p.EndsAt, p.Minutes))]);
}

/// <summary>One of the records that overlap.</summary>
internal sealed record MyOverlappingRecord(Guid OrganizationId, Guid RecordId, DateTimeOffset StartsAt, DateTimeOffset EndsAt, int Minutes);

/// <summary>The caller's hours in one organization.</summary>
/// <param name="OrganizationId">The organization.</param>
/// <param name="Name">Its name.</param>
/// <param name="VolunteerId">The caller's profile there.</param>
/// <param name="Minutes">Credited: the sum of the ledger's postings.</param>
/// <param name="PersonTimes">Participations.</param>
/// <param name="MinutesWaiting">Submitted and not yet reviewed.</param>
/// <param name="ByEvidence">How we know.</param>
internal sealed record MyOrganizationHours(
    Guid OrganizationId, string Name, Guid VolunteerId, long Minutes, long PersonTimes, long MinutesWaiting, IReadOnlyList<MyEvidenceHours> ByEvidence);

/// <summary>Hours known in one way.</summary>
internal sealed record MyEvidenceHours(Evidence Evidence, long Minutes, long PersonTimes);
