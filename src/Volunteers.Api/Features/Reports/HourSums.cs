using Microsoft.EntityFrameworkCore;
using Npgsql;
using Volunteers.Data;
using Volunteers.Platform;

namespace Volunteers.Features.Reports;

/// <summary>
/// Adds up the ledger in SQL: the postings themselves, or the totals kept with them where those are fine enough, which
/// gives the same figures from far fewer rows.
/// </summary>
internal sealed class HourSums(HourReportQuery query, LedgerPoint asOf, Tenant tenant, VolunteersDb db)
{
    public const int MostRows = 50_000;

    public async Task<List<HourReportRow>> By(IReadOnlyList<ReportGroup> groups, CancellationToken ct)
    {
        await using var command = (NpgsqlCommand)db.Database.GetDbConnection().CreateCommand();
        command.CommandText = Sql(groups, command.Parameters);
        var rows = new List<HourReportRow>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            if (rows.Count == MostRows) throw new RuleBreach("report_too_large", MostRows);
            var values = new OrderedDictionary<ReportGroup, object?>();
            var at = 3;
            foreach (var group in groups)
            {
                values.Add(group, group.Read(reader, at));
                at += group.Width;
            }
            rows.Add(new HourReportRow(new HourFigures(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2))) { Groups = values });
        }
        return rows;
    }

    /// <summary>
    /// First by person, because a person counts in a row only if their person-times there come to more than nothing: what
    /// was voided or moved elsewhere leaves no person behind.
    /// </summary>
    private string Sql(IReadOnlyList<ReportGroup> groups, NpgsqlParameterCollection parameters)
    {
        var totals = CanReadTotals(groups);
        var aliases = groups.Select(group => group.Alias).ToArray();
        return $"""
                with person as (
                    select {List(groups.Select(group => $"{(totals ? group.KeyInTotals : group.Key)} as {group.Alias}"), ", ")}
                           s.volunteer_id, sum(s.minutes) as minutes, sum(s.person_times) as person_times
                    from {(totals ? "hour_totals" : "hour_postings")} s
                    where {Conditions(totals, parameters)}
                    group by {List(aliases, ", ")} s.volunteer_id
                ), g as (
                    select {List(aliases, ", ")} count(volunteer_id) filter (where person_times > 0) as persons,
                           sum(person_times)::bigint as person_times, sum(minutes)::bigint as minutes
                    from person {(groups.Count == 0 ? "" : "group by " + string.Join(", ", aliases))}
                    having sum(person_times) <> 0 or sum(minutes) <> 0
                )
                select g.persons, g.person_times, g.minutes{string.Concat(groups.Select(group => ", " + group.Show))}
                from g {string.Join(' ', groups.Select(group => group.Join))}
                {(groups.Count == 0 ? "" : "order by " + string.Join(", ", groups.Select(group => group.OrderBy)))}
                limit {MostRows + 1}
                """;
    }

    private string Conditions(bool totals, NpgsqlParameterCollection parameters)
    {
        var conditions = new List<string>();
        void Add(string condition, object value)
        {
            parameters.Add(new NpgsqlParameter { Value = value });
            conditions.Add($"{condition}${parameters.Count}{(value is Array ? ")" : "")}");
        }

        var day = totals ? "s.month" : "s.service_date";
        Add("s.organization_id = ", tenant.Id);
        Add($"{day} >= ", query.From);
        Add($"{day} <= ", query.To);
        if (query.AsOf is not null) Add("s.position <= ", asOf.Position);
        if (!tenant.ReadsAll) Add("s.team_id = any(", tenant.Teams);
        if (query.Team is { } team) Add("s.team_id = ", team);
        if (query.Volunteer is { } volunteer) Add("s.volunteer_id = ", volunteer);
        if (query.Activity is { } activity) Add("s.activity_id = ", activity);
        if (query.Project is { } project) Add("s.project_id = ", project);
        if (query.Category is { } category) Add("s.category = ", category);
        if (query.Evidence is { } evidence) Add("s.evidence = ", evidence.ToString().ToLowerInvariant());
        return string.Join(" and ", conditions);
    }

    /// <summary>Totals are kept per team, volunteer, month and evidence, as they stand now.</summary>
    private bool CanReadTotals(IReadOnlyList<ReportGroup> groups) =>
        query is { AsOf: null, Activity: null, Project: null, Category: null, From.Day: 1 } && query.To.AddDays(1).Day == 1
        && groups.All(group => group.KeyInTotals is not null);

    private static string List(IEnumerable<string> items, string end) => string.Concat(items.Select(item => item + end));
}
