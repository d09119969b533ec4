using System.Text;
using System.Text.Json;
using Volunteers.Tests.Architecture;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Platform;

public static class ProblemShape
{
    /// <summary>An answer that is no failure of ours and, if it refuses, says so as RFC 9457 and the contract want it.</summary>
    public static Answer ShouldBeCivil(this Answer answer, string what)
    {
        Assert.True(answer.Status < 500, $"{what}: {answer.Status} {answer.Text}");
        if (answer.Status >= 400) answer.ShouldBeProblem(what);
        return answer;
    }

    public static Answer ShouldBeProblem(this Answer answer, string what)
    {
        Assert.True(answer.ContentHeaders.ContentType?.MediaType == "application/problem+json", $"{what}: {answer.Status} is no problem+json: {answer.Text}");
        foreach (var member in new[] { "type", "title", "detail", "code", "traceId" })
            Assert.False(string.IsNullOrWhiteSpace((string?)answer[member]), $"{what}: {member} is missing: {answer.Text}");
        Assert.Equal(answer.Status, (int)answer["status"]!);
        Assert.Matches("^[a-z0-9_]+$", answer.Code!);
        Assert.Equal($"urn:volunteers:problem:{answer.Code}", (string?)answer["type"]);
        return answer;
    }

    /// <summary>As the caller who may: the operator where organizations are made, the administrator elsewhere.</summary>
    public static Task<Answer> Send(this World world, Operation operation, HttpContent? body, string? path = null, params (string Name, string Value)[] headers) =>
        world.As(operation.Policy == "Operate" ? "operator" : "administrator")
            .Send(new HttpMethod(operation.Method), path ?? world.PathOf(operation), body, headers.Length > 0 ? headers : [("If-Match", "*")]);

    /// <summary>A body that the operation takes; null when it takes none.</summary>
    public static HttpContent? BodyOf(this World world, Operation operation) => operation.Body?.Invoke(world) switch
    {
        null => null,
        string csv => Json(csv, "text/csv"),
        var valid => Json(JsonSerializer.Serialize(valid)),
    };

    public static HttpContent Json(string text, string type = "application/json") => new StringContent(text, new UTF8Encoding(false), type);
}
