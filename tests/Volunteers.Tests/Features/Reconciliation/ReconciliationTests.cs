using System.Text;
using MiniExcelLibs;
using Volunteers.Tests.Features.Volunteers;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reconciliation;

/// <summary>Which list a row and a record come into, and why.</summary>
public sealed class ReconciliationTests(TestDatabases databases) : ReconciliationTest(databases)
{
    [Fact]
    public async Task Every_row_and_every_record_is_in_the_list_that_says_what_it_is()
    {
        var (li, wang) = (await Person("A-1", "李雷"), await Person("A-2", "王芳", "138 0013 8000"));
        var same = await O.Record(Activity, li, At("08:00"), At("10:00"));
        var different = await O.Record(Activity, wang, At("08:00"), At("10:00"));
        var missing = await O.Record(Activity, li, At("08:00", 9), At("09:00", 9));
        await O.Record(Activity, li, "2026-07-01T08:00:00+08:00", "2026-07-01T09:00:00+08:00");
        (await Headcount(Admin, 3, At("22:00"), At("23:00"))).ShouldBe(201);

        var made = await Reconcile("A-1,,,2026-06-07,120,,R1\r\n,13800138000,,2026/6/7,90,,R2\r\nA-2,,王芳,2026年6月8日,60分钟,送考,R3\r\nA-9,,赵云,2026-06-08,60,,R4\r\n");

        Assert.Equal((1, 1, 1, 1, 1), Counts(made));
        Assert.Equal((4, 330, 300, -30), (Number(made, "fileRows"), Number(made, "minutesThere"), Number(made, "minutesHere"), Number(made, "difference")));
        Assert.Equal(made.Header("Location"), $"/v1/organizations/{O.Id}/reconciliations/{made.Id}");
        var rows = await Rows(made);
        Assert.Equal(
            ["same 2 A-1 0 " + same, "different 3 A-2 30 " + different, "missingHere 4 A-2 -60 ", "unmatched 5  -60 ", "missingThere  A-1 60 " + missing],
            rows.Select(row => $"{row["list"]} {row["row"]} {row["volunteer"]?["number"]} {row["difference"]} {row["recordId"]}"));
        Assert.Equal(("nobody_found", "A-9", "赵云"), ((string?)rows[3]["code"], (string?)rows[3]["person"]!["number"], (string?)rows[3]["person"]!["name"]));
        Assert.Equal(("送考", "2026-06-08", "R3"), ((string?)rows[2]["activity"], (string?)rows[2]["date"], (string?)rows[2]["reference"]));
        Assert.Equal("different", (string?)Assert.Single(await Rows(made, "different"))["list"]);
        Assert.Equal(4, (await Admin.Get("/service-records?limit=200")).Items.Count(record => record!["volunteerId"] is not null));
    }

    [Fact]
    public async Task A_person_is_found_by_number_else_phone_else_a_name_that_only_one_can_mean()
    {
        var served = await Person("A-1", "张伟", "13800138000");
        await Person("A-2", "张伟", "13900139000");
        await Person("A-3", "李娜", "13900139000");
        await O.Record(Activity, served, At("08:00"), At("09:00"));

        var made = await Reconcile(
            "A-1,13900139000,张伟,2026-06-07,60,,\r\n"       // number
            + "X-1,+86 138-0013-8000,张 伟,2026-06-08,60,,\r\n" // a number of the other system, so phone
            + ",13900139000,李娜,2026-06-08,60,,\r\n"         // a family's phone, told apart by name
            + ",13900139000,,2026-06-08,60,,\r\n"             // a family's phone alone
            + ",,张伟,2026-06-07,30,,\r\n"                    // the one of two who served that day
            + ",,张伟,2026-06-08,60,,\r\n"                    // either of two
            + "A-3,,张伟,2026-06-08,60,,\r\n"                 // number and name contradict each other
            + ",,,2026-06-08,60,,\r\n");

        var rows = (await Rows(made)).ToDictionary(row => (int)row["row"]!);
        Assert.Equal(["A-1", "A-1", "A-3", null, "A-1", null, null, null], Enumerable.Range(2, 8).Select(n => (string?)rows[n]["volunteer"]?["number"]));
        Assert.Equal(["5 several_found", "7 several_found", "8 number_and_name_differ", "9 person_missing"], Codes(await Rows(made, "unmatched")));
    }

    [Fact]
    public async Task Of_several_on_one_day_activity_goes_before_minutes_and_minutes_before_order()
    {
        var person = await Person("A-1", "李雷");
        var crossing = (await Admin.Post("/activities", new { title = "路口值守", teamId = Team, category = "patrol", startsAt = At("06:00"), endsAt = At("20:00") })).ShouldBe(201).Id;
        var morning = await O.Record(Activity, person, At("08:00"), At("09:00"));
        var noon = await O.Record(Activity, person, At("10:00"), At("12:00"));
        var evening = await O.Record(crossing, person, At("17:00"), At("18:00"));

        var made = await Reconcile("A-1,,,2026-06-07,45,路口 值守,\r\nA-1,,,2026-06-07,120,,\r\nA-1,,,2026-06-07,60,,\r\nA-1,,,2026-06-07,60,,\r\n");

        Assert.Equal([$"different {evening}", $"same {noon}", $"same {morning}", "missingHere "], (await Rows(made)).Select(row => $"{row["list"]} {row["recordId"]}"));
    }

    [Fact]
    public async Task Submitted_service_is_no_credited_service_but_shown_beside_the_row()
    {
        var person = await Person("A-1", "李雷");
        var self = await O.SignedInAs(person);
        var submitted = (await Record(self, person, At("08:00"), At("09:00"))).ShouldBe(201).Id;

        var row = Assert.Single(await Rows(await Reconcile("A-1,,,2026-06-07,60,,R1\r\n")));

        Assert.Equal(("missingHere", submitted, (string?)null), ((string?)row["list"], (string?)row["waitingRecordId"], (string?)row["recordId"]));
    }

    [Fact]
    public async Task What_cannot_be_read_says_which_cell_and_why()
    {
        await Person("A-1", "李雷");

        var made = await Reconcile(
            "A-1,,,昨天,60,,\r\nA-1,,,2026-02-30,60,,\r\nA-1,,,2026-06-07,很久,,\r\nA-1,,,2026-06-07,0,,\r\nA-1,,,2026-06-07,1441,,\r\nA-1,,,2026-06-07,1.5,,\r\n"
            + "A-1,,,2026-07-01,60,,\r\nA-1,,,2026-06-07,60,,R1\r\nA-1,,,2026-06-08,60,,R1\r\nA-1,,,=1+1,60,,\r\n");

        Assert.Equal(
            ["2 unreadable_date", "3 unreadable_date", "4 unreadable_minutes", "5 unreadable_minutes", "6 unreadable_minutes", "7 unreadable_minutes", "8 outside_period", "10 duplicate_reference", "11 unreadable_date"],
            Codes(await Rows(made, "unmatched")));
        Assert.Equal(["服务日期", "服务日期", "服务分钟"], (await Rows(made, "unmatched")).Take(3).Select(row => (string?)row["column"]));
        Assert.Contains("2026-06-07", (string)(await Rows(made, "unmatched"))[0]["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_team_is_compared_with_the_rows_of_its_people_and_its_own_service()
    {
        var (ours, both) = (await Person("A-1", "李雷"), await Person("A-2", "王芳"));
        var other = await O.Team();
        var theirs = (await Admin.Post("/volunteers", new { number = "A-3", name = "赵云" })).ShouldBe(201).Id;
        await O.Member(other, theirs);
        await O.Member(other, both);
        var elsewhere = await O.Activity(other);
        await O.Record(Activity, ours, At("08:00"), At("09:00"));
        await O.Record(elsewhere, both, At("08:00"), At("09:00"));
        await O.Record(elsewhere, theirs, At("08:00"), At("09:00"));

        var made = await Reconcile("A-1,,,2026-06-07,60,,\r\nA-2,,,2026-06-07,60,,\r\nA-3,,,2026-06-07,60,,\r\nA-2,,,2026-06-08,60,,\r\n", June + "&team=" + Team);

        Assert.Equal((1, 0, 1, 0, 2), Counts(made));
        Assert.Equal(["3 service_of_another_team", "4 not_in_team"], Codes(await Rows(made, "unmatched")));
    }

    [Fact]
    public async Task Spreadsheets_and_other_encodings_are_read_as_their_programs_write_them()
    {
        var person = await Person("1001", "李雷");
        await O.Record(Activity, person, At("08:30"), At("10:00"));
        await Save("xlsx", new { system = "国家平台", columns = new { number = "编号", startsAt = "开始时间", endsAt = "结束时间" } });
        await Save("hours", new { system = "区平台", columns = new { name = "姓名", date = "日期", hours = "时长" }, dateFormats = new[] { "dd/MM/yyyy" } });
        using var xlsx = new MemoryStream();
        MiniExcel.SaveAs(xlsx, new[] { new { 编号 = 1001, 开始时间 = new DateTime(2026, 6, 7, 8, 30, 0), 结束时间 = new DateTime(2026, 6, 7, 10, 0, 0) } });
        var gb18030 = CodePagesEncodingProvider.Instance.GetEncoding("GB18030")!;

        var fromXlsx = (await Admin.Post("/reconciliations?mapping=xlsx&from=2026-06-01&to=2026-06-30", Rosters.Content(xlsx.ToArray(), Rosters.XlsxType))).ShouldBe(201);
        Assert.Equal((1, 0, 0, 0, 0), Counts(fromXlsx));

        foreach (var file in new[]
                 {
                     gb18030.GetBytes("服务时长导出\r\n2026年6月\r\n\r\n姓名,日期,时长\r\n李雷,07/06/2026,1.5\r\n"),
                     [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes("姓名,日期,时长\r\n李雷,07/06/2026,1:30\r\n")],
                     [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("姓名,其他,日期,时长\r\n李雷,x,07/06/2026 00:00,1.50小时\r\n")],
                 })
        {
            var made = (await Admin.Post("/reconciliations?mapping=hours&from=2026-06-01&to=2026-06-30", Rosters.Form(file, "导出.csv", "application/vnd.ms-excel"))).ShouldBe(201);
            Assert.Equal((1, 0, 0, 0, 0), Counts(made));
        }
    }

    [Fact]
    public async Task Lists_are_paged_in_the_order_of_the_file()
    {
        await Person("A-1", "李雷");
        var made = await Reconcile(string.Concat(Enumerable.Range(1, 28).Select(day => $"A-1,,,2026-06-{day:00},60,,R{day}\r\n")));

        var numbers = new List<int>();
        for (var path = $"/reconciliations/{made.Id}/rows?list=missingHere&limit=10"; path is not null;)
        {
            var page = (await Admin.Get(path)).ShouldBe(200);
            numbers.AddRange(page.Items.Select(row => (int)row!["row"]!));
            path = page["next"] is { } next ? $"/reconciliations/{made.Id}/rows?list=missingHere&limit=10&cursor={next}" : null;
        }

        Assert.Equal(Enumerable.Range(2, 28), numbers);
    }
}
