namespace Volunteers.Platform.Pdf;

/// <summary>A column of a table.</summary>
/// <param name="Heading">Repeated on every page.</param>
/// <param name="Weight">Its share of the width.</param>
/// <param name="Align">Numbers stand to the right.</param>
internal sealed record PdfColumn(string Heading, double Weight, PdfAlign Align = PdfAlign.Left);

/// <summary>
/// Fills pages from top to bottom and begins another when one is full. Say at the end what stands at the foot of every page.
/// </summary>
internal sealed class PdfFlow(PdfFile file, bool landscape = false, double margin = 48)
{
    private const double LineHeight = 1.45, CellPadding = 3;

    private double y;

    public PdfPage Page { get; private set; } = null!;

    public double Left => margin;

    public double Width => Page.Width - (2 * margin);

    /// <summary>Where the next thing goes; anything may be drawn on <see cref="Page"/> from here, and <see cref="Space"/> moves on.</summary>
    public double Y => y;

    public double Room => Page.Height - margin - FooterHeight - y;

    private static double FooterHeight => 24;

    public void NewPage()
    {
        Page = file.AddPage(landscape);
        y = margin;
    }

    /// <summary>Makes sure that so much fits on the page.</summary>
    public void Need(double height)
    {
        if (Page is null || Room < height) NewPage();
    }

    public void Space(double height) => y += height;

    public void Paragraph(string text, double size = 10, bool bold = false, PdfAlign align = PdfAlign.Left, double grey = 0)
    {
        Need(size * LineHeight);
        foreach (var line in PdfText.Wrap(text, size, Width))
        {
            Need(size * LineHeight);
            var x = align switch { PdfAlign.Right => margin + Width, PdfAlign.Center => margin + (Width / 2), _ => margin };
            Page.Text(x, Baseline(size), line, size, bold, align, grey);
            y += size * LineHeight;
        }
    }

    /// <summary>A line across the page.</summary>
    public void Rule(double grey = 0.6)
    {
        Need(1);
        Page.Line(margin, y, margin + Width, y, grey: grey);
    }

    /// <summary>
    /// A table whose heading stands on every page it reaches. A row that fits on a page is not torn; one that does not goes
    /// on, line by line, on the next.
    /// </summary>
    /// <param name="columns">From left to right.</param>
    /// <param name="rows">As many cells as columns.</param>
    /// <param name="total">A last row in bold.</param>
    /// <param name="size">Of the text.</param>
    public void Table(IReadOnlyList<PdfColumn> columns, IEnumerable<IReadOnlyList<string>> rows, IReadOnlyList<string>? total = null, double size = 9)
    {
        var headings = columns.Select(column => column.Heading).ToArray();
        Need(6 * size * LineHeight);
        Row(columns, headings, size, headings, isHeading: true);
        foreach (var row in rows) Row(columns, row, size, headings);
        if (total is not null) Row(columns, total, size, headings, bold: true);
        Page.Line(margin, y, margin + Width, y);
        y += size;
    }

    /// <summary>Puts the same at the foot of every page, with its number: "page x of y" in the caller's words.</summary>
    public void Footer(string text, Func<int, int, string> pageOf, double size = 8)
    {
        foreach (var (index, page) in file.Pages.Index())
        {
            var number = pageOf(index + 1, file.Pages.Count);
            var baseline = page.Height - margin + 4;
            page.Line(margin, baseline - (1.4 * size), page.Width - margin, baseline - (1.4 * size), 0.3, 0.6);
            page.Text(page.Width - margin, baseline, number, size, align: PdfAlign.Right, grey: 0.3);
            var room = page.Width - (2 * margin) - PdfText.Width(number, size) - (2 * size);
            foreach (var (line, words) in PdfText.Wrap(text, size, room).Take(2).Index()) page.Text(margin, baseline + (line * size * LineHeight), words, size, grey: 0.3);
        }
    }

    private void Row(
        IReadOnlyList<PdfColumn> columns, IReadOnlyList<string> cells, double size, IReadOnlyList<string> headings, bool isHeading = false, bool bold = false)
    {
        var weights = columns.Sum(column => column.Weight);
        var widths = columns.Select(column => Width * column.Weight / weights).ToArray();
        var lines = cells.Select((cell, i) => PdfText.Wrap(cell, size, widths[i] - (2 * CellPadding))).ToArray();
        var height = lines.Max(cell => cell.Count);
        var (lineHeight, drawn) = (size * LineHeight, 0);
        var wholePage = Page.Height - (2 * margin) - FooterHeight - (2 * lineHeight);

        while (drawn < height)
        {
            var isWholeHere = ((height - drawn) * lineHeight) + (2 * CellPadding) <= Room;
            var couldBeWhole = ((height - drawn) * lineHeight) + (2 * CellPadding) <= wholePage;
            if (!isHeading && !isWholeHere && (couldBeWhole || Room < (3 * lineHeight) + (2 * CellPadding)))
            {
                NewPage();
                Row(columns, headings, size, headings, isHeading: true);
            }
            var fitting = Math.Clamp((int)((Room - (2 * CellPadding)) / lineHeight), 1, height - drawn);
            if (isHeading) Page.Box(margin, y, Width, (fitting * lineHeight) + (2 * CellPadding), 0.9);
            Page.Line(margin, y, margin + Width, y, isHeading || bold ? 0.8 : 0.3, isHeading || bold ? 0 : 0.7);
            Cells(columns, lines, widths, drawn, fitting, size, isHeading || bold);
            y += (fitting * lineHeight) + (2 * CellPadding);
            drawn += fitting;
            // A heading taller than a page would never leave room for a row.
            if (isHeading) return;
        }
    }

    private void Cells(IReadOnlyList<PdfColumn> columns, List<string>[] lines, double[] widths, int from, int count, double size, bool bold)
    {
        var x = margin;
        for (var i = 0; i < columns.Count; i++)
        {
            var at = columns[i].Align switch { PdfAlign.Right => x + widths[i] - CellPadding, PdfAlign.Center => x + (widths[i] / 2), _ => x + CellPadding };
            foreach (var (line, text) in lines[i].Skip(from).Take(count).Index())
                if (text.Length > 0) Page.Text(at, Baseline(size) + CellPadding + (line * size * LineHeight), text, size, bold, columns[i].Align);
            x += widths[i];
        }
    }

    /// <summary>The line's letters stand in the middle of its height.</summary>
    private double Baseline(double size) => y + (size * 1.08);
}
