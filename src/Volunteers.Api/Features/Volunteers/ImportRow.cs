using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Volunteers.Platform;

namespace Volunteers.Features.Volunteers;

/// <summary>One row of a roster, by the number that the spreadsheet shows. An empty cell is as good as no column.</summary>
internal sealed partial class ImportRow
{
    private static readonly char[] Separators = ['、', ',', '，', ';', '；'];

    /// <summary>Days that a spreadsheet counts from 1900, up to the year 2199.</summary>
    public const double LastSerialDay = 109_575;

    private readonly Dictionary<ImportField, object> cells;

    private ImportRow(int number, Dictionary<ImportField, object> cells) => (Number, this.cells) = (number, cells);

    public int Number { get; }

    /// <returns>Null for a row in which no column has a value.</returns>
    public static ImportRow? Of(int number, object?[] values, IReadOnlyList<ImportColumn> columns)
    {
        var cells = new Dictionary<ImportField, object>();
        foreach (var column in columns)
            if (column.Index < values.Length && values[column.Index] is { } value && TextOf(value) is { Length: > 0 })
                cells.Add(column.Field, value);
        return cells.Count == 0 ? null : new ImportRow(number, cells);
    }

    public string? Text(ImportField field) => cells.TryGetValue(field, out var cell) ? TextOf(cell) : null;

    public string[]? List(ImportField field) =>
        Text(field)?.Split(Separators, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct().ToArray();

    public T? Word<T>(ImportField field, FrozenDictionary<string, T> words, Action<ImportField, string> refuse) where T : struct
    {
        if (Text(field) is not { } text) return null;
        if (words.TryGetValue(ImportColumns.Plain(text), out var value)) return value;
        refuse(field, "unknown_word");
        return null;
    }

    public DateOnly? Day(ImportField field, Action<ImportField, string> refuse)
    {
        if (!cells.TryGetValue(field, out var cell)) return null;
        if (TryDay(cell, out var day)) return day;
        refuse(field, "unknown_date");
        return null;
    }

    /// <summary>A number that a cell holds as a number is written out whole: a phone number is none with an exponent.</summary>
    public static string TextOf(object? cell)
    {
        var text = cell switch
        {
            null => "",
            string written => written.Trim(),
            double number => Math.Abs(number) < 1e15 ? ((decimal)number).ToString("0.##########", CultureInfo.InvariantCulture) : number.ToString("R", CultureInfo.InvariantCulture),
            DateTime time => time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
            _ => cell.ToString() ?? "",
        };
        if (text.Length > ImportFile.LongestCell) throw RuleBreach.Malformed("cell_too_long", "", ImportFile.LongestCell);
        return IsWhole(text) ? text : throw RuleBreach.Malformed("not_a_spreadsheet", "");
    }

    private static bool TryDay(object cell, out DateOnly day)
    {
        if (cell is double and (< 1 or > LastSerialDay))
        {
            day = default;
            return false;
        }
        var text = cell is double serial ? TextOf(DateTime.FromOADate(serial)) : TextOf(cell);
        if (Written().Match(text) is { Success: true } match)
            text = $"{match.Groups["y"].Value}-{match.Groups["m"].Value.PadLeft(2, '0')}-{match.Groups["d"].Value.PadLeft(2, '0')}";
        return Instant.TryParseDay(text, out day);
    }

    /// <summary>Half a character can be neither stored nor sent.</summary>
    private static bool IsWhole(string text)
    {
        for (var at = text.AsSpan(); at.Length > 0;)
        {
            if (Rune.DecodeFromUtf16(at, out _, out var length) != System.Buffers.OperationStatus.Done) return false;
            at = at[length..];
        }
        return true;
    }

    [GeneratedRegex(@"^(?<y>[0-9]{4})\s*[-/.年]\s*(?<m>[0-9]{1,2})\s*[-/.月]\s*(?<d>[0-9]{1,2})\s*日?$")]
    private static partial Regex Written();
}
