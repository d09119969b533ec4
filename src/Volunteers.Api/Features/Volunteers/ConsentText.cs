using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Volunteers;

/// <summary>Purposes that mean something to the service itself. An organization names others as it needs them.</summary>
internal static class ConsentPurposes
{
    /// <summary>To keep the profile; always needed.</summary>
    public const string Profile = "profile";

    /// <summary>That a minor takes part, and a child's data is kept: a guardian's; needed while somebody is a minor.</summary>
    public const string Guardian = "guardian";

    /// <summary>To keep the number of an identity document, where the organization has a text about it.</summary>
    public const string IdentityDocument = "identity-document";

    /// <summary>In the language of the request; a purpose of the organization's own as it is called there.</summary>
    public static string Told(string purpose) =>
        purpose is Profile or Guardian or IdentityDocument ? Messages.Title("consent_purpose_" + purpose.Replace('-', '_')) : purpose;
}

/// <summary>What people are asked to agree to: one version of the text about one purpose. It never changes; another text is another version.</summary>
[HistoryKept]
internal sealed class ConsentText
{
    private ConsentText() { }

    public ConsentText(Guid organizationId, string purpose, ConsentTextRequest request, Guid createdBy, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, Purpose, Version, TextZh, TextEn, IsRequired, CreatedBy, CreatedAt) =
            (organizationId, purpose, request.Version, request.TextZh, request.TextEn, request.Required, createdBy, now);
        Hash = HashOf(purpose, request);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public string Purpose { get; private set; } = "";

    public string Version { get; private set; } = "";

    public string? TextZh { get; private set; }

    public string? TextEn { get; private set; }

    /// <summary>Whether somebody who takes this back cannot take part.</summary>
    public bool IsRequired { get; private set; }

    /// <summary>Of purpose, version and both texts: what a receipt names.</summary>
    public byte[] Hash { get; private set; } = [];

    public Guid CreatedBy { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>SHA-256 over the UTF-8 of the parts, each followed by a zero byte, so that no text can pass for another.</summary>
    public static byte[] HashOf(string purpose, ConsentTextRequest request) =>
        SHA256.HashData(Encoding.UTF8.GetBytes($"{purpose}\0{request.Version}\0{request.TextZh}\0{request.TextEn}\0"));

    internal sealed class Configuration : IEntityTypeConfiguration<ConsentText>
    {
        public void Configure(EntityTypeBuilder<ConsentText> builder)
        {
            builder.ToTable("consent_texts");
            builder.HasKey(t => new { t.OrganizationId, t.Id });
            builder.Property(t => t.Purpose).HasMaxLength(40);
            builder.Property(t => t.Version).HasMaxLength(50);
            builder.Property(t => t.TextZh).HasMaxLength(20_000);
            builder.Property(t => t.TextEn).HasMaxLength(20_000);
            builder.HasOne<Organization>().WithMany().HasForeignKey(t => t.OrganizationId);
            // A version of a text is written once, and shown by its name.
            builder.HasIndex(t => new { t.OrganizationId, t.Purpose, t.Version }).IsUnique().HasDatabaseName("consent_version_taken");
        }
    }
}

/// <summary>The versions that an organization has texts of.</summary>
internal sealed class KnownConsents
{
    private readonly ILookup<string, (string Version, byte[] Hash, bool IsRequired)> texts;

    private KnownConsents(ILookup<string, (string, byte[], bool)> texts) => this.texts = texts;

    /// <summary>Of an organization that keeps its texts on paper.</summary>
    public static KnownConsents None { get; } = new(Array.Empty<(string Purpose, byte[] Hash)>().ToLookup(text => text.Purpose, text => ("", text.Hash, false)));

    public static async Task<KnownConsents> Load(VolunteersDb db, Guid organizationId, CancellationToken ct)
    {
        var rows = await db.ConsentTexts.Where(t => t.OrganizationId == organizationId).OrderBy(t => t.CreatedAt).ThenBy(t => t.Id)
            .Select(t => new { t.Purpose, t.Version, t.Hash, t.IsRequired }).ToListAsync(ct);
        return new KnownConsents(rows.ToLookup(t => t.Purpose, t => (t.Version, t.Hash, t.IsRequired)));
    }

    public bool Has(string purpose) => texts.Contains(purpose);

    /// <summary>As the newest text says; a profile's always is.</summary>
    public bool IsRequired(string purpose) => purpose is ConsentPurposes.Profile or ConsentPurposes.Guardian || (Has(purpose) && texts[purpose].Last().IsRequired);

    /// <summary>
    /// The hash of the text that was agreed to; null where the organization keeps the texts of this purpose elsewhere, on paper.
    /// </summary>
    /// <exception cref="RuleBreach">It keeps texts of this purpose, and this version is none of them.</exception>
    public byte[]? HashOf(string purpose, string version, string pointer)
    {
        if (!Has(purpose)) return null;
        return Find(purpose, version) ?? throw RuleBreach.NotFound("consent_text_not_found", pointer);
    }

    public byte[]? Find(string purpose, string version) => texts[purpose].FirstOrDefault(text => text.Version == version).Hash;
}
