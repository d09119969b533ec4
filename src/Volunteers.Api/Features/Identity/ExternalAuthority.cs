using System.Text.RegularExpressions;
using Volunteers.Platform;

namespace Volunteers.Features.Identity;

/// <summary>What an authority says of a person that may find their account here the first time.</summary>
internal enum LinkClaim
{
    /// <summary>Nothing: people link their account themselves, once they are signed in.</summary>
    None,

    /// <summary><c>email</c> with <c>email_verified</c>.</summary>
    Email,

    /// <summary><c>phone_number</c> with <c>phone_number_verified</c>.</summary>
    PhoneNumber,
}

/// <summary>An OpenID Connect authority of somebody else's that people may sign in at, as <c>SignIn:External</c> names it.</summary>
/// <param name="Id">What it is called here: stands in the address that it sends browsers back to.</param>
/// <param name="DisplayName">What people read on the button.</param>
/// <param name="Issuer">Its address, exactly as its discovery document writes it.</param>
/// <param name="ClientId">Of this service, there.</param>
/// <param name="ClientSecret">Null where this service is a public client; PKCE is used either way.</param>
/// <param name="LinkBy">What finds the account of somebody who comes for the first time.</param>
internal sealed partial record ExternalAuthority(string Id, string DisplayName, Uri Issuer, string ClientId, string? ClientSecret, LinkClaim LinkBy)
{
    public const string Section = "SignIn:External";

    private static readonly string[] Known = [nameof(Id), nameof(DisplayName), "Authority", nameof(ClientId), nameof(ClientSecret), nameof(LinkBy)];

    /// <exception cref="StartupRefused">Something is missing or cannot be meant.</exception>
    public static IReadOnlyList<ExternalAuthority> Read(IConfiguration configuration)
    {
        ExternalAuthority[] all = [.. configuration.GetSection(Section).GetChildren().Select(ReadOne)];
        if (all.GroupBy(authority => authority.Id).FirstOrDefault(same => same.Count() > 1) is { } id)
            throw new StartupRefused($"{Section}: the Id '{id.Key}' stands there twice.");
        // Accounts are linked to what an issuer calls somebody, and one issuer may call them differently for each client.
        if (all.GroupBy(authority => authority.Issuer.AbsoluteUri.TrimEnd('/')).FirstOrDefault(same => same.Count() > 1) is { } issuer)
            throw new StartupRefused($"{Section}: the Authority '{issuer.Key}' stands there twice.");
        return all;
    }

    private static ExternalAuthority ReadOne(IConfigurationSection section)
    {
        if (section.GetChildren().Select(setting => setting.Key).FirstOrDefault(key => !Known.Contains(key, StringComparer.OrdinalIgnoreCase)) is { } unknown)
            throw Refused($"{unknown} is no setting; there are {string.Join(", ", Known)}");
        var id = section[nameof(Id)] ?? "";
        if (!GoodId().IsMatch(id)) throw Refused("Id takes 1 to 40 of a-z, 0-9 and -; it stands in an address");
        var displayName = section[nameof(DisplayName)] ?? "";
        if (displayName.Length is 0 or > 100 || displayName.Any(char.IsControl)) throw Refused("DisplayName takes 1 to 100 characters on one line: people read it on a button");
        if (!Uri.TryCreate(section["Authority"], UriKind.Absolute, out var issuer) || !(issuer.Scheme == "https" || (issuer.Scheme == "http" && issuer.IsLoopback))
            || issuer.Query.Length > 0 || issuer.Fragment.Length > 0 || issuer.UserInfo.Length > 0)
            throw Refused("Authority must be the https address that the authority's discovery document calls its issuer (http on this machine only), without query or fragment");
        if (issuer.AbsolutePath.EndsWith("/.well-known/openid-configuration", StringComparison.Ordinal))
            throw Refused("Authority is the issuer, which the address of the discovery document begins with: leave /.well-known/openid-configuration out");
        var clientId = section[nameof(ClientId)] ?? "";
        if (clientId.Length is 0 or > 500) throw Refused("ClientId must be what the authority calls this service");
        var linkBy = (section[nameof(LinkBy)] ?? "").ToLowerInvariant() switch
        {
            "email" => LinkClaim.Email,
            "phonenumber" => LinkClaim.PhoneNumber,
            "none" => LinkClaim.None,
            _ => throw Refused("LinkBy must say what finds the account of somebody who comes for the first time: email, phoneNumber (each only where the authority has verified it), or none"),
        };
        return new ExternalAuthority(id, displayName, issuer, clientId, section[nameof(ClientSecret)] is { Length: > 0 } secret ? secret : null, linkBy);

        StartupRefused Refused(string mistake) => new($"{section.Path}: {mistake}.");
    }

    [GeneratedRegex(@"\A[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?\z")]
    private static partial Regex GoodId();
}

/// <summary>All that are configured, in that order.</summary>
internal sealed class ExternalAuthorities(IReadOnlyList<ExternalAuthority> all)
{
    public IReadOnlyList<ExternalAuthority> All { get; } = all;

    public ExternalAuthority? Find(string? id) => All.FirstOrDefault(authority => authority.Id == id);

    /// <summary>As it calls itself in what it signs; whether a slash stands at the end is the one thing that people get wrong.</summary>
    public ExternalAuthority? FindByIssuer(string issuer) => All.FirstOrDefault(authority => authority.Issuer.AbsoluteUri.TrimEnd('/') == issuer.TrimEnd('/'));
}
