using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Mvc.ModelBinding;

namespace Volunteers.Platform;

/// <summary>
/// Refuses query parameters that the operation does not document, a second value for one that takes a single one, and
/// values that PostgreSQL could not hold. Reads the same description that the OpenAPI document is written from.
/// </summary>
internal sealed class QueryGuard(RequestDelegate next, IApiDescriptionGroupCollectionProvider descriptions)
{
    private readonly Lazy<FrozenDictionary<MethodInfo, FrozenDictionary<string, Type>>> known = new(() => descriptions.ApiDescriptionGroups.Items
        .SelectMany(group => group.Items)
        .Select(api => (method: api.ActionDescriptor.EndpointMetadata.OfType<MethodInfo>().LastOrDefault(), api))
        .Where(entry => entry.method is not null)
        .DistinctBy(entry => entry.method)
        .ToFrozenDictionary(entry => entry.method!, entry => entry.api.ParameterDescriptions
            .Where(parameter => parameter.Source == BindingSource.Query)
            .ToFrozenDictionary(parameter => JsonNamingPolicy.CamelCase.ConvertName(parameter.Name), parameter => parameter.Type ?? typeof(string), StringComparer.Ordinal)));

    public Task Invoke(HttpContext http)
    {
        if (http.Request.Query.Count > 0
            && http.GetEndpoint()?.Metadata.OfType<MethodInfo>().LastOrDefault() is { } method
            && known.Value.TryGetValue(method, out var parameters))
        {
            foreach (var (name, values) in http.Request.Query)
            {
                if (!parameters.TryGetValue(name, out var type)) throw RuleBreach.Malformed("unknown_parameter", "/" + name, name);
                if (values.Count > 1 || (values[0] is { } value && !Fits(value, type))) throw RuleBreach.Malformed("malformed_parameter", "/" + name, name);
            }
        }
        return next(http);
    }

    private static bool Fits(string value, Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (value.Contains('\0', StringComparison.Ordinal)) return false;
        // The framework would take 0, 1, 2 … and any spelling for an enum.
        if (type.IsEnum) return Enum.GetNames(type).Any(name => JsonNamingPolicy.CamelCase.ConvertName(name) == value);
        return type != typeof(DateOnly) || Instant.TryParseDay(value, out _);
    }
}
