using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Volunteers.Data;

/// <summary>
/// Where the embedded PostgreSQL lives: <c>postgres</c> (the data), <c>run</c> (its socket), <c>postgres.log</c> and
/// <c>service.lock</c>, which holds the number of the running service.
/// </summary>
internal static class DataFolder
{
    /// <summary>The given folder or the default one, made if it is missing.</summary>
    public static string Open(string? given)
    {
        var folder = Path.GetFullPath(string.IsNullOrWhiteSpace(given) ? Default() : given);
        try
        {
            if (!Directory.Exists(folder))
            {
                Directory.CreateDirectory(folder);
                // PostgreSQL's own folders inside are closed to others; as root its user has to be able to get there.
                if (!OperatingSystem.IsWindows() && Environment.IsPrivilegedProcess)
                    File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
            }

            return folder;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(folder, e);
        }
    }

    private static string Default()
    {
        // Nobody else may enter root's home, so not the user that PostgreSQL runs as either.
        var parent = Environment.IsPrivilegedProcess
            ? "/var/lib"
            : Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return Path.Combine(parent, "volunteers");
    }

    /// <summary>Held for as long as the service runs; the kernel lets go of it after a kill -9.</summary>
    public static FileStream Lock(string folder)
    {
        var path = Path.Combine(folder, "service.lock");
        try
        {
            var serviceLock = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            serviceLock.SetLength(0);
            serviceLock.Write(Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
            serviceLock.Flush();
            return serviceLock;
        }
        catch (IOException) when (HolderOf(path) is { } holder)
        {
            throw new EmbeddedPostgresException(
                $"Volunteers is already running on the data folder {folder} (process {holder}). " +
                "Stop it first, or start this one with another folder (EmbeddedPostgres:DataDirectory).");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(folder, e);
        }
    }

    // Read by cat, for .NET would ask for a lock of its own.
    private static string? HolderOf(string path) =>
        DatabaseUser.Execute(["cat", path]) is (0, { Length: > 0 } holder) ? holder : null;

    private static EmbeddedPostgresException NotWritable(string folder, Exception cause) => new(
        $"The data folder {folder} cannot be written by the user {Environment.UserName}: {cause.Message} " +
        "Give another folder (EmbeddedPostgres:DataDirectory).");

    /// <summary>The private folder of the Unix socket: inside the data folder unless its path is too long for a socket.</summary>
    public static string SocketFolder(string folder, DatabaseUser user)
    {
        var inside = Path.Combine(folder, "run");
        // The path of a Unix socket is short by nature, and both sides read some characters in it as more than a name.
        var longest = OperatingSystem.IsMacOS() ? 103 : 107;
        if (Encoding.UTF8.GetByteCount($"{inside}/.s.PGSQL.{PostgresProcess.Port}") <= longest && inside.AsSpan().IndexOfAny(",:\"\\") < 0)
        {
            user.MakePrivateFolder(inside);
            return inside;
        }

        var outside = $"/tmp/volunteers-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(folder)))[..16]}";
        return user.Can("""mkdir -m 700 "$1" 2>/dev/null; [ ! -L "$1" ] && [ -O "$1" ] && chmod 700 "$1" """, outside)
            ? outside
            : throw new EmbeddedPostgresException(
                $"The path of {folder} is too long for a socket, and {outside}, which would hold it instead, belongs to somebody else. " +
                "Give a folder with a shorter path (EmbeddedPostgres:DataDirectory).");
    }
}
