using System.Text.Json.Serialization;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Reports;

internal enum ActivityGrouping
{
    Team,
    Project,
    Category,
}

/// <summary>Which activities to count, and by what.</summary>
/// <param name="From">First local day on which they start.</param>
/// <param name="To">Last local day on which they start; at most ten years after the first.</param>
/// <param name="GroupBy">Team, project or category; only the total when not given.</param>
/// <param name="Team">Of exactly this team; its sub-teams are not included.</param>
/// <param name="Category">Of this category.</param>
/// <param name="AsOf">With the hours of this position of the ledger and the activities as they stood when it was booked, or with both as of this instant (RFC 3339); as they stand now when not given.</param>
/// <param name="Format">The form of the answer; by <c>Accept</c> when not given.</param>
internal sealed record ActivityReportQuery(
    [property: FromQuery] DateOnly From, [property: FromQuery] DateOnly To, [property: FromQuery] ActivityGrouping? GroupBy = null,
    [property: FromQuery] Guid? Team = null, [property: FromQuery] string? Category = null, [property: FromQuery] string? AsOf = null,
    [property: FromQuery] ReportFormat? Format = null)
{
    public ReportGroup[] Groups() => GroupBy switch
    {
        ActivityGrouping.Team => [ReportGroup.Team],
        ActivityGrouping.Project => [ReportGroup.Project],
        ActivityGrouping.Category => [ReportGroup.Category],
        _ => [],
    };

    internal sealed class Validator : AbstractValidator<ActivityReportQuery>
    {
        public Validator()
        {
            RuleFor(query => query.To).GreaterThanOrEqualTo(query => query.From).WithMessage(_ => Messages.Title("to_before_from"));
            RuleFor(query => query.To).LessThanOrEqualTo(query => query.From.AddYears(10)).WithMessage(_ => Messages.Title("period_too_long"));
            RuleFor(query => query.Category).Length(1, 50);
            RuleFor(query => query.AsOf).MaximumLength(40).Must(asOf => asOf is null || LedgerPoint.IsReadable(asOf)).WithMessage(_ => Messages.Title("unreadable_as_of"));
        }
    }
}

/// <summary>The activities of a period.</summary>
/// <param name="From">First local day.</param>
/// <param name="To">Last local day.</param>
/// <param name="TimeZone">The organization's; its days are reckoned in it.</param>
/// <param name="AsOf">Where the ledger stood that the hours are from.</param>
/// <param name="Rows">By the group asked for, sorted by name; none when no group was asked for.</param>
/// <param name="Total">Of all rows; a person in several rows is one person here.</param>
/// <param name="ByEvidence">The hours of the total by how we know; only what there is.</param>
internal sealed record ActivityReport(
    DateOnly From, DateOnly To, string TimeZone, LedgerPoint AsOf, IReadOnlyList<ActivityReportRow> Rows, ActivityFigures Total,
    IReadOnlyList<EvidenceHours> ByEvidence) : IReport
{
    private static readonly FigureColumn<ActivityFigures>[] Figures =
    [
        new("report_activities", f => f.Activities), new("report_sessions", f => f.Sessions), new("report_persons", f => f.Persons),
        new("report_person_times", f => f.PersonTimes), new("report_minutes", f => f.Minutes), new("report_hours", f => f.Hours, CellKind.Decimal),
        new("report_beneficiaries", f => f.Beneficiaries),
    ];

    int IReport.Lines => Rows.Count;

    private string organizationName = "";
    private IReadOnlyList<ReportGroup> groups = [];
    private IReadOnlyList<ReportFact> filters = [];

    public static async Task<ActivityReport> Read(ActivityReportQuery query, Tenant tenant, VolunteersDb db, DateTimeOffset now, CancellationToken ct)
    {
        await using var snapshot = await LedgerPoint.Snapshot(db, tenant.Id, ct, query.AsOf);
        var asOf = await LedgerPoint.Find(query.AsOf, tenant.Id, db, now, ct);
        var organization = await db.OrganizationAt(tenant.Id, asOf.NamesAt, ct);
        var (groups, scope) = (query.Groups(), ReportScope.Of(tenant));
        var counts = new ActivityCounts(query, asOf, organization, scope, db);
        var total = await counts.By([], ct);
        var rows = groups.Length == 0 ? [] : await counts.By(groups, ct);
        return new ActivityReport(query.From, query.To, organization.TimeZone, asOf, rows, total[0].Figures, await counts.ByEvidence(ct))
        {
            organizationName = organization.Name, groups = groups,
            filters = await ReportFacts.Filters(db, scope, asOf.NamesAt, ct, query.Team, category: query.Category),
        };
    }

    public string Title() => Messages.Detail("report_activities", organizationName, From, To);

    public ReportTable ToTable(DateTimeOffset drawnAt) => new(Title(), organizationName, ReportFacts.Of(organizationName, From, To, TimeZone, filters, AsOf, drawnAt),
        ReportColumns.Section(Messages.Title("report_sheet"), groups, Figures, Rows, Total, row => row.Figures),
        [EvidenceHours.Section(ByEvidence, new HourFigures(Total.Persons, Total.PersonTimes, Total.Minutes))]);
}

/// <summary>What was done, by whom, and for how many.</summary>
/// <param name="Activities">Published or completed.</param>
/// <param name="Sessions">Of these, those that were completed: they took place.</param>
/// <param name="Persons">Distinct named volunteers credited for these activities.</param>
/// <param name="PersonTimes">Participations credited for these activities, headcounts included.</param>
/// <param name="Minutes">Whole minutes credited for these activities, headcounts included.</param>
/// <param name="Beneficiaries">People reached, as the outcomes say, counted or estimated; one who was reached twice counts twice.</param>
internal sealed record ActivityFigures(long Activities, long Sessions, long Persons, long PersonTimes, long Minutes, long Beneficiaries)
{
    /// <summary>The minutes as hours, rounded half up to two decimals. Not to be added up: rounded sums are not sums.</summary>
    public decimal Hours => HourFigures.InHours(Minutes);
}

/// <summary>One line of the activity report. It has the group that was asked for, null for activities without a project.</summary>
/// <param name="Figures">What the line says.</param>
internal sealed record ActivityReportRow([property: JsonIgnore] ActivityFigures Figures) : ReportRow
{
    [AbsentUnlessAskedFor]
    public ReportTeam? Team => (ReportTeam?)this[ReportGroup.Team];

    /// <summary>Null on the line of activities without a project.</summary>
    [AbsentUnlessAskedFor]
    public ReportProject? Project => (ReportProject?)this[ReportGroup.Project];

    [AbsentUnlessAskedFor]
    public string? Category => (string?)this[ReportGroup.Category];

    /// <summary>Published or completed.</summary>
    public long Activities => Figures.Activities;

    /// <summary>Of these, those that were completed: they took place.</summary>
    public long Sessions => Figures.Sessions;

    /// <summary>Distinct named volunteers credited for these activities.</summary>
    public long Persons => Figures.Persons;

    /// <summary>Participations credited for these activities, headcounts included.</summary>
    public long PersonTimes => Figures.PersonTimes;

    /// <summary>Whole minutes credited for these activities, headcounts included.</summary>
    public long Minutes => Figures.Minutes;

    /// <summary>The minutes as hours, rounded half up to two decimals.</summary>
    public decimal Hours => Figures.Hours;

    /// <summary>People reached, as the outcomes say.</summary>
    public long Beneficiaries => Figures.Beneficiaries;
}
