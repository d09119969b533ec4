using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Reconciliation;

/// <summary>Forgets old reconciliations, with the people that their rows name.</summary>
internal static class ReconciliationCleanup
{
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
