using System.Collections.Concurrent;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Volunteers.Platform.Audit;

/// <summary>What a companion is answered, and whom its change is about.</summary>
internal sealed record SharedAnswer(Guid VolunteerId, IResult Result);

/// <summary>
/// Those who wait for the same row share a transaction: what they need is read once, and one commit stands for all. Each has
/// its own answer, its own trace and its own Idempotency-Key. Only what succeeds plainly is done this way: who would be refused
/// or was answered before comes alone when its turn comes. When the transaction is undone, all of them come alone.
/// </summary>
internal static class SharedTransaction
{
    /// <summary>Keys with which a shared transaction of this process is at work.</summary>
    private static readonly ConcurrentDictionary<(Guid OrganizationId, Guid CallerId, string Key), bool> UnderWay = [];

    /// <summary>Several changes at once.</summary>
    /// <param name="services">Of the one whose turn it is.</param>
    /// <param name="companions">In the order of arrival; one sees what the other sees.</param>
    /// <param name="ct">Ends it.</param>
    /// <returns>For each its answer; null for who has to come alone, of whom nothing may be left in the change tracker.</returns>
    internal delegate Task<IReadOnlyList<SharedAnswer?>> Handler(IServiceProvider services, IReadOnlyList<Companion> companions, CancellationToken ct);

    /// <summary>The changes of this route that wait for the same row are handled so, together.</summary>
    public static RouteHandlerBuilder SharesATransaction(this RouteHandlerBuilder builder, Handler handler) => builder.WithMetadata(new TakenTogether(
        (leader, all) => Take(handler, leader, all), (leader, other) => other.Argument<Tenant>().SeesLike(leader.Argument<Tenant>())));

    private static async Task Take(Handler handler, Companion leader, IReadOnlyList<Companion> all)
    {
        IReadOnlyList<BufferedAnswer?> answers = new BufferedAnswer?[all.Count];
        Exception? unknown = null;
        try
        {
            (answers, unknown) = await Commit(handler, leader.Http.RequestServices, all);
        }
        finally
        {
            foreach (var (companion, answer) in all.Zip(answers)) End(companion, answer, unknown);
        }
    }

    private static void End(Companion companion, BufferedAnswer? answer, Exception? unknown)
    {
        // From here on its own flow writes the answer.
        if (answer is null) IdempotencyKey.Unsay(companion.Http.Response);
        if (unknown is null) companion.Answer(answer);
        else companion.Fail(unknown);
    }

    /// <returns>The answers of those whose change stands; or why nobody knows whether any of it does, so that none is done again.</returns>
    private static async Task<(IReadOnlyList<BufferedAnswer?> Answers, Exception? Unknown)> Commit(Handler handler, IServiceProvider services, IReadOnlyList<Companion> all)
    {
        var none = new BufferedAnswer?[all.Count];
        var keys = all.Select(companion => IdempotencyKey.Of(companion.Http)).ToArray();
        // A rival of the same process that has the key already would be waited for: who brings one again comes alone.
        var own = keys.OfType<IdempotencyKey>().Where(key => UnderWay.TryAdd(key.Id, true)).ToHashSet();
        var db = services.GetRequiredService<DbContext>();
        var committing = false;
        try
        {
            // One of them going away does not end what the others wait for; and who comes alone after it still has time.
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(services.GetRequiredService<IOptions<TimeLimits>>().Value.RequestSeconds) / 3);
            await using var transaction = await db.Database.BeginTransactionAsync(limit.Token);
            try
            {
                var answers = await Run(handler, services, db, all, keys, own, limit.Token);
                committing = true;
                await transaction.CommitAsync(CancellationToken.None);
                return (answers, null);
            }
            catch when (!committing)
            {
                await transaction.RollbackAsync(CancellationToken.None);
                throw;
            }
        }
        catch (Exception failed)
        {
            // A refusal of the server undoes all; anything else at the end leaves it open what became of it.
            if (committing && failed is not PostgresException { InvariantSeverity: "ERROR" })
                return (none, failed is InvalidOperationException ? new TimeoutException("The database went away at the end of a change.", failed) : failed);
            var level = failed is OperationCanceledException || failed.GetBaseException() is DbException or TimeoutException ? LogLevel.Information : LogLevel.Error;
            services.GetRequiredService<ILogger<TakenTogether>>().Log(level, failed, "{Count} changes could not be made together, and are made one by one", all.Count);
            return (none, null);
        }
        finally
        {
            foreach (var key in own) UnderWay.TryRemove(key.Id, out _);
            // The leader may have to come alone, on the same context.
            db.ChangeTracker.Clear();
        }
    }

    private static async Task<IReadOnlyList<BufferedAnswer?>> Run(
        Handler handler, IServiceProvider services, DbContext db, IReadOnlyList<Companion> all, IdempotencyKey?[] keys, IReadOnlyCollection<IdempotencyKey> own, CancellationToken ct)
    {
        var answers = new BufferedAnswer?[all.Count];
        var taken = await IdempotencyKey.TakeNew(db, own, ct);
        int[] fresh = [.. Enumerable.Range(0, all.Count).Where(index => keys[index] is not { } key || taken.Contains(key))];
        if (fresh.Length == 0) return answers;

        var notes = new AuditNotes();
        IReadOnlyList<SharedAnswer?> shared;
        using (notes.Watch(db)) shared = await handler(services, [.. fresh.Select(index => all[index])], ct);

        var theirs = notes.ByVolunteer([.. shared.OfType<SharedAnswer>().Select(answer => answer.VolunteerId)]);
        var drafts = new List<AuditDraft>();
        foreach (var (index, answer) in fresh.Zip(shared))
        {
            if (answer is null) continue;
            (answers[index], var scene) = await all[index].InItsOwnFlow(() => Say(all[index].Http, answer.Result));
            drafts.AddRange(AuditDraft.Of(scene, Guid.Parse((string)all[index].Http.Request.RouteValues["organizationId"]!), theirs[answer.VolunteerId],
                new AuditDetails(Query: Queries.Of(all[index].Http))));
        }
        await AuditSql.Insert((NpgsqlConnection)db.Database.GetDbConnection(), drafts, ct);
        await IdempotencyKey.KeepAll(db, [.. fresh.Where(index => keys[index] is not null).Select(index => (keys[index]!, answers[index], all[index].Http))], ct);
        return answers;
    }

    private static async Task<(BufferedAnswer Answer, AuditScene Scene)> Say(HttpContext http, IResult result)
    {
        // It stands for others too: its caller going away does not stop it.
        var aborted = http.RequestAborted;
        http.RequestAborted = CancellationToken.None;
        try
        {
            return (await BufferedAnswer.Of(http, result), AuditScene.Of(http, AuditKind.Change).On(http.Response.Headers.Location));
        }
        finally
        {
            http.RequestAborted = aborted;
        }
    }
}
