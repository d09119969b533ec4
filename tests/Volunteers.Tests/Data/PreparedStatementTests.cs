using Npgsql;
using Volunteers.Platform;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Data;

/// <summary>Sessions keep statements prepared, and a migration changes tables while they do.</summary>
public sealed class PreparedStatementTests(TestDatabases databases)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_table_that_gets_a_column_meanwhile_is_busy_for_a_request_and_no_longer()
    {
        var database = await databases.NewDatabase();
        await using (var session = new NpgsqlConnection(database + ";Pooling=false;Max Auto Prepare=10;Auto Prepare Min Usages=2"))
        {
            await session.OpenAsync(Ct);
            for (var i = 0; i < 4; i++) await Read(session);

            await using (var migration = new NpgsqlConnection(database + ";Pooling=false"))
            {
                await migration.OpenAsync(Ct);
                await using var alter = new NpgsqlCommand("alter table calendar_days add column later text", migration);
                await alter.ExecuteNonQueryAsync(Ct);
            }

            var problem = DatabaseErrors.Of(await Assert.ThrowsAsync<PostgresException>(() => Read(session)), deleting: false)!;
            Assert.Equal((503, "busy"), (problem.Status, problem.Extensions["code"]));
            await Read(session);
        }
        await databases.Drop(database);
    }

    private static async Task Read(NpgsqlConnection session)
    {
        await using var command = new NpgsqlCommand("select * from calendar_days", session);
        await using var reader = await command.ExecuteReaderAsync(Ct);
        while (await reader.ReadAsync(Ct)) { }
    }
}
