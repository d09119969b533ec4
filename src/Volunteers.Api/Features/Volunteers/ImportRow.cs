using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Volunteers.Platform;

namespace Volunteers.Features.Volunteers;

internal static class ImportRow
{
    /// <summary>What may stand between the entries of a list.</summary>
    public static readonly char[] Separators = ['、', ',', '，', ';', '；'];
}

/// <summary>One row of a file, by the number that the spreadsheet shows. An empty cell is as good as no column.</summary>
internal sealed class ImportRow<TField> where TField : struct, Enum
{
    private readonly Dictionary<TField, object> cells;

    private ImportRow(int number, Dictionary<TField, object> cells) => (Number, this.cells) = (number, cells);

    public int Number { get; }

    /// <returns>Null for a row in which no column has a value.</returns>
    public static ImportRow<TField>? Of(int number, object?[] values, IReadOnlyList<ImportColumn<TField>> columns)
    {
        var cells = new Dictionary<TField, object>();
        foreach (var column in columns)
            if (column.Index < values.Length && values[column.Index] is { } value && ImportCell.TextOf(value) is { Length: > 0 })
                cells.Add(column.Field, value);
        return cells.Count == 0 ? null : new ImportRow<TField>(number, cells);
    }

    public object? Cell(TField field) => cells.GetValueOrDefault(field);

    public string? Text(TField field) => cells.TryGetValue(field, out var cell) ? ImportCell.TextOf(cell) : null;

    public string[]? List(TField field) =>
        Text(field)?.Split(ImportRow.Separators, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    public T? Word<T>(TField field, ImportWords<T> words, Action<TField, string> refuse) where T : struct, Enum
    {
        if (Text(field) is not { } text) return null;
        if (words.TryRead(text, out var value)) return value;
        refuse(field, "unknown_word");
        return null;
    }

    /// <returns>Empty where the cell is, or where one of them is unknown.</returns>
    public IReadOnlyList<T> Words<T>(TField field, ImportWords<T> words, Action<TField, string> refuse) where T : struct, Enum
    {
        var read = new List<T>();
        foreach (var text in List(field) ?? [])
            if (words.TryRead(text, out var value)) read.Add(value);
            else
            {
                refuse(field, "unknown_word");
                return [];
            }
        return read;
    }

    public DateOnly? Day(TField field, Action<TField, string> refuse)
    {
        if (!cells.TryGetValue(field, out var cell)) return null;
        if (ImportCell.TryDay(cell, out var day)) return day;
        refuse(field, "unknown_date");
        return null;
    }
}

/// <summary>What a cell of a file says.</summary>
internal static partial class ImportCell
{
    /// <summary>Days that a spreadsheet counts from 1900, up to the year 2199.</summary>
    public const double LastSerialDay = 109_575;

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

    public static bool TryDay(object cell, out DateOnly day)
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
