using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Volunteers.Data;

/// <summary>
/// Who PostgreSQL runs as: whoever runs the service or, because PostgreSQL refuses to run as root, an unprivileged user.
/// </summary>
internal sealed class DatabaseUser
{
    // What else the service was started with (passwords, PGPORT, NOTIFY_SOCKET) is none of PostgreSQL's business.
    private static readonly string[] PassedOn = ["PATH", "HOME", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

    private readonly (string Uid, string Gid)? _changeTo;
    private readonly string[] _prefix;

    private DatabaseUser(string name, (string, string)? changeTo, string[] prefix)
    {
        Name = name;
        _changeTo = changeTo;
        _prefix = prefix;
    }

    public string Name { get; }

    public static DatabaseUser Find()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            // Ends PostgreSQL with the service even after a kill -9. Where setpriv is missing the next start clears up.
            string[] endWithParent = ["setpriv", "--pdeathsig=INT"];
            var works = OperatingSystem.IsLinux() && Execute([.. endWithParent, "true"]).ExitCode == 0;
            return new DatabaseUser(Environment.UserName, null, works ? endWithParent : []);
        }

        if ((Account("postgres") ?? Account("nobody")) is not { } account)
            throw new EmbeddedPostgresException(
                "PostgreSQL does not run as root, and this machine has neither a user postgres nor nobody to run it. " +
                "Start the service as an ordinary user.");

        string[] prefix =
            ["setpriv", $"--reuid={account.Uid}", $"--regid={account.Gid}", "--init-groups", "--pdeathsig=INT"];
        var (exitCode, output) = Execute([.. prefix, "true"]);
        if (exitCode != 0)
            throw new EmbeddedPostgresException(
                $"PostgreSQL does not run as root, and setpriv (of util-linux) cannot change to the user {account.Name}: " +
                $"{output} Start the service as an ordinary user.");

        return new DatabaseUser(account.Name, (account.Uid, account.Gid), prefix);
    }

    /// <summary>Runs a command as this user to its end. Blocks: the kernel ends the command with the thread that started it.</summary>
    public (int ExitCode, string Output) Run(params string[] command) => Execute([.. _prefix, .. command]);

    /// <summary>Whether a shell test on the path, its <c>$1</c>, succeeds for this user.</summary>
    public bool Can(string test, string path) => Run("/bin/sh", "-c", test, "sh", path).ExitCode == 0;

    /// <summary>Starts a command as this user, out of reach of the terminal's Ctrl+C, its output appended to a file.</summary>
    public Process Launch(string logFile, IEnumerable<string> command)
    {
        // The shell, setsid and setpriv all exec, so the process started here is PostgreSQL's own.
        string[] ownSession = OperatingSystem.IsLinux() ? ["setsid"] : [];
        return Begin(["/bin/sh", "-c", """umask 077; exec "$@" >>"$0" 2>&1 </dev/null""", logFile, .. ownSession, .. _prefix, .. command]);
    }

    /// <summary>Makes an empty folder that this user alone can enter, or tightens the one that is there.</summary>
    public void MakePrivateFolder(string path)
    {
        if (OperatingSystem.IsWindows()) throw new PlatformNotSupportedException();

        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Directory.CreateDirectory(path, ownerOnly);
        File.SetUnixFileMode(path, ownerOnly);
        if (_changeTo is { } ids && Execute(["chown", $"{ids.Uid}:{ids.Gid}", path]) is (not 0, var output))
            throw new EmbeddedPostgresException($"The folder {path} cannot be given to the user {Name}: {output}");
    }

    /// <summary>Runs a command as whoever runs the service.</summary>
    public static (int ExitCode, string Output) Execute(string[] command)
    {
        try
        {
            using var process = Begin(command);
            var errors = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, (output + errors.GetAwaiter().GetResult()).Trim());
        }
        catch (Win32Exception e)
        {
            return (127, e.Message);
        }
    }

    private static Process Begin(string[] command)
    {
        // All three streams are redirected so that .NET does not take the terminal for the child's.
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = "/",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var passedOn = PassedOn.Where(start.Environment.ContainsKey).Select(name => (name, start.Environment[name])).ToList();
        start.Environment.Clear();
        foreach (var (name, value) in passedOn) start.Environment[name] = value;
        start.Environment["LC_ALL"] = "C";

        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    private static (string Name, string Uid, string Gid)? Account(string name)
    {
        var entry = File.Exists("/etc/passwd")
            ? File.ReadLines("/etc/passwd").Select(line => line.Split(':')).FirstOrDefault(fields => fields[0] == name && fields.Length > 3)
            : null;
        return entry is not null && int.TryParse(entry[2], CultureInfo.InvariantCulture, out var uid) && uid != 0
            ? (name, entry[2], entry[3])
            : null;
    }
}
