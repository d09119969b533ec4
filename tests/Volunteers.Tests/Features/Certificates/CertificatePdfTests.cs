using System.Text.RegularExpressions;
using UglyToad.PdfPig;
using UglyToad.PdfPig.Content;
using Volunteers.Features.Certificates;
using Volunteers.Features.Hours;
using Volunteers.Platform;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Certificates;

/// <summary>The certificate as it is printed, read back with readers that did not write it.</summary>
public sealed class CertificatePdfTests(TestDatabases databases) : CertificatesTest(databases)
{
    [Theory]
    [InlineData("zh-CN", "兹证明陈䶮·李喆𠮷（志愿者编号：", "组织方登记", "不得用于商业目的", "（盖章处）", "第1页，共1页", "取代证明编号：")]
    [InlineData("en", "Thisistocertifythat陈䶮·李喆𠮷(volunteerno.", "Enteredbyacoordinator", "Notforcommercialuse", "(seal)", "Page1of1", "Replacescertificateno.:")]
    public async Task Everything_that_the_rules_ask_for_is_on_it(string language, params string[] parts)
    {
        (await Admin.Patch("", new { contact = "0755-1234", responsiblePerson = "李红" })).ShouldBe(200);
        var volunteer = await Named("陈䶮·李喆𠮷");
        await O.Record(Activity, volunteer, At("08:00"), At("09:30"));
        var first = (await Issue(Admin, volunteer)).ShouldBe(201);
        var certificate = (await Issue(Admin, volunteer, new { from = "2026-06-01", to = "2026-06-30", purpose = "升学", replaces = first.Id })).ShouldBe(201);

        using var document = PdfDocument.Open(await Pdf(Admin, certificate.Id, $"?language={language}"));

        var text = TextOf(document);
        string[] expected =
        [
            "志愿服务记录证明", "Certificateofvolunteerservice", Text(certificate, "number")!, Text(certificate, "volunteerNumber")!, Text(certificate, "code")!,
            "2026-06-01", "2026-06-30", "1.50", "0755-1234", "李红", "升学", Text(certificate, "issuedOn")!, Text(certificate, "organization")!.Replace(" ", "", StringComparison.Ordinal),
            .. parts,
        ];
        Assert.All(expected, part => Assert.Contains(part, text, StringComparison.Ordinal));
        Assert.DoesNotContain("[U+", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_qr_code_on_the_picture_of_its_page_leads_to_its_verification()
    {
        var certificate = (await Issue(Admin, await Served())).ShouldBe(201);

        var read = (string?)(await NodeReader.Read("read-qr-in-pdf.mjs", await Pdf(Admin, certificate.Id)))["content"];

        Assert.Equal($"{Host.Http().BaseAddress!.GetLeftPart(UriPartial.Authority)}/verify/{Text(certificate, "code")}", read);
        Assert.Contains(Text(certificate, "number")!, (await Host.Anonymous.Get(new Uri(read!).AbsolutePath)).ShouldBe(200).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_qr_code_leads_to_the_public_address_where_one_is_set()
    {
        var certificate = (await Issue(Admin, await Served())).ShouldBe(201);
        await using var host = new ApiHost(ConnectionString, ("SignIn:Issuer", "https://hours.example.org/"));
        var admin = (await host.SignInAsOperator()).At(O.Path);

        using var document = PdfDocument.Open(await Pdf(admin, certificate.Id));

        Assert.Contains($"https://hours.example.org/verify/{Text(certificate, "code")}", TextOf(document), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_drawn_alike_for_ever_and_says_when_it_is_no_longer_valid()
    {
        var volunteer = await Served();
        var certificate = (await Issue(Admin, volunteer)).ShouldBe(201);
        var before = await Pdf(Admin, certificate.Id);
        (await Admin.Patch("", new { name = "Another name" })).ShouldBe(200);
        (await Admin.Patch($"/volunteers/{volunteer}", new { name = "Another person" })).ShouldBe(200);

        Assert.Equal(before, await Pdf(Admin, certificate.Id));
        (await Admin.Post($"/certificates/{certificate.Id}/revoke", new { reason = "Wrong." })).ShouldBe(200);
        using var document = PdfDocument.Open(await Pdf(Admin, certificate.Id));
        Assert.Contains("不再具有证明效力", TextOf(document), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_long_list_goes_over_pages_and_nothing_leaves_them()
    {
        var volunteer = await Served();
        for (var day = 8; day < 30; day++)
        {
            var activity = (await Admin.Post("/activities", new
            {
                title = $"活动{day}", teamId = Team, category = "巡逻", startsAt = At("06:00", day), endsAt = At("18:00", day), location = new { name = new string('地', 100) },
                description = new string('w', 300),
            })).ShouldBe(201).Id;
            (await Admin.Post($"/activities/{activity}/publish")).ShouldBe(200);
            await O.Record(activity, volunteer, At("08:00", day), At("09:00", day));
        }
        var certificate = (await Issue(Admin, volunteer)).ShouldBe(201);

        using var document = PdfDocument.Open(await Pdf(Admin, certificate.Id));

        Assert.True(document.NumberOfPages > 1);
        var text = TextOf(document);
        Assert.All(Enumerable.Range(8, 22), day => Assert.Contains($"活动{day}", text, StringComparison.Ordinal));
        Assert.All(document.GetPages(), page => Assert.Contains($"第{page.Number}页，共{document.NumberOfPages}页", TextOf(page), StringComparison.Ordinal));
        Assert.All(document.GetPages(), Within);
    }

    [Fact]
    public async Task What_the_organization_has_not_said_has_its_place_to_be_written_in()
    {
        var certificate = (await Issue(Admin, await Served())).ShouldBe(201);

        using var document = PdfDocument.Open(await Pdf(Admin, certificate.Id));

        Assert.Matches("负责人：_{20}.*联系方式：_{20}", TextOf(document));
    }

    [Fact]
    public void Wherever_the_table_ends_who_answers_for_it_and_how_it_is_verified_stand_whole_on_one_page()
    {
        var spilled = 0;
        for (var lines = 1; lines <= 24; lines++)
        {
            var certificate = new Certificate(Guid.CreateVersion7(), Guid.CreateVersion7(), 2026, 1, DateTimeOffset.UnixEpoch)
            {
                VolunteerName = "王明", Organization = new string('组', 100), Contact = new string('联', 200),
                ResponsiblePerson = new string('责', 100), IssuedByName = new string('办', 100), IssuedOn = new DateOnly(2026, 7, 1),
                Lines = [.. Enumerable.Range(1, lines).Select(day => new CertificateLine(new DateOnly(2026, 6, day), "值守", "巡逻", null, null, "队", null, Evidence.Self, 1, 60))],
            };

            using var document = PdfDocument.Open(CertificatePdf.Draw(certificate, null, "https://hours.example.org/" + new string('x', 300), "zh-CN"));

            var last = document.GetPage(document.NumberOfPages);
            Assert.All(new[] { new string('组', 100), new string('联', 200), new string('责', 100), "2026-07-01", "（盖章处）", "不得用于商业目的", TypedCode.InGroups(certificate.Code), new string('x', 300) },
                part => Assert.Contains(part, TextOf(last), StringComparison.Ordinal));
            Assert.All(document.GetPages(), Within);
            if (document.NumberOfPages > 1) spilled++;
        }
        Assert.InRange(spilled, 1, 23);
    }

    [Fact]
    public async Task Its_file_is_named_after_it_and_another_language_is_refused()
    {
        var certificate = (await Issue(Admin, await Served())).ShouldBe(201);

        var answer = (await Admin.Get($"/certificates/{certificate.Id}/pdf", ("Accept-Language", "zh-CN"))).ShouldBe(200);

        Assert.Contains("filename*=UTF-8''" + Uri.EscapeDataString($"志愿服务记录证明-{Text(certificate, "number")}.pdf"), answer.Header("Content-Disposition"), StringComparison.Ordinal);
        (await Admin.Get($"/certificates/{certificate.Id}/pdf?language=fr")).ShouldRefuse(400, "invalid_request");
    }

    /// <summary>Nothing leaves the page; a long foot has two lines.</summary>
    private static void Within(Page page) => Assert.All(page.Letters, letter =>
    {
        Assert.InRange(letter.EndBaseLine.X, 40, page.Width - 40);
        Assert.InRange(letter.StartBaseLine.Y, 30, page.Height - 40);
    });

    private static string TextOf(PdfDocument document) => string.Concat(document.GetPages().Select(TextOf));

    /// <summary>In the order in which it was drawn: a line that was broken reads on.</summary>
    private static string TextOf(Page page) => Regex.Replace(string.Concat(page.Letters.Select(letter => letter.Value)), @"\s", "");
}
