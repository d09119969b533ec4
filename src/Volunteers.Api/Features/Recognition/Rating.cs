using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Data;
using Volunteers.Features.Hours;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Recognition;

/// <summary>What somebody thought of a volunteer's service (Art. 10). Beside service: it moves no hours.</summary>
internal sealed class Rating
{
    private Rating() { }

    public Rating(Guid organizationId, Guid volunteerId, RatingRequest request, Guid recordedBy, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, VolunteerId, RecordedBy, RecordedAt) = (organizationId, volunteerId, recordedBy, now);
        (Grade, RatedBy, RatedOn, Note) = (request.Grade, request.RatedBy, request.RatedOn, request.Note);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid VolunteerId { get; private set; }

    public string Grade { get; private set; } = "";

    /// <summary>Who rated, in words: a person, a family, an office.</summary>
    [Personal(Mask.Name)]
    public string RatedBy { get; private set; } = "";

    public DateOnly RatedOn { get; private set; }

    [Personal(Mask.Hidden)]
    public string? Note { get; private set; }

    public Guid RecordedBy { get; private set; }

    public DateTimeOffset RecordedAt { get; private set; }

    public Guid? RevokedBy { get; private set; }

    public DateTimeOffset? RevokedAt { get; private set; }

    [Personal(Mask.Hidden)]
    public string? RevocationReason { get; private set; }

    public void Revoke(string reason, Guid by, DateTimeOffset now)
    {
        if (RevokedAt is not null) throw new RuleBreach("already_revoked");
        (RevokedBy, RevokedAt, RevocationReason) = (by, now, reason);
    }

    internal sealed class Configuration : IEntityTypeConfiguration<Rating>
    {
        public void Configure(EntityTypeBuilder<Rating> builder)
        {
            builder.ToTable("ratings");
            builder.HasKey(r => new { r.OrganizationId, r.Id });
            builder.Property(r => r.Grade).HasMaxLength(50);
            builder.Property(r => r.RatedBy).HasMaxLength(100);
            builder.Property(r => r.Note).HasMaxLength(1000);
            builder.Property(r => r.RevocationReason).HasMaxLength(500);
            builder.HasOne<Volunteer>().WithMany().HasForeignKey(r => new { r.OrganizationId, r.VolunteerId })
                .HasConstraintName("volunteer_not_found").OnDelete(DeleteBehavior.Restrict);
            // The ratings of a volunteer, in their order.
            builder.HasIndex(r => new { r.OrganizationId, r.VolunteerId, r.RatedOn, r.Id });
        }
    }
}

internal static class RatingEndpoints
{
    public static void MapRatings(this RouteGroupBuilder organization)
    {
        var ratings = organization.MapGroup("/volunteers/{volunteerId:guid}/ratings").WithTags("Recognition").Scoped(Scope.Recognition);

        ratings.MapGet("", List).WithName("listRatings").ShowsPersonalData().RefusesWith(404);
        ratings.MapPost("", Record).WithName("recordRating").Allows(Access.Coordinate).RefusesWith(404, 409);
        ratings.MapPost("/{ratingId:guid}/revoke", Revoke).WithName("revokeRating").Allows(Access.Coordinate).RefusesWith(404, 409);
    }

    /// <summary>Lists the ratings of a volunteer by day, those revoked included. For the volunteer, and for those who see their profile.</summary>
    private static async Task<Results<Paged<RatingView>, NotFound>> List(
        Guid volunteerId, [AsParameters] PageQuery page, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        if (!await db.Volunteers.VisibleTo(tenant, db).AnyAsync(v => v.Id == volunteerId, ct)) return TypedResults.NotFound();

        return await db.Ratings.Where(r => r.OrganizationId == tenant.Id && r.VolunteerId == volunteerId).ToPage(page, r => r.RatedOn, r => r.Id,
            r => new RatingView(r.Id, r.VolunteerId, r.Grade, r.RatedBy, r.RatedOn, r.Note, r.RecordedBy, r.RecordedAt, r.RevokedAt, r.RevocationReason), ct);
    }

    /// <summary>Records a rating beside service: it moves no hours. Nobody rates themselves.</summary>
    private static async Task<Results<Microsoft.AspNetCore.Http.HttpResults.Created<RatingView>, NotFound>> Record(
        Guid volunteerId, RatingRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (!await db.Volunteers.CoordinatedBy(tenant, db).AnyAsync(v => v.Id == volunteerId, ct)) return TypedResults.NotFound();

        if (volunteerId == tenant.VolunteerId) throw new RuleBreach("own_rating");
        var now = clock.GetUtcNow();
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        await db.RefuseDataOfChild(organization, volunteerId, now, ct);
        if (request.RatedOn > organization.DayOf(now)) throw new RuleBreach("not_yet_rated");
        var rating = new Rating(tenant.Id, volunteerId, request, tenant.ActorId, now);
        db.Add(rating);
        await db.SaveChangesAsync(ct);
        return TypedResults.Created($"/v1/organizations/{tenant.Id}/volunteers/{volunteerId}/ratings", RatingView.Of(rating));
    }

    /// <summary>Revokes a rating that was recorded wrongly, with the reason. It stays to be seen.</summary>
    private static async Task<Results<Ok<RatingView>, NotFound>> Revoke(
        Guid volunteerId, Guid ratingId, ReasonRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (!await db.Volunteers.CoordinatedBy(tenant, db).AnyAsync(v => v.Id == volunteerId, ct)) return TypedResults.NotFound();
        var rating = await db.Ratings.FromSql(
            $"select * from ratings where organization_id = {tenant.Id} and volunteer_id = {volunteerId} and id = {ratingId} for no key update").SingleOrDefaultAsync(ct);
        if (rating is null) return TypedResults.NotFound();

        rating.Revoke(request.Reason, tenant.ActorId, clock.GetUtcNow());
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(RatingView.Of(rating));
    }
}

/// <summary>A rating of somebody's service.</summary>
/// <param name="Grade">In the organization's own words; at most 50 characters.</param>
/// <param name="RatedBy">Who rated; at most 100 characters.</param>
/// <param name="RatedOn">Local day, not in the future.</param>
/// <param name="Note">At most 1,000 characters.</param>
internal sealed record RatingRequest(string Grade, string RatedBy, DateOnly RatedOn, string? Note = null)
{
    internal sealed class Validator : AbstractValidator<RatingRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Grade).Line(50);
            RuleFor(request => request.RatedBy).Line(100);
            RuleFor(request => request.RatedOn).NotEmpty();
            RuleFor(request => request.Note).MaximumLength(1000);
        }
    }
}

/// <summary>A rating of one volunteer.</summary>
/// <param name="Id">Which rating.</param>
/// <param name="VolunteerId">Who was rated.</param>
/// <param name="Grade">In the organization's own words.</param>
/// <param name="RatedBy">Who rated.</param>
/// <param name="RatedOn">Local day.</param>
/// <param name="Note">What else was said.</param>
/// <param name="RecordedBy">The account or client that recorded it.</param>
/// <param name="RecordedAt">When it was recorded.</param>
/// <param name="RevokedAt">When it was revoked; null while it stands.</param>
/// <param name="RevocationReason">Why it was revoked.</param>
internal sealed record RatingView(
    Guid Id, Guid VolunteerId, string Grade, string RatedBy, DateOnly RatedOn, string? Note, Guid RecordedBy, DateTimeOffset RecordedAt,
    DateTimeOffset? RevokedAt, string? RevocationReason)
{
    public static RatingView Of(Rating r) => new(
        r.Id, r.VolunteerId, r.Grade, r.RatedBy, r.RatedOn, r.Note, r.RecordedBy, r.RecordedAt, r.RevokedAt, r.RevocationReason);
}
