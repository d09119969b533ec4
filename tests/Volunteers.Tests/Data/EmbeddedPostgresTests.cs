using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Volunteers.Data;
using Xunit;

namespace Volunteers.Tests.Data;

public sealed class EmbeddedPostgresTests : IDisposable
{
    private readonly string _folder = Directory.CreateDirectory($"/tmp/volunteers-embedded-{Guid.NewGuid().ToString("N")[..8]}").FullName;

    public EmbeddedPostgresTests()
    {
        Assert.SkipWhen(
            PostgresBinaries.Find(PostgresBinaries.Folders(), DatabaseUser.Find()).Count == 0,
            $"There are no binaries of PostgreSQL {PostgresBinaries.OldestMajor} or later on this machine.");

        // As root, PostgreSQL runs as another user, who has to get there whatever the umask is.
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_folder, File.GetUnixFileMode(_folder) | UnixFileMode.OtherExecute);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Cluster => Path.Combine(_folder, "postgres");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_first_start_makes_a_database_that_keeps_its_promises()
    {
        await using var postgres = await Start();

        Assert.Equal("volunteers", await Ask(postgres, "SELECT current_database()"));
        Assert.Equal("volunteers", await Ask(postgres, "SELECT current_user"));
        Assert.Equal("on", await Ask(postgres, "SHOW fsync"));
        Assert.Equal("on", await Ask(postgres, "SHOW data_checksums"));
        Assert.Equal("UTF8", await Ask(postgres, "SHOW server_encoding"));
        Assert.Equal("", await Ask(postgres, "SHOW listen_addresses"));
    }

    [Fact]
    public async Task Nobody_else_can_enter_the_data_or_the_socket_folder()
    {
        if (OperatingSystem.IsWindows()) return;
        await using var postgres = await Start();

        const UnixFileMode others =
            UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute |
            UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(Cluster) & others);
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(new NpgsqlConnectionStringBuilder(postgres.ConnectionString).Host!) & others);
    }

    [Fact]
    public async Task Data_survives_a_restart()
    {
        await using (var first = await Start()) await Ask(first, "CREATE TABLE kept AS SELECT 42 AS answer");

        await using var second = await Start();

        Assert.Equal(42, await Ask(second, "SELECT answer FROM kept"));
    }

    [Fact]
    public async Task Stopping_leaves_no_process_behind()
    {
        int id;
        await using (await Start()) id = PostgresProcess.RunningOn(Cluster)!.Value;

        Assert.Throws<ArgumentException>(() => Process.GetProcessById(id));
        Assert.Null(PostgresProcess.RunningOn(Cluster));
    }

    [Fact]
    public async Task A_database_that_is_killed_comes_back_with_its_data_under_the_same_connection_string()
    {
        await using var postgres = await Start();
        await Ask(postgres, "CREATE TABLE kept AS SELECT 42 AS answer");

        Kill(PostgresProcess.RunningOn(Cluster)!.Value);

        Assert.Equal(42, await AskUntilAnswered(postgres, "SELECT answer FROM kept"));
    }

    [Fact]
    public async Task A_database_that_is_killed_again_and_again_keeps_coming_back()
    {
        await using var postgres = await Start();
        await Ask(postgres, "CREATE TABLE kept (n integer)");

        for (var kill = 1; kill <= 3; kill++)
        {
            Kill(PostgresProcess.RunningOn(Cluster)!.Value);
            await AskUntilAnswered(postgres, $"INSERT INTO kept VALUES ({kill}) RETURNING n");
        }

        Assert.Equal(3L, await Ask(postgres, "SELECT count(DISTINCT n) FROM kept"));
    }

    [Fact]
    public async Task A_second_start_on_the_same_folder_is_refused_and_names_the_process()
    {
        await using var first = await Start();

        var refusal = await Assert.ThrowsAsync<EmbeddedPostgresException>(Start);

        Assert.Contains("already running", refusal.Message, StringComparison.Ordinal);
        Assert.Contains($"process {Environment.ProcessId}", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(1, await Ask(first, "SELECT 1"));
    }

    [Fact]
    public async Task A_postgres_that_a_killed_service_left_behind_is_taken_over_with_its_data()
    {
        await using (var first = await Start()) await Ask(first, "CREATE TABLE kept AS SELECT 42 AS answer");
        var leftover = await StartLeftover();

        await using var second = await Start();

        await leftover.Exited.WaitAsync(TimeSpan.FromMinutes(1), Ct);
        Assert.Equal(42, await Ask(second, "SELECT answer FROM kept"));
    }

    [Fact]
    public async Task A_lock_file_whose_process_number_another_program_has_got_does_not_stop_a_start()
    {
        await using (var first = await Start()) await Ask(first, "CREATE TABLE kept AS SELECT 42 AS answer");
        using var other = Process.Start("sleep", "60");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(Cluster, "postmaster.pid"), $"{other.Id}\n{Cluster}\n1\n5432\n\n\n 1 1\nready   \n", Ct);

            await using var second = await Start();

            Assert.Equal(42, await Ask(second, "SELECT answer FROM kept"));
        }
        finally
        {
            other.Kill();
        }
    }

    [Fact]
    public async Task A_first_start_that_was_cut_short_is_begun_again()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "postgres.new", "base"));
        await File.WriteAllTextAsync(Path.Combine(_folder, "postgres.new", "PG_VERSION"), "15\n", Ct);

        await using var postgres = await Start();

        Assert.Equal(1, await Ask(postgres, "SELECT 1"));
        Assert.False(Directory.Exists(Path.Combine(_folder, "postgres.new")));
    }

    [Fact]
    public async Task A_folder_of_another_version_is_refused_naming_both_and_left_as_it_is()
    {
        int installed;
        await using (var first = await Start())
            installed = int.Parse(((string)(await Ask(first, "SHOW server_version_num"))!)[..2], CultureInfo.InvariantCulture);
        await File.WriteAllTextAsync(Path.Combine(Cluster, "PG_VERSION"), "99\n", Ct);

        var refusal = await Assert.ThrowsAsync<EmbeddedPostgresException>(Start);

        Assert.Contains("made by PostgreSQL 99", refusal.Message, StringComparison.Ordinal);
        Assert.Contains($"PostgreSQL {installed}", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("99\n", await File.ReadAllTextAsync(Path.Combine(Cluster, "PG_VERSION"), Ct));
    }

    [Fact]
    public void An_existing_folder_gets_the_binaries_that_made_it_and_a_new_one_the_newest()
    {
        PostgresBinaries[] found = [new("/newest", 18, 1), new("/old", 15, 9)];

        Assert.Equal("/old", PostgresBinaries.Choose(found, madeBy: 15, "").Folder);
        Assert.Equal("/newest", PostgresBinaries.Choose(found, madeBy: null, "").Folder);
    }

    [Fact]
    public async Task Without_binaries_the_message_says_both_ways_out()
    {
        var refusal = await Assert.ThrowsAsync<EmbeddedPostgresException>(
            () => EmbeddedPostgres.Start(_folder, ["/nowhere", _folder], NullLogger.Instance, Ct));

        Assert.Contains("install PostgreSQL", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("docker compose up", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_named()
    {
        var file = Path.Combine(_folder, "a-file");
        await File.WriteAllTextAsync(file, "", Ct);

        var refusal = await Assert.ThrowsAsync<EmbeddedPostgresException>(
            () => EmbeddedPostgres.Start(Path.Combine(file, "data"), NullLogger.Instance, Ct));

        Assert.Contains(Path.Combine(file, "data"), refusal.Message, StringComparison.Ordinal);
        Assert.Contains("cannot be written", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_too_deep_for_a_socket_still_works()
    {
        var deep = Path.Combine(_folder, new string('x', 100));

        await using var postgres = await EmbeddedPostgres.Start(deep, NullLogger.Instance, Ct);

        Assert.Equal(1, await Ask(postgres, "SELECT 1"));
    }

    private Task<EmbeddedPostgres> Start() => EmbeddedPostgres.Start(_folder, NullLogger.Instance, Ct);

    /// <summary>A PostgreSQL that runs on the folder although no service does.</summary>
    private async Task<PostgresProcess> StartLeftover()
    {
        var user = DatabaseUser.Find();
        var binaries = PostgresBinaries.Find(PostgresBinaries.Folders(), user)[0];
        return await PostgresProcess.Start(
            binaries, user, Cluster, Path.Combine(_folder, "run"), Path.Combine(_folder, "postgres.log"), [], Ct);
    }

    private static void Kill(int id)
    {
        using var process = Process.GetProcessById(id);
        process.Kill();
        process.WaitForExit();
    }

    private static async Task<object?> Ask(EmbeddedPostgres postgres, string sql)
    {
        await using var connection = new NpgsqlConnection(postgres.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Ct);
    }

    private static async Task<object?> AskUntilAnswered(EmbeddedPostgres postgres, string sql)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return await Ask(postgres, sql);
            }
            catch (NpgsqlException) when (waited.Elapsed < TimeSpan.FromSeconds(30))
            {
                await Task.Delay(50, Ct);
            }
        }
    }
}
