using Npgsql;
using Volunteers.Data;
using Volunteers.Features.Identity;
using Volunteers.Tests.Support;
using Xunit;

[assembly: AssemblyFixture(typeof(TestDatabases))]

namespace Volunteers.Tests.Support;

/// <summary>One PostgreSQL for all tests, and a migrated template from which each test gets a database of its own.</summary>
public sealed class TestDatabases : IAsyncLifetime
{
    private const string Template = "volunteers_template";

    public PostgresServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await PostgresServer.Start();
        await Server.CreateDatabase(Template);
        var connection = new NpgsqlConnectionStringBuilder(Server.ConnectionString(Template)) { Pooling = false }.ConnectionString;
        await Migrator.Migrate(connection, connection, CancellationToken.None);
        await using var host = new ApiHost(connection);
        await host.InServices(async services =>
        {
            await SignInSetup.Prepare(services, CancellationToken.None);
            await FirstAdministrator.Ensure(services, ApiHost.OperatorLogin, ApiHost.OperatorPassword, CancellationToken.None);
        });
    }

    /// <summary>An empty, migrated database with the operator's account in it.</summary>
    public async Task<string> NewDatabase()
    {
        var name = $"t_{Guid.NewGuid():n}";
        await Server.CreateDatabase(name, Template);
        return Server.ConnectionString(name);
    }

    public async Task Drop(string connectionString)
    {
        var database = new NpgsqlConnectionStringBuilder(connectionString).Database!;
        await Server.DropDatabase(database);
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
