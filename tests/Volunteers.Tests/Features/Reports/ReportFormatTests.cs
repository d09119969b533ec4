using System.Globalization;
using System.Net;
using Npgsql;
using UglyToad.PdfPig;
using Volunteers.Features.Reports;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reports;

/// <summary>JSON, CSV, XLSX and PDF say the same, each read with a reader that did not write it.</summary>
public sealed class ReportFormatTests(TestDatabases databases) : ApiTest(databases)
{
    private const string Years = "from=2025-01-01&to=2026-12-31";

    [Theory]
    [InlineData("hours", "")]
    [InlineData("hours", "team,month")]
    [InlineData("hours", "volunteer,project,evidence")]
    [InlineData("hours", "activity,category,day")]
    [InlineData("hours", "year")]
    [InlineData("activities", "project")]
    public async Task All_forms_of_a_report_agree_to_the_minute(string report, string groupBy)
    {
        var o = (await LedgerScenario.Make(Given)).Organization;
        var path = $"/reports/{report}?{Years}" + (groupBy.Length > 0 ? $"&groupBy={groupBy}" : "");
        var json = (await o.Admin.Get(path)).ShouldBe(200);
        string[] members = report == "hours" ? ["persons", "personTimes", "minutes", "hours"] : ["activities", "sessions", "persons", "personTimes", "minutes", "hours", "beneficiaries"];
        var figures = json["rows"]!.AsArray().Append(json["total"]).Select(row => members.Select(member => row![member]!.ToJsonString()).ToArray()).ToArray();

        var csv = ReportFile.Read(await Bytes(o, path + "&format=csv"));
        var book = Workbook.Read(await Bytes(o, path + "&format=xlsx"));
        var lines = PdfLines.Read(await Bytes(o, path + "&format=pdf"));

        Assert.Equal(figures, csv.Rows.Select(row => csv.Headings[^members.Length..].Select(heading => row[heading]).ToArray()));
        Assert.Equal(csv.Headings, book.Main[0].Select(cell => cell!.Text));
        Assert.Equal(figures, book.Main.Skip(1).Select(row => row.TakeLast(members.Length).Select(cell => cell!.Number!.Value.ToString(CultureInfo.InvariantCulture)).ToArray()));
        // A long name may go on below, so a line is known by its beginning and its figures.
        foreach (var row in csv.Rows)
            Assert.Contains(lines, line => line.StartsWith(row.Values.First().Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal) && line.EndsWith(string.Concat(row.Values.TakeLast(members.Length)), StringComparison.Ordinal));
        foreach (var (cells, row) in book.Main.Skip(1).Zip(csv.Rows).SkipLast(1))
            Assert.Equal(csv.Headings[..^members.Length].Select(heading => row[heading]), cells.Take(csv.Headings.Length - members.Length).Select((cell, i) => Shown(cell, csv.Headings[i])));
    }

    [Fact]
    public async Task A_workbook_has_numbers_dates_a_frozen_heading_widths_and_a_sheet_about_itself()
    {
        var scenario = await LedgerScenario.Make(Given);
        var o = scenario.Organization;
        var end = (await scenario.Ledger()).Count;

        var book = Workbook.Read(await Bytes(o, $"/reports/hours?{Years}&groupBy=day,month,year&team={scenario.Drivers}&evidence=coordinator&asOf={end - 1}&format=xlsx", "zh-CN"));

        Assert.True(book.IsHeadingFrozen);
        Assert.All(book.Widths, width => Assert.InRange(width, 8, 60));
        Assert.Equal(["日期", "月份", "年份", "人数", "人次", "分钟", "小时"], book.Main[0].Select(cell => cell!.Text));
        Assert.Equal((new DateTime(2026, 4, 4), "yyyy\\-mm\\-dd"), (book.Main[1][0]!.Date, book.Main[1][0]!.Format));
        Assert.Equal((new DateTime(2026, 4, 1), "yyyy\\-mm"), (book.Main[1][1]!.Date, book.Main[1][1]!.Format));
        Assert.Equal((2026m, "1"), (book.Main[1][2]!.Number, book.Main[1][2]!.Format));
        Assert.Equal("2", book.Main[1][6]!.Format);
        Assert.Equal("合计", book.Main[^1][0]!.Text);

        Assert.Equal((string)(await o.Admin.Get("")).ShouldBe(200)["name"]!, book.About["组织"]);
        Assert.Equal("2025-01-01 至 2026-12-31，含首尾两日（Asia/Shanghai）", book.About["时段"]);
        Assert.StartsWith("Team", book.About["服务队"], StringComparison.Ordinal);
        Assert.Equal("协调员录入", book.About["依据"]);
        Assert.StartsWith($"第 {end - 1} 号", book.About["账本位置"], StringComparison.Ordinal);
        Assert.EndsWith("+08:00", book.About["出具时间"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_forms_of_the_changes_agree_to_the_minute()
    {
        var scenario = await LedgerScenario.Make(Given);
        var o = scenario.Organization;
        (await o.Admin.Post($"/service-records/{scenario.Moved}/correct", new { reason = "走得早", minutes = 10 })).ShouldBe(200);
        var path = $"/reports/hours/changes?{Years}&groupBy=volunteer,month&since=3";
        var json = (await o.Admin.Get(path)).ShouldBe(200);
        var figures = json["rows"]!.AsArray().Append(json["total"]).Select(row =>
            new[] { "persons", "personTimes", "minutes", "hours" }.SelectMany(member => new[] { row!["before"]?[member]?.ToJsonString() ?? Nothing(member), row["after"]?[member]?.ToJsonString() ?? Nothing(member) }).ToArray()).ToArray();

        var csv = ReportFile.Read(await Bytes(o, path + "&format=csv"));
        var book = Workbook.Read(await Bytes(o, path + "&format=xlsx"));
        var print = string.Concat(PdfLines.Read(await Bytes(o, path + "&format=pdf")));

        Assert.True(figures.Length > 4);
        Assert.Equal(figures, csv.Rows.Select(row => csv.Headings[^8..].Select(heading => row[heading]).ToArray()));
        Assert.Equal(figures, book.Main.Skip(1).Select(row => row.TakeLast(8).Select(cell => cell!.Number!.Value.ToString(CultureInfo.InvariantCulture)).ToArray()));
        Assert.All(figures, row => Assert.Contains(string.Concat(row), print, StringComparison.Ordinal));
        var table = book.Sheets[1].SkipWhile(row => row is not [{ Text: "Postings" }]).Skip(1).ToList();
        int Column(string heading) => table[0].FindIndex(cell => cell!.Text == heading);
        var postings = table.Skip(1).ToList();
        Assert.Equal(json["postings"]!.AsArray().Select(posting => ((decimal)posting!["position"]!, (decimal)posting["minutes"]!)),
            postings.SkipLast(1).Select(row => (row[0]!.Number!.Value, row[Column("Minutes")]!.Number!.Value)));
        Assert.Equal(2, postings.Count(row => row[Column("Reason")]?.Text == "走得早"));
        Assert.Equal("3", book.About["Since ledger position"]);

        static string Nothing(string member) => member == "hours" ? "0.00" : "0";
    }

    [Fact]
    public async Task The_figures_by_evidence_stand_beside_the_total_in_print_and_workbook()
    {
        var o = (await LedgerScenario.Make(Given)).Organization;
        var byEvidence = (await o.Admin.Get($"/reports/hours?{Years}&groupBy=evidence")).ShouldBe(200)["rows"]!.AsArray();

        var about = Workbook.Read(await Bytes(o, $"/reports/hours?{Years}&groupBy=team&format=xlsx")).Sheets[1];
        var print = PdfLines.Read(await Bytes(o, $"/reports/hours?{Years}&groupBy=team&format=pdf"));

        Assert.Equal(2, byEvidence.Count);
        foreach (var row in byEvidence)
        {
            Assert.Contains(about, cells => cells.Count == 5 && string.Equals(cells[0]?.Text, (string)row!["evidence"]!, StringComparison.OrdinalIgnoreCase) && cells[3]!.Number == (decimal)row["minutes"]!);
            Assert.Contains(print, line => string.Equals(line, $"{row!["evidence"]}{row["persons"]}{row["personTimes"]}{row["minutes"]}{row["hours"]}", StringComparison.OrdinalIgnoreCase));
        }
    }

    [Fact]
    public async Task Print_says_whose_it_is_of_when_and_where_the_ledger_stood_on_every_page()
    {
        var o = await Given.Organization();
        (await o.Admin.Patch("", new { name = "石厦𠮷䶮喆社区" })).ShouldBe(200);
        await FillTotals(o, 100);

        using var print = PdfDocument.Open(await Bytes(o, "/reports/hours?from=2026-01-01&to=2026-12-31&groupBy=volunteer,month&format=pdf", "zh-CN"));

        Assert.Equal("石厦𠮷䶮喆社区志愿服务时长 2026-01-01 至 2026-12-31", print.Information.Title);
        Assert.Equal("石厦𠮷䶮喆社区", print.Information.Author);
        Assert.Equal("石厦𠮷䶮喆社区志愿服务时长2026-01-01至2026-12-31", PdfLines.Of(print.GetPage(1))[0]);
        Assert.True(print.NumberOfPages > 2);
        Assert.All(print.GetPages().SkipLast(1), page =>
        {
            var lines = PdfLines.Of(page);
            Assert.Contains("志愿者编号志愿者月份人数人次分钟小时", lines);
            Assert.StartsWith("账本0·出具于20", lines[^1], StringComparison.Ordinal);
            Assert.EndsWith($"第{page.Number}页，共{print.NumberOfPages}页", lines[^1], StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task A_print_of_too_many_rows_is_refused_before_it_begins()
    {
        var o = await Given.Organization();
        await FillTotals(o, 5_001);

        (await o.Admin.Get("/reports/hours?from=2026-01-01&to=2026-12-31&groupBy=volunteer&format=pdf")).ShouldRefuse(409, "report_too_long_to_print");
        using var print = PdfDocument.Open(await Bytes(o, "/reports/hours?from=2026-01-01&to=2026-01-31&groupBy=volunteer&format=pdf"));
        Assert.Equal(5_002, Workbook.Read(await Bytes(o, "/reports/hours?from=2026-01-01&to=2026-01-31&groupBy=volunteer&format=xlsx")).Main.Count);
        Assert.True(print.NumberOfPages > 100);
    }

    [Theory]
    [InlineData("石厦/社区 2026", "石厦_社区 2026")]
    [InlineData("a\"b\\c:d*e?f<g>h|i%j'k", "a_b_c_d_e_f_g_h_i_j_k")]
    [InlineData("甲\r\nSet-Cookie: x\u202E\u0000乙", "甲__Set-Cookie_ x__乙")]
    [InlineData("..\\..\\etc", "_.._etc")]
    public void A_file_name_holds_nothing_that_does_harm(string title, string name) => Assert.Equal(name, ReportMedia.FileName(title));

    [Fact]
    public void A_long_file_name_keeps_its_period_and_splits_no_character()
    {
        var name = ReportMedia.FileName(string.Concat(Enumerable.Repeat("𠮷", 100)) + " 2026-01-01");

        Assert.InRange(name.Length, 50, 61);
        Assert.EndsWith("2026-01-01", name, StringComparison.Ordinal);
        Assert.DoesNotContain(name.EnumerateRunes(), rune => rune == System.Text.Rune.ReplacementChar);
    }

    /// <summary>In January, one more in February.</summary>
    private async Task FillTotals(OrganizationSteps o, int rows)
    {
        await using var database = NpgsqlDataSource.Create(ConnectionString);
        await using var command = database.CreateCommand(
            """
            insert into hour_totals (organization_id, id, team_id, volunteer_id, month, evidence, minutes, person_times)
            select $1, gen_random_uuid(), $1, gen_random_uuid(), date '2026-01-01' + make_interval(months => (i > 5000)::int), 'import', 60, 1 from generate_series(1, $2) i
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = Guid.Parse(o.Id) });
        command.Parameters.Add(new NpgsqlParameter { Value = rows });
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private static string Shown(WorkbookCell? cell, string heading) => cell switch
    {
        null => "",
        { Text: { } text } => text,
        _ when heading == "Month" => cell.Date.ToString("yyyy-MM", CultureInfo.InvariantCulture),
        _ when heading == "Day" => cell.Date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        _ => cell.Number!.Value.ToString(CultureInfo.InvariantCulture),
    };

    internal static async Task<byte[]> Bytes(OrganizationSteps o, string path, string language = "en")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, o.Path + path);
        request.Headers.AcceptLanguage.ParseAdd(language);
        using var response = await o.Admin.Http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
    }
}

/// <summary>Lines of a page from top to bottom, without their spaces.</summary>
internal static class PdfLines
{
    public static List<string> Read(byte[] file)
    {
        using var document = PdfDocument.Open(file);
        return [.. document.GetPages().SelectMany(Of)];
    }

    public static List<string> Of(UglyToad.PdfPig.Content.Page page) => [.. page.Letters
        .GroupBy(letter => Math.Round(letter.StartBaseLine.Y, 1)).OrderByDescending(line => line.Key)
        .Select(line => string.Concat(line.OrderBy(letter => letter.StartBaseLine.X).Select(letter => letter.Value).Where(value => value != " ")))];
}
