using Volunteers.Benchmarks.Core;

namespace Volunteers.Benchmarks.Scenarios;

/// <summary>Sign-ups for one shift that everybody wants, and for a thousand shifts. Whatever the load: never oversold, and who was answered first stands first.</summary>
internal static class SignUps
{
    private const int People = 2_000;
    private const int Places = 200;
    private const int Many = 1_000;

    private static readonly int[] HotLoads = [32, 128, 512];

    public static async Task Run(Bench bench)
    {
        var (organization, first) = (City.Organization(City.Large), City.First(City.Large));
        var sample = bench.NewShifts(1);
        await Shifts.MakeToCome(bench, sample, 1, Places);
        var (volunteer, since) = (City.Volunteer(City.Large, City.VolunteersOf(City.Large) - 1), DateTimeOffset.UtcNow);
        var statements = await Statements.OfChange(bench.Postgres, volunteer.ToString(),
            () => bench.Service.Post($"/v1/organizations/{organization}/shifts/{City.Shift(City.Large, sample)}/sign-ups", new { volunteerId = volunteer }));
        bench.Count("sign up for a shift", statements);

        await bench.Compete("sign-ups for one shift", HotLoads, (Contestant.Service, connections => Service(connections, 1, Places)), (Contestant.Database, connections => Database(connections, 1)));
        await bench.Compete($"sign-ups for {Many:#,0} shifts", Bench.Loads,
            (Contestant.Service, connections => Service(connections, Many, Places)), (Contestant.Database, connections => Database(connections, Many)));
        bench.Table.Add("sign-ups", "never oversold, in the order of arrival", "never oversold, in the order of arrival");

        async Task<Sample> Service(int connections, int shifts, int places)
        {
            var firstShift = bench.NewShifts(shifts);
            await Shifts.MakeToCome(bench, firstShift, shifts, places);
            var requests = Enumerable.Range(0, People).Select(person => new Request(
                $"/v1/organizations/{organization}/shifts/{City.Shift(City.Large, firstShift + (person % shifts))}/sign-ups", $$"""{"volunteerId":"{{City.Volunteer(City.Large, person)}}"}""")).ToList();
            var (answers, result) = await Load.Send(bench.Service.Process, await bench.Service.Token(), requests, connections);
            await Check(bench, firstShift, shifts, answers);
            return result;
        }

        async Task<Sample> Database(int connections, int shifts)
        {
            var firstShift = bench.NewShifts(shifts);
            await Shifts.MakeToCome(bench, firstShift, shifts, Places);
            var script = Statements.Script(statements, since, [(volunteer.ToString(), Sql.Volunteer("v")), (City.Shift(City.Large, sample).ToString(), Sql.Shift("s"))],
                $"\\set person :i * {connections} + :client_id\n\\set v {first} + :person\n\\set s {first + firstShift} + :person % {shifts}");
            return await bench.Pgbench(script, connections, People);
        }
    }

    private static async Task Check(Bench bench, int firstShift, int shifts, Answered[] answers)
    {
        var of = $"organization_id = '{City.Organization(City.Large)}' and shift_id between '{City.Shift(City.Large, firstShift)}' and '{City.Shift(City.Large, firstShift + shifts - 1)}'";
        var wrong = await bench.Postgres.Scalar<long>(bench.Database,
            $"""
             select count(*) from (select shift_id, count(*) filter (where status = 'confirmed') as confirmed, count(*) filter (where status = 'waitlisted') as waiting,
                 max(arrival) filter (where status = 'confirmed') as last, min(arrival) filter (where status = 'waitlisted') as next from sign_ups where {of} group by shift_id) x
             join shifts s on s.organization_id = '{City.Organization(City.Large)}' and s.id = x.shift_id
             where confirmed > capacity or taken <> confirmed or s.waiting <> x.waiting or last > next or (x.waiting > 0 and confirmed < capacity)
             """);
        if (wrong > 0) throw new BenchmarkRefused($"{wrong} shifts are oversold, or have places while people wait, or took people out of turn.");

        // Whoever had their answer before another one asked came before them.
        var turns = await bench.Postgres.Query<int[]>(bench.Database, $"select array[('x' || substr(replace(volunteer_id::text, '-', ''), 8, 5))::bit(20)::int, arrival::int] from sign_ups where {of}");
        var arrivals = turns.ToDictionary(turn => turn[0], turn => turn[1]);
        var good = answers.Index().Where(answer => answer.Item.IsGood).ToList();
        foreach (var shift in good.GroupBy(answer => answer.Index % shifts))
        {
            var done = new Queue<(int Index, Answered Item)>(shift.OrderBy(answer => answer.Item.Got));
            var latest = 0;
            foreach (var (index, answer) in shift.OrderBy(answer => answer.Item.Sent))
            {
                while (done.TryPeek(out var earlier) && earlier.Item.Got < answer.Sent) latest = Math.Max(latest, arrivals[done.Dequeue().Index]);
                if (arrivals[index] < latest) throw new BenchmarkRefused("Somebody came later and stands before one who had their answer already.");
            }
        }
    }
}
