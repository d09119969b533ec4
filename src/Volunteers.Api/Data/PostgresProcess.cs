using System.Globalization;
using System.Runtime.InteropServices;

namespace Volunteers.Data;

/// <summary>One running PostgreSQL on a Unix socket; it ends with this process, however this process ends.</summary>
internal sealed class PostgresProcess
{
    public const int Port = 5432;

    /// <summary>An error's detail repeats the row that was refused, with all that it says of somebody: the server's own log leaves it out.</summary>
    public static readonly string[] Discreet = ["log_error_verbosity=terse", "log_parameter_max_length=0", "log_parameter_max_length_on_error=0"];

    private const int SigInt = 2;
    private const int SigQuit = 3;

    private static readonly TimeSpan FastShutdown = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource<int> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private PostgresProcess()
    {
    }

    /// <summary>Completes with the exit code.</summary>
    public Task<int> Exited => _exited.Task;

    /// <summary>Starts PostgreSQL on a cluster and returns when it takes connections.</summary>
    public static async Task<PostgresProcess> Start(
        PostgresBinaries binaries, DatabaseUser user, string cluster, string socketFolder, string logFile,
        IEnumerable<string> settings, CancellationToken ct)
    {
        string[] command =
        [
            binaries.Postgres, "-D", cluster, "-p", Port.ToString(CultureInfo.InvariantCulture),
            .. settings.Append("listen_addresses=").Append($"unix_socket_directories={socketFolder}").SelectMany(setting => new[] { "-c", setting }),
        ];
        var stale = ReadPidFile(cluster);
        var logStart = File.Exists(logFile) ? new FileInfo(logFile).Length : 0;

        var postgres = new PostgresProcess();
        // The parent-death signal is sent when the starting thread ends, so that thread does nothing else until PostgreSQL is gone.
        new Thread(() => postgres.RunToItsEnd(user, logFile, command)) { IsBackground = true, Name = "PostgreSQL" }.Start();

        try
        {
            var id = await postgres._started.Task;
            while (!IsReady(ReadPidFile(cluster), stale, id))
            {
                if (postgres.Exited.IsCompleted) throw DidNotStart(cluster, logFile, logStart);
                await Task.Delay(20, ct);
            }

            return postgres;
        }
        catch (OperationCanceledException)
        {
            await postgres.Stop();
            throw;
        }
    }

    /// <summary>Stops PostgreSQL without losing anything: open transactions are rolled back, the rest is on disk.</summary>
    public async Task Stop() => await Stop(await _started.Task, Exited);

    /// <summary>Stops a PostgreSQL that an earlier run left behind on this cluster.</summary>
    public static async Task StopLeftover(string cluster, CancellationToken ct)
    {
        if (RunningOn(cluster) is not { } id || CommandOf(id) is not { } command) return;

        if (command.Contains(cluster, StringComparison.Ordinal))
        {
            await Stop(id, Gone(id, cluster, ct));
        }
        else if (!command.Contains("postgres", StringComparison.Ordinal) && !command.Contains("postmaster", StringComparison.Ordinal))
        {
            // After a reboot another program may have the old number, and PostgreSQL would refuse to start for ever.
            File.Delete(Path.Combine(cluster, "postmaster.pid"));
        }
    }

    /// <summary>The number of the PostgreSQL that runs on this cluster, as the cluster's own lock file has it.</summary>
    public static int? RunningOn(string cluster) =>
        int.TryParse(ReadPidFile(cluster)?.Split('\n')[0], CultureInfo.InvariantCulture, out var id) && IsAlive(id) ? id : null;

    private void RunToItsEnd(DatabaseUser user, string logFile, string[] command)
    {
        try
        {
            using var process = user.Launch(logFile, command);
            _started.SetResult(process.Id);
            process.WaitForExit();
            _exited.SetResult(process.ExitCode);
        }
        catch (Exception e) when (!_started.Task.IsCompleted)
        {
            _started.SetException(e);
        }
    }

    private static async Task Stop(int id, Task exited)
    {
        if (exited.IsCompleted) return;

        _ = Kill(id, SigInt);
        if (await Task.WhenAny(exited, Task.Delay(FastShutdown)) != exited) _ = Kill(id, SigQuit);
        await exited;
    }

    private static async Task Gone(int id, string cluster, CancellationToken ct)
    {
        // Not by its number: until somebody collects its exit code, the number of a dead process looks alive.
        while (CommandOf(id)?.Contains(cluster, StringComparison.Ordinal) == true) await Task.Delay(20, ct);
    }

    private static bool IsReady(string? pidFile, string? stale, int id)
    {
        // Lines: process, folder, start time, port, socket folder, listen address, shared memory, status.
        if (pidFile is null || pidFile == stale) return false;

        var lines = pidFile.Split('\n');
        return lines.Length > 7 && lines[0] == id.ToString(CultureInfo.InvariantCulture) && lines[7].StartsWith("ready", StringComparison.Ordinal);
    }

    private static EmbeddedPostgresException DidNotStart(string cluster, string logFile, long logStart)
    {
        using var log = new FileStream(logFile, FileMode.OpenOrCreate, FileAccess.Read, FileShare.ReadWrite);
        log.Position = Math.Min(logStart, log.Length);
        var text = new StreamReader(log).ReadToEnd();
        var last = string.Join('\n', text.Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(8));
        return new EmbeddedPostgresException($"PostgreSQL did not start on {cluster}. The end of {logFile}:\n{last}")
        {
            MayPass = text.Contains("is still in use", StringComparison.Ordinal) || text.Contains("already exists", StringComparison.Ordinal),
        };
    }

    private static string? ReadPidFile(string cluster)
    {
        try
        {
            return File.ReadAllText(Path.Combine(cluster, "postmaster.pid"));
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static string? CommandOf(int id)
    {
        if (!OperatingSystem.IsLinux())
            return DatabaseUser.Execute(["ps", "-o", "command=", "-p", id.ToString(CultureInfo.InvariantCulture)]) is (0, var shown) ? shown : null;

        try
        {
            return File.ReadAllText($"/proc/{id}/cmdline");
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static bool IsAlive(int id)
    {
        const int noSuchProcess = 3;
        return id > 0 && (Kill(id, 0) == 0 || Marshal.GetLastPInvokeError() != noSuchProcess);
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int id, int signal);
}
