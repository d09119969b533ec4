using System.Text;
using Sylvan.Data.Csv;
using Volunteers.Platform;

namespace Volunteers.Features.Volunteers;

/// <summary>Rows of a CSV file: UTF-8, UTF-16 with its mark, or GB18030, which Excel in China writes.</summary>
internal static class ImportCsv
{
    private const int LongestRow = 128 * 1024;

    private static readonly Encoding Utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static readonly Encoding Gb18030 =
        CodePagesEncodingProvider.Instance.GetEncoding("GB18030", EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback)!;

    public static IEnumerable<object?[]> Read(MemoryStream content)
    {
        var text = TextOf(content.GetBuffer().AsSpan(0, (int)content.Length));
        if (text.Contains('\0', StringComparison.Ordinal)) throw RuleBreach.Malformed("not_a_spreadsheet", "");
        // The reader looks at the first row as it is made.
        using var reader = Guarded(() => CsvDataReader.Create(new StringReader(text), new CsvDataReaderOptions
        {
            HasHeaders = false,
            MaxBufferSize = LongestRow,
            ResultSetMode = ResultSetMode.SingleResult,
        }));
        while (Guarded(reader.Read))
        {
            var cells = new object?[reader.RowFieldCount];
            for (var i = 0; i < cells.Length; i++) cells[i] = reader.GetString(i);
            yield return cells;
        }
    }

    private static T Guarded<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (CsvRecordTooLargeException)
        {
            throw RuleBreach.Malformed("cell_too_long", "", ImportFile.LongestCell);
        }
        catch (CsvFormatException)
        {
            throw RuleBreach.Malformed("not_a_spreadsheet", "");
        }
    }

    private static string TextOf(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return bytes switch
            {
                [0xEF, 0xBB, 0xBF, .. var utf8] => Utf8.GetString(utf8),
                [0xFF, 0xFE, .. var utf16] => Encoding.Unicode.GetString(utf16),
                [0xFE, 0xFF, .. var utf16] => Encoding.BigEndianUnicode.GetString(utf16),
                _ => Utf8.GetString(bytes),
            };
        }
        catch (DecoderFallbackException)
        {
            return Gb18030Of(bytes);
        }
    }

    private static string Gb18030Of(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Gb18030.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw RuleBreach.Malformed("unknown_encoding", "");
        }
    }
}
