using System.Globalization;
using System.Text;

namespace Volunteers.Platform.Pdf;

internal enum PdfAlign
{
    Left,
    Center,
    Right,
}

/// <summary>One A4 page. Lengths are points (1/72 inch), from the upper left corner; a text's place is that of its baseline.</summary>
internal sealed class PdfPage(PdfFile file, bool landscape)
{
    private const double Short = 595.28, Long = 841.89;

    private readonly StringBuilder content = new();

    public double Width => landscape ? Long : Short;

    public double Height => landscape ? Short : Long;

    /// <summary>One line of text. Aligned to the right or the center, it ends at, or is about, <paramref name="x"/>.</summary>
    public void Text(double x, double baseline, string text, double size, bool bold = false, PdfAlign align = PdfAlign.Left, double grey = 0)
    {
        var width = align == PdfAlign.Left ? 0 : PdfText.Width(text, size);
        var start = align switch { PdfAlign.Right => x - width, PdfAlign.Center => x - (width / 2), _ => x };
        Write($"BT {grey} g {grey} G {(bold ? 2 : 0)} Tr {size / 30} w {start} {Height - baseline} Td ");
        foreach (var run in PdfText.Runs(text))
        {
            var (number, subset) = file.Subset(run.Font);
            Write($"/F{number} {size} Tf <");
            foreach (var codePoint in run.CodePoints) content.Append(subset.NumberOf(codePoint).ToString("X4", CultureInfo.InvariantCulture));
            Write($"> Tj ");
        }
        content.Append("ET\n");
    }

    public void Line(double fromX, double fromY, double toX, double toY, double width = 0.5, double grey = 0) =>
        Write($"{grey} G {width} w {fromX} {Height - fromY} m {toX} {Height - toY} l S\n");

    /// <summary>A filled box.</summary>
    public void Box(double x, double y, double width, double height, double grey) => Write($"{grey} g {x} {Height - y - height} {width} {height} re f\n");

    /// <summary>Squares, dark where <paramref name="isDark"/> says so (row, column): a QR code. Leave the quiet zone around it free.</summary>
    public void Matrix(double x, double y, double size, int modules, Func<int, int, bool> isDark)
    {
        var side = size / modules;
        Write($"0 g ");
        for (var row = 0; row < modules; row++)
        {
            for (var column = 0; column < modules; column++)
            {
                var run = 0;
                while (column + run < modules && isDark(row, column + run)) run++;
                if (run > 0) Write($"{x + (column * side)} {Height - y - ((row + 1) * side)} {run * side} {side} re ");
                column += run;
            }
        }
        Write($"f\n");
    }

    internal byte[] Content() => Encoding.ASCII.GetBytes(content.ToString());

    private void Write(FormattableString drawing)
    {
        // Three decimals are far finer than any printer, and PDF knows no exponents.
        var numbers = drawing.GetArguments().Select(argument => argument is double number ? number.ToString("0.###", CultureInfo.InvariantCulture) : argument).ToArray();
        content.AppendFormat(CultureInfo.InvariantCulture, drawing.Format, numbers);
    }
}
