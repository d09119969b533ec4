using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Volunteers.Platform;

namespace Volunteers.Features.Identity;

/// <summary>
/// The authorization request that a sign-in is for, as an address of this service: the only place that the sign-in pages go
/// back to.
/// </summary>
internal sealed class ReturnUrl
{
    public const string Authorize = "/connect/authorize";

    private const int Longest = 6000;

    private readonly Dictionary<string, StringValues> parameters;

    private ReturnUrl(HttpContext http, IEnumerable<KeyValuePair<string, StringValues>> parameters)
    {
        this.parameters = HtmlForm.Own(parameters).OrderBy(parameter => parameter.Key, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        Value = http.Request.PathBase + Authorize + QueryString.Create(this.parameters);
    }

    /// <summary>Path and query, always in the same order.</summary>
    public string Value { get; }

    public IEnumerable<KeyValuePair<string, string?>> Parameters =>
        parameters.SelectMany(parameter => parameter.Value, (parameter, value) => KeyValuePair.Create(parameter.Key, value));

    public string? this[string parameter] => parameters.TryGetValue(parameter, out var values) ? values.ToString() : null;

    /// <summary>The authorization request that is being answered.</summary>
    public static ReturnUrl Of(HttpContext http) => new(http, HtmlForm.Parameters(http));

    /// <summary>Null for whatever is not an authorization request of this service.</summary>
    public static ReturnUrl? Parse(HttpContext http, string? text)
    {
        var start = http.Request.PathBase + Authorize + "?";
        if (text is not { Length: <= Longest } || !text.StartsWith(start, StringComparison.Ordinal)) return null;
        var parameters = QueryHelpers.ParseQuery(text[(start.Length - 1)..]);
        return parameters.Any(parameter => parameter.Key.Contains('\0', StringComparison.Ordinal) || parameter.Value.Any(value => value!.Contains('\0', StringComparison.Ordinal)))
            ? null
            : new ReturnUrl(http, parameters);
    }
}
