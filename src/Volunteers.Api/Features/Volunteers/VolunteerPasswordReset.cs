using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Identity;
using Volunteers.Platform;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Volunteers;

internal static class VolunteerPasswordReset
{
    public static void MapPasswordReset(this RouteGroupBuilder volunteers) => volunteers.MapPost("/{volunteerId:guid}/password-reset", HandOut)
        .WithName("handOutPasswordReset").Allows(Access.Account).Allows(Access.Coordinate).RefusesWith(404, 409);

    /// <summary>
    /// Makes a code with which a volunteer who is known in person sets a new password; good once, for an hour, and in place of one handed
    /// out before. Only for an account that is nothing but a volunteer of this organization: any other, here or elsewhere, gets
    /// a code sent to its login.
    /// </summary>
    private static async Task<Results<Ok<HandedOutCodeView>, NotFound>> HandOut(
        Guid volunteerId, HttpResponse response, Tenant tenant, PasswordCheck passwords, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (!await db.Volunteers.CoordinatedBy(tenant, db).AnyAsync(v => v.Id == volunteerId, ct)) return TypedResults.NotFound();
        var accountId = await db.RoleGrants.Where(g => g.OrganizationId == tenant.Id && g.VolunteerId == volunteerId).Select(g => (Guid?)g.AccountId).SingleOrDefaultAsync(ct)
            ?? throw new RuleBreach("no_account");
        if (!await PasswordReset.MayBeHandedOut(db, accountId, tenant.Id, ct)) throw new RuleBreach("reset_not_handed_out");

        var (code, expiresAt) = await PasswordReset.Make(db, passwords, accountId, tenant.Id, tenant.ActorId, clock.GetUtcNow(), ct);
        response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new HandedOutCodeView(code, expiresAt));
    }
}

/// <summary>A code to be told to the volunteer, shown this once.</summary>
/// <param name="Code">Twelve characters in groups of four.</param>
/// <param name="ExpiresAt">Until when it is good.</param>
internal sealed record HandedOutCodeView(string Code, DateTimeOffset ExpiresAt);
