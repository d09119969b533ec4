using Npgsql;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reports;

public sealed class ReportAccessTests(TestDatabases databases) : ApiTest(databases)
{
    private const string Year = "from=2025-12-01&to=2026-12-31";

    [Theory]
    [InlineData("hours?" + Year)]
    [InlineData("hours?from=2025-12-02&to=2026-12-31")]
    public async Task A_team_coordinator_sees_their_teams_in_rows_and_total(string report)
    {
        var scenario = await LedgerScenario.Make(Given);
        var below = await scenario.Organization.Team(parentTeamId: scenario.Dancers);
        var ofBelow = await scenario.Organization.Activity(below);
        await scenario.Organization.Member(below, scenario.Volunteers[0]);
        await scenario.Organization.Record(ofBelow, scenario.Volunteers[0], "2026-06-09T08:00:00+08:00", "2026-06-09T09:00:00+08:00");
        var coordinator = await scenario.Organization.SignedInWithRole("coordinator", scenario.Dancers);
        var theirs = (await scenario.Ledger()).Where(line => line.Key("team") != scenario.Drivers).ToList();

        var answer = (await coordinator.Get($"/reports/{report}&groupBy=team")).ShouldBe(200);

        Assert.Equivalent(LedgerScenario.Expected(theirs, ["team"]), LedgerScenario.Rows(answer, ["team"]), strict: true);
        Assert.Equal(Sums.Of(theirs), Sums.Of(answer["total"]!));
        Assert.Equal(0, (long)(await coordinator.Get($"/reports/{report}&team={scenario.Drivers}"))["total"]!["minutes"]!);
    }

    [Fact]
    public async Task A_team_coordinator_counts_their_teams_activities()
    {
        var scenario = await LedgerScenario.Make(Given);
        var coordinator = await scenario.Organization.SignedInWithRole("coordinator", scenario.Dancers);

        var answer = (await coordinator.Get($"/reports/activities?{Year}&groupBy=team")).ShouldBe(200);

        Assert.Equal(scenario.Dancers, (string?)Assert.Single(answer["rows"]!.AsArray())!["team"]!["id"]);
        Assert.Equal(1, (int)answer["total"]!["activities"]!);
    }

    [Theory]
    [InlineData("/reports/hours")]
    [InlineData("/reports/activities")]
    public async Task An_auditor_reads_reports_and_a_volunteer_does_not(string report)
    {
        var o = await Given.Organization();
        var stranger = await (await Given.AnotherOrganization()).SignedInWithRole("auditor");

        (await (await o.SignedInWithRole("auditor")).Get($"{report}?{Year}")).ShouldBe(200);
        (await (await o.SignedInAs(await o.Volunteer())).Get($"{report}?{Year}")).ShouldRefuse(403, "forbidden");
        (await new Api(stranger.Http, o.Path).Get($"{report}?{Year}")).ShouldRefuse(404, "not_found");
        (await Host.Anonymous.Get($"{o.Path}{report}?{Year}")).ShouldRefuse(401, "not_signed_in");
    }

    [Theory]
    [InlineData("hours?to=2026-12-31", "malformed_request", "/from")]
    [InlineData("hours?from=2026-01-01", "malformed_request", "/to")]
    [InlineData("hours?from=2026-02-30&to=2026-12-31", "malformed_parameter", "/from")]
    [InlineData("hours?from=2026-12-31&to=2026-12-30", "invalid_request", "/to")]
    [InlineData("hours?from=2016-01-01&to=2026-01-02", "invalid_request", "/to")]
    [InlineData("hours?" + Year + "&groupBy=", "invalid_request", "/groupBy")]
    [InlineData("hours?" + Year + "&groupBy=teams", "invalid_request", "/groupBy")]
    [InlineData("hours?" + Year + "&groupBy=Team", "invalid_request", "/groupBy")]
    [InlineData("hours?" + Year + "&groupBy=team,team", "invalid_request", "/groupBy")]
    [InlineData("hours?" + Year + "&groupBy=team,month,day,year", "invalid_request", "/groupBy")]
    [InlineData("hours?" + Year + "&groupBy=team;drop table teams", "invalid_request", "/groupBy")]
    [InlineData("hours?" + Year + "&groupBy=team&groupBy=month", "malformed_parameter", "/groupBy")]
    [InlineData("hours?" + Year + "&category=", "invalid_request", "/category")]
    [InlineData("hours?" + Year + "&evidence=1", "malformed_parameter", "/evidence")]
    [InlineData("hours?" + Year + "&asOf=-1", "invalid_request", "/asOf")]
    [InlineData("hours?" + Year + "&asOf=99999999999999999999", "invalid_request", "/asOf")]
    [InlineData("hours?" + Year + "&asOf=2026-01-01", "invalid_request", "/asOf")]
    [InlineData("hours?" + Year + "&asOf=", "invalid_request", "/asOf")]
    [InlineData("hours?" + Year + "&format=xml", "malformed_parameter", "/format")]
    [InlineData("hours?" + Year + "&year=2026", "unknown_parameter", "/year")]
    [InlineData("activities?" + Year + "&groupBy=month", "malformed_parameter", "/groupBy")]
    [InlineData("activities?" + Year + "&asOf=soon", "invalid_request", "/asOf")]
    [InlineData("activities?" + Year + "&year=2026", "unknown_parameter", "/year")]
    [InlineData("activities?from=2026-12-31&to=2026-12-30", "invalid_request", "/to")]
    [InlineData("activities?from=2016-01-01&to=2026-01-02", "invalid_request", "/to")]
    public async Task What_cannot_be_asked_is_refused_by_name(string report, string code, string at)
    {
        var o = await Given.Organization();

        var answer = (await o.Admin.Get($"/reports/{report}")).ShouldRefuse(400, code);

        Assert.Equal([at], answer["errors"]!.AsObject().Select(error => error.Key));
    }

    [Fact]
    public async Task The_future_of_the_ledger_is_not_known()
    {
        var scenario = await LedgerScenario.Make(Given);
        var end = (await scenario.Ledger()).Count;

        (await scenario.Organization.Admin.Get($"/reports/hours?{Year}&asOf={end}")).ShouldBe(200);
        var answer = (await scenario.Organization.Admin.Get($"/reports/hours?{Year}&asOf={end + 1}")).ShouldRefuse(409, "beyond_ledger_end");
        Assert.Contains(end.ToString(System.Globalization.CultureInfo.InvariantCulture), (string)answer["detail"]!, StringComparison.Ordinal);
        (await scenario.Organization.Admin.Get($"/reports/hours?{Year}&asOf=2199-01-01T00:00:00Z")).ShouldRefuse(409, "beyond_ledger_end");
    }

    [Fact]
    public async Task A_report_of_too_many_rows_says_to_narrow_it()
    {
        var o = await Given.Organization();
        await using (var database = NpgsqlDataSource.Create(ConnectionString))
        await using (var command = database.CreateCommand(
            """
            insert into hour_totals (organization_id, id, team_id, volunteer_id, month, evidence, minutes, person_times)
            select $1, gen_random_uuid(), $1, gen_random_uuid(), date '2026-01-01' + make_interval(months => (i > 50000)::int), 'import', 60, 1
            from generate_series(1, 50001) i
            """))
        {
            command.Parameters.Add(new NpgsqlParameter { Value = Guid.Parse(o.Id) });
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        (await o.Admin.Get("/reports/hours?from=2026-01-01&to=2026-02-28&groupBy=volunteer")).ShouldRefuse(409, "report_too_large");
        (await o.Admin.Get("/reports/hours?from=2026-01-01&to=2026-02-28&groupBy=volunteer&format=csv")).ShouldRefuse(409, "report_too_large");
        Assert.Equal(50_000, (await o.Admin.Get("/reports/hours?from=2026-01-01&to=2026-01-31&groupBy=volunteer")).ShouldBe(200)["rows"]!.AsArray().Count);
        Assert.Equal(50_001, (long)(await o.Admin.Get("/reports/hours?from=2026-01-01&to=2026-02-28"))["total"]!["persons"]!);
    }
}
