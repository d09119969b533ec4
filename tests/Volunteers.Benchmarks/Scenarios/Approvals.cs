using System.Diagnostics;
using System.Globalization;
using Volunteers.Benchmarks.Core;
using Volunteers.Data;

namespace Volunteers.Benchmarks.Scenarios;

/// <summary>A thousand submitted records approved in one request, by the clock and by the database's own measure.</summary>
internal static class Approvals
{
    private const int Many = 1_000;

    public static async Task Run(Bench bench)
    {
        var organization = City.Organization(City.Small);
        var (byClock, byDatabase, statements) = (new List<double>(), new List<double>(), 0L);
        for (var round = 0; round <= bench.Options.Rounds; round++)
        {
            await Submit(bench, round);
            var ids = await bench.Postgres.Query<Guid>(bench.Database, $"select id from service_records where organization_id = '{organization}' and status = 'submitted' order by recorded_at, id limit {Many}");
            await bench.Service.Token();
            await bench.Postgres.Execute(bench.Database, "select pg_stat_statements_reset()");
            var start = Stopwatch.GetTimestamp();
            await bench.Service.Post($"/v1/organizations/{organization}/service-records/approvals", new { recordIds = ids });
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            var asked = await bench.Postgres.Query<double[]>(bench.Database,
                $"select array[sum(total_exec_time) / 1000, sum(calls)] from pg_stat_statements s join pg_roles r on r.oid = s.userid where rolname = '{Migrator.ServiceRole}'");
            Bench.Say(string.Create(CultureInfo.InvariantCulture, $"  approve 1,000: {seconds:0.000} s, of which {asked[0][0]:0.000} s in {asked[0][1]:0} statements"));
            // The first time everything is compiled.
            if (round == 0) continue;
            byClock.Add(Many / seconds);
            byDatabase.Add(Many / asked[0][0]);
            statements = (long)asked[0][1];
        }
        bench.Table.Add("approve 1,000 in one request: a second, by the clock", Shown(byClock), "");
        bench.Table.Add("approve 1,000 in one request: a second, by the database's own measure", Shown(byDatabase), "≥ 20,000");
        bench.Table.Add("approve 1,000 in one request: statements", $"{statements}", "");
        await Checks.LedgerIsWhole(bench, City.Small);
    }

    /// <summary>What a thousand volunteers say of themselves, each of an evening of its own.</summary>
    private static Task Submit(Bench bench, int round) => bench.Postgres.Execute(bench.Database, string.Create(CultureInfo.InvariantCulture,
        $"""
         with made as (
             insert into service_records (organization_id, id, volunteer_id, activity_id, team_id, category, starts_at, ends_at, service_date, minutes, person_times,
                 claimed_minutes, claimed_person_times, evidence, status, recorded_by, recorded_at, recorded_late, version)
             select m.organization_id, gen_random_uuid(), m.volunteer_id, a.id, a.team_id, a.category, day + time '12:00' at time zone 'UTC', day + time '13:00' at time zone 'UTC', day, 60, 1, 0, 0,
                 'self', 'submitted', (select id from accounts limit 1), now(), false, 1
             from (select * from team_members where organization_id = '{City.Organization(City.Small)}' order by volunteer_id limit {Many}) m
             join activities a on a.organization_id = m.organization_id and a.team_id = m.team_id and a.id = any(array[{string.Join(", ", Enumerable.Range(0, City.TeamsOf(City.Small)).Select(team => $"'{City.Activity(City.Small, team, City.Months - 1)}'"))}]::uuid[]),
             lateral (select date '{bench.FirstDay.AddMonths(City.Months).AddDays(-2 - round):yyyy-MM-dd}' as day) days
             returning *
         )
         insert into service_record_events (organization_id, id, record_id, step, by, at, status, starts_at, ends_at, minutes, person_times, credited_minutes, credited_person_times, positions)
         select organization_id, gen_random_uuid(), id, 'recorded', recorded_by, recorded_at, 'submitted', starts_at, ends_at, minutes, person_times, 0, 0, array[]::bigint[] from made
         """));

    private static string Shown(List<double> values) => string.Create(CultureInfo.InvariantCulture, $"{Line.Median(values):#,0} ({values.Min():#,0}–{values.Max():#,0})");
}
