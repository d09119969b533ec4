using System.Globalization;
using System.Text;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Volunteers;

/// <summary>What files the roster import reads, and how it meets those that are none.</summary>
public sealed class ImportFileTests(TestDatabases databases) : ApiTest(databases)
{
    private static readonly string[] Chinese =
        ["编号", "姓名", "手机号", "籍贯", "性别", "出生日期", "居住地", "技能", "加入日期", "状态", "同意书版本", "同意时间", "服务队", "队内角色"];

    private static readonly string[] English =
        ["Number *", "NAME", "phone", "Home Town", "gender", "Birth date", "residence", "skills", "joined_on", "status", "consentVersion", "consentAt", "team", "teamRole"];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Every_column_is_read_under_its_heading_in_either_language(bool inChinese)
    {
        var o = await Given.Organization();
        (await o.Admin.Post("/teams", new { name = "的哥队" })).ShouldBe(201);
        var values = inChinese
            ? "A-1,张三,138 0013 8000,湖北,男,1980年1月2日,下沙村,急救、驾驶；摄影,2020/3/4,在队,v1,2020-03-04,的哥队,骨干"
            : "A-1,张三,138 0013 8000,湖北,Male,1980-01-02,下沙村,急救;驾驶;摄影,2020-3-4,active,v1,2020-03-04T00:00:00+08:00,的哥队,core";

        var answer = await o.Admin.ImportCsv(string.Join(',', inChinese ? Chinese : English) + "\r\n" + values + "\r\n");

        Assert.Equal((1, 0, 0), Counts(answer.ShouldBe(200)));
        var person = await o.Admin.Get($"/volunteers/{Assert.Single((await o.Admin.Get("/volunteers")).Items)!["id"]}");
        Assert.Equal(
            ("A-1", "张三", "138 0013 8000", "湖北", "male", "1980-01-02", "下沙村"),
            (Text("number"), Text("name"), Text("phone"), Text("hometown"), Text("gender"), Text("birthDate"), Text("residence")));
        Assert.Equal(["急救", "驾驶", "摄影"], person["skills"]!.AsArray().Select(skill => (string?)skill!["name"]));
        Assert.Equal(("2020-03-04", "active"), (Text("joinedOn"), Text("status")));
        Assert.Equal("v1", (string?)person["consent"]!["version"]);
        Assert.Equal(new DateTimeOffset(2020, 3, 3, 16, 0, 0, TimeSpan.Zero), DateTimeOffset.Parse((string)person["consent"]!["at"]!, CultureInfo.InvariantCulture));
        var team = Assert.Single((await o.Admin.Get("/teams")).Items)!;
        var member = Assert.Single((await o.Admin.Get($"/teams/{team["id"]}/members")).Items)!;
        Assert.Equal(("core", "2020-03-04"), ((string?)member["role"], (string?)member["joinedOn"]));

        string? Text(string name) => (string?)person[name];
    }

    [Fact]
    public async Task Chinese_is_read_in_every_encoding_that_Excel_saves()
    {
        var o = await Given.Organization();
        var gb18030 = CodePagesEncodingProvider.Instance.GetEncoding("GB18030")!;
        byte[][] files =
        [
            Encoding.UTF8.GetBytes(Roster("李雷")),
            [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Roster("韩梅梅"))],
            gb18030.GetBytes(Roster("王㐂")),
            [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(Roster("赵六"))],
        ];

        foreach (var file in files) (await o.Admin.Import(Rosters.Content(file, "text/csv"))).ShouldBe(200);

        Assert.Equal(["李雷", "韩梅梅", "王㐂", "赵六"], (await o.Admin.Get("/volunteers")).Items.Select(person => (string?)person!["name"]).Order(ByOrderOf("李韩王赵")));

        static string Roster(string name) => $"姓名,籍贯\r\n{name},广东深圳\r\n";
    }

    [Fact]
    public async Task A_spreadsheet_gives_phones_as_they_were_typed_and_real_dates()
    {
        var o = await Given.Organization();

        var answer = await o.Admin.Import(Rosters.Xlsx(
            ["姓名", "电话", "生日", "加入日期"],
            ["张三", 13800138000d, new DateOnly(1980, 2, 29), "2020年1月2日"],
            [null, null, null, null],
            ["李四", "13900139000", 29281, new DateOnly(2021, 12, 31)]));

        Assert.Equal((2, 0, 0), Counts(answer.ShouldBe(200)));
        var profiles = await Task.WhenAll((await o.Admin.Get("/volunteers")).Items.Select(person => o.Admin.Get($"/volunteers/{person!["id"]}")));
        var people = profiles.ToDictionary(person => (string)person["name"]!);
        Assert.Equal("13800138000", (string?)people["张三"]["phone"]);
        Assert.Equal(("1980-02-29", "2020-01-02"), ((string?)people["张三"]["birthDate"], (string?)people["张三"]["joinedOn"]));
        Assert.Equal(("1980-03-01", "2021-12-31"), ((string?)people["李四"]["birthDate"], (string?)people["李四"]["joinedOn"]));
    }

    [Fact]
    public async Task A_form_with_one_file_is_read_whatever_type_the_browser_names()
    {
        var o = await Given.Organization();
        var csv = Encoding.UTF8.GetBytes("姓名\r\n张三\r\n");
        var xlsx = Rosters.XlsxBytes(Rosters.SheetData(["姓名"], ["李四"]));

        (await o.Admin.Import(Rosters.Form(csv, "名册.csv", "application/vnd.ms-excel"))).ShouldBe(200);
        (await o.Admin.Import(Rosters.Form(xlsx, "名册.xlsx", Rosters.XlsxType))).ShouldBe(200);

        Assert.Equal(2, (await o.Admin.Get("/volunteers")).Items.Count);
        (await o.Admin.Import(new MultipartFormDataContent { { Rosters.Content(csv, "text/csv"), "a", "a.csv" }, { Rosters.Content(csv, "text/csv"), "b", "b.csv" } }))
            .ShouldRefuse(400, "one_file");
        (await o.Admin.Import(new MultipartFormDataContent())).ShouldBe(400);
        (await o.Admin.Import(Rosters.Content(csv, "multipart/form-data"))).ShouldRefuse(400, "malformed_request");
        (await o.Admin.Import(Rosters.Content(csv, "application/json"))).ShouldRefuse(415, "unsupported_media_type");
    }

    public static TheoryData<string, int, string> Hostile => new()
    {
        { "nothing", 400, "no_heading_row" },
        { "no heading", 400, "no_heading_row" },
        { "unknown heading", 400, "unknown_heading" },
        { "column twice", 400, "column_twice" },
        { "huge cell", 400, "cell_too_long" },
        { "open quote", 400, "cell_too_long" },
        { "zeros", 400, "not_a_spreadsheet" },
        { "no encoding", 400, "unknown_encoding" },
        { "too many rows", 400, "too_many_rows" },
        { "old Excel", 415, "old_spreadsheet" },
        { "broken zip", 400, "not_a_spreadsheet" },
        { "another zip", 400, "not_a_spreadsheet" },
        { "broken XML", 400, "not_a_spreadsheet" },
        { "entities", 400, "not_a_spreadsheet" },
        { "empty sheet", 400, "no_heading_row" },
        { "huge sheet cell", 400, "cell_too_long" },
        { "half a character", 400, "not_a_spreadsheet" },
        { "dense bomb", 413, "archive_too_large" },
        { "wide bomb", 413, "archive_too_large" },
        { "column of letters", 400, "too_many_columns" },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task A_file_that_is_no_roster_is_refused_with_a_reason(string what, int status, string code)
    {
        var o = await Given.Organization();
        (await o.Admin.Import(Rosters.Content(File(what), "text/csv"))).ShouldRefuse(status, code);
        (await o.Admin.Import(Rosters.Content(File(what), Rosters.XlsxType), dryRun: true)).ShouldRefuse(status, code);
        Assert.Empty((await o.Admin.Get("/volunteers")).Items);
    }

    [Fact]
    public async Task A_row_that_claims_to_be_the_two_billionth_costs_nothing()
    {
        var o = await Given.Organization();
        var file = Rosters.XlsxBytes(
            Rosters.SheetData(["姓名"], ["张三"]) + "<row r=\"2000000000\"><c r=\"A2000000000\" t=\"inlineStr\"><is><t>李四</t></is></c></row>",
            "<dimension ref=\"A1:XFD2000000000\"/>");

        // It stands where no spreadsheet shows a row.
        Assert.Equal((1, 0, 0), Counts((await o.Admin.Import(Rosters.Content(file, Rosters.XlsxType))).ShouldBe(200)));
    }

    [Fact]
    public async Task A_file_larger_than_20_MB_is_refused_and_one_larger_than_other_requests_is_not()
    {
        var o = await Given.Organization();
        var notes = string.Concat(Enumerable.Range(0, 2000).Select(i => $"志愿者{i},{new string('区', 30)}{new string(' ', 1000)}\r\n"));
        (await o.Admin.ImportCsv("姓名,居住地\r\n" + notes, dryRun: true)).ShouldBe(200);

        var large = Rosters.Content(new byte[(20 * 1024 * 1024) + 1], "text/csv");
        (await o.Admin.Post("/volunteers/import", large, ("Expect", "100-continue"))).ShouldRefuse(413, "body_too_large");
    }

    private static byte[] File(string what) => what switch
    {
        "nothing" => [],
        "no heading" => Encoding.UTF8.GetBytes("张三,13800138000\r\n"),
        "unknown heading" => Encoding.UTF8.GetBytes("姓名,血型\r\n张三,O\r\n"),
        "column twice" => Encoding.UTF8.GetBytes("姓名,电话,手机号\r\n张三,1,2\r\n"),
        "huge cell" => Encoding.UTF8.GetBytes($"姓名\r\n{new string('a', 10 * 1024 * 1024)}\r\n"),
        "open quote" => Encoding.UTF8.GetBytes($"姓名\r\n\"张三\r\n{string.Concat(Enumerable.Repeat("李四\r\n", 60_000))}"),
        "zeros" => new byte[1000],
        "no encoding" => [.. "姓名\r\n"u8, 0xFF, 0xFF, 0xFF, 0xFF],
        "too many rows" => Encoding.UTF8.GetBytes($"姓名\r\n{string.Concat(Enumerable.Repeat("张三\r\n", 20_001))}"),
        "old Excel" => [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, 0, 0],
        "broken zip" => [.. Rosters.XlsxBytes(Rosters.SheetData(["姓名"], ["张三"])).Take(700)],
        "another zip" => Rosters.Zip(("readme.txt", "no spreadsheet")),
        "broken XML" => Rosters.XlsxBytes("<row r=\"1\"><c r=\"A1\""),
        "entities" => Rosters.Zip(("xl/worksheets/sheet1.xml", "<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]><worksheet>&c;</worksheet>")),
        "empty sheet" => Rosters.XlsxBytes(""),
        "huge sheet cell" => Rosters.XlsxBytes(Rosters.SheetData(["姓名"], [Noise(200_000)])),
        "half a character" => Rosters.XlsxBytes(Rosters.SheetData(["姓名"], ["张_xD800_三"])),
        "dense bomb" => Rosters.XlsxBytes(Rosters.SheetData(["姓名"], [new string('a', 10_000_000)])),
        "wide bomb" => Rosters.Zip([.. Enumerable.Range(0, 70).Select(i => ($"xl/media/{i}.xml", Noise(1_000_000)))]),
        "column of letters" => Rosters.XlsxBytes("<row r=\"1\"><c r=\"A1\" t=\"str\"><v>姓名</v></c><c r=\"ZZ1\" t=\"str\"><v>电话</v></c></row>"),
        _ => throw new ArgumentException(what, nameof(what)),
    };

    /// <summary>Packs well, but no entry so well that it alone gives a bomb away.</summary>
    private static string Noise(int length)
    {
        var random = new Random(1);
        return string.Concat(Enumerable.Range(0, length / 100).Select(_ => new string((char)('a' + random.Next(26)), 100)));
    }

    private static (int, int, int) Counts(Answer answer) => ((int)answer["created"]!, (int)answer["updated"]!, (int)answer["unchanged"]!);

    private static Comparer<string?> ByOrderOf(string initials) => Comparer<string?>.Create((one, other) => initials.IndexOf(one![0]).CompareTo(initials.IndexOf(other![0])));
}
