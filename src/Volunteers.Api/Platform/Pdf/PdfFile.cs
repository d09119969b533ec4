using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Volunteers.Platform.Pdf;

/// <summary>
/// A PDF 1.7 document of A4 pages, written by ourselves: text, lines, boxes and black-and-white matrices are all that our
/// documents need. The same content gives the same bytes: there is no creation date in it and no random id.
/// Limits: no pictures, no links, no tagging, not PDF/A; every page is kept until the end.
/// </summary>
/// <param name="title">Shown in the window's title.</param>
/// <param name="author">Who stands behind it: the organization.</param>
/// <param name="language">Of its text, as <c>zh-CN</c>, for those who have it read aloud.</param>
internal sealed class PdfFile(string title, string author, string language)
{
    private readonly List<PdfPage> pages = [];
    private readonly List<FontSubset> fonts = [];

    public IReadOnlyList<PdfPage> Pages => pages;

    public PdfPage AddPage(bool landscape = false)
    {
        var page = new PdfPage(this, landscape);
        pages.Add(page);
        return page;
    }

    /// <summary>The number of a font in this document and the part of it that is used.</summary>
    internal (int Number, FontSubset Subset) Subset(TrueTypeFont font)
    {
        var index = fonts.FindIndex(subset => subset.Font == font);
        if (index < 0)
        {
            fonts.Add(new FontSubset(font));
            index = fonts.Count - 1;
        }
        return (index, fonts[index]);
    }

    public byte[] ToArray()
    {
        const int catalog = 1, tree = 2, info = 3, firstFont = 4;
        var firstPage = firstFont + (5 * fonts.Count);
        using var objects = new Objects();
        objects.Add($"<< /Type /Catalog /Pages {tree} 0 R /Lang {Literal(language)} /ViewerPreferences << /DisplayDocTitle true >> >>");
        objects.Add($"<< /Type /Pages /Count {pages.Count} /Kids [{string.Join(' ', pages.Select((_, i) => $"{firstPage + (2 * i)} 0 R"))}] >>");
        objects.Add($"<< /Title {Literal(title)} /Author {Literal(author)} /Producer {Literal("Volunteers")} >>");
        for (var i = 0; i < fonts.Count; i++) AddFont(objects, fonts[i], firstFont + (5 * i), i);

        var resources = string.Concat(fonts.Select((_, i) => $"/F{i} {firstFont + (5 * i)} 0 R "));
        foreach (var (i, page) in pages.Index())
        {
            objects.Add(string.Create(CultureInfo.InvariantCulture,
                $"<< /Type /Page /Parent {tree} 0 R /MediaBox [0 0 {page.Width} {page.Height}] /Resources << /Font << {resources}>> >> /Contents {firstPage + (2 * i) + 1} 0 R >>"));
            objects.AddStream("", page.Content());
        }
        return objects.ToFile(catalog, info);
    }

    private static void AddFont(Objects objects, FontSubset subset, int number, int index)
    {
        var font = subset.Font;
        // Six letters before the name say that it is a part of the font.
        var name = $"VOLUN{(char)('A' + index)}+{font.Name}";
        objects.Add($"<< /Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /Identity-H /DescendantFonts [{number + 1} 0 R] /ToUnicode {number + 3} 0 R >>");
        objects.Add($"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{name} /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "
            + $"/FontDescriptor {number + 2} 0 R /CIDToGIDMap /Identity /DW 1000 /W {subset.Widths()} >>");
        objects.Add($"<< /Type /FontDescriptor /FontName /{name} /Flags 4 /FontBBox [{string.Join(' ', font.Box)}] /ItalicAngle 0 "
            + $"/Ascent {font.Ascent} /Descent {font.Descent} /CapHeight {font.Ascent} /StemV 80 /FontFile2 {number + 4} 0 R >>");
        objects.AddStream("", Encoding.ASCII.GetBytes(subset.ToUnicode()));
        var file = subset.File();
        objects.AddStream($"/Length1 {file.Length} ", file);
    }

    /// <summary>As UTF-16 in hexadecimal digits: no character can end the string.</summary>
    private static string Literal(string text) => $"<FEFF{Convert.ToHexString(Encoding.BigEndianUnicode.GetBytes(text))}>";

    /// <summary>The numbered objects of the file, and where each begins.</summary>
    private sealed class Objects : IDisposable
    {
        private readonly MemoryStream file = new();
        private readonly List<long> offsets = [];

        public Objects() => file.Write("%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n"u8);

        public void Dispose() => file.Dispose();

        public void Add(string content)
        {
            offsets.Add(file.Position);
            Write($"{offsets.Count} 0 obj\n{content}\nendobj\n");
        }

        public void AddStream(string entries, byte[] content)
        {
            using var packed = new MemoryStream();
            using (var zip = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true)) zip.Write(content);
            offsets.Add(file.Position);
            Write($"{offsets.Count} 0 obj\n<< {entries}/Filter /FlateDecode /Length {packed.Length} >>\nstream\n");
            packed.WriteTo(file);
            Write("\nendstream\nendobj\n");
        }

        public byte[] ToFile(int catalog, int info)
        {
            var start = file.Position;
            Write($"xref\n0 {offsets.Count + 1}\n0000000000 65535 f \n");
            foreach (var offset in offsets) Write($"{offset:D10} 00000 n \n");
            Write($"trailer\n<< /Size {offsets.Count + 1} /Root {catalog} 0 R /Info {info} 0 R >>\nstartxref\n{start}\n%%EOF\n");
            return file.ToArray();
        }

        private void Write(string text) => file.Write(Encoding.ASCII.GetBytes(text));
    }
}
