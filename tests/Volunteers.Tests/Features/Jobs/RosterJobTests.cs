using System.Text;
using Volunteers.Tests.Features.Reports;
using Volunteers.Tests.Features.Volunteers;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Jobs;

/// <summary>People, out and in.</summary>
public sealed class RosterJobTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task Rows_that_are_refused_take_no_others_with_them_and_come_back_with_their_reasons_in_the_language_of_who_reads_them()
    {
        var o = await Given.Organization();
        await o.Admin.Post("/volunteers", new { number = "A-1", name = "张三", hometown = "湖北" });

        var job = await o.Admin.ImportJob("roster", "编号,姓名,手机,生日,籍贯\r\nA-1,张三,,,湖南\r\n,李四,abc,1980-02-30,\r\n,王五,13700137000,1980-01-02,\r\n,王五,,1980/1/2,\r\nA-1,张三,,,湖南\r\n");

        Assert.Equal(("succeeded", 1, 1, 0, 3), job.Outcome());
        Assert.Equal((5, 5), (job.Count("total"), job.Count("done")));
        Assert.Equal(2, (await o.Admin.Get("/volunteers")).Items.Count);
        var english = ReportFile.Read(await o.Admin.ResultFile(job.Id));
        Assert.Equal(["编号", "姓名", "手机", "生日", "籍贯", "refusedRow", "refusedColumn", "refusedCode", "refusedReason"], english.Headings);
        Assert.Equal(["3", "5", "6"], english.Rows.Select(row => row["refusedRow"]));
        Assert.Equal(("李四", "abc", "1980-02-30", "生日; 手机", "unknown_date; invalid_value"),
            (english.Rows[0]["姓名"], english.Rows[0]["手机"], english.Rows[0]["生日"], english.Rows[0]["refusedColumn"], english.Rows[0]["refusedCode"]));
        Assert.Equal(["duplicate_row", "duplicate_row"], english.Rows.Skip(1).Select(row => row["refusedCode"]));
        var chinese = ReportFile.Read(await o.Admin.ResultFile(job.Id, "zh-CN"));
        Assert.Equal("拒绝原因", chinese.Headings[^1]);
        Assert.Contains("第 4 行", chinese.Rows[1]["拒绝原因"], StringComparison.Ordinal);
        Assert.Contains("Row 4", english.Rows[1]["refusedReason"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_refused_can_be_mended_in_the_result_and_sent_again()
    {
        var o = await Given.Organization();
        var job = await o.Admin.ImportJob("roster", "姓名,手机\r\n张三,13800138000\r\n李四,abc\r\n");
        var refused = Encoding.UTF8.GetString(await o.Admin.ResultFile(job.Id, "zh-CN"));

        var again = await o.Admin.ImportJob("roster", refused.Replace("abc", "13900139000", StringComparison.Ordinal));

        Assert.Equal(("succeeded", 1, 0, 0, 0), again.Outcome());
        Assert.Equal(["张三", "李四"], (await o.Admin.Get("/volunteers")).Items.Select(person => (string?)person!["name"]).Order());
    }

    [Theory]
    [InlineData("加入日期")]
    [InlineData("出生日期")]
    public async Task A_day_that_a_spreadsheet_keeps_with_a_time_is_the_same_when_it_comes_back_refused(string heading)
    {
        var o = await Given.Organization();
        var file = Rosters.XlsxBytes(Rosters.SheetData(["姓名", heading, "手机"], ["张三", new DateTime(2001, 2, 3, 9, 30, 0), "abc"]));
        var job = await o.Admin.ImportJob("roster", file, Rosters.XlsxType);
        Assert.True(job.Outcome() == ("succeeded", 0, 0, 0, 1), job.Text);

        var row = Workbook.Read(await o.Admin.ResultFile(job.Id)).Main[1];

        Assert.Equal("yyyy\\-mm\\-dd\\ hh:mm", row[1]!.Format);
        var again = await o.Admin.ImportJob("roster", Rosters.XlsxBytes(Rosters.SheetData(["姓名", heading], [row[0]!.Text, DateTime.FromOADate((double)row[1]!.Number!)])), Rosters.XlsxType);
        Assert.True(again.Outcome() == ("succeeded", 1, 0, 0, 0), again.Text);
        var person = Assert.Single((await o.Admin.Get($"/volunteers/{(await o.Admin.Get("/volunteers")).Items[0]!["id"]}")).ShouldBe(200).Body!.AsObject(), member => member.Value?.ToString() == "2001-02-03");
        Assert.Equal(heading == "加入日期" ? "joinedOn" : "birthDate", person.Key);
    }

    [Fact]
    public async Task Each_of_thousands_of_refused_rows_comes_back_with_all_its_reasons()
    {
        const int rows = 5_003;
        var o = await Given.Organization();
        var job = await o.Admin.ImportJob("roster", "姓名,手机,出生日期\r\n" + string.Concat(Enumerable.Range(1, rows).Select(i => $"志愿者{i},abc,never\r\n")), dryRun: true);
        Assert.Equal(("succeeded", 0, 0, 0, rows), job.Outcome());

        var lines = Encoding.UTF8.GetString(await o.Admin.ResultFile(job.Id)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal([.. Enumerable.Range(1, rows).Select(i => $"志愿者{i},abc,never,{i + 1}")], lines.Skip(1).Select(line => string.Join(',', line.Split(',').Take(4))));
        Assert.All(lines.Skip(1), line => Assert.Contains("; ", line.Split(',')[4], StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_dry_run_counts_what_an_import_would_do_and_writes_nothing()
    {
        var o = await Given.Organization();
        await o.Admin.Post("/volunteers", new { number = "A-1", name = "张三" });
        var rows = string.Concat(Enumerable.Range(1, 700).Select(i => $",志愿者{i},{13_800_000_000 + i},\r\n"));
        var file = $"编号,姓名,手机,籍贯\r\nA-1,张三,,湖南\r\n{rows},无效,abc,\r\n";

        var rehearsed = await o.Admin.ImportJob("roster", file, dryRun: true);

        Assert.Equal(("succeeded", 700, 1, 0, 1), rehearsed.Outcome());
        Assert.True((bool)rehearsed["dryRun"]!);
        Assert.Single((await o.Admin.Get("/volunteers")).Items);
        Assert.Single(ReportFile.Read(await o.Admin.ResultFile(rehearsed.Id)).Rows);
        Assert.Equal(rehearsed.Outcome(), (await o.Admin.ImportJob("roster", file)).Outcome());
        Assert.Equal("000701", (string?)(await o.Admin.Post("/volunteers", new { name = "王五" })).ShouldBe(201)["number"]);
    }

    [Fact]
    public async Task A_file_shows_people_as_far_as_who_asked_may_see_them()
    {
        var o = await Given.Organization();
        var (team, other) = (await o.Team(), await o.Team());
        foreach (var (name, of) in new[] { ("甲", team), ("乙", other) })
        {
            var person = await o.Admin.Post("/volunteers", new { name, phone = "13800138000", birthDate = "1980-01-02", residence = "Futian" });
            await o.Member(of, person.ShouldBe(201).Id);
        }

        var whole = ReportFile.Read(await o.Admin.Exported("roster", "csv", "en"));
        var audited = ReportFile.Read(await (await o.SignedInWithRole("auditor")).Exported("roster", "csv", "en"));
        var coordinated = ReportFile.Read(await (await o.SignedInWithRole("coordinator", team)).Exported("roster", "csv", "en"));

        Assert.Equal("13800138000", whole.Rows.Single(row => row["name"] == "乙")["phone"]);
        Assert.Equal(("138****8000", "", ""), (Of(audited, "乙", "phone"), Of(audited, "乙", "birthDate"), Of(audited, "乙", "residence")));
        Assert.Equal(["甲"], coordinated.Rows.Select(row => row["name"]));
        Assert.Equal("13800138000", Of(coordinated, "甲", "phone"));
        Assert.DoesNotContain(whole.Headings, heading => heading.Contains("identity", StringComparison.OrdinalIgnoreCase));

        static string Of(ReportFile file, string name, string column) => file.Rows.Single(row => row["name"] == name)[column];
    }

    [Fact]
    public async Task Names_that_a_spreadsheet_would_run_are_harmless_in_a_file_and_themselves_again_when_they_come_back()
    {
        var o = await Given.Organization();
        string[] names = ["=1+1", "+86", "-甲", "@乙", "＝丙", "'=丁", "''=戊", "'己", "甲,乙\"丙"];
        foreach (var name in names) (await o.Admin.Post("/volunteers", new { name })).ShouldBe(201);

        var file = await o.Admin.Exported("roster", "csv");

        var cells = ReportFile.Read(file).Rows.Select(row => row["姓名"]).ToArray();
        Assert.Equal(["'=1+1", "'+86", "'-甲", "'@乙", "'＝丙", "''=丁", "'''=戊", "'己", "甲,乙\"丙"], cells);
        Assert.Equal(("succeeded", 0, 0, names.Length, 0), (await o.Admin.ImportJob("roster", file, "text/csv")).Outcome());
        Assert.Equal(names.Order(StringComparer.Ordinal), (await o.Admin.Get("/volunteers?limit=200")).Items.Select(person => (string)person!["name"]!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_same_import_sent_twice_with_one_key_is_one_job()
    {
        var o = await Given.Organization();
        Task<Answer> Send() => o.Admin.Post("/jobs/imports?resource=roster", Rosters.Csv("姓名\r\n张三\r\n"), ("Idempotency-Key", "roster-1"));

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Send()));

        Assert.Single(answers.Select(answer => answer.ShouldBe(201).Id).Distinct());
        await o.Admin.Over(answers[0].Id);
        Assert.Single((await o.Admin.Get("/volunteers")).Items);
        Assert.Single((await o.Admin.Get("/jobs")).Items);
    }
}
