using System.Collections.Frozen;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.Extensions.Primitives;

namespace Volunteers.Platform;

/// <summary>
/// Refuses query parameters that the operation does not document, a second value for one that takes a single one, and
/// values that PostgreSQL could not hold. Reads the same description that the OpenAPI document is written from. Words of
/// an enum are handed on in the spelling of its members, the only one that the framework binds.
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
            var bound = new Dictionary<string, StringValues>(StringComparer.OrdinalIgnoreCase);
            foreach (var (name, values) in http.Request.Query)
            {
                if (!parameters.TryGetValue(name, out var type)) throw RuleBreach.Malformed("unknown_parameter", "/" + name, name);
                if (values.Count > 1 || !TryBind(values[0], Nullable.GetUnderlyingType(type) ?? type, out var value))
                    throw RuleBreach.Malformed("malformed_parameter", "/" + name, name);
                bound.Add(name, value);
            }
            // The query string itself stays as it came.
            http.Features.Set<IQueryFeature>(new QueryFeature(new QueryCollection(bound)));
        }
        return next(http);
    }

    private static bool TryBind(string? value, Type type, out string? bound)
    {
        bound = value;
        if (value is null) return true;
        if (value.Contains('\0', StringComparison.Ordinal)) return false;
        if (type == typeof(DateTimeOffset))
        {
            // In UTC, the only offset that PostgreSQL takes.
            bound = Instant.TryParse(value, out var instant) ? instant.UtcDateTime.ToString("O", CultureInfo.InvariantCulture) : null;
            return bound is not null;
        }
        if (!type.IsEnum) return type != typeof(DateOnly) || Instant.TryParseDay(value, out _);
        bound = Enum.GetNames(type).FirstOrDefault(name => JsonNamingPolicy.CamelCase.ConvertName(name) == value);
        return bound is not null;
    }
}
