using Npgsql;
using Volunteers.Data;

namespace Volunteers.Benchmarks.Core;

/// <summary>
/// A PostgreSQL of our own that keeps what it is told across a crash (fsync is on), reached through a socket by all
/// contestants alike. It ends with this program, however this program ends.
/// </summary>
internal sealed class Postgres : IAsyncDisposable
{
    private const string FolderPrefix = "/tmp/volunteers-benchmarks-";

    private static readonly string[] Settings =
    [
        "max_connections=800", "shared_buffers=1GB", "maintenance_work_mem=512MB", "max_wal_size=16GB", "checkpoint_timeout=15min", "wal_level=minimal", "max_wal_senders=0",
        "timezone=UTC", "shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track=all", "log_error_verbosity=default", "log_parameter_max_length=-1",
        // What a request says to the database is read from this log.
        "logging_collector=on", "log_destination=jsonlog", "log_filename=benchmark.log", "log_rotation_age=0", "log_rotation_size=0", "log_file_mode=0644",
    ];

    private readonly PostgresProcess process;
    private readonly string cluster;
    private readonly string temporary;
    private readonly FileStream? ours;

    private Postgres(PostgresProcess process, PostgresBinaries binaries, string cluster, string socket, string temporary, FileStream? ours)
    {
        (this.process, this.cluster, Binaries, Socket, this.temporary, this.ours) = (process, cluster, binaries.Folder, socket, temporary, ours);
        LogFile = Path.Combine(cluster, "log", "benchmark.json");
    }

    /// <summary>The folder of psql and pgbench.</summary>
    public string Binaries { get; }

    public string Socket { get; }

    /// <summary>One JSON object to a line.</summary>
    public string LogFile { get; }

    public int ProcessId => PostgresProcess.RunningOn(cluster) ?? throw new BenchmarkRefused("PostgreSQL is gone.");

    /// <param name="data">Where the cluster stays; in a temporary folder when null.</param>
    public static async Task<Postgres> Start(string? data)
    {
        var user = DatabaseUser.Find();
        var binaries = PostgresBinaries.Choose(PostgresBinaries.Find(PostgresBinaries.Folders(), user), madeBy: null, cluster: "");
        // Straight under /tmp: the path of a socket is short, and as root PostgreSQL's own user has to get there.
        SweepUp();
        var temporary = Directory.CreateDirectory($"{FolderPrefix}{Environment.ProcessId}").FullName;
        LetIn(temporary);
        FileStream? ours = null;
        if (data is not null)
        {
            LetIn(Directory.CreateDirectory(data).FullName);
            ours = Take(data);
        }
        var (cluster, socket) = (Path.Combine(data ?? temporary, "postgres"), Path.Combine(temporary, "run"));
        if (!Directory.Exists(cluster)) await Task.Run(() => binaries.MakeCluster(cluster, user));
        await PostgresProcess.StopLeftover(cluster, CancellationToken.None);
        user.MakePrivateFolder(socket);
        var process = await PostgresProcess.Start(binaries, user, cluster, socket, Path.Combine(temporary, "postgres.log"), Settings, CancellationToken.None);
        return new Postgres(process, binaries, cluster, socket, temporary, ours);
    }

    /// <param name="database">Which.</param>
    /// <param name="pooling">For a server; not for who leaves nothing behind.</param>
    public string ConnectionString(string database, bool pooling = true) => new NpgsqlConnectionStringBuilder
    {
        Host = Socket, Port = PostgresProcess.Port, Username = PostgresBinaries.Superuser, Database = database, Pooling = pooling,
    }.ConnectionString;

    /// <summary>Runs statements one by one, each by itself.</summary>
    public async Task Execute(string database, params IEnumerable<string> statements)
    {
        await using var connection = new NpgsqlConnection(ConnectionString(database, pooling: false));
        await connection.OpenAsync();
        foreach (var statement in statements)
        {
            await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync();
        }
    }

    /// <summary>The first column of every row.</summary>
    public async Task<List<T>> Query<T>(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString(database, pooling: false));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<T>();
        while (await reader.ReadAsync()) values.Add(reader.GetFieldValue<T>(0));
        return values;
    }

    public async Task<T> Scalar<T>(string database, string sql) => (await Query<T>(database, sql)).Single();

    public async ValueTask DisposeAsync()
    {
        await process.Stop();
        Directory.Delete(temporary, recursive: true);
        if (ours is not null) await ours.DisposeAsync();
    }

    /// <summary>Two runs at once would stop each other's PostgreSQL.</summary>
    private static FileStream Take(string data)
    {
        try
        {
            return new FileStream(Path.Combine(data, "taken"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new BenchmarkRefused($"Another run works with {data}.");
        }
    }

    /// <summary>Removes the folders of runs that were killed.</summary>
    private static void SweepUp()
    {
        foreach (var folder in Directory.GetDirectories("/tmp", Path.GetFileName(FolderPrefix) + "*"))
            if (!Directory.Exists($"/proc/{folder[FolderPrefix.Length..]}")) Directory.Delete(folder, recursive: true);
    }

    private static void LetIn(string folder)
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.OtherExecute);
    }
}
