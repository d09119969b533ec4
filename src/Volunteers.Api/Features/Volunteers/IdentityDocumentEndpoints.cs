using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Volunteers;

/// <summary>The number of an identity document, for organizations that have to know it.</summary>
internal static class IdentityDocumentEndpoints
{
    public static void MapIdentityDocuments(this RouteGroupBuilder volunteers)
    {
        var document = volunteers.MapGroup("/{volunteerId:guid}/identity-document");

        document.MapGet("", Get).WithName("getIdentityDocument").ShowsPersonalData().Allows(Access.TakePart).RefusesWith(404, 409);
        document.MapPut("", Set).WithName("setIdentityDocument").Allows(Access.Coordinate).RefusesWith(404, 409);
        document.MapDelete("", Delete).WithName("deleteIdentityDocument").Allows(Access.TakePart).RefusesWith(404);
    }

    /// <summary>Shows which document of a volunteer is known: to themselves and to who coordinates them. The number is masked for everybody.</summary>
    private static async Task<Results<Found<IdentityDocumentView>, NotFound>> Get(
        Guid volunteerId, Tenant tenant, VolunteersDb db, PersonalSeal seal, CancellationToken ct)
    {
        if (!await db.Volunteers.SeenWholeBy(tenant, db).AnyAsync(v => v.Id == volunteerId, ct)) return TypedResults.NotFound();

        Configured(seal);
        return await db.IdentityDocuments.AsNoTracking().SingleOrDefaultAsync(d => d.OrganizationId == tenant.Id && d.VolunteerId == volunteerId, ct) is { } document
            ? Answer.Found(IdentityDocumentView.Of(document, seal))
            : TypedResults.NotFound();
    }

    /// <summary>
    /// Keeps the number of a document, in place of the one before. It is kept encrypted with a key outside the database, is never
    /// shown whole again, and belongs to one volunteer of the organization.
    /// </summary>
    /// <remarks>
    /// Entered by who coordinates the volunteer, with the document in hand. Numbers of 18 digits are checked (GB 11643), and their
    /// birth date must be that of the profile, if it has one. Where the organization has a consent text for the purpose
    /// `identity-document`, the volunteer's consent to it comes first. Without keys in the service's settings every operation
    /// on numbers answers `identity_documents_not_configured`.
    /// </remarks>
    private static async Task<Results<Found<IdentityDocumentView>, NotFound>> Set(
        Guid volunteerId, IdentityDocumentRequest request, Tenant tenant, VolunteersDb db, PersonalSeal seal, TimeProvider clock, CancellationToken ct)
    {
        if (await db.LockVisible(volunteerId, tenant, ct) is not { } volunteer) return TypedResults.NotFound();
        if (!await db.Volunteers.CoordinatedBy(tenant, db).AnyAsync(v => v.Id == volunteerId, ct)) throw RuleBreach.Forbidden("not_their_coordinator");

        Configured(seal);
        if ((await db.WithoutIdentityConsent(tenant.Id, [volunteerId], await KnownConsents.Load(db, tenant.Id, ct), ct)).Count > 0) throw IdentityConsent.Missing;
        var now = clock.GetUtcNow();
        var documents = await IdentityDocuments.Lock(db, tenant.Id, [volunteerId], seal, ct);
        documents.Set(volunteer, request.Kind, IdentityNumber.Plain(request.Number), await db.AgesAt(tenant.Id, now, ct), tenant.ActorId, now);
        await db.SaveChangesAsync(ct);
        return Answer.Found(IdentityDocumentView.Of(await db.IdentityDocuments.SingleAsync(d => d.OrganizationId == tenant.Id && d.VolunteerId == volunteerId, ct), seal));
    }

    /// <summary>Deletes the number: volunteers their own, and who coordinates them.</summary>
    private static async Task<Results<NoContent, NotFound>> Delete(Guid volunteerId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.Volunteers.ActedForBy(tenant, db).AnyAsync(v => v.Id == volunteerId, ct)
        && await db.DeleteNoted(db.IdentityDocuments.Where(d => d.OrganizationId == tenant.Id && d.VolunteerId == volunteerId), ct) == 1
            ? TypedResults.NoContent()
            : TypedResults.NotFound();

    private static void Configured(PersonalSeal seal)
    {
        if (!seal.IsConfigured) throw new RuleBreach("identity_documents_not_configured");
    }
}

/// <summary>The number of an identity document.</summary>
/// <param name="Kind">Which document.</param>
/// <param name="Number">As it is printed; blanks and hyphens do not matter. At most 40 characters.</param>
internal sealed record IdentityDocumentRequest(IdentityKind Kind, string Number)
{
    /// <summary>Whatever prints a request prints no number.</summary>
    public override string ToString() => nameof(IdentityDocumentRequest);

    internal sealed class Validator : AbstractValidator<IdentityDocumentRequest>
    {
        public Validator(TimeProvider clock) => RuleFor(request => request.Number).Cascade(CascadeMode.Stop).NotEmpty().MaximumLength(40).NotMasked()
            .Must((request, number) => IdentityNumber.IsValid(request.Kind, number!, DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime.AddDays(1))))
            .WithErrorCode("identity_number_invalid").WithMessage(_ => Messages.Title("identity_number_invalid"));
    }
}

/// <summary>Which identity document of a volunteer is known.</summary>
/// <param name="Kind">Which document.</param>
/// <param name="Number">Masked, for instance <c>440***********1234</c>, for everybody.</param>
/// <param name="RecordedBy">The account or client that entered it.</param>
/// <param name="RecordedAt">When.</param>
/// <param name="Version">Grows by one with every change; the ETag of the resource.</param>
internal sealed record IdentityDocumentView(IdentityKind Kind, string Number, Guid RecordedBy, DateTimeOffset RecordedAt, long Version) : IVersioned
{
    public static IdentityDocumentView Of(IdentityDocument d, PersonalSeal seal) => new(d.Kind, IdentityNumber.Masked(d.Open(seal)), d.RecordedBy, d.RecordedAt, d.Version);
}
