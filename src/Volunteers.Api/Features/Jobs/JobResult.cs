using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;
using Volunteers.Data;
using Volunteers.Features.Reports;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Jobs;

internal static class JobResults
{
    public static void MapJobResult(this RouteGroupBuilder jobs) =>
        jobs.MapGet("/{jobId:guid}/result", Result).WithName("getJobResult").ExportsPersonalData().Exports().HandlesFiles().RefusesWith(404, 409, 410)
            .AddOpenApiOperationTransformer((operation, _, _) =>
            {
                foreach (var (media, description) in new[]
                         {
                             (ReportMedia.Csv, "UTF-8 with BOM, CRLF."), (ReportMedia.Xlsx, "One sheet, its heading frozen."), (JobUpload.Ndjson, "One JSON object per line."),
                         })
                    operation.Responses!["200"].Content![media] = new OpenApiMediaType
                    {
                        Schema = new OpenApiSchema { Type = JsonSchemaType.String, Description = description, Format = media == ReportMedia.Xlsx ? "binary" : null },
                    };
                return Task.CompletedTask;
            });

    /// <summary>Hands out the file of an export, or the refused rows of an import; to who asked for the job and no one else.</summary>
    /// <remarks>
    /// Of an import: a file in the form that came in, with the rows that were refused as they were and four columns behind them, refusedRow 原行号, refusedColumn 拒绝列, refusedCode 拒绝代码 and refusedReason 拒绝原因, in the
    /// language of `Accept-Language`. Mended, it can be sent again as it is: an import passes over these columns. A code is stable: of the operation that does the same for one, of
    /// `importVolunteers`, or of a file: `repeated_row`, `value_needed`, `ambiguous_name`, `name_differs`, `unreadable_id`, `unreadable_time`, `unreadable_number`, `status_not_by_import`,
    /// `service_record_differs`, `service_not_counted`, `row_broke` (the service failed at this row alone). Files are kept for 7 days.
    /// </remarks>
    private static async Task<Results<JobResult, NotFound>> Result(Guid jobId, Tenant tenant, VolunteersDb db, JobFiles files, CancellationToken ct)
    {
        if (await db.Jobs.AsNoTracking().SingleOrDefaultAsync(j => j.OrganizationId == tenant.Id && j.Id == jobId && j.AskedBy == tenant.ActorId, ct) is not { } job) return TypedResults.NotFound();
        JobRights.Check(tenant, job.Kind, job.Resource);
        if (!JobRights.CoverWhatIsShown(tenant, job)) throw RuleBreach.Forbidden("forbidden");
        if (job.IsOpen) throw new RuleBreach("job_not_finished");
        if (job.Kind == JobKind.Export && job.State != JobState.Succeeded) throw new RuleBreach("job_without_result");
        if (job.FileBytes is null) throw RuleBreach.Precondition("job_file_gone", StatusCodes.Status410Gone);
        return new JobResult(job, db, files);
    }
}

/// <summary>A file piece by piece, or the refused rows of one. When something fails later, the connection is cut.</summary>
internal sealed class JobResult(Job job, VolunteersDb db, JobFiles files) : IResult, ILeavesItsTrace, IEndpointMetadataProvider
{
    private const int RefusalsAtOnce = 5_000;

    public async Task ExecuteAsync(HttpContext http)
    {
        var ct = http.RequestAborted;
        if (job.Kind == JobKind.Import)
        {
            var refusals = db.JobRefusals.AsNoTracking().Where(r => r.OrganizationId == job.OrganizationId && r.JobId == job.Id);
            var table = JobTable.Open(await files.Read(db, job, ct), job.Format);
            await AuditTrail.Look(http, AuditKind.Export, new Shown(job.Refused, [], AsFile: true));
            NameFile(http, "refused");
            await Send(http, () => WriteRefused(http, table, refusals));
            return;
        }
        await AuditTrail.Look(http, AuditKind.Export, new Shown(job.Done, [], AsFile: true));
        NameFile(http, JobResources.Names.Write(job.Resource));
        http.Response.ContentLength = job.FileBytes;
        await Send(http, async () =>
        {
            await foreach (var chunk in JobFiles.Sealed(db, job).WithCancellation(ct)) await http.Response.Body.WriteAsync(files.Open(chunk, job), ct);
        });
    }

    private async Task WriteRefused(HttpContext http, JobTable table, IQueryable<JobRefusal> refusals)
    {
        var read = table.Headings.Index().Select(heading => (heading.Index, Text: ImportCell.TextOf(heading.Item))).Where(heading => heading.Text.Length > 0 && !RefusedColumns.Contain(heading.Text)).ToArray();
        JobColumn[] columns = [.. read.Select(heading => new JobColumn(heading.Text, heading.Text)), .. Enum.GetValues<RefusedField>().Select(field => new JobColumn(NameOf(field), RefusedColumns.Headings.Write(field)))];
        using var writer = JobWriter.To(http.Response.Body, job.Format, columns, JobResources.Names.Write(job.Resource), http.RequestAborted);
        await writer.Begin();
        // Both in the order of the file.
        await using var next = InOrder(refusals).GetAsyncEnumerator(http.RequestAborted);
        var more = await next.MoveNextAsync();
        foreach (var row in table.Rows)
        {
            if (!more) break;
            var reasons = new List<JobRefusal>();
            for (; more && next.Current.Row == row.Number; more = await next.MoveNextAsync()) reasons.Add(next.Current);
            if (reasons.Count == 0) continue;
            await writer.Write(
            [
                .. read.Select(heading => row.Fault is null && heading.Index < row.Cells.Length ? AsItWas(row.Cells[heading.Index]) : null), (long)row.Number,
                string.Join("; ", reasons.Select(reason => reason.Column).OfType<string>().Distinct()), string.Join("; ", reasons.Select(reason => reason.Code).Distinct()),
                string.Join("; ", reasons.Select(reason => Languages.IsChinese ? reason.Chinese : reason.English).Distinct()),
            ]);
        }
        await writer.End();
    }

    /// <summary>A million at once would be too many, and one statement for all of them would wait for a slow reader.</summary>
    private static async IAsyncEnumerable<JobRefusal> InOrder(IQueryable<JobRefusal> refusals, [EnumeratorCancellation] CancellationToken ct = default)
    {
        for (var (row, position) = (0, -1); ;)
        {
            var page = await refusals.Where(r => r.Row >= row && (r.Row > row || r.Position > position)).OrderBy(r => r.Row).ThenBy(r => r.Position).Take(RefusalsAtOnce).ToListAsync(ct);
            foreach (var refusal in page) yield return refusal;
            if (page.Count < RefusalsAtOnce) yield break;
            (row, position) = (page[^1].Row, page[^1].Position);
        }
    }

    /// <summary>In a spreadsheet a time stays a time, and a number, which may be one too, a number.</summary>
    private object? AsItWas(object? cell) => cell switch
    {
        DateTime { TimeOfDay.Ticks: > 0 } => cell,
        double number when job.Format == JobFormat.Xlsx && Math.Abs(number) < 1e15 => (decimal)number,
        _ => ImportCell.TextOf(cell),
    };

    private static string NameOf(RefusedField field) => "refused" + field;

    private static async Task Send(HttpContext http, Func<Task> write)
    {
        try
        {
            await write();
        }
        catch when (http.Response.HasStarted)
        {
            http.Abort();
            throw;
        }
    }

    private void NameFile(HttpContext http, string title)
    {
        var headers = http.Response.GetTypedHeaders();
        http.Response.Headers.CacheControl = "no-store, private";
        if (job.Kind == JobKind.Import) headers.Append(HeaderNames.Vary, "Accept-Language");
        var (media, extension) = job.Format switch { JobFormat.Xlsx => (ReportMedia.Xlsx, ".xlsx"), JobFormat.Ndjson => (JobUpload.Ndjson, ".ndjson"), _ => (ReportMedia.Csv, ".csv") };
        headers.ContentType = new MediaTypeHeaderValue(media) { Charset = job.Format == JobFormat.Xlsx ? default : "utf-8" };
        headers.ContentDisposition = new ContentDispositionHeaderValue("attachment") { FileName = (job.Kind == JobKind.Import ? "refused" : "export") + extension, FileNameStar = title + extension };
    }

    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(string), [ReportMedia.Csv]));
}
