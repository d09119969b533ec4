using System.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Volunteers.Platform;

/// <summary>
/// Every change is one transaction: opened before the handler, committed when its answer is a success, and only then sent.
/// A refusal, an error or a kill in between leaves nothing. With an Idempotency-Key the key and the answer are part of it.
/// </summary>
internal static class WriteTransaction
{
    public static TBuilder ChangesInOneTransaction<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.AddEndpointFilter(async (context, next) =>
        {
            var http = context.HttpContext;
            if (HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method)
                || http.GetEndpoint()!.Metadata.GetMetadata<OwnTransaction>() is not null) return await next(context);

            var db = http.RequestServices.GetRequiredService<DbContext>();
            await using var transaction = await db.Database.BeginTransactionAsync(http.RequestAborted);
            try
            {
                await Run(context, next, db, transaction);
            }
            // A connection lost between two statements shows as the wrong use of a transaction that is already over.
            catch (InvalidOperationException lost) when (db.Database.GetDbConnection().State != ConnectionState.Open)
            {
                throw new TimeoutException("The database went away in the middle of a change.", lost);
            }
            return Results.Empty;
        });

    /// <summary>
    /// The handler opens the transaction itself, because what it counts must stay although it refuses. Not for a POST, whose
    /// Idempotency-Key belongs to the transaction.
    /// </summary>
    public static TBuilder OpensItsOwnTransaction<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new OwnTransaction());

    private static async Task Run(EndpointFilterInvocationContext context, EndpointFilterDelegate next, DbContext db, IDbContextTransaction transaction)
    {
        var http = context.HttpContext;
        var key = IdempotencyKey.Of(http);
        if (key is not null && await key.FirstAnswer(db, http.RequestAborted) is { } first)
        {
            await first.Replay(http);
            return;
        }

        var answer = await BufferedAnswer.Of(http, (IResult)(await next(context))!);
        if (answer.IsSuccess)
        {
            if (key is not null) await key.Keep(answer, db, http);
            // Past this line the effect stands, so the caller going away no longer stops it.
            await transaction.CommitAsync(CancellationToken.None);
        }
        await answer.Send(http);
    }
}

/// <summary>See <see cref="WriteTransaction.OpensItsOwnTransaction"/>; such a handler leaves the trace of its change itself, within it.</summary>
internal sealed record OwnTransaction;

/// <summary>What a handler answered, held back until its effect is committed.</summary>
internal sealed record BufferedAnswer(int Status, byte[] Body)
{
    public bool IsSuccess => Status < 400;

    public static async Task<BufferedAnswer> Of(HttpContext http, IResult result)
    {
        var wire = http.Response.Body;
        using var buffer = new MemoryStream();
        http.Response.Body = buffer;
        try
        {
            await result.ExecuteAsync(http);
            await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
        }
        finally
        {
            http.Response.Body = wire;
        }
        return new BufferedAnswer(http.Response.StatusCode, buffer.ToArray());
    }

    public async Task Send(HttpContext http)
    {
        // An empty answer keeps its headers unsent, so that a bare 404 still gets its problem body. Sent also past the time limit: what it says has been done.
        if (Body.Length > 0) await http.Response.Body.WriteAsync(Body, CancellationToken.None);
    }
}
