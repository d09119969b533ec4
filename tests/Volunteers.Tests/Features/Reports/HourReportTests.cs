using Npgsql;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reports;

public sealed class HourReportTests(TestDatabases databases) : ApiTest(databases)
{
    private static readonly string[] Groups = ["team", "volunteer", "activity", "project", "category", "evidence", "month", "day", "year"];

    [Theory]
    [InlineData("2025-12-01", "2026-06-30")]
    [InlineData("2025-12-31", "2026-06-29")]
    public async Task Every_grouping_says_what_the_feed_of_postings_adds_up_to(string from, string to)
    {
        var scenario = await LedgerScenario.Make(Given);
        var ledger = (await scenario.Ledger()).Where(line => string.CompareOrdinal(line.Key("day"), from) >= 0 && string.CompareOrdinal(line.Key("day"), to) <= 0).ToList();
        var groupings =
            from first in Groups
            from second in Groups[Groups.IndexOf(first)..]
            from third in Groups[Groups.IndexOf(second)..]
            select new[] { first, second, third }.Distinct().ToArray();

        foreach (var grouping in groupings.DistinctBy(names => string.Join(',', names)))
        {
            var report = (await scenario.Organization.Admin.Get($"/reports/hours?from={from}&to={to}&groupBy={string.Join(',', grouping)}")).ShouldBe(200);

            Assert.Equivalent(LedgerScenario.Expected(ledger, grouping), LedgerScenario.Rows(report, grouping), strict: true);
            Assert.Equal(Sums.Of(ledger), Sums.Of(report["total"]!));
            Assert.All(report["rows"]!.AsArray(), row => Assert.Equal([.. grouping, "persons", "personTimes", "minutes", "hours"], row!.AsObject().Select(member => member.Key)));
        }
    }

    [Theory]
    [InlineData("team", "teamId")]
    [InlineData("volunteer", "volunteerId")]
    [InlineData("activity", "activityId")]
    [InlineData("project", "projectId")]
    [InlineData("category", "category")]
    [InlineData("evidence", "evidence")]
    public async Task A_filter_leaves_only_what_it_names(string filter, string member)
    {
        var scenario = await LedgerScenario.Make(Given);
        var ledger = await scenario.Ledger();

        foreach (var value in ledger.Select(line => (string?)line.Posting[member]).Where(value => value is not null).Distinct())
        {
            var report = (await scenario.Organization.Admin.Get($"/reports/hours?from=2020-01-01&to=2026-12-31&{filter}={value}")).ShouldBe(200);
            Assert.Equal(Sums.Of(ledger.Where(line => (string?)line.Posting[member] == value)), Sums.Of(report["total"]!));
        }
    }

    [Fact]
    public async Task Kept_totals_and_postings_say_the_same()
    {
        var scenario = await LedgerScenario.Make(Given);
        var api = scenario.Organization.Admin;

        foreach (var grouping in new[] { "team", "volunteer,month", "team,evidence,year", "team,volunteer,month" })
        {
            var path = $"/reports/hours?from=2026-01-01&to=2026-06-30&groupBy={grouping}";
            var kept = (await api.Get(path)).ShouldBe(200);
            var booked = (await api.Get($"{path}&asOf={kept["asOf"]!["position"]}")).ShouldBe(200);
            Assert.NotEmpty(kept["rows"]!.AsArray());
            Assert.Equal(booked.Text, kept.Text);
        }

        // That the two were really read from different tables.
        await using (var database = NpgsqlDataSource.Create(ConnectionString))
        await using (var command = database.CreateCommand("update hour_totals set minutes = minutes + 1"))
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        var position = (await scenario.Ledger()).Count;
        var changed = await api.Get("/reports/hours?from=2026-01-01&to=2026-06-30");
        Assert.NotEqual(changed.Text, (await api.Get($"/reports/hours?from=2026-01-01&to=2026-06-30&asOf={position}")).Text);
    }

    [Fact]
    public async Task Voided_service_leaves_no_person_and_no_row_behind()
    {
        var scenario = await LedgerScenario.Make(Given);

        foreach (var to in new[] { "2026-04-29", "2026-04-30" })
        {
            var april = (await scenario.Organization.Admin.Get($"/reports/hours?from=2026-04-01&to={to}&groupBy=volunteer")).ShouldBe(200);
            Assert.Equal(scenario.Volunteers[2], (string?)Assert.Single(april["rows"]!.AsArray())!["volunteer"]!["id"]);
            Assert.Equal(new Sums(1, 1, 120), Sums.Of(april["total"]!));
        }
        var nobody = (await scenario.Organization.Admin.Get("/reports/hours?from=2026-03-01&to=2026-03-31&groupBy=month")).ShouldBe(200);
        Assert.Empty(nobody["rows"]!.AsArray());
        Assert.Equal(new Sums(0, 0, 0), Sums.Of(nobody["total"]!));
    }

    [Fact]
    public async Task A_person_in_two_teams_is_one_person_in_the_total_and_a_headcount_none()
    {
        var scenario = await LedgerScenario.Make(Given);

        var report = (await scenario.Organization.Admin.Get("/reports/hours?from=2026-05-01&to=2026-06-30&groupBy=team")).ShouldBe(200);

        Assert.Equal([3, 2], report["rows"]!.AsArray().Select(row => (int)row!["persons"]!));
        Assert.Equal(3, (int)report["total"]!["persons"]!);
        var headcounts = (await scenario.Organization.Admin.Get("/reports/hours?from=2026-05-02&to=2026-05-02&groupBy=volunteer")).ShouldBe(200);
        var nameless = Assert.Single(headcounts["rows"]!.AsArray(), row => row!["volunteer"] is null)!;
        Assert.Equal(new Sums(0, 20, 1143), Sums.Of(nameless));
    }

    [Fact]
    public async Task The_report_as_of_a_position_stays_what_it_was()
    {
        var scenario = await LedgerScenario.Make(Given);
        var api = scenario.Organization.Admin;
        const string Path = "/reports/hours?from=2025-01-01&to=2026-12-31&groupBy=team,volunteer,month";
        var sent = (await api.Get(Path)).ShouldBe(200);
        var (position, at) = ((long)sent["asOf"]!["position"]!, (string)sent["asOf"]!["at"]!);

        Clock.Advance(TimeSpan.FromMinutes(5));
        (await api.Post($"/service-records/{scenario.Moved}/correct", new { reason = "Shorter", minutes = 10 })).ShouldBe(200);
        await scenario.Organization.Record(scenario.Patrol, scenario.Volunteers[0], "2026-02-01T09:00:00+08:00", "2026-02-01T10:00:00+08:00");

        Assert.NotEqual(sent["rows"]!.ToJsonString(), (await api.Get(Path))["rows"]!.ToJsonString());
        Assert.Equal(sent.Text, (await api.Get($"{Path}&asOf={position}")).ShouldBe(200).Text);
        Assert.Equal(sent.Text, (await api.Get($"{Path}&asOf={at}")).ShouldBe(200).Text);
        Assert.Equal(position + 3, (long)(await api.Get(Path))["asOf"]!["position"]!);
    }

    [Fact]
    public async Task Before_the_first_posting_there_is_nothing()
    {
        var scenario = await LedgerScenario.Make(Given);

        foreach (var asOf in new[] { "0", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00+08:00" })
        {
            var report = (await scenario.Organization.Admin.Get($"/reports/hours?from=2025-01-01&to=2026-12-31&groupBy=team&asOf={asOf}")).ShouldBe(200);
            Assert.Equal(0, (long)report["asOf"]!["position"]!);
            Assert.Null(report["asOf"]!["at"]);
            Assert.Empty(report["rows"]!.AsArray());
        }
    }

    [Fact]
    public async Task A_night_shift_belongs_whole_to_the_day_on_which_it_began_here()
    {
        var o = await Given.AnotherOrganization("America/New_York");
        var team = await o.Team();
        var volunteer = await o.Volunteer(inTeam: team);
        var activity = await o.Activity(team, "2025-12-31T20:00:00-05:00", "2026-01-01T04:00:00-05:00");
        // In UTC and in Shanghai this is 2026 from beginning to end.
        await o.Record(activity, volunteer, "2025-12-31T20:00:00-05:00", "2026-01-01T04:00:00-05:00");

        var old = await o.Admin.Get("/reports/hours?from=2025-12-31&to=2025-12-31&groupBy=day,year,month");
        var young = await o.Admin.Get("/reports/hours?from=2026-01-01&to=2026-12-31&groupBy=day");

        var row = Assert.Single(old["rows"]!.AsArray())!;
        Assert.Equal("""{"day":"2025-12-31","year":2025,"month":"2025-12","persons":1,"personTimes":1,"minutes":480,"hours":8.00}""", row.ToJsonString());
        Assert.Empty(young["rows"]!.AsArray());
        Assert.Equal("America/New_York", (string?)old["timeZone"]);
    }

    [Fact]
    public async Task Hours_are_rounded_from_the_minutes_of_their_own_line()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var activity = await o.Activity(team);
        foreach (var volunteer in await o.Volunteers(3, inTeam: team))
            await o.Record(activity, volunteer, "2026-06-07T14:30:00+08:00", "2026-06-07T14:40:00+08:00");

        var report = await o.Admin.Get("/reports/hours?from=2026-06-01&to=2026-06-30&groupBy=volunteer");

        Assert.Equal(["0.17", "0.17", "0.17"], report["rows"]!.AsArray().Select(row => row!["hours"]!.ToJsonString()));
        Assert.Equal("0.50", report["total"]!["hours"]!.ToJsonString());
    }

    [Fact]
    public async Task Rows_are_sorted_by_what_is_read_and_a_missing_project_comes_last_as_null()
    {
        var scenario = await LedgerScenario.Make(Given);

        var report = await scenario.Organization.Admin.Get("/reports/hours?from=2025-01-01&to=2026-12-31&groupBy=project,month,volunteer");

        var rows = report["rows"]!.AsArray().Select(row => (
            Project: (string?)row!["project"]?["title"] ?? "\uffff", Month: (string)row["month"]!, Number: (string?)row["volunteer"]?["number"] ?? "\uffff")).ToArray();
        Assert.Equal(rows.OrderBy(row => row.Project, StringComparer.Ordinal).ThenBy(row => row.Month, StringComparer.Ordinal).ThenBy(row => row.Number, StringComparer.Ordinal), rows);
        Assert.Contains(rows, row => row.Project == "\uffff");
        Assert.True(report["rows"]!.AsArray()[^1]!.AsObject().ContainsKey("project"));
        Assert.Equal(["id", "number", "name"], report["rows"]!.AsArray().First(row => row!["volunteer"] is not null)!["volunteer"]!.AsObject().Select(member => member.Key));
    }

    [Fact]
    public async Task Names_are_those_of_now()
    {
        var scenario = await LedgerScenario.Make(Given);
        (await scenario.Organization.Admin.Patch($"/teams/{scenario.Drivers}", new { name = "的哥" })).ShouldBe(200);

        var report = await scenario.Organization.Admin.Get("/reports/hours?from=2025-01-01&to=2026-12-31&groupBy=team");

        Assert.Contains(report["rows"]!.AsArray(), row => (string?)row!["team"]!["name"] == "的哥" && (string?)row["team"]!["id"] == scenario.Drivers);
    }

    [Fact]
    public async Task A_report_without_a_group_is_its_total()
    {
        var scenario = await LedgerScenario.Make(Given);

        var report = (await scenario.Organization.Admin.Get("/reports/hours?from=2026-06-07&to=2026-06-07")).ShouldBe(200);

        Assert.Empty(report["rows"]!.AsArray());
        Assert.Equal("""{"persons":2,"personTimes":3,"minutes":320,"hours":5.33}""", report["total"]!.ToJsonString());
        Assert.Equal(["from", "to", "timeZone", "asOf", "rows", "total", "byEvidence", "headcounts"], report.Body!.AsObject().Select(member => member.Key));
        Assert.Equal(report["asOf"]!["position"]!.ToString(), report.Header("Volunteers-Ledger-Position"));
    }
}
