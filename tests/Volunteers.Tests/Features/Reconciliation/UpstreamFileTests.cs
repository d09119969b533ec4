using System.Text;
using Volunteers.Tests.Features.Volunteers;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reconciliation;

/// <summary>Exports that are none, that are too large, or that mean harm.</summary>
public sealed class UpstreamFileTests(TestDatabases databases) : ReconciliationTest(databases)
{
    public static TheoryData<string, int, string> Hostile => new()
    {
        { "nothing", 400, "no_mapped_heading" },
        { "other headings", 400, "no_mapped_heading" },
        { "a heading missing", 400, "heading_missing" },
        { "headings in the eleventh row", 400, "no_mapped_heading" },
        { "a heading twice", 400, "column_twice" },
        { "too many rows", 400, "too_many_rows" },
        { "huge cell", 400, "cell_too_long" },
        { "zeros", 400, "not_a_spreadsheet" },
        { "broken zip", 400, "not_a_spreadsheet" },
        { "bomb", 413, "archive_too_large" },
        { "old Excel", 415, "old_spreadsheet" },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task A_file_that_is_no_export_is_refused_with_a_reason(string what, int status, string code)
    {
        (await Admin.Post("/reconciliations?" + June, Rosters.Content(File(what), "text/csv"))).ShouldRefuse(status, code);
        Assert.Empty((await Admin.Get("/reconciliations")).Items);
    }

    [Fact]
    public async Task A_missing_heading_is_named()
    {
        var refused = await Admin.Post("/reconciliations?" + June, Rosters.Csv("服务时长导出\r\n志愿者编号,手机号,姓名,服务日期\r\n"));

        var detail = (string)refused.ShouldRefuse(400, "heading_missing")["detail"]!;
        Assert.Contains("服务分钟, 活动名称, 记录编号", detail, StringComparison.Ordinal);
        Assert.Contains("row 2", detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ten_megabytes_are_the_most()
    {
        var large = Rosters.Content(new byte[(10 * 1024 * 1024) + 1], "text/csv");
        (await Admin.Post("/reconciliations?" + June, large, ("Expect", "100-continue"))).ShouldRefuse(413, "body_too_large");
    }

    [Fact]
    public async Task Ten_megabytes_of_emoji_are_read_and_cut()
    {
        var emoji = string.Concat(Enumerable.Repeat("😀", 2500));
        var made = await Reconcile(string.Concat(Enumerable.Repeat($"{emoji},,,2026-06-07,60,{emoji},\r\n", 400)));

        Assert.Equal((0, 0, 0, 0, 400), Counts(made));
        Assert.Equal(string.Concat(Enumerable.Repeat("😀", 100)), (string?)(await Rows(made))[0]["person"]!["number"]);
    }

    [Fact]
    public async Task Half_an_emoji_and_control_characters_are_never_kept()
    {
        var made = await Reconcile($"{'x' + string.Concat(Enumerable.Repeat("😀", 150))},,\"a\u0007\u200b\r\nb\",2026-06-07,60,,\r\n");

        var person = Assert.Single(await Rows(made))["person"]!;
        Assert.Equal('x' + string.Concat(Enumerable.Repeat("😀", 99)), (string?)person["number"]);
        Assert.Equal("a \u200b  b", (string?)person["name"]);
    }

    [Fact]
    public async Task A_million_empty_rows_are_no_rows()
    {
        var person = await Person("A-1", "李雷");
        await O.Record(Activity, person, At("08:00"), At("09:00"));
        var sheet = Rosters.SheetData(["志愿者编号", "手机号", "姓名", "服务日期", "服务分钟", "活动名称", "记录编号"], ["A-1", null, null, new DateOnly(2026, 6, 7), 60])
            + string.Concat(Enumerable.Range(3, 200_000).Select(row => $"<row r=\"{row}\"/>")) + "<row r=\"1000000\"/>";

        var made = (await Admin.Post("/reconciliations?" + June, Rosters.Content(Rosters.XlsxBytes(sheet), Rosters.XlsxType))).ShouldBe(201);

        Assert.Equal((1, 0, 0, 0, 0), Counts(made));
        Assert.Equal((1, 0, 0, 0, 0), Counts(await Reconcile("A-1,,,2026-06-07,60,,\r\n" + string.Concat(Enumerable.Repeat(",,,,,,\r\n", 40_000)))));
    }

    [Fact]
    public async Task Formulas_are_texts()
    {
        await Person("A-1", "李雷");
        var made = await Reconcile("A-1,,,2026-06-07,60,\"=HYPERLINK(\"\"http://x\"\")\",@R1\r\n");

        Assert.Equal((1, 0, 0), Done(await Import(made, new { teamId = Team, category = "patrol" })));
        Assert.Equal("=HYPERLINK(\"http://x\")", (string?)(await Rows(made))[0]["activity"]);
        Assert.Equal("@R1", (string?)Assert.Single(await Records())["origin"]!["reference"]);
    }

    [Theory]
    [InlineData("mapping=sz&from=2026-06-01", 400)]
    [InlineData("from=2026-06-01&to=2026-06-30", 400)]
    [InlineData("mapping=sz&from=2026-06-30&to=2026-06-01", 400)]
    [InlineData("mapping=sz&from=2025-06-30&to=2026-07-01", 400)]
    [InlineData("mapping=nobody&from=2026-06-01&to=2026-06-30", 404)]
    [InlineData("mapping=sz&from=2026-06-01&to=2026-06-30&team=01a205e1-437b-78b6-becd-9388ced34a93", 404)]
    public async Task A_period_has_two_ends_and_is_a_year_at_most(string query, int status) =>
        (await Admin.Post("/reconciliations?" + query, Rosters.Csv(Heading))).ShouldBe(status);

    private static byte[] File(string what) => what switch
    {
        "nothing" => [],
        "other headings" => Encoding.UTF8.GetBytes("甲,乙\r\n1,2\r\n"),
        "a heading missing" => Encoding.UTF8.GetBytes(Heading.Replace("服务日期", "日子", StringComparison.Ordinal)),
        "headings in the eleventh row" => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("x\r\n", 10)) + Heading),
        "a heading twice" => Encoding.UTF8.GetBytes(Heading.Replace("姓名", "姓名,姓 名", StringComparison.Ordinal)),
        "too many rows" => Encoding.UTF8.GetBytes(Heading + string.Concat(Enumerable.Repeat("A-1\r\n", 50_001))),
        "huge cell" => Encoding.UTF8.GetBytes(Heading + new string('a', 40_000) + "\r\n"),
        "zeros" => new byte[1000],
        "broken zip" => [.. Rosters.XlsxBytes(Rosters.SheetData(["姓名"], ["张三"])).Take(700)],
        "bomb" => Rosters.XlsxBytes(Rosters.SheetData(["姓名"], [new string('a', 10_000_000)])),
        "old Excel" => [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, 0, 0],
        _ => throw new ArgumentException(what, nameof(what)),
    };
}
