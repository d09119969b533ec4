using System.Security.Claims;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;
using OpenIddict.Abstractions;
using OpenIddict.Server.AspNetCore;
using Volunteers.Data;
using Volunteers.Platform;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Volunteers.Features.Identity;

internal static class TokenEndpoint
{
    public static void MapTokens(this WebApplication app) =>
        app.MapPost("/connect/token", Exchange).ExcludeFromDescription().Costs(Cost.SignIn).SaysTooMany(SignInAttempts.SayTooMany);

    /// <summary>The authorization server has checked client, grant type and token by now; here the account is.</summary>
    private static async Task<IResult> Exchange(
        HttpContext http, SignInCheck check, ClientApplications applications, UserManager<Account> accounts, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var request = http.GetOpenIddictServerRequest()!;
        if (request.IsClientCredentialsGrantType())
        {
            return await applications.Allows(request.ClientId!, request.GetScopes(), ct)
                ? SignIn(request.ClientId!, request.ClientId!, request.GetScopes().DefaultIfEmpty(SignInSetup.ApiScope))
                : Refuse("The client does not have all the scopes that it asks for.", Errors.InvalidScope);
        }

        if (request.IsPasswordGrantType())
        {
            return await check.Password(request.Username, request.Password, ct) is SignInOutcome.Accepted { Account: var account }
                ? SignIn(account.Id.ToString(), account.DisplayName, request.GetScopes())
                : Refuse("The login or the password is wrong, or the account is locked for some minutes.");
        }

        var refreshed = (await http.AuthenticateAsync(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme)).Principal!;
        if (!await db.Redeem(Guid.Parse(refreshed.GetTokenId()!), clock.GetUtcNow(), ct))
        {
            await db.EndFamily(refreshed.GetAuthorizationId(), ct);
            return Refuse("The refresh token was used already.");
        }
        return await accounts.FindByIdAsync(refreshed.GetClaim(Claims.Subject)!) is { } owner
            ? SignIn(owner.Id.ToString(), owner.DisplayName, refreshed.GetScopes(), refreshed)
            : Refuse("The account is gone.");
    }

    private static Microsoft.AspNetCore.Http.HttpResults.SignInHttpResult SignIn(
        string subject, string name, IEnumerable<string> scopes, ClaimsPrincipal? refreshed = null)
    {
        // A refreshed identity keeps the authorization it came from: that is the family a replay revokes.
        var identity = new ClaimsIdentity(refreshed?.Claims, "token", Claims.Name, Claims.Role);
        identity.SetClaim(Claims.Subject, subject).SetClaim(Claims.Name, name).SetScopes(scopes);
        identity.SetResources(SignInSetup.ApiScope);
        identity.SetDestinations(claim => claim.Type is Claims.Name ? [Destinations.IdentityToken] : [Destinations.AccessToken]);
        return TypedResults.SignIn(new ClaimsPrincipal(identity), properties: null, OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
    }

    private static Microsoft.AspNetCore.Http.HttpResults.ForbidHttpResult Refuse(string description, string error = Errors.InvalidGrant) => TypedResults.Forbid(
        new AuthenticationProperties(new Dictionary<string, string?>
        {
            [OpenIddictServerAspNetCoreConstants.Properties.Error] = error,
            [OpenIddictServerAspNetCoreConstants.Properties.ErrorDescription] = description,
        }),
        [OpenIddictServerAspNetCoreDefaults.AuthenticationScheme]);
}
