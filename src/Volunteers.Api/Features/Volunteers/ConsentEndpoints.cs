using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Volunteers;

/// <summary>What a person agreed to and took back.</summary>
internal static class ConsentEndpoints
{
    public static void MapConsents(this RouteGroupBuilder volunteers)
    {
        var consents = volunteers.MapGroup("/{volunteerId:guid}/consents").WithTags("Consent");

        consents.MapGet("", List).WithName("listConsents").ShowsPersonalData().RefusesWith(404);
        consents.MapPost("", Record).WithName("recordConsent").Allows(Access.TakePart).RefusesWith(404, 409);
    }

    /// <summary>Lists the receipts of what a volunteer agreed to and took back, in the order in which they were recorded: the last of a purpose is what holds.</summary>
    private static async Task<Results<Paged<ConsentReceiptView>, NotFound>> List(
        Guid volunteerId, [AsParameters] PageQuery page, [AsParameters] ConsentFilter filter, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.Volunteers.VisibleTo(tenant, db).AnyAsync(v => v.Id == volunteerId, ct)
            ? await db.ConsentReceipts
                .Where(r => r.OrganizationId == tenant.Id && r.VolunteerId == volunteerId && (filter.Purpose == null || r.Purpose == filter.Purpose))
                .ToPage(page, r => r.RecordedAt, r => r.Id, r => ConsentReceiptView.Of(r), ct)
            : TypedResults.NotFound();

    /// <summary>
    /// Gives consent or takes it back: volunteers for themselves, a coordinator what somebody signed on paper, or what a guardian
    /// said. It stays as a receipt, which names the exact text.
    /// </summary>
    /// <remarks>
    /// Taking back what is required pauses the profile (`withdrawnConsents` names what is missing) until it is given again and a
    /// coordinator makes the profile active. Nothing is deleted by that, except the number of an identity document when the
    /// consent to keep it (`identity-document`) is taken back. Of a child a guardian decides. The `consent` and the `guardian` of a
    /// profile are the purposes `profile` and `guardian` as they stand; changed there, they leave receipts here.
    /// </remarks>
    private static async Task<Results<Microsoft.AspNetCore.Http.HttpResults.Created<ConsentReceiptView>, NotFound>> Record(
        Guid volunteerId, ConsentRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await db.LockVisible(volunteerId, tenant, ct) is not { } volunteer) return TypedResults.NotFound();

        var own = volunteerId == tenant.VolunteerId;
        var by = request.By ?? (own ? ConsentSpeaker.Self : ConsentSpeaker.Coordinator);
        if (by == ConsentSpeaker.Self ? !own : !await db.Volunteers.CoordinatedBy(tenant, db).AnyAsync(v => v.Id == volunteerId, ct))
            throw RuleBreach.Forbidden("not_their_consent");

        var now = clock.GetUtcNow();
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var ages = AgeLimits.Of(organization, now);
        var texts = await KnownConsents.Load(db, tenant.Id, ct);
        var at = by == ConsentSpeaker.Self ? Instant.AsKept(now) : request.At ?? Instant.AsKept(now);
        // A guardian's word is a guardian's, and about a child nobody else's counts.
        if (by != ConsentSpeaker.Guardian && (request.Purpose == ConsentPurposes.Guardian || (request.Action == ConsentAction.Given && ages.IsChild(volunteer.BirthDate))))
            throw new RuleBreach("guardian_decides");

        var receipt = request.Action == ConsentAction.Given
            ? Give(volunteer, request, texts, by, at, tenant.ActorId, now)
            : await Withdraw(volunteer, request, texts, ages, by, at, tenant.ActorId, now, db, ct);
        db.Add(receipt);
        await db.SaveChangesAsync(ct);
        return TypedResults.Created($"/v1/organizations/{tenant.Id}/volunteers/{volunteerId}/consents", ConsentReceiptView.Of(receipt));
    }

    private static ConsentReceipt Give(
        Volunteer volunteer, ConsentRequest request, KnownConsents texts, ConsentSpeaker by, DateTimeOffset at, Guid actorId, DateTimeOffset now)
    {
        // Only of these two may the text lie on paper, and then nobody can have read it here.
        if (!texts.Has(request.Purpose) && (by == ConsentSpeaker.Self || request.Purpose is not (ConsentPurposes.Profile or ConsentPurposes.Guardian)))
            throw RuleBreach.NotFound("consent_text_not_found", "/purpose");
        var version = request.Version!;
        var hash = texts.HashOf(request.Purpose, version, "/version");
        if (request.Purpose == ConsentPurposes.Guardian)
            volunteer.Entrust(request.Guardian?.Agreeing(version, at) ?? (volunteer.Guardian ?? throw RuleBreach.Malformed("guardian_needed", "/guardian")) with { Version = version, At = at });
        else if (by == ConsentSpeaker.Guardian && volunteer.Guardian is null)
            throw new RuleBreach("guardian_unknown");
        else
            volunteer.Agree(request.Purpose, version, at);
        return new ConsentReceipt(volunteer, request.Purpose, version, hash, ConsentAction.Given, by, at, actorId, now);
    }

    private static async Task<ConsentReceipt> Withdraw(
        Volunteer volunteer, ConsentRequest request, KnownConsents texts, AgeLimits ages, ConsentSpeaker by, DateTimeOffset at, Guid actorId, DateTimeOffset now,
        VolunteersDb db, CancellationToken ct)
    {
        if (await db.ConsentOf(volunteer.OrganizationId, volunteer.Id, request.Purpose, ct) is not { } given) throw new RuleBreach("consent_not_given");

        volunteer.Withdraw(request.Purpose, texts.IsRequired(request.Purpose), ages);
        if (request.Purpose == ConsentPurposes.IdentityDocument)
            await db.DeleteNoted(db.IdentityDocuments.Where(d => d.OrganizationId == volunteer.OrganizationId && d.VolunteerId == volunteer.Id), ct);
        return new ConsentReceipt(volunteer, request.Purpose, given, texts.Find(request.Purpose, given), ConsentAction.Withdrawn, by, at, actorId, now);
    }

    /// <summary>The version of a purpose that somebody agreed to last; null when they never did, or took it back.</summary>
    public static async Task<string?> ConsentOf(this VolunteersDb db, Guid organizationId, Guid volunteerId, string purpose, CancellationToken ct) =>
        await db.ConsentReceipts.Where(r => r.OrganizationId == organizationId && r.VolunteerId == volunteerId && r.Purpose == purpose)
            .OrderByDescending(r => r.RecordedAt).ThenByDescending(r => r.Id).Select(r => new { r.Action, r.Version }).FirstOrDefaultAsync(ct)
            is { Action: ConsentAction.Given, Version: var version } ? version : null;
}

/// <summary>Which receipts to list.</summary>
/// <param name="Purpose">Only of this purpose.</param>
internal sealed record ConsentFilter([property: FromQuery] string? Purpose = null)
{
    internal sealed class Validator : AbstractValidator<ConsentFilter>
    {
        public Validator() => RuleFor(filter => filter.Purpose).Length(1, 40);
    }
}

/// <summary>Consent given or taken back.</summary>
/// <param name="Purpose">What for; one of the organization's purposes.</param>
/// <param name="Action">Given or withdrawn.</param>
/// <param name="Version">The version of the text that was agreed to; not when it is taken back.</param>
/// <param name="By">Whose word it is: <c>self</c> for oneself, <c>coordinator</c> for what was signed on paper, <c>guardian</c>; by who sends it when not given.</param>
/// <param name="At">When it was signed, not in the future; now when not given, and always for oneself.</param>
/// <param name="Guardian">For the purpose <c>guardian</c>: who agrees; the guardian of the profile when not given.</param>
internal sealed record ConsentRequest(
    string Purpose, ConsentAction Action, string? Version = null, ConsentSpeaker? By = null, DateTimeOffset? At = null, GuardianPerson? Guardian = null)
{
    internal sealed class Validator : AbstractValidator<ConsentRequest>
    {
        public Validator(TimeProvider clock)
        {
            RuleFor(request => request.Purpose).Line(40);
            RuleFor(request => request.Version).OptionalLine(50).MinimumLength(1);
            RuleFor(request => request.Version).NotNull().When(request => request.Action == ConsentAction.Given);
            RuleFor(request => request.Version).Null().When(request => request.Action == ConsentAction.Withdrawn);
            RuleFor(request => request.At).Must(at => at is null || at <= clock.GetUtcNow()).WithMessage(_ => Messages.Title("in_the_future"));
            RuleFor(request => request.Guardian!).SetValidator(new GuardianPerson.Validator()).When(request => request.Guardian is not null);
            RuleFor(request => request.Guardian).Null().When(request => request is not { Purpose: ConsentPurposes.Guardian, Action: ConsentAction.Given });
        }
    }
}

/// <summary>Who decides for a minor.</summary>
/// <param name="Name">At most 100 characters.</param>
/// <param name="Phone">At most 30 characters: digits, spaces, hyphens, parentheses, a leading plus.</param>
/// <param name="Relation">What they are to the minor, for instance <c>mother</c>; at most 30 characters.</param>
internal sealed record GuardianPerson(string Name, string Phone, string Relation)
{
    public Guardian Agreeing(string version, DateTimeOffset at) => new(Name, Phone, Relation, version, at);

    internal sealed class Validator : AbstractValidator<GuardianPerson>
    {
        public Validator()
        {
            RuleFor(guardian => guardian.Name).Line(100);
            RuleFor(guardian => guardian.Phone).Cascade(CascadeMode.Stop).NotEmpty().NotMasked().MaximumLength(30).Matches(PersonPhone.Pattern);
            RuleFor(guardian => guardian.Relation).Line(30);
        }
    }
}

/// <summary>That somebody agreed to a text, or took that back.</summary>
/// <param name="Id">The receipt.</param>
/// <param name="Purpose">What for.</param>
/// <param name="Version">Which text.</param>
/// <param name="TextHash">The hash of that text; null where the organization keeps it on paper.</param>
/// <param name="Action">Given or withdrawn.</param>
/// <param name="By">Whose word it was.</param>
/// <param name="At">When.</param>
/// <param name="RecordedBy">The account or client that recorded it; all zeros when nobody was signed in.</param>
/// <param name="RecordedAt">When.</param>
internal sealed record ConsentReceiptView(
    Guid Id, string Purpose, string Version, string? TextHash, ConsentAction Action, ConsentSpeaker By, DateTimeOffset At, Guid RecordedBy, DateTimeOffset RecordedAt)
{
    public static ConsentReceiptView Of(ConsentReceipt r) =>
        new(r.Id, r.Purpose, r.Version, r.TextHash is null ? null : Convert.ToHexStringLower(r.TextHash), r.Action, r.By, r.At, r.RecordedBy, r.RecordedAt);
}
