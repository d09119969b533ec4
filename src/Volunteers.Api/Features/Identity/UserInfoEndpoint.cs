using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;
using OpenIddict.Abstractions;
using OpenIddict.Server.AspNetCore;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Volunteers.Features.Identity;

/// <summary>OpenID Connect Core, 5.3: who the bearer of an access token is. A name only for who was granted the profile.</summary>
internal static class UserInfoEndpoint
{
    public const string Path = "/connect/userinfo";

    public static void MapUserInfo(this WebApplication app) =>
        app.MapMethods(Path, [HttpMethods.Get, HttpMethods.Post], Show).ExcludeFromDescription();

    private static async Task<IResult> Show(HttpContext http, UserManager<Account> accounts)
    {
        var bearer = (await http.AuthenticateAsync(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme)).Principal!;
        if (!bearer.HasScope(Scopes.OpenId)) return TokenIdentity.Refuse(Errors.InsufficientScope, "The openid scope was not granted.");
        // A client that acts for an organization is nobody's account.
        if (!Guid.TryParse(bearer.GetClaim(Claims.Subject), out var id) || await accounts.FindByIdAsync(id.ToString()) is not { } account)
            return TokenIdentity.Refuse(Errors.InvalidToken, "The account is gone.");

        var claims = new JsonObject { [Claims.Subject] = account.Id.ToString() };
        if (bearer.HasScope(Scopes.Profile)) claims[Claims.Name] = account.DisplayName;
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Json(claims);
    }
}
