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

        var events = await db.Set<AuditEvent>().FromSql(
            $"""
             select e.* from audit_pending p join audit_events e on e.organization_id = p.organization_id and e.id = p.event_id
             where p.organization_id = {organizationId} order by p.event_id limit {AtOnce}
             """).AsNoTracking().ToListAsync(ct);
        if (events.Count == 0) return 0;

        var links = events.Select(head.Seal).ToList();
        await db.SaveChangesAsync(ct);
        var (ids, positions) = (links.Select(link => link.EventId).ToArray(), links.Select(link => link.Position).ToArray());
        var (previous, hashes) = (links.Select(link => link.PreviousHash).ToArray(), links.Select(link => link.Hash).ToArray());
        await db.Database.ExecuteSqlAsync(
            $"""
             insert into audit_chain (organization_id, event_id, position, previous_hash, hash)
             select {organizationId}, l.* from unnest({ids}, {positions}, {previous}, {hashes}) l
             """, ct);
        await db.Database.ExecuteSqlAsync($"delete from audit_pending where organization_id = {organizationId} and event_id = any({ids})", ct);
        await transaction.CommitAsync(ct);
        return events.Count;
    }
}
