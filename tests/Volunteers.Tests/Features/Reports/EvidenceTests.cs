using System.Text.Json.Nodes;
using UglyToad.PdfPig;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reports;

/// <summary>How we know stands wherever hours stand: one volunteer, known in all four ways.</summary>
public sealed class EvidenceTests(TestDatabases databases) : AttendanceTest(databases)
{
    private const string Period = "from=2026-01-01&to=2027-12-31";

    private static readonly (string, long)[] Known = [("attendance", 40), ("coordinator", 60), ("import", 30), ("self", 50)];

    private string volunteer = "";
    private Api self = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await Settings(new { attendanceConfirmedBy = "automatic" });
        volunteer = await SignedUp();
        self = await O.SignedInAs(volunteer);
        await O.Record(Activity, volunteer, At("08:00"), At("09:00"));
        (await Do(Admin, "approve", (await Record(self, volunteer, At("10:00"), At("10:50"))).ShouldBe(201).Id)).ShouldBe(200);
        var client = (await Admin.Post("/clients", new { name = "Gateway", role = "coordinator", scopes = Clients.AllScopes })).ShouldBe(201);
        var http = Host.Http();
        var token = await ApiHost.PostToken(http, ("grant_type", "client_credentials"), ("scope", "api"),
            ("client_id", (string)client["clientId"]!), ("client_secret", (string)client["clientSecret"]!));
        (await Record(Api.With(http, (string)token.ShouldBe(200)["access_token"]!).At(O.Path), volunteer, At("12:00"), At("12:30"))).ShouldBe(201);
        await Stay(volunteer, 0, 40);
    }

    [Fact]
    public async Task Records_and_postings_say_it_and_are_found_by_it()
    {
        Assert.Equal(Known, Lines((await Admin.Get("/service-records")).ShouldBe(200).Items));
        Assert.Equal(Known, Lines((await Admin.Get("/ledger")).ShouldBe(200).Items));
        foreach (var (evidence, minutes) in Known)
            Assert.Equal([(evidence, minutes)], Lines((await Admin.Get($"/service-records?evidence={evidence}")).ShouldBe(200).Items));
    }

    [Fact]
    public async Task Every_report_says_it()
    {
        var hours = (await Admin.Get($"/reports/hours?{Period}&groupBy=evidence")).ShouldBe(200);
        Assert.Equal(Known, Lines(hours["rows"]!));
        Assert.Equal(Known, Lines(hours["byEvidence"]!));
        foreach (var (evidence, minutes) in Known)
            Assert.Equal(minutes, (long)(await Admin.Get($"/reports/hours?{Period}&evidence={evidence}")).ShouldBe(200)["total"]!["minutes"]!);
        Assert.Equal(Known, Lines((await Admin.Get($"/reports/activities?{Period}")).ShouldBe(200)["byEvidence"]!));

        var changes = (await Admin.Get($"/reports/hours/changes?{Period}&since=1")).ShouldBe(200);
        Assert.Equal(Known.Where(line => line.Item1 != "coordinator"), changes["byEvidence"]!.AsArray().Select(row => ((string)row!["evidence"]!, (long)row["after"]!["minutes"]!)));
        Assert.Equal([[4L], [3L], [2L]], changes["byEvidence"]!.AsArray().Select(row => row!["positions"]!.AsArray().Select(position => (long)position!).ToArray()));
        Assert.All(changes["byEvidence"]!.AsArray(), row => Assert.Null(row!["before"]));

        var export = ReportFile.Read((await Admin.Get($"/service-records/export?{Period}&format=csv")).ShouldBe(200).Text.TrimStart('\ufeff'));
        Assert.Equal(Known, export.Rows.SkipLast(1).Select(row => (row["Evidence"].ToLowerInvariant(), long.Parse(row["Minutes"], null))).Order());
    }

    [Theory]
    [InlineData("hours", "")]
    [InlineData("activities", "")]
    [InlineData("hours/changes", "&since=0")]
    public async Task So_do_the_workbook_and_the_print(string report, string query)
    {
        var path = $"/reports/{report}?{Period}{query}&format=";

        var about = Workbook.Read(await ReportFormatTests.Bytes(O, path + "xlsx", "zh-CN")).Sheets[1];
        var print = PdfLines.Read(await ReportFormatTests.Bytes(O, path + "pdf", "zh-CN"));

        foreach (var (word, minutes) in new[] { ("签到签退", 40m), ("协调员录入", 60m), ("导入", 30m), ("本人填报", 50m) })
        {
            Assert.Contains(about, row => row is [{ } first, ..] && first.Text == word && row.Any(cell => cell?.Number == minutes));
            Assert.Contains(print, line => line.StartsWith(word, StringComparison.Ordinal) && line.Contains(minutes.ToString("0", null), StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task The_postings_of_a_print_of_changes_say_it_each()
    {
        var print = PdfLines.Read(await ReportFormatTests.Bytes(O, $"/reports/hours/changes?{Period}&since=3&format=pdf", "zh-CN"));

        Assert.Contains(print, line => line.StartsWith('4') && line.Contains("签到签退", StringComparison.Ordinal) && line.EndsWith("1400.67", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Summaries_say_it_and_stars_count_what_their_rule_names()
    {
        Assert.Equal(Known, Lines((await self.Get($"/volunteers/{volunteer}/summary")).ShouldBe(200)["byEvidence"]!));
        Assert.Equal(Known, Lines((await new Api(self.Http, "").Get("/v1/me/hours")).ShouldBe(200)["organizations"]![0]!["byEvidence"]!));
        (await Admin.Post("/star-rules", new { levels = new[] { new { level = 1, hours = 1 } }, evidence = new[] { "attendance", "import" } })).ShouldBe(201);

        var stars = (await self.Get($"/volunteers/{volunteer}/summary")).ShouldBe(200)["stars"]!;

        Assert.Equal((70, 1), ((int)stars["countedMinutes"]!, (int)stars["level"]!));
    }

    [Fact]
    public async Task A_certificate_says_it_in_every_form_and_so_does_its_verification()
    {
        var certificate = (await Admin.Post($"/volunteers/{volunteer}/certificates", new { from = "2026-01-01", to = $"{Start.ToOffset(TimeSpan.FromHours(8)):yyyy-MM-dd}" })).ShouldBe(201);
        var pdf = await Admin.Http.GetByteArrayAsync(new Uri($"{O.Path}/certificates/{certificate.Id}/pdf?language=en", UriKind.Relative), TestContext.Current.CancellationToken);
        var code = Text(certificate, "code");
        var verified = (await Host.Anonymous.Get($"/v1/certificates/{code}")).ShouldBe(200);
        var page = (await Host.Anonymous.Get($"/verify/{code}", ("Accept-Language", "en"))).ShouldBe(200).Text;

        Assert.Equal(Known, Lines(certificate["byEvidence"]!));
        Assert.Equal(Known, Lines(certificate["lines"]!));
        Assert.Equal(Known, Lines(verified["byEvidence"]!));
        using var document = PdfDocument.Open(pdf);
        var print = PdfLines.Of(document.GetPage(1));
        foreach (var (words, hours) in new[]
        {
            ("Recorded at check-in and check-out", "0.67"), ("Entered by a coordinator", "1.00"), ("Entered by the volunteer, confirmed by a coordinator", "0.83"),
            ("Taken over from another system or from paper", "0.50"),
        })
        {
            Assert.Contains(print, line => line == $"{words}1{hours}".Replace(" ", "", StringComparison.Ordinal));
            Assert.Contains($"<dd>{words}: {hours} hours, 1 person-times</dd>", page, StringComparison.Ordinal);
        }
        Assert.Contains("<dd>签到签退记录：0.67 小时，1 人次</dd>", (await Host.Anonymous.Get($"/verify/{code}", ("Accept-Language", "zh-CN"))).ShouldBe(200).Text, StringComparison.Ordinal);
    }

    /// <summary>What each line says of how it is known, and its minutes, in the order of the words.</summary>
    private static (string, long)[] Lines(JsonNode lines) => [.. lines.AsArray().Select(line => ((string)line!["evidence"]!, (long)line["minutes"]!)).Order()];
}
