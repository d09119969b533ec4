using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Identity;

internal static class ExternalSignInEndpoints
{
    public static void MapExternalSignIns(this RouteGroupBuilder v1)
    {
        var mine = v1.MapGroup("/me/external-sign-ins").WithTags("Me").Allows(Access.Account);

        mine.MapGet("", List).WithName("listMyExternalSignIns").ShowsNoPersonalData();
        mine.MapDelete("/{externalSignInId:guid}", Remove).WithName("removeMyExternalSignIn").RefusesWith(404, 409);
    }

    /// <summary>Lists the external authorities that the caller can sign in at. They are added on the sign-in page.</summary>
    private static async Task<Paged<ExternalSignInView>> List(
        [AsParameters] PageQuery page, Caller caller, ExternalAuthorities authorities, VolunteersDb db, CancellationToken ct) =>
        await db.ExternalSignIns.Where(link => link.AccountId == caller.ActorId)
            .ToPage(page, link => link.Id, link => new ExternalSignInView(link.Id, NameOf(authorities, link.Issuer), link.Issuer, link.LinkedAt), ct);

    /// <summary>
    /// Ends signing in at an external authority, unless the account has no password and would be without any sign-in. Sessions that are
    /// open stay. Where accounts are found by a verified address, the next sign-in there links it again.
    /// </summary>
    private static async Task<Results<NoContent, NotFound>> Remove(Guid externalSignInId, Caller caller, VolunteersDb db, CancellationToken ct)
    {
        // Two that are removed at once are removed one after the other, so that the last is seen to be the last.
        await db.LockAccount(caller.ActorId, ct);
        var links = await db.ExternalSignIns.Where(link => link.AccountId == caller.ActorId).ToListAsync(ct);
        if (links.Find(link => link.Id == externalSignInId) is not { } removed) return TypedResults.NotFound();
        if (links.Count == 1 && await db.Users.AnyAsync(account => account.Id == caller.ActorId && account.PasswordHash == null, ct)) throw new RuleBreach("last_sign_in");

        db.Remove(removed);
        await db.SaveChangesAsync(ct);
        return TypedResults.NoContent();
    }

    private static string? NameOf(ExternalAuthorities authorities, string issuer) => authorities.FindByIssuer(issuer)?.DisplayName;
}

/// <summary>An external authority that the caller can sign in at.</summary>
/// <param name="Id">Of the link between the account and whom the authority knows.</param>
/// <param name="DisplayName">What the authority is called; null when the service no longer offers it.</param>
/// <param name="Issuer">The authority's address.</param>
/// <param name="LinkedAt">Since when.</param>
internal sealed record ExternalSignInView(Guid Id, string? DisplayName, string Issuer, DateTimeOffset LinkedAt);
