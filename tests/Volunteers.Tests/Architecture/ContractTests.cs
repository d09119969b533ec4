using System.Net;
using System.Text;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Architecture;

/// <summary>What holds every test's answers to the document finds what is not in it.</summary>
public sealed class ContractTests
{
    private const string Team = """{"id":"01a205e1-437b-78b6-becd-9388ced34a93","name":"乡情港湾","parentTeamId":null,"description":null,"createdAt":"2026-06-01T02:00:00Z","version":1}""";

    [Fact]
    public void What_the_document_says_is_let_through() => Assert.Null(Breach(Page(Team)));

    [Theory]
    [InlineData("\"version\":1", "\"version\":1,\"nickname\":\"的哥\"")]
    [InlineData("\"version\":1", "\"version\":\"1st\"")]
    [InlineData(",\"version\":1", "")]
    [InlineData("\"name\":\"乡情港湾\"", "\"name\":null")]
    [InlineData("01a205e1-437b", "no id")]
    [InlineData("2026-06-01T02:00:00Z", "1 June")]
    public void A_member_that_is_not_as_the_document_says_is_found(string member, string other) =>
        Assert.Contains("/items/0", Breach(Page(Team.Replace(member, other, StringComparison.Ordinal))), StringComparison.Ordinal);

    [Fact]
    public void A_status_that_is_not_declared_is_found() => Assert.Contains("status 418", Breach("{}", (HttpStatusCode)418), StringComparison.Ordinal);

    [Fact]
    public void A_content_type_that_is_not_declared_is_found() => Assert.Contains("text/html", Breach(Page(Team), type: "text/html"), StringComparison.Ordinal);

    [Fact]
    public void A_code_that_is_not_listed_is_found()
    {
        Assert.Null(Breach(Problem("forbidden"), HttpStatusCode.Forbidden, "application/problem+json"));
        Assert.Contains("made_up", Breach(Problem("made_up"), HttpStatusCode.Forbidden, "application/problem+json"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_success_of_no_operation_is_found() => Assert.Contains("no such operation", Breach("{}", path: "/v1/made-up"), StringComparison.Ordinal);

    private static string? Breach(
        string body, HttpStatusCode status = HttpStatusCode.OK, string type = "application/json", string path = "/v1/organizations/01a205e1-4305-7832-a5a1-8b0d64468451/teams")
    {
        using var answer = new HttpResponseMessage(status) { Content = new StringContent(body, Encoding.UTF8, type) };
        foreach (var header in new[] { "X-Request-Id", "ETag", "RateLimit", "RateLimit-Policy" }) answer.Headers.TryAddWithoutValidation(header, "\"1\"");
        return Contract.Current.Breach(HttpMethod.Get, path, answer, body);
    }

    private static string Page(string team) => $$"""{"items":[{{team}}],"next":null}""";

    private static string Problem(string code) => $$"""{"type":"urn:x","title":"t","status":403,"detail":"d","code":"{{code}}","traceId":"00-1-1-00"}""";
}
