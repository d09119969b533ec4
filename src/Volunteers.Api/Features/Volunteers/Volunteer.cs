using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Identity;
using Volunteers.Features.Organizations;
using Volunteers.Features.Teams;
using Volunteers.Platform;

namespace Volunteers.Features.Volunteers;

/// <summary>Where somebody stands with the organization.</summary>
internal enum VolunteerStatus
{
    Applied,
    Active,
    Paused,
    Left,
}

internal enum Gender
{
    Female,
    Male,
    Other,
}

/// <summary>Something a volunteer can do, and until when that holds.</summary>
/// <param name="Name">For instance <c>first aid</c>; at most 50 characters.</param>
/// <param name="ExpiresOn">The last day on which it holds; null when it does not end.</param>
internal sealed record Skill(string Name, DateOnly? ExpiresOn = null);

/// <summary>What the person agreed to, without which their data may not be kept.</summary>
/// <param name="Version">Which text they agreed to; at most 50 characters.</param>
/// <param name="At">When.</param>
internal sealed record Consent(string Version, DateTimeOffset At);

/// <summary>What is kept of a person: as little as serves them.</summary>
internal sealed record VolunteerProfile(
    string Name, string? Phone, string? Hometown, Gender? Gender, DateOnly? BirthDate, string? Residence,
    IReadOnlyList<Skill> Skills, DateOnly JoinedOn, VolunteerStatus Status, Consent? Consent);

/// <summary>A person's profile in one organization. The number is public among its people; an ID number never is kept here.</summary>
internal sealed class Volunteer : IVersioned
{
    private Volunteer() { }

    public Volunteer(Guid organizationId, string number, VolunteerProfile profile, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, CreatedAt) = (organizationId, now);
        Change(number, profile);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public string Number { get; private set; } = "";

    public string Name { get; private set; } = "";

    public string? Phone { get; private set; }

    public string? Hometown { get; private set; }

    public Gender? Gender { get; private set; }

    public DateOnly? BirthDate { get; private set; }

    public string? Residence { get; private set; }

    public List<Skill> Skills { get; private set; } = [];

    public DateOnly JoinedOn { get; private set; }

    public VolunteerStatus Status { get; private set; }

    public string? ConsentVersion { get; private set; }

    public DateTimeOffset? ConsentAt { get; private set; }

    /// <summary>When an application came in that nobody has answered yet; null when there is none.</summary>
    public DateTimeOffset? AppliedAt { get; private set; }

    public string? ApplicationMessage { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public long Version { get; private set; } = 1;

    public VolunteerProfile Profile => new(Name, Phone, Hometown, Gender, BirthDate, Residence, Skills, JoinedOn, Status,
        ConsentVersion is null ? null : new Consent(ConsentVersion, ConsentAt!.Value));

    public void Change(string number, VolunteerProfile profile)
    {
        if (Status == VolunteerStatus.Applied && profile.Status != VolunteerStatus.Applied) ForgetApplication();
        (Number, Name, Phone, Hometown, Gender, BirthDate, Residence, JoinedOn, Status, ConsentVersion, ConsentAt) =
            (number, profile.Name, profile.Phone, profile.Hometown, profile.Gender, profile.BirthDate, profile.Residence,
                profile.JoinedOn, profile.Status, profile.Consent?.Version, profile.Consent?.At);
        if (!Skills.SequenceEqual(profile.Skills)) Skills = [.. profile.Skills];
    }

    /// <summary>An application came in under this person's phone. It replaces an open one, but nothing that the organization wrote.</summary>
    public void Apply(VolunteerProfile profile, string? message, DateTimeOffset now)
    {
        if (Status == VolunteerStatus.Applied && AppliedAt is not null) Change(Number, profile);
        (AppliedAt, ApplicationMessage) = (now, message);
    }

    public void Accept()
    {
        AnswerApplication();
        Status = VolunteerStatus.Active;
    }

    /// <summary>The application is answered, so what it said is kept no longer.</summary>
    public void AnswerApplication()
    {
        if (Status != VolunteerStatus.Applied && AppliedAt is null) throw new RuleBreach("not_applied");
        ForgetApplication();
    }

    private void ForgetApplication() => (AppliedAt, ApplicationMessage) = (null, null);

    internal sealed class Configuration : IEntityTypeConfiguration<Volunteer>
    {
        public void Configure(EntityTypeBuilder<Volunteer> builder)
        {
            builder.ToTable("volunteers");
            builder.HasKey(v => new { v.OrganizationId, v.Id });
            builder.Property(v => v.Number).HasMaxLength(30);
            builder.Property(v => v.Name).HasMaxLength(100);
            builder.Property(v => v.Phone).HasMaxLength(30);
            builder.Property(v => v.Hometown).HasMaxLength(50);
            builder.Property(v => v.Residence).HasMaxLength(100);
            builder.Property(v => v.ConsentVersion).HasMaxLength(50);
            builder.Property(v => v.ApplicationMessage).HasMaxLength(500);
            builder.Ignore(v => v.Profile);
            builder.ComplexCollection(v => v.Skills, skills => skills.ToJson());
            builder.HasOne<Organization>().WithMany().HasForeignKey(v => v.OrganizationId);
            builder.HasIndex(v => new { v.OrganizationId, v.Number }).IsUnique().HasDatabaseName("volunteer_number_taken");
            // The roster import matches people by phone.
            builder.HasIndex(v => new { v.OrganizationId, v.Phone });
        }
    }

    internal sealed class TeamMemberConfiguration : IEntityTypeConfiguration<TeamMember>
    {
        public void Configure(EntityTypeBuilder<TeamMember> builder) =>
            builder.HasOne<Volunteer>().WithMany().HasForeignKey(m => new { m.OrganizationId, m.VolunteerId })
                .HasConstraintName("volunteer_not_found").OnDelete(DeleteBehavior.Restrict);
    }

    internal sealed class RoleGrantConfiguration : IEntityTypeConfiguration<RoleGrant>
    {
        public void Configure(EntityTypeBuilder<RoleGrant> builder) =>
            builder.HasOne<Volunteer>().WithMany().HasForeignKey(g => new { g.OrganizationId, g.VolunteerId })
                .HasConstraintName("volunteer_not_found").OnDelete(DeleteBehavior.Restrict);
    }

    internal sealed class FormerProfileConfiguration : IEntityTypeConfiguration<FormerProfile>
    {
        public void Configure(EntityTypeBuilder<FormerProfile> builder) =>
            builder.HasOne<Volunteer>().WithMany().HasForeignKey(f => new { f.OrganizationId, f.VolunteerId })
                .HasConstraintName("volunteer_not_found").OnDelete(DeleteBehavior.Cascade);
    }

    internal sealed class InvitationConfiguration : IEntityTypeConfiguration<Invitation>
    {
        public void Configure(EntityTypeBuilder<Invitation> builder) =>
            builder.HasOne<Volunteer>().WithMany().HasForeignKey(i => new { i.OrganizationId, i.VolunteerId })
                .HasConstraintName("volunteer_not_found").OnDelete(DeleteBehavior.Restrict);
    }
}
