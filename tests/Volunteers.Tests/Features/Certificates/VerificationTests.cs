using System.Globalization;
using Volunteers.Features.Certificates;
using Volunteers.Tests.Support;
using Xunit;
using TypedCode = Volunteers.Platform.TypedCode;

namespace Volunteers.Tests.Features.Certificates;

public sealed class VerificationTests(TestDatabases databases) : CertificatesTest(databases)
{
    [Fact]
    public async Task Anybody_with_the_code_sees_what_is_on_the_paper_with_the_name_masked()
    {
        var volunteer = await Named("欧阳𠮷𠮷");
        await O.Record(Activity, volunteer, At("08:00"), At("09:30"));
        var certificate = (await Issue(Admin, volunteer)).ShouldBe(201);

        var answer = await Host.Anonymous.Get($"/v1/certificates/{Text(certificate, "code")}");

        var verified = answer.ShouldBe(200).Body!;
        Assert.Equal(["byEvidence", "from", "hours", "issuedOn", "minutes", "name", "now", "number", "organization", "personTimes", "revokedOn", "status", "supersededBy", "to"],
            verified.AsObject().Select(member => member.Key).Order());
        Assert.Equal(("valid", "欧阳**", "1.50", Text(certificate, "number")),
            ((string?)verified["status"], (string?)verified["name"], verified["hours"]!.ToJsonString(), (string?)verified["number"]));
        Assert.Equal("no-store, private", answer.Header("Cache-Control"));
        Assert.Contains("noindex", answer.Header("X-Robots-Tag"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_code_is_read_as_people_type_it_and_every_wrong_one_is_refused_alike()
    {
        var certificate = (await Issue(Admin, await Served())).ShouldBe(201);
        var code = Text(certificate, "code")!;
        var bare = code.Replace("-", "", StringComparison.Ordinal);

        foreach (var typed in new[] { code, bare, code.ToLowerInvariant(), bare.Replace('0', 'o').Replace('1', 'l'), code.Replace('-', ' ') })
            (await Host.Anonymous.Get($"/v1/certificates/{Uri.EscapeDataString(typed)}")).ShouldBe(200);

        var organization = Guid.Parse(O.Id);
        var wrong = new[] { CertificateCode.Make(organization), CertificateCode.Make(Guid.CreateVersion7()), bare[..^1] + (bare[^1] == '2' ? '3' : '2'), bare[..31], bare + "0", "x", "王", new string('0', 2000) };
        var answers = new List<string>();
        foreach (var typed in wrong)
        {
            var refused = (await Host.Anonymous.Get($"/v1/certificates/{typed}")).ShouldRefuse(404, "not_found");
            refused.Body!.AsObject().Remove("traceId");
            answers.Add(refused.Body.ToJsonString());
        }
        Assert.Single(answers.Distinct());
    }

    [Fact]
    public void Codes_have_110_random_bits_and_a_slip_is_noticed()
    {
        var organization = Guid.CreateVersion7();
        var codes = Enumerable.Range(0, 500).Select(_ => CertificateCode.Make(organization)).ToArray();

        Assert.Equal(500, codes.Select(code => code[8..30]).Distinct().Count());
        // Every place takes every letter: 500 codes with 32 letters each leave none out but by a chance of one in 10⁴.
        Assert.All(Enumerable.Range(8, 22), place => Assert.InRange(codes.Select(code => code[place]).Distinct().Count(), 30, 32));
        Assert.All(codes, code => Assert.Equal((organization.ToString()[26..], code), CertificateCode.Read(TypedCode.InGroups(code))));
        Assert.True(codes.Count(code => CertificateCode.Read(code[..10] + (code[10] == 'A' ? 'B' : 'A') + code[11..]) is not null) < 10);
    }

    [Fact]
    public async Task One_address_may_verify_so_often_whether_the_codes_are_right_or_wrong()
    {
        var code = Text((await Issue(Admin, await Served())).ShouldBe(201), "code");
        await using var host = new ApiHost(ConnectionString, ("RateLimits:VerificationsPerMinute", "4"), ("ForwardedHeaders:KnownProxies:0", "127.0.0.1"));
        Task<Answer> From(string address, string path) => host.Anonymous.Get(path, ("X-Forwarded-For", address));

        (await From("198.51.100.7", "/v1/certificates/wrong")).ShouldBe(404);
        (await From("198.51.100.7", $"/v1/certificates/{code}")).ShouldBe(200);
        (await From("198.51.100.7", "/verify/wrong")).ShouldBe(404);
        (await From("198.51.100.7", $"/verify/{code}")).ShouldBe(200);

        foreach (var path in new[] { $"/v1/certificates/{code}", $"/verify/{code}", "/verify/wrong" })
            Assert.InRange(int.Parse((await From("198.51.100.7", path)).ShouldRefuse(429, "too_many_requests").Header("Retry-After")!, CultureInfo.InvariantCulture), 1, 60);
        (await From("198.51.100.8", $"/v1/certificates/{code}")).ShouldBe(200);
    }

    [Theory]
    [InlineData("zh-CN", "有效", "志愿服务记录证明查验", "王*")]
    [InlineData("en", "Valid", "Certificate of volunteer service: verification", "王*")]
    public async Task The_page_says_it_in_the_readers_language(string language, string status, string title, string name)
    {
        var volunteer = await Named("王𠮷");
        await O.Record(Activity, volunteer, At("08:00"), At("09:30"));
        var certificate = (await Issue(Admin, volunteer)).ShouldBe(201);

        var page = (await Host.Anonymous.Get($"/verify/{Text(certificate, "code")}", ("Accept-Language", language))).ShouldBe(200);

        var text = System.Net.WebUtility.HtmlDecode(page.Text);
        Assert.All([status, title, name, "1.50", Text(certificate, "number")!], part => Assert.Contains(part, text, StringComparison.Ordinal));
        Assert.DoesNotContain("𠮷", text, StringComparison.Ordinal);
        Assert.Equal("text/html", page.ContentHeaders.ContentType?.MediaType);
        Assert.Equal(language, page.Header("Content-Language"));
        Assert.Contains("noindex", page.Header("X-Robots-Tag"), StringComparison.Ordinal);
        Assert.Contains("no-store", page.Header("Cache-Control"), StringComparison.Ordinal);
        Assert.Equal("no-referrer", page.Header("Referrer-Policy"));
        Assert.StartsWith("default-src 'none';", page.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page.Text, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task The_page_shows_what_people_wrote_as_text_and_takes_a_code_that_is_typed()
    {
        (await Admin.Patch("", new { name = "<script>alert(1)</script>&" })).ShouldBe(200);
        var certificate = (await Issue(Admin, await Served())).ShouldBe(201);

        var page = (await Host.Anonymous.Get($"/verify/{Text(certificate, "code")}")).ShouldBe(200);
        Assert.DoesNotContain("<script", page.Text, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("&lt;script&gt;", page.Text, StringComparison.Ordinal);
        var wrong = (await Host.Anonymous.Get("/verify/%3Cscript%3E", ("Accept-Language", "zh-CN"))).ShouldBe(404);
        Assert.DoesNotContain("<script", wrong.Text, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("没有使用该验证码的证明", System.Net.WebUtility.HtmlDecode(wrong.Text), StringComparison.Ordinal);
        Assert.Contains("<form", (await Host.Anonymous.Get("/verify")).ShouldBe(200).Text, StringComparison.Ordinal);
        Assert.Equal("/verify/ab%2F..%2Fcd%20ef", (await Host.Anonymous.Get("/verify?code=ab/../cd+ef")).ShouldBe(302).Header("Location"));
    }

    [Theory]
    [InlineData("王明", "王*")]
    [InlineData("王小明", "王**")]
    [InlineData("欧阳娜娜", "欧阳**")]
    [InlineData("欧阳", "欧*")]
    [InlineData("欧阳娜", "欧阳*")]
    [InlineData("司馬相如", "司馬**")]
    [InlineData("万俟𠮷", "万俟*")]
    [InlineData("欧文斯", "欧**")]
    [InlineData("𠮷", "*")]
    [InlineData("王󠄀明", "王󠄀*")]
    [InlineData("", "")]
    [InlineData("𠮷野家", "𠮷**")]
    [InlineData("王\U0001F468\u200D\U0001F469\u200D\U0001F467", "王*")]
    [InlineData("Li Wei", "L* W**")]
    [InlineData("  Anna-Maria  Ångström ", "A***-M****  Å*******")]
    [InlineData("阿卜杜拉·买买提", "阿***·买**")]
    [InlineData("王", "*")]
    [InlineData("A B", "* *")]
    public void A_masked_name_keeps_the_first_character_of_each_word(string name, string masked) => Assert.Equal(masked, MaskedName.Of(name));
}
