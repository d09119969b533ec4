using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;

namespace Volunteers.Features.Jobs;

/// <summary>The job is no longer ours: somebody cancelled it, or goes on with it elsewhere.</summary>
internal sealed class JobStopped : Exception;

/// <summary>Writes down how far a job is: each time under its lock, and only while it is open and ours.</summary>
internal sealed class JobProgress(IServiceScopeFactory scopes, TimeProvider clock)
{
    /// <returns>Null when there is nothing to do any more.</returns>
    public async Task<Job?> TakeUp(Guid organizationId, Guid jobId, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = Db(scope);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.LockJob(organizationId, jobId, ct) is not { IsOpen: true } job) return null;
        var again = job.TakeUp(clock.GetUtcNow());
        if (!again) job.Fail("job_broke", [], clock.GetUtcNow());
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return again ? job : null;
    }

    public Task Change(Job job, Action<Job> change, CancellationToken ct, JobChunk? chunk = null, bool dropsFile = false, int? place = null) =>
        Change(job.OrganizationId, job.Id, change, ct, chunk, dropsFile, place);

    public async Task ChangeIfOpen(Guid organizationId, Guid jobId, Action<Job> change)
    {
        try
        {
            await Change(organizationId, jobId, change, CancellationToken.None);
        }
        catch (JobStopped)
        {
            // Over already.
        }
    }

    /// <param name="organizationId">Whose job it is.</param>
    /// <param name="jobId">Which.</param>
    /// <param name="change">What becomes of it.</param>
    /// <param name="ct">Leaves it as it was.</param>
    /// <param name="chunk">The next piece of its file.</param>
    /// <param name="dropsFile">The pieces that there are go.</param>
    /// <param name="place">
    /// The database's session that has the job's lock. The network may have ended it without our knowing, and another replica may be at work since: what we
    /// still write would come between its pieces.
    /// </param>
    /// <exception cref="JobStopped">It was cancelled, or is not ours any more.</exception>
    public async Task Change(Guid organizationId, Guid jobId, Action<Job> change, CancellationToken ct, JobChunk? chunk = null, bool dropsFile = false, int? place = null)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = Db(scope);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.LockJob(organizationId, jobId, ct) is not { IsOpen: true } job) throw new JobStopped();
        if (place is { } session && !await SessionLock.IsHeldBy(db.Database, session, JobRunner.NameOf(jobId), ct)) throw new JobStopped();
        change(job);
        if (dropsFile) await db.DropFile(job, ct);
        if (chunk is not null) db.Add(chunk);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    public async Task Advance(Job job, int done, JobBatch batch, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        await using var transaction = await Db(scope).Database.BeginTransactionAsync(ct);
        await Advance(Db(scope), job, done, batch, ct);
        await transaction.CommitAsync(ct);
    }

    public static async Task Advance(VolunteersDb db, Job job, int done, JobBatch batch, CancellationToken ct)
    {
        if (await db.LockJob(job.OrganizationId, job.Id, ct) is not { IsOpen: true } now || now.Done != done) throw new JobStopped();
        now.Advance(batch);
        foreach (var reasons in batch.Refused.GroupBy(refusal => refusal.Row))
            db.AddRange(reasons.Select((refusal, position) => new JobRefusal
            {
                OrganizationId = job.OrganizationId, JobId = job.Id, Row = refusal.Row, Position = position, Column = refusal.Column, Code = refusal.Code,
                English = refusal.English, Chinese = refusal.Chinese,
            }));
        await db.SaveChangesAsync(ct);
    }

    private static VolunteersDb Db(AsyncServiceScope scope) => scope.ServiceProvider.GetRequiredService<VolunteersDb>();
}

internal static class JobRows
{
    public static async Task<Job?> LockJob(this VolunteersDb db, Guid organizationId, Guid jobId, CancellationToken ct) =>
        (await db.Jobs.FromSql($"select * from jobs where organization_id = {organizationId} and id = {jobId} for no key update").ToListAsync(ct)).SingleOrDefault();

    /// <summary>Its pieces, and that it has any; the caller saves.</summary>
    public static async Task DropFile(this VolunteersDb db, Job job, CancellationToken ct)
    {
        job.LoseFile();
        await db.JobChunks.Where(c => c.OrganizationId == job.OrganizationId && c.JobId == job.Id).ExecuteDeleteAsync(ct);
    }
}
