using System.Globalization;
using Volunteers.Platform;

namespace Volunteers.Features.Reports;

internal enum CellKind
{
    Text,
    Integer,

    /// <summary>Two decimals.</summary>
    Decimal,
    Date,

    /// <summary>A date, its month's first.</summary>
    Month,

    /// <summary>A local time.</summary>
    Time,
}

/// <summary>A column with its heading in the language of the request.</summary>
internal sealed record ReportColumn(string Heading, CellKind Kind)
{
    public bool IsFigure => Kind is CellKind.Integer or CellKind.Decimal;

    /// <summary>What a spreadsheet shows.</summary>
    public string Show(object? value) => value switch
    {
        null => "",
        DateOnly day => day.ToString(Kind == CellKind.Month ? "yyyy-MM" : "yyyy-MM-dd", CultureInfo.InvariantCulture),
        DateTime time => time.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
        decimal number => number.ToString("0.00", CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}

/// <summary>Something that is said about a whole report: its period, a filter.</summary>
internal sealed record ReportFact(string Name, string Text);

/// <summary>Rows of figures under a heading.</summary>
internal sealed record ReportSection(string Heading, IReadOnlyList<ReportColumn> Columns, IReadOnlyList<IReadOnlyList<object?>> Rows, IReadOnlyList<object?>? Total);

/// <summary>
/// A report as every form of it says it, so that CSV, XLSX and PDF cannot differ: cells are strings, longs, decimals, days
/// and local times; minutes and hours come from the same minutes.
/// </summary>
/// <param name="Title">With organization and period.</param>
/// <param name="Organization">Whose it is.</param>
/// <param name="Facts">Organization, period, filters, where the ledger stood, when it was drawn.</param>
/// <param name="Main">The rows that were asked for and their total.</param>
/// <param name="More">Such as the same figures by evidence; not in CSV, which is one table.</param>
internal sealed record ReportTable(string Title, string Organization, IReadOnlyList<ReportFact> Facts, ReportSection Main, IReadOnlyList<ReportSection> More);

/// <summary>A column of what rows are grouped by; the heading is the code of a message.</summary>
internal sealed record TextColumn<T>(string Heading, Func<T, object?> Cell, CellKind Kind = CellKind.Text);

/// <summary>A column of numbers; the heading is the code of a message.</summary>
internal sealed record FigureColumn<T>(string Heading, Func<T, object> Cell, CellKind Kind = CellKind.Integer);

internal static class ReportColumns
{
    /// <summary>Groups to the left, figures to the right, the total below.</summary>
    public static ReportSection Section<TRow, TFigures>(
        string heading, IReadOnlyList<ReportGroup> groups, IReadOnlyList<FigureColumn<TFigures>> figures, IReadOnlyList<TRow> rows, TFigures total,
        Func<TRow, TFigures> figuresOf) where TRow : ReportRow
    {
        ReportColumn[] columns =
        [
            .. groups.SelectMany(group => group.Columns).Select(column => new ReportColumn(Messages.Title(column.Heading), column.Kind)),
            .. figures.Select(column => new ReportColumn(Messages.Title(column.Heading), column.Kind)),
        ];
        object?[] Row(IEnumerable<object?> left, TFigures right) => [.. left, .. figures.Select(column => column.Cell(right))];

        return new ReportSection(heading, columns,
            [.. rows.Select(row => Row(groups.SelectMany(group => group.Columns.Select(column => column.Cell(row.Groups[group]))), figuresOf(row)))],
            Row(Enumerable.Range(0, columns.Length - figures.Count).Select(index => index == 0 ? Messages.Title("report_total") : null), total));
    }
}
