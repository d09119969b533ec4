using Microsoft.EntityFrameworkCore;
using Volunteers.Data;

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
                while (await Forget(db, clock.GetUtcNow() - ReconciliationRun.Kept, stoppingToken) == 10) { }
            }
            catch (Exception failed) when (failed is not OperationCanceledException)
            {
                log.LogWarning(failed, "Old reconciliations could not be deleted; the next hour tries again");
            }
        }
    }

    /// <summary>A few at a time: each has up to 150,000 rows.</summary>
    public static Task<int> Forget(VolunteersDb db, DateTimeOffset before, CancellationToken ct) => db.Database.ExecuteSqlAsync(
        $"""
         delete from reconciliations where (organization_id, id) in
             (select organization_id, id from reconciliations where created_at < {before} limit 10)
         """, ct);
}
