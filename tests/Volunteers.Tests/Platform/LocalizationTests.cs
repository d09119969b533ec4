using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Platform;

public sealed partial class LocalizationTests(TestDatabases databases) : ApiTest(databases)
{
    [Theory]
    [InlineData("zh-CN", true)]
    [InlineData("zh-CN,zh;q=0.9,en;q=0.8", true)]
    [InlineData("zh", true)]
    [InlineData("zh-Hans-CN", true)]
    [InlineData("fr, zh-CN;q=0.5", true)]
    [InlineData("en", false)]
    [InlineData("en-GB", false)]
    [InlineData("fr", false)]
    [InlineData("*", false)]
    [InlineData(";;;,q=1", false)]
    [InlineData("xx-YY-zz-invalid", false)]
    [InlineData(null, false)]
    public async Task Texts_follow_Accept_Language_and_codes_do_not(string? language, bool chinese)
    {
        var o = await Given.Organization();
        (string, string)[] headers = language is null ? [] : [("Accept-Language", language)];

        var invalid = (await o.Admin.Post("/teams", new { name = "", description = new string('x', 2001) }, headers)).ShouldRefuse(400, "invalid_request");
        var missing = (await o.Admin.Get($"/teams/{Guid.NewGuid()}", headers)).ShouldRefuse(404, "not_found");
        var signedOut = (await Host.Anonymous.Get("/v1/me", headers)).ShouldRefuse(401, "not_signed_in");
        var malformed = (await o.Admin.Get("/teams?nonsense=1", headers)).ShouldRefuse(400, "unknown_parameter");

        var texts = new[] { invalid, missing, signedOut, malformed }
            .SelectMany(answer => new[] { (string)answer["title"]!, (string)answer["detail"]! })
            .Concat(invalid["errors"]!.AsObject().SelectMany(error => error.Value!.AsArray().Select(text => (string)text!)));
        Assert.All(texts, text => Assert.True(Han().IsMatch(text) == chinese, text));
    }

    [Theory]
    [InlineData("zh-CN")]
    [InlineData("en")]
    public async Task What_the_framework_notices_is_told_in_the_language_of_the_request(string language)
    {
        var o = await Given.Organization();
        o.Admin.Http.DefaultRequestHeaders.AcceptLanguage.ParseAdd(language);
        var team = (await o.Admin.Post("/teams", new { name = "A" })).ShouldBe(201);
        using var plain = new StringContent("{}", Encoding.UTF8, "text/plain");
        using var large = ProblemShape.Json($$"""{"name":"{{new string('x', 1_100_000)}}"}""");
        var path = $"/teams/{team["id"]}";

        var refused = new[]
        {
            (await o.Admin.Get("/teams?limit=abc")).ShouldRefuse(400, "malformed_request"),
            (await o.Admin.Get("/volunteers?status=nonsense")).ShouldRefuse(400, "malformed_parameter"),
            (await o.Admin.Get("/teams?limit=0")).ShouldRefuse(400, "invalid_request"),
            (await o.Admin.Get("/teams?cursor=nonsense")).ShouldRefuse(400, "invalid_cursor"),
            (await o.Admin.Post("/teams", ProblemShape.Json("{"))).ShouldRefuse(400, "malformed_json"),
            (await o.Admin.Post("/teams", ProblemShape.Json("""{"name":1}"""))).ShouldRefuse(400, "malformed_json"),
            (await o.Admin.Post("/teams", ProblemShape.Json("""{"name":"B","more":1}"""))).ShouldRefuse(400, "malformed_json"),
            (await o.Admin.Post("/teams", new { name = "B" }, ("Idempotency-Key", new string('k', 256)))).ShouldRefuse(400, "invalid_idempotency_key"),
            (await o.Admin.Get("/nowhere")).ShouldRefuse(404, "not_found"),
            (await o.Admin.Put("/teams", new { })).ShouldRefuse(405, "method_not_allowed"),
            (await o.Admin.Post("/teams", new { name = "A" })).ShouldRefuse(409, "team_name_taken"),
            (await o.Admin.Send(HttpMethod.Patch, path, ProblemShape.Json("{}"), ("If-Match", "\"0\""))).ShouldRefuse(412, "stale_version"),
            (await o.Admin.Post("/teams", large, ("Expect", "100-continue"))).ShouldRefuse(413, "body_too_large"),
            (await o.Admin.Post("/teams", plain)).ShouldRefuse(415, "unsupported_media_type"),
            (await o.Admin.Send(HttpMethod.Patch, path, ProblemShape.Json("{}"))).ShouldRefuse(428, "if_match_required"),
        };

        Assert.All(refused.SelectMany(TextsOf), text => Assert.True(Han().IsMatch(text) == (language == "zh-CN"), text));
    }

    [Theory]
    [InlineData("zh-CN")]
    [InlineData("en")]
    public async Task What_breaks_a_rule_of_form_is_told_without_names_from_the_code(string language)
    {
        var o = await Given.Organization();
        o.Admin.Http.DefaultRequestHeaders.AcceptLanguage.ParseAdd(language);

        var refused = new[]
        {
            (await o.Admin.Post("/teams", new { name = "", description = new string('x', 2001) })).ShouldRefuse(400, "invalid_request"),
            (await o.Admin.Post("/volunteers", new { name = "A", phone = "x", skills = new[] { new { name = "" } } })).ShouldRefuse(400, "invalid_request"),
            (await o.Admin.Post("/activities", new { title = new string('x', 500), startsAt = "2026-06-07T09:00:00+08:00", endsAt = "2026-06-07T06:00:00+08:00" })).ShouldRefuse(400, "invalid_request"),
            (await o.Admin.Post("/service-records", new { startsAt = "2026-06-07T09:00:00+08:00", endsAt = "2026-06-07T06:00:00+08:00", minutes = -1 })).ShouldRefuse(400, "invalid_request"),
            (await o.Admin.Get("/ledger?after=-1")).ShouldRefuse(400, "invalid_request"),
        };

        var texts = refused.SelectMany(answer => answer["errors"]!.AsObject().SelectMany(error => error.Value!.AsArray().Select(text => (string)text!))).ToArray();
        Assert.True(texts.Length >= 9);
        Assert.All(texts, text => Assert.True(Han().IsMatch(text) == (language == "zh-CN"), text));
        Assert.DoesNotContain(texts, text => text.Contains('\'') || text.Contains('{', StringComparison.Ordinal));
        Assert.Contains(language == "zh-CN" ? "最多 2000 个字符，现有 2001 个。" : "At most 2000 characters; these are 2001.", texts);
        Assert.Contains(language == "zh-CN" ? "结束时间须晚于开始时间。" : "The end comes after the start.", texts);
    }

    [Fact]
    public async Task Every_page_that_needs_no_sign_in_speaks_the_language_of_the_browser()
    {
        var http = Host.Http();
        var pages = Host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is not null && endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Contains("GET") != false)
            .Select(endpoint => Parameter().Replace(endpoint.RoutePattern.RawText!, "nothing")).Append("/connect/authorize?client_id=nobody").Distinct().ToArray();

        var seen = new List<string>();
        foreach (var path in pages)
            foreach (var language in new[] { "zh-CN", "en" })
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative)) { Headers = { { "Accept-Language", language } } };
                using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
                if (answer.Content.Headers.ContentType?.MediaType != "text/html" || path.StartsWith("/swagger", StringComparison.Ordinal)) continue;
                var html = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                // What OAuth says to developers is English, and marked so.
                var words = WebUtility.HtmlDecode(Tag().Replace(NotRead().Replace(html, ""), " "));
                Assert.Contains($"<html lang=\"{language}\">", html, StringComparison.Ordinal);
                Assert.True(language == "en" ? !Han().IsMatch(words) && Latin().IsMatch(words) : Han().IsMatch(words) && !Latin().IsMatch(words), $"{path} in {language}: {words}");
                seen.Add(path);
            }

        Assert.Superset(new HashSet<string> { "/sign-in", "/verify", "/verify/nothing", "/connect/authorize?client_id=nobody" }, seen.ToHashSet());
    }

    [Theory]
    [InlineData("zh-CN")]
    [InlineData("en")]
    public async Task Who_asks_too_often_is_told_so_in_their_language(string language)
    {
        await using var host = new ApiHost(ConnectionString, ("RateLimits:RequestsPerMinuteFromAddress", "1"));
        await host.Anonymous.Get("/v1/me", ("Accept-Language", language));

        var refused = (await host.Anonymous.Get("/v1/me", ("Accept-Language", language))).ShouldRefuse(429, "too_many_requests");

        Assert.All(TextsOf(refused), text => Assert.True(Han().IsMatch(text) == (language == "zh-CN"), text));
    }

    [Theory]
    [InlineData("zh-CN")]
    [InlineData("en")]
    public async Task Headings_and_words_of_files_are_in_the_language_of_the_request(string language)
    {
        var o = await Given.Organization();
        var team = (await o.Admin.Post("/teams", new { name = "1" })).ShouldBe(201).Id;
        var volunteer = (await o.Admin.Post("/volunteers", new { name = "2" })).ShouldBe(201).Id;
        await o.Member(team, volunteer);
        var activity = (await o.Admin.Post("/activities", new { title = "3", teamId = team, category = "4", startsAt = "2026-06-07T14:30:00+08:00", endsAt = "2026-06-07T18:30:00+08:00" })).ShouldBe(201).Id;
        await o.Record(activity, volunteer, "2026-06-07T14:30:00+08:00", "2026-06-07T16:30:00+08:00");
        var period = "from=2026-01-01&to=2026-12-31";

        foreach (var path in new[]
        {
            $"/reports/hours?{period}&groupBy=team,evidence,month&format=csv", $"/reports/hours?{period}&groupBy=volunteer,activity,day&format=csv", $"/reports/hours?{period}&groupBy=project,category,year&format=csv",
            $"/reports/hours/changes?since=0&{period}&groupBy=team,month&format=csv", $"/reports/activities?{period}&groupBy=team&format=csv",
            $"/service-records/export?{period}&format=csv", "/audit/export?format=csv",
        })
        {
            var lines = (await o.Admin.Get(path, ("Accept-Language", language))).ShouldBe(200).Text.TrimStart('\uFEFF').Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
            // Of the audit trail the rows name operations and ids; everywhere else all that is not a figure is ours.
            var cells = (path.StartsWith("/audit", StringComparison.Ordinal) ? lines.Take(1) : lines).SelectMany(line => line.Split(','))
                .Where(cell => Regex.IsMatch(cell, @"\p{L}") && !Number().IsMatch(cell) && !Guid.TryParse(cell, out _)).ToArray();
            Assert.True(cells.Length >= 4, path);
            Assert.All(cells, cell => Assert.True(Han().IsMatch(cell) == (language == "zh-CN") || cell == "Administrator", $"{path}: {cell}"));
        }
    }

    /// <summary>The number that a volunteer was given.</summary>
    [GeneratedRegex("^[A-Z]{1,3}-[0-9]+$")]
    private static partial Regex Number();

    private static IEnumerable<string> TextsOf(Answer refused) => new[] { (string)refused["title"]!, (string)refused["detail"]! }
        .Concat((refused["errors"]?.AsObject() ?? []).SelectMany(error => error.Value!.AsArray().Select(text => (string)text!)));

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Parameter();

    [GeneratedRegex("""<style>.*?</style>|<p lang="en">.*?</p>""", RegexOptions.Singleline)]
    private static partial Regex NotRead();

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tag();

    [GeneratedRegex("[A-Za-z]{2,}")]
    private static partial Regex Latin();

    [GeneratedRegex(@"\p{IsCJKUnifiedIdeographs}")]
    private static partial Regex Han();
}
