using Microsoft.Extensions.Options;

namespace Volunteers.Features.Identity;

/// <summary>An application that the operator lets people sign in to, as <c>SignIn:Clients</c> names it.</summary>
internal sealed class RegisteredClient
{
    /// <summary>The client id, at most 100 characters.</summary>
    public string Id { get; init; } = "";

    /// <summary>What people read when they are asked to consent, at most 100 characters.</summary>
    public string Name { get; init; } = "";

    /// <summary>Of an application that can keep one, at least 32 characters; a public client has none.</summary>
    public string? Secret { get; init; }

    public IReadOnlyList<string> RedirectUris { get; init; } = [];

    public IReadOnlyList<string> PostLogoutRedirectUris { get; init; } = [];

    public bool IsNative => RedirectUris.Any(uri => new Uri(uri) is var target && (target.Scheme != Uri.UriSchemeHttps || target.IsLoopback));

    /// <summary>What is wrong with it; null when nothing is.</summary>
    public string? Mistake()
    {
        if (Id.Length is 0 or > 100 || Id.Any(c => c is <= ' ' or > '~')) return "Id takes 1 to 100 printable ASCII characters without spaces";
        if (Id is FirstPartyClients.Mobile or FirstPartyClients.Swagger || OrganizationClient.Read(Id) is not null) return "Id is taken by a client of the service itself";
        if (Name.Length is 0 or > 100 || Name.Any(char.IsControl)) return "Name takes 1 to 100 characters on one line";
        if (Secret is { Length: < 32 }) return "Secret takes at least 32 characters; leave it out for a public client";
        if (RedirectUris.Count == 0) return "RedirectUris must name at least one";
        return RedirectUris.Concat(PostLogoutRedirectUris).FirstOrDefault(uri => !IsGood(uri)) is { } bad
            ? $"'{bad}' is no redirect URI: https, http on this machine (127.0.0.1, localhost), or a scheme of the application's own such as org.example.app:/callback; no fragment, no wildcard"
            : null;
    }

    /// <summary>A scheme of its own is a reversed domain name (RFC 8252, 7.1): nothing that a browser would run.</summary>
    private static bool IsGood(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Fragment.Length == 0 && uri.UserInfo.Length == 0
        && !text.Contains('#', StringComparison.Ordinal) && !text.Contains('*', StringComparison.Ordinal)
        && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback) || uri.Scheme.Contains('.', StringComparison.Ordinal));
}

/// <summary>All that are configured.</summary>
internal sealed class RegisteredClients
{
    public const string Section = "SignIn:Clients";

    public IReadOnlyList<RegisteredClient> All { get; set; } = [];

    internal sealed class Validator : IValidateOptions<RegisteredClients>
    {
        public ValidateOptionsResult Validate(string? name, RegisteredClients options)
        {
            string[] mistakes =
            [
                .. options.All.Select((client, index) => client.Mistake() is { } mistake ? $"{Section}:{index}: {mistake}." : null).OfType<string>(),
                .. options.All.GroupBy(client => client.Id).Where(same => same.Count() > 1).Select(same => $"{Section}: '{same.Key}' stands there twice."),
            ];
            return mistakes.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
        }
    }
}
