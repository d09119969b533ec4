using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Identity;
using Volunteers.Features.Organizations;
using Volunteers.Features.Teams;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Volunteers;

/// <summary>
/// A person's profile in one organization. The number is public among its people; the number of an identity document never
/// stands here, but sealed in <see cref="IdentityDocument"/>.
/// </summary>
[ForgottenWhenDeleted]
internal sealed class Volunteer : IVersioned, IAboutVolunteer, IErasable
{
    private Volunteer() { }

    public Volunteer(Guid organizationId, string number, VolunteerProfile profile, AgeLimits ages, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, CreatedAt) = (organizationId, now);
        HoldToAges(profile, ages);
        Write(number, profile, ages);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public string Number { get; private set; } = "";

    [Personal(Mask.Name)]
    public string Name { get; private set; } = "";

    [Personal(Mask.Phone)]
    public string? Phone { get; private set; }

    [Personal(Mask.Hidden)]
    public string? Hometown { get; private set; }

    [Personal(Mask.Hidden)]
    public Gender? Gender { get; private set; }

    [Personal(Mask.Year)]
    public DateOnly? BirthDate { get; private set; }

    [Personal(Mask.Hidden)]
    public string? Residence { get; private set; }

    public List<Skill> Skills { get; private set; } = [];

    public DateOnly JoinedOn { get; private set; }

    public VolunteerStatus Status { get; private set; }

    public string? ConsentVersion { get; private set; }

    public DateTimeOffset? ConsentAt { get; private set; }

    [Personal(Mask.Name)]
    public string? GuardianName { get; private set; }

    [Personal(Mask.Phone)]
    public string? GuardianPhone { get; private set; }

    [Personal(Mask.Hidden)]
    public string? GuardianRelation { get; private set; }

    public string? GuardianConsentVersion { get; private set; }

    public DateTimeOffset? GuardianConsentAt { get; private set; }

    /// <summary>What was agreed to, is needed, and was taken back; the profile is active again only when it is given again.</summary>
    public List<string> WithdrawnConsents { get; private set; } = [];

    /// <summary>When an application came in that nobody has answered yet; null when there is none.</summary>
    public DateTimeOffset? AppliedAt { get; private set; }

    [Personal(Mask.Hidden)]
    public string? ApplicationMessage { get; private set; }

    /// <summary>When whoever this was was forgotten: a pseudonym stands for them since, and the profile changes no more.</summary>
    public DateTimeOffset? ErasedAt { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public long Version { get; private set; } = 1;

    Guid? IAboutVolunteer.VolunteerId => Id;

    public VolunteerProfile Profile => new(Name, Phone, Hometown, Gender, BirthDate, Residence, Skills, JoinedOn, Status,
        ConsentVersion is null ? null : new Consent(ConsentVersion, ConsentAt!.Value), Guardian);

    public Guardian? Guardian => GuardianName is null
        ? null
        : new Guardian(GuardianName, GuardianPhone!, GuardianRelation!, GuardianConsentVersion!, GuardianConsentAt!.Value);

    public void Change(string number, VolunteerProfile profile, AgeLimits ages)
    {
        RefuseErased();
        // Whoever takes back what is needed pauses, and is not refused for being active without it.
        var takenBack = (ConsentVersion is not null && profile.Consent is null)
            || (GuardianName is not null && profile.Guardian is null && ages.IsMinor(profile.BirthDate));
        if (takenBack && profile.Status == VolunteerStatus.Active) profile = profile with { Status = VolunteerStatus.Paused };
        HoldToAges(profile, ages, Profile);
        if (Status == VolunteerStatus.Applied && profile.Status != VolunteerStatus.Applied) ForgetApplication();
        Write(number, profile, ages);
    }

    /// <summary>Agrees to a purpose; taken back before, it no longer is.</summary>
    public void Agree(string purpose, string version, DateTimeOffset at)
    {
        RefuseErased();
        Forgive(purpose);
        if (purpose == ConsentPurposes.Profile) (ConsentVersion, ConsentAt) = (version, at);
    }

    /// <summary>A guardian agrees, and is who decides from now on.</summary>
    public void Entrust(Guardian guardian)
    {
        Agree(ConsentPurposes.Guardian, guardian.Version, guardian.At);
        (GuardianName, GuardianPhone, GuardianRelation, GuardianConsentVersion, GuardianConsentAt) =
            (guardian.Name, guardian.Phone, guardian.Relation, guardian.Version, guardian.At);
    }

    /// <summary>
    /// Takes consent back. Without one that is needed the profile pauses, for a coordinator to see and to talk about; to be
    /// forgotten is another wish. A guardian is needed as long as somebody is a minor.
    /// </summary>
    public void Withdraw(string purpose, bool isNeeded, AgeLimits ages)
    {
        if (purpose == ConsentPurposes.Profile) (ConsentVersion, ConsentAt) = (null, null);
        if (purpose == ConsentPurposes.Guardian)
        {
            (GuardianName, GuardianPhone, GuardianRelation, GuardianConsentVersion, GuardianConsentAt) = (null, null, null, null, null);
            isNeeded &= ages.IsMinor(BirthDate);
        }
        if (!isNeeded) return;
        if (!WithdrawnConsents.Contains(purpose)) WithdrawnConsents = [.. WithdrawnConsents, purpose];
        if (Status == VolunteerStatus.Active) Status = VolunteerStatus.Paused;
    }

    /// <summary>An application came in under this person's phone. It replaces an open one, but nothing that the organization wrote.</summary>
    public void Apply(VolunteerProfile profile, string? message, AgeLimits ages, DateTimeOffset now)
    {
        RefuseErased();
        if (Status == VolunteerStatus.Applied && AppliedAt is not null) Change(Number, profile, ages);
        (AppliedAt, ApplicationMessage) = (now, message);
    }

    public void Accept(AgeLimits ages)
    {
        AnswerApplication();
        Change(Number, Profile with { Status = VolunteerStatus.Active }, ages);
    }

    /// <summary>
    /// Puts a pseudonym in place of the person. Since when they were a volunteer stays, for stars are reckoned from it; it
    /// says nothing of who it was.
    /// </summary>
    public void Erase(Pseudonym pseudonym, DateTimeOffset now)
    {
        RefuseErased();
        (Number, Name, Status, ErasedAt) = (pseudonym.Number, pseudonym.Name, VolunteerStatus.Left, now);
        (Phone, Hometown, Gender, BirthDate, Residence, Skills) = (null, null, null, null, null, []);
        (ConsentVersion, ConsentAt, WithdrawnConsents) = (null, null, []);
        (GuardianName, GuardianPhone, GuardianRelation, GuardianConsentVersion, GuardianConsentAt) = (null, null, null, null, null);
        ForgetApplication();
    }

    /// <exception cref="RuleBreach">Whoever this was was forgotten.</exception>
    public void RefuseErased()
    {
        if (ErasedAt is not null) throw new RuleBreach("volunteer_erased");
    }

    /// <summary>The application is answered, so what it said is kept no longer.</summary>
    public void AnswerApplication()
    {
        if (Status != VolunteerStatus.Applied && AppliedAt is null) throw new RuleBreach("not_applied");
        ForgetApplication();
    }

    /// <summary>
    /// Nothing is written of a child whose guardian has not agreed, except that the profile pauses or ends, or by whom they are
    /// looked after.
    /// </summary>
    public static void HoldToAges(VolunteerProfile profile, AgeLimits ages, VolunteerProfile? before = null)
    {
        if (profile.Guardian is not null) return;
        if (ages.IsChild(profile.BirthDate) && (before is null || !profile.SaysNoMoreThan(before))) throw ages.DataRefused;
        if (profile.Status == VolunteerStatus.Active && ages.IsMinor(profile.BirthDate)) throw ages.ServiceRefused;
    }

    private void Write(string number, VolunteerProfile profile, AgeLimits ages)
    {
        var before = Profile;
        (Number, Name, Phone, Hometown, Gender, BirthDate, Residence, JoinedOn) =
            (number, profile.Name, profile.Phone, profile.Hometown, profile.Gender, profile.BirthDate, profile.Residence, profile.JoinedOn);
        if (!Skills.SequenceEqual(profile.Skills)) Skills = [.. profile.Skills];
        if (profile.Consent is { } consent) Agree(ConsentPurposes.Profile, consent.Version, consent.At);
        else if (before.Consent is not null) Withdraw(ConsentPurposes.Profile, isNeeded: true, ages);
        if (profile.Guardian is { } guardian) Entrust(guardian);
        else if (before.Guardian is not null) Withdraw(ConsentPurposes.Guardian, isNeeded: true, ages);
        if (!ages.IsMinor(BirthDate)) Forgive(ConsentPurposes.Guardian);
        if (profile.Status == VolunteerStatus.Active && Status != VolunteerStatus.Active && WithdrawnConsents.Count > 0)
            throw new RuleBreach("consent_withdrawn", Messages.List(WithdrawnConsents.Select(ConsentPurposes.Told)));
        Status = profile.Status;
    }

    /// <summary>Taken back before, a consent is there again, or needed no longer.</summary>
    private void Forgive(string purpose)
    {
        if (WithdrawnConsents.Contains(purpose)) WithdrawnConsents = [.. WithdrawnConsents.Where(withdrawn => withdrawn != purpose)];
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
            builder.Property(v => v.GuardianName).HasMaxLength(100);
            builder.Property(v => v.GuardianPhone).HasMaxLength(30);
            builder.Property(v => v.GuardianRelation).HasMaxLength(30);
            builder.Property(v => v.GuardianConsentVersion).HasMaxLength(50);
            builder.Property(v => v.WithdrawnConsents).HasDefaultValueSql("'{}'");
            builder.Property(v => v.ApplicationMessage).HasMaxLength(500);
            builder.Ignore(v => v.Profile);
            builder.Ignore(v => v.Guardian);
            builder.ComplexCollection(v => v.Skills, skills => skills.ToJson());
            builder.HasOne<Organization>().WithMany().HasForeignKey(v => v.OrganizationId);
            // A number names one volunteer.
            builder.HasIndex(v => new { v.OrganizationId, v.Number }).IsUnique().HasDatabaseName("volunteer_number_taken");
            // The roster import matches people by phone.
            builder.HasIndex(v => new { v.OrganizationId, v.Phone });
            // Applications are few, and those that wait too long are looked for.
            builder.HasIndex(v => v.AppliedAt).HasFilter("applied_at is not null");
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
