using System.Globalization;
using Volunteers.Platform;
using Volunteers.Platform.Pdf;

namespace Volunteers.Features.Reports;

/// <summary>A report to print: A4, upright unless it has many columns.</summary>
internal static class ReportPdf
{
    /// <summary>Some 160 pages; nobody prints more, and a page is kept until the last is drawn.</summary>
    public const int MostRows = 5_000;

    /// <param name="table">What it says.</param>
    /// <param name="foot">Where the ledger stood and when it was drawn.</param>
    /// <exception cref="RuleBreach">It has too many rows.</exception>
    public static byte[] Of(ReportTable table, string foot)
    {
        if (table.Main.Rows.Count > MostRows) throw new RuleBreach("report_too_long_to_print", MostRows);

        var file = new PdfFile(table.Title, table.Organization, CultureInfo.CurrentUICulture.Name);
        var flow = new PdfFlow(file, landscape: table.Main.Columns.Count > 6);
        flow.Paragraph(table.Title, 15, bold: true, PdfAlign.Center);
        flow.Space(6);
        foreach (var fact in table.Facts) flow.Paragraph($"{fact.Name}  {fact.Text}", 9, grey: 0.25);
        flow.Space(8);
        Section(flow, table.Main);
        foreach (var section in table.More)
        {
            flow.Need(80);
            flow.Paragraph(section.Heading, 11, bold: true);
            flow.Space(3);
            Section(flow, section);
        }
        flow.Footer(foot, (page, pages) => Messages.Detail("report_page", page, pages));
        return file.ToArray();
    }

    private static void Section(PdfFlow flow, ReportSection section) => flow.Table(
        [.. section.Columns.Select(column => new PdfColumn(column.Heading, Weight(column), column.IsFigure ? PdfAlign.Right : PdfAlign.Left))],
        section.Rows.Select(row => Shown(section, row)), section.Total is { } total ? Shown(section, total) : null);

    private static double Weight(ReportColumn column) => column.Kind == CellKind.Text ? 2.2 : 1.2;

    private static string[] Shown(ReportSection section, IReadOnlyList<object?> row) => [.. section.Columns.Select((column, i) => column.Show(row[i]))];
}
