using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Volunteers.Data;
using Volunteers.Features.Identity;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Privacy;

/// <summary>To be forgotten (PIPL, article 47): by oneself, or by an administrator who was asked.</summary>
internal static class ErasureEndpoints
{
    public static void MapMyErasure(this RouteGroupBuilder v1) =>
        v1.MapDelete("/me", EraseMe).WithTags("Me").WithName("eraseMe").Allows(Access.Account).OpensItsOwnTransaction().HandlesFiles().RefusesWith(404, 409, 429);

    public static void MapErasure(this RouteGroupBuilder organization) =>
        organization.MapDelete("/volunteers/{volunteerId:guid}", Erase).WithTags("Volunteers").WithName("eraseVolunteer")
            .Allows(Access.Administer).NotForClients().HandlesFiles().RefusesWith(404, 409);

    /// <summary>
    /// Forgets the caller: in one organization, or in all of them and the account with it. It cannot be undone. Their name becomes a
    /// pseudonym everywhere, in what was reported before too; phone, documents, guardian and whatever else tells who they are is
    /// gone; what others wrote loses their name, phone and numbers. Hours, totals and certificates stay true under the pseudonym.
    /// </summary>
    /// <remarks>
    /// Proven once more by the password or, with a second factor, by a code. With the account end all its sign-ins, within five
    /// seconds. The last administrator of an organization, and the last operator, hand over first (409 `last_administrator`,
    /// `last_operator`). What was downloaded or printed before is not reached.
    /// </remarks>
    private static async Task<Results<NoContent, NotFound>> EraseMe(
        [FromBody] ErasureRequest request, HttpContext http, Caller caller, ProofAgain proof, SecondFactorCheck secondFactors, Erasure erasure, SignInTrail trail, VolunteersDb db,
        CancellationToken ct)
    {
        var account = await db.SignedIn(caller.ActorId, ct);
        var own = (await db.OwnProfiles(caller, ct)).Find(profile => profile.OrganizationId == request.OrganizationId);
        if (request.OrganizationId is not null && own is null) throw RuleBreach.NotFound("no_profile_there", "/organizationId");
        // Who signs in elsewhere, and has no second factor here, has proven it by signing in.
        if (account.PasswordHash is not null || await secondFactors.IsOn(account.Id, ct)) await proof.Either(http, caller.ActorId, request.Password, request.Code, ct);

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // While it is known where they are.
        await trail.Changed(db, "eraseMe", caller.ActorId, ct, own is null ? null : ("volunteer", own.VolunteerId.ToString()), onlyIn: own?.OrganizationId);
        if (own is not null) await erasure.OfProfile(own.OrganizationId, own.VolunteerId, ct);
        else await erasure.OfAccount(caller.ActorId, ct);
        // Past this line they are forgotten, whoever still waits for the answer.
        await transaction.CommitAsync(CancellationToken.None);
        return TypedResults.NoContent();
    }

    /// <summary>
    /// Forgets a volunteer who asked for it: a pseudonym stands for them from then on, in what was reported before too, and what
    /// they gave stays true. Their account goes with it, if it is for nothing else. It cannot be undone; a repeat changes nothing.
    /// </summary>
    private static async Task<Results<NoContent, NotFound>> Erase(Guid volunteerId, Tenant tenant, Erasure erasure, CancellationToken ct) =>
        await erasure.OfProfile(tenant.Id, volunteerId, ct) ? TypedResults.NoContent() : TypedResults.NotFound();
}

/// <summary>A wish to be forgotten, and proof that it is the owner's: one of both.</summary>
/// <param name="OrganizationId">Only in this organization; everywhere, and the account too, when not given.</param>
/// <param name="Password">The password.</param>
/// <param name="Code">The six digits that the app shows, or a recovery code.</param>
internal sealed record ErasureRequest(Guid? OrganizationId = null, string? Password = null, string? Code = null)
{
    internal sealed class Validator : AbstractValidator<ErasureRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Password).MaximumLength(PasswordRule.Longest);
            RuleFor(request => request.Code).MaximumLength(SecondFactorCheck.LongestCode);
        }
    }
}
