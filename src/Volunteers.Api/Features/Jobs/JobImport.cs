using FluentValidation.Results;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Jobs;

/// <summary>What a batch of rows, or a file, is worked with.</summary>
/// <param name="Job">Of this moment.</param>
/// <param name="Tenant">Who asked for it, with what they may do now.</param>
/// <param name="Organization">Whose it is.</param>
/// <param name="Db">In a transaction.</param>
/// <param name="Services">Of this batch.</param>
/// <param name="Now">When.</param>
internal sealed record JobContext(Job Job, Tenant Tenant, Organization Organization, VolunteersDb Db, IServiceProvider Services, DateTimeOffset Now)
{
    public Guid OrganizationId => Organization.Id;
}

/// <summary>How the rows of one kind of file are taken in. Lives as long as the file is read.</summary>
internal interface IJobImport
{
    /// <exception cref="RuleBreach">They are not the headings of such a file.</exception>
    void Begin(object?[] headings);

    /// <summary>Rows that were taken before a crash: those that follow may repeat them.</summary>
    void PassOver(JobContext at, IReadOnlyList<FileRow> rows);

    /// <summary>Takes rows as if each had been sent to the API by whoever asked; saves what is not refused, in the transaction that is open.</summary>
    Task<JobBatch> Take(JobContext at, IReadOnlyList<FileRow> rows, CancellationToken ct);
}

internal abstract class JobImport<TField>(ImportWords<TField> headings) : IJobImport where TField : struct, Enum
{
    protected IReadOnlyList<ImportColumn<TField>> Columns { get; private set; } = [];

    public void Begin(object?[] row) => Columns = ImportColumns.Of(row, headings, RefusedColumns.Contain);

    public virtual void PassOver(JobContext at, IReadOnlyList<FileRow> rows) { }

    public async Task<JobBatch> Take(JobContext at, IReadOnlyList<FileRow> rows, CancellationToken ct)
    {
        var (read, refused, empty) = (new List<ImportRow<TField>>(), new List<RefusedRow>(), 0);
        foreach (var row in rows)
            if (row.Fault is { } fault) refused.Add(RefusedRows.Of(row.Number, null, fault));
            else if (ImportRow<TField>.Of(row.Number, row.Cells, Columns) is { } cells) read.Add(cells);
            else empty++;
        var batch = read.Count == 0 ? new JobBatch(0, 0, 0, []) : await Take(at, read, ct);
        return batch with { Unchanged = batch.Unchanged + empty, Refused = [.. refused, .. batch.Refused] };
    }

    protected abstract Task<JobBatch> Take(JobContext at, List<ImportRow<TField>> rows, CancellationToken ct);

    protected IEnumerable<ImportRow<TField>> Read(IEnumerable<FileRow> rows) =>
        rows.Where(row => row.Fault is null).Select(row => ImportRow<TField>.Of(row.Number, row.Cells, Columns)).OfType<ImportRow<TField>>();

    /// <summary>As the file writes it; the field's own name where the file has no such column.</summary>
    protected string HeadingOf(TField field) =>
        Columns.FirstOrDefault(column => EqualityComparer<TField>.Default.Equals(column.Field, field))?.Heading ?? ImportColumns.NameOf(field);

    protected RefusedRow Refusal(int row, TField? field, string code, params object[] arguments) =>
        RefusedRows.Of(row, field is { } known ? HeadingOf(known) : null, code, arguments);

    /// <summary>What a validator says, in both languages, once for each column.</summary>
    protected IEnumerable<RefusedRow> Refusals(int row, Func<ValidationResult> validate, Func<string, TField?> fieldOf)
    {
        var (english, chinese) = (Languages.In(Languages.English, validate).Errors, Languages.In(Languages.Chinese, validate).Errors);
        return english.Zip(chinese, (en, zh) => new RefusedRow(row, fieldOf(en.PropertyName) is { } field ? HeadingOf(field) : null,
            Messages.Has(en.ErrorCode) ? en.ErrorCode : "invalid_value", en.ErrorMessage, zh.ErrorMessage)).DistinctBy(refusal => refusal.Column);
    }
}

internal static class RefusedRows
{
    public static RefusedRow Of(int row, string? column, string code, params object[] arguments) => new(row, column is { Length: > 100 } longer ? longer[..100] : column, code,
        Languages.In(Languages.English, () => Messages.Detail(code, arguments)), Languages.In(Languages.Chinese, () => Messages.Detail(code, arguments)));

    public static RefusedRow Of(int row, string? column, RuleBreach breach) => Of(row, column, breach.Code, breach.Arguments);
}

/// <summary>Columns that say why a row was refused. A file that was mended is sent again with them: they are passed over.</summary>
internal enum RefusedField
{
    Row,
    Column,
    Code,
    Reason,
}

internal static class RefusedColumns
{
    public static readonly ImportWords<RefusedField> Headings = new(
        (RefusedField.Row, "原行号 refusedRow"), (RefusedField.Column, "拒绝列 refusedColumn"), (RefusedField.Code, "拒绝代码 refusedCode"), (RefusedField.Reason, "拒绝原因 refusedReason"));

    public static bool Contain(string heading) => Headings.TryRead(heading, out _);
}
