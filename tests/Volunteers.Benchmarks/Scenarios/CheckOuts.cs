using System.Globalization;
using System.Text.Json.Nodes;
using Volunteers.Benchmarks.Core;

namespace Volunteers.Benchmarks.Scenarios;

/// <summary>
/// Two thousand people of one organization check out at the same moment from twenty shifts, each making a record and a
/// posting. They were checked in by batches of a device that was offline: how many statements such a batch takes is counted.
/// </summary>
internal static class CheckOuts
{
    private const int People = 2_000;
    private const int ShiftsAtOnce = 20;
    private const int InBatch = 100;

    private static readonly int[] AllAtOnce = [People];
    private static readonly int[] Sustained = [32];

    public static async Task Run(Bench bench)
    {
        var (organization, first) = (City.Organization(City.Large), City.First(City.Large));
        await bench.ExecuteInBoth($$"""update organizations set settings = settings || '{"AttendanceConfirmedBy": "automatic"}' where id = '{{organization}}'""");
        var next = 0;

        // One check-out by which those of pgbench are made.
        var sample = await CheckIn(1);
        var (volunteer, shift) = (City.Volunteer(City.Large, sample.Volunteer), City.Shift(City.Large, sample.Shift + (sample.Volunteer % ShiftsAtOnce)));
        var position = await bench.Postgres.Scalar<long>(bench.Database, $"select position + 1 from hour_ledgers where organization_id = '{organization}'");
        var since = DateTimeOffset.UtcNow;
        var statements = await Statements.OfChange(bench.Postgres, volunteer.ToString(),
            () => bench.Service.Post($"/v1/organizations/{organization}/shifts/{shift}/check-out", new { volunteerId = volunteer }));
        bench.Count("check out", statements);

        await bench.Compete("check-outs of 2,000 people at once", AllAtOnce, (Contestant.Service, Service));
        await bench.Compete("check-outs, sustained", Sustained, (Contestant.Service, Service), (Contestant.Database, Database));
        await Checks.LedgerIsWhole(bench, City.Large);

        async Task<Sample> Service(int connections)
        {
            var (firstShift, firstVolunteer) = await CheckIn(People);
            var requests = Enumerable.Range(firstVolunteer, People).Select(person => new Request(
                $"/v1/organizations/{organization}/shifts/{City.Shift(City.Large, firstShift + (person % ShiftsAtOnce))}/check-out",
                $$"""{"volunteerId":"{{City.Volunteer(City.Large, person)}}"}""")).ToList();
            var (_, result) = await Load.Send(bench.Service.Process, await bench.Service.Token(), requests, connections);
            return result;
        }

        async Task<Sample> Database(int connections)
        {
            var (firstShift, firstVolunteer) = Take(People);
            await Shifts.MakeNow(bench, firstShift, ShiftsAtOnce, People);
            await Shifts.SignUp(bench, firstShift, ShiftsAtOnce, firstVolunteer, People);
            var script = Statements.Script(statements, since,
                [
                    (volunteer.ToString(), Sql.Volunteer("v")), (shift.ToString(), Sql.Shift("s")),
                    (volunteer.ToString().Replace(City.VolunteerSuffix, City.SignUpSuffix, StringComparison.Ordinal), Sql.SignUp("v")),
                    (position.ToString(CultureInfo.InvariantCulture), ":ledger_position::bigint + 1"),
                ],
                $"\\set v {first + firstVolunteer} + (:i - 1) * {connections} + :client_id\n\\set s {first + firstShift} + :v % {ShiftsAtOnce}", ("insert into hour_ledgers", "\\gset ledger_"));
            return await bench.Pgbench(script, connections, People);
        }

        (int Shift, int Volunteer) Take(int people) => (bench.NewShifts(ShiftsAtOnce), (next += people) - people);

        async Task<(int Shift, int Volunteer)> CheckIn(int people)
        {
            var (firstShift, firstVolunteer) = Take(people);
            await Shifts.MakeNow(bench, firstShift, ShiftsAtOnce, People);
            await Shifts.SignUp(bench, firstShift, ShiftsAtOnce, firstVolunteer, people);
            foreach (var batch in Enumerable.Range(firstVolunteer, people).Chunk(InBatch))
                RefuseUnlessTaken(await bench.Service.Post($"/v1/organizations/{organization}/attendance/batch", Batch(batch, firstShift)));
            return (firstShift, firstVolunteer);
        }
    }

    /// <summary>What a device noted of a hundred people, and the statements that it takes.</summary>
    public static async Task CountBatch(Bench bench)
    {
        var firstShift = bench.NewShifts(ShiftsAtOnce);
        var (firstVolunteer, organization) = (City.VolunteersOf(City.Large) - 1000, City.Organization(City.Large));
        await Shifts.MakeNow(bench, firstShift, ShiftsAtOnce, People);
        await Shifts.SignUp(bench, firstShift, ShiftsAtOnce, firstVolunteer, InBatch);
        var body = Batch([.. Enumerable.Range(firstVolunteer, InBatch)], firstShift);
        var statements = await Statements.OfChange(bench.Postgres, City.Volunteer(City.Large, firstVolunteer).ToString(),
            async () => RefuseUnlessTaken(await bench.Service.Post($"/v1/organizations/{organization}/attendance/batch", body)));
        var most = statements.CountBy(statement => statement.Sql).OrderByDescending(kind => kind.Value).ToList();
        bench.Table.Add("batch of 100 check-ins: transactions", $"{statements.Count(statement => statement.Commits)}", "1");
        bench.Table.Add("batch of 100 check-ins: statements", $"{statements.Count}", "");
        bench.Table.Add("batch of 100 check-ins: most often", $"{most[0].Value} × `{string.Join(' ', most[0].Key.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Take(6))} …`", "≤ 3 of a kind");
        bench.Table.Add("batch of 100 check-ins: kinds sent more than three times", $"{most.Count(kind => kind.Value > 3)}", "0");
    }

    private static object Batch(int[] people, int firstShift) => new
    {
        sentAt = DateTimeOffset.UtcNow,
        events = people.Select(person => new
        {
            clientEventId = Guid.CreateVersion7(), volunteerId = City.Volunteer(City.Large, person), shiftId = City.Shift(City.Large, firstShift + (person % ShiftsAtOnce)), kind = "checkIn",
            occurredAt = DateTimeOffset.UtcNow.AddMinutes(-30),
        }),
    };

    private static void RefuseUnlessTaken(JsonNode answer)
    {
        if (answer["items"]!.AsArray().FirstOrDefault(item => (string)item!["result"]! != "recorded") is { } refused) throw new BenchmarkRefused($"Attendance was not taken: {refused}");
    }
}
