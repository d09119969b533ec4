using System.Globalization;
using System.Text;

namespace Volunteers.Features.Reports;

/// <summary>The formats of <see cref="XlsxParts.Styles"/>, by their place there.</summary>
internal enum XlsxStyle
{
    Text,
    Integer,
    Decimal,
    Date,
    Month,
    Time,
    Heading,
    Total,
    TotalInteger,
    TotalDecimal,
}

/// <summary>The parts of a workbook that are the same in each, and how text is written in it (ECMA-376).</summary>
internal static class XlsxParts
{
    private const string Declaration = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>""";
    private const string Main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    private const string Office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    private const string Package = "http://schemas.openxmlformats.org/package/2006";
    private const string Spreadsheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.";

    public const string Relationships =
        $"""{Declaration}<Relationships xmlns="{Package}/relationships"><Relationship Id="rId1" Type="{Office}/officeDocument" Target="xl/workbook.xml"/></Relationships>""";

    public const string Styles =
        $"""
        {Declaration}<styleSheet xmlns="{Main}">
        <numFmts count="3"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/><numFmt numFmtId="165" formatCode="yyyy\-mm"/><numFmt numFmtId="166" formatCode="yyyy\-mm\-dd\ hh:mm"/></numFmts>
        <fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>
        <fills count="3"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill><fill><patternFill patternType="solid"><fgColor rgb="FFE6E6E6"/></patternFill></fill></fills>
        <borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>
        <cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>
        <cellXfs count="10">
        <xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>
        <xf numFmtId="1" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
        <xf numFmtId="2" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
        <xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
        <xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
        <xf numFmtId="166" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
        <xf numFmtId="0" fontId="1" fillId="2" borderId="0" xfId="0" applyFont="1" applyFill="1"/>
        <xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>
        <xf numFmtId="1" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1" applyNumberFormat="1"/>
        <xf numFmtId="2" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1" applyNumberFormat="1"/>
        </cellXfs>
        </styleSheet>
        """;

    public static string ContentTypes(int sheets) =>
        $"""{Declaration}<Types xmlns="{Package}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{Spreadsheet}sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="{Spreadsheet}styles+xml"/>"""
        + Each(sheets, i => $"""<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="{Spreadsheet}worksheet+xml"/>""") + "</Types>";

    public static string Workbook(IReadOnlyList<string> sheetNames) =>
        $"""{Declaration}<workbook xmlns="{Main}" xmlns:r="{Office}"><sheets>"""
        + Each(sheetNames.Count, i => $"""<sheet name="{sheetNames[i - 1]}" sheetId="{i}" r:id="rId{i}"/>""") + "</sheets></workbook>";

    public static string WorkbookRelationships(int sheets) =>
        $"""{Declaration}<Relationships xmlns="{Package}/relationships">"""
        + Each(sheets, i => $"""<Relationship Id="rId{i}" Type="{Office}/worksheet" Target="worksheets/sheet{i}.xml"/>""")
        + $"""<Relationship Id="rId{sheets + 1}" Type="{Office}/styles" Target="styles.xml"/></Relationships>""";

    public static XlsxStyle StyleOf(CellKind kind, XlsxStyle text) => (kind, text) switch
    {
        (CellKind.Integer, XlsxStyle.Total) => XlsxStyle.TotalInteger,
        (CellKind.Decimal, XlsxStyle.Total) => XlsxStyle.TotalDecimal,
        _ => (XlsxStyle)(int)kind,
    };

    /// <summary>
    /// A text is never a formula here, so it stays as it is. What XML cannot hold is written as the format says (22.9.2.19):
    /// <c>_x0007_</c>, which spreadsheets turn back; a text that happens to look like that has its underscore written so.
    /// </summary>
    public static void AppendText(StringBuilder xml, string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '&') xml.Append("&amp;");
            else if (c == '<') xml.Append("&lt;");
            else if (c == '>') xml.Append("&gt;");
            else if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1])) xml.Append(c).Append(text[++i]);
            else if (char.IsSurrogate(c)) xml.Append('\uFFFD');
            else if (c is (< ' ' and not '\t' and not '\n') or '\uFFFE' or '\uFFFF' || (c == '_' && LooksEscaped(text.AsSpan(i))))
                xml.Append(CultureInfo.InvariantCulture, $"_x{(int)c:X4}_");
            else xml.Append(c);
        }
    }

    private static bool LooksEscaped(ReadOnlySpan<char> text) =>
        text is ['_', 'x', _, _, _, _, '_', ..] && char.IsAsciiHexDigit(text[2]) && char.IsAsciiHexDigit(text[3])
        && char.IsAsciiHexDigit(text[4]) && char.IsAsciiHexDigit(text[5]);

    private static string Each(int count, Func<int, string> part) => string.Concat(Enumerable.Range(1, count).Select(part));
}
