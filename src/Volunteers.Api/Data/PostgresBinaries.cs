using System.Globalization;
using System.Text.RegularExpressions;

namespace Volunteers.Data;

/// <summary>A folder that holds <c>initdb</c> and <c>postgres</c> of a version the service works with.</summary>
internal sealed partial record PostgresBinaries(string Folder, int Major, int Minor)
{
    public const int OldestMajor = 15;

    public const string Superuser = "volunteers";

    public string Postgres => Path.Combine(Folder, "postgres");

    /// <summary>Where to look: <c>PG_BIN</c> first, then everything else.</summary>
    public static IEnumerable<string> Folders()
    {
        if (Environment.GetEnvironmentVariable("PG_BIN") is { Length: > 0 } chosen) yield return chosen;

        foreach (var folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries))
            yield return folder;

        foreach (var folder in Matching("/usr/lib/postgresql", "*")
            .Concat(Matching("/usr", "pgsql-*"))
            .Concat(Matching("/opt/homebrew/opt", "postgresql@*"))
            .Concat(Matching("/usr/local/opt", "postgresql@*")))
            yield return Path.Combine(folder, "bin");
    }

    /// <summary>What the folders hold that this user can run: newest first, but <c>PG_BIN</c> before all.</summary>
    public static IReadOnlyList<PostgresBinaries> Find(IEnumerable<string> folders, DatabaseUser user)
    {
        var found = folders.Select(Resolve).OfType<string>().Distinct()
            .Select(folder => Probe(folder, user)).OfType<PostgresBinaries>()
            .OrderByDescending(binaries => binaries.Major).ThenByDescending(binaries => binaries.Minor)
            .ToList();

        if (Environment.GetEnvironmentVariable("PG_BIN") is not { Length: > 0 } chosen) return found;

        var first = found.Find(binaries => binaries.Folder == Resolve(chosen));
        return first is null ? found : [first, .. found.Where(binaries => binaries != first)];
    }

    /// <summary>The binaries for a new data folder, or those that fit the version that made it.</summary>
    public static PostgresBinaries Choose(IReadOnlyList<PostgresBinaries> found, int? madeBy, string cluster)
    {
        if (found.Count == 0)
            throw new EmbeddedPostgresException(
                $"No PostgreSQL {OldestMajor} or later was found on this machine, and no connection string is set. Two ways out: " +
                "install PostgreSQL (on Debian and Ubuntu: apt-get install postgresql; on macOS: brew install postgresql@17; " +
                "elsewhere: name the folder of initdb and postgres in PG_BIN), or run everything in containers: docker compose up.");

        if (madeBy is null) return found[0];

        return found.FirstOrDefault(binaries => binaries.Major == madeBy) ?? throw new EmbeddedPostgresException(
            $"The data folder {cluster} was made by PostgreSQL {madeBy}, and this machine has PostgreSQL " +
            $"{string.Join(", ", found.Select(binaries => binaries.Major).Distinct())}, which cannot read it. " +
            $"Install PostgreSQL {madeBy}, or convert the folder with pg_upgrade, or start with another folder " +
            "(EmbeddedPostgres:DataDirectory). Nothing was changed.");
    }

    /// <summary>Makes a cluster in a folder that only this user can enter, where no password is asked for.</summary>
    public void MakeCluster(string folder, DatabaseUser user, params string[] options)
    {
        user.MakePrivateFolder(folder);
        var (exitCode, output) = user.Run(
        [
            Path.Combine(Folder, "initdb"), "-D", folder, "-U", Superuser, "--encoding=UTF8",
            OperatingSystem.IsMacOS() ? "--locale=C" : "--locale=C.UTF-8", "--auth-local=trust", "--auth-host=reject", .. options,
        ]);
        if (exitCode != 0) throw new EmbeddedPostgresException($"initdb could not make a database in {folder}:\n{output}");
    }

    private static string? Resolve(string folder)
    {
        // A link in the PATH leads to the real folder, next to which PostgreSQL finds its libraries and catalogues.
        var postgres = new FileInfo(Path.Combine(folder, "postgres"));
        if (!postgres.Exists) return null;

        var real = Path.GetDirectoryName(postgres.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? postgres.FullName)!;
        return File.Exists(Path.Combine(real, "initdb")) ? real : null;
    }

    private static PostgresBinaries? Probe(string folder, DatabaseUser user)
    {
        var (exitCode, output) = user.Run(Path.Combine(folder, "postgres"), "--version");
        var version = Version().Match(output);
        if (exitCode != 0 || !version.Success) return null;

        var major = int.Parse(version.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        _ = int.TryParse(version.Groups[2].ValueSpan, CultureInfo.InvariantCulture, out var minor);
        return major < OldestMajor ? null : new PostgresBinaries(folder, major, minor);
    }

    private static string[] Matching(string parent, string pattern) =>
        Directory.Exists(parent) ? Directory.GetDirectories(parent, pattern) : [];

    [GeneratedRegex(@"\(PostgreSQL\) (\d+)(?:\.(\d+))?")]
    private static partial Regex Version();
}
