using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Volunteers.Features.Organizations;

internal enum CalendarDayKind
{
    /// <summary>Nobody works, whatever the day of the week.</summary>
    Holiday,

    /// <summary>Worked to make up for a holiday, though it would be a day of rest.</summary>
    Working,
}

/// <summary>A day on which an organization's calendar differs from its week.</summary>
internal sealed class CalendarDay
{
    private CalendarDay() { }

    public CalendarDay(Guid organizationId, DateOnly day, CalendarDayKind kind, string? name, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, Day) = (organizationId, day);
        Set(kind, name);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public DateOnly Day { get; private set; }

    public CalendarDayKind Kind { get; private set; }

    public string? Name { get; private set; }

    public void Set(CalendarDayKind kind, string? name) => (Kind, Name) = (kind, name);

    internal sealed class Configuration : IEntityTypeConfiguration<CalendarDay>
    {
        public void Configure(EntityTypeBuilder<CalendarDay> builder)
        {
            builder.ToTable("calendar_days");
            builder.HasKey(d => new { d.OrganizationId, d.Id });
            builder.Property(d => d.Name).HasMaxLength(100);
            builder.HasOne<Organization>().WithMany().HasForeignKey(d => d.OrganizationId);
            // A day is said once; the days of a year.
            builder.HasIndex(d => new { d.OrganizationId, d.Day }).IsUnique();
        }
    }
}
