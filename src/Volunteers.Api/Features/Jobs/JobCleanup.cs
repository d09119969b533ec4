using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Jobs;

/// <summary>Forgets old jobs, with their files and what was refused.</summary>
internal static class JobCleanup
{
    private const int RowsAtOnce = 50_000;

    /// <summary>A few at a time: each has up to a hundred pieces of a megabyte, and refusals of up to a million rows, which go before it.</summary>
    public static async Task<int> Forget(VolunteersDb db, DateTimeOffset before, DateTimeOffset now, CancellationToken ct)
    {
        var old = await db.Jobs.Where(j => j.CreatedAt < before).OrderBy(j => j.OrganizationId).ThenBy(j => j.Id).Select(j => new { j.OrganizationId, j.Id }).Take(10).ToListAsync(ct);
        foreach (var job in old)
        {
            var refusals = db.JobRefusals.Where(r => r.OrganizationId == job.OrganizationId && r.JobId == job.Id);
            for (var upTo = RowsAtOnce; await refusals.AnyAsync(ct); upTo += RowsAtOnce) await refusals.Where(r => r.Row <= upTo).ExecuteDeleteAsync(ct);
        }
        foreach (var jobs in old.GroupBy(job => job.OrganizationId, job => job.Id))
        {
            Guid[] ids = [.. jobs];
            var notes = new AuditNotes();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            using (notes.Watch(db)) await db.DeleteNoted(db.Jobs.Where(j => j.OrganizationId == jobs.Key && ids.Contains(j.Id)), ct);
            await db.LeaveTrace(notes, "forgetJobs", jobs.Key, now, ct);
            await transaction.CommitAsync(ct);
        }
        return old.Count;
    }
}
