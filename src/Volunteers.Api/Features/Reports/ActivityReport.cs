using System.Data;
using System.Text.Json.Serialization;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Platform;

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
/// <param name="Format">The form of the answer; by <c>Accept</c> when not given.</param>
internal sealed record ActivityReportQuery(
    [property: FromQuery] DateOnly From, [property: FromQuery] DateOnly To, [property: FromQuery] ActivityGrouping? GroupBy = null,
    [property: FromQuery] Guid? Team = null, [property: FromQuery] string? Category = null, [property: FromQuery] ReportFormat? Format = null)
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
        }
    }
}

/// <summary>The activities of a period.</summary>
/// <param name="From">First local day.</param>
/// <param name="To">Last local day.</param>
/// <param name="TimeZone">The organization's; its days are reckoned in it.</param>
/// <param name="AsOf">Where the ledger stood that the person-times are from.</param>
/// <param name="Rows">By the group asked for, sorted by name; none when no group was asked for.</param>
/// <param name="Total">Of all rows.</param>
internal sealed record ActivityReport(
    DateOnly From, DateOnly To, string TimeZone, LedgerPoint AsOf, IReadOnlyList<ActivityReportRow> Rows, ActivityFigures Total) : IReport
{
    private static readonly FigureColumn<ActivityFigures>[] Figures =
    [
        new("report_activities", f => f.Activities), new("report_sessions", f => f.Sessions),
        new("report_person_times", f => f.PersonTimes), new("report_beneficiaries", f => f.Beneficiaries),
    ];

    private string organizationName = "";
    private IReadOnlyList<ReportGroup> groups = [];
    private IReadOnlyList<ReportFact> filters = [];

    public static async Task<ActivityReport> Read(ActivityReportQuery query, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        await using var snapshot = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var asOf = await LedgerPoint.Find(asOf: null, tenant.Id, db, default, ct);
        var groups = query.Groups();
        var total = await Count(query, [], organization, tenant, db, ct);
        var rows = groups.Length == 0 ? [] : await Count(query, groups, organization, tenant, db, ct);
        return new ActivityReport(query.From, query.To, organization.TimeZone, asOf, rows, total[0].Figures)
        {
            organizationName = organization.Name, groups = groups,
            filters = await ReportFacts.Filters(db, tenant, ct, query.Team, category: query.Category),
        };
    }

    public string Title() => Messages.Detail("report_activities", organizationName, From, To);

    public ReportTable ToTable(DateTimeOffset drawnAt) => new(Title(), organizationName, ReportFacts.Of(organizationName, From, To, TimeZone, filters, AsOf, drawnAt),
        ReportColumns.Section(Messages.Title("report_sheet"), groups, Figures, Rows, Total, row => row.Figures), []);

    private static async Task<List<ActivityReportRow>> Count(
        ActivityReportQuery query, ReportGroup[] groups, Organization organization, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        await using var command = (NpgsqlCommand)db.Database.GetDbConnection().CreateCommand();
        string Parameter(object value)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
            return "$" + command.Parameters.Count;
        }

        command.CommandText =
            $"""
             with chosen as (
                 select s.id, s.status, (s.outcome ->> 'Beneficiaries')::bigint as beneficiaries{string.Concat(groups.Select(group => $", {group.Key} as {group.Alias}"))}
                 from activities s
                 where s.organization_id = {Parameter(tenant.Id)} and s.status in ('published', 'completed')
                   and s.starts_at >= {Parameter(organization.StartOf(query.From))} and s.starts_at < {Parameter(organization.StartOf(query.To.AddDays(1)))}
                   {(tenant.ReadsAll ? "" : $"and s.team_id = any({Parameter(tenant.Teams)})")}
                   {(query.Team is { } team ? $"and s.team_id = {Parameter(team)}" : "")}
                   {(query.Category is { } category ? $"and s.category = {Parameter(category)}" : "")}
             ), credited as (
                 select activity_id, sum(person_times) as person_times from hour_postings
                 where organization_id = $1 and activity_id in (select id from chosen) group by activity_id
             ), g as (
                 select count(*) as activities, count(*) filter (where status = 'completed') as sessions,
                        coalesce(sum(person_times), 0)::bigint as person_times, coalesce(sum(beneficiaries), 0)::bigint as beneficiaries
                        {string.Concat(groups.Select(group => ", " + group.Alias))}
                 from chosen left join credited on credited.activity_id = chosen.id
                 {string.Concat(groups.Select(group => "group by " + group.Alias))}
             )
             select g.activities, g.sessions, g.person_times, g.beneficiaries{string.Concat(groups.Select(group => ", " + group.Show))}
             from g {string.Concat(groups.Select(group => $"{group.Join} order by {group.OrderBy}"))}
             limit {HourSums.MostRows + 1}
             """;
        var rows = new List<ActivityReportRow>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            if (rows.Count == HourSums.MostRows) throw new RuleBreach("report_too_large", HourSums.MostRows);
            var values = new OrderedDictionary<ReportGroup, object?>();
            foreach (var group in groups) values.Add(group, group.Read(reader, 4));
            rows.Add(new ActivityReportRow(new ActivityFigures(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3))) { Groups = values });
        }
        return rows;
    }
}

/// <summary>What was done, and for how many.</summary>
/// <param name="Activities">Published or completed.</param>
/// <param name="Sessions">Of these, those that were completed: they took place.</param>
/// <param name="PersonTimes">Participations credited for these activities.</param>
/// <param name="Beneficiaries">People reached, as the outcomes say, counted or estimated; one who was reached twice counts twice.</param>
internal sealed record ActivityFigures(long Activities, long Sessions, long PersonTimes, long Beneficiaries);

/// <summary>One line of the activity report. It has the group that was asked for, null for activities without a project.</summary>
/// <param name="Figures">What the line says.</param>
internal sealed record ActivityReportRow([property: JsonIgnore] ActivityFigures Figures) : ReportRow
{
    public ReportTeam? Team => (ReportTeam?)this[ReportGroup.Team];

    /// <summary>Null on the line of activities without a project.</summary>
    public ReportProject? Project => (ReportProject?)this[ReportGroup.Project];

    public string? Category => (string?)this[ReportGroup.Category];

    /// <summary>Published or completed.</summary>
    public long Activities => Figures.Activities;

    /// <summary>Of these, those that were completed: they took place.</summary>
    public long Sessions => Figures.Sessions;

    /// <summary>Participations credited for these activities.</summary>
    public long PersonTimes => Figures.PersonTimes;

    /// <summary>People reached, as the outcomes say.</summary>
    public long Beneficiaries => Figures.Beneficiaries;
}
