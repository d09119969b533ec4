using Microsoft.EntityFrameworkCore;

namespace Volunteers.Platform.Audit;

/// <summary>
/// Gives events their place in the chain, a second or so after they were written, so that no request waits for another's. Any number
/// of replicas may do it: whoever holds an organization's head seals for it, the others pass by. Until an event is sealed the
/// chain does not prove that it was there; one that is taken out in that second is missed only because it still waits to be
/// sealed. A crash leaves it waiting.
/// </summary>
internal sealed class AuditSealer(IServiceScopeFactory scopes, AuditRefusals refusals, ILogger<AuditSealer> log) : BackgroundService
{
    private const int AtOnce = 1000;

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await refusals.Flush();
                try
                {
                    await SealAll(stoppingToken);
                }
                catch (Exception failed) when (failed is not OperationCanceledException)
                {
                    log.LogWarning("Audit events could not be sealed; the next second tries again: {Reason}", failed.Message);
                }
            }
        }
        finally
        {
            await refusals.Flush(all: true);
        }
    }

    /// <summary>Seals what waits, one organization after another.</summary>
    public async Task SealAll(CancellationToken ct)
    {
        foreach (var organization in await Waiting(ct))
            while (await Seal(organization, ct) == AtOnce) { }
    }

    private async Task<List<Guid>> Waiting(CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<DbContext>().Set<AuditPending>().Select(pending => pending.OrganizationId).Distinct().ToListAsync(ct);
    }

    private async Task<int> Seal(Guid organizationId, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<DbContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"insert into audit_heads (organization_id, position, hash) values ({organizationId}, 0, '') on conflict do nothing", ct);
        var head = (await db.Set<AuditHead>().FromSql($"select * from audit_heads where organization_id = {organizationId} for update skip locked").ToListAsync(ct)).SingleOrDefault();
        if (head is null) return 0;

        // In two steps: as one join it may be read in the order of the events, through all of the past.
        var ids = await db.Set<AuditPending>().Where(p => p.OrganizationId == organizationId).OrderBy(p => p.EventId).Take(AtOnce).Select(p => p.EventId).ToArrayAsync(ct);
        var events = await db.Set<AuditEvent>().AsNoTracking().Where(e => e.OrganizationId == organizationId && ids.Contains(e.Id)).OrderBy(e => e.Id).ToListAsync(ct);
        if (events.Count == 0) return 0;

        var links = events.Select(head.Seal).ToList();
        await db.SaveChangesAsync(ct);
        var (sealedIds, positions) = (links.Select(link => link.EventId).ToArray(), links.Select(link => link.Position).ToArray());
        var (previous, hashes) = (links.Select(link => link.PreviousHash).ToArray(), links.Select(link => link.Hash).ToArray());
        await db.Database.ExecuteSqlAsync(
            $"""
             insert into audit_chain (organization_id, event_id, position, previous_hash, hash)
             select {organizationId}, l.* from unnest({sealedIds}, {positions}, {previous}, {hashes}) l
             """, ct);
        await db.Database.ExecuteSqlAsync($"delete from audit_pending where organization_id = {organizationId} and event_id = any({sealedIds})", ct);
        await transaction.CommitAsync(ct);
        return events.Count;
    }
}
