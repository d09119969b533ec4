using System.Security.Claims;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;
using OpenIddict.Abstractions;
using OpenIddict.Server.AspNetCore;
using Volunteers.Data;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Volunteers.Features.Identity;

internal static class TokenEndpoint
{
    private const string SecondFactorCode = "second_factor_code";

    public static void MapTokens(this WebApplication app) =>
        app.MapPost("/connect/token", Exchange).ExcludeFromDescription();

    /// <summary>The authorization server has checked client, grant type and token by now; here the account is.</summary>
    private static async Task<IResult> Exchange(
        HttpContext http, SignInCheck check, UserManager<Account> accounts, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var request = http.GetOpenIddictServerRequest()!;
        if (request.IsClientCredentialsGrantType()) return SignIn(request.ClientId!, request.ClientId!, request.GetScopes());

        if (request.IsPasswordGrantType())
        {
            var from = SignInOrigin.Of(http, (string?)request.GetParameter(KnownDevices.Parameter));
            return await check.Password(request.Username, request.Password, (string?)request.GetParameter(SecondFactorCode), from, ct) switch
            {
                SignInOutcome.Accepted accepted => SignIn(accepted.Account.Id.ToString(), accepted.Account.DisplayName, request.GetScopes(), deviceToken: accepted.DeviceToken),
                SignInOutcome.SecondFactorNeeded => Refuse("The password is right. Send a code of the second factor as second_factor_code, too.", "second_factor_required"),
                SignInOutcome.SecondFactorWrong => Refuse("The password is right, the code of the second factor is wrong or used.", "second_factor_wrong"),
                _ => Refuse("The login or the password is wrong, or it is too early to try again."),
            };
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
        string subject, string name, IEnumerable<string> scopes, ClaimsPrincipal? refreshed = null, string? deviceToken = null)
    {
        // A refreshed identity keeps the authorization it came from: that is the family a replay revokes.
        var identity = new ClaimsIdentity(refreshed?.Claims, "token", Claims.Name, Claims.Role);
        identity.SetClaim(Claims.Subject, subject).SetClaim(Claims.Name, name).SetScopes(scopes);
        identity.SetResources(SignInSetup.ApiScope);
        identity.SetDestinations(claim => claim.Type is Claims.Name ? [Destinations.IdentityToken] : [Destinations.AccessToken]);
        var properties = new AuthenticationProperties();
        if (deviceToken is not null) properties.SetParameter(KnownDevices.Parameter, deviceToken);
        return TypedResults.SignIn(new ClaimsPrincipal(identity), properties, OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
    }

    private static Microsoft.AspNetCore.Http.HttpResults.ForbidHttpResult Refuse(string description, string? code = null) => TypedResults.Forbid(
        new AuthenticationProperties(
            new Dictionary<string, string?>
            {
                [OpenIddictServerAspNetCoreConstants.Properties.Error] = Errors.InvalidGrant,
                [OpenIddictServerAspNetCoreConstants.Properties.ErrorDescription] = description,
            },
            // A program reads the code, not the description.
            code is null ? null : new Dictionary<string, object?> { ["error_code"] = code }),
        [OpenIddictServerAspNetCoreDefaults.AuthenticationScheme]);
}
