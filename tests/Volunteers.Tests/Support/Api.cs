using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Volunteers.Tests.Support;

/// <summary>A caller of the API: a token, and paths below a base such as an organization.</summary>
public sealed class Api(HttpClient http, string basePath)
{
    public HttpClient Http => http;

    public static Api With(HttpClient http, string accessToken)
    {
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        return new Api(http, "");
    }

    /// <summary>Where a path leads.</summary>
    public Uri PathTo(string path) => new(basePath + path, UriKind.Relative);

    /// <summary>The same caller, with paths below another base.</summary>
    public Api At(string path) => new(http, basePath + path);

    public Task<Answer> Get(string path, params (string Name, string Value)[] headers) => Send(HttpMethod.Get, path, null, headers);

    public Task<Answer> Post(string path, object? body = null, params (string Name, string Value)[] headers) => Send(HttpMethod.Post, path, body, headers);

    public Task<Answer> Put(string path, object? body = null, params (string Name, string Value)[] headers) => Send(HttpMethod.Put, path, body, headers);

    public Task<Answer> Delete(string path, params (string Name, string Value)[] headers) => Send(HttpMethod.Delete, path, null, headers);

    /// <summary>A merge patch against the version given, or against the one there is now.</summary>
    public async Task<Answer> Patch(string path, object body, string? ifMatch = null)
    {
        ifMatch ??= (await Get(path)).Header("ETag") ?? "";
        return await Send(HttpMethod.Patch, path, body, [("If-Match", ifMatch)]);
    }

    public async Task<Answer> Send(HttpMethod method, string path, object? body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, basePath + path);
        request.Content = body switch { null => null, HttpContent content => content, _ => JsonContent.Create(body) };
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await Answer.Of(await http.SendAsync(request, TestContext.Current.CancellationToken));
    }
}

/// <summary>What the service answered.</summary>
public sealed record Answer(int Status, JsonNode? Body, string Text, HttpResponseHeaders Headers, HttpContentHeaders ContentHeaders)
{
    /// <summary>A member of the JSON body.</summary>
    public JsonNode? this[string member] => Body?[member];

    public string Id => (string)Body!["id"]!;

    /// <summary>The stable code of a refusal.</summary>
    public string? Code => (string?)Body?["code"];

    public JsonArray Items => Body!["items"]!.AsArray();

    /// <summary>The headers, a line each, without the value of those that name this one answer: two answers that must not be told apart have the same.</summary>
    public string HeadersInCommon => string.Join('\n', Headers.Concat(ContentHeaders).Select(header => $"{header.Key}: {(NamesOneAnswer(header.Key) ? "" : string.Join(',', header.Value))}"));

    public string? Header(string name) =>
        Headers.TryGetValues(name, out var values) || ContentHeaders.TryGetValues(name, out values) ? string.Join(", ", values) : null;

    public Answer ShouldBe(int status)
    {
        Assert.True(Status == status, $"Expected {status}, got {Status}: {Text}");
        return this;
    }

    private static bool NamesOneAnswer(string header) =>
        header.Equals("Date", StringComparison.OrdinalIgnoreCase) || header.Equals("X-Request-Id", StringComparison.OrdinalIgnoreCase);

    /// <summary>A refusal, as problem+json with a code and a trace id.</summary>
    public Answer ShouldRefuse(int status, string code)
    {
        ShouldBe(status);
        Assert.Equal("application/problem+json", ContentHeaders.ContentType?.MediaType);
        Assert.Equal(code, Code);
        Assert.Equal(status, (int)Body!["status"]!);
        Assert.NotEmpty((string)Body["traceId"]!);
        return this;
    }

    public static async Task<Answer> Of(HttpResponseMessage response)
    {
        using (response)
        {
            var text = await response.Content.ReadAsStringAsync();
            var json = response.Content.Headers.ContentType?.MediaType is { } type && type.EndsWith("json", StringComparison.Ordinal) && text.Length > 0;
            return new Answer((int)response.StatusCode, json ? JsonNode.Parse(text) : null, text, response.Headers, response.Content.Headers);
        }
    }
}
