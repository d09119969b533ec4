using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Volunteers.Features.Reports;

/// <summary>
/// Writes a workbook row by row to a stream that cannot seek, in constant memory and never synchronously, which an answer on
/// its way needs. MiniExcel, which reads our imports, writes synchronously and takes 𠮷 apart.
/// </summary>
internal sealed class XlsxFile : IAsyncDisposable
{
    /// <summary>Of one sheet, by the format.</summary>
    public const int MostRows = 1_048_576;

    /// <summary>Of one cell, by the format.</summary>
    private const int LongestText = 32_767;

    private static readonly DateTime DayZero = new(1899, 12, 30);

    private readonly ZipArchive archive;
    private readonly CancellationToken ct;
    private readonly StringBuilder pending = new();
    private Stream? sheet;
    private int sheets;
    private int row;

    private XlsxFile(ZipArchive archive, CancellationToken ct) => (this.archive, this.ct) = (archive, ct);

    /// <param name="stream">Stays open.</param>
    /// <param name="sheetNames">As many as are then begun.</param>
    /// <param name="ct">Ends it.</param>
    public static async Task<XlsxFile> Create(Stream stream, IReadOnlyList<string> sheetNames, CancellationToken ct)
    {
        var file = new XlsxFile(await ZipArchive.CreateAsync(stream, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null, ct), ct);
        await file.Part("[Content_Types].xml", XlsxParts.ContentTypes(sheetNames.Count));
        await file.Part("_rels/.rels", XlsxParts.Relationships);
        await file.Part("xl/workbook.xml", XlsxParts.Workbook(sheetNames));
        await file.Part("xl/_rels/workbook.xml.rels", XlsxParts.WorkbookRelationships(sheetNames.Count));
        await file.Part("xl/styles.xml", XlsxParts.Styles);
        return file;
    }

    public async Task BeginSheet(IReadOnlyList<double> widths, bool freezesHeading)
    {
        sheets++;
        row = 0;
        sheet = await Entry($"xl/worksheets/sheet{sheets}.xml");
        pending.Append("""<?xml version="1.0" encoding="UTF-8" standalone="yes"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews>""");
        pending.Append(CultureInfo.InvariantCulture, $"<sheetView workbookViewId=\"0\"{(sheets == 1 ? " tabSelected=\"1\"" : "")}>");
        if (freezesHeading) pending.Append("""<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/><selection pane="bottomLeft"/>""");
        pending.Append("</sheetView></sheetViews><cols>");
        for (var i = 0; i < widths.Count; i++)
            pending.Append(CultureInfo.InvariantCulture, $"<col min=\"{i + 1}\" max=\"{i + 1}\" width=\"{widths[i]:0.##}\" customWidth=\"1\"/>");
        pending.Append("</cols><sheetData>");
    }

    public ValueTask Headings(IReadOnlyList<ReportColumn> columns) => Row(columns, [.. columns.Select(column => column.Heading)], XlsxStyle.Heading);

    /// <param name="columns">Say how each cell is formatted.</param>
    /// <param name="cells">Strings, longs, decimals, days, local times; null leaves a cell out.</param>
    /// <param name="text">How texts look; figures beside a bold text are bold.</param>
    public async ValueTask Row(IReadOnlyList<ReportColumn> columns, IReadOnlyList<object?> cells, XlsxStyle text = XlsxStyle.Text)
    {
        row++;
        pending.Append(CultureInfo.InvariantCulture, $"<row r=\"{row}\">");
        for (var i = 0; i < cells.Count; i++)
            if (cells[i] is { } cell) AppendCell($"{(char)('A' + i)}{row}", cell, cell is string ? text : XlsxParts.StyleOf(columns[i].Kind, text));
        pending.Append("</row>");
        if (pending.Length > 32_000) await Flush();
    }

    /// <summary>An empty row.</summary>
    public void SkipRow() => row++;

    public async Task EndSheet()
    {
        pending.Append("</sheetData></worksheet>");
        await Flush();
        await sheet!.DisposeAsync();
    }

    /// <summary>Only now is it whole: before, no reader takes it for a workbook.</summary>
    public ValueTask DisposeAsync() => archive.DisposeAsync();

    private void AppendCell(string at, object cell, XlsxStyle style)
    {
        switch (cell)
        {
            case string text:
                pending.Append(CultureInfo.InvariantCulture, $"<c r=\"{at}\" s=\"{(int)style}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">");
                XlsxParts.AppendText(pending, Shortened(text));
                pending.Append("</t></is></c>");
                break;
            case DateOnly day:
                Number((decimal)(day.ToDateTime(TimeOnly.MinValue) - DayZero).TotalDays);
                break;
            case DateTime time:
                Number(Math.Round((decimal)(time - DayZero).TotalSeconds / 86_400, 8));
                break;
            default:
                Number(Convert.ToDecimal(cell, CultureInfo.InvariantCulture));
                break;
        }

        void Number(decimal value) => pending.Append(CultureInfo.InvariantCulture, $"<c r=\"{at}\" s=\"{(int)style}\"><v>{value}</v></c>");
    }

    /// <summary>What a cell cannot hold is cut, and an ellipsis says so.</summary>
    private static string Shortened(string text)
    {
        if (text.Length <= LongestText) return text;
        var end = char.IsHighSurrogate(text[LongestText - 2]) ? LongestText - 2 : LongestText - 1;
        return text[..end] + "…";
    }

    private async Task Part(string name, string content)
    {
        await using var part = await Entry(name);
        await part.WriteAsync(Encoding.UTF8.GetBytes(content), ct);
    }

    private Task<Stream> Entry(string name) => archive.CreateEntry(name, CompressionLevel.Fastest).OpenAsync(ct);

    private async Task Flush()
    {
        await sheet!.WriteAsync(Encoding.UTF8.GetBytes(pending.ToString()), ct);
        pending.Clear();
    }
}
