using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Volunteers.Data;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Data;

/// <summary>What the database itself holds, whatever the service does.</summary>
public sealed class DatabaseRulesTests(TestDatabases databases) : HoursTest(databases)
{
    /// <summary>Tables above the organizations, each with the reason why it cannot belong to one.</summary>
    private static readonly Dictionary<string, string> Global = new()
    {
        ["organizations"] = "The tenants themselves.",
        ["accounts"] = "Somebody signs in once and may act in several organizations.",
        ["account_claims"] = "Of an account.",
        ["account_logins"] = "Of an account.",
        ["account_tokens"] = "Of an account.",
        ["openiddict_applications"] = "Signing in comes before any organization is chosen.",
        ["openiddict_authorizations"] = "Of an account.",
        ["openiddict_scopes"] = "Of the authorization server.",
        ["openiddict_tokens"] = "Of an account.",
        ["sign_in_sessions"] = "Of an account.",
        ["external_sign_ins"] = "Of an account.",
        ["second_factors"] = "Of an account.",
        ["recovery_codes"] = "Of an account.",
        ["password_resets"] = "Of an account.",
        ["reset_messages"] = "Asked for by a login, before any account is known.",
        ["failure_counts"] = "Of an account, or of a login that nobody has.",
        ["server_keys"] = "Shared by all replicas of the authorization server.",
        ["data_protection_keys"] = "Shared by all replicas.",
        ["seed_loads"] = "Loading seeds makes the organization.",
        ["__EFMigrationsHistory"] = "Of the schema.",
    };

    [Fact]
    public async Task The_service_can_add_to_the_ledger_and_to_histories_but_neither_change_nor_delete()
    {
        await O.Record(Activity, await O.Volunteer(Team), At("08:00"), At("09:00"));

        await Host.InServices(async services =>
        {
            var source = services.GetRequiredService<NpgsqlDataSource>();
            Assert.Equal(Migrator.ServiceRole, await Scalar(source, "select current_user::text"));
            foreach (var table in new[] { "hour_postings", "service_record_events", "star_rules", "audit_events", "audit_chain" })
            {
                Assert.True((bool)(await Scalar(source, $"select has_table_privilege('{table}', 'insert')"))!);
                foreach (var change in new[] { $"update {table} set organization_id = organization_id", $"delete from {table}", $"truncate {table} cascade" })
                    Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => Scalar(source, change))).SqlState);
                foreach (var ddl in new[] { $"drop table {table}", $"alter table {table} add column x int" })
                    Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => Scalar(source, ddl))).SqlState);
            }
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege,
                (await Assert.ThrowsAsync<PostgresException>(() => Scalar(source, "delete from \"__EFMigrationsHistory\""))).SqlState);
        });
        Assert.Equal(1, await VerifiedPosition());
    }

    [Theory]
    [InlineData("minutes = 0", "minutes_exceed_period", "claims_do_not_fit")]
    [InlineData("minutes = -60", "minutes_exceed_period", "claims_do_not_fit")]
    [InlineData("minutes = minutes + 1", "minutes_exceed_period")]
    [InlineData("ends_at = starts_at, minutes = 1", "minutes_exceed_period")]
    [InlineData("person_times = 2", "one_person")]
    [InlineData("person_times = 0", "minutes_exceed_period", "one_person")]
    [InlineData("claimed_minutes = 61", "claims_do_not_fit")]
    [InlineData("claimed_minutes = -1", "claims_do_not_fit")]
    [InlineData("claimed_person_times = 1", "claims_do_not_fit")]
    [InlineData("headcount_method = 'counted'", "headcount_has_method")]
    [InlineData("volunteer_id = null", "headcount_has_method")]
    public async Task A_record_beyond_its_bounds_cannot_be_written(string change, params string[] constraints)
    {
        await O.Record(Activity, await O.Volunteer(Team), At("08:00"), At("09:00"));

        var refused = await Assert.ThrowsAsync<PostgresException>(() => Tamper($"update service_records set {change}"));

        Assert.Equal(PostgresErrorCodes.CheckViolation, refused.SqlState);
        Assert.Contains(refused.ConstraintName, constraints);
    }

    [Fact]
    public async Task Every_table_is_known_as_global_or_belongs_to_an_organization()
    {
        var tables = await Names("select table_name from information_schema.tables where table_schema = 'public'");
        var tenant = await Names("select table_name from information_schema.columns where table_schema = 'public' and column_name = 'organization_id' and is_nullable = 'NO'");

        Assert.Equal(tables.Except(Global.Keys).Order(), tenant.Except(Global.Keys).Order());
        Assert.Empty(Global.Keys.Except(tables));
        Assert.True(tenant.Length >= 14, string.Join(' ', tenant));
    }

    [Fact]
    public async Task Every_key_and_unique_index_of_an_organizations_table_begins_with_the_organization()
    {
        var unique = await Names(
            """
            select t.relname || '.' || i.relname || ':' || a.attname from pg_index x
            join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
            join pg_attribute a on a.attrelid = t.oid and a.attnum = x.indkey[0]
            where t.relnamespace = 'public'::regnamespace and (x.indisunique or x.indisexclusion)
            """);

        var ofTenants = unique.Where(index => !Global.ContainsKey(index.Split('.')[0])).ToArray();
        Assert.True(ofTenants.Length >= 20, string.Join(' ', ofTenants));
        Assert.All(ofTenants, index => Assert.EndsWith(":organization_id", index, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Every_foreign_key_of_an_organizations_table_stays_within_it()
    {
        // As table>referenced:pairs of columns.
        var keys = await Names(
            """
            select c.conrelid::regclass || '>' || c.confrelid::regclass || ':' || string_agg(a.attname || '=' || b.attname, ',' order by k.place)
            from pg_constraint c cross join unnest(c.conkey, c.confkey) with ordinality k(here, there, place)
            join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.here
            join pg_attribute b on b.attrelid = c.confrelid and b.attnum = k.there
            where c.contype = 'f' and c.connamespace = 'public'::regnamespace
            group by c.oid, c.conrelid, c.confrelid
            """);

        var ofTenants = keys.Select(key => key.Split('>', ':')).Where(key => !Global.ContainsKey(key[0].Trim('"'))).ToArray();
        Assert.True(ofTenants.Length >= 15);
        Assert.All(ofTenants, key => Assert.True(
            key[1] == "organizations" ? key[2] == "organization_id=id" : !Global.ContainsKey(key[1]) && key[2].StartsWith("organization_id=organization_id,", StringComparison.Ordinal),
            string.Join(' ', key)));
    }

    [Fact]
    public async Task Nothing_is_used_that_does_not_distribute()
    {
        Assert.Equal(0, await Count("select count(*) from pg_trigger where not tgisinternal"));
        Assert.Equal(0, await Count("select count(*) from pg_rewrite r join pg_class c on c.oid = r.ev_class where c.relnamespace = 'public'::regnamespace"));
        Assert.Equal(0, await Count("select count(*) from pg_constraint where contype = 'f' and confdeltype = 'n' and cardinality(conkey) > 1"));
        Assert.Equal(["btree_gist", "plpgsql"], (await Names("select extname from pg_extension")).Order());
    }

    [Fact]
    public async Task The_migrations_say_all_that_the_model_says()
    {
        await Host.InServices(async services =>
        {
            var db = services.GetRequiredService<VolunteersDb>();
            Assert.False(db.Database.HasPendingModelChanges());
            Assert.Empty(await db.Database.GetPendingMigrationsAsync(TestContext.Current.CancellationToken));
        });
    }

    private static async Task<object?> Scalar(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }

    private Task<string[]> Names(string sql) => Ask($"select coalesce(array_agg(name::text), array[]::text[]) from ({sql}) names(name)", row => row.GetFieldValue<string[]>(0));
}
