using System.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;

namespace Volunteers.Platform;

/// <summary>
/// A lock in the database that a connection holds and not a transaction: for work that takes many of them. Whatever ends the
/// connection, a crash too, frees it.
/// </summary>
internal static class SessionLock
{
    /// <returns>False when another connection has it.</returns>
    public static async Task<bool> TryTake(NpgsqlConnection connection, string name)
    {
        try
        {
            await using var command = new NpgsqlCommand("select pg_try_advisory_lock(hashtextextended($1, 0))", connection) { Parameters = { new() { Value = name } } };
            // Not to be broken off: a lock that was taken without our knowing would stay.
            return (bool)(await command.ExecuteScalarAsync(CancellationToken.None))!;
        }
        catch
        {
            // It may have been taken before the answer was lost.
            NpgsqlConnection.ClearPool(connection);
            throw;
        }
    }

    /// <summary>The database's process behind a connection, as the database says: what is between may have told the connection another.</summary>
    public static async Task<int> ProcessOf(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("select pg_backend_pid()", connection);
        return (int)(await command.ExecuteScalarAsync(CancellationToken.None))!;
    }

    /// <summary>Whether a session of the database, by its process, has it now.</summary>
    public static Task<bool> IsHeldBy(DatabaseFacade database, int session, string name, CancellationToken ct) => database.SqlQuery<bool>(
        $"""
         select exists (
             select 1 from pg_locks where locktype = 'advisory' and objsubid = 1 and granted and pid = {session} and database = (select oid from pg_database where datname = current_database())
             and (classid::bigint << 32) | objid::bigint = hashtextextended({name}, 0)) as "Value"
         """).SingleAsync(ct);

    /// <summary>Before the connection goes back to its pool; one that broke has no lock any more.</summary>
    public static async Task Free(NpgsqlConnection connection, string name)
    {
        try
        {
            if (connection.State != ConnectionState.Open) return;
            await using var command = new NpgsqlCommand("select pg_advisory_unlock(hashtextextended($1, 0))", connection) { Parameters = { new() { Value = name } } };
            await command.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (Exception unusable) when (unusable is NpgsqlException or InvalidOperationException || DatabaseErrors.Of(unusable, deleting: false) is not null)
        {
            // The pool would keep the connection, and the lock with it.
            NpgsqlConnection.ClearPool(connection);
        }
    }
}
