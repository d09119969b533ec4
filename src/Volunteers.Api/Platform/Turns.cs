using System.Threading.RateLimiting;

namespace Volunteers.Platform;

/// <summary>
/// Changes that wait for one row's lock queue up here, in order of arrival, and not in the database: a thousand sign-ups for
/// one shift hold a few connections, and everybody else still finds one. Where a route says so, the one whose turn it is takes
/// along those who wait with it. Correctness does not rest on it, only calm: each replica has a queue of its own.
/// </summary>
internal static class Turns
{
    private const int AtATime = 4;
    private const int Waiting = 20_000;
    private const int MostTogether = 256;

    /// <summary>The changes of this route take turns by the row that its parameter names, or for something else of it that has a name.</summary>
    public static TBuilder TakesTurnsBy<TBuilder>(this TBuilder builder, string routeParameter, string? at = null) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new TurnsBy(routeParameter, at));

    public static void AddTurns(this IServiceCollection services)
    {
        services.AddSingleton<Companions>();
        services.AddSingleton(_ => PartitionedRateLimiter.Create<string, string>(row => RateLimitPartition.GetConcurrencyLimiter(row, _ => new ConcurrencyLimiterOptions
        {
            PermitLimit = AtATime, QueueLimit = Waiting, QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        })));
    }

    /// <summary>Stands between validation, when the body is read, and the transaction, when a connection is held.</summary>
    public static TBuilder TakesTurns<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.AddEndpointFilter(async (context, next) =>
        {
            var http = context.HttpContext;
            var metadata = http.GetEndpoint()!.Metadata;
            if (metadata.GetMetadata<TurnsBy>() is not { } by || HttpMethods.IsGet(http.Request.Method)) return await next(context);

            var row = by.At + (string)http.Request.RouteValues[by.RouteParameter]!;
            var turns = http.RequestServices.GetRequiredService<PartitionedRateLimiter<string>>();
            if (metadata.GetMetadata<TakenTogether>() is { } together)
                return await Together(turns, row, http.RequestServices.GetRequiredService<Companions>(), new Companion(together, row, context), () => next(context));
            using var turn = await turns.AcquireAsync(row, permitCount: 1, http.RequestAborted);
            return turn.IsAcquired ? await next(context) : throw Busy;
        });

    private static RuleBreach Busy => RuleBreach.Precondition("busy", StatusCodes.Status503ServiceUnavailable);

    private static async Task<object?> Together(
        PartitionedRateLimiter<string> turns, string row, Companions companions, Companion own, Func<ValueTask<object?>> alone)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(own.Http.RequestAborted);
        var turn = Task.FromCanceled<RateLimitLease>(new CancellationToken(canceled: true));
        BufferedAnswer? answer;
        try
        {
            companions.Join(own);
            turn = turns.AcquireAsync(row, permitCount: 1, waiting.Token).AsTask();
            // Who was taken along needs no turn any more.
            answer = await Task.WhenAny(turn, own.Answered) == turn ? null : await own.Answered;
            answer ??= await Await(turn, companions, own);
            if (answer is null)
            {
                var all = companions.TakeAlong(own, MostTogether);
                if (all.Count > 1) await own.Key.Together.Take(own, all);
                if (all.Count != 1) answer = await own.Answered;
            }
            if (answer is null) return await alone();
        }
        finally
        {
            companions.Leave(own);
            if (!turn.IsCompleted) await waiting.CancelAsync();
            _ = turn.ContinueWith(had => had.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
        await answer.Send(own.Http);
        return Results.Empty;
    }

    /// <summary>Waits for the turn. Null when it has come.</summary>
    /// <returns>The answer of one who went away, or for whom too many wait, but was taken along before: what was done for them stands.</returns>
    private static async Task<BufferedAnswer?> Await(Task<RateLimitLease> turn, Companions companions, Companion own)
    {
        try
        {
            return (await turn).IsAcquired ? null : throw Busy;
        }
        catch (Exception)
        {
            if (companions.Leave(own) || await own.Answered is not { } answer) throw;
            return answer;
        }
    }

    private sealed record TurnsBy(string RouteParameter, string? At);
}
