using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
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
    private const string LoginHint = "login_hint";
    private const string Sealed = "sealed.";

    private readonly Dictionary<string, StringValues> parameters;
    private readonly IDataProtector protector;

    private ReturnUrl(HttpContext http, IEnumerable<KeyValuePair<string, StringValues>> parameters)
    {
        this.parameters = HtmlForm.Own(parameters).OrderBy(parameter => parameter.Key, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        protector = http.RequestServices.GetRequiredService<IDataProtectionProvider>().CreateProtector("Volunteers.LoginHints");
        HideLogin();
        Value = http.Request.PathBase + Authorize + QueryString.Create(this.parameters);
    }

    /// <summary>Path and query, always in the same order.</summary>
    public string Value { get; }

    public IEnumerable<KeyValuePair<string, string?>> Parameters =>
        parameters.SelectMany(parameter => parameter.Value, (parameter, value) => KeyValuePair.Create(parameter.Key, value));

    /// <summary>With which login, as the application believes; null when it does not say, or not in a way that we can read.</summary>
    public string? Login
    {
        get
        {
            if (this[LoginHint] is not { } text || !text.StartsWith(Sealed, StringComparison.Ordinal) || !Base64Url.IsValid(text.AsSpan(Sealed.Length))) return null;
            try
            {
                return Encoding.UTF8.GetString(protector.Unprotect(Base64Url.DecodeFromChars(text.AsSpan(Sealed.Length))));
            }
            catch (CryptographicException)
            {
                return null;
            }
        }
    }

    public string? this[string parameter] => parameters.TryGetValue(parameter, out var values) ? values.ToString() : null;

    /// <summary>The authorization request that is being answered.</summary>
    public static ReturnUrl Of(HttpContext http) => new(http, HtmlForm.Parameters(http));

    /// <summary>An application may name a login in its request; our own addresses, which browsers and proxies remember, carry it sealed.</summary>
    private void HideLogin()
    {
        if (this[LoginHint] is not { } hint || hint.StartsWith(Sealed, StringComparison.Ordinal)) return;
        if (hint.Length is > 0 and <= 254) parameters[LoginHint] = Sealed + Base64Url.EncodeToString(protector.Protect(Encoding.UTF8.GetBytes(hint)));
        else parameters.Remove(LoginHint);
    }

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
