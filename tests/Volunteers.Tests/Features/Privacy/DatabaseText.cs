using System.Text;
using Npgsql;

namespace Volunteers.Tests.Features.Privacy;

/// <summary>Everything that a database holds, as text: what a dump of it would say.</summary>
internal static class DatabaseText
{
    public static async Task<IReadOnlyDictionary<string, string>> Of(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var connection = await source.OpenConnectionAsync();
        var tables = new List<string>();
        await using (var names = new NpgsqlCommand("select tablename from pg_tables where schemaname = 'public' order by 1", connection))
        await using (var reader = await names.ExecuteReaderAsync())
            while (await reader.ReadAsync()) tables.Add(reader.GetString(0));

        var contents = new Dictionary<string, string>();
        foreach (var table in tables)
        {
            using var copy = await connection.BeginTextExportAsync($"copy \"{table}\" to stdout");
            contents[table] = await copy.ReadToEndAsync();
        }
        return contents;
    }

    /// <summary>Where a value stands: as it is, in hexadecimal, in base 64, or as JSON escapes it.</summary>
    public static IEnumerable<string> Find(this IReadOnlyDictionary<string, string> contents, IEnumerable<string> values) =>
        from table in contents
        from value in values
        where Spellings(value).Any(spelling => table.Value.Contains(spelling, StringComparison.OrdinalIgnoreCase))
        select $"{value} in {table.Key}";

    public static IEnumerable<string> Spellings(string value)
    {
        yield return value;
        yield return Convert.ToHexString(Encoding.UTF8.GetBytes(value));
        yield return Convert.ToBase64String(Encoding.UTF8.GetBytes(value)).TrimEnd('=')[..^1];
        yield return Uri.EscapeDataString(value);
        var escaped = string.Concat(value.Select(c => c > 127 ? $"\\u{(int)c:x4}" : c.ToString()));
        yield return escaped;
        yield return escaped.Replace("\\", "\\\\", StringComparison.Ordinal);
    }
}
