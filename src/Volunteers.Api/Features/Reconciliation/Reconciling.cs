using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Hours;
using Volunteers.Features.Organizations;
using Volunteers.Features.Teams;
using Volunteers.Platform;

namespace Volunteers.Features.Reconciliation;

/// <summary>Holds an export of another system against the service of a period. Nothing is changed by it.</summary>
internal sealed class Reconciling
{
    public const int MostRecords = 100_000;

    private readonly Organization organization;
    private readonly ColumnMapping mapping;
    private readonly ReconciliationRun run;
    private readonly HashSet<string> references = [];
    private readonly Dictionary<string, int> ordinals = [];
    private readonly List<ReconciliationRow> rows = [];
    private readonly Dictionary<ServiceThere, Read> readable = [];
    private List<Recorded> records = [];
    private HashSet<Guid>? teams;
    private HashSet<Guid>? people;

    private Reconciling(Organization organization, ColumnMapping mapping, ReconciliationRun run) =>
        (this.organization, this.mapping, this.run) = (organization, mapping, run);

    /// <returns>Every row of the file and every record of the period, each in exactly one list.</returns>
    public static async Task<List<ReconciliationRow>> Compare(
        VolunteersDb db, Organization organization, ColumnMapping mapping, ReconciliationRun run, UpstreamFile file, CancellationToken ct)
    {
        var work = new Reconciling(organization, mapping, run);
        // Before the records: what is booked while they are read counts as booked since.
        var ledgerPosition = await db.HourLedgers.Where(l => l.OrganizationId == organization.Id).Select(l => l.Position).SingleOrDefaultAsync(ct);
        var cells = file.Rows(mapping.Columns);
        await work.LoadRecords(db, cells, ct);
        await work.LoadTeam(db, ct);
        var match = await PeopleMatch.Load(db, organization.Id, [.. work.records.Where(r => r.Approved).Select(r => (r.Here.VolunteerId, r.Here.Day))], ct);
        foreach (var row in cells) work.Take(row, match);
        work.Match();
        foreach (var (position, row) in work.rows.OrderBy(row => row.FileRow ?? int.MaxValue).Index()) row.Position = position;
        run.Found(work.rows, ledgerPosition);
        return work.rows;
    }

    /// <summary>Of the period, and those that were imported from these rows and moved to another day since.</summary>
    private async Task LoadRecords(VolunteersDb db, List<UpstreamCells> cells, CancellationToken ct)
    {
        var known = cells.Select(row => row.Text(UpstreamField.Reference)).OfType<string>().Distinct().ToArray();
        records = await (
            from r in db.ServiceRecords
            join a in db.Activities on new { r.OrganizationId, Id = r.ActivityId } equals new { a.OrganizationId, a.Id }
            where r.OrganizationId == organization.Id && r.VolunteerId != null && (r.Status == ServiceStatus.Approved || r.Status == ServiceStatus.Submitted)
                && ((r.ServiceDate >= run.From && r.ServiceDate <= run.To) || (r.OriginSystem == mapping.System && known.Contains(r.OriginReference!)))
            orderby r.ServiceDate, r.StartsAt, r.Id
            select new Recorded(r.Status == ServiceStatus.Approved,
                new ServiceHere(r.Id, r.VolunteerId!.Value, r.ServiceDate, r.StartsAt, r.Minutes, a.Title, r.OriginSystem == mapping.System ? r.OriginReference : null, r.TeamId)))
            .Take(MostRecords + 1).ToListAsync(ct);
        if (records.Count > MostRecords) throw new RuleBreach("period_too_full", MostRecords);
    }

    private async Task LoadTeam(VolunteersDb db, CancellationToken ct)
    {
        if (run.TeamId is not { } team) return;
        teams = [.. await db.TeamsWithin(organization.Id, [team], ct)];
        people = [.. await db.TeamMembers.Where(m => m.OrganizationId == organization.Id && teams.Contains(m.TeamId)).Select(m => m.VolunteerId).ToListAsync(ct)];
    }

    private void Take(UpstreamCells cells, PeopleMatch match)
    {
        var person = new UpstreamPerson(cells.Text(UpstreamField.Number), cells.Text(UpstreamField.Phone), cells.Text(UpstreamField.Name));
        var time = cells.Time(organization, mapping.DateFormats);
        var given = cells.Text(UpstreamField.Reference);
        var read = new Read(cells, person, time, given);
        if (time is not { Code: null, Day: { } day, Minutes: { } minutes }) Unmatched(read, time.Code!, time.Column);
        else if (day < run.From || day > run.To) Unmatched(read, "outside_period", UpstreamField.Date);
        else if (given is not null && !references.Add(given)) Unmatched(read, "duplicate_reference", UpstreamField.Reference);
        else if (match.Find(person, day) is var (found, code) && found is not { } volunteer) Unmatched(read, code!);
        else if (people?.Contains(volunteer) == false) Unmatched(read, "not_in_team", volunteer: volunteer);
        else
        {
            var activity = cells.Text(UpstreamField.Activity);
            readable.Add(new ServiceThere(cells.Number, volunteer, day, minutes, activity, given ?? ReferenceOf(volunteer, day, minutes, activity)), read);
        }
    }

    /// <summary>A row that its system has no number for is known by what it says, and by how many rows before it say the same.</summary>
    private string ReferenceOf(Guid volunteer, DateOnly day, int minutes, string? activity)
    {
        var content = string.Create(CultureInfo.InvariantCulture, $"{volunteer:N}\n{day:yyyy-MM-dd}\n{minutes}\n{activity}");
        var hash = "row:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content)))[..32];
        var ordinal = ordinals[hash] = ordinals.GetValueOrDefault(hash) + 1;
        return string.Create(CultureInfo.InvariantCulture, $"{hash}:{ordinal}");
    }

    private void Match()
    {
        var credited = ServiceMatch.Of(readable.Keys, [.. records.Where(r => r.Approved).Select(r => r.Here)]);
        var waiting = ServiceMatch.Of(credited.OnlyThere, [.. records.Where(r => !r.Approved).Select(r => r.Here)]).Pairs.ToDictionary(pair => pair.There, pair => pair.Here.RecordId);
        foreach (var (there, here) in credited.Pairs)
        {
            if (teams?.Contains(here.TeamId) == false) Unmatched(readable[there], "service_of_another_team", volunteer: there.VolunteerId);
            else rows.Add(Row(readable[there], there.Day == here.Day && there.Minutes == here.Minutes ? ReconciliationList.Same : ReconciliationList.Different, there, here));
        }
        foreach (var there in credited.OnlyThere)
            rows.Add(Row(readable[there], ReconciliationList.MissingHere, there, waiting: waiting.TryGetValue(there, out var record) ? record : null));
        foreach (var here in credited.OnlyHere.Where(here => here.Day >= run.From && here.Day <= run.To && teams?.Contains(here.TeamId) != false)
                     .OrderBy(here => here.Day).ThenBy(here => here.StartsAt).ThenBy(here => here.RecordId))
            rows.Add(new ReconciliationRow
            {
                OrganizationId = run.OrganizationId, Id = Guid.CreateVersion7(run.CreatedAt), ReconciliationId = run.Id, List = ReconciliationList.MissingThere,
                VolunteerId = here.VolunteerId, Activity = here.Activity, RecordId = here.RecordId, DayHere = here.Day, MinutesHere = here.Minutes,
            });
    }

    private ReconciliationRow Row(Read read, ReconciliationList list, ServiceThere there, ServiceHere? here = null, Guid? waiting = null) => new()
    {
        OrganizationId = run.OrganizationId, Id = Guid.CreateVersion7(run.CreatedAt), ReconciliationId = run.Id, List = list, FileRow = there.Row,
        VolunteerId = there.VolunteerId, Day = there.Day, StartsAt = read.Time.StartsAt, EndsAt = read.Time.EndsAt, Activity = there.Activity,
        Reference = there.Reference, MinutesThere = there.Minutes, RecordId = here?.RecordId, DayHere = here?.Day, MinutesHere = here?.Minutes, WaitingRecordId = waiting,
    };

    private void Unmatched(Read read, string code, UpstreamField? column = null, Guid? volunteer = null) => rows.Add(new ReconciliationRow
    {
        OrganizationId = run.OrganizationId, Id = Guid.CreateVersion7(run.CreatedAt), ReconciliationId = run.Id, List = ReconciliationList.Unmatched,
        FileRow = read.Cells.Number, VolunteerId = volunteer,
        PersonNumber = volunteer is null ? read.Person.Number : null, PersonName = volunteer is null ? read.Person.Name : null,
        PersonPhone = volunteer is null && read.Person.Phone is { } phone ? string.Concat(phone.Where(char.IsAsciiDigit).TakeLast(4)) : null,
        Day = read.Time.Day, StartsAt = read.Time.StartsAt, EndsAt = read.Time.EndsAt, MinutesThere = read.Time.Minutes,
        Activity = read.Cells.Text(UpstreamField.Activity), Reference = read.Reference, Code = code,
        Column = column is { } field ? mapping.Columns.All().FirstOrDefault(each => each.Field == field).Heading : null,
    });

    private sealed record Read(UpstreamCells Cells, UpstreamPerson Person, UpstreamTime Time, string? Reference);

    private sealed record Recorded(bool Approved, ServiceHere Here);
}
