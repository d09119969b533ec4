using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Volunteers.Data;

/// <summary>
/// The private PostgreSQL of a service that was given no connection string: made on the first start, kept alive while the
/// service runs, stopped with it. It listens on a Unix socket in a folder that nobody else can enter.
/// </summary>
internal sealed class EmbeddedPostgres : IAsyncDisposable
{
    private const string Name = PostgresBinaries.Superuser;
    private const long LargestLog = 10 * 1024 * 1024;

    private static readonly string[] Settings =
        ["max_connections=200", "shared_buffers=128MB", "jit=off", "log_checkpoints=off", "timezone=UTC", .. PostgresProcess.Discreet];

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DatabaseUser _user;
    private readonly PostgresBinaries _binaries;
    private readonly FileStream _serviceLock;
    private readonly string _socketFolder;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private Task _supervision = Task.CompletedTask;

    private EmbeddedPostgres(
        string folder, string socketFolder, DatabaseUser user, PostgresBinaries binaries, FileStream serviceLock, ILogger logger)
    {
        DataDirectory = folder;
        _socketFolder = socketFolder;
        _user = user;
        _binaries = binaries;
        _serviceLock = serviceLock;
        _logger = logger;
        ConnectionString = ConnectionStringTo(Name);
    }

    /// <summary>Stays the same for as long as the service runs, whatever happens to the database.</summary>
    public string ConnectionString { get; }

    public string DataDirectory { get; }

    private string Cluster => ClusterIn(DataDirectory);

    private string LogFile => Path.Combine(DataDirectory, "postgres.log");

    /// <summary>Starts the database, making it first if the folder has none.</summary>
    /// <param name="dataDirectory">Where it is kept; by default in the user's local data folder.</param>
    /// <param name="logger">Told of restarts while the service runs.</param>
    /// <param name="ct">Gives up waiting and stops what was started.</param>
    public static Task<EmbeddedPostgres> Start(string? dataDirectory, ILogger logger, CancellationToken ct) =>
        Start(dataDirectory, PostgresBinaries.Folders(), logger, ct);

    internal static async Task<EmbeddedPostgres> Start(
        string? dataDirectory, IEnumerable<string> binaryFolders, ILogger logger, CancellationToken ct)
    {
        if (OperatingSystem.IsWindows())
            throw new EmbeddedPostgresException(
                "The private PostgreSQL runs on Linux and macOS. Here, set ConnectionStrings:Volunteers to a PostgreSQL, or run docker compose up.");

        var user = DatabaseUser.Find();
        var folder = DataFolder.Open(dataDirectory);
        var serviceLock = DataFolder.Lock(folder);
        try
        {
            if (!user.Can("""cd "$1" """, folder))
                throw new EmbeddedPostgresException(
                    $"The data folder {folder} cannot be entered by the user {user.Name}, who runs PostgreSQL because it refuses to run as root. " +
                    "Let others pass (chmod o+x on the folder and those above it), or give another folder (EmbeddedPostgres:DataDirectory).");

            var madeBy = VersionOf(ClusterIn(folder), user);
            var binaries = PostgresBinaries.Choose(PostgresBinaries.Find(binaryFolders, user), madeBy, ClusterIn(folder));
            if (madeBy is null)
            {
                logger.LogInformation("Making a private PostgreSQL {Version} in {Folder}.", binaries.Major, folder);
                await Task.Run(() => MakeCluster(folder, binaries, user), ct);
            }

            var postgres = new EmbeddedPostgres(folder, DataFolder.SocketFolder(folder, user), user, binaries, serviceLock, logger);
            await postgres.Begin(ct);
            return postgres;
        }
        catch
        {
            await serviceLock.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _supervision;
        if (_socketFolder != Path.Combine(DataDirectory, "run")) Directory.Delete(_socketFolder, recursive: true);
        await _serviceLock.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task Begin(CancellationToken ct)
    {
        if (File.Exists(LogFile) && new FileInfo(LogFile).Length > LargestLog)
            File.Move(LogFile, LogFile + ".old", overwrite: true);

        _supervision = Supervise(await Launch(ct));
        try
        {
            await MakeDatabase(ct);
        }
        catch
        {
            await _stopping.CancelAsync();
            await _supervision;
            throw;
        }
    }

    private async Task Supervise(PostgresProcess process)
    {
        var stopping = _stopping.Token;
        while (true)
        {
            await Task.WhenAny(process.Exited, Task.Delay(Timeout.Infinite, stopping));
            if (stopping.IsCancellationRequested)
            {
                await process.Stop();
                return;
            }

            _logger.LogWarning("The private PostgreSQL has ended (exit code {ExitCode}); starting it again.", await process.Exited);
            if (await Relaunch(stopping) is not { } next) return;

            process = next;
            _logger.LogWarning("The private PostgreSQL is running again.");
        }
    }

    private async Task<PostgresProcess?> Relaunch(CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                return await Launch(stopping);
            }
            catch (OperationCanceledException)
            {
                return null;
            }
            catch (Exception e)
            {
                // The service lives on and says that it is not ready; the reason may go away, as a full disk does.
                _logger.LogError(e, "The private PostgreSQL cannot be started again; the next try is in 5 seconds.");
            }

            await Task.WhenAny(Task.Delay(TimeSpan.FromSeconds(5), stopping));
        }
    }

    private async Task<PostgresProcess> Launch(CancellationToken ct)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            await PostgresProcess.StopLeftover(Cluster, ct);
            foreach (var stale in Directory.GetFiles(_socketFolder, ".s.PGSQL.*")) File.Delete(stale);
            try
            {
                return await PostgresProcess.Start(_binaries, _user, Cluster, _socketFolder, LogFile, Settings, ct);
            }
            catch (EmbeddedPostgresException e) when (e.MayPass && waited.Elapsed < Patience)
            {
                // After a kill -9 the old sessions hold the shared memory until they notice.
                await Task.Delay(200, ct);
            }
        }
    }

    private async Task MakeDatabase(CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(ConnectionStringTo("postgres") + ";Pooling=false");
        await connection.OpenAsync(ct);
        await using var find = new NpgsqlCommand($"SELECT 1 FROM pg_database WHERE datname = '{Name}'", connection);
        if (await find.ExecuteScalarAsync(ct) is not null) return;

        await using var create = new NpgsqlCommand($"CREATE DATABASE {Name}", connection);
        await create.ExecuteNonQueryAsync(ct);
    }

    private string ConnectionStringTo(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = _socketFolder,
        Port = PostgresProcess.Port,
        Username = Name,
        Database = database,
        SslMode = SslMode.Disable,
    }.ConnectionString;

    private static string ClusterIn(string folder) => Path.Combine(folder, "postgres");

    private static int? VersionOf(string cluster, DatabaseUser user)
    {
        if (!Directory.Exists(cluster)) return null;

        if (!user.Can("""[ -O "$1" ]""", cluster))
            throw new EmbeddedPostgresException(
                $"The data folder {cluster} does not belong to the user {user.Name}, who would run PostgreSQL. Start the service as the " +
                "user that made it (PostgreSQL then runs as the same one), or give another folder (EmbeddedPostgres:DataDirectory).");

        var version = Path.Combine(cluster, "PG_VERSION");
        return File.Exists(version) && int.TryParse(File.ReadAllText(version).Split('.')[0], CultureInfo.InvariantCulture, out var major)
            ? major
            : throw new EmbeddedPostgresException(
                $"The folder {cluster} holds no PostgreSQL data (no PG_VERSION). Move it away, or give another folder (EmbeddedPostgres:DataDirectory).");
    }

    private static void MakeCluster(string folder, PostgresBinaries binaries, DatabaseUser user)
    {
        // Made beside its place and renamed when whole: a kill in the middle leaves nothing that looks like a database.
        var unfinished = Path.Combine(folder, "postgres.new");
        if (Directory.Exists(unfinished)) Directory.Delete(unfinished, recursive: true);
        binaries.MakeCluster(unfinished, user, "--data-checksums");
        Directory.Move(unfinished, ClusterIn(folder));
        // The new name has to outlive a power cut, or the next start would take the folder for an unfinished one.
        _ = DatabaseUser.Execute(["sync", folder]);
    }
}
