using System.Globalization;
using Volunteers.Benchmarks.Core;

namespace Volunteers.Benchmarks.Scenarios;

/// <summary>A coordinator enters service for one volunteer of the large organization: approved and posted at once, with an Idempotency-Key.</summary>
internal static class RecordService
{
    /// <summary>In the afternoon, when nobody of the city's history serves: one hour on this many days for everybody.</summary>
    private const int Days = 900;

    private static readonly string[] Clock = ["07:00:00", "08:00:00"];

    public static async Task Run(Bench bench)
    {
        var organization = City.Organization(City.Large);
        var (people, first) = (City.VolunteersOf(City.Large), City.First(City.Large));
        var path = $"/v1/organizations/{organization}/service-records";
        var activity = City.Activity(City.Large, 0, City.Months - 1);
        var lastDay = bench.FirstDay.AddMonths(City.Months).AddDays(-1);

        // One request by which the others are made.
        var (volunteer, key) = (City.Volunteer(City.Large, people - 1), $"benchmark-{Guid.NewGuid()}");
        var position = await bench.Postgres.Scalar<long>(bench.Database, $"select position + 1 from hour_ledgers where organization_id = '{organization}'");
        var since = DateTimeOffset.UtcNow;
        var statements = await Statements.OfChange(bench.Postgres, key, () => bench.Service.Post(path,
            new { volunteerId = volunteer, activityId = activity, startsAt = $"{lastDay:yyyy-MM-dd}T{Clock[0]}Z", endsAt = $"{lastDay:yyyy-MM-dd}T{Clock[1]}Z" }, key));
        bench.Count("record one service", statements);
        var script = Statements.Script(statements, since,
            [
                (key, "'benchmark-' || :n"), (volunteer.ToString(), Sql.Volunteer("v")),
                ($"{lastDay:yyyy-MM-dd} {Clock[0]}+00", $"timestamptz '{lastDay:yyyy-MM-dd} {Clock[0]}+00' - :day * interval '1 day'"),
                ($"{lastDay:yyyy-MM-dd} {Clock[1]}+00", $"timestamptz '{lastDay:yyyy-MM-dd} {Clock[1]}+00' - :day * interval '1 day'"),
                ($"{lastDay:yyyy-MM-dd}", $"date '{lastDay:yyyy-MM-dd}' - :day::int"), ($"{lastDay:yyyy-MM}-01", $"date_trunc('month', date '{lastDay:yyyy-MM-dd}' - :day::int)::date"),
                (position.ToString(CultureInfo.InvariantCulture), ":ledger_position::bigint + 1"),
            ],
            $"\\set v {first} + :n % {people}\n\\set day 1 + :n / {people} % {Days}", ("insert into hour_ledgers", "\\gset ledger_"));

        var sent = 0L;
        await bench.Compete("record one service", Bench.Loads, (Contestant.Service, Service), (Contestant.Database, connections => bench.Pgbench(script, connections)));
        await Checks.LedgerIsWhole(bench, City.Large);

        async Task<Sample> Service(int connections)
        {
            var sample = await bench.Wrk(Lua(path, activity, first, people, sent, lastDay), connections);
            sent += (long)sample.Count + connections;
            return sample;
        }
    }

    private static string Lua(string path, Guid activity, long first, int people, long from, DateOnly lastDay) =>
        $$"""
        local n, run = {{from}}, math.random(1000000000)
        local last = os.time({ year = {{lastDay.Year}}, month = {{lastDay.Month}}, day = {{lastDay.Day}}, hour = 12 })
        wrk.headers["Content-Type"] = "application/json"
        request = function()
          n = n + 1
          local day = os.date("!%Y-%m-%d", last - 86400 * (1 + math.floor(n / {{people}}) % {{Days}}))
          wrk.headers["Idempotency-Key"] = run .. "-" .. n
          return wrk.format("POST", "{{path}}", nil, string.format(
            '{"volunteerId":"%s","activityId":"{{activity}}","startsAt":"%sT{{Clock[0]}}Z","endsAt":"%sT{{Clock[1]}}Z"}', {{Sql.LuaId(City.VolunteerSuffix, $"{first} + n % {people}")}}, day, day))
        end
        """;
}
