using System.IO.Compression;
using System.Text;
using Volunteers.Tests.Features.Reports;
using Volunteers.Tests.Features.Volunteers;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Jobs;

/// <summary>Files that are none, or mean harm: each ends with a code, writes nothing, and holds up nothing after it.</summary>
public sealed class HostileJobTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task A_file_that_cannot_be_read_fails_with_its_reason_and_the_next_is_taken()
    {
        var o = await Given.Organization();
        var good = (await RosterXlsx()).ToArray();
        (string Code, byte[] File, string Type)[] files =
        [
            ("no_heading_row", [], "text/csv"),
            ("no_heading_row", "甲,乙\r\n1,2\r\n"u8.ToArray(), "text/csv"),
            ("unknown_heading", "姓名,咖啡\r\n张三,1\r\n"u8.ToArray(), "text/csv"),
            ("column_twice", "姓名,name\r\n张三,1\r\n"u8.ToArray(), "text/csv"),
            ("unknown_encoding", [.. "姓名\r\n"u8, 0xFF, 0xFF, 0xFF, 0x0D, 0x0A], "text/csv"),
            ("cell_too_long", Encoding.UTF8.GetBytes("姓名\r\n\"" + string.Concat(Enumerable.Repeat("😀", 2_600_000))), "text/csv"),
            ("not_a_spreadsheet", Encoding.UTF8.GetBytes("姓名\r\n张\0三\r\n"), "text/csv"),
            ("archive_too_large", Bomb(), Rosters.XlsxType),
            ("not_a_spreadsheet", good[..(good.Length / 2)], Rosters.XlsxType),
            ("not_a_spreadsheet", [0x50, 0x4B, 0x03, 0x04, .. Encoding.UTF8.GetBytes(new string('x', 5000))], Rosters.XlsxType),
            ("unknown_heading", Encoding.UTF8.GetBytes("{\"name\":\"张三\",\"咖啡\":1}\n"), JobSteps.Lines),
            ("too_many_columns", Encoding.UTF8.GetBytes("{" + string.Join(',', Enumerable.Range(0, 101).Select(i => $"\"m{i}\":1")) + "}\n"), JobSteps.Lines),
            ("too_many_rows", Encoding.UTF8.GetBytes("name\r\n" + string.Concat(Enumerable.Repeat("a\r\n", 1_000_001))), "text/csv"),
        ];

        foreach (var (code, file, type) in files)
        {
            var job = await o.Admin.ImportJob("roster", file, type);
            Assert.True((string?)job["state"] == "failed" && (string?)job["failure"]!["code"] == code, $"{code}: {job.Text}");
            Assert.NotEmpty((string)job["failure"]!["detail"]!);
            // What cannot be read is not kept.
            (await o.Admin.Get($"/jobs/{job.Id}/result")).ShouldRefuse(410, "job_file_gone");
        }

        Assert.Empty((await o.Admin.Get("/volunteers")).Items);
        Assert.Equal(("succeeded", 1, 0, 0, 0), (await o.Admin.ImportJob("roster", good, Rosters.XlsxType)).Outcome());
    }

    [Fact]
    public async Task A_line_that_cannot_be_read_is_refused_by_itself()
    {
        var o = await Given.Organization();
        byte[] file =
        [
            .. "{\"name\":\"张三\"}\nno json\n{\"name\":\""u8, 0xFF, 0xFE, .. "\"}\n{\"name\":{\"first\":\"a\"}}\n{\"name\":\"a\",\"name\":\"b\"}\n[1]\n{\"name\":\"\\ud800\"}\n{\"name\":\"a\\u0000\"}\n{\"name\":\""u8,
            .. Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("😀", 40_000))), .. "\"}\n\n{\"name\":1e999}\n{}\n{\"name\":\"李四\",\"skills\":[\"急救\",\"驾驶\"]}"u8,
        ];

        var job = await o.Admin.ImportJob("roster", file, JobSteps.Lines);

        Assert.Equal(("succeeded", 2, 0, 0, 10), job.Outcome());
        var refused = (await o.Admin.ResultFile(job.Id)).ReadLines();
        Assert.Equal([2, 3, 4, 5, 6, 7, 8, 9, 11, 12], refused.Select(row => (int)row["refusedRow"]!));
        Assert.All(refused, row => Assert.Equal("malformed_line", (string?)row["refusedCode"]));
        Assert.Equal(["张三", "李四"], (await o.Admin.Get("/volunteers")).Items.Select(person => (string?)person!["name"]).Order());
    }

    [Fact]
    public async Task A_value_that_no_rule_lets_in_is_refused_in_its_row()
    {
        var o = await Given.Organization();
        var emoji = string.Concat(Enumerable.Repeat("😀", 15_000));

        var job = await o.Admin.ImportJob("roster", $"姓名,技能,籍贯\r\n{emoji},,\r\n张三,,{emoji}\r\n李四,\"急救\",\r\n=1+1,,{emoji}{emoji}\r\n");

        Assert.Equal(("succeeded", 1, 0, 0, 3), job.Outcome());
        Assert.Equal(["invalid_value", "invalid_value", "cell_too_long"], ReportFile.Read(await o.Admin.ResultFile(job.Id)).Rows.Select(row => row["refusedCode"]));
    }

    [Fact]
    public async Task Neither_more_bytes_nor_another_kind_of_file_than_may_be_is_taken()
    {
        var o = await Given.Organization();

        (await o.Admin.Post("/jobs/imports?resource=roster", Rosters.Content(new byte[(30 * 1024 * 1024) + 1], "text/csv"), ("Expect", "100-continue"))).ShouldRefuse(413, "body_too_large");
        (await o.Admin.AskForImport("roster", [0xD0, 0xCF, 0x11, 0xE0, 0, 0, 0, 0], "text/csv")).ShouldRefuse(415, "old_spreadsheet");
        (await o.Admin.AskForImport("roster", "name\r\n"u8.ToArray(), "image/png")).ShouldBe(415);
        (await o.Admin.AskForImport("coffee", "name\r\n"u8.ToArray(), "text/csv")).ShouldBe(400);
        (await o.Admin.Post("/jobs/exports", new { resource = "roster", format = "csv", from = "2026-01-01" })).ShouldBe(400);
        (await o.Admin.Post("/jobs/exports", new { resource = "activities", format = "csv", from = "2026-01-02", to = "2026-01-01" })).ShouldBe(400);
        (await o.Admin.Post("/jobs/exports", new { resource = "activities", format = "csv", teamId = Guid.NewGuid() })).ShouldRefuse(404, "team_not_found");
        Assert.Empty((await o.Admin.Get("/jobs")).Items);
    }

    private static async Task<byte[]> RosterXlsx() => await Rosters.Xlsx(["姓名"], ["张三"]).ReadAsByteArrayAsync(JobSteps.Ct);

    /// <summary>A gigabyte of zeros in a megabyte.</summary>
    private static byte[] Bomb()
    {
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            using var sheet = zip.CreateEntry("xl/worksheets/sheet1.xml", CompressionLevel.SmallestSize).Open();
            var zeros = new byte[1024 * 1024];
            for (var i = 0; i < 100; i++) sheet.Write(zeros);
        }
        return file.ToArray();
    }
}
