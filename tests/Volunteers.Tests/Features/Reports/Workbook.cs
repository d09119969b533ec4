using System.Globalization;
using System.Text.RegularExpressions;
using DocumentFormat.OpenXml.Packaging;
using DocumentFormat.OpenXml.Spreadsheet;
using DocumentFormat.OpenXml.Validation;
using Xunit;

namespace Volunteers.Tests.Features.Reports;

/// <summary>A cell as it stands in the file: a text or a number, and how it is shown.</summary>
internal sealed record WorkbookCell(string? Text, decimal? Number, string Format)
{
    public DateTime Date => new DateTime(1899, 12, 30).AddSeconds((double)Math.Round(Number!.Value * 86_400));
}

/// <summary>A workbook read with Microsoft's own library, and found valid by it.</summary>
internal sealed partial record Workbook(IReadOnlyList<List<List<WorkbookCell?>>> Sheets, bool IsHeadingFrozen, IReadOnlyList<double> Widths)
{
    public List<List<WorkbookCell?>> Main => Sheets[0];

    public Dictionary<string, string> About => Sheets[1].TakeWhile(row => row is [{ Text: not null }, { Text: not null }]).ToDictionary(row => row[0]!.Text!, row => row[1]!.Text!);

    public static Workbook Read(byte[] file)
    {
        using var stream = new MemoryStream(file);
        using var document = SpreadsheetDocument.Open(stream, isEditable: false);
        Assert.Empty(new OpenXmlValidator().Validate(document).Select(error => error.Description + " " + error.Path?.XPath));

        var book = document.WorkbookPart!;
        var styles = book.WorkbookStylesPart!.Stylesheet!;
        var custom = styles.NumberingFormats!.Elements<NumberingFormat>().ToDictionary(format => format.NumberFormatId!.Value, format => format.FormatCode!.Value!);
        var formats = styles.CellFormats!.Elements<CellFormat>().Select(format => custom.GetValueOrDefault(format.NumberFormatId!.Value, format.NumberFormatId.Value.ToString(CultureInfo.InvariantCulture))).ToArray();
        var sheets = book.Workbook!.Sheets!.Elements<Sheet>().Select(sheet => (WorksheetPart)book.GetPartById(sheet.Id!.Value!)).ToArray();
        var first = sheets[0].Worksheet!;
        return new Workbook(
            [.. sheets.Select(sheet => sheet.Worksheet!.Descendants<Row>().Select(row => CellsOf(row, formats)).ToList())],
            first.Descendants<Pane>().SingleOrDefault() is { State.InnerText: "frozen", VerticalSplit.Value: 1 },
            [.. first.Descendants<Column>().Select(column => column.Width!.Value)]);
    }

    private static List<WorkbookCell?> CellsOf(Row row, string[] formats)
    {
        var cells = new List<WorkbookCell?>();
        foreach (var cell in row.Elements<Cell>())
        {
            Assert.Null(cell.CellFormula);
            var column = cell.CellReference!.Value![0] - 'A';
            while (cells.Count < column) cells.Add(null);
            cells.Add(cell.DataType?.Value == CellValues.InlineString
                ? new WorkbookCell(Unescaped(cell.InlineString!.InnerText), null, formats[cell.StyleIndex!.Value])
                : new WorkbookCell(null, decimal.Parse(cell.CellValue!.Text, CultureInfo.InvariantCulture), formats[cell.StyleIndex!.Value]));
        }
        return cells;
    }

    /// <summary>As spreadsheets turn it back (ECMA-376, 22.9.2.19).</summary>
    private static string Unescaped(string text) => Escape().Replace(text, match => ((char)int.Parse(match.Groups[1].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString());

    [GeneratedRegex("_x([0-9A-Fa-f]{4})_")]
    private static partial Regex Escape();
}
