using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;
using Xunit;

namespace Volunteers.Tests.Support;

/// <summary>
/// The OpenAPI document as it is kept beside the tests. Whatever a test is answered must be what it promises, or the test fails:
/// so code and document cannot drift apart.
/// </summary>
internal sealed class Contract
{
    private const string Components = "#/components/";

    private static readonly Lazy<Contract> Kept = new(() => new Contract(JsonNode.Parse(File.ReadAllText(DocumentPath()))!));

    private readonly JsonNode document;
    private readonly BuildOptions building = new() { SchemaRegistry = new SchemaRegistry() };
    private readonly EvaluationOptions evaluating = new() { OutputFormat = OutputFormat.List, RequireFormatValidation = true };
    private readonly ConcurrentDictionary<string, Lazy<JsonSchema>> schemas = new();
    private readonly ILookup<int, Route> routes;

    private Contract(JsonNode document)
    {
        this.document = document;
        var shared = new JsonObject { ["$id"] = $"{Own}components", ["$defs"] = document["components"]!["schemas"]!.DeepClone() };
        building.SchemaRegistry.Register(JsonSchema.FromText(Shared(shared.ToJsonString()), building));
        routes = document["paths"]!.AsObject().Select(path => new Route(path.Key.Split('/'), path.Key, path.Value!.AsObject()))
            .OrderBy(route => route.Segments.Count(IsParameter)).ToLookup(route => route.Segments.Length);
    }

    public static Contract Current => Kept.Value;

    private static string Own => "https://volunteers.test/";

    /// <summary>What of an answer the document does not say; null when there is nothing.</summary>
    /// <param name="method">How it was asked.</param>
    /// <param name="path">For what.</param>
    /// <param name="answer">What came.</param>
    /// <param name="body">Null when it is not JSON, or was not read.</param>
    public string? Breach(HttpMethod method, string path, HttpResponseMessage answer, string? body)
    {
        var status = (int)answer.StatusCode;
        // What a browser asks before it lets a page ask is answered for every path.
        if (method == HttpMethod.Options) return null;
        if (Find(method, path) is not { } found) return status < 400 && path.StartsWith("/v1/", StringComparison.Ordinal) ? "no such operation" : null;

        var (route, operation) = found;
        var response = Resolved(operation["responses"]![$"{status}"]);
        // What the server itself cannot read is of no operation: it says so, closes the connection, and no more.
        if (status is 400 or 431 && answer is { Headers.ConnectionClose: true, Content.Headers.ContentLength: 0 }) return null;
        // An id that is none leads nowhere.
        if (response is null) return status == 404 && route.TakesIds ? null : $"status {status} of {route.Path} is not declared";

        foreach (var (name, header) in response["headers"]?.AsObject() ?? [])
            if ((bool?)Resolved(header)!["required"] == true && !answer.Headers.Contains(name) && !answer.Content.Headers.Contains(name)) return $"header {name} is missing";

        var type = answer.Content.Headers.ContentType?.MediaType;
        if (response["content"] is not JsonObject { Count: > 0 } content) return type is null || answer.Content.Headers.ContentLength == 0 ? null : $"content {type} is not declared";
        if (method == HttpMethod.Head) return null;
        if (type is null || content[type] is not { } media) return $"content type {type ?? "none"} is not one of {string.Join(", ", content.Select(one => one.Key))}";
        if (body is null || media["schema"] is not { } schema) return null;

        using var json = JsonDocument.Parse(body);
        if (status >= 400 && media["examples"] is JsonObject codes && json.RootElement.TryGetProperty("code", out var code) && !codes.ContainsKey(code.GetString()!))
            return $"code {code} is not listed for {status}";
        var result = SchemaOf(schema.ToJsonString()).Evaluate(json.RootElement, evaluating);
        return result.IsValid ? null : string.Join("\n", (result.Details ?? []).Where(detail => detail.Errors is { Count: > 0 })
            .SelectMany(detail => detail.Errors!.Select(error => $"{detail.InstanceLocation}: {error.Value} ({detail.EvaluationPath})")).Take(10));
    }

    private (Route Route, JsonNode Operation)? Find(HttpMethod method, string path)
    {
        var segments = path.Split('/');
        foreach (var route in routes[segments.Length])
            if (route.Takes(segments)) return route.Item[method.Method.ToLowerInvariant()] is { } operation ? (route, operation) : null;
        return null;
    }

    private JsonNode? Resolved(JsonNode? node) => (string?)node?["$ref"] is { } reference && reference.StartsWith(Components, StringComparison.Ordinal)
        ? reference[Components.Length..].Split('/').Aggregate(document["components"], (at, name) => at?[name])
        : node;

    private JsonSchema SchemaOf(string text) => schemas.GetOrAdd(text, _ => new Lazy<JsonSchema>(() => Build(text))).Value;

    private JsonSchema Build(string text)
    {
        var schema = JsonNode.Parse(Shared(text))!.AsObject();
        schema["$id"] = $"{Own}{Guid.NewGuid()}";
        lock (building) return JsonSchema.FromText(schema.ToJsonString(), building);
    }

    private static string Shared(string text) => text.Replace($"{Components}schemas/", $"{Own}components#/$defs/", StringComparison.Ordinal);

    private static bool IsParameter(string segment) => segment.StartsWith('{');

    private static string DocumentPath([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "..", "Architecture", "openapi.v1.json");

    private sealed record Route(string[] Segments, string Path, JsonObject Item)
    {
        public bool TakesIds => Segments.Any(IsParameter);

        public bool Takes(string[] path) => Segments.Zip(path).All(pair => IsParameter(pair.First) || pair.First == pair.Second);
    }
}

/// <summary>Holds every answer to the document.</summary>
internal sealed class ContractHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var answer = await base.SendAsync(request, cancellationToken);
        string? body = null;
        // What is streamed for as long as it takes is left to whoever asked.
        if (answer.Content.Headers.ContentType?.MediaType is "application/json" or "application/problem+json")
        {
            await answer.Content.LoadIntoBufferAsync(cancellationToken);
            body = await answer.Content.ReadAsStringAsync(cancellationToken);
        }
        var path = request.RequestUri!.AbsolutePath;
        if (Contract.Current.Breach(request.Method, path, answer, body) is { } breach)
            Assert.Fail($"{request.Method} {path} answered {(int)answer.StatusCode} otherwise than openapi.v1.json says: {breach}\n{body}");
        return answer;
    }
}
