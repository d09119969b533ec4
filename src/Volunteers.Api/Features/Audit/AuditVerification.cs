using System.Data;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Audit;

/// <summary>Which part of the chain to verify.</summary>
/// <param name="After">From the event after this position on; from the beginning when not given.</param>
internal sealed record AuditVerificationQuery([property: FromQuery] long? After = null)
{
    internal sealed class Validator : AbstractValidator<AuditVerificationQuery>
    {
        public Validator() => RuleFor(query => query.After).GreaterThanOrEqualTo(0);
    }
}

/// <summary>What a look at the whole trail found.</summary>
/// <param name="Valid">Nothing is wrong.</param>
/// <param name="After">The position after which it was looked at: 0, what was asked for, or where the trail was cut because of its age.</param>
/// <param name="Position">The last position.</param>
/// <param name="Hash">The hash of the last event, in hexadecimal: kept elsewhere, it proves the trail later.</param>
/// <param name="Waiting">Events of the last seconds that are not sealed yet.</param>
/// <param name="Erased">Changes whose values were erased with the person.</param>
/// <param name="Faults">What is wrong, at most 100 faults.</param>
internal sealed record AuditVerification(bool Valid, long After, long Position, string Hash, long Waiting, long Erased, IReadOnlyList<AuditFault> Faults)
{
    private const int MostFaults = 100;
    private const int AtOnce = 5_000;

    /// <summary>Reads one snapshot, some thousand events at a time, so that no statement takes long and what comes meanwhile disturbs nothing.</summary>
    public static async Task<AuditVerification> Of(Guid organizationId, long? after, VolunteersDb db, CancellationToken ct)
    {
        await using var snapshot = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        var cut = await db.Set<AuditCut>().AsNoTracking().SingleOrDefaultAsync(c => c.OrganizationId == organizationId, ct);
        var (start, hash) = await Start(organizationId, after, cut, db, ct);
        var (position, erased, faults) = (start, 0L, new List<AuditFault>());
        while (faults.Count < MostFaults)
        {
            var links = await Links(organizationId, position, db, ct);
            var values = await Values(organizationId, [.. links.Select(x => x.Link.EventId)], db, ct);
            foreach (var (link, e) in links)
            {
                if (link.Position != position + 1) faults.Add(new AuditFault(AuditFaultKind.Gap, link.Position, link.EventId));
                if (!link.PreviousHash.AsSpan().SequenceEqual(hash)) faults.Add(new AuditFault(AuditFaultKind.BrokenChain, link.Position, link.EventId));
                if (e is null) faults.Add(new AuditFault(AuditFaultKind.EventMissing, link.Position, link.EventId));
                else if (!e.ComputeHash(link.Position, link.PreviousHash).AsSpan().SequenceEqual(link.Hash)) faults.Add(new AuditFault(AuditFaultKind.ChangedEvent, link.Position, e.Id));
                if (e is not null) erased += CheckValues(e, link.Position, values[e.Id], faults);
                (position, hash) = (link.Position, link.Hash);
            }
            if (links.Count < AtOnce) break;
        }
        await CheckEnd(organizationId, position, hash, db, faults, ct);
        var waiting = await db.Set<AuditPending>().LongCountAsync(p => p.OrganizationId == organizationId, ct);
        return new AuditVerification(faults.Count == 0, start, position, Convert.ToHexStringLower(hash), waiting, erased, [.. faults.Take(MostFaults)]);
    }

    private static async Task<(long Position, byte[] Hash)> Start(Guid organizationId, long? after, AuditCut? cut, VolunteersDb db, CancellationToken ct)
    {
        if (after is { } position && position > (cut?.Position ?? 0))
        {
            var link = await db.Set<AuditLink>().AsNoTracking().Where(l => l.OrganizationId == organizationId && l.Position <= position).OrderByDescending(l => l.Position).FirstOrDefaultAsync(ct);
            return (link?.Position ?? 0, link?.Hash ?? []);
        }
        return (cut?.Position ?? 0, cut?.Hash ?? []);
    }

    private static async Task<List<(AuditLink Link, AuditEvent? Event)>> Links(Guid organizationId, long after, VolunteersDb db, CancellationToken ct)
    {
        var links = await db.Set<AuditLink>().AsNoTracking().Where(l => l.OrganizationId == organizationId && l.Position > after).OrderBy(l => l.Position).Take(AtOnce).ToListAsync(ct);
        var ids = links.Select(link => link.EventId).ToArray();
        var events = await db.Set<AuditEvent>().AsNoTracking().Where(e => e.OrganizationId == organizationId && ids.Contains(e.Id)).ToDictionaryAsync(e => e.Id, ct);
        return [.. links.Select(link => (link, events.GetValueOrDefault(link.EventId)))];
    }

    private static async Task<ILookup<Guid, AuditValue>> Values(Guid organizationId, Guid[] events, VolunteersDb db, CancellationToken ct) =>
        (await db.Set<AuditValue>().AsNoTracking().Where(v => v.OrganizationId == organizationId && events.Contains(v.EventId)).ToListAsync(ct)).ToLookup(v => v.EventId);

    /// <summary>What is not there was erased, which is allowed; what is there must be what was said.</summary>
    private static long CheckValues(AuditEvent e, long position, IEnumerable<AuditValue> values, List<AuditFault> faults)
    {
        var hashes = (AuditDetails.Read(e.Details).Changes ?? []).Select((change, index) => (change.Hash, index)).Where(change => change.Hash is not null)
            .ToDictionary(change => change.index, change => change.Hash);
        var there = 0;
        foreach (var value in values)
        {
            if (hashes.GetValueOrDefault(value.Position) == value.ComputeHash()) there++;
            else faults.Add(new AuditFault(AuditFaultKind.ChangedValue, position, e.Id));
        }
        return hashes.Count - there;
    }

    /// <summary>What the chain alone would not miss: events cut off its end, and such as never came into it.</summary>
    private static async Task CheckEnd(Guid organizationId, long position, byte[] hash, VolunteersDb db, List<AuditFault> faults, CancellationToken ct)
    {
        var head = await db.Set<AuditHead>().AsNoTracking().SingleOrDefaultAsync(h => h.OrganizationId == organizationId, ct);
        if (faults.Count < MostFaults && ((head?.Position ?? 0) != position || !(head?.Hash ?? []).AsSpan().SequenceEqual(hash)))
            faults.Add(new AuditFault(AuditFaultKind.EventsMissing, head?.Position ?? 0, null));

        var links = db.Set<AuditLink>().Where(link => link.OrganizationId == organizationId);
        var pending = db.Set<AuditPending>().Where(p => p.OrganizationId == organizationId);
        var events = db.Set<AuditEvent>().Where(e => e.OrganizationId == organizationId);
        faults.AddRange((await events.Where(e => !links.Any(link => link.EventId == e.Id) && !pending.Any(p => p.EventId == e.Id)).OrderBy(e => e.Id).Select(e => e.Id).Take(MostFaults).ToListAsync(ct))
            .Select(id => new AuditFault(AuditFaultKind.NeverSealed, null, id)));
        faults.AddRange((await pending.Where(p => !events.Any(e => e.Id == p.EventId)).OrderBy(p => p.EventId).Select(p => p.EventId).Take(MostFaults).ToListAsync(ct))
            .Select(id => new AuditFault(AuditFaultKind.EventMissing, null, id)));
    }
}

internal enum AuditFaultKind
{
    /// <summary>A position is missing before this one.</summary>
    Gap,

    /// <summary>The event does not carry the hash of the one before.</summary>
    BrokenChain,

    /// <summary>The event's own hash does not fit what it says.</summary>
    ChangedEvent,

    /// <summary>The chain names an event that is not there.</summary>
    EventMissing,

    /// <summary>The values beside the event are not those that it was written with.</summary>
    ChangedValue,

    /// <summary>The trail was longer once.</summary>
    EventsMissing,

    /// <summary>An event is there that neither is in the chain nor waits to be.</summary>
    NeverSealed,
}

/// <summary>One thing that is wrong.</summary>
/// <param name="Kind">What.</param>
/// <param name="Position">At which event, if it has a position.</param>
/// <param name="EventId">At which event, if at one.</param>
internal sealed record AuditFault(AuditFaultKind Kind, long? Position, Guid? EventId);
