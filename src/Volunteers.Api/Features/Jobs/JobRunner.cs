using System.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Volunteers.Data;
using Volunteers.Features.Reports;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Jobs;

/// <summary>Works one job as far as it gets.</summary>
internal sealed class JobRunner(IServiceScopeFactory scopes, NpgsqlDataSource database, JobProgress progress, JobFiles files, ICallers callers, TimeProvider clock, ILogger<JobRunner> log)
{
    /// <summary>Few enough that others wait for the locks of a batch no longer than for any request.</summary>
    public const int BatchRows = 500;

    /// <summary>Rows of a dry run that reckon with each other: so long it holds its locks.</summary>
    public const int RehearsedTogether = 20_000;

    private const int RowsBetweenNews = 1_000;

    /// <summary>While keys are changed one replica has the new one before the other. What is still missing after that long is lost.</summary>
    private static readonly TimeSpan KeysComeWithin = TimeSpan.FromHours(1);

    /// <param name="organizationId">Whose job it is.</param>
    /// <param name="jobId">Which.</param>
    /// <param name="givesWay">Asked between batches: whether others wait for their turn.</param>
    /// <param name="ct">Ends it where it is; the next start goes on.</param>
    /// <returns>False when another replica is at work on it.</returns>
    public async Task<bool> Run(Guid organizationId, Guid jobId, Func<bool> givesWay, CancellationToken ct)
    {
        await using var place = await database.OpenConnectionAsync(ct);
        if (!await SessionLock.TryTake(place, NameOf(jobId))) return false;
        Job? job = null;
        try
        {
            job = await progress.TakeUp(organizationId, jobId, ct);
            if (job is null) return true;
            if (job.Kind == JobKind.Import) await Import(job, givesWay, ct);
            else await Export(job, await SessionLock.ProcessOf(place), ct);
        }
        catch (JobStopped)
        {
            // Nothing of what was under way stands.
        }
        catch (RuleBreach breach) when (EndsTheJob(breach, job))
        {
            await progress.ChangeIfOpen(organizationId, jobId, it => it.Fail(breach.Code, ArgumentsOf(breach), clock.GetUtcNow()));
        }
        catch (Exception failed) when (failed is RuleBreach || DatabaseErrors.Of(failed, deleting: false) is { Status: StatusCodes.Status503ServiceUnavailable })
        {
            // No fault of the job's: the database is away, or the key that its file was sealed with is missing here.
            await progress.ChangeIfOpen(organizationId, jobId, it => it.LeaveBe());
            throw;
        }
        finally
        {
            await SessionLock.Free(place, NameOf(jobId));
        }
        return true;
    }

    public static string NameOf(Guid jobId) => $"job {jobId}";

    private bool EndsTheJob(RuleBreach breach, Job? job) => breach.Status != StatusCodes.Status503ServiceUnavailable || clock.GetUtcNow() - job?.StartedAt > KeysComeWithin;

    private async Task Import(Job job, Func<bool> givesWay, CancellationToken ct)
    {
        var import = JobResources.Import(job.Resource);
        JobTable table;
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            table = JobTable.Open(await files.Read(Db(scope), job, ct), job.Format);
            import.Begin(table.Headings);
            // Read to the end once, so that a file which cannot be read does nothing at all.
            var total = table.Rows.Count();
            await progress.Change(job, it => it.Count(total), ct);
        }
        catch (RuleBreach breach) when (EndsTheJob(breach, job))
        {
            // What cannot be read is not kept either.
            await progress.Change(job.OrganizationId, job.Id, it => it.Fail(breach.Code, ArgumentsOf(breach), clock.GetUtcNow()), ct, dropsFile: true);
            return;
        }

        var (done, rows) = (job.Done, table.Rows.Skip(job.Done));
        if (done > 0) await PassOver(job, import, table.Rows.Take(done), ct);
        foreach (var batch in rows.Chunk(job.DryRun ? RehearsedTogether : BatchRows))
        {
            if (job.DryRun) await Rehearse(job, import, batch, done, ct);
            else await TakeOrTakeSingly(job, import, batch, done, ct);
            done += batch.Length;
            if (givesWay()) return;
        }
        await progress.Change(job, it => it.Succeed(clock.GetUtcNow()), ct);
    }

    private async Task PassOver(Job job, IJobImport import, IEnumerable<FileRow> rows, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var at = await Context(job, scope, ct);
        foreach (var batch in rows.Chunk(BatchRows)) import.PassOver(at, batch);
    }

    /// <summary>A batch that the database refuses is taken row by row, so that the one row which is refused takes no other with it.</summary>
    private async Task TakeOrTakeSingly(Job job, IJobImport import, FileRow[] rows, int done, CancellationToken ct)
    {
        try
        {
            await Take(job, import, rows, done, ct);
        }
        catch (Exception failed) when (rows.Length > 1 && IsOfARow(failed))
        {
            foreach (var (index, row) in rows.Index()) await TakeOrTakeSingly(job, import, [row], done + index, ct);
        }
        catch (Exception failed) when (IsOfARow(failed))
        {
            await progress.Advance(job, done, new JobBatch(0, 0, 0, [RefusalOf(rows[0], failed)]), ct);
        }
    }

    /// <summary>What a batch does, that it was done, and the trace of it: all of it or nothing.</summary>
    private async Task Take(Job job, IJobImport import, FileRow[] rows, int done, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = Db(scope);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var at = await Context(job, scope, ct);
        var notes = new AuditNotes();
        JobBatch batch;
        using (notes.Watch(db)) batch = await import.Take(at, rows, ct);
        db.ChangeTracker.Clear();
        if (!job.DryRun) await db.LeaveTrace(notes, Scene(job, at), job.OrganizationId, ct);
        else
        {
            await transaction.RollbackAsync(ct);
            await progress.Advance(job, done, batch, ct);
            return;
        }
        await JobProgress.Advance(db, job, done, batch, ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>As many rows as may in one transaction, which is then rolled back: each reckons with those before it.</summary>
    private async Task Rehearse(Job job, IJobImport import, FileRow[] rows, int done, CancellationToken ct)
    {
        for (var next = 0; next < rows.Length;)
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = Db(scope);
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            while (next < rows.Length)
            {
                FileRow[] batch = [.. rows.Skip(next).Take(BatchRows)];
                JobBatch came;
                try
                {
                    came = await import.Take(await Context(job, scope, ct), batch, ct);
                }
                catch (Exception failed) when (IsOfARow(failed))
                {
                    await transaction.RollbackAsync(ct);
                    await TakeOrTakeSingly(job, import, batch, done + next, ct);
                    next += batch.Length;
                    break;
                }
                db.ChangeTracker.Clear();
                await progress.Advance(job, done + next, came, ct);
                next += batch.Length;
            }
        }
    }

    private async Task Export(Job job, int place, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = Db(scope);
        await using var snapshot = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        await db.Database.ExecuteSqlAsync($"set local statement_timeout = '5min'", ct);
        await db.Database.ExecuteSqlAsync($"set local idle_in_transaction_session_timeout = '10min'", ct);
        var at = await Context(job, scope, ct);
        Languages.Speak(System.Globalization.CultureInfo.GetCultureInfo(job.Language));
        var export = JobResources.Export(job.Resource);
        var total = await export.Count(at, ct);
        if (job.Format == JobFormat.Xlsx && total > XlsxFile.MostRows - 1) throw new RuleBreach("export_too_large", XlsxFile.MostRows - 1);

        await progress.Change(job, it =>
        {
            it.BeginAnew();
            it.Count(total);
            it.Show(at.Tenant, job.Resource == JobResource.Roster && PersonSight.NeedsPeople(at.Tenant));
        }, ct, dropsFile: true, place: place);
        var (rows, counted) = (0, 0);
        await using var stream = new JobStream((number, content) => progress.Change(job, it => it.Advance(NewRows()), ct, files.Chunk(job, number, content.Span), place: place));
        using (var writer = JobWriter.To(stream, job.Format, export.Columns, JobResources.Names.Write(job.Resource), ct))
        {
            await writer.Begin();
            await foreach (var row in export.Rows(at, ct))
            {
                await writer.Write(row);
                if (++rows % RowsBetweenNews == 0) await progress.Change(job, it => it.Advance(NewRows()), ct, place: place);
            }
            await writer.End();
        }
        await stream.FlushAsync(ct);
        await progress.Change(job, it =>
        {
            it.Advance(NewRows());
            it.Holds(stream.Length);
            it.Succeed(clock.GetUtcNow());
        }, ct, place: place);
        Measures.ExportRows.Add(rows, new KeyValuePair<string, object?>("format", job.Format.ToString().ToLowerInvariant()));

        int NewRows()
        {
            var news = rows - counted;
            counted = rows;
            return news;
        }
    }

    /// <exception cref="RuleBreach">Whoever asked may not have it any more.</exception>
    private async Task<JobContext> Context(Job job, AsyncServiceScope scope, CancellationToken ct)
    {
        var db = Db(scope);
        var caller = await callers.OfActor(job.OrganizationId, job.AskedBy, job.AskedByClient, ct) ?? throw new RuleBreach("job_right_lost");
        var tenant = new Tenant(job.OrganizationId, caller);
        try
        {
            JobRights.Check(tenant, job.Kind, job.Resource);
        }
        catch (RuleBreach)
        {
            throw new RuleBreach("job_right_lost");
        }
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == job.OrganizationId, ct);
        return new JobContext(job, tenant, organization, db, scope.ServiceProvider, clock.GetUtcNow());
    }

    private static AuditScene Scene(Job job, JobContext at) => new(at.Now, AuditKind.Change, "runJob")
    {
        ActorKind = job.AskedByClient ? AuditActorKind.Client : AuditActorKind.Account, ActorId = job.AskedBy, Caller = at.Tenant.Caller, ResourceType = "job", ResourceId = job.Id.ToString(),
    };

    /// <summary>Something that another row would not have brought about.</summary>
    private static bool IsOfARow(Exception failed) => failed is not (OperationCanceledException or JobStopped or OutOfMemoryException or RuleBreach { Code: "job_right_lost" })
        && DatabaseErrors.Of(failed, deleting: false) is not { Status: StatusCodes.Status503ServiceUnavailable };

    private RefusedRow RefusalOf(FileRow row, Exception failed)
    {
        if (failed is RuleBreach breach) return RefusedRows.Of(row.Number, null, breach);
        if (DatabaseErrors.Of(failed, deleting: false) is { } problem && problem.Extensions["code"] is string code) return RefusedRows.Of(row.Number, null, code);
        log.LogWarning("A row of an import could not be taken: {Kind}", failed.GetType().Name);
        return RefusedRows.Of(row.Number, null, "row_broke");
    }

    private static IEnumerable<string> ArgumentsOf(RuleBreach breach) => breach.Arguments.Select(argument => Convert.ToString(argument, System.Globalization.CultureInfo.InvariantCulture)!);

    private static VolunteersDb Db(AsyncServiceScope scope) => scope.ServiceProvider.GetRequiredService<VolunteersDb>();
}
