using System.Globalization;
using OpenIddict.Abstractions;
using Volunteers.Platform;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Volunteers.Features.Identity;

/// <summary>The service's own clients: public, trusted without being asked about.</summary>
internal static class FirstPartyClients
{
    /// <summary>The mobile app: it may take the password itself, or leave that to the sign-in page.</summary>
    public const string Mobile = "volunteers-mobile";

    /// <summary>Swagger UI, at this service's own address.</summary>
    public const string Swagger = "volunteers-swagger";

    private static readonly CultureInfo Chinese = CultureInfo.GetCultureInfo("zh-CN");

    /// <summary>Makes them, and brings those of an earlier version up to date.</summary>
    public static async Task Ensure(IOpenIddictApplicationManager applications, CancellationToken ct)
    {
        foreach (var descriptor in new[] { MobileApp(), SwaggerUI() })
        {
            if (await applications.FindByClientIdAsync(descriptor.ClientId!, ct) is not { } there) await applications.CreateAsync(descriptor, ct);
            else await applications.UpdateAsync(there, descriptor, ct);
        }
    }

    private static OpenIddictApplicationDescriptor MobileApp() => new()
    {
        ClientId = Mobile,
        ClientType = ClientTypes.Public,
        ApplicationType = ApplicationTypes.Native,
        ConsentType = ConsentTypes.Implicit,
        DisplayName = Name("application_mobile", CultureInfo.InvariantCulture),
        DisplayNames = { [Chinese] = Name("application_mobile", Chinese) },
        // The second and the third are for development: an app on this very machine, on whatever port is free.
        RedirectUris = { new Uri("volunteers://callback"), new Uri("http://127.0.0.1/callback"), new Uri("http://localhost/callback") },
        PostLogoutRedirectUris = { new Uri("volunteers://signed-out") },
        Permissions =
        {
            Permissions.Endpoints.Token, Permissions.Endpoints.Revocation, Permissions.Endpoints.Authorization, Permissions.Endpoints.EndSession,
            Permissions.GrantTypes.Password, Permissions.GrantTypes.AuthorizationCode, Permissions.GrantTypes.RefreshToken, Permissions.ResponseTypes.Code,
            Permissions.Prefixes.Scope + SignInSetup.ApiScope,
        },
    };

    /// <summary>Without a redirect URI of its own: <see cref="SwaggerRedirect"/> knows it.</summary>
    private static OpenIddictApplicationDescriptor SwaggerUI() => new()
    {
        ClientId = Swagger,
        ClientType = ClientTypes.Public,
        ApplicationType = ApplicationTypes.Web,
        ConsentType = ConsentTypes.Implicit,
        DisplayName = Name("application_swagger", CultureInfo.InvariantCulture),
        DisplayNames = { [Chinese] = Name("application_swagger", Chinese) },
        Permissions =
        {
            Permissions.Endpoints.Token, Permissions.Endpoints.Authorization, Permissions.GrantTypes.AuthorizationCode, Permissions.ResponseTypes.Code,
            Permissions.Prefixes.Scope + SignInSetup.ApiScope,
        },
    };

    private static string Name(string code, CultureInfo language) => Messages.TitleIn(language, code);
}
