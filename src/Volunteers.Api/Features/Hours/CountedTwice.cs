using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;

namespace Volunteers.Features.Hours;

/// <summary>
/// What is booked already for some activities: groups that were counted, and people by name. A leader who counts and
/// participants who check in, report themselves or are entered one by one may mean the same participation, which is booked
/// once. Whoever reads this shares the activities, and who counts a group has them locked, so neither misses the other.
/// </summary>
internal sealed class CountedTwice
{
    private readonly List<Participation> booked;

    private CountedTwice(List<Participation> booked) => this.booked = booked;

    /// <summary>Groups in which nobody is left without a name hold nobody else; who was named out of a group stands in it already.</summary>
    /// <param name="db">In a transaction that shares the activities, or has them locked if names count too.</param>
    /// <param name="organizationId">Whose.</param>
    /// <param name="activityIds">Which activities.</param>
    /// <param name="from">What ended by then does not matter.</param>
    /// <param name="to">Nor what begins after this.</param>
    /// <param name="namesToo">Whether a headcount is to be compared, or only names.</param>
    /// <param name="ct">Ends it.</param>
    public static async Task<CountedTwice> Load(
        VolunteersDb db, Guid organizationId, Guid[] activityIds, DateTimeOffset from, DateTimeOffset to, bool namesToo, CancellationToken ct)
    {
        var booked = db.ServiceRecords.Where(r => r.OrganizationId == organizationId && activityIds.Contains(r.ActivityId) && r.Status == ServiceStatus.Approved
            && r.ClaimedFromId == null && r.PersonTimes > r.ClaimedPersonTimes && r.StartsAt < to && r.EndsAt > from);
        // Said in the statement and not by a parameter, so that the few headcounts are found by an index of their own.
        if (!namesToo) booked = booked.Where(r => r.VolunteerId == null);
        return new(await booked.Select(r => new Participation(r.ActivityId, r.ShiftId, r.VolunteerId == null, r.StartsAt, r.EndsAt)).ToListAsync(ct));
    }

    /// <summary>The headcounts that records to be approved may be in.</summary>
    public static async Task<CountedTwice> Load(VolunteersDb db, IReadOnlyCollection<ServiceRecord> records, CancellationToken ct) => records.Count == 0
        ? new CountedTwice([])
        : await Load(db, records.First().OrganizationId, [.. records.Select(r => r.ActivityId).Distinct()], records.Min(r => r.StartsAt), records.Max(r => r.EndsAt),
            namesToo: false, ct);

    /// <param name="service">What is to be booked.</param>
    /// <param name="before">What was booked in its place: beside which that stood was decided then.</param>
    public bool Holds(Participation service, Participation? before = null) => booked.Any(other => service.MayBe(other) && before?.MayBe(other) != true);

    public void Refuse(Participation service, Participation? before = null)
    {
        if (Holds(service, before)) throw new RuleBreach(service.IsGroup ? "counted_by_name" : "counted_in_headcount");
    }

    /// <summary>Refuses it, or takes a coordinator's word that it is apart from what is booked, and marks that.</summary>
    public void Admit(ServiceRecord record, bool apart)
    {
        var service = Participation.Of(record);
        if (!apart) Refuse(service);
        else if (Holds(service) && record.Flag is null) record.LookTwice(RecordFlag.BesideHeadcount);
    }

    /// <summary>Later entries of one batch reckon with the earlier.</summary>
    public void Add(ServiceRecord record) => booked.Add(Participation.Of(record));
}

/// <summary>Where and when a record says that service was given, by one person or by a group.</summary>
internal sealed record Participation(Guid ActivityId, Guid? ShiftId, bool IsGroup, DateTimeOffset StartsAt, DateTimeOffset EndsAt)
{
    public static Participation Of(ServiceRecord record) => new(record.ActivityId, record.ShiftId, record.IsHeadcount, record.StartsAt, record.EndsAt);

    /// <summary>Whether one of this group can be that person, or the other way round. On two shifts of one activity are two groups of people.</summary>
    public bool MayBe(Participation other) => IsGroup != other.IsGroup && ActivityId == other.ActivityId && StartsAt < other.EndsAt && EndsAt > other.StartsAt
        && (ShiftId is null || other.ShiftId is null || ShiftId == other.ShiftId);
}
