using System.Data.Common;
using System.Text.Json.Serialization;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Hours;
using Volunteers.Platform;

namespace Volunteers.Features.Reports;

/// <summary>Which hours to compare, since when, and by what.</summary>
/// <param name="Since">The earlier point: a position of the ledger, or an instant (RFC 3339).</param>
/// <param name="From">First local day on which the service began.</param>
/// <param name="To">Last local day on which it began; at most ten years after the first.</param>
/// <param name="GroupBy">As in the hour report.</param>
/// <param name="Team">Given in exactly this team; its sub-teams are not included.</param>
/// <param name="Volunteer">Given by this volunteer.</param>
/// <param name="Activity">Given for this activity.</param>
/// <param name="Project">Given for an activity of this project.</param>
/// <param name="Category">Given under this category.</param>
/// <param name="Evidence">How we know.</param>
/// <param name="AsOf">The later point: a position, or an instant; now when not given. Names are those of this point.</param>
/// <param name="Format">The form of the answer; by <c>Accept</c> when not given.</param>
internal sealed record HourChangesQuery(
    [property: FromQuery] string Since, [property: FromQuery] DateOnly From, [property: FromQuery] DateOnly To, [property: FromQuery] string? GroupBy = null,
    [property: FromQuery] Guid? Team = null, [property: FromQuery] Guid? Volunteer = null, [property: FromQuery] Guid? Activity = null,
    [property: FromQuery] Guid? Project = null, [property: FromQuery] string? Category = null, [property: FromQuery] Evidence? Evidence = null,
    [property: FromQuery] string? AsOf = null, [property: FromQuery] ReportFormat? Format = null)
{
    public HourReportQuery Report() => new(From, To, GroupBy, Team, Volunteer, Activity, Project, Category, Evidence, AsOf, Format);

    internal sealed class Validator : AbstractValidator<HourChangesQuery>
    {
        public Validator(IValidator<HourReportQuery> report)
        {
            RuleFor(query => query.Since).MaximumLength(40).Must(since => since is not null && LedgerPoint.IsReadable(since)).WithMessage(_ => Messages.Title("unreadable_as_of"));
            RuleFor(query => query.Report()).SetValidator(report).OverridePropertyName("");
        }
    }
}

/// <summary>What became of a report: the rows that say something else by now, and the postings that did it.</summary>
/// <param name="From">First local day.</param>
/// <param name="To">Last local day.</param>
/// <param name="TimeZone">The organization's; its days are reckoned in it.</param>
/// <param name="Since">Where the ledger stood before.</param>
/// <param name="AsOf">Where it stands after.</param>
/// <param name="Rows">By the groups asked for, only those that differ, in the order of the report.</param>
/// <param name="Total">Of the whole report, before and after.</param>
/// <param name="ByEvidence">The total by how we know, only what differs.</param>
/// <param name="Postings">Everything booked in between that the report counts, in order; together they may leave a row as it was.</param>
internal sealed record HourChanges(
    DateOnly From, DateOnly To, string TimeZone, LedgerPoint Since, LedgerPoint AsOf, IReadOnlyList<HourChangeRow> Rows, HourChange Total,
    IReadOnlyList<HourChangeRow> ByEvidence, IReadOnlyList<PostingSince> Postings) : IReport
{
    private static readonly FigureColumn<HourChange>[] Figures =
    [
        new("report_persons_before", c => c.From.Persons), new("report_persons_after", c => c.To.Persons),
        new("report_person_times_before", c => c.From.PersonTimes), new("report_person_times_after", c => c.To.PersonTimes),
        new("report_minutes_before", c => c.From.Minutes), new("report_minutes_after", c => c.To.Minutes),
        new("report_hours_before", c => c.From.Hours, CellKind.Decimal), new("report_hours_after", c => c.To.Hours, CellKind.Decimal),
    ];

    int IReport.Lines => Rows.Count;

    private string organizationName = "";
    private IReadOnlyList<ReportGroup> groups = [];
    private IReadOnlyList<ReportFact> filters = [];

    public static async Task<HourChanges> Read(HourChangesQuery query, Tenant tenant, VolunteersDb db, DateTimeOffset now, CancellationToken ct)
    {
        await using var snapshot = await LedgerPoint.Snapshot(db, tenant.Id, ct, query.Since, query.AsOf);
        var since = await LedgerPoint.Find(query.Since, tenant.Id, db, now, ct);
        var asOf = await LedgerPoint.Find(query.AsOf, tenant.Id, db, now, ct);
        return await Between(since, asOf, query.Report(), ReportScope.Of(tenant), db, ct);
    }

    public static async Task<HourChanges> Between(
        LedgerPoint since, LedgerPoint asOf, HourReportQuery query, ReportScope scope, VolunteersDb db, CancellationToken ct)
    {
        if (since.Position > asOf.Position) throw new RuleBreach("since_after_as_of", since.Position, asOf.Position);

        var organization = await db.OrganizationAt(scope.OrganizationId, asOf.NamesAt, ct);
        var groups = query.Groups();
        var sums = new HourSums(query, asOf, scope, db);
        var total = (await sums.ChangesSince(since.Position, [], ct))[0].Figures;
        var postings = await sums.PostingsSince(since.Position, groups, ct);
        var rows = groups.Length == 0 ? [] : await sums.ChangesSince(since.Position, groups, ct);
        var byEvidence = await sums.ChangesSince(since.Position, [ReportGroup.Evidence], ct);
        var positions = postings.ToLookup(posting => Key(posting.Groups), posting => posting.Position);
        return new HourChanges(query.From, query.To, organization.TimeZone, since, asOf, [.. rows.Select(row => row with { Positions = [.. positions[Key(row.Groups)]] })],
            total, [.. byEvidence.Select(row => row with { Positions = [.. postings.Where(posting => posting.Evidence == row.Evidence).Select(posting => posting.Position)] })], postings)
        {
            organizationName = organization.Name, groups = groups,
            filters = await ReportFacts.Filters(db, scope, asOf.NamesAt, ct, query.Team, query.Volunteer, query.Activity, query.Project, query.Category, query.Evidence),
        };
    }

    public string Title() => Messages.Detail("report_changes", organizationName, From, To);

    public ReportTable ToTable(DateTimeOffset drawnAt) => new(Title(), organizationName,
        [new ReportFact(Messages.Title("fact_since"), Since.Position.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            .. ReportFacts.Of(organizationName, From, To, TimeZone, filters, AsOf, drawnAt)],
        ReportColumns.Section(Messages.Title("report_sheet"), groups, Figures, Rows, Total, row => row.Figures),
        [
            ReportColumns.Section(Messages.Title("report_by_evidence"), [ReportGroup.Evidence], Figures, ByEvidence, Total, row => row.Figures),
            PostingSince.Section(Postings),
        ]);

    /// <summary>Under one snapshot the same group has the same name, so its value is its key.</summary>
    private static string Key(OrderedDictionary<ReportGroup, object?> groups) => string.Join('\n', groups.Values);
}

/// <summary>Figures before and after; null where the report had, or has, no such row.</summary>
internal sealed record HourChange([property: JsonIgnore] HourFigures From, [property: JsonIgnore] HourFigures To)
{
    public HourFigures? Before => From == HourFigures.None ? null : From;

    public HourFigures? After => To == HourFigures.None ? null : To;
}

/// <summary>A row that differs.</summary>
/// <param name="Figures">Before and after.</param>
internal sealed record HourChangeRow([property: JsonIgnore] HourChange Figures) : HourRow
{
    /// <summary>As the report said it; null when it had no such row.</summary>
    public HourFigures? Before => Figures.Before;

    /// <summary>As the report says it; null when the row has come to nothing.</summary>
    public HourFigures? After => Figures.After;

    /// <summary>Of the postings that did it.</summary>
    public IReadOnlyList<long> Positions { get; init; } = [];
}

/// <summary>One line of the ledger with the names of what it is about.</summary>
/// <param name="Position">Where in the ledger.</param>
/// <param name="RecordId">The service record; its history says the whole.</param>
/// <param name="Cause">Approved, corrected, voided or claimed.</param>
/// <param name="Volunteer">Null for a headcount.</param>
/// <param name="Team">In which it was given.</param>
/// <param name="Activity">For which it was given.</param>
/// <param name="Evidence">How we know.</param>
/// <param name="ServiceDate">Local day on which it began.</param>
/// <param name="Minutes">Signed.</param>
/// <param name="PersonTimes">Signed.</param>
/// <param name="PostedAt">When it was booked.</param>
/// <param name="PostedBy">By which account or client; all zeros when the service did by itself.</param>
/// <param name="Reason">Why, if one was given.</param>
internal sealed record PostingSince(
    long Position, Guid RecordId, PostingCause Cause, ReportVolunteer? Volunteer, ReportTeam Team, ReportActivity Activity, Evidence Evidence,
    DateOnly ServiceDate, int Minutes, int PersonTimes, DateTimeOffset PostedAt, Guid PostedBy, string? Reason)
{
    /// <summary>How many <see cref="Read"/> reads.</summary>
    public const int Columns = 17;

    [JsonIgnore]
    public OrderedDictionary<ReportGroup, object?> Groups { get; init; } = [];

    public static PostingSince Read(DbDataReader row) => new(
        row.GetInt64(0), row.GetGuid(1), Enum.Parse<PostingCause>(row.GetString(2), ignoreCase: true),
        (ReportVolunteer?)ReportGroup.Volunteer.Read(row, 10), (ReportTeam)ReportGroup.Team.Read(row, 13)!, (ReportActivity)ReportGroup.Activity.Read(row, 15)!,
        Enum.Parse<Evidence>(row.GetString(3), ignoreCase: true), row.GetFieldValue<DateOnly>(4), row.GetInt32(5), row.GetInt32(6),
        row.GetFieldValue<DateTimeOffset>(7), row.GetGuid(8), row.IsDBNull(9) ? null : row.GetString(9));

    public static ReportSection Section(IReadOnlyList<PostingSince> postings) => new(Messages.Title("report_postings"),
        [
            new(Messages.Title("report_position"), CellKind.Integer), new(Messages.Title("export_service_date"), CellKind.Date),
            new(Messages.Title("report_volunteer"), CellKind.Text), new(Messages.Title("report_team"), CellKind.Text), new(Messages.Title("report_activity"), CellKind.Text),
            new(Messages.Title("report_evidence"), CellKind.Text), new(Messages.Title("report_cause"), CellKind.Text), new(Messages.Title("report_reason"), CellKind.Text),
            new(Messages.Title("report_person_times"), CellKind.Integer), new(Messages.Title("report_minutes"), CellKind.Integer),
            new(Messages.Title("report_hours"), CellKind.Decimal),
        ],
        [.. postings.Select(p => new object?[]
        {
            p.Position, p.ServiceDate, p.Volunteer?.Name ?? Messages.Title("report_headcounts"), p.Team.Name, p.Activity.Title,
            ReportFacts.EvidenceWord(p.Evidence), Messages.Title("report_cause_" + p.Cause.ToString().ToLowerInvariant()), p.Reason, (long)p.PersonTimes, (long)p.Minutes,
            HourFigures.InHours(p.Minutes),
        })],
        [
            Messages.Title("report_total"), null, null, null, null, null, null, null, postings.Sum(p => (long)p.PersonTimes), postings.Sum(p => (long)p.Minutes),
            HourFigures.InHours(postings.Sum(p => (long)p.Minutes)),
        ]);
}
