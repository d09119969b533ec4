using System.Text.Json.Nodes;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reports;

/// <summary>Persons, person-times and hours: three measures, side by side in every report, and a claim moves no total of them.</summary>
public sealed class MeasureTests(TestDatabases databases) : HoursTest(databases)
{
    private const string Year = "from=2026-01-01&to=2026-12-31";

    [Fact]
    public async Task Every_report_has_them_side_by_side()
    {
        var activity = await O.Activity(Team, At("08:00"), At("10:00"));
        foreach (var volunteer in await O.Volunteers(2, Team)) await O.Record(activity, volunteer, At("08:00"), At("08:50"));
        (await Admin.Post("/service-records", Group(activity, 3, 100, "estimated"))).ShouldBe(201);
        var waiting = await O.Volunteer(Team);
        (await Record(await O.SignedInAs(waiting), waiting, At("08:00"), At("09:00"), activity: activity)).ShouldBe(201);
        const string Booked = """{"persons":2,"personTimes":5,"minutes":200,"hours":3.33}""";

        var hours = (await Admin.Get($"/reports/hours?{Year}&groupBy=team")).ShouldBe(200);
        Assert.Equal(Booked, Measures(hours["rows"]![0]!));
        Assert.Equal(Booked, Measures(hours["total"]!));
        Assert.Equal(Booked, Measures(hours["byEvidence"]![0]!));
        Assert.Equal("""[{"method":"estimated","personTimes":3,"minutes":100,"hours":1.67}]""", hours["headcounts"]!.ToJsonString());
        Assert.Equal(Booked, Measures((await Admin.Get($"/reports/activities?{Year}&groupBy=team")).ShouldBe(200)["rows"]![0]!));
        var changes = (await Admin.Get($"/reports/hours/changes?{Year}&groupBy=team&since=1")).ShouldBe(200);
        foreach (var change in new[] { changes["rows"]![0]!, changes["total"]!, changes["byEvidence"]![0]! })
            Assert.Equal(("""{"persons":1,"personTimes":1,"minutes":50,"hours":0.83}""", Booked), (Measures(change["before"]!), Measures(change["after"]!)));
        Assert.Equal(Booked, Measures((await Admin.Post("/reports/hours/issued", new { from = "2026-01-01", to = "2026-12-31", sentTo = "District" })).ShouldBe(201)["total"]!));
        // What waits is there too: it is not missing, but nobody has looked at it.
        Assert.Equal("""{"persons":3,"personTimes":6,"minutes":260,"hours":4.33}""",
            Measures((await Admin.Get("/reports/overdue")).ShouldBe(200).Items.Single(row => (string?)row!["activityId"] == activity)!["recorded"]!));

        foreach (var report in new[] { $"hours?{Year}&groupBy=team", $"activities?{Year}&groupBy=team" })
        {
            var total = ReportFile.Read(await ReportFormatTests.Bytes(O, $"/reports/{report}&format=csv")).Rows[^1];
            Assert.Equal(("2", "5", "200", "3.33"), (total["Persons"], total["Person-times"], total["Minutes"], total["Hours"]));
        }
        var export = ReportFile.Read(await ReportFormatTests.Bytes(O, $"/service-records/export?{Year}&format=csv")).Rows[^1];
        Assert.Equal(("Total of 3 records", "2 persons", "5", "200", "3.33"), (export["Record"], export["Volunteer"], export["Person-times"], export["Minutes"], export["Hours"]));
        var workbook = Workbook.Read(await ReportFormatTests.Bytes(O, $"/service-records/export?{Year}&format=xlsx", "zh-CN")).Main[^1];
        Assert.Equal(("2 人", 5m, 200m, 3.33m), (workbook[2]!.Text, workbook[12]!.Number, workbook[10]!.Number, workbook[11]!.Number));
    }

    [Fact]
    public async Task Who_was_voided_or_only_waits_is_no_person_of_an_export()
    {
        var (stands, voided, waits) = (await O.Volunteer(Team), await O.Volunteer(Team), await O.Volunteer(Team));
        await O.Record(Activity, stands, At("08:00"), At("09:00"));
        await O.Record(Activity, stands, At("10:00"), At("11:00"));
        (await Do(Admin, "void", await O.Record(Activity, voided, At("08:00"), At("09:00")))).ShouldBe(200);
        (await Record(await O.SignedInAs(waits), waits, At("08:00"), At("09:00"))).ShouldBe(201);

        async Task<string> Persons(string query) => ReportFile.Read(await ReportFormatTests.Bytes(O, $"/service-records/export?{Year}{query}&format=csv")).Rows[^1]["Volunteer"];

        Assert.Equal("1 persons", await Persons(""));
        Assert.Equal("2 persons", await Persons("&asOf=3"));
        Assert.Equal("1 persons", await Persons("&status=submitted"));
        Assert.Equal("0 persons", await Persons($"&volunteer={voided}"));
    }

    [Fact]
    public async Task A_claim_moves_no_total_of_any_report_whatever_became_of_the_activity()
    {
        var (other, project) = (await O.Team(), await O.Project());
        var activity = await O.Activity(Team, At("08:00"), At("10:00"), projectId: project);
        var headcount = (await Admin.Post("/service-records", Group(activity, 3, 300, "counted"))).ShouldBe(201).Id;
        (await Admin.Patch($"/activities/{activity}", new { teamId = other, category = "culture", projectId = (string?)null })).ShouldBe(200);
        var (reporting, named) = (await O.Volunteer(Team), await O.Volunteer(Team));
        await O.Member(other, reporting);
        string[] groups = ["", "team", "activity", "project", "category", "month", "day", "year", "evidence"];
        var before = await Totals();
        Assert.Equal(groups.Length + 3, before.Count);

        (await Do(Admin, "claims", headcount, new { volunteerId = named, minutes = 100 })).ShouldBe(201);
        Assert.Equal(before, await Totals());
        var own = (await Record(await O.SignedInAs(reporting), reporting, At("08:00"), At("09:30"), activity: activity)).ShouldBe(201).Id;
        (await Do(Admin, "approve", own, new { headcountId = headcount })).ShouldBe(200);

        // Of the participation that they reported themselves we know in another way: that, and nothing else.
        var after = await Totals();
        Assert.Equal(before.Where(total => total.Key != "evidence"), after.Where(total => total.Key != "evidence"));
        Assert.Equal(["coordinator 2 210", "self 1 90"], after["evidence"].Split('|'));
        Assert.Equal(2, (int)(await Admin.Get($"/reports/hours?{Year}")).ShouldBe(200)["total"]!["persons"]!);
        await VerifiedPosition();

        async Task<SortedDictionary<string, string>> Totals()
        {
            var totals = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (var group in groups)
            {
                var report = (await Admin.Get($"/reports/hours?{Year}" + (group.Length > 0 ? $"&groupBy={group}" : ""))).ShouldBe(200);
                totals.Add(group, string.Join('|', report["rows"]!.AsArray().Append(group.Length == 0 ? report["total"] : null).Where(row => row is not null)
                    .Select(row => $"{LedgerScenario.KeyOf(row!, group.Length > 0 ? [group] : [])} {row!["personTimes"]} {row["minutes"]}".Trim())));
            }
            // Read from the postings, not from the totals that are kept with them; the activity's own; and line by line.
            totals.Add("postings", (await Admin.Get($"/reports/hours?from=2026-06-02&to=2026-12-30")).ShouldBe(200)["total"]!["minutes"]!.ToJsonString());
            var activities = (await Admin.Get($"/reports/activities?{Year}")).ShouldBe(200)["total"]!;
            totals.Add("activities", $"{activities["personTimes"]} {activities["minutes"]} {activities["hours"]!.ToJsonString()}");
            var export = ReportFile.Read(await ReportFormatTests.Bytes(O, $"/service-records/export?{Year}&format=csv")).Rows[^1];
            totals.Add("export", $"{export["Person-times"]} {export["Minutes"]}");
            return totals;
        }
    }

    private static JsonObject Group(string activity, int personTimes, int minutes, string method) => new()
    {
        ["activityId"] = activity, ["startsAt"] = At("08:00"), ["endsAt"] = At("10:00"), ["minutes"] = minutes, ["notCountedElsewhere"] = true,
        ["headcount"] = new JsonObject { ["personTimes"] = personTimes, ["method"] = method },
    };

    private static string Measures(JsonNode row) =>
        new JsonObject(new[] { "persons", "personTimes", "minutes", "hours" }.Select(name => KeyValuePair.Create(name, row[name]?.DeepClone()))).ToJsonString();
}
