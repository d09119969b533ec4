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
    private const string SecondFactorCode = "second_factor_code";

    public static void MapTokens(this WebApplication app) =>
        app.MapPost("/connect/token", Exchange).ExcludeFromDescription().Costs(Cost.SignIn).SaysTooMany(SignInAttempts.SayTooMany);

    /// <summary>The authorization server has checked client, grant type, code or token by now; here the account is.</summary>
    private static async Task<IResult> Exchange(
        HttpContext http, SignInCheck check, SignInTrail trail, ClientSessions sessions, ClientApplications applications, UserManager<Account> accounts, VolunteersDb db,
        TimeProvider clock, CancellationToken ct)
    {
        var request = http.GetOpenIddictServerRequest()!;
        if (request.IsClientCredentialsGrantType())
        {
            if (!await applications.Allows(request.ClientId!, request.GetScopes(), ct))
                return TokenIdentity.Refuse(Errors.InvalidScope, "The client does not have all the scopes that it asks for.");
            if (OrganizationClient.Read(request.ClientId!) is { } client) await trail.Succeeded(client);
            return TokenIdentity.OfClient(request.ClientId!, request.GetScopes().DefaultIfEmpty(SignInSetup.ApiScope));
        }

        if (request.IsPasswordGrantType())
        {
            var from = SignInOrigin.Of(http, (string?)request.GetParameter(KnownDevices.Parameter));
            return await check.Password(request.Username, request.Password, (string?)request.GetParameter(SecondFactorCode), from, ct) switch
            {
                // Whose password was changed at this very moment has no longer the right one.
                SignInOutcome.Accepted accepted when await sessions.BeginWithPassword(http, accepted.Account, request, ct) is { } authorizationId =>
                    TokenIdentity.Begin(accepted.Account, request.GetScopes(), authorizationId, clock.GetUtcNow(), accepted.DeviceToken),
                SignInOutcome.SecondFactorNeeded => Refuse("The password is right. Send a code of the second factor as second_factor_code, too.", "second_factor_required"),
                SignInOutcome.SecondFactorWrong => Refuse("The password is right, the code of the second factor is wrong or used.", "second_factor_wrong"),
                _ => Refuse("The login or the password is wrong, or it is too early to try again."),
            };
        }

        // A code is as good once as a refresh token is: whoever brings it a second time may have stolen it.
        var earlier = (await http.AuthenticateAsync(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme)).Principal!;
        if (!await db.Redeem(Guid.Parse(earlier.GetTokenId()!), clock.GetUtcNow(), ct))
        {
            await db.EndFamily(earlier.GetAuthorizationId(), ct);
            trail.Refused(Guid.Parse(earlier.GetClaim(Claims.Subject)!), "token_replayed", "refresh");
            return Refuse("The code or the refresh token was used already.");
        }
        await db.RenewClientSession(earlier.GetAuthorizationId(), clock.GetUtcNow(), ct);
        return await accounts.FindByIdAsync(earlier.GetClaim(Claims.Subject)!) is { } owner
            ? TokenIdentity.Continue(owner, earlier)
            : Refuse("The account is gone.");
    }

    private static Microsoft.AspNetCore.Http.HttpResults.ForbidHttpResult Refuse(string description, string? code = null) =>
        TokenIdentity.Refuse(Errors.InvalidGrant, description, code);
}
