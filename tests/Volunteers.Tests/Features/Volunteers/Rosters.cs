using System.Globalization;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Security;
using System.Text;
using Volunteers.Tests.Support;

namespace Volunteers.Tests.Features.Volunteers;

/// <summary>Rosters made byte by byte, so that the library that reads them does not judge itself.</summary>
internal static class Rosters
{
    public const string XlsxType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

    private const string Main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

    public static Task<Answer> Import(this Api api, HttpContent file, bool dryRun = false) =>
        api.Post("/volunteers/import" + (dryRun ? "?dryRun=true" : ""), file);

    public static Task<Answer> ImportCsv(this Api api, string csv, bool dryRun = false) => api.Import(Csv(csv), dryRun);

    public static HttpContent Csv(string csv, Encoding? encoding = null) => Content((encoding ?? Encoding.UTF8).GetBytes(csv), "text/csv");

    public static HttpContent Form(byte[] file, string name, string type)
    {
        var part = Content(file, type);
        return new MultipartFormDataContent { { part, "file", name } };
    }

    public static HttpContent Content(byte[] file, string type)
    {
        var content = new ByteArrayContent(file);
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return content;
    }

    public static HttpContent Xlsx(params object?[][] rows) => Content(XlsxBytes(SheetData(rows)), XlsxType);

    /// <summary>The parts that a spreadsheet program writes, and no more; style 1 is a date.</summary>
    public static byte[] XlsxBytes(string sheetData, string dimension = "", params (string Name, string Text)[] extra) => Zip([
        ("[Content_Types].xml",
            """
            <Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>
            """),
        ("_rels/.rels",
            """
            <Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>
            """),
        ("xl/workbook.xml",
            $"""<workbook xmlns="{Main}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="名册" sheetId="1" r:id="r1"/></sheets></workbook>"""),
        ("xl/_rels/workbook.xml.rels",
            """
            <Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>
            """),
        ("xl/styles.xml",
            $"""<styleSheet xmlns="{Main}"><cellStyleXfs count="1"><xf numFmtId="0"/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0" xfId="0"/><xf numFmtId="14" xfId="0"/></cellXfs></styleSheet>"""),
        ("xl/worksheets/sheet1.xml", $"""<worksheet xmlns="{Main}">{dimension}<sheetData>{sheetData}</sheetData></worksheet>"""),
        .. extra]);

    public static byte[] Zip(params (string Name, string Text)[] parts)
    {
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, text) in parts)
            {
                using var entry = zip.CreateEntry(name).Open();
                entry.Write(Encoding.UTF8.GetBytes(text.Trim()));
            }
        return file.ToArray();
    }

    public static string SheetData(params object?[][] rows) => string.Concat(rows.Index().Select(row =>
        $"<row r=\"{row.Index + 1}\">{string.Concat(row.Item.Index().Select(cell => Cell($"{(char)('A' + cell.Index)}{row.Index + 1}", cell.Item)))}</row>"));

    private static string Cell(string at, object? value) => value switch
    {
        null => "",
        DateOnly day => $"<c r=\"{at}\" s=\"1\"><v>{day.DayNumber - new DateOnly(1899, 12, 30).DayNumber}</v></c>",
        DateTime time => $"<c r=\"{at}\" s=\"1\"><v>{time.ToOADate().ToString("R", CultureInfo.InvariantCulture)}</v></c>",
        string text => $"<c r=\"{at}\" t=\"inlineStr\"><is><t>{SecurityElement.Escape(text)}</t></is></c>",
        IFormattable number => $"<c r=\"{at}\"><v>{number.ToString(null, CultureInfo.InvariantCulture)}</v></c>",
        _ => throw new ArgumentException("No cell holds that.", nameof(value)),
    };
}
