using System.Net;
using System.Text;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Platform;

/// <summary>The errors that the framework notices are answered like our own.</summary>
public sealed class ErrorTests(TestDatabases databases) : ApiTest(databases)
{
    [Theory]
    [InlineData("/nowhere")]
    [InlineData("/v1/nowhere")]
    [InlineData("/v1/organizations/not-a-guid/teams")]
    [InlineData("/v1/organizations/%20/teams")]
    public async Task An_address_that_does_not_exist_is_404(string path) =>
        (await (await Given.Operator()).Get(path)).ShouldRefuse(404, "not_found").ShouldBeProblem(path);

    [Fact]
    public async Task A_method_that_does_not_exist_is_405_and_names_those_that_do()
    {
        var o = await Given.Organization();

        var refused = (await o.Admin.Put("/teams", new { })).ShouldRefuse(405, "method_not_allowed").ShouldBeProblem("PUT");

        Assert.Equal("GET, POST", string.Join(", ", refused.Header("Allow")!.Split(", ").Order()));
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/xml")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/octet-stream")]
    public async Task Another_content_type_is_415(string type)
    {
        var o = await Given.Organization();

        (await o.Admin.Post("/teams", ProblemShape.Json("""{"name":"A"}""", type))).ShouldRefuse(415, "unsupported_media_type").ShouldBeProblem(type);
        (await o.Admin.Send(HttpMethod.Patch, "", ProblemShape.Json("{}", type), ("If-Match", "*"))).ShouldRefuse(415, "unsupported_media_type");
    }

    [Fact]
    public async Task A_missing_content_type_is_415()
    {
        var o = await Given.Organization();
        using var body = new ByteArrayContent(Encoding.UTF8.GetBytes("""{"name":"A"}"""));

        (await o.Admin.Post("/teams", body)).ShouldRefuse(415, "unsupported_media_type");
    }

    [Theory]
    [InlineData("application/json; charset=gb2312")]
    [InlineData("application/json; charset=nonsense")]
    [InlineData("application/json; charset=\"\"")]
    [InlineData("application/merge-patch+json; charset=utf-16")]
    public async Task JSON_in_another_character_set_is_415(string type)
    {
        var o = await Given.Organization();
        using var body = new ByteArrayContent(Encoding.UTF8.GetBytes("""{"name":"A"}"""));
        body.Headers.TryAddWithoutValidation("Content-Type", type);

        (await o.Admin.Post("/teams", body)).ShouldRefuse(415, "unsupported_media_type");
        (await o.Admin.Post("/teams", ProblemShape.Json("""{"name":"A"}"""))).ShouldBe(201);
    }

    [Fact]
    public async Task More_than_a_megabyte_is_413()
    {
        var o = await Given.Organization();

        foreach (var description in new[] { new string('x', 1_100_000), string.Concat(Enumerable.Repeat("😀", 2_600_000)) })
        {
            using var body = ProblemShape.Json($$"""{"name":"A","description":"{{description}}"}""");
            (await o.Admin.Post("/teams", body, ("Expect", "100-continue"))).ShouldRefuse(413, "body_too_large").ShouldBeProblem("large");
        }
        (await o.Admin.Post("/teams", new { name = "A", description = new string('x', 900_000) })).ShouldRefuse(400, "invalid_request");
    }

    [Fact]
    public async Task A_body_that_claims_no_length_is_held_to_the_same_limit()
    {
        var o = await Given.Organization();
        using var body = new StreamContent(new MemoryStream(Encoding.UTF8.GetBytes($$"""{"name":"{{new string('x', 1_100_000)}}"}""")));
        body.Headers.ContentType = new("application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{o.Path}/teams") { Content = body };
        request.Headers.TransferEncodingChunked = true;

        (await Answer.Of(await o.Admin.Http.SendAsync(request, TestContext.Current.CancellationToken))).ShouldRefuse(413, "body_too_large");
    }

    [Theory]
    [InlineData("/v1/me", 405)]
    [InlineData("/nowhere", 404)]
    public async Task HEAD_answers_a_status_without_a_body(string path, int status)
    {
        var answer = (await (await Given.Operator()).Send(HttpMethod.Head, path, null)).ShouldBe(status);

        Assert.Empty(answer.Text);
    }

    [Fact]
    public async Task A_header_line_that_is_too_long_is_refused_by_the_server_itself()
    {
        using var http = Host.Http();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/me");
        request.Headers.TryAddWithoutValidation("X-Long", new string('x', 40_000));

        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.RequestHeaderFieldsTooLarge, answer.StatusCode);
    }

    [Fact]
    public async Task A_refusal_names_the_member_by_its_pointer()
    {
        var o = await Given.Organization();

        Assert.NotNull((await o.Admin.Post("/teams", new { })).ShouldRefuse(400, "invalid_request")["errors"]!["/name"]);
        Assert.NotNull((await o.Admin.Post("/teams", new { name = 3 })).ShouldRefuse(400, "malformed_json")["errors"]!["/name"]);
        Assert.NotNull((await o.Admin.Get("/teams?limit=abc")).ShouldRefuse(400, "malformed_request")["errors"]!["/limit"]);
        Assert.NotNull((await o.Admin.Get("/teams?limit=201")).ShouldRefuse(400, "invalid_request")["errors"]!["/limit"]);
        Assert.NotNull((await o.Admin.Post("/service-records/batch", new { items = new object?[] { null } })).ShouldRefuse(400, "invalid_request")["errors"]!["/items/0"]);
    }
}
