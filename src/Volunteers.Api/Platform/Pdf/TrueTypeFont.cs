using System.Buffers.Binary;

namespace Volunteers.Platform.Pdf;

/// <summary>
/// A font with TrueType outlines: which code points it draws, how wide, and the outlines themselves. Reads Unicode maps of
/// formats 4 and 12, which every font has; knows no ligatures and no kerning, which Chinese does not need.
/// </summary>
internal sealed class TrueTypeFont
{
    private readonly byte[] file;
    private readonly Dictionary<string, (int Offset, int Length)> tables = [];
    private readonly Dictionary<int, ushort> glyphs = [];
    private readonly bool longOffsets;
    private readonly int widths;

    public TrueTypeFont(string name, string path)
    {
        Name = name;
        file = File.ReadAllBytes(path);
        for (var i = 0; i < UInt16(4); i++)
        {
            var entry = 12 + (16 * i);
            tables[System.Text.Encoding.ASCII.GetString(file, entry, 4)] = (Int32(entry + 8), Int32(entry + 12));
        }
        var head = tables["head"].Offset;
        var hhea = tables["hhea"].Offset;
        UnitsPerEm = UInt16(head + 18);
        Box = [.. Enumerable.Range(0, 4).Select(i => InThousandths(Int16(head + 36 + (2 * i))))];
        longOffsets = Int16(head + 50) != 0;
        Ascent = InThousandths(Int16(hhea + 4));
        Descent = InThousandths(Int16(hhea + 6));
        widths = UInt16(hhea + 34);
        ReadMaps(tables["cmap"].Offset);
    }

    /// <summary>Its PostScript name.</summary>
    public string Name { get; }

    public int UnitsPerEm { get; }

    public int Ascent { get; }

    public int Descent { get; }

    /// <summary>Around all its glyphs, in thousandths of the font size.</summary>
    public IReadOnlyList<int> Box { get; }

    public bool Has(int codePoint) => glyphs.ContainsKey(codePoint);

    public ushort GlyphOf(int codePoint) => glyphs[codePoint];

    /// <summary>In thousandths of the font size.</summary>
    public int WidthOf(ushort glyph) => InThousandths(UInt16(tables["hmtx"].Offset + (4 * Math.Min(glyph, widths - 1))));

    /// <summary>Advance and left side bearing, as they stand in the font.</summary>
    public (ushort Advance, short Bearing) MetricsOf(ushort glyph)
    {
        var table = tables["hmtx"].Offset;
        return glyph < widths
            ? ((ushort)UInt16(table + (4 * glyph)), Int16(table + (4 * glyph) + 2))
            : ((ushort)UInt16(table + (4 * (widths - 1))), Int16(table + (4 * widths) + (2 * (glyph - widths))));
    }

    public ReadOnlySpan<byte> Outline(ushort glyph)
    {
        var loca = tables["loca"].Offset;
        var (from, to) = longOffsets
            ? (Int32(loca + (4 * glyph)), Int32(loca + (4 * glyph) + 4))
            : (2 * UInt16(loca + (2 * glyph)), 2 * UInt16(loca + (2 * glyph) + 2));
        return file.AsSpan(tables["glyf"].Offset + from, to - from);
    }

    /// <summary>Empty when the font has no such table.</summary>
    public ReadOnlySpan<byte> Table(string tag) => tables.TryGetValue(tag, out var table) ? file.AsSpan(table.Offset, table.Length) : [];

    private int InThousandths(int units) => (int)Math.Round(units * 1000.0 / UnitsPerEm);

    private void ReadMaps(int cmap)
    {
        for (var i = 0; i < UInt16(cmap + 2); i++)
        {
            var entry = cmap + 4 + (8 * i);
            var map = cmap + Int32(entry + 4);
            var (platform, encoding) = (UInt16(entry), UInt16(entry + 2));
            if (platform is not 0 && (platform, encoding) is not ((3, 1) or (3, 10))) continue;
            if (UInt16(map) == 12) ReadGroups(map);
            else if (UInt16(map) == 4) ReadSegments(map);
        }
    }

    private void ReadGroups(int map)
    {
        for (var i = 0; i < Int32(map + 12); i++)
        {
            var group = map + 16 + (12 * i);
            var (first, last, glyph) = (Int32(group), Int32(group + 4), Int32(group + 8));
            for (var c = first; c <= last; c++) Add(c, glyph + c - first);
        }
    }

    private void ReadSegments(int map)
    {
        var segments = UInt16(map + 6) / 2;
        for (var i = 0; i < segments; i++)
        {
            var (ends, starts) = (map + 14 + (2 * i), map + 16 + (2 * segments) + (2 * i));
            var (deltas, ranges) = (starts + (2 * segments), starts + (4 * segments));
            for (var c = UInt16(starts); c <= UInt16(ends) && c != 0xFFFF; c++)
            {
                var glyph = UInt16(ranges) == 0 ? c : UInt16(ranges + UInt16(ranges) + (2 * (c - UInt16(starts))));
                if (glyph != 0) Add(c, (glyph + UInt16(deltas)) & 0xFFFF);
            }
        }
    }

    private void Add(int codePoint, int glyph)
    {
        if (glyph != 0) glyphs.TryAdd(codePoint, (ushort)glyph);
    }

    private int UInt16(int at) => BinaryPrimitives.ReadUInt16BigEndian(file.AsSpan(at));

    private short Int16(int at) => BinaryPrimitives.ReadInt16BigEndian(file.AsSpan(at));

    private int Int32(int at) => BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
}
