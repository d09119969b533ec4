using Npgsql;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Data;

/// <summary>
/// Each constraint that settles a race: two sessions write what may be there once, the second waits for the first, and only
/// then knows. Over HTTP the same race ends in one success, and its name as the code of the others.
/// </summary>
public sealed class ConstraintRaceTests(TestDatabases databases) : HoursTest(databases)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>A row is copied with a new id; the columns named are what may be there once.</summary>
    [Theory]
    [InlineData("service_records", "overlapping_service", "starts_at", "starts_at + interval '10 days'", "ends_at", "ends_at + interval '10 days'")]
    [InlineData("volunteers", "volunteer_number_taken", "number", "'race'")]
    [InlineData("teams", "team_name_taken", "name", "'race'")]
    [InlineData("team_members", "already_a_member", "team_id", "'00000000-0000-7000-8000-000000000001'")]
    [InlineData("role_grants", "role_granted_twice", "account_id", "'00000000-0000-7000-8000-000000000001'", "volunteer_id", "null")]
    [InlineData("role_grants", "volunteer_already_linked", "volunteer_id", "'00000000-0000-7000-8000-000000000001'", "account_id", "gen_random_uuid()")]
    [InlineData("accounts", "login_taken", "normalized_user_name", "'RACE'", "normalized_email", "gen_random_uuid()")]
    [InlineData("idempotency_keys", "pk_idempotency_keys", "key", "'race'")]
    [InlineData("seed_loads", "pk_seed_loads", "name", "'race'")]
    [InlineData("hour_ledgers", "pk_hour_ledgers", "organization_id", "organization_id")]
    public async Task The_second_of_two_sessions_is_refused_once_the_first_commits_and_not_before(string table, string constraint, params string[] values)
    {
        await Furnish(table);
        var insert = await CopyOf(table, values);
        await using var first = await Session();
        await using var second = await Session();

        await using (var refusing = await first.BeginTransactionAsync(Ct))
        {
            await Execute(first, insert);
            var waiting = Execute(second, insert);
            await UntilItWaits(second);
            await refusing.RollbackAsync(Ct);
            await waiting;
        }
        await Tamper($"delete from {table} where ctid = (select max(ctid) from {table})");

        await using var winning = await first.BeginTransactionAsync(Ct);
        await Execute(first, insert);
        var late = Execute(second, insert);
        await UntilItWaits(second);
        await winning.CommitAsync(Ct);
        Assert.Equal(constraint, (await Assert.ThrowsAsync<PostgresException>(() => late)).ConstraintName);
    }

    [Fact]
    public async Task Over_HTTP_one_of_many_wins_and_the_others_hear_why()
    {
        var (volunteer, parent) = (await O.Volunteer(), await O.Team());
        var invitations = new string[6];
        for (var i = 0; i < invitations.Length; i++)
            invitations[i] = (string)(await Admin.Post($"/volunteers/{await O.Volunteer()}/invitation")).ShouldBe(200)["code"]!;
        var (_, accountA) = await O.Account(await O.Volunteer());
        var (_, accountB) = await O.Account(await O.Volunteer());

        await OneWins(201, "team_name_taken", _ => Admin.Post("/teams", new { name = "Drivers" }));
        await OneWins(201, "team_name_taken", _ => Admin.Post("/teams", new { name = "Night drivers", parentTeamId = parent }));
        await OneWins(201, "volunteer_number_taken", i => Admin.Post("/volunteers", new { name = $"Somebody {i}", number = "D-047" }));
        await OneWins(201, "login_taken", i => Host.Anonymous.Post("/v1/accounts",
            new { invitationCode = invitations[i], login = "same@example.org", password = Given.Password, displayName = "Somebody" }));
        await OneWins(200, "volunteer_already_linked", i => Admin.Put($"/roles/{(i % 2 == 0 ? accountA : accountB)}",
            new { roles = new[] { new { role = "volunteer", volunteerId = volunteer } } }), ofSameAccount: true);
    }

    [Fact]
    public async Task A_membership_set_by_many_at_once_is_one_membership()
    {
        var volunteer = await O.Volunteer();

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Task.Run(() => Admin.Put($"/teams/{Team}/members/{volunteer}", new { role = "core" }))));

        Assert.All(answers, answer => Assert.True(answer.Status == 200 || answer.Code == "already_a_member", answer.Text));
        Assert.Contains(answers, answer => answer.Status == 200);
        Assert.Single((await Admin.Get($"/teams/{Team}/members")).Items);
    }

    [Fact]
    public async Task An_invitation_is_used_once()
    {
        var invitation = (string)(await Admin.Post($"/volunteers/{await O.Volunteer()}/invitation")).ShouldBe(200)["code"]!;

        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(() => Host.Anonymous.Post("/v1/accounts",
            new { invitationCode = invitation, login = $"person{i}@example.com", password = Given.Password, displayName = "Somebody" }))));

        Assert.Equal(1, answers.Count(answer => answer.Status == 201));
        Assert.All(answers.Where(answer => answer.Status != 201), answer => Assert.True(answer.Code is "invitation_invalid" or "volunteer_already_linked", answer.Text));
    }

    private static async Task OneWins(int success, string code, Func<int, Task<Answer>> act, bool ofSameAccount = false)
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(() => act(i))));

        Assert.All(answers, answer => Assert.True(answer.Status == success || (answer.Status == 409 && answer.Code == code), answer.Text));
        // Saying the same of the same account again is no conflict.
        if (ofSameAccount) Assert.Equal(3, answers.Count(answer => answer.Status == success));
        else Assert.Equal(1, answers.Count(answer => answer.Status == success));
    }

    /// <summary>At least one row to copy.</summary>
    private async Task Furnish(string table)
    {
        var volunteer = await O.Volunteer(Team);
        (await Record(Admin, volunteer, At("08:00"), At("09:00"))).ShouldBe(201);
        (await Admin.Post("/teams", new { name = "Kept" }, ("Idempotency-Key", "kept"))).ShouldBe(201);
        await O.Account(volunteer);
        await Tamper(
            $"""
             insert into seed_loads (name, organization_id, loaded_at) values ('kept', '{O.Id}', now());
             insert into volunteers select (jsonb_populate_record(v, jsonb_build_object('id', '00000000-0000-7000-8000-000000000001', 'number', 'other'))).* from volunteers v limit 1;
             insert into teams select (jsonb_populate_record(t, jsonb_build_object('id', '00000000-0000-7000-8000-000000000001', 'name', 'other'))).* from teams t limit 1;
             """);
        // A ledger has no second row to be made but its first, which nothing refers to.
        if (table == "hour_ledgers") await Tamper("create table kept as table hour_ledgers; delete from hour_ledgers");
    }

    private async Task<string> CopyOf(string table, string[] values)
    {
        var chosen = values.Chunk(2).ToDictionary(pair => pair[0], pair => pair[1]);
        var columns = await Ask(
            $"select array_agg(column_name::text) from information_schema.columns where table_name = '{table}' and is_generated = 'NEVER'",
            row => row.GetFieldValue<string[]>(0));
        if (columns.Contains("id")) chosen["id"] = "gen_random_uuid()";
        var order = table == "role_grants" ? "order by volunteer_id nulls last" : "";
        return $"""
                insert into {table} ({string.Join(", ", columns)})
                select {string.Join(", ", columns.Select(column => chosen.TryGetValue(column, out var value) ? value + CastOf(table, column, value) : column))}
                from {(table == "hour_ledgers" ? "kept" : table)} {order} limit 1
                """;
    }

    private static string CastOf(string table, string column, string value) =>
        value.StartsWith('\'') && column.EndsWith("_id", StringComparison.Ordinal) ? "::uuid" : table == "accounts" && column == "normalized_email" ? "::text" : "";

    private async Task<NpgsqlConnection> Session()
    {
        var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Ct);
        return connection;
    }

    private static async Task Execute(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        Assert.Equal(1, await command.ExecuteNonQueryAsync(Ct));
    }

    private async Task UntilItWaits(NpgsqlConnection session)
    {
        while (await Count($"select count(*) from pg_stat_activity where pid = {session.ProcessID} and wait_event_type = 'Lock'") == 0) await Task.Yield();
    }
}
