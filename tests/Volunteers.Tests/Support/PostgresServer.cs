using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Npgsql;
using Testcontainers.PostgreSql;
using Volunteers.Data;

namespace Volunteers.Tests.Support;

/// <summary>
/// One PostgreSQL for a whole test run: in a container where an engine answers, else from the machine's own binaries. It ends
/// with the run even if the run is killed, and nothing it holds is meant to last.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string FolderPrefix = "/tmp/volunteers-tests-";

    private static readonly string[] Settings =
        ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=500", "jit=off", "timezone=UTC", .. PostgresProcess.Discreet];

    // PostgreSQL copies a template only while nobody else copies it.
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private readonly string _server;
    private readonly Func<ValueTask> _stop;
    private readonly Func<Task<string>> _log;

    private PostgresServer(string server, Func<ValueTask> stop, Func<Task<string>> log)
    {
        _server = server;
        _stop = stop;
        _log = log;
    }

    public static Task<PostgresServer> Start() => ContainerEngineAnswers() ? StartContainer() : StartBinaries();

    public string ConnectionString(string database) => new NpgsqlConnectionStringBuilder(_server)
    {
        Database = database,
        IncludeErrorDetail = true,
    }.ConnectionString;

    /// <summary>What the server itself has logged so far, of all databases.</summary>
    public Task<string> Log() => _log();

    /// <summary>Makes an empty database, or a copy of one that nobody is connected to.</summary>
    public async Task CreateDatabase(string name, string? template = null)
    {
        await _oneAtATime.WaitAsync();
        try
        {
            // Copying files takes a third of the time that copying through the log does.
            await Execute($"CREATE DATABASE {Quoted(name)} TEMPLATE {Quoted(template ?? "template1")} STRATEGY file_copy");
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public Task DropDatabase(string name) => Execute($"DROP DATABASE IF EXISTS {Quoted(name)} WITH (FORCE)");

    public async ValueTask DisposeAsync()
    {
        await _stop();
        _oneAtATime.Dispose();
    }

    private async Task Execute(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString("postgres"));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static bool ContainerEngineAnswers()
    {
        if (Environment.GetEnvironmentVariable("DOCKER_HOST") is { Length: > 0 }) return true;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint("/var/run/docker.sock"));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task<PostgresServer> StartContainer()
    {
        var image = Environment.GetEnvironmentVariable("VOLUNTEERS_TEST_IMAGE") is { Length: > 0 } chosen ? chosen : "postgres:15-alpine";
        var container = new PostgreSqlBuilder(image).WithCommand([.. Settings.SelectMany(setting => new[] { "-c", setting })]).Build();
        await container.StartAsync();
        return new PostgresServer(container.GetConnectionString(), container.DisposeAsync, async () =>
        {
            var (output, errors) = await container.GetLogsAsync();
            return output + errors;
        });
    }

    private static async Task<PostgresServer> StartBinaries()
    {
        SweepUp();
        var user = DatabaseUser.Find();
        var binaries = PostgresBinaries.Choose(PostgresBinaries.Find(PostgresBinaries.Folders(), user), madeBy: null, cluster: "");

        // Straight under /tmp: the path of a Unix socket is short, and as root PostgreSQL's own user has to get there.
        var folder = Directory.CreateDirectory($"{FolderPrefix}{Environment.ProcessId}-{Guid.NewGuid().ToString("N")[..8]}").FullName;
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.OtherExecute);
        var (cluster, socket, log) = (Path.Combine(folder, "postgres"), Path.Combine(folder, "run"), Path.Combine(folder, "postgres.log"));
        await Task.Run(() => binaries.MakeCluster(cluster, user, "--no-sync"));
        user.MakePrivateFolder(socket);
        var postgres = await PostgresProcess.Start(binaries, user, cluster, socket, log, Settings, CancellationToken.None);

        var server = new NpgsqlConnectionStringBuilder { Host = socket, Port = PostgresProcess.Port, Username = PostgresBinaries.Superuser };
        return new PostgresServer(server.ConnectionString, async () =>
        {
            await postgres.Stop();
            Directory.Delete(folder, recursive: true);
        }, () => File.ReadAllTextAsync(log));
    }

    /// <summary>Removes the folders of test runs that were killed.</summary>
    private static void SweepUp()
    {
        var running = Process.GetProcesses().Select(process => process.Id).ToHashSet();
        foreach (var folder in Directory.GetDirectories("/tmp", Path.GetFileName(FolderPrefix) + "*"))
        {
            var id = folder[FolderPrefix.Length..].Split('-')[0];
            if (!int.TryParse(id, CultureInfo.InvariantCulture, out var owner) || running.Contains(owner)) continue;
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Another user's, or another run is sweeping it up too.
            }
        }
    }
}
