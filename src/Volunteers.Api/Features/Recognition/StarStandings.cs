using Microsoft.EntityFrameworkCore;
using Npgsql;
using Volunteers.Data;
using Volunteers.Features.Hours;
using Volunteers.Features.Organizations;
using Volunteers.Platform;

namespace Volunteers.Features.Recognition;

/// <summary>Where one volunteer stands: their level, and since when; 0 below the first.</summary>
internal sealed record StarStanding(
    Guid VolunteerId, string Number, string Name, DateOnly JoinedOn, int Level, DateOnly? ReachedOn, long Minutes, IReadOnlyList<StarEvidence> ByEvidence);

/// <summary>Whose standing is asked for. Null narrows nothing.</summary>
/// <param name="SeenBy">Who this caller sees: all, or the present members of their teams and themselves.</param>
/// <param name="Volunteer">This one.</param>
/// <param name="Team">Present members of this team.</param>
/// <param name="Level">At exactly this level; 0 for those who have counted hours but no level. Without one, those who have a level.</param>
/// <param name="After">Those behind this level and number.</param>
/// <param name="WithoutAward">Those who have no live award of their level.</param>
internal sealed record StarSelection(
    Tenant? SeenBy = null, Guid? Volunteer = null, Guid? Team = null, int? Level = null, (int Level, string Number)? After = null, bool WithoutAward = false);

/// <summary>
/// Who has which level, from the ledger alone. The hours of a level are reached on the first of the days, up to the one
/// asked about, since when the sum at the end of each was never below them: what a correction takes and gives back
/// within a day moves nothing. A level is reached when its hours and its tenure are, and not before the rule gave it on
/// these terms. Names, numbers, the day of joining and the zone are those of then, teams those of now.
/// </summary>
internal sealed class StarStandings(Organization organization, StarRules rules, StarPoint point, VolunteersDb db)
{
    public async Task<List<StarStanding>> Read(StarSelection selection, int limit, CancellationToken ct)
    {
        await db.Database.OpenConnectionAsync(ct);
        await using var command = (NpgsqlCommand)db.Database.GetDbConnection().CreateCommand();
        command.CommandText = Sql(selection, limit, command.Parameters);
        var standings = new List<StarStanding>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            standings.Add(new StarStanding(reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetFieldValue<DateOnly>(3), reader.GetInt32(4),
                await reader.IsDBNullAsync(5, ct) ? null : reader.GetFieldValue<DateOnly>(5), reader.GetInt64(6),
                [.. reader.GetFieldValue<string[]>(7).Zip(reader.GetFieldValue<long[]>(8), (word, minutes) => new StarEvidence(Enum.Parse<Evidence>(word, ignoreCase: true), minutes))
                    .OrderBy(known => known.Evidence)]));
        return standings;
    }

    private string Sql(StarSelection selection, int limit, NpgsqlParameterCollection parameters)
    {
        string P(object value)
        {
            parameters.Add(new NpgsqlParameter { Value = value });
            return "$" + parameters.Count;
        }

        var levels = rules.Current.Levels;
        var o = P(organization.Id);
        // The records of one person are found by their index; a posting never belongs to another person than its record.
        var person = selection.Volunteer is { } volunteer
            ? $"p.volunteer_id = {P(volunteer)} and p.record_id in (select id from service_records where organization_id = {o} and volunteer_id = {P(volunteer)})"
            : "p.volunteer_id is not null";
        var conditions = new List<string> { "true" };
        if (selection.SeenBy is { ReadsAll: false } tenant)
            conditions.Add($"(v.id = {P(tenant.VolunteerId ?? Guid.Empty)} or {MemberOf($"any({P(tenant.Teams)})", o)})");
        if (selection.Team is { } team) conditions.Add(selection.SeenBy is null or { ReadsAll: true } || selection.SeenBy.Teams.Contains(team) ? MemberOf(P(team), o) : "false");
        if (selection.Level is { } level) conditions.Add($"coalesce(best.level, 0) = {P(level)}");
        else if (selection.Volunteer is null) conditions.Add("best.level is not null");
        if (selection.After is { } after)
        {
            var (afterLevel, number) = (P(after.Level), P(after.Number));
            conditions.Add($"(coalesce(best.level, 0) < {afterLevel} or (coalesce(best.level, 0) = {afterLevel} and v.number > {number}))");
        }
        if (selection.WithoutAward)
            conditions.Add($"not exists (select 1 from awards a where a.organization_id = {o} and a.volunteer_id = v.id and a.level = best.level and a.status <> 'withdrawn')");
        return $"""
                with counted as (
                    select p.volunteer_id, p.evidence, (p.posted_at at time zone {P(organization.TimeZone)})::date as day, sum(p.minutes)::bigint as minutes
                    from hour_postings p
                    where p.organization_id = {o} and p.position <= {P(point.Position)} and p.evidence = any({P(rules.Current.Evidence)}) and {person}
                    group by 1, 2, 3
                ), daily as (
                    select volunteer_id, day, sum(minutes) as minutes from counted group by 1, 2
                ), known as (
                    select volunteer_id, array_agg(evidence::text) as evidence, array_agg(minutes) as minutes
                    from (select volunteer_id, evidence, sum(minutes)::bigint as minutes from counted group by 1, 2 having sum(minutes) <> 0) k group by 1
                ), running as (
                    select volunteer_id, day, minutes, sum(minutes) over (partition by volunteer_id order by day) as total from daily
                ), given as (
                    select volunteer_id, sum(minutes)::bigint as minutes from daily group by volunteer_id having sum(minutes) > 0
                ), levels as (
                    select * from unnest({P(levels.Select(l => l.Level).ToArray())}, {P(levels.Select(l => l.Minutes).ToArray())},
                        {P(levels.Select(l => l.MonthsRegistered).ToArray())}, {P(levels.Select(l => rules.Since(l)).ToArray())}) as l(level, minutes, months, since)
                ), risen as (
                    select r.volunteer_id, l.level, max(r.day) as day
                    from running r join levels l on r.total >= l.minutes and r.total - r.minutes < l.minutes
                    group by r.volunteer_id, l.level
                )
                select v.id, v.number, v.name, v.joined_on, coalesce(best.level, 0), best.reached_on, given.minutes, known.evidence, known.minutes
                from given join known on known.volunteer_id = given.volunteer_id
                join lateral (
                    select n.id, coalesce(f.number, n.number) as number, coalesce(f.name, n.name) as name, coalesce(f.joined_on, n.joined_on) as joined_on
                    from volunteers n left join lateral (
                        select * from former_states where organization_id = {o} and subject_id = n.id and until > {P(point.At.ToUniversalTime())} order by until, id limit 1) f on true
                    where n.organization_id = {o} and n.id = given.volunteer_id
                ) v on true
                left join lateral (
                    select l.level, greatest(risen.day, tenure.day, l.since) as reached_on
                    from levels l join risen on risen.volunteer_id = given.volunteer_id and risen.level = l.level
                    cross join lateral (select (v.joined_on + make_interval(months => l.months))::date as day) tenure
                    where given.minutes >= l.minutes and tenure.day <= {P(point.Day)}
                    order by l.level desc limit 1
                ) best on true
                where {string.Join(" and ", conditions)}
                order by coalesce(best.level, 0) desc, v.number
                limit {limit}
                """;
    }

    private static string MemberOf(string team, string organization) =>
        $"exists (select 1 from team_members m where m.organization_id = {organization} and m.volunteer_id = v.id and m.team_id = {team} and m.left_on is null)";

    /// <summary>Today's.</summary>
    public static async Task<StarStandings> Now(Organization organization, VolunteersDb db, DateTimeOffset now, CancellationToken ct) =>
        await At(await StarPoint.Find(asOf: null, organization, db, now, ct), organization, db, ct);

    public static async Task<StarStandings> At(StarPoint point, Organization organization, VolunteersDb db, CancellationToken ct) =>
        new(await db.ThatWas(organization, point.At, ct), await StarRules.Load(db, organization.Id, point.Day, point.At, ct), point, db);

    public StarRule Rule => rules.Current;

    public DateOnly Day => point.Day;

    /// <summary>The level that one volunteer has; 0 for none.</summary>
    public async Task<int> LevelOf(Guid volunteerId, CancellationToken ct) =>
        (await Read(new StarSelection(Volunteer: volunteerId), 1, ct)).SingleOrDefault()?.Level ?? 0;
}
