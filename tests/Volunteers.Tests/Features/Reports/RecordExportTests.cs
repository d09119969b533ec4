using System.Globalization;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reports;

public sealed class RecordExportTests(TestDatabases databases) : ApiTest(databases)
{
    private const string Years = "from=2025-01-01&to=2026-12-31";

    [Fact]
    public async Task At_every_position_the_lines_add_up_to_the_hour_report_of_the_same_filters()
    {
        var scenario = await LedgerScenario.Make(Given);
        var o = scenario.Organization;
        var end = (await scenario.Ledger()).Count;
        string[] filters =
        [
            Years, "from=2026-03-01&to=2026-04-30", "from=2026-05-01&to=2026-05-31", $"{Years}&team={scenario.Dancers}", $"{Years}&volunteer={scenario.Volunteers[2]}",
            $"{Years}&activity={scenario.Patrol}", $"{Years}&category=culture", $"{Years}&evidence=self",
        ];

        for (var position = 0; position <= end; position++)
            foreach (var filter in filters)
            {
                var total = (await o.Admin.Get($"/reports/hours?{filter}&asOf={position}")).ShouldBe(200)["total"]!;
                var file = await Export(o.Admin, $"{filter}&asOf={position}");

                Assert.Equal($"Total of {file.Rows.Count - 1} records", file.Rows[^1]["Record"]);
                Assert.Equal((long)total["minutes"]!, file.Rows.SkipLast(1).Sum(row => Number(row, "Minutes")));
                Assert.Equal((long)total["minutes"]!, Number(file.Rows[^1], "Minutes"));
                Assert.Equal((long)total["personTimes"]!, Number(file.Rows[^1], "Person-times"));
                Assert.Equal(total["hours"]!.ToJsonString(), file.Rows[^1]["Hours"]);
            }
    }

    [Fact]
    public async Task The_same_position_gives_the_same_lines_whatever_is_corrected_and_voided_since()
    {
        var scenario = await LedgerScenario.Make(Given);
        var o = scenario.Organization;
        var position = (await scenario.Ledger()).Count;
        var then = await Text(o.Admin, $"{Years}&asOf={position}");
        Assert.Equal(then, await Text(o.Admin, Years));

        (await o.Admin.Post($"/service-records/{scenario.Moved}/correct", new { reason = "Shorter", minutes = 10 })).ShouldBe(200);
        (await o.Admin.Post($"/service-records/{scenario.Moved}/void", new { reason = "Not at all" })).ShouldBe(200);
        await o.Record(scenario.Class, scenario.Volunteers[2], "2026-02-01T09:00:00+08:00", "2026-02-01T11:00:00+08:00");

        Assert.Equal(then, await Text(o.Admin, $"{Years}&asOf={position}"));
        var now = (await Export(o.Admin, Years)).Rows.Single(row => row["Record"] == scenario.Moved);
        Assert.Equal(("voided", "0", "0.00", "0"), (now["Status"], now["Minutes"], now["Hours"], now["Person-times"]));
        var between = (await Export(o.Admin, $"{Years}&asOf={position + 2}")).Rows.Single(row => row["Record"] == scenario.Moved);
        Assert.Equal(("approved", "10"), (between["Status"], between["Minutes"]));
    }

    [Fact]
    public async Task A_line_says_who_when_where_how_long_and_on_what_evidence()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var volunteer = await o.Volunteer(inTeam: team);
        var project = await o.Project();
        var activity = await o.Activity(team, projectId: project);
        var record = (await o.Admin.Post("/service-records", new
        {
            activityId = activity, volunteerId = volunteer, startsAt = "2025-12-31T22:00:00+08:00", endsAt = "2026-01-01T02:00:00+08:00", minutes = 100, note = "跨年, \"夜\"\r\n值守",
        })).ShouldBe(201);
        (await o.Admin.Post("/service-records", new
        {
            activityId = activity, headcount = new { personTimes = 21, method = "estimated" }, startsAt = "2025-12-30T14:00:00+08:00", endsAt = "2025-12-30T15:00:00+08:00", minutes = 1200,
        })).ShouldBe(201);
        var (number, name) = ((string)(await o.Admin.Get($"/volunteers/{volunteer}")).ShouldBe(200)["number"]!, (string)(await o.Admin.Get($"/volunteers/{volunteer}"))["name"]!);

        var rows = (await Export(o.Admin, "from=2025-12-30&to=2025-12-31")).Rows;

        Assert.Equal(3, rows.Count);
        Assert.Equal(("", "Headcount (estimated)", "21", "1200", "20.00"), (rows[0]["Volunteer number"], rows[0]["Volunteer"], rows[0]["Person-times"], rows[0]["Minutes"], rows[0]["Hours"]));
        var row = rows[1];
        Assert.Equal((record.Id, number, name), (row["Record"], row["Volunteer number"], row["Volunteer"]));
        Assert.Equal(("2025-12-31", "2025-12-31 22:00:00", "2026-01-01 02:00:00"), (row["Date"], row["Start"], row["End"]));
        Assert.Equal(("100", "1.67", "1"), (row["Minutes"], row["Hours"], row["Person-times"]));
        Assert.Equal(("Coordinator", "approved", "跨年, \"夜\"\r\n值守"), (row["Evidence"], row["Status"], row["Note"]));
        Assert.StartsWith("Team", row["Team"], StringComparison.Ordinal);
        Assert.StartsWith("Activity", row["Activity"], StringComparison.Ordinal);
        Assert.StartsWith("Project", row["Project"], StringComparison.Ordinal);
        Assert.NotEmpty(row["Recorded by"]);
        Assert.NotEmpty(row["Recorded at"]);
        Assert.NotEmpty(row["Reviewed at"]);
        Assert.Empty((await Export(o.Admin, "from=2026-01-01&to=2026-01-01")).Rows.SkipLast(1));
    }

    [Fact]
    public async Task What_is_not_booked_is_listed_by_its_status_and_has_no_position()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var volunteer = await o.Volunteer(inTeam: team);
        var activity = await o.Activity(team);
        var self = await o.SignedInAs(volunteer);
        string[] own = [await Claim("08"), await Claim("10")];
        (await o.Admin.Post($"/service-records/{own[1]}/reject", new { reason = "Nobody saw it" })).ShouldBe(200);

        Assert.Equal([own[0]], Ids(await Export(o.Admin, $"{Years}&status=submitted")));
        Assert.Equal([own[1]], Ids(await Export(o.Admin, $"{Years}&status=rejected")));
        Assert.Equal("59", (await Export(o.Admin, $"{Years}&status=submitted")).Rows[0]["Minutes"]);
        Assert.Empty(Ids(await Export(o.Admin, Years)));
        var refusal = (await o.Admin.Get($"/service-records/export?{Years}&status=submitted&asOf=0")).ShouldRefuse(400, "not_in_ledger");
        Assert.Equal(["/asOf"], refusal["errors"]!.AsObject().Select(error => error.Key));
        (await o.Admin.Get($"/service-records/export?{Years}&status=approved")).ShouldRefuse(400, "malformed_parameter");

        async Task<string> Claim(string hour) => (await self.Post("/service-records",
            new { activityId = activity, volunteerId = volunteer, startsAt = $"2026-06-07T{hour}:00:00+08:00", endsAt = $"2026-06-07T{hour}:59:00+08:00" })).ShouldBe(201).Id;
    }

    [Fact]
    public async Task A_workbook_of_records_has_dates_and_numbers_and_says_what_it_is()
    {
        var o = (await LedgerScenario.Make(Given)).Organization;
        var csv = await Export(o.Admin, Years);

        var book = Workbook.Read(await ReportFormatTests.Bytes(o, $"/service-records/export?{Years}&format=xlsx", "zh-CN"));

        Assert.True(book.IsHeadingFrozen);
        Assert.Equal(csv.Rows.Count + 1, book.Main.Count);
        Assert.Equal($"合计 {csv.Rows.Count - 1} 条", book.Main[^1][0]!.Text);
        Assert.Equal(csv.Rows.Select(row => decimal.Parse(row["Minutes"], CultureInfo.InvariantCulture)), book.Main.Skip(1).Select(row => row[10]!.Number!.Value));
        Assert.Equal(csv.Rows.Select(row => decimal.Parse(row["Hours"], CultureInfo.InvariantCulture)), book.Main.Skip(1).Select(row => row[11]!.Number!.Value));
        Assert.Equal(csv.Rows.SkipLast(1).Select(row => row["Date"]), book.Main.Skip(1).SkipLast(1).Select(row => row[7]!.Date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)));
        Assert.Equal(csv.Rows.SkipLast(1).Select(row => row["Start"]), book.Main.Skip(1).SkipLast(1).Select(row => row[8]!.Date.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)));
        Assert.All(["组织", "时段", "账本位置", "出具时间"], name => Assert.NotEmpty(book.About[name]));
    }

    [Fact]
    public async Task The_order_is_by_day_start_and_id()
    {
        var o = (await LedgerScenario.Make(Given)).Organization;

        var keys = (await Export(o.Admin, Years)).Rows.SkipLast(1).Select(row => (row["Date"], row["Start"], row["Record"])).ToArray();

        Assert.True(keys.Length > 8);
        Assert.Equal(keys.Order(), keys);
    }

    private static string[] Ids(ReportFile file) => [.. file.Rows.SkipLast(1).Select(row => row["Record"])];

    private static long Number(Dictionary<string, string> row, string heading) => long.Parse(row[heading], CultureInfo.InvariantCulture);

    private static async Task<string> Text(Api by, string query) => (await by.Get($"/service-records/export?{query}&format=csv")).ShouldBe(200).Text.TrimStart('\ufeff');

    private static async Task<ReportFile> Export(Api by, string query) => ReportFile.Read(await Text(by, query));
}
