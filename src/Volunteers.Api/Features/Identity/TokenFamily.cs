using Microsoft.EntityFrameworkCore;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using Volunteers.Data;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;
using static OpenIddict.Server.OpenIddictServerHandlers;

namespace Volunteers.Features.Identity;

/// <summary>
/// Every token that descends from one sign-in. They hang on one authorization and end with it, also those that are being
/// made at that moment.
/// </summary>
internal static class TokenFamily
{
    /// <summary>Uses a code or a refresh token up; false if somebody else did, and be it at the same moment.</summary>
    public static async Task<bool> Redeem(this VolunteersDb db, Guid tokenId, DateTimeOffset now, CancellationToken ct) =>
        await db.Database.ExecuteSqlAsync(
            $"update openiddict_tokens set status = 'redeemed', redemption_date = {now} where id = {tokenId} and status = 'valid'", ct) == 1;

    public static async Task EndFamily(this VolunteersDb db, string? authorizationId, CancellationToken ct)
    {
        if (!Guid.TryParse(authorizationId, out var id)) return;
        await db.Database.ExecuteSqlAsync($"update openiddict_authorizations set status = 'revoked' where id = {id}", ct);
    }

    public static void EndFamilies(this OpenIddictServerBuilder server)
    {
        server.AddEventHandler<ValidateTokenContext>(handler => handler
            .UseScopedHandler<Replay>().SetOrder(Protection.ValidateTokenEntry.Descriptor.Order - 1));
        server.AddEventHandler<HandleRevocationRequestContext>(handler => handler
            .UseScopedHandler<SignOut>().SetOrder(Revocation.RevokeToken.Descriptor.Order + 1));
    }

    /// <summary>The server itself ends the tokens there are, but not one that is about to be made at the same moment.</summary>
    private sealed class Replay(IOpenIddictTokenManager tokens, VolunteersDb db, SignInTrail trail) : IOpenIddictServerHandler<ValidateTokenContext>
    {
        public async ValueTask HandleAsync(ValidateTokenContext context)
        {
            if (context.TokenId is not { } id) return;
            if (!context.Principal!.HasTokenType(TokenTypeIdentifiers.RefreshToken) && !context.Principal!.HasTokenType(TokenTypeIdentifiers.Private.AuthorizationCode)) return;
            if (await tokens.FindByIdAsync(id, context.CancellationToken) is { } token
                && await tokens.HasStatusAsync(token, Statuses.Redeemed, context.CancellationToken))
            {
                await db.EndFamily(context.AuthorizationId, context.CancellationToken);
                if (Guid.TryParse(context.Principal!.GetClaim(Claims.Subject), out var account)) trail.Refused(account, "token_replayed", "refresh");
            }
        }
    }

    /// <summary>RFC 7009, 2.1: with a refresh token, the access tokens that came with it are revoked too.</summary>
    private sealed class SignOut(VolunteersDb db) : IOpenIddictServerHandler<HandleRevocationRequestContext>
    {
        public async ValueTask HandleAsync(HandleRevocationRequestContext context)
        {
            if (context.GenericTokenPrincipal.HasTokenType(TokenTypeIdentifiers.RefreshToken))
                await db.EndFamily(context.GenericTokenPrincipal.GetAuthorizationId(), context.CancellationToken);
        }
    }
}
