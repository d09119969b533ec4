using Microsoft.EntityFrameworkCore;
using Volunteers.Data;

namespace Volunteers.Features.Reconciliation;

/// <summary>Forgets old reconciliations, with the people that their rows name.</summary>
internal static class ReconciliationCleanup
{
    /// <summary>A few at a time: each has up to 150,000 rows.</summary>
    public static Task<int> Forget(VolunteersDb db, DateTimeOffset before, CancellationToken ct) => db.Database.ExecuteSqlAsync(
        $"""
         delete from reconciliations where (organization_id, id) in
             (select organization_id, id from reconciliations where created_at < {before} limit 10)
         """, ct);
}
