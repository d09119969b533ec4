using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using FluentValidation;
using Microsoft.EntityFrameworkCore;
using Volunteers.Features.Activities;
using Volunteers.Features.Hours;
using Volunteers.Features.Organizations;
using Volunteers.Features.Reports;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Jobs;

/// <summary>What a column of a file of service records may hold.</summary>
internal enum RecordField
{
    RecordId,
    VolunteerNumber,
    VolunteerName,
    ActivityId,
    Activity,
    Team,
    ShiftId,
    StartsAt,
    EndsAt,
    Minutes,
    PersonTimes,
    HeadcountMethod,
    Note,
    DailyLimitOverride,
    Evidence,
    Status,
}

internal static class RecordColumns
{
    public static readonly ImportWords<RecordField> Headings = new(
        (RecordField.RecordId, "记录编号 recordId"),
        (RecordField.VolunteerNumber, "志愿者编号 编号 number volunteerNumber"),
        (RecordField.VolunteerName, "志愿者 姓名 name volunteerName"),
        (RecordField.ActivityId, "活动编号 activityId"),
        (RecordField.Activity, "活动 活动名称 activity"),
        (RecordField.Team, "服务队 team"),
        (RecordField.ShiftId, "班次编号 shiftId"),
        (RecordField.StartsAt, "开始时间 startsAt"),
        (RecordField.EndsAt, "结束时间 endsAt"),
        (RecordField.Minutes, "分钟 分钟数 minutes"),
        (RecordField.PersonTimes, "人次 personTimes"),
        (RecordField.HeadcountMethod, "计数方式 headcountMethod"),
        (RecordField.Note, "备注 note"),
        (RecordField.DailyLimitOverride, "超限理由 dailyLimitOverride"),
        (RecordField.Evidence, "依据 evidence"),
        (RecordField.Status, "状态 status"));

    public static readonly ImportWords<CountingMethod> Methods = new((CountingMethod.Counted, "清点 counted"), (CountingMethod.Estimated, "估计 estimated"));

    public static readonly ImportWords<Evidence> Evidences = new(
        (Evidence.Attendance, "签到签退 attendance"), (Evidence.Coordinator, "负责人录入 coordinator"), (Evidence.Self, "本人填报 self"), (Evidence.Import, "导入 import"));

    public static readonly ImportWords<ServiceStatus> Statuses = new(
        (ServiceStatus.Submitted, "待审核 submitted"), (ServiceStatus.Approved, "已通过 approved"), (ServiceStatus.Rejected, "未通过 rejected"), (ServiceStatus.Voided, "已作废 voided"));
}

/// <summary>
/// Service, recorded by the rules of <see cref="Recording"/> with evidence <c>import</c>. What is recorded already, by its id or by who gave what
/// when, is left as it is: nothing is corrected by a file.
/// </summary>
internal sealed class RecordImport() : JobImport<RecordField>(RecordColumns.Headings)
{
    protected override async Task<JobBatch> Take(JobContext at, List<ImportRow<RecordField>> rows, CancellationToken ct)
    {
        var known = await KnownToRecords.Load(at, [.. rows], ct);
        var (refused, unchanged, entries, keys) = (new List<RefusedRow>(), 0, new List<(int Row, ServiceEntry Entry)>(), new Dictionary<object, int>());
        foreach (var row in rows)
        {
            var before = refused.Count;
            void Refuse(RecordField? field, string code, params object[] arguments) => refused.Add(Refusal(row.Number, field, code, arguments));
            var request = Read(row, known, (field, code) => Refuse(field, code));
            if (refused.Count == before && request is not null)
                refused.AddRange(Refusals(row.Number, () => at.Services.GetRequiredService<IValidator<ServiceRecordRequest>>().Validate(request), FieldOf));
            if (refused.Count > before || request is null) continue;

            var key = (request.VolunteerId, request.ActivityId, request.StartsAt, request.EndsAt, request.Headcount?.PersonTimes);
            if (row.Id(RecordField.RecordId, (_, _) => { }) is { } id)
            {
                if (!known.ById.TryGetValue(id, out var record)) Refuse(RecordField.RecordId, "record_not_found");
                else if (!IsSame(record, request, row)) Refuse(RecordField.RecordId, "service_record_differs");
                else unchanged++;
            }
            else if (known.Counted(request) is { } record)
            {
                if (IsSame(record, request, row)) unchanged++;
                else Refuse(null, "service_record_differs");
            }
            else if (row.Word(RecordField.Status, RecordColumns.Statuses, (_, _) => { }) is ServiceStatus.Rejected or ServiceStatus.Voided) Refuse(RecordField.Status, "service_not_counted");
            else if (!keys.TryAdd(key, row.Number)) Refuse(null, "repeated_row", keys[key]);
            else entries.Add((row.Number, request.ToEntry()));
        }
        if (entries.Count == 0) return new JobBatch(0, 0, unchanged, refused);

        var skipped = new List<(int Index, RuleBreach Breach)>();
        var records = await at.Db.Record(at.Organization, [.. entries.Select(entry => entry.Entry)], Recorder.Of(at.Tenant) with { ForOthers = Evidence.Import }, at.Now, ct,
            skipped, rehearse: at.Job.DryRun);
        refused.AddRange(skipped.Select(skip => Refusal(entries[skip.Index].Row, FieldOf(skip.Breach), skip.Breach.Code, skip.Breach.Arguments)));
        return new JobBatch(records.Count, 0, unchanged, refused);
    }

    private static ServiceRecordRequest? Read(ImportRow<RecordField> row, KnownToRecords known, Action<RecordField, string> refuse)
    {
        row.Id(RecordField.RecordId, refuse);
        row.Word(RecordField.Status, RecordColumns.Statuses, refuse);
        row.Word(RecordField.Evidence, RecordColumns.Evidences, refuse);
        var (startsAt, endsAt) = (row.Moment(RecordField.StartsAt, known.Organization, refuse), row.Moment(RecordField.EndsAt, known.Organization, refuse));
        if (startsAt is null && row.Text(RecordField.StartsAt) is null) refuse(RecordField.StartsAt, "value_needed");
        if (endsAt is null && row.Text(RecordField.EndsAt) is null) refuse(RecordField.EndsAt, "value_needed");
        var method = row.Word(RecordField.HeadcountMethod, RecordColumns.Methods, refuse);
        var (times, minutes) = (row.Whole(RecordField.PersonTimes, refuse), row.Whole(RecordField.Minutes, refuse));
        var volunteer = known.VolunteerOf(row, refuse);
        var activity = known.ActivityOf(row, startsAt, refuse);
        return startsAt is null || endsAt is null || activity is null ? null : new ServiceRecordRequest(
            activity.Value, startsAt.Value, endsAt.Value, volunteer, method is null || volunteer is not null ? null : new Headcount(times ?? 1, method.Value),
            row.Id(RecordField.ShiftId, refuse), minutes, row.Text(RecordField.Note), row.Text(RecordField.DailyLimitOverride));
    }

    /// <summary>What the row leaves out is as it is.</summary>
    private static bool IsSame(ServiceRecord record, ServiceRecordRequest request, ImportRow<RecordField> row) =>
        record.VolunteerId == request.VolunteerId && record.ActivityId == request.ActivityId && record.StartsAt == request.StartsAt && record.EndsAt == request.EndsAt
        && (request.Minutes is null || record.Minutes == request.Minutes) && (request.Headcount is not { } count || (record.PersonTimes == count.PersonTimes && record.HeadcountMethod == count.Method))
        && (request.ShiftId is null || record.ShiftId == request.ShiftId) && row.Text(RecordField.Note, record.Note) == record.Note
        && row.Text(RecordField.DailyLimitOverride, record.DailyLimitOverride) == record.DailyLimitOverride;

    private static RecordField? FieldOf(string property) => property.Split('.') switch
    {
        ["Headcount", "PersonTimes"] => RecordField.PersonTimes,
        ["VolunteerId"] => RecordField.VolunteerNumber,
        [var name, ..] => Enum.TryParse<RecordField>(name, out var field) ? field : null,
        _ => null,
    };

    private static RecordField? FieldOf(RuleBreach breach) => breach.Pointer switch
    {
        "/volunteerId" => RecordField.VolunteerNumber,
        "/activityId" => RecordField.ActivityId,
        "/shiftId" => RecordField.ShiftId,
        _ => breach.Code == "minutes_exceed_period" ? RecordField.Minutes : null,
    };
}

/// <summary>People, activities and records that the rows of a batch name, as far as whoever asked reaches them.</summary>
internal sealed class KnownToRecords
{
    private readonly Dictionary<string, (Guid Id, string Name)> people;
    private readonly ILookup<string, (Guid Id, string Team, DateOnly From, DateOnly To)> titled;
    private readonly ILookup<(Guid ActivityId, DateTimeOffset StartsAt, DateTimeOffset EndsAt), ServiceRecord> counted;

    private KnownToRecords(
        Organization organization, Dictionary<string, (Guid Id, string Name)> people, ILookup<string, (Guid Id, string Team, DateOnly From, DateOnly To)> titled,
        Dictionary<Guid, ServiceRecord> byId, ILookup<(Guid ActivityId, DateTimeOffset StartsAt, DateTimeOffset EndsAt), ServiceRecord> counted) =>
        (Organization, this.people, this.titled, ById, this.counted) = (organization, people, titled, byId, counted);

    public Organization Organization { get; }

    public IReadOnlyDictionary<Guid, ServiceRecord> ById { get; }

    public static async Task<KnownToRecords> Load(JobContext at, ImportRow<RecordField>[] rows, CancellationToken ct)
    {
        var (db, tenant, organization) = (at.Db, at.Tenant, at.Organization);
        string[] numbers = [.. rows.Select(row => row.Text(RecordField.VolunteerNumber)).OfType<string>().Distinct()];
        string[] titles = [.. rows.Where(row => row.Text(RecordField.ActivityId) is null).Select(row => row.Text(RecordField.Activity)).OfType<string>().Distinct()];
        Guid[] ids = [.. rows.Select(row => row.Id(RecordField.RecordId, (_, _) => { })).OfType<Guid>().Distinct()];
        DateTimeOffset[] starts = [.. rows.Select(row => row.Moment(RecordField.StartsAt, organization, (_, _) => { })).OfType<DateTimeOffset>().Distinct()];

        var people = await db.Volunteers.Where(v => v.OrganizationId == at.OrganizationId && numbers.Contains(v.Number))
            .Select(v => new { v.Number, v.Id, v.Name }).ToDictionaryAsync(v => v.Number, v => (v.Id, v.Name), ct);
        var titled = await (
            from a in db.Activities
            join t in db.Teams on new { a.OrganizationId, Id = a.TeamId } equals new { t.OrganizationId, t.Id }
            where a.OrganizationId == at.OrganizationId && titles.Contains(a.Title) && a.Status != ActivityStatus.Cancelled && (tenant.CoordinatesAll || tenant.Teams.Contains(a.TeamId))
            select new { a.Id, a.Title, Team = t.Name, a.StartsAt, a.EndsAt }).ToListAsync(ct);
        var within = db.ServiceRecords.AsNoTracking().Where(r => r.OrganizationId == at.OrganizationId && (tenant.ReadsAll || tenant.Teams.Contains(r.TeamId)));
        var byId = await within.Where(r => ids.Contains(r.Id)).ToDictionaryAsync(r => r.Id, ct);
        var counted = await within.Where(r => starts.Contains(r.StartsAt) && (r.Status == ServiceStatus.Submitted || r.Status == ServiceStatus.Approved)).ToListAsync(ct);
        return new KnownToRecords(organization, people,
            titled.ToLookup(a => a.Title, a => (a.Id, a.Team, organization.DayOf(a.StartsAt), organization.DayOf(a.EndsAt))), byId,
            counted.ToLookup(r => (r.ActivityId, r.StartsAt, r.EndsAt)));
    }

    /// <summary>By number; a name beside it has to be theirs, so that a number typed wrong credits nobody else.</summary>
    public Guid? VolunteerOf(ImportRow<RecordField> row, Action<RecordField, string> refuse)
    {
        if (row.Text(RecordField.VolunteerNumber) is not { } number)
        {
            if (row.Text(RecordField.VolunteerName) is not null && row.Text(RecordField.HeadcountMethod) is null) refuse(RecordField.VolunteerNumber, "value_needed");
            return null;
        }
        if (!people.TryGetValue(number, out var person)) refuse(RecordField.VolunteerNumber, "volunteer_not_found");
        else if (row.Text(RecordField.VolunteerName) is { } name && name != person.Name.Trim()) refuse(RecordField.VolunteerName, "name_differs");
        else return person.Id;
        return null;
    }

    /// <summary>By its id; else by its title, and its team where it is named, on the day of the service.</summary>
    public Guid? ActivityOf(ImportRow<RecordField> row, DateTimeOffset? startsAt, Action<RecordField, string> refuse)
    {
        if (row.Text(RecordField.ActivityId) is not null) return row.Id(RecordField.ActivityId, refuse);
        if (row.Text(RecordField.Activity) is not { } title)
        {
            refuse(RecordField.ActivityId, "value_needed");
            return null;
        }
        if (startsAt is not { } start) return null;
        var (day, team) = (Organization.DayOf(start), row.Text(RecordField.Team));
        var found = titled[title].Where(activity => activity.From <= day && activity.To >= day && (team is null || activity.Team == team)).ToArray();
        if (found.Length == 1) return found[0].Id;
        refuse(RecordField.Activity, found.Length == 0 ? "activity_not_found" : "ambiguous_name");
        return null;
    }

    /// <summary>What counts already of the same people, for the same activity, at the same time.</summary>
    public ServiceRecord? Counted(ServiceRecordRequest request) => counted[(request.ActivityId, request.StartsAt, request.EndsAt)]
        .FirstOrDefault(record => record.VolunteerId == request.VolunteerId && (record.VolunteerId is not null || record.PersonTimes == request.Headcount!.PersonTimes));
}

/// <summary>Records of the caller's teams, in the order in which service was given, with what an import needs to know them again.</summary>
internal sealed class RecordExport : IJobExport
{
    private const int AtOnce = 1_000;

    public IReadOnlyList<JobColumn> Columns { get; } =
    [
        .. Enum.GetValues<RecordField>().Select(field => JobColumn.Of(RecordColumns.Headings, field,
            field is RecordField.Minutes or RecordField.PersonTimes ? CellKind.Integer : CellKind.Text, field is RecordField.RecordId or RecordField.ActivityId or RecordField.ShiftId ? 38 : 18)),
    ];

    public Task<int> Count(JobContext at, CancellationToken ct) => Records(at).CountAsync(ct);

    public async IAsyncEnumerable<object?[]> Rows(JobContext at, [EnumeratorCancellation] CancellationToken ct)
    {
        var db = at.Db;
        for (ServiceRecord? last = null; ;)
        {
            var records = last is null ? Records(at) : Records(at).Where(After(last.StartsAt, last.Id));
            var page = await (
                from r in records.OrderBy(r => r.StartsAt).ThenBy(r => r.Id).Take(AtOnce)
                join a in db.Activities on new { r.OrganizationId, Id = r.ActivityId } equals new { a.OrganizationId, a.Id }
                join t in db.Teams on new { r.OrganizationId, Id = r.TeamId } equals new { t.OrganizationId, t.Id }
                join v in db.Volunteers on new { r.OrganizationId, Id = r.VolunteerId } equals new { v.OrganizationId, Id = (Guid?)v.Id } into named
                from v in named.DefaultIfEmpty()
                orderby r.StartsAt, r.Id
                select new { Record = r, Activity = a.Title, Team = t.Name, v.Number, v.Name }).AsNoTracking().ToListAsync(ct);
            foreach (var row in page) yield return Row(row.Record, row.Number, row.Name, row.Activity, row.Team, at.Organization);
            if (page.Count < AtOnce) yield break;
            last = page[^1].Record;
        }
    }

    private static object?[] Row(ServiceRecord r, string? number, string? name, string activity, string team, Organization organization) =>
    [
        r.Id.ToString(), number, name, r.ActivityId.ToString(), activity, team, r.ShiftId?.ToString(), JobWriter.Moment(r.StartsAt, organization), JobWriter.Moment(r.EndsAt, organization),
        (long)r.Minutes, r.IsHeadcount ? (long)r.PersonTimes : null, r.HeadcountMethod is { } method ? RecordColumns.Methods.Write(method) : null, r.Note, r.DailyLimitOverride,
        RecordColumns.Evidences.Write(r.Evidence), RecordColumns.Statuses.Write(r.Status),
    ];

    private static Expression<Func<ServiceRecord, bool>> After(DateTimeOffset startsAt, Guid id) => r => r.StartsAt > startsAt || (r.StartsAt == startsAt && r.Id > id);

    private static IQueryable<ServiceRecord> Records(JobContext at)
    {
        var (tenant, job) = (at.Tenant, at.Job);
        var records = at.Db.ServiceRecords.Where(r => r.OrganizationId == at.OrganizationId && (tenant.ReadsAll || tenant.Teams.Contains(r.TeamId)));
        if (job.From is { } from) records = records.Where(r => r.ServiceDate >= from);
        if (job.To is { } to) records = records.Where(r => r.ServiceDate <= to);
        if (job.TeamId is { } team) records = records.Where(r => r.TeamId == team);
        return records;
    }
}
