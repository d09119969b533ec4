using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Volunteers;

internal enum ConsentAction
{
    Given,
    Withdrawn,
}

/// <summary>Whose word it was.</summary>
internal enum ConsentSpeaker
{
    /// <summary>The volunteer, signed in or in their application.</summary>
    Self,

    /// <summary>The volunteer on paper, entered by a coordinator.</summary>
    Coordinator,

    /// <summary>A guardian, entered by a coordinator or named in the application.</summary>
    Guardian,
}

/// <summary>
/// That somebody agreed to a text, or took that back. Only ever added to, and without a personal value of its own: erasing
/// a person leaves the proof that their data was kept with consent.
/// </summary>
[HistoryKept]
internal sealed class ConsentReceipt
{
    private ConsentReceipt() { }

    public ConsentReceipt(
        Volunteer volunteer, string purpose, string version, byte[]? textHash, ConsentAction action, ConsentSpeaker by, DateTimeOffset at, Guid recordedBy, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, VolunteerId, Purpose, Version, TextHash, Action, By, At, RecordedBy, RecordedAt) =
            (volunteer.OrganizationId, volunteer.Id, purpose, version, textHash, action, by, at, recordedBy, now);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid VolunteerId { get; private set; }

    public string Purpose { get; private set; } = "";

    public string Version { get; private set; } = "";

    /// <summary>Of the exact text; null where the organization kept it on paper.</summary>
    public byte[]? TextHash { get; private set; }

    public ConsentAction Action { get; private set; }

    public ConsentSpeaker By { get; private set; }

    public DateTimeOffset At { get; private set; }

    /// <summary>All zeros when nobody was signed in.</summary>
    public Guid RecordedBy { get; private set; }

    public DateTimeOffset RecordedAt { get; private set; }

    internal sealed class Configuration : IEntityTypeConfiguration<ConsentReceipt>
    {
        public void Configure(EntityTypeBuilder<ConsentReceipt> builder)
        {
            builder.ToTable("consent_receipts");
            builder.HasKey(r => new { r.OrganizationId, r.Id });
            builder.Property(r => r.Purpose).HasMaxLength(40);
            builder.Property(r => r.Version).HasMaxLength(50);
            builder.Property(r => r.By).HasColumnName("given_by");
            // Of an applicant who is declined nothing stays, so not this either.
            builder.HasOne<Volunteer>().WithMany().HasForeignKey(r => new { r.OrganizationId, r.VolunteerId })
                .HasConstraintName("volunteer_not_found").OnDelete(DeleteBehavior.Cascade);
            // What somebody agreed to, in its order, and the last of it.
            builder.HasIndex(r => new { r.OrganizationId, r.VolunteerId, r.RecordedAt });
        }
    }
}

/// <summary>Writes the receipts of what a change of a profile says about consent, so that profile and receipts never part.</summary>
internal sealed class ConsentTrail(KnownConsents texts, ConsentSpeaker by, Guid recordedBy, DateTimeOffset now)
{
    /// <summary>The receipts of what is said anew.</summary>
    /// <exception cref="RuleBreach">A version of which there is no text.</exception>
    public IEnumerable<ConsentReceipt> Of(Volunteer volunteer, VolunteerProfile? before = null)
    {
        var profile = volunteer.Profile;
        if (profile.Consent != before?.Consent)
            yield return profile.Consent is { } consent
                ? new ConsentReceipt(volunteer, ConsentPurposes.Profile, consent.Version, texts.HashOf(ConsentPurposes.Profile, consent.Version, "/consent/version"),
                    ConsentAction.Given, by, consent.At, recordedBy, now)
                : Withdrawn(volunteer, ConsentPurposes.Profile, before!.Consent!.Version);
        // A guardian's new phone is no new consent.
        if ((profile.Guardian?.Version, profile.Guardian?.At) != (before?.Guardian?.Version, before?.Guardian?.At))
            yield return profile.Guardian is { } guardian
                ? new ConsentReceipt(volunteer, ConsentPurposes.Guardian, guardian.Version, texts.HashOf(ConsentPurposes.Guardian, guardian.Version, "/guardian/version"),
                    ConsentAction.Given, ConsentSpeaker.Guardian, guardian.At, recordedBy, now)
                : Withdrawn(volunteer, ConsentPurposes.Guardian, before!.Guardian!.Version);
    }

    private ConsentReceipt Withdrawn(Volunteer volunteer, string purpose, string version) =>
        new(volunteer, purpose, version, texts.Find(purpose, version), ConsentAction.Withdrawn, purpose == ConsentPurposes.Guardian ? ConsentSpeaker.Guardian : by, now, recordedBy, now);
}
