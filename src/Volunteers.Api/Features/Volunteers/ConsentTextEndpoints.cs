using System.Linq.Expressions;
using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Volunteers;

/// <summary>What people are asked to agree to. Open to anybody, because whoever applies reads it before they have an account.</summary>
internal static class ConsentTextEndpoints
{
    public static void MapConsentTexts(this RouteGroupBuilder organization)
    {
        var texts = organization.MapGroup("/consent-texts").WithTags("Consent").Scoped(Scope.Organization);
        const string Purpose = @"/{purpose:maxlength(40):regex((?-i)^[a-z][a-z0-9-]*\z)}";

        texts.MapGet("", List).WithName("listConsentTexts").ShowsNoPersonalData().AllowAnonymous().RefusesWith(404);
        texts.MapGet(Purpose, Get).WithName("getConsentText").ShowsNoPersonalData().AllowAnonymous().RefusesWith(404);
        texts.MapPut(Purpose, Set).WithName("setConsentText").Allows(Access.Administer).NotForClients().RefusesWith(409);
    }

    /// <summary>Lists the purposes for which an organization asks consent, each with the newest text.</summary>
    private static async Task<Results<Paged<ConsentTextView>, NotFound>> List(Guid organizationId, [AsParameters] PageQuery page, VolunteersDb db, CancellationToken ct) =>
        await db.Organizations.AnyAsync(o => o.Id == organizationId, ct)
            ? await db.ConsentTexts.Where(t => t.OrganizationId == organizationId
                    && !db.ConsentTexts.Any(newer => newer.OrganizationId == t.OrganizationId && newer.Purpose == t.Purpose && newer.Id > t.Id))
                .ToPage(page, t => t.Purpose, t => t.Id, ConsentTextView.Projection(db), ct)
            : TypedResults.NotFound();

    /// <summary>Shows the text of a purpose: the newest, or the version asked for.</summary>
    /// <param name="organizationId">The organization's id.</param>
    /// <param name="purpose">For instance <c>profile</c>.</param>
    /// <param name="query">Which version.</param>
    /// <param name="db">Where it is.</param>
    /// <param name="ct">Ends it.</param>
    private static async Task<Results<Ok<ConsentTextView>, NotFound>> Get(
        Guid organizationId, string purpose, [AsParameters] ConsentTextQuery query, VolunteersDb db, CancellationToken ct) =>
        await db.ConsentTexts.Where(t => t.OrganizationId == organizationId && t.Purpose == purpose && (query.Version == null || t.Version == query.Version))
            .OrderByDescending(t => t.Id).Select(ConsentTextView.Projection(db)).FirstOrDefaultAsync(ct) is { } view
            ? TypedResults.Ok(view)
            : TypedResults.NotFound();

    /// <summary>
    /// Enters a version of the text of a purpose. What was entered last is what people are asked from then on; a version never
    /// changes. From the first on, consent for this purpose names one of its versions.
    /// </summary>
    /// <remarks>
    /// `profile` is the purpose of keeping a person's profile and always required; `guardian` that a minor takes part, agreed to
    /// by a guardian; `identity-document` that the number of a document is kept: with a text about it no number is kept
    /// without consent. Every other purpose is the organization's own. Who takes back what is required is paused.
    /// </remarks>
    /// <param name="purpose">Lower case letters, digits and hyphens, a letter first; at most 40 characters.</param>
    /// <param name="request">The text.</param>
    /// <param name="tenant">Whose it is.</param>
    /// <param name="db">Where it is kept.</param>
    /// <param name="clock">When.</param>
    /// <param name="ct">Ends it.</param>
    private static async Task<Ok<ConsentTextView>> Set(
        string purpose, ConsentTextRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        // One after another, so that the newest is the one that was entered last.
        await db.LockOrganization(tenant.Id, ct);
        var known = await db.ConsentTexts.SingleOrDefaultAsync(t => t.OrganizationId == tenant.Id && t.Purpose == purpose && t.Version == request.Version, ct);
        if (known is null)
        {
            db.Add(new ConsentText(tenant.Id, purpose, request, tenant.ActorId, clock.GetUtcNow()));
            await db.SaveChangesAsync(ct);
            if (!request.Required && purpose is not (ConsentPurposes.Profile or ConsentPurposes.Guardian)) await NoLongerNeeded(purpose, tenant, db, ct);
        }
        else if (known.IsRequired != request.Required || !known.Hash.AsSpan().SequenceEqual(ConsentText.HashOf(purpose, request)))
        {
            throw new RuleBreach("consent_version_taken");
        }
        return TypedResults.Ok(await db.ConsentTexts.Where(t => t.OrganizationId == tenant.Id && t.Purpose == purpose && t.Version == request.Version)
            .Select(ConsentTextView.Projection(db)).SingleAsync(ct));
    }

    /// <summary>Nobody is held back any more by having taken it back.</summary>
    private static async Task NoLongerNeeded(string purpose, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        var people = await db.Database.SqlQuery<Guid>(
            $"""
             update volunteers set withdrawn_consents = array_remove(withdrawn_consents, {purpose}), version = version + 1
             where organization_id = {tenant.Id} and {purpose} = any(withdrawn_consents) returning id as "Value"
             """).ToListAsync(ct);
        AuditNotes.Tell(db, tenant.Id, "volunteer", AuditAction.Changed, people.Count);
        await db.Mark(tenant.Id, MarkKind.Volunteer, people, ct);
    }
}

/// <summary>Which version to show.</summary>
/// <param name="Version">The newest when not given.</param>
internal sealed record ConsentTextQuery([property: FromQuery] string? Version = null)
{
    internal sealed class Validator : AbstractValidator<ConsentTextQuery>
    {
        public Validator() => RuleFor(query => query.Version).Length(1, 50);
    }
}

/// <summary>A text to be agreed to.</summary>
/// <param name="Version">What it is called, for instance <c>2026-01</c>; at most 50 characters.</param>
/// <param name="TextZh">In Chinese; at most 20,000 characters. One of the two texts at least.</param>
/// <param name="TextEn">In English; at most 20,000 characters.</param>
/// <param name="Required">Whether nobody can take part who takes it back; false by default.</param>
internal sealed record ConsentTextRequest(string Version, string? TextZh = null, string? TextEn = null, bool Required = false)
{
    internal sealed class Validator : AbstractValidator<ConsentTextRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Version).Line(50);
            RuleFor(request => request.TextZh).Length(1, 20_000);
            RuleFor(request => request.TextEn).Length(1, 20_000);
            RuleFor(request => request.TextZh).Must((request, text) => text is not null || request.TextEn is not null).WithMessage(_ => Messages.Title("text_needed"));
        }
    }
}

/// <summary>A text that people agree to.</summary>
/// <param name="Purpose">What for.</param>
/// <param name="Version">Which text.</param>
/// <param name="Required">Whether nobody can take part who takes it back.</param>
/// <param name="TextZh">In Chinese.</param>
/// <param name="TextEn">In English.</param>
/// <param name="Hash">SHA-256, in hexadecimal, of purpose, version, Chinese and English text in UTF-8, each followed by a zero byte: what receipts name.</param>
/// <param name="CreatedAt">When it was entered.</param>
/// <param name="Versions">All versions of this purpose, the oldest first.</param>
internal sealed record ConsentTextView(
    string Purpose, string Version, bool Required, string? TextZh, string? TextEn, string Hash, DateTimeOffset CreatedAt, IReadOnlyList<string> Versions)
{
    public static Expression<Func<ConsentText, ConsentTextView>> Projection(VolunteersDb db) => t => new ConsentTextView(
        t.Purpose, t.Version, t.IsRequired || t.Purpose == ConsentPurposes.Profile, t.TextZh, t.TextEn, Convert.ToHexStringLower(t.Hash), t.CreatedAt,
        db.ConsentTexts.Where(v => v.OrganizationId == t.OrganizationId && v.Purpose == t.Purpose).OrderBy(v => v.Id).Select(v => v.Version).ToList());
}
