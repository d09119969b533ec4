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
        var services = leader.Http.RequestServices;
        // One of them going away does not end what the others wait for.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(services.GetRequiredService<IOptions<TimeLimits>>().Value.RequestSeconds));
        var db = services.GetRequiredService<DbContext>();
        IReadOnlyList<BufferedAnswer?> answers = new BufferedAnswer?[all.Count];
        var committing = false;
        try
        {
            await using var transaction = await db.Database.BeginTransactionAsync(limit.Token);
            try
            {
                var ready = await Run(handler, services, db, all, limit.Token);
                committing = true;
                await transaction.CommitAsync(CancellationToken.None);
                answers = ready;
            }
            catch when (!committing)
            {
                await transaction.RollbackAsync(CancellationToken.None);
                throw;
            }
        }
        catch (Exception failed)
        {
            if (committing)
            {
                // Whether it stands nobody knows: none of it is done again.
                foreach (var companion in all) companion.Fail(failed);
            }
            else
            {
                var level = failed is OperationCanceledException || failed.GetBaseException() is DbException or TimeoutException ? LogLevel.Information : LogLevel.Error;
                services.GetRequiredService<ILogger<TakenTogether>>().Log(level, failed, "{Count} changes could not be made together, and are made one by one", all.Count);
            }
        }
        finally
        {
            // Before anybody is answered: the leader may have to come alone, on the same context.
            db.ChangeTracker.Clear();
            foreach (var (companion, answer) in all.Zip(answers))
            {
                if (answer is null) IdempotencyKey.Unsay(companion.Http.Response);
                companion.Answer(answer);
            }
        }
    }

    private static async Task<IReadOnlyList<BufferedAnswer?>> Run(Handler handler, IServiceProvider services, DbContext db, IReadOnlyList<Companion> all, CancellationToken ct)
    {
        var answers = new BufferedAnswer?[all.Count];
        var keys = all.Select(companion => IdempotencyKey.Of(companion.Http)).ToArray();
        var taken = await IdempotencyKey.TakeNew(db, [.. keys.OfType<IdempotencyKey>()], ct);
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
