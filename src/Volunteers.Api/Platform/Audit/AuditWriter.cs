using System.Collections.Concurrent;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace Volunteers.Platform.Audit;

/// <summary>The one way into the trail.</summary>
internal static class AuditSql
{
    private const string InsertEvent =
        """
        insert into audit_events (organization_id, id, at, kind, operation, outcome, code, times, actor_kind, actor_id, role, teams, address, agent, trace_id,
            resource_type, resource_id, volunteers, details)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
        """;

    private const string InsertPending = "insert into audit_pending (organization_id, event_id) values ($1, $2)";

    private const string InsertValues =
        """
        insert into audit_values (organization_id, event_id, position, subject_id, salt, texts)
        select $1, $2, v.position, v.subject_id, v.salt, v.texts::json from unnest($3, $4, $5, $6) v(position, subject_id, salt, texts)
        """;

    /// <summary>In one round trip; within the connection's transaction if it has one, else all or none.</summary>
    public static async Task Insert(NpgsqlConnection connection, IReadOnlyCollection<AuditDraft> drafts, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var draft in drafts)
        {
            var e = draft.Event;
            batch.BatchCommands.Add(Command(InsertEvent,
                Uuid(e.OrganizationId), Uuid(e.Id), new() { Value = e.At.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz }, Word(e.Kind), Text(e.Operation), Word(e.Outcome), Text(e.Code),
                new() { Value = e.Times }, Word(e.ActorKind), Uuid(e.ActorId), Word(e.Role), Uuids(e.Teams), Text(e.Address), Text(e.Agent), Text(e.TraceId),
                Text(e.ResourceType), Text(e.ResourceId), Uuids(e.Volunteers), new() { Value = e.Details, NpgsqlDbType = NpgsqlDbType.Json }));
            batch.BatchCommands.Add(Command(InsertPending, Uuid(e.OrganizationId), Uuid(e.Id)));
            if (draft.Values.Count > 0)
                batch.BatchCommands.Add(Command(InsertValues, Uuid(e.OrganizationId), Uuid(e.Id),
                    Array(draft.Values.Select(value => value.Position), NpgsqlDbType.Integer), Array(draft.Values.Select(value => value.SubjectId), NpgsqlDbType.Uuid),
                    Array(draft.Values.Select(value => value.Salt), NpgsqlDbType.Bytea), Array(draft.Values.Select(value => value.Texts), NpgsqlDbType.Text)));
        }
        await batch.ExecuteNonQueryAsync(ct);
    }

    private static NpgsqlBatchCommand Command(string sql, params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(parameter);
        return command;
    }

    private static NpgsqlParameter Uuid(Guid? id) => new() { Value = id ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid };

    private static NpgsqlParameter Uuids(Guid[]? ids) => new() { Value = ids ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid };

    private static NpgsqlParameter Text(string? text) => new() { Value = text ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Varchar };

    private static NpgsqlParameter Word(Enum? word) => Text(word is null ? null : JsonNamingPolicy.SnakeCaseLower.ConvertName(word.ToString()));

    private static NpgsqlParameter Array<T>(IEnumerable<T> values, NpgsqlDbType of) => new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | of };
}

/// <summary>
/// Writes what is not part of a change: looks, exports, sign-ins. Whoever asks waits until it is written; those who ask while
/// a write is under way are taken together in the next, so that a thousand looks at the same moment are a few commits, and
/// none waits for a timer.
/// </summary>
internal sealed class AuditWriter([FromKeyedServices(AuditWriter.Connections)] NpgsqlDataSource database)
{
    /// <summary>A few of its own: those who wait for it may hold all the others.</summary>
    public const string Connections = "audit";

    private const int MostAtOnce = 256;

    private readonly ConcurrentQueue<Waiting> queue = new();
    private int writing;

    public Task Write(AuditDraft draft)
    {
        var waiting = new Waiting(draft);
        queue.Enqueue(waiting);
        if (Interlocked.CompareExchange(ref writing, 1, 0) == 0) _ = Task.Run(WriteAll);
        return waiting.Written.Task;
    }

    private async Task WriteAll()
    {
        do
        {
            while (Take() is { Count: > 0 } group) await Write(group);
            Volatile.Write(ref writing, 0);
        }
        // Somebody may have come between the last look and the open door.
        while (!queue.IsEmpty && Interlocked.CompareExchange(ref writing, 1, 0) == 0);
    }

    private List<Waiting> Take()
    {
        var group = new List<Waiting>();
        while (group.Count < MostAtOnce && queue.TryDequeue(out var waiting)) group.Add(waiting);
        return group;
    }

    private async Task Write(IReadOnlyList<Waiting> group)
    {
        try
        {
            await using var connection = await database.OpenConnectionAsync();
            await AuditSql.Insert(connection, [.. group.Select(waiting => waiting.Draft)], CancellationToken.None);
            foreach (var waiting in group) waiting.Written.SetResult();
        }
        // One that cannot be written must not take the others with it.
        catch (PostgresException) when (group.Count > 1)
        {
            foreach (var waiting in group) await Write([waiting]);
        }
        catch (Exception failed)
        {
            foreach (var waiting in group) waiting.Written.SetException(failed);
        }
    }

    private sealed record Waiting(AuditDraft Draft)
    {
        public TaskCompletionSource Written { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
