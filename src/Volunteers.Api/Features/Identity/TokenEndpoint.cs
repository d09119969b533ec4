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
    public static void MapTokens(this WebApplication app) =>
        app.MapPost("/connect/token", Exchange).ExcludeFromDescription();

    /// <summary>The authorization server has checked client, grant type, code or token by now; here the account is.</summary>
    private static async Task<IResult> Exchange(
        HttpContext http, SignInCheck check, ClientSessions sessions, UserManager<Account> accounts, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var request = http.GetOpenIddictServerRequest()!;
        if (request.IsClientCredentialsGrantType()) return TokenIdentity.OfClient(request.ClientId!, request.GetScopes());

        if (request.IsPasswordGrantType())
        {
            return await check.Password(request.Username, request.Password, ct) is SignInOutcome.Accepted { Account: var account }
                ? TokenIdentity.Begin(account, request.GetScopes(), await sessions.BeginWithPassword(http, account, request, ct), clock.GetUtcNow())
                : Refuse("The login or the password is wrong, or the account is locked for some minutes.");
        }

        // A code is as good once as a refresh token is: whoever brings it a second time may have stolen it.
        var from = (await http.AuthenticateAsync(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme)).Principal!;
        if (!await db.Redeem(Guid.Parse(from.GetTokenId()!), clock.GetUtcNow(), ct))
        {
            await db.EndFamily(from.GetAuthorizationId(), ct);
            return Refuse("The code or the refresh token was used already.");
        }
        await db.RenewClientSession(from.GetAuthorizationId(), clock.GetUtcNow(), ct);
        return await accounts.FindByIdAsync(from.GetClaim(Claims.Subject)!) is { } owner
            ? TokenIdentity.Continue(owner, from)
            : Refuse("The account is gone.");
    }

    private static Microsoft.AspNetCore.Http.HttpResults.ForbidHttpResult Refuse(string description) =>
        TokenIdentity.Refuse(Errors.InvalidGrant, description);
}
