using System.Reflection;
using Microsoft.AspNetCore.Http.Metadata;
using Volunteers.Platform;

namespace Volunteers.Features.Volunteers;

/// <summary>A roster as a spreadsheet program saved it. Read before the handler, so that no transaction waits for an upload.</summary>
internal sealed class ImportFile(IReadOnlyList<ImportColumn<ImportField>> columns, IReadOnlyList<ImportRow<ImportField>> rows) : IEndpointParameterMetadataProvider
{
    public const string Csv = "text/csv";
    public const string Xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    public const string Form = "multipart/form-data";

    public const int LargestBytes = 20 * 1024 * 1024;
    public const int MostRows = 20_000;

    /// <summary>What Excel lets into a cell.</summary>
    public const int LongestCell = 32_767;

    public IReadOnlyList<ImportRow<ImportField>> Rows => rows;

    /// <summary>The heading of a field as the file writes it; the field's own name where the file has no such column.</summary>
    public string HeadingOf(ImportField field) => columns.FirstOrDefault(column => column.Field == field)?.Heading ?? ImportColumns.NameOf(field);

    public static async ValueTask<ImportFile?> BindAsync(HttpContext http)
    {
        using var content = await Upload(http);
        return Of(Table(content, MostRows));
    }

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) => builder.Metadata.Add(Accepted);

    /// <summary>What any upload of a spreadsheet may be.</summary>
    public static AcceptsMetadata Accepted => new([Form, Csv, Xlsx], typeof(IFormFile));

    /// <summary>The body, or the one file of a form.</summary>
    public static async Task<MemoryStream> Upload(HttpContext http)
    {
        var content = new MemoryStream();
        if (http.Request.HasFormContentType) await (await OneFile(http)).CopyToAsync(content, http.RequestAborted);
        else await http.Request.Body.CopyToAsync(content, http.RequestAborted);
        return content;
    }

    /// <summary>The rows of a spreadsheet. The first bytes tell better than a name or a media type what a program has written.</summary>
    public static IEnumerable<object?[]> Table(MemoryStream content, int mostRows) => content.GetBuffer().AsSpan(0, (int)content.Length) switch
    {
        [0x50, 0x4B, 0x03, 0x04, ..] => ImportXlsx.Read(content, mostRows),
        [0xD0, 0xCF, 0x11, 0xE0, ..] => throw RuleBreach.Precondition("old_spreadsheet", StatusCodes.Status415UnsupportedMediaType),
        _ => ImportCsv.Read(content),
    };

    private static ImportFile Of(IEnumerable<object?[]> table)
    {
        IReadOnlyList<ImportColumn<ImportField>>? columns = null;
        var rows = new List<ImportRow<ImportField>>();
        foreach (var (index, cells) in table.Index())
        {
            if (columns is null)
            {
                columns = ImportColumns.Of(cells, ImportColumns.Headings);
                continue;
            }
            var row = ImportRow<ImportField>.Of(index + 1, cells, columns);
            if (row is null) continue;
            if (rows.Count == MostRows) throw RuleBreach.Malformed("too_many_rows", "", MostRows);
            rows.Add(row);
        }
        return new ImportFile(columns ?? throw RuleBreach.Malformed("no_heading_row", ""), rows);
    }

    private static async Task<IFormFile> OneFile(HttpContext http)
    {
        try
        {
            var form = await http.Request.ReadFormAsync(http.RequestAborted);
            return form.Files is [var file] && form.Count == 0 ? file : throw RuleBreach.Malformed("one_file", "");
        }
        catch (Exception broken) when (broken is InvalidDataException or IOException and not BadHttpRequestException)
        {
            throw new BadHttpRequestException("Broken form.", StatusCodes.Status400BadRequest, broken);
        }
    }
}
