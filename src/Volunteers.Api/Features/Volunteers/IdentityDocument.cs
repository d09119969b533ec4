using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Volunteers;

/// <summary>
/// The number of one document of one person, sealed. Opened to be shown masked, to be held against a birth date, and to be
/// sealed anew; nothing else needs it. Whether two are the same is told by their <see cref="IdentityMark"/>s.
/// </summary>
internal sealed class IdentityDocument : IVersioned
{
    private IdentityDocument() { }

    public IdentityDocument(Guid organizationId, Guid volunteerId) => (OrganizationId, VolunteerId) = (organizationId, volunteerId);

    public Guid OrganizationId { get; private set; }

    public Guid VolunteerId { get; private set; }

    public IdentityKind Kind { get; private set; }

    [NotAudited]
    public string KeyId { get; private set; } = "";

    public byte[] SealedNumber { get; private set; } = [];

    public Guid RecordedBy { get; private set; }

    public DateTimeOffset RecordedAt { get; private set; }

    public long Version { get; private set; } = 1;

    public void Set(IdentityKind kind, string number, PersonalSeal seal, Guid recordedBy, DateTimeOffset now)
    {
        (Kind, RecordedBy, RecordedAt) = (kind, recordedBy, now);
        Seal(number, seal);
    }

    public string Open(PersonalSeal seal)
    {
        try
        {
            return seal.Open(new SealedText(KeyId, SealedNumber), Binding);
        }
        catch (CryptographicException damaged)
        {
            throw new InvalidOperationException(
                $"The identity document of volunteer {VolunteerId} in organization {OrganizationId} does not open: it was changed, or moved from elsewhere.", damaged);
        }
    }

    public void SealAnew(PersonalSeal seal) => Seal(Open(seal), seal);

    /// <summary>
    /// What tells whether a number is known in an organization. Within one only: the same person in two has marks that nobody
    /// can match.
    /// </summary>
    public static IReadOnlyList<KeyedHash> HashesOf(Guid organizationId, IdentityKind kind, string number, PersonalSeal seal) =>
        seal.HashesOf("identity-document", [.. organizationId.ToByteArray(bigEndian: true), .. Encoding.UTF8.GetBytes($"{Word(kind)}\0{number}")]);

    private void Seal(string number, PersonalSeal seal)
    {
        var sealedNumber = seal.Seal(number, Binding);
        (KeyId, SealedNumber) = (sealedNumber.KeyId, sealedNumber.Bytes);
    }

    /// <summary>Bound to whose it is and of which kind: moved to another row, it does not open.</summary>
    private byte[] Binding =>
        [.. "identity-document\0"u8, .. OrganizationId.ToByteArray(bigEndian: true), .. VolunteerId.ToByteArray(bigEndian: true), .. Encoding.UTF8.GetBytes(Word(Kind))];

    private static string Word(IdentityKind kind) => JsonNamingPolicy.CamelCase.ConvertName(kind.ToString());

    internal sealed class Configuration : IEntityTypeConfiguration<IdentityDocument>
    {
        public void Configure(EntityTypeBuilder<IdentityDocument> builder)
        {
            builder.ToTable("identity_documents");
            builder.HasKey(d => new { d.OrganizationId, d.VolunteerId });
            builder.Property(d => d.KeyId).HasMaxLength(50);
            builder.HasOne<Volunteer>().WithMany().HasForeignKey(d => new { d.OrganizationId, d.VolunteerId })
                .HasConstraintName("volunteer_not_found").OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>
/// The keyed hash of a document's number, which nobody has twice in one organization. While the hash key is changed a document
/// has two, one under each key, so that whoever writes with either finds it.
/// </summary>
[NotAudited]
internal sealed class IdentityMark
{
    private IdentityMark() { }

    public IdentityMark(IdentityDocument document, KeyedHash hash) =>
        (OrganizationId, Hash, HashKeyId, VolunteerId) = (document.OrganizationId, hash.Hash, hash.KeyId, document.VolunteerId);

    public Guid OrganizationId { get; private set; }

    public byte[] Hash { get; private set; } = [];

    public string HashKeyId { get; private set; } = "";

    public Guid VolunteerId { get; private set; }

    internal sealed class Configuration : IEntityTypeConfiguration<IdentityMark>
    {
        public void Configure(EntityTypeBuilder<IdentityMark> builder)
        {
            builder.ToTable("identity_marks");
            builder.HasKey(m => new { m.OrganizationId, m.Hash }).HasName("identity_document_taken");
            builder.Property(m => m.HashKeyId).HasMaxLength(16);
            builder.HasOne<IdentityDocument>().WithMany().HasForeignKey(m => new { m.OrganizationId, m.VolunteerId }).OnDelete(DeleteBehavior.Cascade);
            // The marks of one document, written anew with it.
            builder.HasIndex(m => new { m.OrganizationId, m.VolunteerId });
        }
    }
}
