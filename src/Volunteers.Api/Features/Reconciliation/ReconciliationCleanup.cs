using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Reconciliation;

/// <summary>Forgets reconciliations older than 90 days, with the people that their rows name.</summary>
internal sealed class ReconciliationCleanup(IServiceScopeFactory scopes, TimeProvider clock, ILogger<ReconciliationCleanup> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromHours(1), clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await using var scope = scopes.CreateAsyncScope();
                var db = scope.ServiceProvider.GetRequiredService<VolunteersDb>();
                while (await Forget(db, clock.GetUtcNow() - ReconciliationRun.Kept, clock.GetUtcNow(), stoppingToken) == 10) { }
            }
            catch (Exception failed) when (failed is not OperationCanceledException)
            {
                log.LogWarning(failed, "Old reconciliations could not be deleted; the next hour tries again");
            }
        }
    }

    /// <summary>A few at a time: each has up to 150,000 rows.</summary>
    public static async Task<int> Forget(VolunteersDb db, DateTimeOffset before, DateTimeOffset now, CancellationToken ct)
    {
        var old = await db.Reconciliations.Where(r => r.CreatedAt < before).OrderBy(r => r.OrganizationId).ThenBy(r => r.Id).Select(r => new { r.OrganizationId, r.Id }).Take(10).ToListAsync(ct);
        foreach (var runs in old.GroupBy(run => run.OrganizationId, run => run.Id))
        {
            Guid[] ids = [.. runs];
            var notes = new AuditNotes();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            using (notes.Watch(db)) await db.DeleteNoted(db.Reconciliations.Where(r => r.OrganizationId == runs.Key && ids.Contains(r.Id)), ct);
            await db.LeaveTrace(notes, "forgetReconciliations", runs.Key, now, ct);
            await transaction.CommitAsync(ct);
        }
        return old.Count;
    }
}
