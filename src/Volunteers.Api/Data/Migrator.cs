using Microsoft.EntityFrameworkCore;
using Npgsql;
using Volunteers.Platform;

namespace Volunteers.Data;

/// <summary>
/// Brings a database to this version, as its owner. One at a time, whoever else starts: the others wait and find nothing
/// left to do.
/// </summary>
internal static class Migrator
{
    /// <summary>What the service may do; made by the first migration, without a login of its own.</summary>
    public const string ServiceRole = "volunteers_service";

    private const long AdvisoryLock = 0x566f6c756e746565;

    /// <summary>Insert-only for the service: what was booked or said stays.</summary>
    private static readonly string[] OnlyGrow =
        ["hour_postings", "service_record_events", "attendance_events", "issued_reports", "star_rules", "certificates", "certificate_endings",
        "consent_texts", "consent_receipts", "audit_events", "audit_chain"];

    /// <summary>
    /// What may be written anew there, and nothing else: where a person is named, so that they can be forgotten, and where a
    /// device stood, which is kept for a while only. No figure, id or time is among them, nor any hash of a chain.
    /// </summary>
    private static readonly (string Table, string Columns)[] Forgettable =
    [
        ("certificates", "volunteer_name, volunteer_number, purpose, contact, responsible_person, issued_by_name, lines"),
        ("certificate_endings", "reason"),
        ("service_record_events", "reason"),
        ("issued_reports", "sent_to, note, digest"),
        ("attendance_events", "device_at, distance"),
    ];

    /// <param name="connectionString">As the owner.</param>
    /// <param name="serviceConnectionString">Whose login may act as <see cref="ServiceRole"/> from then on; the owner's own, or another.</param>
    /// <param name="ct">Ends it.</param>
    /// <param name="then">What else a new database needs once, done before anybody else may start on it.</param>
    public static async Task Migrate(string connectionString, string serviceConnectionString, CancellationToken ct, Func<Task>? then = null)
    {
        await using var dataSource = new NpgsqlDataSourceBuilder(connectionString).Build();
        await using var held = await dataSource.OpenConnectionAsync(ct);
        await Execute(held, $"select pg_advisory_lock({AdvisoryLock})", ct);
        await MakeServiceRole(held, new NpgsqlConnectionStringBuilder(serviceConnectionString).Username ?? "", ct);

        var options = new DbContextOptionsBuilder<VolunteersDb>();
        Database.Configure(options, dataSource);
        await using var db = new VolunteersDb(options.Options);
        await db.Database.MigrateAsync(ct);
        await Execute(held, Grants, ct);
        if (then is not null) await then();
    }

    /// <summary>Said again after every migration, so that no table is forgotten.</summary>
    private static string Grants =>
        $"""
         grant usage on schema public to {ServiceRole};
         grant select, insert, update, delete on all tables in schema public to {ServiceRole};
         grant usage on all sequences in schema public to {ServiceRole};
         revoke update, delete on {string.Join(", ", OnlyGrow)} from {ServiceRole};
         {string.Concat(Forgettable.Select(some => $"grant update ({some.Columns}) on {some.Table} to {ServiceRole};\n"))}
         revoke update on audit_values, audit_pending, change_marks, changes from {ServiceRole};
         revoke insert, update, delete on audit_cuts from {ServiceRole};
         revoke insert, update, delete on "__EFMigrationsHistory" from {ServiceRole};
         """;

    private static async Task MakeServiceRole(NpgsqlConnection connection, string serviceLogin, CancellationToken ct)
    {
        try
        {
            // Another database of the same server may make it at the same moment.
            await Execute(connection,
                $"""
                 do $$ begin create role {ServiceRole} nologin; exception when duplicate_object or unique_violation then null; end $$;
                 do $$
                 declare login name;
                 begin
                     foreach login in array array[current_user, '{serviceLogin.Replace("'", "''", StringComparison.Ordinal)}']::name[] loop
                         -- From version 16 on, who makes a role may grant it but not act as it.
                         if exists (select 1 from pg_roles where rolname = login)
                            and not pg_has_role(login, '{ServiceRole}', case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end) then
                             execute format('grant {ServiceRole} to %I', login);
                         end if;
                     end loop;
                 end $$;
                 """, ct);
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new StartupRefused(
                $"The database owner may not create roles. Let an administrator run: create role {ServiceRole} nologin; grant {ServiceRole} to <owner>;");
        }
    }

    private static async Task Execute(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 600 };
        await command.ExecuteNonQueryAsync(ct);
    }
}
