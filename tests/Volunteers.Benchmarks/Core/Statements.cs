using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Volunteers.Benchmarks.Core;

/// <summary>One statement as it came to the database, and with what.</summary>
internal sealed record Statement(string Sql, IReadOnlyList<string?> Parameters)
{
    public bool Begins => Sql.StartsWith("BEGIN", StringComparison.OrdinalIgnoreCase);

    public bool Commits => Sql.StartsWith("COMMIT", StringComparison.OrdinalIgnoreCase);

    public bool Says(string text) => Parameters.Any(value => value?.Contains(text, StringComparison.Ordinal) == true);
}

/// <summary>
/// What a request says to the database, read from the database's own log: so pgbench is given the same statements, whatever
/// the service's code says next year, and they can be counted.
/// </summary>
internal static partial class Statements
{
    /// <summary>More transactions than one client of pgbench gets through in a run.</summary>
    public const int MostOfClient = 20_000;

    /// <summary>Until the log is written, and the work that earlier requests left behind is done.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(2.5);

    /// <summary>By the groups of <see cref="One"/>.</summary>
    private static readonly Dictionary<string, string> Types = new()
    {
        ["uuid"] = "uuid",
        ["uuids"] = "uuid[]",
        ["instant"] = "timestamptz",
        ["instants"] = "timestamptz[]",
        ["day"] = "date",
        ["days"] = "date[]",
        ["numbers"] = "bigint[]",
        ["bytes"] = "bytea[]",
        ["texts"] = "text[]",
    };

    /// <param name="postgres">Its log is read.</param>
    /// <param name="markers">What this request says and others do not: an organization, a person, a key.</param>
    /// <param name="act">The request.</param>
    /// <returns>All that names a marker.</returns>
    public static async Task<List<Statement>> OfRead(Postgres postgres, string[] markers, Func<Task> act) =>
        [.. (await Said(postgres, act)).Select(entry => entry.Statement).Where(statement => markers.Any(statement.Says))];

    /// <param name="postgres">Its log is read.</param>
    /// <param name="marker">What this change says and others do not.</param>
    /// <param name="act">The request.</param>
    /// <returns>Its transaction from the beginning to the end.</returns>
    public static async Task<List<Statement>> OfChange(Postgres postgres, string marker, Func<Task> act)
    {
        var said = await Said(postgres, act);
        foreach (var (_, session, named) in said.Where(entry => entry.Statement.Says(marker)))
        {
            var statements = said.Where(entry => entry.Session == session).Select(entry => entry.Statement).ToList();
            var at = statements.IndexOf(named);
            var (begin, commit) = (statements.FindLastIndex(at, statement => statement.Begins), statements.FindIndex(at, statement => statement.Commits));
            if (begin >= 0 && commit >= 0) return statements[begin..(commit + 1)];
        }
        throw new BenchmarkRefused($"The log of PostgreSQL shows no transaction with {marker}.");
    }

    private static async Task<List<(DateTimeOffset At, string Session, Statement Statement)>> Said(Postgres postgres, Func<Task> act)
    {
        await postgres.Execute("postgres", "alter system set log_statement = 'all'", "select pg_reload_conf()");
        await Task.Delay(Settling);
        var start = new FileInfo(postgres.LogFile).Length;
        await act();
        // What comes later is no part of it, and what the pool says when a connection changes hands would take pgbench's statements away.
        var end = DateTimeOffset.UtcNow;
        await Task.Delay(Settling);
        await postgres.Execute("postgres", "alter system reset log_statement", "select pg_reload_conf()");

        return [.. (await ReadLog(postgres, start)).Where(entry => entry.At <= end && entry.Statement.Sql != "DISCARD ALL")];
    }

    private static async Task<List<(DateTimeOffset At, string Session, Statement Statement)>> ReadLog(Postgres postgres, long start)
    {
        await using var log = new FileStream(postgres.LogFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        log.Position = start;
        using var reader = new StreamReader(log);
        var entries = new List<(DateTimeOffset, string, Statement)>();
        while (await reader.ReadLineAsync() is { } line)
        {
            using var entry = JsonDocument.Parse(line);
            if (Kind().Match(Text("message")) is not { Success: true } match) continue;
            var at = DateTimeOffset.ParseExact(Text("timestamp"), "yyyy-MM-dd HH:mm:ss.fff 'UTC'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
            entries.Add((at, Text("session_id"), new Statement(Text("message")[match.Length..], [.. Parameter().Matches(Text("detail")).Select(Value)])));

            string Text(string name) => entry.RootElement.TryGetProperty(name, out var value) ? value.GetString()! : "";
        }
        return entries;
    }

    /// <summary>
    /// The statements as a pgbench script. Ids that the request made are made anew by each transaction out of <c>:n</c>, which
    /// no other transaction of the run has; other values stay, but for those that are replaced.
    /// </summary>
    /// <param name="statements">What was said.</param>
    /// <param name="since">Ids younger than this were made by the request.</param>
    /// <param name="replacements">Texts within values, and the SQL that stands for them.</param>
    /// <param name="before">More variables.</param>
    /// <param name="after">What follows a statement that contains a text, such as <c>\gset</c>.</param>
    public static string Script(
        IReadOnlyList<Statement> statements, DateTimeOffset since, IReadOnlyList<(string Text, string Sql)> replacements, string before = "",
        params (string Text, string Then)[] after)
    {
        var script = new StringBuilder($"\\set i :i + 1\n\\set n :first + :client_id * {MostOfClient} + :i\n{before}\n");
        foreach (var statement in statements)
        {
            var sql = Place().Replace(statement.Sql, place => int.Parse(place.ValueSpan[1..], CultureInfo.InvariantCulture) is var at && at <= statement.Parameters.Count
                ? Literal(statement.Parameters[at - 1], since, replacements) : place.Value);
            var then = after.FirstOrDefault(follow => statement.Sql.Contains(follow.Text, StringComparison.Ordinal)).Then;
            script.Append(sql.TrimEnd().TrimEnd(';')).Append(then is null ? ";\n" : $" {then}\n");
        }
        return script.ToString();
    }

    private static string Literal(string? value, DateTimeOffset since, IReadOnlyList<(string Text, string Sql)> replacements)
    {
        if (value is null) return "null";
        var type = TypeOf(value);
        var pieces = new List<(string Text, bool IsSql)> { (value, false) };
        foreach (var (text, sql) in replacements) pieces = [.. pieces.SelectMany(piece => Split(piece, text, sql))];
        foreach (var made in Uuid().Matches(value).Select(match => match.Value).Distinct().Where(id => IsYounger(id, since)))
            pieces = [.. pieces.SelectMany(piece => Split(piece, made, $"md5(:n || '{made}')::uuid"))];

        return pieces switch
        {
            [(_, false)] => type.Length == 0 ? Quoted(value) : $"{Quoted(value)}::{type}",
            [(var sql, true)] => $"({sql})",
            _ => $"({string.Join(" || ", pieces.Select(piece => piece.IsSql ? $"({piece.Text})::text" : Quoted(piece.Text)))})" + (type.Length == 0 ? "" : $"::{type}"),
        };
    }

    private static IEnumerable<(string Text, bool IsSql)> Split((string Text, bool IsSql) piece, string text, string sql)
    {
        if (piece.IsSql) return [piece];
        // Not the digits of a longer number, such as those of a second.
        var parts = Regex.Split(piece.Text, $"(?<![0-9]){Regex.Escape(text)}(?![0-9])");
        return parts.SelectMany((part, index) => index == 0 ? [(part, false)] : new[] { (sql, true), (part, false) }).Where(part => part.Item1.Length > 0);
    }

    /// <summary>A colon before a letter would be a variable of pgbench.</summary>
    private static string Quoted(string value) => value.Contains(':', StringComparison.Ordinal) || value.Contains('\\', StringComparison.Ordinal)
        ? $"E'{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal).Replace(":", "\\x3a", StringComparison.Ordinal)}'"
        : $"'{value.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>What the log does not say, and PostgreSQL could not always tell from where the value stands.</summary>
    private static string TypeOf(string value)
    {
        if (IsJson(value)) return "jsonb";
        var group = One().Match(value).Groups.Values.Skip(1).FirstOrDefault(group => group.Success);
        return group is null ? "" : Types[group.Name];
    }

    private static bool IsJson(string value)
    {
        if (value is not (['{', ..] or ['[', ..]) || value == "{}") return false;
        try
        {
            JsonDocument.Parse(value).Dispose();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool IsYounger(string id, DateTimeOffset since) => Guid.Parse(id) is { Version: 7 }
        && long.Parse(id.Replace("-", "", StringComparison.Ordinal).AsSpan(0, 12), NumberStyles.HexNumber, CultureInfo.InvariantCulture) >= since.ToUnixTimeMilliseconds();

    private static string? Value(Match parameter) => parameter.Groups[1].Success ? parameter.Groups[1].Value.Replace("''", "'", StringComparison.Ordinal) : null;

    [GeneratedRegex(@"^(statement|execute [^:]*): ")]
    private static partial Regex Kind();

    [GeneratedRegex(@"\$\d+ = (?:'((?:[^']|'')*)'|NULL)")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"\$\d+")]
    private static partial Regex Place();

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Uuid();

    [GeneratedRegex("""
        ^(?:(?<uuid>[0-9a-f]{8}-[0-9a-f-]{27})|(?<uuids>\{[0-9a-f]{8}-[0-9a-f-]{27}.*\})|(?<instant>\d{4}-\d\d-\d\d\ \d\d:.*)|(?<instants>\{"\d{4}-\d\d-\d\d\ \d\d:.*\})|
        (?<day>\d{4}-\d\d-\d\d)|(?<days>\{\d{4}-\d\d-\d\d.*\})|(?<numbers>\{-?\d+(?:,-?\d+)*\})|(?<bytes>\{"\\\\x.*\})|(?<texts>\{.+\}))$
        """, RegexOptions.IgnorePatternWhitespace | RegexOptions.Singleline)]
    private static partial Regex One();
}
