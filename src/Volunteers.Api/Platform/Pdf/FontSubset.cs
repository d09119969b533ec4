using System.Buffers.Binary;
using System.Text;

namespace Volunteers.Platform.Pdf;

/// <summary>
/// The part of a font that one document uses. Every code point gets a number of its own, also where two share a glyph, so
/// that text copied from the document is the text that was put in.
/// </summary>
internal sealed class FontSubset(TrueTypeFont font)
{
    private const ushort WordArguments = 0x01, Scale = 0x08, MoreComponents = 0x20, TwoScales = 0x40, Matrix = 0x80;

    private readonly Dictionary<int, ushort> numbers = [];
    private readonly List<int> codePoints = [];

    public bool IsEmpty => codePoints.Count == 0;

    public TrueTypeFont Font => font;

    /// <summary>How text in this subset is written: two bytes for each code point, from 1.</summary>
    public ushort NumberOf(int codePoint)
    {
        if (numbers.TryGetValue(codePoint, out var known)) return known;
        codePoints.Add(codePoint);
        return numbers[codePoint] = (ushort)codePoints.Count;
    }

    public string Widths() => $"[1 [{string.Join(' ', codePoints.Select(c => font.WidthOf(font.GlyphOf(c))))}]]";

    /// <summary>Back from numbers to text, for search, copying and reading aloud.</summary>
    public string ToUnicode()
    {
        var map = new StringBuilder("/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Volunteers def /CMapType 2 def\n1 begincodespacerange <0000> <FFFF> endcodespacerange\n");
        foreach (var block in codePoints.Index().Chunk(100))
        {
            map.Append(block.Length).Append(" beginbfchar\n");
            foreach (var (index, codePoint) in block)
                map.Append('<').Append((index + 1).ToString("X4", null)).Append("> <").Append(Convert.ToHexString(Encoding.BigEndianUnicode.GetBytes(char.ConvertFromUtf32(codePoint)))).Append(">\n");
            map.Append("endbfchar\n");
        }
        return map.Append("endcmap CMapName currentdict /CMap defineresource pop end end").ToString();
    }

    /// <summary>A font file with these glyphs, their parts, and the tables a reader needs.</summary>
    public byte[] File()
    {
        // Glyph 0 stands for what is missing; then one for each code point; then the parts of which some are composed.
        var kept = new List<ushort> { 0 };
        kept.AddRange(codePoints.Select(font.GlyphOf));
        var parts = new Dictionary<ushort, ushort>();
        using var outlines = new MemoryStream();
        var offsets = new List<int>();
        for (var i = 0; i < kept.Count; i++)
        {
            offsets.Add((int)outlines.Length);
            outlines.Write(Renumbered(font.Outline(kept[i]), part =>
            {
                if (parts.TryGetValue(part, out var number)) return number;
                kept.Add(part);
                return parts[part] = (ushort)(kept.Count - 1);
            }));
            while (outlines.Length % 4 != 0) outlines.WriteByte(0);
        }
        offsets.Add((int)outlines.Length);

        var head = font.Table("head").ToArray();
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(8), 0);
        BinaryPrimitives.WriteInt16BigEndian(head.AsSpan(50), 1);
        var hhea = font.Table("hhea").ToArray();
        BinaryPrimitives.WriteUInt16BigEndian(hhea.AsSpan(34), (ushort)kept.Count);
        var maxp = font.Table("maxp").ToArray();
        BinaryPrimitives.WriteUInt16BigEndian(maxp.AsSpan(4), (ushort)kept.Count);
        var hmtx = new byte[4 * kept.Count];
        for (var i = 0; i < kept.Count; i++)
        {
            var (advance, bearing) = font.MetricsOf(kept[i]);
            BinaryPrimitives.WriteUInt16BigEndian(hmtx.AsSpan(4 * i), advance);
            BinaryPrimitives.WriteInt16BigEndian(hmtx.AsSpan((4 * i) + 2), bearing);
        }
        var loca = new byte[4 * offsets.Count];
        for (var i = 0; i < offsets.Count; i++) BinaryPrimitives.WriteInt32BigEndian(loca.AsSpan(4 * i), offsets[i]);

        return Assemble(new SortedDictionary<string, byte[]>(StringComparer.Ordinal)
        {
            ["cvt "] = font.Table("cvt ").ToArray(), ["fpgm"] = font.Table("fpgm").ToArray(), ["glyf"] = outlines.ToArray(), ["head"] = head,
            ["hhea"] = hhea, ["hmtx"] = hmtx, ["loca"] = loca, ["maxp"] = maxp, ["prep"] = font.Table("prep").ToArray(),
        });
    }

    private static byte[] Renumbered(ReadOnlySpan<byte> outline, Func<ushort, ushort> numberOf)
    {
        var copy = outline.ToArray();
        if (copy.Length == 0 || BinaryPrimitives.ReadInt16BigEndian(copy) >= 0) return copy;

        var at = 10;
        ushort flags;
        do
        {
            flags = BinaryPrimitives.ReadUInt16BigEndian(copy.AsSpan(at));
            var part = copy.AsSpan(at + 2);
            BinaryPrimitives.WriteUInt16BigEndian(part, numberOf(BinaryPrimitives.ReadUInt16BigEndian(part)));
            at += 4 + ((flags & WordArguments) != 0 ? 4 : 2)
                + ((flags & Scale) != 0 ? 2 : (flags & TwoScales) != 0 ? 4 : (flags & Matrix) != 0 ? 8 : 0);
        }
        while ((flags & MoreComponents) != 0);
        return copy;
    }

    private static byte[] Assemble(SortedDictionary<string, byte[]> tables)
    {
        var present = tables.Where(table => table.Value.Length > 0).ToList();
        var power = (int)Math.Log2(present.Count);
        using var file = new MemoryStream();
        void UInt16(int value) => file.Write([(byte)(value >> 8), (byte)value]);
        void UInt32(uint value) => file.Write([(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value]);

        UInt32(0x00010000);
        UInt16(present.Count);
        UInt16(16 << power);
        UInt16(power);
        UInt16((16 * present.Count) - (16 << power));
        var offset = 12 + (16 * present.Count);
        foreach (var (tag, content) in present)
        {
            file.Write(Encoding.ASCII.GetBytes(tag));
            UInt32(Checksum(content));
            UInt32((uint)offset);
            UInt32((uint)content.Length);
            offset += (content.Length + 3) / 4 * 4;
        }
        foreach (var (_, content) in present)
        {
            file.Write(content);
            while (file.Length % 4 != 0) file.WriteByte(0);
        }
        return file.ToArray();
    }

    private static uint Checksum(byte[] content)
    {
        var sum = 0u;
        for (var i = 0; i < content.Length; i++) sum += (uint)content[i] << (24 - (8 * (i % 4)));
        return sum;
    }
}
