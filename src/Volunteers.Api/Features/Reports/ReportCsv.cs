using System.Data;
using System.Text;
using Sylvan.Data.Csv;
using Volunteers.Platform;

namespace Volunteers.Features.Reports;

/// <summary>A column of text; the heading is the code of a message.</summary>
internal sealed record TextColumn<T>(string Heading, Func<T, string?> Cell);

/// <summary>A column of numbers, which is never touched; the heading is the code of a message.</summary>
internal sealed record FigureColumn<T>(string Heading, Func<T, object> Cell);

/// <summary>Spreadsheets as Excel in China opens them: UTF-8 with BOM, CRLF, and no text that is taken for a formula.</summary>
internal static class ReportCsv
{
    private static readonly CsvDataWriterOptions Rfc4180 = new() { NewLine = "\r\n" };

    public static byte[] Of<TRow, TFigures>(
        IReadOnlyList<ReportGroup> groups, IReadOnlyList<FigureColumn<TFigures>> figures, IReadOnlyList<TRow> rows, TFigures total,
        Func<TRow, TFigures> figuresOf) where TRow : ReportRow
    {
        using var table = new DataTable();
        foreach (var column in groups.SelectMany(group => group.Columns)) table.Columns.Add(Messages.Title(column.Heading), typeof(string));
        foreach (var column in figures) table.Columns.Add(Messages.Title(column.Heading), column.Cell(total).GetType());

        foreach (var row in rows)
            table.Rows.Add(
            [
                .. groups.SelectMany(group => group.Columns.Select(column => Harmless(column.Cell(row.Groups[group])))),
                .. figures.Select(column => column.Cell(figuresOf(row))),
            ]);
        var texts = table.Columns.Count - figures.Count;
        table.Rows.Add(
        [
            .. Enumerable.Range(0, texts).Select(index => index == 0 ? Messages.Title("report_total") : null),
            .. figures.Select(column => column.Cell(total)),
        ]);
        return Write(table);
    }

    private static byte[] Write(DataTable table)
    {
        using var file = new MemoryStream();
        using (var text = new StreamWriter(file, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true)))
        using (var csv = CsvDataWriter.Create(text, Rfc4180))
        using (var reader = table.CreateDataReader())
            csv.Write(reader);
        return file.ToArray();
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
