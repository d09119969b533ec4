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

/// <summary>A training that a volunteer took part in (Art. 8). Beside service: its minutes are in no total of hours.</summary>
internal sealed class Training
{
    private Training() { }

    public Training(Guid organizationId, Guid volunteerId, TrainingRequest request, Guid recordedBy, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, VolunteerId, RecordedBy, RecordedAt) = (organizationId, volunteerId, recordedBy, now);
        (Name, Content, Minutes, Organizer, HeldOn) = (request.Name, request.Content, request.Minutes, request.Organizer, request.HeldOn);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid VolunteerId { get; private set; }

    public string Name { get; private set; } = "";

    public string? Content { get; private set; }

    public int Minutes { get; private set; }

    public string? Organizer { get; private set; }

    public DateOnly HeldOn { get; private set; }

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

    internal sealed class Configuration : IEntityTypeConfiguration<Training>
    {
        public void Configure(EntityTypeBuilder<Training> builder)
        {
            builder.ToTable("trainings", table => table.HasCheckConstraint("training_minutes_above_zero", "minutes > 0"));
            builder.HasKey(t => new { t.OrganizationId, t.Id });
            builder.Property(t => t.Name).HasMaxLength(100);
            builder.Property(t => t.Content).HasMaxLength(1000);
            builder.Property(t => t.Organizer).HasMaxLength(100);
            builder.Property(t => t.RevocationReason).HasMaxLength(500);
            builder.HasOne<Volunteer>().WithMany().HasForeignKey(t => new { t.OrganizationId, t.VolunteerId })
                .HasConstraintName("volunteer_not_found").OnDelete(DeleteBehavior.Restrict);
            // The trainings of a volunteer, in their order.
            builder.HasIndex(t => new { t.OrganizationId, t.VolunteerId, t.HeldOn, t.Id });
        }
    }
}

internal static class TrainingEndpoints
{
    public static void MapTrainings(this RouteGroupBuilder organization)
    {
        var trainings = organization.MapGroup("/volunteers/{volunteerId:guid}/trainings").WithTags("Recognition").Scoped(Scope.Recognition);

        trainings.MapGet("", List).WithName("listTrainings").ShowsPersonalData().RefusesWith(404);
        trainings.MapPost("", Record).WithName("recordTraining").Allows(Access.Coordinate).RefusesWith(404, 409);
        trainings.MapPost("/{trainingId:guid}/revoke", Revoke).WithName("revokeTraining").Allows(Access.Coordinate).RefusesWith(404, 409);
    }

    /// <summary>Lists the trainings of a volunteer by day, those revoked included. For the volunteer, and for those who see their profile.</summary>
    private static async Task<Results<Paged<TrainingView>, NotFound>> List(
        Guid volunteerId, [AsParameters] PageQuery page, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        if (!await db.Volunteers.VisibleTo(tenant, db).AnyAsync(v => v.Id == volunteerId, ct)) return TypedResults.NotFound();

        return await db.Trainings.Where(t => t.OrganizationId == tenant.Id && t.VolunteerId == volunteerId).ToPage(page, t => t.HeldOn, t => t.Id,
            t => new TrainingView(t.Id, t.VolunteerId, t.Name, t.Content, t.Minutes, t.Organizer, t.HeldOn, t.RecordedBy, t.RecordedAt, t.RevokedAt, t.RevocationReason), ct);
    }

    /// <summary>Records a training beside service: it is in no total of hours and gives no star.</summary>
    private static async Task<Results<Microsoft.AspNetCore.Http.HttpResults.Created<TrainingView>, NotFound>> Record(
        Guid volunteerId, TrainingRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (!await db.Volunteers.CoordinatedBy(tenant, db).AnyAsync(v => v.Id == volunteerId, ct)) return TypedResults.NotFound();

        var now = clock.GetUtcNow();
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        await db.RefuseDataOfChild(organization, volunteerId, now, ct);
        if (request.HeldOn > organization.DayOf(now)) throw new RuleBreach("not_yet_held");
        var training = new Training(tenant.Id, volunteerId, request, tenant.ActorId, now);
        db.Add(training);
        await db.SaveChangesAsync(ct);
        return TypedResults.Created($"/v1/organizations/{tenant.Id}/volunteers/{volunteerId}/trainings", TrainingView.Of(training));
    }

    /// <summary>Revokes a training that was recorded wrongly, with the reason. It stays to be seen.</summary>
    private static async Task<Results<Ok<TrainingView>, NotFound>> Revoke(
        Guid volunteerId, Guid trainingId, ReasonRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (!await db.Volunteers.CoordinatedBy(tenant, db).AnyAsync(v => v.Id == volunteerId, ct)) return TypedResults.NotFound();
        var training = await db.Trainings.FromSql(
            $"select * from trainings where organization_id = {tenant.Id} and volunteer_id = {volunteerId} and id = {trainingId} for no key update").SingleOrDefaultAsync(ct);
        if (training is null) return TypedResults.NotFound();

        training.Revoke(request.Reason, tenant.ActorId, clock.GetUtcNow());
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(TrainingView.Of(training));
    }
}

/// <summary>A training that took place.</summary>
/// <param name="Name">At most 100 characters.</param>
/// <param name="Minutes">Whole minutes, 1 to 60,000.</param>
/// <param name="HeldOn">Local day, not in the future; the last one where there were several.</param>
/// <param name="Content">What it was about; at most 1,000 characters.</param>
/// <param name="Organizer">Who held it; at most 100 characters.</param>
internal sealed record TrainingRequest(string Name, int Minutes, DateOnly HeldOn, string? Content = null, string? Organizer = null)
{
    internal sealed class Validator : AbstractValidator<TrainingRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Name).Line(100);
            RuleFor(request => request.Minutes).InclusiveBetween(1, 60_000);
            RuleFor(request => request.HeldOn).NotEmpty();
            RuleFor(request => request.Content).MaximumLength(1000);
            RuleFor(request => request.Organizer).OptionalLine(100);
        }
    }
}

/// <summary>A training of one volunteer.</summary>
/// <param name="Id">Which training.</param>
/// <param name="VolunteerId">Who took part.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Content">What it was about.</param>
/// <param name="Minutes">Whole minutes; in no total of hours.</param>
/// <param name="Organizer">Who held it.</param>
/// <param name="HeldOn">Local day.</param>
/// <param name="RecordedBy">The account or client that recorded it.</param>
/// <param name="RecordedAt">When it was recorded.</param>
/// <param name="RevokedAt">When it was revoked; null while it stands.</param>
/// <param name="RevocationReason">Why it was revoked.</param>
internal sealed record TrainingView(
    Guid Id, Guid VolunteerId, string Name, string? Content, int Minutes, string? Organizer, DateOnly HeldOn, Guid RecordedBy, DateTimeOffset RecordedAt,
    DateTimeOffset? RevokedAt, string? RevocationReason)
{
    public static TrainingView Of(Training t) => new(
        t.Id, t.VolunteerId, t.Name, t.Content, t.Minutes, t.Organizer, t.HeldOn, t.RecordedBy, t.RecordedAt, t.RevokedAt, t.RevocationReason);
}
