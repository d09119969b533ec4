using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Volunteers.Features.Reports;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reports;

public sealed class ReportCsvTests(TestDatabases databases) : ApiTest(databases)
{
    private const string Years = "from=2025-01-01&to=2026-12-31";

    [Theory]
    [InlineData("")]
    [InlineData("team,month")]
    [InlineData("volunteer,project,evidence")]
    [InlineData("activity,category,day")]
    [InlineData("year")]
    public async Task A_spreadsheet_says_what_the_json_says(string groupBy)
    {
        var scenario = await LedgerScenario.Make(Given);
        var path = $"/reports/hours?{Years}" + (groupBy.Length > 0 ? $"&groupBy={groupBy}" : "");

        var json = (await scenario.Organization.Admin.Get(path)).ShouldBe(200);
        var csv = ReportFile.Read(await Bytes(scenario.Organization, path + "&format=csv"));

        var rows = json["rows"]!.AsArray();
        Assert.Equal(rows.Count + 1, csv.Rows.Count);
        foreach (var (row, cells) in rows.Zip(csv.Rows)) AssertSame(row!, cells);
        AssertSame(json["total"]!, csv.Rows[^1]);
        if (groupBy.Length > 0) Assert.Equal("Total", csv.Rows[^1][csv.Headings[0]]);
    }

    [Fact]
    public async Task The_file_is_one_that_excel_opens_rightly()
    {
        var scenario = await LedgerScenario.Make(Given);

        var file = await Bytes(scenario.Organization, $"/reports/hours?{Years}&groupBy=team&format=csv");

        Assert.Equal(Encoding.UTF8.GetPreamble(), file[..3]);
        var text = Encoding.UTF8.GetString(file[3..]);
        Assert.DoesNotContain("\n", text.Replace("\r\n", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.StartsWith("Team,Persons,Person-times,Minutes,Hours\r\n", text, StringComparison.Ordinal);
        Assert.EndsWith("\r\n", text, StringComparison.Ordinal);
        Assert.StartsWith("Total,3,", text.Split("\r\n")[^2], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("=1+1")]
    [InlineData("+86 755")]
    [InlineData("-2+3")]
    [InlineData("@SUM(A1)")]
    [InlineData("＝cmd|' /C calc'!A0")]
    [InlineData("＋1")]
    [InlineData("－1")]
    [InlineData("＠x")]
    [InlineData(" =1+1")]
    public async Task A_name_that_looks_like_a_formula_is_made_text(string name)
    {
        var o = await Given.Organization();
        var team = (await o.Admin.Post("/teams", new { name })).ShouldBe(201).Id;
        await o.Record(await o.Activity(team), await o.Volunteer(inTeam: team), "2026-06-07T14:30:00+08:00", "2026-06-07T15:30:00+08:00");

        var csv = ReportFile.Read(await Bytes(o, $"/reports/hours?{Years}&groupBy=team&format=csv"));

        Assert.Equal("'" + name, csv.Rows[0]["Team"]);
        Assert.Equal("60", csv.Rows[0]["Minutes"]);
    }

    [Theory]
    [InlineData("\tx", "'\tx")]
    [InlineData("\rx", "'\rx")]
    [InlineData("\nx", "'\nx")]
    [InlineData("a=b", "a=b")]
    [InlineData("", "")]
    [InlineData(null, null)]
    public void Only_what_begins_like_a_formula_is_touched(string? text, string? harmless) => Assert.Equal(harmless, ReportCsv.Harmless(text));

    [Fact]
    public async Task Names_with_commas_quotes_and_hashes_survive()
    {
        var o = await Given.Organization();
        foreach (var name in new[] { "#1, the \"first\"", "“的哥”志愿服务队", "a,b" })
        {
            var team = (await o.Admin.Post("/teams", new { name })).ShouldBe(201).Id;
            await o.Record(await o.Activity(team), await o.Volunteer(inTeam: team), "2026-06-07T14:30:00+08:00", "2026-06-07T15:30:00+08:00");
        }

        var csv = ReportFile.Read(await Bytes(o, $"/reports/hours?{Years}&groupBy=team&format=csv"));

        Assert.Equal(["#1, the \"first\"", "a,b", "“的哥”志愿服务队", "Total"], csv.Rows.Select(row => row["Team"]));
    }

    [Fact]
    public async Task Headings_and_words_follow_the_language()
    {
        var scenario = await LedgerScenario.Make(Given);

        var csv = ReportFile.Read(await Bytes(scenario.Organization, $"/reports/hours?{Years}&groupBy=volunteer,project,evidence&format=csv", "zh-CN"));
        var activities = ReportFile.Read(await Bytes(scenario.Organization, $"/reports/activities?{Years}&groupBy=category&format=csv", "zh-CN"));

        Assert.Equal(["志愿者编号", "志愿者", "项目", "依据", "人数", "人次", "分钟", "小时"], csv.Headings);
        Assert.Contains(csv.Rows, row => row["依据"] == "本人填报");
        Assert.Contains(csv.Rows, row => row["项目"] == "无项目" && row["志愿者"] == "未记名计数" && row["志愿者编号"].Length == 0);
        Assert.Equal("合计", csv.Rows[^1]["志愿者编号"]);
        Assert.Equal(["类别", "活动数", "场次", "人数", "人次", "分钟", "小时", "受益人数"], activities.Headings);
    }

    [Theory]
    [InlineData(null, "application/json")]
    [InlineData("application/json", "application/json")]
    [InlineData("text/csv", "text/csv")]
    [InlineData("text/*", "text/csv")]
    [InlineData("*/*", "application/json")]
    [InlineData("*/*, text/csv", "text/csv")]
    [InlineData("text/csv;q=0.5, application/json;q=0.9", "application/json")]
    [InlineData("application/pdf, text/csv;q=0.1", "application/pdf")]
    [InlineData("image/png, text/csv;q=0.1", "text/csv")]
    [InlineData("application/json;q=0, */*", "text/csv")]
    [InlineData("application/json;q=0.1, */*;q=0.5", "text/csv")]
    [InlineData("application/*, application/json;q=0", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")]
    [InlineData("text/csv;charset=utf-8;header=present", "text/csv")]
    [InlineData("text/*;q=0.9, application/pdf;q=0.8", "text/csv")]
    [InlineData("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")]
    public async Task The_form_is_what_the_client_accepts(string? accept, string mediaType)
    {
        var o = await Given.Organization();
        (string, string)[] headers = accept is null ? [] : [("Accept", accept)];

        foreach (var report in new[] { "hours", "activities" })
        {
            var answer = (await o.Admin.Get($"/reports/{report}?{Years}", headers)).ShouldBe(200);
            Assert.Equal(mediaType, answer.ContentHeaders.ContentType!.MediaType);
            Assert.Equal("Accept, Accept-Language", answer.Header("Vary"));
        }
    }

    [Theory]
    [InlineData("image/png")]
    [InlineData("text/csv;q=0")]
    [InlineData("text/csv;q=0, text/*")]
    public async Task A_form_that_is_not_offered_is_refused(string accept)
    {
        var o = await Given.Organization();

        (await o.Admin.Get($"/reports/hours?{Years}", ("Accept", accept))).ShouldRefuse(406, "not_acceptable");
        (await o.Admin.Get($"/reports/activities?{Years}", ("Accept", accept))).ShouldRefuse(406, "not_acceptable");
        (await o.Admin.Get($"/reports/hours?{Years}&format=csv", ("Accept", accept))).ShouldBe(200);
    }

    [Fact]
    public async Task The_file_is_named_after_organization_and_period_and_says_where_the_ledger_stood()
    {
        var scenario = await LedgerScenario.Make(Given);
        var o = scenario.Organization;
        (await o.Admin.Patch("", new { name = "石厦/社区" })).ShouldBe(200);

        var answer = (await o.Admin.Get($"/reports/hours?{Years}&format=csv", ("Accept-Language", "zh-CN"))).ShouldBe(200);

        var disposition = answer.ContentHeaders.ContentDisposition!;
        Assert.Equal("attachment", disposition.DispositionType);
        Assert.Equal("report-2025-01-01-2026-12-31.csv", disposition.FileName);
        Assert.Equal("石厦_社区志愿服务时长 2025-01-01 至 2026-12-31.csv", disposition.FileNameStar);
        Assert.Equal((await scenario.Ledger()).Count.ToString(CultureInfo.InvariantCulture), answer.Header("Volunteers-Ledger-Position"));
    }

    [Fact]
    public async Task The_name_of_the_file_is_written_as_the_standard_says_in_ascii_and_in_chinese()
    {
        var o = await Given.Organization();
        (await o.Admin.Patch("", new { name = "石厦𠮷䶮喆 \"a'b;%社区" })).ShouldBe(200);

        foreach (var (report, plain) in new[] { ("reports/hours", "report"), ("reports/activities", "report"), ("service-records/export", "service-records") })
        {
            var raw = (await o.Admin.Get($"/{report}?{Years}&format=xlsx", ("Accept-Language", "zh-CN"))).ShouldBe(200).Header("Content-Disposition")!;

            // RFC 6266 with RFC 8187: ASCII alone, a plain name for old clients, UTF-8 in percents without the marks that would end it.
            Assert.Matches($"""^attachment; filename={plain}-2025-01-01-2026-12-31\.xlsx; filename\*=UTF-8''(%[0-9A-F][0-9A-F]|[A-Za-z0-9!#$&+.^_`|~-])+$""", raw);
            Assert.StartsWith("石厦𠮷䶮喆 _a_b;_社区", Uri.UnescapeDataString(raw[(raw.IndexOf("''", StringComparison.Ordinal) + 2)..]), StringComparison.Ordinal);
        }
    }

    private static void AssertSame(JsonNode row, Dictionary<string, string> cells)
    {
        foreach (var (member, heading) in new[] { ("persons", "Persons"), ("personTimes", "Person-times"), ("minutes", "Minutes"), ("hours", "Hours") })
            Assert.Equal(row[member]!.ToJsonString(), cells[heading]);
        foreach (var (member, name, heading) in new[]
        {
            ("team", "name", "Team"), ("volunteer", "number", "Volunteer number"), ("volunteer", "name", "Volunteer"), ("activity", "title", "Activity"),
            ("project", "title", "Project"),
        })
            if (row[member] is { } group) Assert.Equal((string)group[name]!, cells[heading]);
        foreach (var (member, heading) in new[] { ("category", "Category"), ("month", "Month"), ("day", "Day"), ("year", "Year") })
            if (row[member] is { } group) Assert.Equal(group.ToString(), cells[heading]);
        if (row["evidence"] is { } evidence) Assert.Equal((string)evidence!, cells["Evidence"], ignoreCase: true);
    }

    private static async Task<byte[]> Bytes(OrganizationSteps o, string path, string language = "en")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, o.Path + path);
        request.Headers.AcceptLanguage.ParseAdd(language);
        using var response = await o.Admin.Http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
    }
}
