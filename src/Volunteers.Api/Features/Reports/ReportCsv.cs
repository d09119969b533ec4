using System.Text;

namespace Volunteers.Features.Reports;

/// <summary>Spreadsheets as Excel in China opens them: UTF-8 with BOM, CRLF, and no text that is taken for a formula.</summary>
internal static class ReportCsv
{
    private static readonly System.Buffers.SearchValues<char> NeedQuotes = System.Buffers.SearchValues.Create(",\"\r\n");

    public static byte[] Of(ReportSection table)
    {
        var text = new StringBuilder("\ufeff");
        AppendHeadings(text, table.Columns);
        foreach (var row in table.Rows) AppendRow(text, table.Columns, row);
        if (table.Total is { } total) AppendRow(text, table.Columns, total);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    public static void AppendHeadings(StringBuilder text, IReadOnlyList<ReportColumn> columns)
    {
        for (var i = 0; i < columns.Count; i++) AppendCell(text, columns[i].Heading, i);
        text.Append("\r\n");
    }

    /// <summary>Numbers and dates are never touched; texts are made harmless.</summary>
    public static void AppendRow(StringBuilder text, IReadOnlyList<ReportColumn> columns, IReadOnlyList<object?> row)
    {
        for (var i = 0; i < columns.Count; i++) AppendCell(text, row[i] is string words ? Harmless(words)! : columns[i].Show(row[i]), i);
        text.Append("\r\n");
    }

    /// <summary>A line of what is harmless already.</summary>
    public static void AppendTexts(StringBuilder text, IReadOnlyList<string> cells)
    {
        for (var i = 0; i < cells.Count; i++) AppendCell(text, cells[i], i);
        text.Append("\r\n");
    }

    private static void AppendCell(StringBuilder text, string cell, int index)
    {
        if (index > 0) text.Append(',');
        // Readers that know comments take a line for one that begins with a hash; some trim spaces that stand bare.
        if (cell.AsSpan().ContainsAny(NeedQuotes) || cell is ['#' or ' ', ..] or [.., ' '])
            text.Append('"').Append(cell.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
        else text.Append(cell);
    }

    /// <summary>
    /// A spreadsheet runs a cell that begins like a formula, in full-width characters too; an apostrophe before it makes it
    /// text. Programs that import the file may drop spaces in front, so the first character after them counts.
    /// </summary>
    public static string? Harmless(string? text) =>
        text is { Length: > 0 }
        && (text[0] is '\t' or '\r' or '\n' || text.TrimStart() is ['=' or '+' or '-' or '@' or '＝' or '＋' or '－' or '＠', ..])
            ? "'" + text
            : text;
}
