using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;

namespace Volunteers.Features.Hours;

/// <summary>
/// What is booked already for some activities: groups that were counted, and people by name. A leader who counts and
/// participants who check in or report themselves may mean the same participation, which is booked once. Whoever reads
/// this shares the activities, and who counts a group has them locked, so neither misses the other.
/// </summary>
internal sealed class CountedTwice
{
    private readonly List<Booked> booked;

    private CountedTwice(List<Booked> booked) => this.booked = booked;

    /// <param name="db">In a transaction that shares the activities, or has them locked if names count too.</param>
    /// <param name="organizationId">Whose.</param>
    /// <param name="activityIds">Which activities.</param>
    /// <param name="from">What ended by then does not matter.</param>
    /// <param name="to">Nor what begins after this.</param>
    /// <param name="namesToo">Whether a headcount is to be compared, or only names.</param>
    /// <param name="ct">Ends it.</param>
    public static async Task<CountedTwice> Load(
        VolunteersDb db, Guid organizationId, Guid[] activityIds, DateTimeOffset from, DateTimeOffset to, bool namesToo, CancellationToken ct) =>
        new(await db.ServiceRecords.Where(r => r.OrganizationId == organizationId && activityIds.Contains(r.ActivityId) && r.Status == ServiceStatus.Approved
                && r.ClaimedFromId == null && r.PersonTimes > r.ClaimedPersonTimes && r.StartsAt < to && r.EndsAt > from && (namesToo || r.VolunteerId == null))
            .Select(r => new Booked(r.ActivityId, r.ShiftId, r.VolunteerId, r.Evidence, r.StartsAt, r.EndsAt)).ToListAsync(ct));

    /// <summary>The headcounts that records to be approved may be in.</summary>
    public static async Task<CountedTwice> Load(VolunteersDb db, IReadOnlyCollection<ServiceRecord> records, CancellationToken ct) => records.Count == 0
        ? new CountedTwice([])
        : await Load(db, records.First().OrganizationId, [.. records.Select(r => r.ActivityId).Distinct()], records.Min(r => r.StartsAt), records.Max(r => r.EndsAt),
            namesToo: false, ct);

    /// <summary>Whether what a participant says of themselves may be in a headcount.</summary>
    public bool InHeadcount(ServiceRecord record) => IsParticipants(record.VolunteerId, record.Evidence) && BesideHeadcount(record);

    public void RefuseInHeadcount(ServiceRecord record)
    {
        if (InHeadcount(record)) throw new RuleBreach("counted_in_headcount");
    }

    /// <summary>What a coordinator enters stands beside the other for coordinators to look at; what participants said themselves is not counted over.</summary>
    public RecordFlag? FlagOf(ServiceRecord record)
    {
        if (record.IsHeadcount && Beside(record).Any(other => IsParticipants(other.VolunteerId, other.Evidence))) throw new RuleBreach("counted_by_name");
        var twice = record.IsHeadcount ? Beside(record).Any(other => other.VolunteerId is not null) : BesideHeadcount(record);
        return twice ? RecordFlag.BesideHeadcount : null;
    }

    /// <summary>Later entries of one batch reckon with the earlier.</summary>
    public void Add(ServiceRecord record) =>
        booked.Add(new Booked(record.ActivityId, record.ShiftId, record.VolunteerId, record.Evidence, record.StartsAt, record.EndsAt));

    private bool BesideHeadcount(ServiceRecord record) => Beside(record).Any(other => other.VolunteerId is null);

    /// <summary>On two shifts of one activity are two groups of people.</summary>
    private IEnumerable<Booked> Beside(ServiceRecord record) => booked.Where(other =>
        other.ActivityId == record.ActivityId && other.StartsAt < record.EndsAt && other.EndsAt > record.StartsAt
        && (other.ShiftId is null || record.ShiftId is null || other.ShiftId == record.ShiftId));

    private static bool IsParticipants(Guid? volunteerId, Evidence evidence) => volunteerId is not null && evidence is Evidence.Self or Evidence.Attendance;

    private sealed record Booked(Guid ActivityId, Guid? ShiftId, Guid? VolunteerId, Evidence Evidence, DateTimeOffset StartsAt, DateTimeOffset EndsAt);
}
