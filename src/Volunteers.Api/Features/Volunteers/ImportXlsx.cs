using System.IO.Compression;
using MiniExcelLibs;
using MiniExcelLibs.OpenXml;
using Volunteers.Platform;

namespace Volunteers.Features.Volunteers;

/// <summary>Rows of the first sheet of an XLSX file, whoever made it: nothing in it is trusted.</summary>
internal static class ImportXlsx
{
    private const long LargestUnpacked = 64 * 1024 * 1024;
    private const long SmallEntry = 1024 * 1024;
    private const long HighestRatio = 200;

    private static readonly OpenXmlConfiguration Reading = new()
    {
        EnableSharedStringCache = false,
        EnableConvertByteArray = false,
        FillMergedCells = false,
        IgnoreEmptyRows = false,
    };

    public static IEnumerable<object?[]> Read(MemoryStream content, int mostRows)
    {
        Guarded(() => RefuseBomb(content));
        var headings = Guarded(() => Rows(content, "XFD1").FirstOrDefault() ?? []);
        var width = Array.FindLastIndex(headings, heading => heading is not null) + 1;
        if (width == 0) yield break;
        if (width > ImportColumns.Most) throw RuleBreach.Malformed("too_many_columns", "", ImportColumns.Most);

        // One row more than may be, to see that there is one. The range also keeps a row from claiming to be the millionth.
        using var rows = Rows(content, $"{Letters(width)}{mostRows + 2}").GetEnumerator();
        while (Guarded(rows.MoveNext)) yield return rows.Current;
    }

    private static IEnumerable<object?[]> Rows(MemoryStream content, string lastCell)
    {
        content.Position = 0;
        foreach (IDictionary<string, object?> row in
                 content.QueryRange(useHeaderRow: false, sheetName: null, ExcelType.XLSX, "A1", lastCell, Reading))
            yield return [.. row.Values];
    }

    /// <summary>What is declared first, because that costs nothing; then what really comes out.</summary>
    private static bool RefuseBomb(MemoryStream content)
    {
        content.Position = 0;
        using var zip = new ZipArchive(content, ZipArchiveMode.Read, leaveOpen: true);
        if (zip.Entries.Sum(entry => entry.Length) > LargestUnpacked
            || zip.Entries.Any(entry => entry.Length > SmallEntry && entry.Length / Math.Max(1, entry.CompressedLength) > HighestRatio))
            throw TooLarge;

        var (left, chunk) = (LargestUnpacked, new byte[64 * 1024]);
        foreach (var entry in zip.Entries)
        {
            using var unpacked = entry.Open();
            while (unpacked.Read(chunk) is > 0 and var read)
                if ((left -= read) < 0) throw TooLarge;
        }
        return true;
    }

    /// <summary>The reader was not written for hostile files: whatever it stumbles over is the file's fault.</summary>
    private static T Guarded<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception broken) when (broken is not RuleBreach and not OutOfMemoryException)
        {
            throw RuleBreach.Malformed("not_a_spreadsheet", "");
        }
    }

    private static RuleBreach TooLarge => RuleBreach.Precondition("archive_too_large", StatusCodes.Status413PayloadTooLarge);

    private static string Letters(int column) =>
        column > 26 ? $"{(char)('A' + ((column - 1) / 26) - 1)}{(char)('A' + ((column - 1) % 26))}" : $"{(char)('A' + column - 1)}";
}
