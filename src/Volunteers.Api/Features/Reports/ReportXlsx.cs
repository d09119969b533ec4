using Volunteers.Platform;

namespace Volunteers.Features.Reports;

/// <summary>A report as a workbook: a sheet with its rows and total, and one that says what it is about.</summary>
internal static class ReportXlsx
{
    private static readonly ReportColumn[] FactColumns = [new("", CellKind.Text), new("", CellKind.Text)];

    public static async Task<byte[]> Of(ReportTable table, CancellationToken ct)
    {
        using var stream = new MemoryStream();
        using var file = new XlsxFile(stream, SheetNames(), ct);
        file.BeginSheet([.. table.Main.Columns.Select((_, i) => Width(table.Main, i))], freezesHeading: true);
        await Section(file, table.Main);
        await file.EndSheet();
        await About(file, table.Facts, table.More);
        await file.Finish();
        return stream.ToArray();
    }

    public static string[] SheetNames() => [Messages.Title("report_sheet"), Messages.Title("report_about")];

    public static async Task About(XlsxFile file, IReadOnlyList<ReportFact> facts, IReadOnlyList<ReportSection> more)
    {
        file.BeginSheet([24, 48, 12, 12, 12], freezesHeading: false);
        foreach (var fact in facts) await file.Row(FactColumns, [fact.Name, fact.Text]);
        foreach (var section in more)
        {
            file.SkipRow();
            await file.Row(FactColumns, [section.Heading], XlsxStyle.Total);
            await Section(file, section);
        }
        await file.EndSheet();
    }

    private static async Task Section(XlsxFile file, ReportSection section)
    {
        await file.Headings(section.Columns);
        foreach (var row in section.Rows) await file.Row(section.Columns, row);
        if (section.Total is { } total) await file.Row(section.Columns, total, XlsxStyle.Total);
    }

    /// <summary>In digits; an ideograph is as wide as two.</summary>
    private static double Width(ReportSection section, int index)
    {
        var column = section.Columns[index];
        var texts = section.Rows.Select(row => column.Show(row[index])).Append(column.Heading).Append(column.Show(section.Total?[index]));
        return Math.Clamp(texts.Max(text => text.Take(60).Sum(c => c < 0x2E80 ? 1 : 2)) + 2, 8, 60);
    }
}
