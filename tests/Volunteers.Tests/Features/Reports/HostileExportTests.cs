using System.Globalization;
using System.Text;
using Npgsql;
using UglyToad.PdfPig;
using Volunteers.Tests.Features.Volunteers;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reports;

/// <summary>What people and attackers type comes out of every form harmless, and unchanged where it was harmless.</summary>
public sealed class HostileExportTests(TestDatabases databases) : ApiTest(databases)
{
    /// <summary>As it is put in, and as CSV must show it.</summary>
    private static readonly (string Given, string Csv)[] Names =
    [
        ("=HYPERLINK(\"http://x\",\"y\")", "'=HYPERLINK(\"http://x\",\"y\")"), ("+86", "'+86"), ("-1+1", "'-1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("＝1", "'＝1"), ("\t=1", "'\t=1"),
        ("𠮷野䶮喆", "𠮷野䶮喆"), ("王😀👨‍👩‍👧", "王😀👨‍👩‍👧"), ("甲\u202E乙\u200F丙", "甲\u202E乙\u200F丙"), ("a\"b,c;d", "a\"b,c;d"), ("#1", "#1"), ("<b>&amp;</b>]]>", "<b>&amp;</b>]]>"),
        ("_x0041_", "_x0041_"), ("两\r\n行", "两\r\n行"), ("bell\u0007\u001B[31m", "bell\u0007\u001B[31m"), ("\uFFFE", "\uFFFE"), (" 空 格 ", " 空 格 "),
    ];

    [Fact]
    public async Task Names_and_notes_survive_every_form_and_run_in_none()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var activity = await o.Activity(team);
        foreach (var (name, index) in Names.Select((name, index) => (name.Given, index)))
        {
            var volunteer = await o.Volunteer(inTeam: team);
            await o.Record(activity, volunteer, $"2026-06-{index + 1:00}T08:00:00+08:00", $"2026-06-{index + 1:00}T09:00:00+08:00");
            // Past every validator: an older import, another service, an owner's SQL.
            await Sql("update volunteers set name = $1 where id = $2", name, Guid.Parse(volunteer));
            await Sql("update service_records set note = $1 where volunteer_id = $2", name, Guid.Parse(volunteer));
        }

        var csv = ReportFile.Read((await ReportFormatTests.Bytes(o, "/service-records/export?from=2026-06-01&to=2026-06-30&format=csv")));
        var records = Workbook.Read(await ReportFormatTests.Bytes(o, "/service-records/export?from=2026-06-01&to=2026-06-30&format=xlsx"));
        var report = Workbook.Read(await ReportFormatTests.Bytes(o, "/reports/hours?from=2026-06-01&to=2026-06-30&groupBy=day,volunteer&format=xlsx"));
        var print = PrintedText(await ReportFormatTests.Bytes(o, "/reports/hours?from=2026-06-01&to=2026-06-30&groupBy=day,volunteer&format=pdf"));

        Assert.Equal(Names.Select(name => name.Csv), csv.Rows.SkipLast(1).Select(row => row["Volunteer"]));
        Assert.Equal(Names.Select(name => name.Csv), csv.Rows.SkipLast(1).Select(row => row["Note"]));
        Assert.Equal(Names.Select(name => name.Given), records.Main.Skip(1).SkipLast(1).Select(row => row[2]!.Text));
        Assert.Equal(Names.Select(name => name.Given), records.Main.Skip(1).SkipLast(1).Select(row => row[15]!.Text));
        Assert.Equal(Names.Select(name => name.Given), report.Main.Skip(1).SkipLast(1).Select(row => row[2]!.Text));
        var json = (await o.Admin.Get("/reports/hours?from=2026-06-01&to=2026-06-30&groupBy=day,volunteer")).ShouldBe(200);
        var table = ReportFile.Read(await ReportFormatTests.Bytes(o, "/reports/hours?from=2026-06-01&to=2026-06-30&groupBy=day,volunteer&format=csv"));
        Assert.Equal(Names.Select(name => name.Given), json["rows"]!.AsArray().Select(row => (string?)row!["volunteer"]!["name"]));
        Assert.Equal(Names.Select(name => name.Csv), table.Rows.SkipLast(1).Select(row => row["Volunteer"]));
        // In print nothing runs and nothing vanishes: what draws nothing, or turns the line around, stands as its code point.
        Assert.All(Names, name => Assert.Contains(Printed(name.Given), print, StringComparison.Ordinal));
        Assert.Contains("王[U+1F600][U+1F468][U+200D]", print, StringComparison.Ordinal);
        Assert.Contains("甲[U+202E]乙[U+200F]丙", print, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hostile_roster_is_imported_and_comes_out_of_all_four_forms()
    {
        var o = await Given.Organization();
        (await o.Admin.Post("/teams", new { name = "=1+1巡逻队" })).ShouldBe(201);
        string[] names = ["=HYPERLINK(\"http://x\";\"y\")", "+86", "-1", "@SUM(A1)", "＝1", "𠮷野䶮喆", "王😀", "甲\u202E乙", "<b>&amp;", "#1", string.Concat(Enumerable.Repeat("😀", 50))];
        var roster = "编号,姓名,服务队\r\n" + string.Concat(names.Select((name, index) => $"N-{index:00},\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\",=1+1巡逻队\r\n"));
        (await o.Admin.ImportCsv(roster)).ShouldBe(200);
        var team = (string)(await o.Admin.Get("/teams")).Items.Single()!["id"]!;
        var activity = await o.Activity(team);
        foreach (var volunteer in (await o.Admin.Get("/volunteers")).Items)
            (await o.Admin.Post("/service-records", new
            {
                activityId = activity, volunteerId = (string)volunteer!["id"]!, startsAt = "2026-06-07T08:00:00+08:00", endsAt = "2026-06-07T09:00:00+08:00",
                note = (string)volunteer["name"]! + "\r\n=1+1",
            })).ShouldBe(201);
        const string report = "/reports/hours?from=2026-06-01&to=2026-06-30&groupBy=volunteer,team";

        var json = (await o.Admin.Get(report)).ShouldBe(200)["rows"]!.AsArray();
        var csv = ReportFile.Read(await ReportFormatTests.Bytes(o, report + "&format=csv"));
        var xlsx = Workbook.Read(await ReportFormatTests.Bytes(o, report + "&format=xlsx"));
        var print = PrintedText(await ReportFormatTests.Bytes(o, report + "&format=pdf"));
        var records = ReportFile.Read(await ReportFormatTests.Bytes(o, "/service-records/export?from=2026-06-01&to=2026-06-30&format=csv"));

        Assert.Equal(names, json.Select(row => (string?)row!["volunteer"]!["name"]));
        Assert.Equal(names.Select(AsText), csv.Rows.SkipLast(1).Select(row => row["Volunteer"]));
        Assert.All(csv.Rows.SkipLast(1), row => Assert.Equal("'=1+1巡逻队", row["Team"]));
        Assert.Equal(names, xlsx.Main.Skip(1).SkipLast(1).Select(row => row[1]!.Text));
        Assert.All(names, name => Assert.Contains(Printed(name), print, StringComparison.Ordinal));
        Assert.Equal(names.Select(name => AsText(name) + "\r\n=1+1").Order(StringComparer.Ordinal), records.Rows.SkipLast(1).Select(row => row["Note"]).Order(StringComparer.Ordinal));

        static string AsText(string name) => name[0] is '=' or '+' or '-' or '@' or '＝' ? "'" + name : name;
    }

    [Fact]
    public async Task A_note_of_ten_thousand_characters_is_whole_in_both_files_of_records()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        await o.Record(await o.Activity(team), await o.Volunteer(inTeam: team), "2026-06-07T08:00:00+08:00", "2026-06-07T09:00:00+08:00");
        await Sql("alter table service_records alter column note type text");
        var note = string.Concat(Enumerable.Repeat("=甲,\"𠮷\"\r\n\u202E😀", 770)) + new string('尾', 760);
        Assert.Equal(10_000, note.Length);
        await Sql("update service_records set note = $1", note);

        var csv = ReportFile.Read(await ReportFormatTests.Bytes(o, "/service-records/export?from=2026-06-01&to=2026-06-30&format=csv"));
        var xlsx = Workbook.Read(await ReportFormatTests.Bytes(o, "/service-records/export?from=2026-06-01&to=2026-06-30&format=xlsx"));

        Assert.Equal("'" + note, csv.Rows[0]["Note"]);
        Assert.Equal(note, xlsx.Main[1][15]!.Text);
    }

    [Fact]
    public async Task A_text_longer_than_a_cell_is_cut_in_a_workbook_and_whole_in_csv()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var volunteer = await o.Volunteer(inTeam: team);
        var activity = await o.Activity(team);
        await o.Record(activity, volunteer, "2026-06-07T08:00:00+08:00", "2026-06-07T09:00:00+08:00");
        var title = new string('长', 32_765) + "𠮷𠮷";
        await Sql("alter table activities alter column title type text");
        await Sql("update activities set title = $1", title);

        var book = Workbook.Read(await ReportFormatTests.Bytes(o, "/reports/hours?from=2026-06-01&to=2026-06-30&groupBy=activity&format=xlsx"));
        var csv = ReportFile.Read(await ReportFormatTests.Bytes(o, "/reports/hours?from=2026-06-01&to=2026-06-30&groupBy=activity&format=csv"));

        Assert.Equal(new string('长', 32_765) + "…", book.Main[1][0]!.Text);
        Assert.Equal(title, csv.Rows[0]["Activity"]);
    }

    [Fact]
    public async Task Ten_thousand_characters_are_printed_to_the_last()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        await o.Record(await o.Activity(team), await o.Volunteer(inTeam: team), "2026-06-07T08:00:00+08:00", "2026-06-07T09:00:00+08:00");
        await Sql("alter table activities alter column title type text");
        await Sql("update activities set title = $1", string.Concat(Enumerable.Repeat("守望相助出入相友", 1_250)));

        var print = PrintedText(await ReportFormatTests.Bytes(o, "/reports/hours?from=2026-06-01&to=2026-06-30&groupBy=activity&format=pdf"));

        Assert.Equal(10_000, print.Count(c => "守望相助出入友".Contains(c, StringComparison.Ordinal)));
    }

    /// <summary>As the document is to show it, without the spaces.</summary>
    private static string Printed(string text) => string.Concat(text.EnumerateRunes().Select(rune => rune.Value is ' ' or '\t' or '\r' or '\n' ? ""
        : Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.OtherNotAssigned || rune.Value is >= 0x1F000 and < 0x20000
            ? $"[U+{rune.Value:X4}]" : rune.ToString()));

    private static string PrintedText(byte[] file)
    {
        using var document = PdfDocument.Open(file);
        var text = new StringBuilder();
        foreach (var page in document.GetPages())
            foreach (var letter in page.Letters.Where(letter => letter.Value != " ")) text.Append(letter.Value);
        return text.ToString();
    }

    private async Task Sql(string sql, params object[] parameters)
    {
        await using var database = NpgsqlDataSource.Create(ConnectionString);
        await using var command = database.CreateCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
