using System.Globalization;
using System.Text;

namespace Volunteers.Platform.Pdf;

/// <summary>A stretch of text in one font.</summary>
internal readonly record struct PdfRun(TrueTypeFont Font, IReadOnlyList<int> CodePoints);

/// <summary>
/// Text as a document shows it. Nothing vanishes: what the first font does not have is drawn by the second, and what none
/// has (emoji, scripts that need shaping) stands as its code point, [U+1F600]. So do characters that draw nothing but change
/// how the rest looks or reads: control characters, direction marks, joiners; a line is always in the order it was written.
/// A line break or a tab is a space, but a line break in a paragraph ends a line.
/// </summary>
internal static class PdfText
{
    private const string NeverFirst = "·，。、；：？！）》〉」』】〕｝”’…％,.;:?!)]}%";
    private const string NeverLast = "（《〈「『【〔｛“‘([{";

    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "fonts");
    private static readonly Lazy<TrueTypeFont> Main = new(() => new TrueTypeFont("NotoSansSC-Regular", Path.Combine(Folder, "NotoSansSC-Regular.ttf")));

    /// <summary>Ideographs beyond the first 65,536 code points, 𠮷 among them. Large, so only read when one is met.</summary>
    private static readonly Lazy<TrueTypeFont> Rare = new(() => new TrueTypeFont("HanaMinB", Path.Combine(Folder, "HanaMinB.ttf")));

    public static IEnumerable<PdfRun> Runs(string text)
    {
        var (font, run) = (Main.Value, new List<int>());
        foreach (var codePoint in Shown(text))
        {
            var next = FontOf(codePoint);
            if (next != font && run.Count > 0)
            {
                yield return new PdfRun(font, run);
                run = [];
            }
            font = next;
            run.Add(codePoint);
        }
        if (run.Count > 0) yield return new PdfRun(font, run);
    }

    public static double Width(string text, double size) => Shown(text).Sum(Advance) * size / 1000;

    /// <summary>
    /// Lines that fit. Between words, and between ideographs but not before closing or after opening marks; a word that is
    /// wider than a line is cut. What comes back is what is drawn: drawing it again changes nothing.
    /// </summary>
    public static List<string> Wrap(string text, double size, double width)
    {
        var lines = new List<string>();
        foreach (var paragraph in text.ReplaceLineEndings("\n").Split('\n')) WrapParagraph(paragraph, width * 1000 / size, lines);
        return lines;
    }

    private static void WrapParagraph(string paragraph, double room, List<string> lines)
    {
        var line = new List<int>();
        var (used, lastBreak) = (0.0, 0);
        foreach (var codePoint in Shown(paragraph))
        {
            if (line.Count > 0 && MayBreak(line[^1], codePoint)) lastBreak = line.Count;
            if (used + Advance(codePoint) > room && line.Count > 0 && codePoint != ' ')
            {
                var cut = lastBreak > 0 ? lastBreak : line.Count;
                lines.Add(Text(line.Take(cut)).TrimEnd(' '));
                line.RemoveRange(0, cut);
                (used, lastBreak) = (line.Sum(Advance), 0);
            }
            line.Add(codePoint);
            used += Advance(codePoint);
        }
        lines.Add(Text(line).TrimEnd(' '));
    }

    private static bool MayBreak(int before, int after)
    {
        if (before == ' ') return after != ' ';
        if (after < 0x10000 && NeverFirst.Contains((char)after)) return false;
        if (before < 0x10000 && NeverLast.Contains((char)before)) return false;
        return before == '-' || IsWide(before) || IsWide(after);
    }

    /// <summary>Ideographs, kana and their punctuation: written without spaces.</summary>
    private static bool IsWide(int codePoint) => codePoint is >= 0x2E80 and < 0xA4D0 or >= 0xAC00 and < 0xD7B0 or >= 0xF900 and < 0xFB00 or >= 0xFF00 and < 0xFFF0 or >= 0x20000;

    private static IEnumerable<int> Shown(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value is '\t' or '\n' or '\r') yield return ' ';
            else if (IsInvisible(rune) || (!Main.Value.Has(rune.Value) && !(rune.Value >= 0x20000 && Rare.Value.Has(rune.Value))))
                foreach (var character in $"[U+{rune.Value:X4}]") yield return character;
            else yield return rune.Value;
        }
    }

    private static bool IsInvisible(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    private static TrueTypeFont FontOf(int codePoint) => Main.Value.Has(codePoint) ? Main.Value : Rare.Value;

    private static double Advance(int codePoint)
    {
        var font = FontOf(codePoint);
        return font.WidthOf(font.GlyphOf(codePoint));
    }

    private static string Text(IEnumerable<int> codePoints) => string.Concat(codePoints.Select(char.ConvertFromUtf32));
}
