using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Volunteers.Platform.Audit;

/// <summary>What a companion is answered, and whom its change is about.</summary>
internal sealed record SharedAnswer(Guid VolunteerId, IResult Result);

/// <summary>
/// Those who wait for the same row share a transaction: what they need is read once, and one commit stands for all. Each has
/// its own answer, its own trace and its own Idempotency-Key. Only what succeeds plainly is done this way: who would be refused, was
/// answered before, or sees something else than the first, comes alone when its turn comes. When the transaction fails, nothing
/// of it stands, and all of them come alone.
/// </summary>
internal static class SharedTransaction
{
    /// <summary>Several changes at once.</summary>
    /// <param name="services">Of the request whose turn it is.</param>
    /// <param name="companions">In the order of arrival; all see what the first sees.</param>
    /// <param name="ct">Ends it.</param>
    /// <returns>For each its answer; null for who has to come alone, of whom nothing may be left in the change tracker.</returns>
    internal delegate Task<IReadOnlyList<SharedAnswer?>> Handler(IServiceProvider services, IReadOnlyList<Companion> companions, CancellationToken ct);

    /// <summary>The changes of this route that wait for the same row are handled so, together.</summary>
    public static RouteHandlerBuilder SharesATransaction(this RouteHandlerBuilder builder, Handler handler) =>
        builder.WithMetadata(new TakenTogether(companions => Take(handler, companions)));

    private static async Task Take(Handler handler, IReadOnlyList<Companion> companions)
    {
        var services = companions[0].Http.RequestServices;
        // Nobody's going away ends what others wait for.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(services.GetRequiredService<IOptions<TimeLimits>>().Value.RequestSeconds));
        var db = services.GetRequiredService<DbContext>();
        try
        {
            var answers = await Run(handler, services, db, companions, limit.Token);
            foreach (var (companion, answer) in companions.Zip(answers)) companion.Answer(answer);
        }
        catch (Exception failed)
        {
            services.GetRequiredService<ILogger<TakenTogether>>().LogInformation(failed, "{Count} changes could not be made together, and are made one by one", companions.Count);
            foreach (var companion in companions) IdempotencyKey.Unsay(companion.Http.Response);
        }
        finally
        {
            // Whose turn it is may have to come alone itself, on the same context.
            db.ChangeTracker.Clear();
            foreach (var companion in companions) companion.Answer(null);
        }
    }

    private static async Task<BufferedAnswer?[]> Run(Handler handler, IServiceProvider services, DbContext db, IReadOnlyList<Companion> companions, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var keys = companions.Select(companion => IdempotencyKey.Of(companion.Http)).ToArray();
        var taken = await IdempotencyKey.TakeNew(db, [.. keys.OfType<IdempotencyKey>()], ct);
        var first = companions[0].Argument<Tenant>();
        int[] fresh = [.. Enumerable.Range(0, companions.Count).Where(index =>
            (keys[index] is not { } key || taken.Contains(key)) && companions[index].Argument<Tenant>().SeesLike(first))];

        var notes = new AuditNotes();
        var shared = new SharedAnswer?[companions.Count];
        using (notes.Watch(db))
            foreach (var (index, answer) in fresh.Zip(await handler(services, [.. fresh.Select(index => companions[index])], ct))) shared[index] = answer;

        var theirs = notes.ByVolunteer([.. shared.OfType<SharedAnswer>().Select(answer => answer.VolunteerId)]);
        var answers = new BufferedAnswer?[companions.Count];
        var drafts = new List<AuditDraft>();
        foreach (var index in fresh.Where(index => shared[index] is not null))
        {
            var (http, answer) = (companions[index].Http, shared[index]!);
            (answers[index], var scene) = await companions[index].InItsOwnFlow(async () => (await BufferedAnswer.Of(http, answer.Result), AuditScene.Of(http, AuditKind.Change)));
            var organizationId = Guid.Parse((string)http.Request.RouteValues["organizationId"]!);
            drafts.AddRange(AuditDraft.Of(scene.On(http.Response.Headers.Location), organizationId, theirs[answer.VolunteerId], new AuditDetails(Query: Queries.Of(http))));
        }
        await AuditSql.Insert((NpgsqlConnection)db.Database.GetDbConnection(), drafts, ct);
        await IdempotencyKey.Keep(db, [.. Enumerable.Range(0, companions.Count).Where(index => keys[index] is { } key && taken.Contains(key))
            .Select(index => (keys[index]!, answers[index], companions[index].Http))], ct);
        await transaction.CommitAsync(CancellationToken.None);
        return answers;
    }
}
