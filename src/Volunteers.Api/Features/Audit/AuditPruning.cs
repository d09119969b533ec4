using Microsoft.EntityFrameworkCore;
using Npgsql;
using Volunteers.Data;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Audit;

/// <summary>
/// Takes the oldest events off every trail, as the owner: the service may not. Always a whole beginning of the chain, whose last
/// position and hash are kept: from there on the rest is verified. That it was done is itself an event.
/// </summary>
internal static class AuditPruning
{
    private const int AtOnce = 10_000;

    /// <returns>How many events went.</returns>
    public static async Task<long> Prune(string ownerConnectionString, DateTimeOffset before, DateTimeOffset now, CancellationToken ct)
    {
        await using var dataSource = new NpgsqlDataSourceBuilder(ownerConnectionString).Build();
        var options = new DbContextOptionsBuilder<VolunteersDb>();
        Database.Configure(options, dataSource);
        await using var db = new VolunteersDb(options.Options);
        db.Database.SetCommandTimeout(TimeSpan.FromMinutes(10));
        var pruned = 0L;
        foreach (var organization in await db.Set<AuditHead>().Select(head => head.OrganizationId).ToListAsync(ct)) pruned += await Prune(db, organization, before, now, ct);
        return pruned;
    }

    private static async Task<long> Prune(VolunteersDb db, Guid organizationId, DateTimeOffset before, DateTimeOffset now, CancellationToken ct)
    {
        var pruned = 0L;
        for (var cut = AtOnce; cut == AtOnce; pruned += cut)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            await db.Database.ExecuteSqlAsync($"select 1 from audit_heads where organization_id = {organizationId} for update", ct);
            cut = await Cut(db, organizationId, before, now, ct);
            if (cut < AtOnce && pruned + cut > 0) await Tell(db, organizationId, pruned + cut, now, ct);
            await transaction.CommitAsync(ct);
        }
        return pruned;
    }

    /// <summary>Up to the first that is young enough: a later one may be older by a little, and goes with its neighbours another time.</summary>
    private static async Task<int> Cut(VolunteersDb db, Guid organizationId, DateTimeOffset before, DateTimeOffset now, CancellationToken ct)
    {
        var oldest = await db.Set<AuditLink>().AsNoTracking().Where(link => link.OrganizationId == organizationId).OrderBy(link => link.Position).Take(AtOnce)
            .Select(link => new { link.Position, link.Hash, link.EventId, At = db.Set<AuditEvent>().Where(e => e.OrganizationId == organizationId && e.Id == link.EventId).Select(e => (DateTimeOffset?)e.At).FirstOrDefault() })
            .ToListAsync(ct);
        // An event that is missing is for verification to find, not for this to cover up.
        var old = oldest.TakeWhile(link => link.At < before).ToList();
        if (old is not [.., var last]) return 0;

        var ids = old.Select(link => link.EventId).ToArray();
        await db.Database.ExecuteSqlAsync(
            $"""
             insert into audit_cuts (organization_id, position, hash, at) values ({organizationId}, {last.Position}, {last.Hash}, {now})
             on conflict (organization_id) do update set position = excluded.position, hash = excluded.hash, at = excluded.at
             """, ct);
        await db.Set<AuditValue>().Where(value => value.OrganizationId == organizationId && ids.Contains(value.EventId)).ExecuteDeleteAsync(ct);
        await db.Set<AuditEvent>().Where(e => e.OrganizationId == organizationId && ids.Contains(e.Id)).ExecuteDeleteAsync(ct);
        await db.Set<AuditLink>().Where(link => link.OrganizationId == organizationId && link.Position <= last.Position).ExecuteDeleteAsync(ct);
        return old.Count;
    }

    private static async Task Tell(VolunteersDb db, Guid organizationId, long pruned, DateTimeOffset now, CancellationToken ct)
    {
        var position = await db.Set<AuditCut>().Where(cut => cut.OrganizationId == organizationId).Select(cut => cut.Position).SingleAsync(ct);
        var scene = new AuditScene(now, AuditKind.Change, "pruneAudit") { ResourceType = "audit", ResourceId = position.ToString(System.Globalization.CultureInfo.InvariantCulture) };
        await AuditSql.Insert((NpgsqlConnection)db.Database.GetDbConnection(), [AuditDraft.Of(scene, organizationId, new AuditDetails(Rows: pruned), [])], ct);
    }
}
