using System.Data;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;

namespace Volunteers.Features.Hours;

/// <summary>What a look at the whole ledger found.</summary>
/// <param name="Valid">Nothing is wrong.</param>
/// <param name="Position">The last position; as many lines were looked at.</param>
/// <param name="Hash">The hash of the last line, in hexadecimal: kept elsewhere, it proves the ledger later.</param>
/// <param name="Faults">What is wrong, at most 100 faults.</param>
internal sealed record LedgerVerification(bool Valid, long Position, string Hash, IReadOnlyList<LedgerFault> Faults)
{
    private const int MostFaults = 100;

    /// <summary>Reads one snapshot, line by line, so that postings booked meanwhile disturb nothing.</summary>
    public static async Task<LedgerVerification> Of(Guid organizationId, VolunteersDb db, CancellationToken ct)
    {
        await using var snapshot = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        var faults = new List<LedgerFault>();
        var (position, hash) = await VerifyChain(organizationId, db, faults, ct);
        await VerifyHead(organizationId, db, position, hash, faults, ct);
        faults.AddRange(await Sums(organizationId, db, ct));
        return new LedgerVerification(faults.Count == 0, position, Convert.ToHexStringLower(hash), [.. faults.Take(MostFaults)]);
    }

    private static async Task<(long Position, byte[] Hash)> VerifyChain(Guid organizationId, VolunteersDb db, List<LedgerFault> faults, CancellationToken ct)
    {
        long position = 0;
        byte[] hash = [];
        var postings = db.HourPostings.AsNoTracking().Where(p => p.OrganizationId == organizationId).OrderBy(p => p.Position).AsAsyncEnumerable();
        await foreach (var posting in postings.WithCancellation(ct))
        {
            if (posting.Position != position + 1) faults.Add(new LedgerFault(LedgerFaultKind.Gap, posting.Position, null));
            if (!posting.PreviousHash.AsSpan().SequenceEqual(hash)) faults.Add(new LedgerFault(LedgerFaultKind.BrokenChain, posting.Position, null));
            if (!posting.ComputeHash().AsSpan().SequenceEqual(posting.Hash)) faults.Add(new LedgerFault(LedgerFaultKind.ChangedLine, posting.Position, null));
            (position, hash) = (posting.Position, posting.Hash);
            if (faults.Count >= MostFaults) break;
        }
        return (position, hash);
    }

    /// <summary>The chain alone would not miss lines cut off its end.</summary>
    private static async Task VerifyHead(Guid organizationId, VolunteersDb db, long position, byte[] hash, List<LedgerFault> faults, CancellationToken ct)
    {
        var head = await db.HourLedgers.AsNoTracking().SingleOrDefaultAsync(l => l.OrganizationId == organizationId, ct);
        if ((head?.Position ?? 0) != position || !(head?.Hash ?? []).AsSpan().SequenceEqual(hash))
            faults.Add(new LedgerFault(LedgerFaultKind.LinesMissing, head?.Position ?? 0, null));
    }

    private static async Task<IEnumerable<LedgerFault>> Sums(Guid organizationId, VolunteersDb db, CancellationToken ct)
    {
        var wrong = await WrongSums(organizationId, db, ct);
        return wrong.Select(record => new LedgerFault(record is null ? LedgerFaultKind.Total : LedgerFaultKind.RecordSum, null, record));
    }

    /// <summary>The records whose sum is wrong, and a null for each total that is.</summary>
    private static Task<List<Guid?>> WrongSums(Guid organizationId, VolunteersDb db, CancellationToken ct) => db.Database.SqlQuery<Guid?>(
        $"""
         select r.id as "Value"
         from service_records r
         left join (select record_id, sum(minutes) as minutes, sum(person_times) as person_times from hour_postings
                    where organization_id = {organizationId} group by record_id) p on p.record_id = r.id
         where r.organization_id = {organizationId}
           and (coalesce(p.minutes, 0), coalesce(p.person_times, 0)) <>
               case when r.status = 'approved' then (r.minutes::bigint - r.claimed_minutes, r.person_times::bigint - r.claimed_person_times) else (0::bigint, 0::bigint) end
         union all
         select null
         from (select team_id, volunteer_id, date_trunc('month', service_date)::date as month, evidence, minutes, person_times
               from hour_postings where organization_id = {organizationId}
               union all
               select team_id, volunteer_id, month, evidence, -minutes, -person_times
               from hour_totals where organization_id = {organizationId}) difference
         group by team_id, volunteer_id, month, evidence
         having sum(minutes) <> 0 or sum(person_times) <> 0
         limit {MostFaults}
         """).ToListAsync(ct);
}

internal enum LedgerFaultKind
{
    /// <summary>A position is missing before this one.</summary>
    Gap,

    /// <summary>The line does not carry the hash of the one before.</summary>
    BrokenChain,

    /// <summary>The line's own hash does not fit what it says.</summary>
    ChangedLine,

    /// <summary>The ledger was longer once.</summary>
    LinesMissing,

    /// <summary>A record's credited minutes are not the sum of its postings.</summary>
    RecordSum,

    /// <summary>A kept total is not the sum of its postings.</summary>
    Total,
}

/// <summary>One thing that is wrong.</summary>
/// <param name="Kind">What.</param>
/// <param name="Position">At which line, if at one.</param>
/// <param name="RecordId">At which record, if at one.</param>
internal sealed record LedgerFault(LedgerFaultKind Kind, long? Position, Guid? RecordId);
