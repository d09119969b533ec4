using System.Text.Json.Nodes;
using Volunteers.Benchmarks.Core;

namespace Volunteers.Benchmarks.Scenarios;

/// <summary>50 records of one team by keyset: the first page, and the thousandth or the last one of a smaller city.</summary>
internal static class PageOfRecords
{
    private const int Size = 50;
    private const int Stride = 200;

    public static async Task Run(Bench bench)
    {
        var (organization, team) = (City.Organization(City.Archive), City.Team(City.Archive, 0));
        var path = $"/v1/organizations/{organization}/service-records?team={team}&limit=";
        var before = Math.Min(999 * Size, bench.City.ArchiveRows / City.TeamsOf(City.Archive) / Size * Size - Size);
        var cursor = "";
        for (var skipped = 0L; skipped < before;)
        {
            var step = Math.Min(Stride, before - skipped);
            JsonNode page = await bench.Service.Get($"{path}{step}{cursor}");
            (cursor, skipped) = ($"&cursor={(string)page["next"]!}", skipped + step);
        }

        var start = await bench.Postgres.Scalar<DateTime>(bench.Database,
            $"select starts_at from service_records where organization_id = '{organization}' and team_id = '{team}' order by starts_at, id offset {before - 1} limit 1");
        await Compete(bench, "page 1 of a team", $"{path}{Size}", $"/records/{organization}/{team}?after=1970-01-01T00:00:00Z");
        await Compete(bench, $"page {(before / Size) + 1:#,0} of a team", $"{path}{Size}{cursor}", $"/records/{organization}/{team}?after={start:yyyy-MM-ddTHH:mm:ssZ}");
    }

    private static async Task Compete(Bench bench, string what, string path, string bare)
    {
        await bench.Service.Get(path);
        var since = DateTimeOffset.UtcNow;
        var statements = await Statements.OfRead(bench.Postgres, [City.Team(City.Archive, 0).ToString(), City.Organization(City.Archive).ToString()], () => bench.Service.Get(path));
        bench.Count(what, statements);
        var script = Statements.Script(statements, since, []);
        await bench.Compete(what, Bench.Loads,
            (Contestant.Service, connections => bench.Wrk($"request = function() return wrk.format(\"GET\", \"{path}\") end", connections)),
            (Contestant.Database, connections => bench.Pgbench(script, connections)),
            (Contestant.Bare, connections => bench.WrkOnBare($"request = function() return wrk.format(\"GET\", \"{bare}\") end", connections)));
    }
}
