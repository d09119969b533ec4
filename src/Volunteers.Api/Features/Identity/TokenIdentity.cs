using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;
using OpenIddict.Abstractions;
using OpenIddict.Server.AspNetCore;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Volunteers.Features.Identity;

/// <summary>What tokens say: who, and by which sign-in. Neither roles nor personal data; a name only for who asked for the profile.</summary>
internal static class TokenIdentity
{
    /// <summary>The first tokens of a sign-in.</summary>
    public static SignInHttpResult Begin(Account account, IEnumerable<string> scopes, Guid authorizationId, DateTimeOffset signedInAt, string? deviceToken = null)
    {
        var identity = New(null);
        identity.SetAuthorizationId(authorizationId.ToString());
        identity.SetClaim(Claims.AuthenticationTime, signedInAt.ToUnixTimeSeconds());
        return Issue(identity, account.Id.ToString(), account.DisplayName, scopes, deviceToken);
    }

    /// <summary>A refreshed identity keeps the authorization it came from: that is the family a replay revokes.</summary>
    public static SignInHttpResult Continue(Account account, ClaimsPrincipal from) =>
        Issue(New(from), account.Id.ToString(), account.DisplayName, from.GetScopes());

    public static SignInHttpResult OfClient(string clientId, IEnumerable<string> scopes) => Issue(New(null), clientId, clientId, scopes);

    /// <summary>An error as RFC 6749 says, to wherever the request came from.</summary>
    public static ForbidHttpResult Refuse(string error, string description, string? code = null) => TypedResults.Forbid(
        new AuthenticationProperties(
            new Dictionary<string, string?>
            {
                [OpenIddictServerAspNetCoreConstants.Properties.Error] = error,
                [OpenIddictServerAspNetCoreConstants.Properties.ErrorDescription] = description,
            },
            // A program reads the code, not the description.
            code is null ? null : new Dictionary<string, object?> { ["error_code"] = code }),
        [OpenIddictServerAspNetCoreDefaults.AuthenticationScheme]);

    private static ClaimsIdentity New(ClaimsPrincipal? from) => new(from?.Claims, "token", Claims.Name, Claims.Role);

    private static SignInHttpResult Issue(ClaimsIdentity identity, string subject, string name, IEnumerable<string> scopes, string? deviceToken = null)
    {
        identity.SetClaim(Claims.Subject, subject).SetClaim(Claims.Name, name).SetScopes(scopes);
        identity.SetResources(SignInSetup.ApiScope);
        identity.SetDestinations(claim => claim.Type switch
        {
            Claims.Name => claim.Subject!.HasScope(Scopes.Profile) ? [Destinations.IdentityToken] : [],
            Claims.AuthenticationTime => [Destinations.IdentityToken],
            _ => [Destinations.AccessToken],
        });
        var properties = new AuthenticationProperties();
        if (deviceToken is not null) properties.SetParameter(KnownDevices.Parameter, deviceToken);
        return TypedResults.SignIn(new ClaimsPrincipal(identity), properties, OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
    }
}
