using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Hours;
using Volunteers.Features.Organizations;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Reconciliation;

/// <summary>Makes records of rows that are missing here. Nothing is written when a row is refused, unless the request skips those.</summary>
internal sealed class ReconciliationImport(VolunteersDb db, Organization organization, ReconciliationRun run, ReconciliationImportRequest request, Tenant tenant, DateTimeOffset now)
{
    private readonly List<ImportRefusal> refused = [];
    private readonly FreeTime times = new(organization);
    private List<ReconciliationRow> rows = [];
    private HashSet<string> ofThisFile = [];

    public int Imported { get; private set; }

    /// <summary>Rows that had become records before.</summary>
    public int Already { get; private set; }

    public IReadOnlyList<ImportRefusal> Refused => [.. refused.OrderBy(refusal => refusal.Row)];

    public async Task Run(CancellationToken ct)
    {
        await LoadRows(ct);
        var activities = new ImportActivities(db, organization, run, request);
        await activities.Find(rows, ct);
        var people = rows.Select(row => row.VolunteerId!.Value).Distinct().ToArray();
        await db.LockVolunteers(organization.Id, people, ct);
        await LeaveOut(people, ct);
        var planned = await Plan(people, ct);
        if (planned.Count == 0) return;

        await activities.Add(planned, now, ct);
        var entries = planned.ConvertAll(plan => new ServiceEntry(plan.Row.VolunteerId, 1, null, activities.Of(plan.Row), plan.StartsAt, plan.EndsAt, plan.Row.MinutesThere,
            plan.Placed ? Messages.DetailIn(Messages.Of(organization.Locale), "placed_by_import", run.System) : null, null, Origin: new ServiceOrigin(run.System, plan.Row.Reference!)));
        var skipped = new List<(int Index, RuleBreach Breach)>();
        var records = await db.Record(organization, entries, Recorder.Of(tenant) with { ForOthers = Evidence.Import }, now, ct, skipped);
        foreach (var (index, breach) in skipped)
            refused.Add(new ImportRefusal(planned[index].Row.FileRow!.Value, null, breach.Code, Messages.Detail(breach.Code, breach.Arguments)));

        var made = records.ToDictionary(record => record.OriginReference!);
        foreach (var row in rows.Where(row => made.ContainsKey(row.Reference!))) row.BecameRecord(made[row.Reference!].Id);
        activities.DropUnused([.. records.Select(record => record.ActivityId)]);
        Imported = records.Count;
        run.HasImported(Imported);
        await db.SaveChangesAsync(ct);
    }

    private async Task LoadRows(CancellationToken ct)
    {
        rows = await db.ReconciliationRows.Where(r => r.OrganizationId == organization.Id && r.ReconciliationId == run.Id && r.List == ReconciliationList.MissingHere)
            .OrderBy(r => r.Position).ToListAsync(ct);
        ofThisFile = [.. rows.Select(row => row.Reference!)];
        if (request.Rows is not null)
        {
            var missing = rows.Select(row => row.FileRow!.Value).ToHashSet();
            foreach (var number in request.Rows.Where(number => !missing.Contains(number))) Refuse(number, "not_missing_here");
            var wanted = request.Rows.ToHashSet();
            rows.RemoveAll(row => !wanted.Contains(row.FileRow!.Value));
        }
        Already = rows.RemoveAll(row => row.ImportedRecordId is not null);
    }

    /// <summary>Rows that are records already, and those on which something happened since they were compared.</summary>
    private async Task LeaveOut(Guid[] people, CancellationToken ct)
    {
        var references = rows.Select(row => row.Reference!).ToArray();
        var before = await db.ServiceRecords.Where(r => r.OrganizationId == organization.Id && r.OriginSystem == run.System && references.Contains(r.OriginReference!))
            .Select(r => new { r.Id, r.OriginReference, r.VolunteerId, r.Status }).ToDictionaryAsync(r => r.OriginReference!, ct);
        var waiting = rows.Select(row => row.WaitingRecordId).OfType<Guid>().ToHashSet();
        var submitted = await db.ServiceRecords.Where(r => r.OrganizationId == organization.Id && r.VolunteerId != null && people.Contains(r.VolunteerId.Value)
                && r.ServiceDate >= run.From && r.ServiceDate <= run.To && r.Status == ServiceStatus.Submitted)
            .Select(r => new { r.Id, r.VolunteerId, r.ServiceDate }).ToListAsync(ct);
        var unreviewed = submitted.Select(r => r.Id).ToHashSet();
        var since = await BookedSince(people, ct);
        since.UnionWith(submitted.Where(r => !waiting.Contains(r.Id)).Select(r => (r.VolunteerId, (DateOnly?)r.ServiceDate)));

        rows.RemoveAll(row =>
        {
            if (before.TryGetValue(row.Reference!, out var record))
            {
                if (record.VolunteerId != row.VolunteerId || record.Status is ServiceStatus.Voided or ServiceStatus.Rejected) return Refuse(row, "imported_before");
                row.BecameRecord(record.Id);
                Already++;
                return true;
            }
            return row.VolunteerId == tenant.VolunteerId ? Refuse(row, "own_hours")
                : row.WaitingRecordId is { } submitted && unreviewed.Contains(submitted) ? Refuse(row, "waiting_here")
                : since.Contains((row.VolunteerId, row.Day)) && Refuse(row, "changed_since");
        });
    }

    /// <summary>Whose service of which day was approved, corrected, claimed or voided since the comparison, other than by an import of this file's rows.</summary>
    private async Task<HashSet<(Guid?, DateOnly?)>> BookedSince(Guid[] people, CancellationToken ct)
    {
        var booked = await (
            from p in db.HourPostings
            join r in db.ServiceRecords on new { p.OrganizationId, Id = p.RecordId } equals new { r.OrganizationId, r.Id }
            where p.OrganizationId == organization.Id && p.Position > run.LedgerPosition && p.VolunteerId != null && people.Contains(p.VolunteerId.Value)
                && p.ServiceDate >= run.From && p.ServiceDate <= run.To
            select new { p.VolunteerId, p.ServiceDate, r.OriginSystem, r.OriginReference }).Distinct().ToListAsync(ct);
        return [.. booked.Where(b => b.OriginSystem != run.System || !ofThisFile.Contains(b.OriginReference!)).Select(b => (b.VolunteerId, (DateOnly?)b.ServiceDate))];
    }

    /// <summary>When each row was; those whose file says it come first, so that none is placed where another was.</summary>
    private async Task<List<TimedRow>> Plan(Guid[] people, CancellationToken ct)
    {
        var (from, to) = (organization.StartOf(run.From), organization.StartOf(run.To.AddDays(1)));
        foreach (var record in await db.ServiceRecords.Where(r => r.OrganizationId == organization.Id && r.VolunteerId != null && people.Contains(r.VolunteerId.Value)
                     && (r.Status == ServiceStatus.Approved || r.Status == ServiceStatus.Submitted) && r.StartsAt < to && r.EndsAt > from)
                 .Select(r => new { r.VolunteerId, r.StartsAt, r.EndsAt }).ToListAsync(ct))
            times.Take(record.VolunteerId!.Value, record.StartsAt, record.EndsAt);

        var planned = new List<TimedRow>(rows.Count);
        foreach (var row in rows.Where(row => row.StartsAt is not null))
        {
            times.Take(row.VolunteerId!.Value, row.StartsAt!.Value, row.EndsAt!.Value);
            planned.Add(new TimedRow(row, row.StartsAt.Value, row.EndsAt.Value, Placed: false));
        }
        foreach (var row in rows.Where(row => row.StartsAt is null))
        {
            if (times.Place(row.VolunteerId!.Value, row.Day!.Value, row.MinutesThere!.Value) is { } start)
                planned.Add(new TimedRow(row, start, start.AddMinutes(row.MinutesThere.Value), Placed: true));
            else Refuse(row, "no_free_time");
        }
        return planned;
    }

    private bool Refuse(ReconciliationRow row, string code)
    {
        Refuse(row.FileRow!.Value, code);
        return true;
    }

    private void Refuse(int row, string code) => refused.Add(new ImportRefusal(row, null, code, Messages.Detail(code)));
}

/// <summary>A row, and the time at which its service is recorded.</summary>
internal sealed record TimedRow(ReconciliationRow Row, DateTimeOffset StartsAt, DateTimeOffset EndsAt, bool Placed);
