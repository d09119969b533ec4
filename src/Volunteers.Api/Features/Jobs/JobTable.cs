using System.Text.Json;
using Volunteers.Features.Reports;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Jobs;

/// <summary>A row of a file, by the number that a spreadsheet shows; of NDJSON by its line.</summary>
/// <param name="Number">Counted from 1; the headings of a spreadsheet are row 1.</param>
/// <param name="Cells">In the order of the headings.</param>
/// <param name="Fault">Why it cannot be read at all.</param>
internal sealed record FileRow(int Number, object?[] Cells, RuleBreach? Fault = null);

/// <summary>The rows of a file in any of the formats. Nothing in it is trusted.</summary>
/// <param name="Headings">As the file writes them.</param>
/// <param name="Rows">Those in which anything stands, read as they are asked for; each time from the beginning.</param>
internal sealed record JobTable(object?[] Headings, IEnumerable<FileRow> Rows)
{
    public const int MostRows = 1_000_000;

    /// <summary>A line of NDJSON that is longer is refused; one of CSV ends the import.</summary>
    public const int LongestLine = 128 * 1024;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 3, AllowDuplicateProperties = false };

    public static JobFormat FormatOf(byte[] content) => content.AsSpan() switch
    {
        [0x50, 0x4B, 0x03, 0x04, ..] => JobFormat.Xlsx,
        [0xD0, 0xCF, 0x11, 0xE0, ..] => throw RuleBreach.Precondition("old_spreadsheet", StatusCodes.Status415UnsupportedMediaType),
        [0xEF, 0xBB, 0xBF, .. var marked] => IsObject(marked) ? JobFormat.Ndjson : JobFormat.Csv,
        var plain => IsObject(plain) ? JobFormat.Ndjson : JobFormat.Csv,
    };

    public static JobTable Open(MemoryStream content, JobFormat format)
    {
        if (format == JobFormat.Ndjson) return OpenLines(content);
        return new JobTable(ImportFile.Table(content, MostRows).FirstOrDefault() ?? throw RuleBreach.Malformed("no_heading_row", ""), Spreadsheet(content, format));
    }

    private static IEnumerable<FileRow> Spreadsheet(MemoryStream content, JobFormat format)
    {
        var rows = 0;
        foreach (var (index, cells) in ImportFile.Table(content, MostRows).Index().Skip(1))
        {
            // What our own exports made harmless says again what it said.
            if (format == JobFormat.Csv)
                for (var i = 0; i < cells.Length; i++) cells[i] = cells[i] is string text ? CellGuard.Lift(text) : cells[i];
            if (Checked(new FileRow(index + 1, cells)) is not { } row) continue;
            if (++rows > MostRows) throw RuleBreach.Malformed("too_many_rows", "", MostRows);
            yield return row;
        }
    }

    /// <returns>Null for a row in which nothing stands.</returns>
    private static FileRow? Checked(FileRow row)
    {
        try
        {
            var texts = row.Cells.Select(ImportCell.TextOf).ToList();
            if (texts.TrueForAll(text => text.Length == 0)) return null;
            return texts.Exists(text => text.Contains('\0', StringComparison.Ordinal)) ? row with { Fault = RuleBreach.Malformed("malformed_line", "") } : row;
        }
        catch (RuleBreach breach)
        {
            return row with { Fault = breach };
        }
    }

    private static JobTable OpenLines(MemoryStream content)
    {
        var names = new Dictionary<string, int>();
        var (rows, any) = (0, false);
        foreach (var line in Lines(content))
        {
            any = true;
            if (++rows > MostRows) throw RuleBreach.Malformed("too_many_rows", "", MostRows);
            if (Parsed(line.Bytes.Span) is { } members)
                foreach (var name in members.Keys) names.TryAdd(name, names.Count);
            if (names.Count > ImportColumns.Most) throw RuleBreach.Malformed("too_many_columns", "", ImportColumns.Most);
        }
        if (!any || names.Count == 0) throw RuleBreach.Malformed("no_heading_row", "");
        return new JobTable([.. names.Keys], Lines(content).Select(line => RowOf(line.Number, line.Bytes.Span, names)));
    }

    private static FileRow RowOf(int number, ReadOnlySpan<byte> line, Dictionary<string, int> names)
    {
        var cells = new object?[names.Count];
        if (Parsed(line) is not { } members) return new FileRow(number, cells, RuleBreach.Malformed("malformed_line", ""));
        foreach (var (name, value) in members) cells[names[name]] = value;
        return Checked(new FileRow(number, cells)) ?? new FileRow(number, cells, RuleBreach.Malformed("malformed_line", ""));
    }

    private static IEnumerable<(int Number, ReadOnlyMemory<byte> Bytes)> Lines(MemoryStream content)
    {
        var rest = new ReadOnlyMemory<byte>(content.GetBuffer(), 0, (int)content.Length);
        if (rest.Span is [0xEF, 0xBB, 0xBF, ..]) rest = rest[3..];
        for (var number = 1; rest.Length > 0; number++)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            var line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            if (line.Span.IndexOfAnyExcept(" \t\r"u8) >= 0) yield return (number, line);
        }
    }

    /// <returns>Texts, numbers and booleans by the member's name, lists of texts as one text; null for a line that is nothing of the kind.</returns>
    private static Dictionary<string, object?>? Parsed(ReadOnlySpan<byte> line)
    {
        if (line.Length > LongestLine) return null;
        try
        {
            using var document = JsonDocument.Parse(line.ToArray(), Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object) return null;
            var members = new Dictionary<string, object?>();
            foreach (var member in document.RootElement.EnumerateObject()) members.Add(member.Name, ValueOf(member.Value));
            return members;
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or FormatException or ArgumentException)
        {
            return null;
        }
    }

    private static object? ValueOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetDouble() is var number && double.IsFinite(number) ? number : throw new FormatException(),
        JsonValueKind.True or JsonValueKind.False => value.GetBoolean() ? "true" : "false",
        JsonValueKind.Array => string.Join('、', value.EnumerateArray().Select(item => item.GetString())),
        _ => throw new FormatException(),
    };

    private static bool IsObject(ReadOnlySpan<byte> content) => content.IndexOfAnyExcept(" \t\r\n"u8) is >= 0 and var first && content[first] == (byte)'{';
}

/// <summary>
/// What keeps a spreadsheet from running a cell, and can be taken back: an apostrophe before what is dangerous, and before what
/// begins with such an apostrophe itself.
/// </summary>
internal static class CellGuard
{
    public static string Put(string text) => Needs(text) ? "'" + text : text;

    public static string Lift(string text) => text is ['\'', ..] && Needs(text[1..]) ? text[1..] : text;

    private static bool Needs(string text)
    {
        var rest = text.AsSpan();
        while (rest is ['\'', ..]) rest = rest[1..];
        var said = rest.ToString();
        return said.Length > 0 && ReportCsv.Harmless(said) != said;
    }
}
