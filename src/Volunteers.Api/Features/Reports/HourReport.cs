using System.Text.Json.Serialization;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Activities;
using Volunteers.Features.Hours;
using Volunteers.Platform;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Reports;

/// <summary>Which hours to add up, and by what.</summary>
/// <param name="From">First local day on which the service began.</param>
/// <param name="To">Last local day on which it began; at most ten years after the first.</param>
/// <param name="GroupBy">Up to three of <c>team</c>, <c>volunteer</c>, <c>activity</c>, <c>project</c>, <c>category</c>, <c>evidence</c>, <c>month</c>, <c>day</c>, <c>year</c>, with commas; only the total when not given.</param>
/// <param name="Team">Given in exactly this team; its sub-teams are not included.</param>
/// <param name="Volunteer">Given by this volunteer.</param>
/// <param name="Activity">Given for this activity.</param>
/// <param name="Project">Given for an activity of this project.</param>
/// <param name="Category">Given under this category.</param>
/// <param name="Evidence">How we know.</param>
/// <param name="AsOf">As the ledger stood at this position, or at this instant (RFC 3339), with the names of that instant (of a position: of when it was booked); as it stands now, with the names of now, when not given.</param>
/// <param name="Format">The form of the answer; by <c>Accept</c> when not given.</param>
internal sealed record HourReportQuery(
    [property: FromQuery] DateOnly From, [property: FromQuery] DateOnly To, [property: FromQuery] string? GroupBy = null,
    [property: FromQuery] Guid? Team = null, [property: FromQuery] Guid? Volunteer = null, [property: FromQuery] Guid? Activity = null,
    [property: FromQuery] Guid? Project = null, [property: FromQuery] string? Category = null, [property: FromQuery] Evidence? Evidence = null,
    [property: FromQuery] string? AsOf = null, [property: FromQuery] ReportFormat? Format = null)
{
    public ReportGroup[] Groups() => GroupBy is null ? [] : [.. GroupBy.Split(',').Select(name => ReportGroup.All[name])];

    internal sealed class Validator : AbstractValidator<HourReportQuery>
    {
        public Validator()
        {
            RuleFor(query => query.To).GreaterThanOrEqualTo(query => query.From).WithMessage(_ => Messages.Title("to_before_from"));
            RuleFor(query => query.To).LessThanOrEqualTo(query => query.From.AddYears(10)).WithMessage(_ => Messages.Title("period_too_long"));
            RuleFor(query => query.GroupBy).MaximumLength(60).Must(groupBy => groupBy is null || AreGroups(groupBy.Split(','))).WithMessage(_ => Messages.Title("unknown_groups"));
            RuleFor(query => query.Category).Length(1, 50);
            RuleFor(query => query.AsOf).MaximumLength(40).Must(asOf => asOf is null || LedgerPoint.IsReadable(asOf)).WithMessage(_ => Messages.Title("unreadable_as_of"));
        }

        private static bool AreGroups(string[] names) =>
            names.Length <= 3 && names.All(ReportGroup.All.ContainsKey) && names.Distinct().Count() == names.Length;
    }
}

/// <summary>The hours of a period.</summary>
/// <param name="From">First local day.</param>
/// <param name="To">Last local day.</param>
/// <param name="TimeZone">The organization's; its days are reckoned in it.</param>
/// <param name="AsOf">Where the ledger stood.</param>
/// <param name="Rows">By the groups asked for, sorted by their names and dates (volunteers by number); none when no group was asked for, and none that comes to nothing.</param>
/// <param name="Total">Of all rows, from their minutes; a person in several rows is one person here.</param>
/// <param name="ByEvidence">The total by how we know; only what there is. A person known in several ways is one person in each.</param>
/// <param name="Headcounts">What of the total are groups whose names were not taken, by how they were counted; only what there is.</param>
internal sealed record HourReport(
    DateOnly From, DateOnly To, string TimeZone, LedgerPoint AsOf, IReadOnlyList<HourReportRow> Rows, HourFigures Total,
    IReadOnlyList<EvidenceHours> ByEvidence, IReadOnlyList<HeadcountHours> Headcounts) : IReport
{
    public static readonly FigureColumn<HourFigures>[] Figures =
    [
        new("report_persons", f => f.Persons), new("report_person_times", f => f.PersonTimes), new("report_minutes", f => f.Minutes),
        new("report_hours", f => f.Hours, CellKind.Decimal),
    ];

    int IReport.Lines => Rows.Count;

    private string organizationName = "";
    private IReadOnlyList<ReportGroup> groups = [];
    private IReadOnlyList<ReportFact> filters = [];

    /// <summary>One snapshot for the point in the ledger, the sums and the names, so that they fit each other.</summary>
    public static async Task<HourReport> Read(HourReportQuery query, Tenant tenant, VolunteersDb db, DateTimeOffset now, CancellationToken ct)
    {
        await using var snapshot = await LedgerPoint.Snapshot(db, tenant.Id, ct, query.AsOf);
        var asOf = await LedgerPoint.Find(query.AsOf, tenant.Id, db, now, ct);
        return await At(asOf, query, ReportScope.Of(tenant), db, ct);
    }

    /// <param name="asOf">Where in the ledger, whose names.</param>
    /// <param name="query">Its own <c>asOf</c> does not count.</param>
    /// <param name="scope">About whom.</param>
    /// <param name="db">In one snapshot.</param>
    /// <param name="ct">Ends it.</param>
    public static async Task<HourReport> At(LedgerPoint asOf, HourReportQuery query, ReportScope scope, VolunteersDb db, CancellationToken ct)
    {
        var organization = await db.OrganizationAt(scope.OrganizationId, asOf.NamesAt, ct);
        var groups = query.Groups();
        var sums = new HourSums(query, asOf, scope, db);
        var (rows, total, byEvidence) = await sums.By(groups, ct);
        return new HourReport(query.From, query.To, organization.TimeZone, asOf, rows, total, byEvidence, await sums.Headcounts(ct))
        {
            organizationName = organization.Name, groups = groups,
            filters = await ReportFacts.Filters(db, scope, asOf.NamesAt, ct, query.Team, query.Volunteer, query.Activity, query.Project, query.Category, query.Evidence),
        };
    }

    public string Title() => Messages.Detail("report_hours", organizationName, From, To);

    public ReportTable ToTable(DateTimeOffset drawnAt) => new(Title(), organizationName, ReportFacts.Of(organizationName, From, To, TimeZone, filters, AsOf, drawnAt),
        ReportColumns.Section(Messages.Title("report_sheet"), groups, Figures, Rows, Total, row => row.Figures),
        [EvidenceHours.Section(ByEvidence, Total), .. HeadcountHours.Sections(Headcounts)]);
}

/// <summary>Three measures that are not to be confused: persons, participations, time.</summary>
/// <param name="Persons">Distinct named volunteers; headcounts have none.</param>
/// <param name="PersonTimes">Participations, headcounts included.</param>
/// <param name="Minutes">Whole minutes, headcounts included.</param>
internal sealed record HourFigures(long Persons, long PersonTimes, long Minutes)
{
    public static readonly HourFigures None = new(0, 0, 0);

    /// <summary>The minutes as hours, rounded half up to two decimals. Not to be added up: rounded sums are not sums.</summary>
    public decimal Hours => InHours(Minutes);

    /// <summary>Always with two decimals, as 242.00.</summary>
    public static decimal InHours(long minutes) => decimal.Round(minutes / 60m, 2, MidpointRounding.AwayFromZero) + 0.00m;
}

/// <summary>What is known in one way.</summary>
/// <param name="Evidence">How we know.</param>
/// <param name="Persons">Distinct named volunteers.</param>
/// <param name="PersonTimes">Participations, headcounts included.</param>
/// <param name="Minutes">Whole minutes.</param>
internal sealed record EvidenceHours(Evidence Evidence, long Persons, long PersonTimes, long Minutes)
{
    /// <summary>The minutes as hours, rounded half up to two decimals.</summary>
    public decimal Hours => HourFigures.InHours(Minutes);

    public static ReportSection Section(IReadOnlyList<EvidenceHours> lines, HourFigures total) => ReportColumns.Section(
        Messages.Title("report_by_evidence"), [ReportGroup.Evidence], HourReport.Figures,
        [.. lines.Select(line => new HourReportRow(new HourFigures(line.Persons, line.PersonTimes, line.Minutes)) { Groups = new() { [ReportGroup.Evidence] = line.Evidence } })],
        total, row => row.Figures);
}

/// <summary>Groups whose names were not taken.</summary>
/// <param name="Method">Counted or estimated.</param>
/// <param name="PersonTimes">Participations that nobody has claimed by name.</param>
/// <param name="Minutes">Whole minutes, all of them together.</param>
internal sealed record HeadcountHours(CountingMethod Method, long PersonTimes, long Minutes)
{
    /// <summary>The minutes as hours, rounded half up to two decimals.</summary>
    public decimal Hours => HourFigures.InHours(Minutes);

    /// <summary>None where every name is known.</summary>
    public static IEnumerable<ReportSection> Sections(IReadOnlyList<HeadcountHours> lines)
    {
        if (lines.Count == 0) yield break;
        var (personTimes, minutes) = (lines.Sum(line => line.PersonTimes), lines.Sum(line => line.Minutes));
        yield return new ReportSection(Messages.Title("report_without_names"),
            [
                new(Messages.Title("report_method"), CellKind.Text), new(Messages.Title("report_person_times"), CellKind.Integer),
                new(Messages.Title("report_minutes"), CellKind.Integer), new(Messages.Title("report_hours"), CellKind.Decimal),
            ],
            [.. lines.Select(line => new object?[] { Messages.Title("export_headcount_" + line.Method.ToString().ToLowerInvariant()), line.PersonTimes, line.Minutes, line.Hours })],
            [Messages.Title("report_total"), personTimes, minutes, HourFigures.InHours(minutes)]);
    }
}

/// <summary>A line of the ledger's figures. Of the groups it has those that were asked for, in that order, null where there is none.</summary>
internal abstract record HourRow : ReportRow
{
    [AbsentUnlessAskedFor]
    public ReportTeam? Team => (ReportTeam?)this[ReportGroup.Team];

    /// <summary>Null on the line of the headcounts, whose names were not taken.</summary>
    [AbsentUnlessAskedFor]
    public ReportVolunteer? Volunteer => (ReportVolunteer?)this[ReportGroup.Volunteer];

    [AbsentUnlessAskedFor]
    public ReportActivity? Activity => (ReportActivity?)this[ReportGroup.Activity];

    /// <summary>Null on the line of service without a project.</summary>
    [AbsentUnlessAskedFor]
    public ReportProject? Project => (ReportProject?)this[ReportGroup.Project];

    [AbsentUnlessAskedFor]
    public string? Category => (string?)this[ReportGroup.Category];

    [AbsentUnlessAskedFor]
    public Evidence? Evidence => (Evidence?)this[ReportGroup.Evidence];

    /// <summary>As 2026-06.</summary>
    [AbsentUnlessAskedFor]
    public string? Month => (string?)this[ReportGroup.Month];

    [AbsentUnlessAskedFor]
    public DateOnly? Day => (DateOnly?)this[ReportGroup.Day];

    [AbsentUnlessAskedFor]
    public int? Year => (int?)this[ReportGroup.Year];
}

/// <summary>One line of the hour report.</summary>
/// <param name="Figures">What the line says.</param>
internal sealed record HourReportRow([property: JsonIgnore] HourFigures Figures) : HourRow
{
    /// <summary>Distinct named volunteers; headcounts have none. Not to be added up: a person may be in several lines.</summary>
    public long Persons => Figures.Persons;

    /// <summary>Participations, headcounts included.</summary>
    public long PersonTimes => Figures.PersonTimes;

    /// <summary>Whole minutes, headcounts included.</summary>
    public long Minutes => Figures.Minutes;

    /// <summary>The minutes as hours, rounded half up to two decimals. Not to be added up: rounded sums are not sums.</summary>
    public decimal Hours => Figures.Hours;
}
