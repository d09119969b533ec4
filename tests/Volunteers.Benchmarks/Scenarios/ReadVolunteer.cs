using Volunteers.Benchmarks.Core;

namespace Volunteers.Benchmarks.Scenarios;

/// <summary>One volunteer of the large organization by id, another one each time.</summary>
internal static class ReadVolunteer
{
    public static async Task Run(Bench bench)
    {
        var organization = City.Organization(City.Large);
        var (people, first) = (City.VolunteersOf(City.Large), City.First(City.Large));
        var one = City.Volunteer(City.Large, 4_711 % people);
        var path = $"/v1/organizations/{organization}/volunteers/";
        await bench.Service.Get(path + one);

        var since = DateTimeOffset.UtcNow;
        var statements = await Statements.OfRead(bench.Postgres, [organization.ToString(), one.ToString()], () => bench.Service.Get(path + one));
        bench.Count("read one volunteer", statements);
        var script = Statements.Script(statements, since, [(one.ToString(), Sql.Volunteer("v"))], $"\\set v random({first}, {first + people - 1})");
        var id = $"(function(n) return {Sql.LuaId(City.VolunteerSuffix, "n")} end)(math.random({first}, {first + people - 1}))";
        await bench.Compete("read one volunteer", Bench.Loads,
            (Contestant.Service, connections => bench.Wrk($"request = function() return wrk.format(\"GET\", \"{path}\" .. {id}) end", connections)),
            (Contestant.Database, connections => bench.Pgbench(script, connections)),
            (Contestant.Bare, connections => bench.WrkOnBare($"request = function() return wrk.format(\"GET\", \"/volunteers/{organization}/\" .. {id}) end", connections)));
    }
}
