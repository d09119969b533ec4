using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Organizations;

/// <summary>The tenant: a community or an association. Everything else belongs to exactly one.</summary>
internal sealed class Organization : IVersioned
{
    private Organization() { }

    public Organization(
        string name, string timeZone, string locale, Guid? supervisingOrganizationId, OrganizationSettings? settings, DateTimeOffset now,
        string? contact = null, string? responsiblePerson = null)
    {
        Id = Guid.CreateVersion7(now);
        CreatedAt = now;
        Set(name, timeZone, locale, supervisingOrganizationId, settings, contact, responsiblePerson);
    }

    public Guid Id { get; private set; }

    public string Name { get; private set; } = "";

    /// <summary>IANA name; the organization's days and months are reckoned in it.</summary>
    public string TimeZone { get; private set; } = "";

    public string Locale { get; private set; } = "";

    public Guid? SupervisingOrganizationId { get; private set; }

    public OrganizationSettings Settings { get; private set; } = OrganizationSettings.Default;

    /// <summary>The last number given to a volunteer who brought none; counted up in SQL, which does not touch the version.</summary>
    [NotAudited]
    public int LastVolunteerNumber { get; private set; }

    /// <summary>How to reach it, as its certificates say.</summary>
    public string? Contact { get; private set; }

    /// <summary>Who answers for its certificates.</summary>
    public string? ResponsiblePerson { get; private set; }

    /// <summary>The last ten hexadecimal digits of the id, by which a code that is typed from paper finds its organization.</summary>
    public string CodePrefix { get; private set; } = "";

    public DateTimeOffset CreatedAt { get; private set; }

    public long Version { get; private set; } = 1;

    public TimeZoneInfo Zone => TimeZoneInfo.FindSystemTimeZoneById(TimeZone);

    public void Change(
        string name, string timeZone, string locale, Guid? supervisingOrganizationId, OrganizationSettings? settings, string? contact, string? responsiblePerson)
    {
        if (supervisingOrganizationId == Id) throw new RuleBreach("supervises_itself");
        Set(name, timeZone, locale, supervisingOrganizationId, settings, contact, responsiblePerson);
    }

    /// <summary>As it was called, and reckoned its days, before: to read, never to save.</summary>
    public Organization Was(string name, string timeZone)
    {
        var then = (Organization)MemberwiseClone();
        (then.Name, then.TimeZone) = (name, timeZone);
        return then;
    }

    /// <summary>The local day on which an instant falls here.</summary>
    public DateOnly DayOf(DateTimeOffset instant) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(instant, Zone).DateTime);

    /// <summary>The instant at which a local day begins here: the first one of the day where midnight is skipped.</summary>
    public DateTimeOffset StartOf(DateOnly day)
    {
        var midnight = day.ToDateTime(TimeOnly.MinValue);
        while (Zone.IsInvalidTime(midnight)) midnight = midnight.AddMinutes(15);
        var offset = Zone.IsAmbiguousTime(midnight) ? Zone.GetAmbiguousTimeOffsets(midnight).Max() : Zone.GetUtcOffset(midnight);
        return new DateTimeOffset(midnight, offset).ToUniversalTime();
    }

    /// <summary>
    /// The instant of a local time here (RFC 5545, 3.3.5): where the clock skips it, reckoned on from before the gap, so that
    /// 02:30 becomes 03:30; where it comes twice, the first.
    /// </summary>
    public DateTimeOffset At(DateTime local)
    {
        var known = local;
        while (Zone.IsInvalidTime(known)) known = known.AddMinutes(-15);
        var offset = Zone.IsAmbiguousTime(known) ? Zone.GetAmbiguousTimeOffsets(known).Max() : Zone.GetUtcOffset(known);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }

    public DateTimeOffset At(DateOnly day, TimeOnly time) => At(day.ToDateTime(time));

    private void Set(
        string name, string timeZone, string locale, Guid? supervisingOrganizationId, OrganizationSettings? settings, string? contact, string? responsiblePerson) =>
        (Name, TimeZone, Locale, SupervisingOrganizationId, Settings, Contact, ResponsiblePerson) =
            (name, timeZone, locale, supervisingOrganizationId, settings ?? OrganizationSettings.Default, contact, responsiblePerson);

    internal sealed class Configuration : IEntityTypeConfiguration<Organization>
    {
        public void Configure(EntityTypeBuilder<Organization> builder)
        {
            builder.ToTable("organizations");
            builder.Property(o => o.Id).ValueGeneratedNever();
            builder.Property(o => o.Name).HasMaxLength(100);
            builder.Property(o => o.TimeZone).HasMaxLength(60);
            builder.Property(o => o.Locale).HasMaxLength(10);
            builder.Property(o => o.Contact).HasMaxLength(200);
            builder.Property(o => o.ResponsiblePerson).HasMaxLength(100);
            builder.Property(o => o.CodePrefix).HasMaxLength(10).HasComputedColumnSql("right(id::text, 10)", stored: true);
            // Whose certificate a code is.
            builder.HasIndex(o => o.CodePrefix);
            builder.HasOne<Organization>().WithMany().HasForeignKey(o => o.SupervisingOrganizationId)
                .HasConstraintName("supervising_organization_not_found").OnDelete(DeleteBehavior.Restrict);
            builder.ComplexProperty(o => o.Settings, settings => settings.ToJson());
            builder.Ignore(o => o.Zone);
        }
    }
}

/// <summary>What an organization decides for itself.</summary>
/// <param name="DailyLimitMinutes">The most service credited to one person on one local day, in minutes, 60 to 1440; 720 by default. A coordinator may override it with a reason.</param>
/// <param name="GraceMinutes">How long before and after a shift attendance still counts, in minutes, 0 to 120; 15 by default.</param>
/// <param name="AttendanceConfirmedBy">Whether hours from attendance are approved at once or wait for a coordinator.</param>
/// <param name="WalkInsAllowed">Whether who has not signed up may check in while there are places; false by default.</param>
/// <param name="GuardianForDataBelow">Below this age in years nothing is recorded of a child without the consent of a guardian, 13 to 18; 14 by default, as PIPL, Article 31, has it.</param>
/// <param name="GuardianForServiceBelow">Below this age nobody becomes active or takes part without it, at least the age above and at most 21; 18 by default, when one comes of age.</param>
/// <param name="RestDays">The days of the week on which nobody works, unless the calendar says so; at most six; Saturday and Sunday by default.</param>
internal sealed record OrganizationSettings(
    int DailyLimitMinutes = 720,
    int GraceMinutes = 15,
    AttendanceConfirmation AttendanceConfirmedBy = AttendanceConfirmation.Coordinator,
    bool WalkInsAllowed = false,
    IReadOnlyList<DayOfWeek>? RestDays = null,
    int GuardianForDataBelow = 14,
    int GuardianForServiceBelow = 18)
{
    private static readonly DayOfWeek[] Weekend = [DayOfWeek.Saturday, DayOfWeek.Sunday];

    public static OrganizationSettings Default => new();

    public IReadOnlyList<DayOfWeek> RestDays { get; init; } = RestDays ?? Weekend;
}

/// <summary>Who confirms hours that come from attendance.</summary>
internal enum AttendanceConfirmation
{
    /// <summary>A coordinator reviews them.</summary>
    Coordinator,

    /// <summary>The check-out itself does.</summary>
    Automatic,
}
