using System.Threading.RateLimiting;

namespace Volunteers.Platform;

/// <summary>
/// Changes that wait for one row's lock queue up here, in order of arrival, and not in the database: a thousand sign-ups for
/// one shift hold a few connections, and everybody else still finds one. Where it says so, whose turn it is takes along those
/// who wait behind. Correctness does not rest on it, only calm: each replica has a queue of its own.
/// </summary>
internal static class Turns
{
    private const int AtATime = 4;
    private const int Waiting = 20_000;
    private const int MostTogether = 64;

    /// <summary>The changes of this route take turns by the row that its parameter names.</summary>
    public static TBuilder TakesTurnsBy<TBuilder>(this TBuilder builder, string routeParameter) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new TurnsBy(routeParameter));

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

            var row = (string)http.Request.RouteValues[by.RouteParameter]!;
            if (metadata.GetMetadata<TakenTogether>() is { } together) return await Together(row, together, context, next);
            using var turn = await Turn(row, http);
            return await next(context);
        });

    private static async Task<RateLimitLease> Turn(string row, HttpContext http)
    {
        var turns = http.RequestServices.GetRequiredService<PartitionedRateLimiter<string>>();
        var turn = await turns.AcquireAsync(row, permitCount: 1, http.RequestAborted);
        return turn.IsAcquired ? turn : throw RuleBreach.Precondition("busy", StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<object?> Together(string row, TakenTogether together, EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var companions = http.RequestServices.GetRequiredService<Companions>();
        var own = new Companion(together, context);
        companions.Join(own);
        BufferedAnswer? answer;
        using (await TurnOf(own, row, companions))
        {
            if (companions.TakeAlong(own, MostTogether) is { } all)
            {
                if (all is [_]) return await next(context);
                await together.Take(all);
            }
            answer = await own.Answered;
            if (answer is null) return await next(context);
        }
        await answer.Send(http);
        return Results.Empty;
    }

    private static async Task<RateLimitLease> TurnOf(Companion own, string row, Companions companions)
    {
        try
        {
            return await Turn(row, own.Http);
        }
        // The caller has gone away, or too many wait. Whoever took them along already writes into their answer until it is done.
        catch (Exception) when (!companions.Leave(own))
        {
            await own.Answered;
            throw;
        }
    }

    private sealed record TurnsBy(string RouteParameter);
}
