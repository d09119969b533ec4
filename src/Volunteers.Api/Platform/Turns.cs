using System.Threading.RateLimiting;

namespace Volunteers.Platform;

/// <summary>
/// Changes that wait for one row's lock queue up here, in order of arrival, and not in the database: a thousand sign-ups for
/// one shift hold a few connections, and everybody else still finds one. Correctness does not rest on it, only calm: each
/// replica has a queue of its own.
/// </summary>
internal static class Turns
{
    private const int AtATime = 4;
    private const int Waiting = 20_000;

    /// <summary>The changes of this route take turns by the row that its parameter names.</summary>
    public static TBuilder TakesTurnsBy<TBuilder>(this TBuilder builder, string routeParameter) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new TurnsBy(routeParameter));

    public static void AddTurns(this IServiceCollection services) => services.AddSingleton(_ =>
        PartitionedRateLimiter.Create<string, string>(row => RateLimitPartition.GetConcurrencyLimiter(row, _ => new ConcurrencyLimiterOptions
        {
            PermitLimit = AtATime, QueueLimit = Waiting, QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        })));

    /// <summary>Stands between validation, when the body is read, and the transaction, when a connection is held.</summary>
    public static TBuilder TakesTurns<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.AddEndpointFilter(async (context, next) =>
        {
            var http = context.HttpContext;
            if (http.GetEndpoint()!.Metadata.GetMetadata<TurnsBy>() is not { } by || HttpMethods.IsGet(http.Request.Method)) return await next(context);

            var turns = http.RequestServices.GetRequiredService<PartitionedRateLimiter<string>>();
            using var turn = await turns.AcquireAsync((string)http.Request.RouteValues[by.RouteParameter]!, permitCount: 1, http.RequestAborted);
            if (!turn.IsAcquired) throw RuleBreach.Precondition("busy", StatusCodes.Status503ServiceUnavailable);
            return await next(context);
        });

    private sealed record TurnsBy(string RouteParameter);
}
