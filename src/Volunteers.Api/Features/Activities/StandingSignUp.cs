using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Volunteers;

namespace Volunteers.Features.Activities;

/// <summary>A volunteer who comes to every occurrence of a series until they say otherwise.</summary>
internal sealed class StandingSignUp
{
    private StandingSignUp() { }

    public StandingSignUp(Series series, Guid volunteerId, string? shiftName, Guid by, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, SeriesId, VolunteerId, ShiftName, SignedUpBy, SignedUpAt) = (series.OrganizationId, series.Id, volunteerId, shiftName, by, now);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid SeriesId { get; private set; }

    public Guid VolunteerId { get; private set; }

    /// <summary>Null for the first shift.</summary>
    public string? ShiftName { get; private set; }

    public Guid SignedUpBy { get; private set; }

    public DateTimeOffset SignedUpAt { get; private set; }

    public Shift? Choose(IEnumerable<Shift> shifts) => shifts.FirstOrDefault(shift => ShiftName is null || shift.Name == ShiftName);

    internal sealed class Configuration : IEntityTypeConfiguration<StandingSignUp>
    {
        public void Configure(EntityTypeBuilder<StandingSignUp> builder)
        {
            builder.ToTable("standing_sign_ups");
            builder.HasKey(s => new { s.OrganizationId, s.Id });
            builder.Property(s => s.ShiftName).HasMaxLength(100);
            builder.HasOne<Series>().WithMany().HasForeignKey(s => new { s.OrganizationId, s.SeriesId })
                .HasConstraintName("series_not_found").OnDelete(DeleteBehavior.Restrict);
            builder.HasOne<Volunteer>().WithMany().HasForeignKey(s => new { s.OrganizationId, s.VolunteerId })
                .HasConstraintName("volunteer_not_found").OnDelete(DeleteBehavior.Restrict);
            // A volunteer comes to all of a series once; who does.
            builder.HasIndex(s => new { s.OrganizationId, s.SeriesId, s.VolunteerId }).IsUnique().HasDatabaseName("already_comes_to_all");
            // What is forgotten with a volunteer.
            builder.HasIndex(s => new { s.OrganizationId, s.VolunteerId });
        }
    }
}
