using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Identity;

/// <summary>
/// An account is also signed in to by somebody whom an external authority knows: by issuer and subject, the one pair that never
/// passes to another person (OpenID Connect Core, 5.7), whatever becomes of their address.
/// </summary>
internal sealed class ExternalSignIn
{
    private ExternalSignIn() { }

    public Guid Id { get; private set; }

    public Guid AccountId { get; private set; }

    /// <summary>As it stands in the authority's identity tokens.</summary>
    public string Issuer { get; private set; } = "";

    [Personal(Mask.Hidden)]
    public string Subject { get; private set; } = "";

    public DateTimeOffset LinkedAt { get; private set; }

    internal sealed class Configuration : IEntityTypeConfiguration<ExternalSignIn>
    {
        public void Configure(EntityTypeBuilder<ExternalSignIn> builder)
        {
            builder.ToTable("external_sign_ins");
            builder.Property(link => link.Id).ValueGeneratedNever();
            builder.Property(link => link.Issuer).HasMaxLength(500);
            // OpenID Connect Core, 2: at most 255 ASCII characters.
            builder.Property(link => link.Subject).HasMaxLength(255);
            builder.HasOne<Account>().WithMany().HasForeignKey(link => link.AccountId);
            // Who signs in there is found here, and is one person.
            builder.HasIndex(link => new { link.Issuer, link.Subject }).IsUnique();
            // The links of an account: one with each issuer.
            builder.HasIndex(link => new { link.AccountId, link.Issuer }).IsUnique();
        }
    }
}
