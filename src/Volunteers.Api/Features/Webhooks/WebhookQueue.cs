using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Volunteers.Platform;

namespace Volunteers.Features.Webhooks;

/// <summary>A message whose turn it is.</summary>
internal sealed record DueDelivery(Guid Id, Guid WebhookId, string Url, string Type, DateTimeOffset At, string Data, int Tries, bool IsTest);

/// <summary>
/// What waits to be delivered in one organization, for whoever holds its lock. The lock is the connection's, so a crash frees it, and
/// everything is read and written over that very connection: who has lost it does nothing more.
/// </summary>
internal sealed class WebhookQueue(NpgsqlConnection connection, Guid organizationId)
{
    /// <summary>Events taken up at once.</summary>
    private const int AtOnce = 500;

    /// <summary>Messages, each of another object, on their way to one webhook at the same time.</summary>
    private const int Abreast = 8;

    private readonly string place = $"webhooks {organizationId}";

    /// <summary>Where there is something to do.</summary>
    public static async Task<List<Guid>> Waiting(NpgsqlDataSource database, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = database.CreateCommand(
            """
            select organization_id from outbox_events where not is_taken
            union
            select w.organization_id from webhooks w
            where exists (select 1 from webhook_deliveries d where d.organization_id = w.organization_id and d.webhook_id = w.id and d.status = 'pending' and d.next_try_at <= $1
                and (d.is_test or (w.status = 'enabled' and (w.rests_until is null or w.rests_until <= $1))))
            """);
        command.Parameters.Add(Time(now));
        var organizations = new List<Guid>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct)) organizations.Add(reader.GetGuid(0));
        return organizations;
    }

    /// <summary>Seconds by which the oldest of what is due is late; 0 when nothing is.</summary>
    public static double Age(NpgsqlDataSource database, DateTimeOffset now)
    {
        using var command = database.CreateCommand(
            """
            select coalesce(extract(epoch from $1 - least(
                (select min(at) from outbox_events where not is_taken),
                (select min(due.next_try_at) from webhooks w cross join lateral (
                    select d.next_try_at from webhook_deliveries d where d.organization_id = w.organization_id and d.webhook_id = w.id and d.status = 'pending' order by d.next_try_at limit 1) due
                 where w.status = 'enabled' and (w.rests_until is null or w.rests_until <= $1)))), 0)::double precision
            """);
        command.Parameters.Add(Time(now));
        command.CommandTimeout = 5;
        return Math.Max(0, (double)command.ExecuteScalar()!);
    }

    /// <summary>False when somebody else delivers here.</summary>
    public Task<bool> TryLock() => SessionLock.TryTake(connection, place);

    public Task Unlock() => SessionLock.Free(connection, place);

    /// <summary>Gives what happened to every webhook that asked for it, also to those that are held: there it waits.</summary>
    public async Task TakeUp(CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var events = await Rows(
            """
            select id, sequence, type, object_id, at from outbox_events where organization_id = $1 and not is_taken order by sequence limit $2 for update skip locked
            """, row => (Id: row.GetGuid(0), Sequence: row.GetInt64(1), Type: row.GetString(2), ObjectId: row.GetGuid(3), At: row.GetFieldValue<DateTimeOffset>(4)),
            ct, Uuid(organizationId), new() { Value = AtOnce });
        if (events.Count == 0) return;

        // Shared, so that none is deleted meanwhile.
        var webhooks = await Rows("select id, event_types from webhooks where organization_id = $1 order by id for key share",
            row => (Id: row.GetGuid(0), Types: row.GetFieldValue<string[]>(1).ToHashSet()), ct, Uuid(organizationId));
        var deliveries = events.SelectMany(e => webhooks.Where(w => w.Types.Contains(e.Type)).Select(w => (Id: Guid.CreateVersion7(e.At), Webhook: w.Id, Event: e))).ToArray();
        await Execute(
            """
            insert into webhook_deliveries (organization_id, id, webhook_id, event_id, sequence, object_id, type, at, status, tries, next_try_at, is_test)
            select $1, d.id, d.webhook_id, d.event_id, e.sequence, e.object_id, e.type, e.at, 'pending', 0, e.at, false
            from unnest($2, $3, $4) d(id, webhook_id, event_id) join outbox_events e on e.organization_id = $1 and e.id = d.event_id
            on conflict do nothing
            """, ct, Uuid(organizationId), Uuids(deliveries.Select(d => d.Id)), Uuids(deliveries.Select(d => d.Webhook)), Uuids(deliveries.Select(d => d.Event.Id)));
        await Execute("update outbox_events set is_taken = true where organization_id = $1 and id = any($2)", ct, Uuid(organizationId), Uuids(events.Select(e => e.Id)));
        await transaction.CommitAsync(ct);
    }

    /// <summary>
    /// Of each object the first that waits, when its time has come: what follows on it comes after. From a webhook that brought nothing
    /// through the last time only one, to see whether it does again.
    /// </summary>
    public Task<List<DueDelivery>> Due(DateTimeOffset now, CancellationToken ct) => Rows(
        """
        select due.id, w.id, w.url, due.type, due.at, e.data::text, due.tries, due.is_test
        from webhooks w cross join lateral (
            select * from webhook_deliveries d
            where d.organization_id = w.organization_id and d.webhook_id = w.id and d.status = 'pending' and d.next_try_at <= $2
                and (d.is_test or (w.status = 'enabled' and (w.rests_until is null or w.rests_until <= $2)))
                and not exists (select 1 from webhook_deliveries b where b.organization_id = d.organization_id and b.webhook_id = d.webhook_id and b.object_id = d.object_id
                    and b.status = 'pending' and b.sequence < d.sequence)
            order by d.sequence limit case when w.failures > 0 then 1 else $3 end) due
        join outbox_events e on e.organization_id = due.organization_id and e.id = due.event_id
        where w.organization_id = $1
        """, row => new DueDelivery(row.GetGuid(0), row.GetGuid(1), row.GetString(2), row.GetString(3), row.GetFieldValue<DateTimeOffset>(4), row.GetString(5), row.GetInt32(6), row.GetBoolean(7)),
        ct, Uuid(organizationId), Time(now), new() { Value = Abreast });

    /// <summary>The sealed secrets of a webhook that are good now, the newest first.</summary>
    public Task<List<byte[]>> Secrets(Guid webhookId, DateTimeOffset now, CancellationToken ct) => Rows(
        "select sealed from webhook_secrets where organization_id = $1 and webhook_id = $2 and (ends_at is null or ends_at > $3) order by id desc",
        row => row.GetFieldValue<byte[]>(0), ct, Uuid(organizationId), Uuid(webhookId), Time(now));

    /// <summary>What came of a try, in one statement: the entry in the log, and when the next one is, if there is one. Nothing is left of a delivery that was deleted meanwhile.</summary>
    public Task Record(DueDelivery delivery, PostOutcome outcome, DateTimeOffset? next, CancellationToken ct) => Execute(
        """
        with delivery as (
            update webhook_deliveries set status = case when $3::varchar is null then 'delivered' when $4::timestamptz is null then 'failed' else 'pending' end, tries = tries + case when $3::varchar is null then 0 else 1 end,
                next_try_at = $4, delivered_at = case when $3::varchar is null then $5 else delivered_at end
            where organization_id = $1 and id = $2 returning organization_id, id)
        insert into webhook_attempts (organization_id, id, delivery_id, at, milliseconds, status_code, fault)
        select organization_id, $6, id, $5, $7, $8, $3::varchar from delivery
        """, ct, Uuid(organizationId), Uuid(delivery.Id), Text(outcome.Fault is { } fault ? JsonNamingPolicy.SnakeCaseLower.ConvertName(fault.ToString()) : null), Time(next), Time(outcome.At),
        Uuid(Guid.CreateVersion7(outcome.At)), new() { Value = (int)Math.Min(outcome.Took.TotalMilliseconds, int.MaxValue) },
        new() { Value = outcome.StatusCode ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer });

    /// <summary>A round brought something through to a webhook, or nothing: then it rests, each time twice as long, at most five minutes.</summary>
    public Task Note(Guid webhookId, bool success, DateTimeOffset now, CancellationToken ct) => Execute(success
        ? "update webhooks set failures = 0, rests_until = null where organization_id = $1 and id = $2 and failures > 0 and $3::timestamptz is not null"
        : "update webhooks set failures = failures + 1, rests_until = $3 + make_interval(secs => least(power(2, least(failures, 9)), 300)) where organization_id = $1 and id = $2",
        ct, Uuid(organizationId), Uuid(webhookId), Time(now));

    private async Task<List<T>> Rows<T>(string sql, Func<NpgsqlDataReader, T> read, CancellationToken ct, params NpgsqlParameter[] parameters)
    {
        await using var command = Command(sql, parameters);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var rows = new List<T>();
        while (await reader.ReadAsync(ct)) rows.Add(read(reader));
        return rows;
    }

    private async Task Execute(string sql, CancellationToken ct, params NpgsqlParameter[] parameters)
    {
        await using var command = Command(sql, parameters);
        await command.ExecuteNonQueryAsync(ct);
    }

    private NpgsqlCommand Command(string sql, NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        return command;
    }

    private static NpgsqlParameter Uuid(Guid id) => new() { Value = id, NpgsqlDbType = NpgsqlDbType.Uuid };

    private static NpgsqlParameter Uuids(IEnumerable<Guid> ids) => new() { Value = ids.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid };

    private static NpgsqlParameter Text(string? text) => new() { Value = text ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Varchar };

    private static NpgsqlParameter Time(DateTimeOffset? at) => new() { Value = at is { } time ? time.UtcDateTime : DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz };
}
