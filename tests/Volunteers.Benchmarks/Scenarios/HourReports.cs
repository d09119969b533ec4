using System.Globalization;
using Volunteers.Benchmarks.Core;

namespace Volunteers.Benchmarks.Scenarios;

/// <summary>
/// The hours of a team and month, of an organization and year by team and month, and the latter as it stood a moment ago. B
/// is no repetition of the service's statements here but the least a report can do: reading the totals.
/// </summary>
internal static class HourReports
{
    /// <summary>A year takes long: a few at once keep the cores at work, and more would only wait.</summary>
    private static readonly int[] Few = [4];

    public static async Task Run(Bench bench)
    {
        var (organization, team) = (City.Organization(City.Large), City.Team(City.Large, 7));
        var year = (From: bench.FirstDay.AddMonths(12), To: bench.FirstDay.AddMonths(24).AddDays(-1));
        var month = (year.From, To: year.From.AddMonths(1).AddDays(-1));
        var path = $"/v1/organizations/{organization}/reports/hours?groupBy=team,month";
        var position = await bench.Postgres.Scalar<long>(bench.Database, $"select position from hour_ledgers where organization_id = '{organization}'");
        var asOf = string.Create(CultureInfo.InvariantCulture, $"&asOf={position - 10}");

        await Compete(bench, "hours of a team and month", Bench.Loads, $"{path}&team={team}{Period(month)}", $"/hours/{organization}?team={team}{Period(month)}", month, $"and s.team_id = '{team}'");
        await Compete(bench, "hours of an organization and year", Few, path + Period(year), $"/hours/{organization}?{Period(year)[1..]}", year, "");

        foreach (var (what, url) in new[] { ("hours of a year: now", path + Period(year)), ("hours of a year: asOf ten postings ago", path + Period(year) + asOf) })
        {
            bench.Count(what, await Statements.OfRead(bench.Postgres, [organization.ToString()], () => bench.Service.Get(url)));
            await bench.Compete(what, Few, (Contestant.Service, connections => bench.Wrk(Get(url), connections)));
        }
        var ratio = bench.Table.PerSecond("hours of a year: now", Few[0], Contestant.Service) / bench.Table.PerSecond("hours of a year: asOf ten postings ago", Few[0], Contestant.Service);
        bench.Table.Add("hours of a year, asOf ten postings ago, against now", string.Create(CultureInfo.InvariantCulture, $"{ratio:0.0} times the time"), "≤ 2");
    }

    private static async Task Compete(Bench bench, string what, IReadOnlyList<int> loads, string path, string bare, (DateOnly From, DateOnly To) days, string more)
    {
        var totals = Bare.Totals(more).Replace("$1", $"'{City.Organization(City.Large)}'", StringComparison.Ordinal)
            .Replace("$2", $"'{days.From:yyyy-MM-dd}'", StringComparison.Ordinal).Replace("$3", $"'{days.To:yyyy-MM-dd}'", StringComparison.Ordinal);
        bench.Count(what, await Statements.OfRead(bench.Postgres, [City.Organization(City.Large).ToString()], () => bench.Service.Get(path)));
        await bench.Compete(what, loads,
            (Contestant.Service, connections => bench.Wrk(Get(path), connections)),
            (Contestant.Database, connections => bench.Pgbench(totals + ";\n", connections)),
            (Contestant.Bare, connections => bench.WrkOnBare(Get(bare), connections)));
    }

    private static string Get(string path) => $"request = function() return wrk.format(\"GET\", \"{path}\") end";

    private static string Period((DateOnly From, DateOnly To) days) => $"&from={days.From:yyyy-MM-dd}&to={days.To:yyyy-MM-dd}";
}
