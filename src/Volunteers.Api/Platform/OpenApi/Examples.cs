using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace Volunteers.Platform.OpenApi;

/// <summary>
/// One true example for each request and answer, by the name of its schema, and for each parameter, by its name; kept in <c>Examples.json</c>. Where
/// an operation answers otherwise, such as what it has just cancelled, <c>answers</c> says by the operation's name what is different.
/// </summary>
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
                if (mediaType == "application/json") content.Example ??= Changed(Of((content.Schema as OpenApiSchemaReference)?.Reference.Id), All.Value["answers"]![operation.OperationId!]);
    }

    /// <summary>Member by member, and item by item where both have as many; everything else is replaced.</summary>
    private static JsonNode? Changed(JsonNode? example, JsonNode? otherwise)
    {
        switch (example, otherwise)
        {
            case (_, null):
                return example;
            case (JsonObject members, JsonObject changes):
                foreach (var (name, change) in changes) members[name] = change is null ? null : Changed(members[name]?.DeepClone(), change);
                return members;
            case (JsonArray items, JsonArray changes) when items.Count == changes.Count:
                return new JsonArray([.. items.Zip(changes, (item, change) => Changed(item?.DeepClone(), change))]);
            default:
                return otherwise.DeepClone();
        }
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
