using System.Text;
using Sylvan.Data.Csv;

namespace Volunteers.Tests.Features.Reports;

/// <summary>A spreadsheet as a reader that is not ours to write understands it.</summary>
internal sealed record ReportFile(string[] Headings, List<Dictionary<string, string>> Rows)
{
    public static ReportFile Read(byte[] file) => Read(Encoding.UTF8.GetString(file).TrimStart('\ufeff'));

    public static ReportFile Read(string text)
    {
        using var reader = CsvDataReader.Create(new StringReader(text), new CsvDataReaderOptions { MaxBufferSize = 1 << 20 });
        var headings = Enumerable.Range(0, reader.FieldCount).Select(reader.GetName).ToArray();
        var rows = new List<Dictionary<string, string>>();
        while (reader.Read()) rows.Add(headings.Index().ToDictionary(heading => heading.Item, heading => reader.GetString(heading.Index)));
        return new ReportFile(headings, rows);
    }
}
