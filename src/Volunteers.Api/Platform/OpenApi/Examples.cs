using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace Volunteers.Platform.OpenApi;

/// <summary>One true example for each request and answer, by the name of its schema, and for each parameter, by its name; kept in <c>Examples.json</c>.</summary>
internal static class Examples
{
    private static readonly Lazy<JsonObject> All = new(() =>
    {
        using var file = typeof(Examples).Assembly.GetManifestResourceStream("Volunteers.Platform.OpenApi.Examples.json")!;
        return JsonNode.Parse(file)!.AsObject();
    });

    /// <summary>What a parameter may be, by its name; those of the same name mean the same.</summary>
    public static JsonNode? OfParameter(string name, string? format = null) => (All.Value["parameters"]![$"{name} ({format})"] ?? All.Value["parameters"]![name])?.DeepClone();

    public static void AddTo(OpenApiOperation operation)
    {
        foreach (var body in operation.RequestBody?.Content?.Values ?? [])
            body.Example ??= Of((body.Schema as OpenApiSchemaReference)?.Reference.Id);
        foreach (var response in operation.Responses!.Where(response => response.Key.StartsWith('2')))
            foreach (var (mediaType, content) in response.Value.Content ?? new Dictionary<string, OpenApiMediaType>())
                if (mediaType == "application/json") content.Example ??= Of((content.Schema as OpenApiSchemaReference)?.Reference.Id);
    }

    private static JsonNode? Of(string? schema)
    {
        if (schema is null) return null;
        if (All.Value[schema] is { } example) return example.DeepClone();
        return schema.EndsWith("Page", StringComparison.Ordinal) && All.Value[schema[..^"Page".Length]] is { } item
            ? new JsonObject { ["items"] = new JsonArray(item.DeepClone()), ["next"] = null }
            : null;
    }
}
