using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Volunteers.Data;
using Volunteers.Features.Activities;
using Volunteers.Features.Hours;
using Volunteers.Platform;

namespace Volunteers.Features.Reports;

/// <summary>
/// Adds up the ledger in SQL: the postings themselves, or the totals kept with them where those are fine enough, which
/// gives the same figures from far fewer rows.
/// </summary>
/// <param name="query">Which postings, by what.</param>
/// <param name="asOf">Up to which position, and whose names.</param>
/// <param name="scope">Of whom.</param>
/// <param name="db">In one snapshot.</param>
internal sealed class HourSums(HourReportQuery query, LedgerPoint asOf, ReportScope scope, VolunteersDb db)
{
    public const int MostRows = 50_000;

    /// <summary>The rows, sorted by their groups; the total; the total by how it is known.</summary>
    public async Task<(List<HourReportRow> Rows, HourFigures Total, List<EvidenceHours> ByEvidence)> By(IReadOnlyList<ReportGroup> groups, CancellationToken ct)
    {
        var (rows, total, byEvidence) = (new List<HourReportRow>(), HourFigures.None, new List<EvidenceHours>());
        await Read(parameters => Sums(groups, parameters), row =>
        {
            var figures = new HourFigures(row.GetInt64(1), row.GetInt64(2), row.GetInt64(3));
            var level = (Level)row.GetInt32(0);
            if (level == Level.Total) total = figures;
            else if (level == Level.Evidence) byEvidence.Add(new EvidenceHours((Evidence)ReportGroup.Evidence.Read(row, 4)!, figures.Persons, figures.PersonTimes, figures.Minutes));
            else rows.Add(new HourReportRow(figures) { Groups = Values(groups, row, 5) });
            return level == Level.Row;
        }, ct);
        return (rows, total, byEvidence);
    }

    /// <summary>What of the total has no names, by how it was counted.</summary>
    public Task<List<HeadcountHours>> Headcounts(CancellationToken ct) =>
        Read(parameters =>
                $"""
                 select r.headcount_method, sum(s.person_times)::bigint, sum(s.minutes)::bigint
                 from hour_postings s join service_records r on r.organization_id = $1 and r.id = s.record_id
                 where {Conditions(totals: false, parameters)} and s.volunteer_id is null
                 group by r.headcount_method having sum(s.person_times) <> 0 or sum(s.minutes) <> 0 order by r.headcount_method
                 """,
            row => new HeadcountHours(Enum.Parse<CountingMethod>(row.GetString(0), ignoreCase: true), row.GetInt64(1), row.GetInt64(2)), ct);

    /// <summary>Rows whose figures at the point are others than they were at an earlier position, sorted as the report.</summary>
    public Task<List<HourChangeRow>> ChangesSince(long position, IReadOnlyList<ReportGroup> groups, CancellationToken ct) =>
        Read(parameters => Changes(position, groups, parameters), row => new HourChangeRow(
            new HourChange(new HourFigures(row.GetInt64(3), row.GetInt64(4), row.GetInt64(5)), new HourFigures(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2))))
        {
            Groups = Values(groups, row, 6),
        }, ct);

    /// <summary>The postings after an earlier position, in order, with the groups under which each falls.</summary>
    public Task<List<PostingSince>> PostingsSince(long position, IReadOnlyList<ReportGroup> groups, CancellationToken ct) =>
        Read(parameters => Postings(position, groups, parameters), row => PostingSince.Read(row) with { Groups = Values(groups, row, PostingSince.Columns) }, ct);

    private async Task<List<T>> Read<T>(Func<NpgsqlParameterCollection, string> sql, Func<DbDataReader, T> read, CancellationToken ct)
    {
        var rows = new List<T>();
        await Read(sql, row =>
        {
            rows.Add(read(row));
            return true;
        }, ct);
        return rows;
    }

    /// <param name="sql">Given the parameters to add to.</param>
    /// <param name="take">Takes one; true when it counts as a row of the report.</param>
    /// <param name="ct">Ends it.</param>
    private async Task Read(Func<NpgsqlParameterCollection, string> sql, Func<DbDataReader, bool> take, CancellationToken ct)
    {
        await using var command = (NpgsqlCommand)db.Database.GetDbConnection().CreateCommand();
        command.CommandText = sql(command.Parameters);
        var rows = 0;
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            if (take(reader) && ++rows > MostRows) throw new RuleBreach("report_too_large", MostRows);
    }

    private static OrderedDictionary<ReportGroup, object?> Values(IReadOnlyList<ReportGroup> groups, DbDataReader row, int at)
    {
        var values = new OrderedDictionary<ReportGroup, object?>();
        foreach (var group in groups)
        {
            values.Add(group, group.Read(row, at));
            at += group.Width;
        }
        return values;
    }

    /// <summary>
    /// First by person, because a person counts in a row only if their person-times there come to more than nothing: what
    /// was voided or moved elsewhere leaves no person behind. The rows, the total and what is known how come from one walk.
    /// </summary>
    private string Sums(IReadOnlyList<ReportGroup> groups, NpgsqlParameterCollection parameters)
    {
        var totals = CanReadTotals(groups);
        var aliases = List(Aliases(groups));
        var (isRow, rows) = groups.Count == 0 ? ("false", "") : ($"grouping({groups[0].Alias}) = 0", $"({aliases} volunteer_id), ");
        var level = $"case when {isRow} then {(int)Level.Row} when grouping(known) = 0 then {(int)Level.Evidence} else {(int)Level.Total} end";
        return $"""
                with s as (
                    select {Keys(groups, totals)} s.evidence as known, s.volunteer_id, s.minutes, s.person_times
                    from {(totals ? "hour_totals" : "hour_postings")} s
                    where {Conditions(totals, parameters)}
                ), person as (
                    select {level} as level, {aliases} known, volunteer_id, sum(minutes) as minutes, sum(person_times) as person_times
                    from s group by grouping sets ({rows}(known, volunteer_id), (volunteer_id))
                ), g as (
                    select level, {aliases} known, count(volunteer_id) filter (where person_times > 0) as persons,
                           sum(person_times)::bigint as person_times, sum(minutes)::bigint as minutes
                    from person group by level, {aliases} known
                    having sum(person_times) <> 0 or sum(minutes) <> 0
                )
                select g.level, g.persons, g.person_times, g.minutes, g.known {Shown(groups, parameters, first: "g.level, g.known")}
                limit {MostRows + 1 + Enum.GetValues<Evidence>().Length + 1}
                """;
    }

    /// <summary>Rows come first, so that what is cut off is known to be too much.</summary>
    private enum Level
    {
        Row,
        Evidence,
        Total,
    }

    private string Changes(long position, IReadOnlyList<ReportGroup> groups, NpgsqlParameterCollection parameters)
    {
        var aliases = Aliases(groups);
        var conditions = Conditions(totals: false, parameters);
        var before = $"filter (where s.position <= {Parameter(parameters, position)})";
        return $"""
                with person as (
                    select {Keys(groups, totals: false)} s.volunteer_id, sum(s.minutes) as minutes, sum(s.person_times) as person_times,
                           coalesce(sum(s.minutes) {before}, 0) as minutes_before, coalesce(sum(s.person_times) {before}, 0) as person_times_before
                    from hour_postings s
                    where {conditions}
                    group by {List(aliases)} s.volunteer_id
                ), g as (
                    select {List(aliases)} count(volunteer_id) filter (where person_times > 0) as persons,
                           coalesce(sum(person_times), 0)::bigint as person_times, coalesce(sum(minutes), 0)::bigint as minutes,
                           count(volunteer_id) filter (where person_times_before > 0) as persons_before,
                           coalesce(sum(person_times_before), 0)::bigint as person_times_before, coalesce(sum(minutes_before), 0)::bigint as minutes_before
                    from person {GroupBy(aliases)}
                )
                select g.persons, g.person_times, g.minutes, g.persons_before, g.person_times_before, g.minutes_before {Shown(groups, parameters,
                    groups.Count == 0 ? "" : "where (g.persons, g.person_times, g.minutes) <> (g.persons_before, g.person_times_before, g.minutes_before)")}
                limit {MostRows + 1}
                """;
    }

    private string Postings(long position, IReadOnlyList<ReportGroup> groups, NpgsqlParameterCollection parameters)
    {
        var conditions = Conditions(totals: false, parameters);
        var namesAt = NamesAt(parameters);
        return $"""
                with g as (
                    select s.*{string.Concat(groups.Select(group => $", {group.Key} as {group.Alias}"))} from hour_postings s
                    where {conditions} and s.position > {Parameter(parameters, position)}
                )
                select g.position, g.record_id, g.cause, g.evidence, g.service_date, g.minutes, g.person_times, g.posted_at, g.posted_by, e.reason,
                       g.volunteer_id, pv.number, pv.name, g.team_id, pt.name, g.activity_id, pa.name{string.Concat(groups.Select(group => ", " + group.Show))}
                from g {string.Join(' ', groups.Select(group => group.Join(namesAt)))}
                {ReportGroup.NamesAt("volunteers", "name", "g.volunteer_id", "pv", namesAt)}
                {ReportGroup.NamesAt("teams", "name", "g.team_id", "pt", namesAt)}
                {ReportGroup.NamesAt("activities", "title", "g.activity_id", "pa", namesAt)}
                left join lateral (
                    select reason from service_record_events e where e.organization_id = $1 and e.record_id = g.record_id and g.position = any(e.positions) limit 1) e on true
                order by g.position
                limit {MostRows + 1}
                """;
    }

    /// <summary>The groups by their names, and in the order of these.</summary>
    private string Shown(IReadOnlyList<ReportGroup> groups, NpgsqlParameterCollection parameters, string where = "", string? first = null)
    {
        var namesAt = groups.Count == 0 ? null : NamesAt(parameters);
        string[] order = [.. new[] { first }.OfType<string>(), .. groups.Select(group => group.OrderBy)];
        return $"""
                {string.Concat(groups.Select(group => ", " + group.Show))}
                from g {string.Join(' ', groups.Select(group => group.Join(namesAt)))} {where}
                {(order.Length == 0 ? "" : "order by " + string.Join(", ", order))}
                """;
    }

    private string Conditions(bool totals, NpgsqlParameterCollection parameters)
    {
        var conditions = new List<string>();
        void Add(string condition, object value) => conditions.Add($"{condition}{Parameter(parameters, value)}{(value is Array ? ")" : "")}");

        var day = totals ? "s.month" : "s.service_date";
        Add("s.organization_id = ", scope.OrganizationId);
        Add($"{day} >= ", query.From);
        Add($"{day} <= ", query.To);
        if (!totals) Add("s.position <= ", asOf.Position);
        if (scope.Teams is { } teams) Add("s.team_id = any(", teams);
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
        asOf.IsEnd && query is { Activity: null, Project: null, Category: null, From.Day: 1 } && query.To.AddDays(1).Day == 1
        && groups.All(group => group.KeyInTotals is not null);

    private string? NamesAt(NpgsqlParameterCollection parameters) => asOf.NamesAt is { } at ? Parameter(parameters, at.ToUniversalTime()) : null;

    private static string Parameter(NpgsqlParameterCollection parameters, object value)
    {
        parameters.Add(new NpgsqlParameter { Value = value });
        return $"${parameters.Count}";
    }

    private static string Keys(IReadOnlyList<ReportGroup> groups, bool totals) =>
        List(groups.Select(group => $"{(totals ? group.KeyInTotals : group.Key)} as {group.Alias}"));

    private static string[] Aliases(IReadOnlyList<ReportGroup> groups) => [.. groups.Select(group => group.Alias)];

    private static string GroupBy(string[] aliases) => aliases.Length == 0 ? "" : "group by " + string.Join(", ", aliases);

    private static string List(IEnumerable<string> items) => string.Concat(items.Select(item => item + ", "));
}

/// <summary>Whose service a report is about: all of an organization, or that of some teams.</summary>
/// <param name="OrganizationId">Of this organization.</param>
/// <param name="Teams">Of these teams; null for all.</param>
internal sealed record ReportScope(Guid OrganizationId, Guid[]? Teams)
{
    public static ReportScope Of(Tenant tenant) => new(tenant.Id, tenant.ReadsAll ? null : [.. tenant.Teams]);
}
