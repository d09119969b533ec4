using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Volunteers.Features.Reports;

/// <summary>
/// Writes a workbook row by row to a stream that cannot seek, in constant memory and never synchronously, which an answer on
/// its way needs. MiniExcel, which reads our imports, writes synchronously and takes 𠮷 apart. What is packed is kept only until
/// it is sent on, because the framework's archive cannot write asynchronously throughout either.
/// </summary>
internal sealed class XlsxFile : IDisposable
{
    /// <summary>Of one sheet, by the format.</summary>
    public const int MostRows = 1_048_576;

    /// <summary>Of one cell, by the format.</summary>
    private const int LongestText = 32_767;

    private static readonly DateTime DayZero = new(1899, 12, 30);

    private readonly Stream stream;
    private readonly CancellationToken ct;
    private readonly PackedStream packed = new();
    private readonly ZipArchive archive;
    private readonly StringBuilder pending = new();
    private Stream? sheet;
    private int sheets;
    private int row;

    /// <param name="stream">Stays open.</param>
    /// <param name="sheetNames">As many as are then begun.</param>
    /// <param name="ct">Ends it.</param>
    public XlsxFile(Stream stream, IReadOnlyList<string> sheetNames, CancellationToken ct)
    {
        (this.stream, this.ct) = (stream, ct);
        archive = new ZipArchive(packed, ZipArchiveMode.Create, leaveOpen: true);
        Part("[Content_Types].xml", XlsxParts.ContentTypes(sheetNames.Count));
        Part("_rels/.rels", XlsxParts.Relationships);
        Part("xl/workbook.xml", XlsxParts.Workbook(sheetNames));
        Part("xl/_rels/workbook.xml.rels", XlsxParts.WorkbookRelationships(sheetNames.Count));
        Part("xl/styles.xml", XlsxParts.Styles);
    }

    public void BeginSheet(IReadOnlyList<double> widths, bool freezesHeading)
    {
        sheets++;
        row = 0;
        sheet = Entry($"xl/worksheets/sheet{sheets}.xml");
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
            if (cells[i] is { } cell) AppendCell($"{(char)('A' + i)}{row}", cell, cell switch { string => text, DateTime => XlsxStyle.Time, _ => XlsxParts.StyleOf(columns[i].Kind, text) });
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

    /// <summary>Sends what makes it whole: without it no reader takes it for a workbook.</summary>
    public async Task Finish()
    {
        archive.Dispose();
        await packed.SendTo(stream, ct);
    }

    public void Dispose()
    {
        sheet?.Dispose();
        archive.Dispose();
        packed.Dispose();
    }

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

    private void Part(string name, string content)
    {
        using var part = Entry(name);
        part.Write(Encoding.UTF8.GetBytes(content));
    }

    private Stream Entry(string name) => archive.CreateEntry(name, CompressionLevel.Fastest).Open();

    private Task Flush()
    {
        sheet!.Write(Encoding.UTF8.GetBytes(pending.ToString()));
        pending.Clear();
        return packed.SendTo(stream, ct);
    }
}
