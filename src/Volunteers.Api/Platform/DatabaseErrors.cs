using System.Net.Sockets;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Volunteers.Platform;

/// <summary>
/// A constraint settles a race; its name is the code of the refusal. A foreign key is named <c>team_not_found</c>; when the
/// row it points to is to be deleted, the same key speaks as <c>team_in_use</c>.
/// </summary>
internal static class DatabaseErrors
{
    /// <param name="exception">What the database, or the way to it, said.</param>
    /// <param name="deleting">The request deletes; the text of the refusal would say so too, but in the server's language.</param>
    public static ProblemDetails? Of(Exception exception, bool deleting) => exception switch
    {
        DbUpdateConcurrencyException => Problems.Of(StatusCodes.Status412PreconditionFailed, "stale_version"),
        _ when Find<PostgresException>(exception) is { } refused => Of(refused, deleting),
        _ when Find<NpgsqlException>(exception) is { } lost && (lost.IsTransient || Find<SocketException>(lost) is not null) => Away,
        TimeoutException => Away,
        // The driver trips over a session that breaks while a prepared statement is on its way.
        NullReferenceException { Source: "Npgsql" } => Away,
        _ => null,
    };

    private static ProblemDetails Away => Problems.Of(StatusCodes.Status503ServiceUnavailable, "unavailable");

    private static ProblemDetails? Of(PostgresException refused, bool deleting) => refused.SqlState switch
    {
        PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.ExclusionViolation or PostgresErrorCodes.CheckViolation
            when refused.ConstraintName is { } code && Messages.Has(code) => Problems.Of(StatusCodes.Status409Conflict, code),
        PostgresErrorCodes.ForeignKeyViolation when refused.ConstraintName is { } code => OfForeignKey(code, deleting),
        PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.LockNotAvailable
            or PostgresErrorCodes.QueryCanceled => Problems.Of(StatusCodes.Status503ServiceUnavailable, "busy"),
        // A migration gave a table other columns while a session still had a statement prepared; the driver prepares it anew.
        PostgresErrorCodes.FeatureNotSupported when refused.Routine == "RevalidateCachedQuery" => Problems.Of(StatusCodes.Status503ServiceUnavailable, "busy"),
        PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn => Problems.Of(StatusCodes.Status503ServiceUnavailable, "not_migrated"),
        // Class 08: connection; 53: resources; 57P: the server is stopping or starting.
        var state when state.StartsWith("08", StringComparison.Ordinal) || state.StartsWith("53", StringComparison.Ordinal)
            || state.StartsWith("57P", StringComparison.Ordinal) => Away,
        _ => null,
    };

    private static ProblemDetails? OfForeignKey(string key, bool deleting)
    {
        var code = deleting ? key.Replace("_not_found", "_in_use", StringComparison.Ordinal) : key;
        if (!Messages.Has(code)) return null;
        return Problems.Of(deleting ? StatusCodes.Status409Conflict : StatusCodes.Status404NotFound, code);
    }

    private static T? Find<T>(Exception? exception) where T : Exception
    {
        for (; exception is not null; exception = exception.InnerException)
            if (exception is T found) return found;
        return null;
    }
}
