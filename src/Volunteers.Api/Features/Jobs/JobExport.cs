using System.Globalization;
using System.Text;
using System.Text.Json;
using Volunteers.Features.Organizations;
using Volunteers.Features.Reports;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Jobs;

/// <summary>A column of an export: its member in NDJSON, its heading in spreadsheets, and how it looks there.</summary>
internal sealed record JobColumn(string Name, string Heading, CellKind Kind = CellKind.Text, double Width = 16)
{
    public static JobColumn Of<TField>(ImportWords<TField> headings, TField field, CellKind kind = CellKind.Text, double width = 16) where TField : struct, Enum =>
        new(ImportColumns.NameOf(field), headings.Write(field), kind, width);
}

/// <summary>What one kind of file shows, in a form that an import takes again. Everything from one snapshot.</summary>
internal interface IJobExport
{
    /// <summary>In the language of the job.</summary>
    IReadOnlyList<JobColumn> Columns { get; }

    Task<int> Count(JobContext at, CancellationToken ct);

    /// <summary>Rows of texts, lists of texts, whole numbers, figures and days, in the order of the columns.</summary>
    IAsyncEnumerable<object?[]> Rows(JobContext at, CancellationToken ct);
}

/// <summary>Writes rows in one of the formats.</summary>
internal abstract class JobWriter : IDisposable
{
    public static JobWriter To(Stream stream, JobFormat format, IReadOnlyList<JobColumn> columns, string sheet, CancellationToken ct) => format switch
    {
        JobFormat.Xlsx => new XlsxRows(stream, columns, sheet, ct),
        JobFormat.Ndjson => new LineRows(stream, columns, ct),
        _ => new CsvRows(stream, columns, ct),
    };

    public abstract Task Begin();

    public abstract Task Write(object?[] row);

    public abstract Task End();

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) { }

    /// <summary>An instant with the offset of the organization: any program reads it, and an import takes it for what it is.</summary>
    public static string? Moment(DateTimeOffset? instant, Organization organization) => instant is { } at
        ? TimeZoneInfo.ConvertTime(at, organization.Zone).ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFzzz", CultureInfo.InvariantCulture)
        : null;

    private static string Joined(IReadOnlyList<string> list) => string.Join('、', list);

    private sealed class CsvRows(Stream stream, IReadOnlyList<JobColumn> columns, CancellationToken ct) : JobWriter
    {
        private readonly StringBuilder text = new("\ufeff");

        public override Task Begin()
        {
            ReportCsv.AppendTexts(text, [.. columns.Select(column => CellGuard.Put(column.Heading))]);
            return Task.CompletedTask;
        }

        public override async Task Write(object?[] row)
        {
            ReportCsv.AppendTexts(text, [.. row.Select(Shown)]);
            if (text.Length > 32_000) await Send();
        }

        public override Task End() => Send();

        private static string Shown(object? cell) => cell switch
        {
            null => "",
            string words => CellGuard.Put(words),
            IReadOnlyList<string> list => CellGuard.Put(Joined(list)),
            DateOnly day => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            _ => Convert.ToString(cell, CultureInfo.InvariantCulture)!,
        };

        private async Task Send()
        {
            await stream.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), ct);
            text.Clear();
        }
    }

    private sealed class LineRows(Stream stream, IReadOnlyList<JobColumn> columns, CancellationToken ct) : JobWriter
    {
        public override Task Begin() => Task.CompletedTask;

        public override async Task Write(object?[] row)
        {
            var members = new Dictionary<string, object?>(columns.Count);
            for (var i = 0; i < columns.Count; i++) members[columns[i].Name] = row[i];
            await stream.WriteAsync(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(members, Json.Options) + "\n"), ct);
        }

        public override Task End() => Task.CompletedTask;
    }

    private sealed class XlsxRows(Stream stream, IReadOnlyList<JobColumn> columns, string sheet, CancellationToken ct) : JobWriter
    {
        private readonly XlsxFile file = new(stream, [sheet], ct);
        private readonly ReportColumn[] shape = [.. columns.Select(column => new ReportColumn(column.Heading, column.Kind))];

        public override async Task Begin()
        {
            file.BeginSheet([.. columns.Select(column => column.Width)], freezesHeading: true);
            await file.Headings(shape);
        }

        public override async Task Write(object?[] row) => await file.Row(shape,
            [.. row.Select(cell => cell switch { IReadOnlyList<string> list => Joined(list), double figure => figure.ToString("R", CultureInfo.InvariantCulture), _ => cell })]);

        public override async Task End()
        {
            await file.EndSheet();
            await file.Finish();
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) file.Dispose();
            base.Dispose(disposing);
        }
    }
}
