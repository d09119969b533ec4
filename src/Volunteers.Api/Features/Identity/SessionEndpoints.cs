using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OpenIddict.Abstractions;
using OpenIddict.EntityFrameworkCore.Models;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Identity;

internal static class SessionEndpoints
{
    public static void MapSessions(this RouteGroupBuilder v1)
    {
        var sessions = v1.MapGroup("/me/sessions").WithTags("Me").Allows(Access.Account);

        sessions.MapGet("", List).WithName("listMySessions").ShowsNoPersonalData();
        sessions.MapDelete("", EndOthers).WithName("endMyOtherSessions");
        sessions.MapDelete("/{sessionId:guid}", End).WithName("endMySession").RefusesWith(404);
    }

    /// <summary>Lists where the caller is signed in: browsers at the sign-in page, and clients that hold tokens.</summary>
    private static Task<Paged<SessionView>> List(
        [AsParameters] PageQuery page, Caller caller, ClaimsPrincipal bearer, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var current = AuthorizationOf(bearer) ?? Guid.Empty;
        var (mobile, swagger) = (Messages.Title("application_mobile"), Messages.Title("application_swagger"));
        return db.LiveSessions(caller.ActorId, clock.GetUtcNow()).ToPage(page, s => s.Id, s => new SessionView(s.Id, s.ClientId,
            s.ClientId == FirstPartyClients.Mobile ? mobile : s.ClientId == FirstPartyClients.Swagger ? swagger
                : db.Set<OpenIddictEntityFrameworkCoreApplication<Guid>>().Where(client => client.ClientId == s.ClientId).Select(client => client.DisplayName).FirstOrDefault(),
            s.Device, s.StartedAt, s.LastUsedAt, s.AuthorizationId == current), ct);
    }

    /// <summary>Signs the caller out everywhere but here; what they hold elsewhere stops working within five seconds.</summary>
    private static async Task<NoContent> EndOthers(Caller caller, ClaimsPrincipal bearer, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var current = AuthorizationOf(bearer);
        var keep = current is null ? null : await db.SignInSessions.Where(s => s.AccountId == caller.ActorId && s.AuthorizationId == current)
            .Select(s => (Guid?)s.Id).SingleOrDefaultAsync(ct);
        await db.EndOtherSessions(caller.ActorId, keep, clock.GetUtcNow(), ct);
        return TypedResults.NoContent();
    }

    /// <summary>
    /// Ends one sign-in: its tokens stop working within five seconds, its browser has to sign in again. With a browser end the
    /// clients that signed in through it and hold no refresh token.
    /// </summary>
    private static async Task<Results<NoContent, NotFound>> End(Guid sessionId, Caller caller, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (!await db.LiveSessions(caller.ActorId, clock.GetUtcNow()).AnyAsync(s => s.Id == sessionId, ct)) return TypedResults.NotFound();
        await db.EndSession(caller.ActorId, sessionId, clock.GetUtcNow(), ct);
        return TypedResults.NoContent();
    }

    private static Guid? AuthorizationOf(ClaimsPrincipal bearer) => Guid.TryParse(bearer.GetAuthorizationId(), out var id) ? id : null;
}

/// <summary>A place where the caller is signed in.</summary>
/// <param name="Id">Of this sign-in.</param>
/// <param name="ClientId">The client that holds tokens; null for a browser at the sign-in page.</param>
/// <param name="ClientName">What the client is called.</param>
/// <param name="Device">Browser and system by family, from the User-Agent at sign-in; null when it said nothing that is known.</param>
/// <param name="StartedAt">When the caller signed in.</param>
/// <param name="LastUsedAt">When it was last renewed: clients renew their tokens every 15 minutes while they are used.</param>
/// <param name="IsCurrent">Whether it is the sign-in that this very request was made with.</param>
internal sealed record SessionView(
    Guid Id, string? ClientId, string? ClientName, string? Device, DateTimeOffset StartedAt, DateTimeOffset LastUsedAt, bool IsCurrent);
