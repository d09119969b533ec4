using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace Volunteers.Tests.Support;

/// <summary>
/// Makes PostgreSQL plan for a city's worth of rows over a database that has one organization with a little of everything. Every table
/// gets some thousand copies of its rows, spread as in a city; they are counted as millions, and taken out again: the statistics stay.
/// </summary>
internal static class LargeDatabase
{
    /// <summary>How many rows of a table are made, counted, and taken out again.</summary>
    private const int Sample = 3000;

    /// <summary>One organization has a tenth of everything, and the other 99 the rest.</summary>
    private const int ShareOfOne = 10;

    private const int Usual = 200_000;

    /// <summary>Acted on by the same person or thing, where no foreign key says of how many.</summary>
    private const int Actors = 2_000;

    /// <summary>What a city has. A table that is not named has <see cref="Usual"/>.</summary>
    private static readonly Dictionary<string, int> Rows = new()
    {
        ["organizations"] = 100,
        ["teams"] = 2_000,
        ["projects"] = 2_000,
        ["series"] = 2_000,
        ["volunteers"] = 200_000,
        ["team_members"] = 300_000,
        ["activities"] = 500_000,
        ["shifts"] = 1_000_000,
        ["sign_ups"] = 5_000_000,
        ["attendance_events"] = 10_000_000,
        ["service_records"] = 5_000_000,
        ["service_record_events"] = 10_000_000,
        ["hour_postings"] = 5_000_000,
        ["hour_totals"] = 2_000_000,
        ["changes"] = 5_000_000,
        ["audit_events"] = 20_000_000,
        ["audit_chain"] = 20_000_000,
        ["audit_values"] = 20_000_000,
        ["outbox_events"] = 5_000_000,
        ["webhook_deliveries"] = 5_000_000,
        ["webhook_attempts"] = 5_000_000,
        ["reconciliation_rows"] = 1_000_000,
        // One row for each organization, or a few that its administrator set up.
        ["hour_ledgers"] = 100,
        ["change_heads"] = 100,
        ["audit_heads"] = 100,
        ["outbox_listeners"] = 100,
        ["calendar_days"] = 3_000,
        ["column_mappings"] = 500,
        ["consent_texts"] = 1_000,
        ["star_rules"] = 500,
        ["organization_clients"] = 500,
        ["organization_client_secrets"] = 1_000,
        ["webhooks"] = 500,
        ["webhook_secrets"] = 500,
        // Waits for a second or two.
        ["change_marks"] = 1_000,
        ["audit_pending"] = 1_000,
        // The service's own.
        ["server_keys"] = 10,
        ["data_protection_keys"] = 10,
        ["openiddict_applications"] = 500,
        ["openiddict_scopes"] = 10,
        ["seed_loads"] = 1,
        ["migrations"] = 50,
    };

    public static int RowsOf(string table) => Rows.GetValueOrDefault(table, Usual);

    /// <returns>The tables that had no row to make more of.</returns>
    public static async Task<string[]> PlanForACity(string connectionString, string organizationId, CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var connection = await source.OpenConnectionAsync(ct);
        // The copies point to rows that nobody made.
        await Execute(connection, "SET session_replication_role = replica", ct);
        var columns = await Columns(connection, ct);
        var empty = new List<string>();
        foreach (var table in columns.GroupBy(column => column.Table))
        {
            await Execute(connection, $"ALTER TABLE {table.Key} SET (autovacuum_enabled = false)", ct);
            var copied = await Copy(connection, table.Key, [.. table], organizationId, ct);
            if (copied == 0) empty.Add(table.Key);
        }
        return [.. empty];
    }

    private static async Task<long> Copy(NpgsqlConnection connection, string table, Column[] columns, string organizationId, CancellationToken ct)
    {
        var written = columns.Where(column => !column.Computed).ToArray();
        var ofOne = table == "organizations" ? "id = $1" : columns.Any(column => column.Name == "organization_id") ? "organization_id = $1" : "$1 is not null";
        var rows = RowsOf(table);
        var sql = $"""
            WITH kept AS MATERIALIZED (SELECT *, row_number() OVER () - 1 AS kept_nth, count(*) OVER () AS kept_rows FROM {table} WHERE {ofOne} LIMIT 500)
            INSERT INTO {table} ({string.Join(", ", written.Select(column => column.Name))}) OVERRIDING SYSTEM VALUE
            SELECT {string.Join(", ", written.Select(column => Value(column, Math.Min(Sample, rows))))}
            FROM generate_series(1, {Math.Min(Sample, rows)}) g JOIN kept t ON t.kept_nth = (g / {ShareOfOne}) % t.kept_rows
            ON CONFLICT DO NOTHING
            """;
        await using var insert = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = Guid.Parse(organizationId), NpgsqlDbType = NpgsqlDbType.Uuid } } };
        int copied;
        string transaction;
        await using (var copying = await connection.BeginTransactionAsync(ct))
        {
            copied = await insert.ExecuteNonQueryAsync(ct);
            transaction = (await Scalar(connection, "SELECT pg_current_xact_id()::xid::text", ct))!;
            await copying.CommitAsync(ct);
        }

        foreach (var (name, distinct) in columns.Where(column => column.Type == "uuid").Select(column => (column.Name, Distinct(column, rows))))
            if (distinct is { } of) await Execute(connection, $"ALTER TABLE {table} ALTER {name} SET (n_distinct = {of})", ct);
        await Execute(connection, $"ANALYZE {table}", ct);
        await Execute(connection, $"DELETE FROM {table} WHERE xmin = '{transaction}'::xid", ct);
        if (copied == 0) return 0;

        // Indexes too: a partial one keeps its share.
        await Execute(connection, $"""
            UPDATE pg_class SET reltuples = reltuples * {rows}.0 / (SELECT reltuples FROM pg_class WHERE oid = '{table}'::regclass)
            WHERE oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = '{table}'::regclass);
            UPDATE pg_class SET reltuples = {rows} WHERE oid = '{table}'::regclass
            """, ct);
        return copied;
    }

    /// <summary>What a copy has in place of the row <c>t</c> it was made from; <c>g</c> counts the copies.</summary>
    private static string Value(Column column, int copies)
    {
        var t = $"t.{column.Name}";
        // Later copies are of later days, over the last four years or so.
        var later = $"(((g - {copies}) * 1500 / {copies}) * interval '1 day')";
        if (column.Name == "organization_id" || column is { Table: "organizations", Name: "id" })
            return $"CASE WHEN g % {ShareOfOne} = 0 AND {(column.Table == "organizations" ? "false" : "true")} THEN {t} ELSE md5((g % 99)::text)::uuid END";
        return column.Type switch
        {
            "uuid" when column is { Unique: true, Principal: null } => $"CASE WHEN {t} IS NOT NULL THEN (lpad(to_hex(g), 8, '0') || substr(gen_random_uuid()::text, 9))::uuid END",
            "uuid" => $"CASE WHEN {t} IS NOT NULL THEN gen_random_uuid() END",
            "uuid[]" => $"CASE WHEN cardinality({t}) > 0 THEN ARRAY[gen_random_uuid()] ELSE {t} END",
            "timestamp with time zone" => $"{t} + {later}",
            "date" => $"({t} + {later})::date",
            "tstzrange" => $"tstzrange(lower({t}) + {later}, upper({t}) + {later})",
            "bigint" or "integer" when column.Unique => $"CASE WHEN {t} IS NOT NULL THEN g + 100 END",
            "bytea" when column.Unique => $"CASE WHEN {t} IS NOT NULL THEN sha256(g::text::bytea) END",
            "text" or "character varying" when column is { Unique: true, Length: not EnumLength } =>
                $"CASE WHEN {t} IS NOT NULL THEN left(md5(g::text), {column.Length ?? 32}) END",
            _ => t,
        };
    }

    /// <summary>Columns of a word from a list are this long; their copies keep it.</summary>
    private const int EnumLength = 30;

    private static string? Distinct(Column column, int rows) => column switch
    {
        { Name: "organization_id" } or { Table: "organizations" } => null,
        { OnlyOne: true } => "-1",
        // Of one organization: the planner takes its tenth of the rows by itself.
        // No foreign key says of how many: an account has one or two of what it has, an event a value or two.
        { Name: "account_id" or "event_id" } => "-0.5",
        { Principal: { } principal } => Number(Math.Clamp(RowsOf(principal) / ShareOfOne, 1, rows)),
        _ => Number(Math.Clamp(Actors, 1, rows)),
    };

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static async Task<List<Column>> Columns(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            SELECT c.relname, quote_ident(a.attname), format_type(a.atttypid, null), a.attgenerated <> '',
                EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey)),
                EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indpred IS NULL AND a.attnum = ANY (i.indkey)
                    AND NOT EXISTS (SELECT FROM pg_attribute b WHERE b.attrelid = c.oid AND b.attnum = ANY (i.indkey) AND b.attnum <> a.attnum AND b.attname <> 'organization_id')),
                (SELECT min(f.confrelid::regclass::text) FROM pg_constraint f WHERE f.conrelid = c.oid AND f.contype = 'f' AND f.conkey[cardinality(f.conkey)] = a.attnum),
                CASE WHEN a.atttypmod > 4 AND a.atttypid = 'varchar'::regtype THEN a.atttypmod - 4 END
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname = lower(c.relname) ORDER BY c.relname, a.attnum
            """, connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var columns = new List<Column>();
        while (await reader.ReadAsync(ct))
            columns.Add(new Column(reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetBoolean(3), reader.GetBoolean(4), reader.GetBoolean(5),
                reader.IsDBNull(6) ? null : reader.GetString(6), reader.IsDBNull(7) ? null : reader.GetInt32(7)));
        return columns;
    }

    private static async Task Execute(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    private static async Task<string?> Scalar(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (string?)await command.ExecuteScalarAsync(ct);
    }

    /// <summary>Of a table: whether it is part of a unique index, whether it alone tells the rows of an organization apart, and the table it points to.</summary>
    private sealed record Column(string Table, string Name, string Type, bool Computed, bool Unique, bool OnlyOne, string? Principal, int? Length);
}
