using System.Diagnostics;
using System.Threading.RateLimiting;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Volunteers.Platform;

/// <summary>
/// Few exports of one organization run at the same time, over all replicas. Each holds one of the organization's places: an
/// advisory lock of the connection that it reads with, so that whatever ends the connection, a crash too, frees the place.
/// Whoever finds none waits a little, in a short queue at this replica and without a connection.
/// </summary>
internal static class ExportSlots
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(200);

    public static void AddExportSlots(this IServiceCollection services) => services.AddSingleton(provider => new Queue(provider.GetRequiredService<IOptions<RateLimits>>().Value));

    /// <summary>This route exports: always, or when the request says so.</summary>
    public static RouteHandlerBuilder Exports(this RouteHandlerBuilder route, Func<HttpRequest, bool>? when = null) => route
        .WithMetadata(new RefusesWith(StatusCodes.Status429TooManyRequests, ["too_many_exports"]))
        .Costs(request => when is null || when(request) ? Cost.Export : Cost.Ordinary)
        .AddEndpointFilter(async (context, next) =>
        {
            var http = context.HttpContext;
            var queue = http.RequestServices.GetRequiredService<Queue>();
            if (queue.AtOnce == 0 || when?.Invoke(http.Request) == false) return await next(context);

            var organizationId = Guid.Parse((string)http.Request.RouteValues["organizationId"]!);
            var db = http.RequestServices.GetRequiredService<DbContext>();
            var waiting = Stopwatch.StartNew();
            using var turn = await queue.Wait(organizationId, http.RequestAborted);
            var place = await Take(db, organizationId, queue, waiting, http.RequestAborted) ?? throw TooMany();
            try
            {
                // The answer is written here: that is the export.
                var answer = (IResult)(await next(context))!;
                if (http.GetEndpoint()!.Metadata.GetMetadata<BeforeSending>() is { } before) await before.Act(http, answer);
                await answer.ExecuteAsync(http);
            }
            finally
            {
                await GiveBack(db, place);
            }
            return new AlreadySent();
        });

    /// <summary>The name of a place, by which the database locks it.</summary>
    internal static string PlaceOf(Guid organizationId, int number) => $"export {organizationId} {number}";

    private static RuleBreach TooMany() => RuleBreach.TooMany("too_many_exports", Patience);

    /// <summary>A place, and the connection that holds it open; null when other replicas hold them all to the end.</summary>
    private static async Task<string?> Take(DbContext db, Guid organizationId, Queue queue, Stopwatch waiting, CancellationToken ct)
    {
        while (true)
        {
            await db.Database.OpenConnectionAsync(ct);
            for (var number = 1; number <= queue.AtOnce; number++)
            {
                var place = PlaceOf(organizationId, number);
                if (await SessionLock.TryTake((NpgsqlConnection)db.Database.GetDbConnection(), place)) return place;
            }
            await db.Database.CloseConnectionAsync();
            if (!queue.Waits || waiting.Elapsed >= Patience) return null;
            await Task.Delay(LookAgainAfter, ct);
        }
    }

    private static async Task GiveBack(DbContext db, string place)
    {
        await SessionLock.Free((NpgsqlConnection)db.Database.GetDbConnection(), place);
        await db.Database.CloseConnectionAsync();
    }

    /// <summary>Those of this process, in order of arrival, so that few of them ask the database.</summary>
    private sealed class Queue(RateLimits limits) : IAsyncDisposable
    {
        private readonly PartitionedRateLimiter<Guid> running = PartitionedRateLimiter.Create<Guid, Guid>(organization =>
            RateLimitPartition.GetConcurrencyLimiter(organization, _ => new ConcurrencyLimiterOptions
            {
                PermitLimit = Math.Max(1, limits.ExportsAtOnce), QueueLimit = limits.ExportsWaiting, QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
            }));

        public int AtOnce => limits.ExportsAtOnce;

        public bool Waits => limits.ExportsWaiting > 0;

        /// <exception cref="RuleBreach">429: the queue is full, or too slow.</exception>
        public async Task<IDisposable> Wait(Guid organizationId, CancellationToken ct)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
            patience.CancelAfter(Patience);
            try
            {
                var turn = await running.AcquireAsync(organizationId, permitCount: 1, patience.Token);
                return turn.IsAcquired ? turn : throw TooMany();
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                throw TooMany();
            }
        }

        public ValueTask DisposeAsync() => running.DisposeAsync();
    }
}

/// <summary>What has to be done with an answer before its first byte goes out, by whoever sends it.</summary>
internal sealed record BeforeSending(Func<HttpContext, IResult, Task> Act);

/// <summary>There is nothing left to send.</summary>
internal sealed class AlreadySent : IResult
{
    public Task ExecuteAsync(HttpContext http) => Task.CompletedTask;
}
