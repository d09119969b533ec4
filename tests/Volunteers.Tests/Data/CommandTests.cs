using Npgsql;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Data;

/// <summary>The program's commands, each run as a process against a database or a data folder of its own.</summary>
public sealed class CommandTests(TestDatabases databases)
{
    private static readonly string Seeds = Path.Combine(AppContext.BaseDirectory, "seeds", "shixia");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_first_start_says_where_it_listens_and_who_may_sign_in_and_later_ones_keep_what_is_there()
    {
        var folder = ServiceProcess.NewDataFolder();
        try
        {
            string team;
            await using (var first = await ServiceProcess.Serve(folder))
            {
                Assert.Contains($"{first.Address}/swagger", first.Output, StringComparison.Ordinal);
                Assert.Contains("admin@localhost", first.Output, StringComparison.Ordinal);
                Assert.Contains((await File.ReadAllTextAsync(Path.Combine(folder, "admin-password"), Ct)).Trim(), first.Output, StringComparison.Ordinal);
                var api = await first.SignIn(folder);
                team = (await api.Post("/teams", new { name = "Made on the first day" })).ShouldBe(201).Id;
                Assert.True((bool)(await api.Get("/ledger/verification")).ShouldBe(200)["valid"]!);

                await using var second = ServiceProcess.Run("", ServiceProcess.InDevelopment(folder));
                Assert.Equal(1, await second.ExitCode());
                Assert.Contains("already running", second.Output, StringComparison.Ordinal);
                Assert.DoesNotContain("   at ", second.Output, StringComparison.Ordinal);
                await first.Stop();
            }

            await using var again = await ServiceProcess.Serve(folder);
            // One organization only, so nothing was seeded twice.
            (await (await again.SignIn(folder)).Get($"/teams/{team}")).ShouldBe(200);
            await again.Stop();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("migrate")]
    [InlineData("seed somewhere")]
    public async Task Outside_Development_nothing_starts_without_a_database_and_one_message_says_so(string command)
    {
        await using var process = ServiceProcess.Run(command);

        Assert.Equal(1, await process.ExitCode());
        Assert.StartsWith("No database is configured. Set ConnectionStrings:Volunteers", process.Output, StringComparison.Ordinal);
        Assert.Single(process.Output.Trim().Split('\n'));
    }

    [Fact]
    public async Task An_unknown_command_says_which_there_are()
    {
        await using var process = ServiceProcess.Run("migrat");

        Assert.Equal(1, await process.ExitCode());
        Assert.StartsWith("Usage: Volunteers.Api [migrate | seed FOLDER | prune | rotate-keys | remove-second-factor LOGIN | healthcheck]", process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_was_not_migrated_makes_the_service_alive_but_not_ready()
    {
        var database = await NewDatabase();
        var port = FreePort();
        await using var service = ServiceProcess.Run("", ("ConnectionStrings__Volunteers", database), ("ASPNETCORE_HTTP_PORTS", $"{port}"));
        var api = new Api(new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") }, "");

        await UntilHealthy(port, service);
        var refused = (await api.Get("/health/ready")).ShouldRefuse(503, "not_migrated");
        Assert.NotNull(refused.Header("Retry-After"));
        Assert.Contains("Volunteers.Api migrate", (string)refused["detail"]!, StringComparison.Ordinal);
        Assert.Contains("Run: Volunteers.Api migrate", service.Output, StringComparison.Ordinal);

        await Succeeds("migrate", database);
        (await api.Get("/health/ready")).ShouldBe(200);
        await databases.Drop(database);
    }

    [Fact]
    public async Task Migrating_twice_and_twice_at_once_leaves_one_of_everything()
    {
        var database = await NewDatabase();

        await Task.WhenAll(Succeeds("migrate", database), Succeeds("migrate", database), Succeeds("migrate", database));
        await Succeeds("migrate", database);

        Assert.Equal(2L, await Ask(database, "select count(*) from server_keys"));
        Assert.Equal(1L, await Ask(database, "select count(*) from accounts where is_operator"));
        Assert.Equal(1L, await Ask(database, "select count(*) from openiddict_scopes"));
        Assert.Equal(2L, await Ask(database, "select count(*) from openiddict_applications"));
        await databases.Drop(database);
    }

    [Fact]
    public async Task Seeds_are_loaded_once_however_often_and_by_whomever_they_are_asked_for()
    {
        var database = await NewDatabase();
        await Succeeds("migrate", database);

        var outputs = await Task.WhenAll(Succeeds($"seed {Seeds}", database), Succeeds($"seed {Seeds}", database));
        var again = await Succeeds($"seed {Seeds}", database);

        var words = outputs.Select(output => output.Trim().Split('\n')[^1]).ToArray();
        Assert.Contains($"Loaded {Seeds}.", words);
        Assert.Contains($"{Seeds} was loaded before; nothing changed.", words);
        Assert.EndsWith($"{Seeds} was loaded before; nothing changed.", again.Trim(), StringComparison.Ordinal);
        Assert.Equal(1L, await Ask(database, "select count(*) from organizations"));
        Assert.Equal(1L, await Ask(database, "select count(*) from hour_ledgers where position = (select count(*) from hour_postings) and position > 0"));
        await databases.Drop(database);
    }

    [Fact]
    public async Task Whoever_runs_the_service_removes_a_second_factor_that_was_lost()
    {
        var database = await databases.NewDatabase();
        await Ask(database, "insert into second_factors (account_id, protected, created_at, confirmed_at, last_step) select id, '', now(), now(), 0 from accounts returning 1");

        Assert.Contains("No account with this login", await Succeeds("remove-second-factor nobody@example.org", database), StringComparison.Ordinal);
        Assert.Equal(1L, await Ask(database, "select count(*) from second_factors"));
        Assert.Contains("The second factor is removed.", await Succeeds($"remove-second-factor {ApiHost.OperatorLogin.ToUpperInvariant()}", database), StringComparison.Ordinal);
        Assert.Equal(0L, await Ask(database, "select count(*) from second_factors"));
        await databases.Drop(database);
    }

    [Fact]
    public async Task A_folder_without_seeds_is_refused_in_one_line()
    {
        var database = await databases.NewDatabase();
        await using var process = ServiceProcess.Run("seed /nowhere", Settings(database));

        Assert.Equal(1, await process.ExitCode());
        Assert.EndsWith("/nowhere has no organization.json.", process.Output.Trim(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", process.Output, StringComparison.Ordinal);
        await databases.Drop(database);
    }

    [Fact]
    public async Task Healthcheck_ends_with_0_where_the_service_answers_and_with_1_where_nothing_does()
    {
        var database = await databases.NewDatabase();
        var port = FreePort();
        Assert.Equal(1, await Healthcheck(port));
        await using var service = ServiceProcess.Run("", [.. Settings(database), ("ASPNETCORE_HTTP_PORTS", $"{port}")]);

        await UntilHealthy(port, service);

        Assert.Equal(0, await Healthcheck(port));
        await service.Stop();
        Assert.Equal(1, await Healthcheck(port));
        await databases.Drop(database);
    }

    private static (string, string)[] Settings(string database) =>
        [("ConnectionStrings__Volunteers", database), ("Bootstrap__AdminLogin", "admin@example.org"), ("Bootstrap__AdminPassword", "a-good-password")];

    private static async Task<string> Succeeds(string command, string database)
    {
        await using var process = ServiceProcess.Run(command, Settings(database));
        Assert.True(await process.ExitCode() == 0, process.Output);
        return process.Output;
    }

    private static async Task<int> Healthcheck(int port)
    {
        await using var process = ServiceProcess.Run("healthcheck", ("ASPNETCORE_HTTP_PORTS", $"{port}"));
        return await process.ExitCode();
    }

    private static async Task UntilHealthy(int port, ServiceProcess service)
    {
        using var http = new HttpClient();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                if ((await http.GetAsync(new Uri($"http://127.0.0.1:{port}/health/live"), Ct)).IsSuccessStatusCode) return;
            }
            catch (HttpRequestException) when (attempt < 300)
            {
                await Task.Delay(100, Ct);
            }
            Assert.True(attempt < 300, service.Output);
        }
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task<string> NewDatabase()
    {
        var name = $"t_{Guid.NewGuid():n}";
        await databases.Server.CreateDatabase(name);
        return databases.Server.ConnectionString(name);
    }

    private static async Task<object?> Ask(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Ct);
    }
}
