using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Volunteers.Data;
using Volunteers.Features.Hours;
using Volunteers.Features.Organizations;
using Volunteers.Platform;

namespace Volunteers.Features.Reports;

/// <summary>Counts activities in SQL, as they stand or as they stood, and adds up the ledger for them.</summary>
internal sealed class ActivityCounts(ActivityReportQuery query, LedgerPoint asOf, Organization organization, ReportScope scope, VolunteersDb db)
{
    public Task<List<ActivityReportRow>> By(IReadOnlyList<ReportGroup> groups, CancellationToken ct) => Read(
        parameters =>
        {
            var aliases = groups.Select(group => group.Alias).ToArray();
            var chosen = Chosen(groups, parameters, out var namesAt);
            var list = string.Concat(aliases.Select(alias => alias + ", "));
            var groupBy = aliases.Length == 0 ? "" : "group by " + string.Join(", ", aliases);
            return $"""
                    {chosen}, person as (
                        select {list} p.volunteer_id, sum(p.person_times) as person_times, sum(p.minutes) as minutes from chosen join credited p on p.activity_id = chosen.id
                        group by {list} p.volunteer_id
                    ), given as (
                        select {list} count(volunteer_id) filter (where person_times > 0) as persons, sum(person_times)::bigint as person_times, sum(minutes)::bigint as minutes
                        from person {groupBy}
                    ), g as (
                        select {list} count(*) as activities, count(*) filter (where status = 'completed') as sessions, coalesce(sum(beneficiaries), 0)::bigint as beneficiaries
                        from chosen {groupBy}
                    )
                    select g.activities, g.sessions, coalesce(h.persons, 0), coalesce(h.person_times, 0), coalesce(h.minutes, 0), g.beneficiaries
                           {string.Concat(groups.Select(group => ", " + group.Show))}
                    from g left join given h on {(aliases.Length == 0 ? "true" : string.Join(" and ", aliases.Select(alias => $"h.{alias} is not distinct from g.{alias}")))}
                    {string.Concat(groups.Select(group => $"{group.Join(namesAt)} order by {group.OrderBy}"))}
                    limit {HourSums.MostRows + 1}
                    """;
        },
        row =>
        {
            var values = new OrderedDictionary<ReportGroup, object?>();
            foreach (var group in groups) values.Add(group, group.Read(row, 6));
            return new ActivityReportRow(
                new ActivityFigures(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5)))
            { Groups = values };
        }, ct);

    public Task<List<EvidenceHours>> ByEvidence(CancellationToken ct) => Read(
        parameters =>
            $"""
             {Chosen([], parameters, out _)}, person as (
                 select p.evidence, p.volunteer_id, sum(p.person_times) as person_times, sum(p.minutes) as minutes from chosen join credited p on p.activity_id = chosen.id
                 group by p.evidence, p.volunteer_id
             )
             select evidence, count(volunteer_id) filter (where person_times > 0), sum(person_times)::bigint, sum(minutes)::bigint
             from person group by evidence having sum(person_times) <> 0 or sum(minutes) <> 0 order by evidence
             """,
        row => new EvidenceHours(Enum.Parse<Evidence>(row.GetString(0), ignoreCase: true), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3)), ct);

    /// <summary>The activities that count, and the postings up to the position.</summary>
    private string Chosen(IReadOnlyList<ReportGroup> groups, NpgsqlParameterCollection parameters, out string? namesAt)
    {
        string Parameter(object value)
        {
            parameters.Add(new NpgsqlParameter { Value = value });
            return "$" + parameters.Count;
        }

        var conditions = $"s.organization_id = {Parameter(scope.OrganizationId)} and s.status in ('published', 'completed')"
            + $" and s.starts_at >= {Parameter(organization.StartOf(query.From))} and s.starts_at < {Parameter(organization.StartOf(query.To.AddDays(1)))}"
            + (scope.Teams is { } teams ? $" and s.team_id = any({Parameter(teams)})" : "")
            + (query.Team is { } team ? $" and s.team_id = {Parameter(team)}" : "")
            + (query.Category is { } category ? $" and s.category = {Parameter(category)}" : "");
        namesAt = asOf.NamesAt is { } at ? Parameter(at.ToUniversalTime()) : null;
        return $"""
                with s as ({(namesAt is null ? Now : Then.Replace("{at}", namesAt, StringComparison.Ordinal))}), chosen as (
                    select s.id, s.status, s.beneficiaries{string.Concat(groups.Select(group => $", {group.Key} as {group.Alias}"))} from s where {conditions}
                ), credited as (
                    select * from hour_postings where organization_id = $1 and position <= {Parameter(asOf.Position)} and activity_id in (select id from chosen)
                        {(scope.Teams is { } given ? $"and team_id = any({Parameter(given)})" : "")}
                )
                """;
    }

    private const string Now =
        """
        select organization_id, id, status, team_id, project_id, category, starts_at, (outcome ->> 'Beneficiaries')::bigint as beneficiaries
        from activities where organization_id = $1
        """;

    /// <summary>Each that was there already, by the first of its former states that ended later.</summary>
    private const string Then =
        """
        select a.organization_id, a.id, f.status, f.team_id, f.project_id, f.category, f.starts_at, f.beneficiaries::bigint as beneficiaries
        from activities a join lateral (
            select status, team_id, project_id, category, starts_at, beneficiaries, until, id from former_states
            where organization_id = $1 and subject_id = a.id and until > {at}
            union all
            select a.status, a.team_id, a.project_id, a.category, a.starts_at, (a.outcome ->> 'Beneficiaries')::int, 'infinity', a.id
            order by until, id limit 1) f on true
        where a.organization_id = $1 and a.created_at <= {at}
        """;

    private async Task<List<T>> Read<T>(Func<NpgsqlParameterCollection, string> sql, Func<DbDataReader, T> read, CancellationToken ct)
    {
        await using var command = (NpgsqlCommand)db.Database.GetDbConnection().CreateCommand();
        command.CommandText = sql(command.Parameters);
        var rows = new List<T>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            if (rows.Count == HourSums.MostRows) throw new RuleBreach("report_too_large", HourSums.MostRows);
            rows.Add(read(reader));
        }
        return rows;
    }
}
