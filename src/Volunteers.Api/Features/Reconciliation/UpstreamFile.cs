using System.Reflection;
using Microsoft.AspNetCore.Http.Metadata;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Reconciliation;

/// <summary>
/// An export of another system, as cells. Read before the handler, so that no transaction waits for an upload; what the cells
/// mean is known only when the mapping is.
/// </summary>
internal sealed class UpstreamFile(IReadOnlyList<(int Number, object?[] Cells)> lines) : IEndpointParameterMetadataProvider
{
    public const int LargestBytes = 10 * 1024 * 1024;
    public const int MostRows = 50_000;

    /// <summary>Exports have a title and a period above their headings; further down nothing is taken for a heading.</summary>
    private const int LastHeadingLine = 10;

    public static async ValueTask<UpstreamFile?> BindAsync(HttpContext http)
    {
        using var content = await ImportFile.Upload(http);
        var lines = new List<(int, object?[])>();
        foreach (var (index, cells) in ImportFile.Table(content, MostRows + LastHeadingLine).Index())
        {
            if (cells.All(cell => cell is null or string { Length: 0 })) continue;
            if (lines.Count == MostRows + LastHeadingLine) throw RuleBreach.Malformed("too_many_rows", "", MostRows);
            lines.Add((index + 1, cells));
        }
        return new UpstreamFile(lines);
    }

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) => builder.Metadata.Add(ImportFile.Accepted);

    /// <summary>The rows below the headings, each with what the mapping says its cells are.</summary>
    public List<UpstreamCells> Rows(MappedColumns mapped)
    {
        var wanted = mapped.All().ToArray();
        var (at, columns) = Headings(wanted);
        var rows = new List<UpstreamCells>(lines.Count);
        foreach (var (number, cells) in lines.Skip(at + 1))
            if (UpstreamCells.Of(number, cells, columns) is { } row) rows.Add(row);
        return rows.Count <= MostRows ? rows : throw RuleBreach.Malformed("too_many_rows", "", MostRows);
    }

    private (int Line, Dictionary<UpstreamField, int> Columns) Headings((UpstreamField Field, string Heading)[] wanted)
    {
        var best = (Line: -1, Columns: new Dictionary<UpstreamField, int>());
        foreach (var (line, (_, cells)) in lines.TakeWhile(line => line.Number <= LastHeadingLine).Index())
        {
            var found = ColumnsOf(cells, wanted);
            if (found.Count == wanted.Length) return (line, found);
            if (found.Count > best.Columns.Count) best = (line, found);
        }
        if (best.Line < 0) throw RuleBreach.Malformed("no_mapped_heading", "", LastHeadingLine);
        var missing = wanted.Where(column => !best.Columns.ContainsKey(column.Field)).Select(column => column.Heading);
        throw RuleBreach.Malformed("heading_missing", "", Messages.List(missing), lines[best.Line].Number);
    }

    private static Dictionary<UpstreamField, int> ColumnsOf(object?[] cells, (UpstreamField Field, string Heading)[] wanted)
    {
        if (cells.Length > ImportColumns.Most) throw RuleBreach.Malformed("too_many_columns", "", ImportColumns.Most);
        var written = cells.Select(cell => ImportWords.Plain(ImportCell.TextOf(cell))).ToArray();
        var columns = new Dictionary<UpstreamField, int>();
        foreach (var (field, heading) in wanted)
        {
            var plain = ImportWords.Plain(heading);
            var first = Array.IndexOf(written, plain);
            if (first < 0) continue;
            if (Array.IndexOf(written, plain, first + 1) >= 0) throw RuleBreach.Malformed("column_twice", "", heading, heading);
            columns.Add(field, first);
        }
        return columns;
    }
}
