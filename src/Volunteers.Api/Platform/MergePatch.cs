using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using FluentValidation;
using Microsoft.AspNetCore.Http.Metadata;

namespace Volunteers.Platform;

/// <summary>
/// RFC 7396: members that are sent replace, null removes, the rest stays. What comes out is a whole request again and is
/// validated like one.
/// </summary>
internal sealed class MergePatch<T>(JsonObject patch, IServiceProvider services) : IEndpointParameterMetadataProvider where T : notnull
{
    public const string ContentType = "application/merge-patch+json";

    public async Task<T> ApplyTo(T current, CancellationToken ct)
    {
        T changed;
        try
        {
            changed = Merge(JsonSerializer.SerializeToNode(current, Json.Options), patch).Deserialize<T>(Json.Options)!;
        }
        // Half a surrogate pair shows as an invalid operation, only when the text is used.
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            throw new BadHttpRequestException("The patch does not fit.", StatusCodes.Status400BadRequest, unreadable);
        }
        if (services.GetService<IValidator<T>>() is { } validator) await Validation.Check(validator, changed, ct);
        return changed;
    }

    public static async ValueTask<MergePatch<T>?> BindAsync(HttpContext http)
    {
        if (!http.Request.HasJsonContentType())
            throw new BadHttpRequestException("Not JSON.", StatusCodes.Status415UnsupportedMediaType);
        try
        {
            // An element is read whole here; an object would notice a member named twice only when it is used.
            var patch = await http.Request.ReadFromJsonAsync<JsonElement>(Json.Options, http.RequestAborted);
            return patch.ValueKind == JsonValueKind.Object
                ? new MergePatch<T>(JsonObject.Create(patch)!, http.RequestServices)
                : throw new JsonException();
        }
        catch (JsonException unreadable)
        {
            throw new BadHttpRequestException("Malformed JSON.", StatusCodes.Status400BadRequest, unreadable);
        }
    }

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new AcceptsMetadata([ContentType, "application/json"], typeof(T)));

    private static JsonNode? Merge(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonObject changes) return patch?.DeepClone();
        var merged = target is JsonObject existing ? (JsonObject)existing.DeepClone() : [];
        foreach (var (name, value) in changes)
        {
            if (value is not null) merged[name] = Merge(merged[name], value);
            // Null for a member that does not exist would otherwise hide a misspelling.
            else if (!merged.Remove(name) && target is JsonObject) throw new JsonException(null, "$." + name, null, null);
        }
        return merged;
    }
}
