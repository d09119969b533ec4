using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Organizations;
using Volunteers.Platform;

namespace Volunteers.Features.Identity;

/// <summary>
/// Lets one person make the account of one volunteer, or link the one they have, once, within 72 hours, with a <see cref="RoutedCode"/>.
/// </summary>
internal sealed class Invitation
{
    public static readonly TimeSpan ValidFor = TimeSpan.FromHours(72);

    private Invitation() { }

    private Invitation(Guid organizationId, Guid volunteerId, byte[] codeHash, Guid createdBy, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, VolunteerId, CodeHash, CreatedBy, CreatedAt, ExpiresAt) =
            (organizationId, volunteerId, codeHash, createdBy, now, now + ValidFor);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid VolunteerId { get; private set; }

    public byte[] CodeHash { get; private set; } = [];

    public Guid CreatedBy { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public DateTimeOffset ExpiresAt { get; private set; }

    public DateTimeOffset? UsedAt { get; private set; }

    public static (Invitation Invitation, string Code) Make(Guid organizationId, Guid volunteerId, Guid createdBy, DateTimeOffset now)
    {
        var code = RoutedCode.Make(organizationId);
        return (new Invitation(organizationId, volunteerId, RoutedCode.Hash(code), createdBy, now), code);
    }

    public void Use(DateTimeOffset now)
    {
        if (UsedAt is not null || now >= ExpiresAt) throw new RuleBreach("invitation_invalid");
        UsedAt = now;
    }

    internal sealed class Configuration : IEntityTypeConfiguration<Invitation>
    {
        public void Configure(EntityTypeBuilder<Invitation> builder)
        {
            builder.ToTable("invitations");
            builder.HasKey(i => new { i.OrganizationId, i.Id });
            builder.HasOne<Organization>().WithMany().HasForeignKey(i => i.OrganizationId);
            // An invitation is found by its code.
            builder.HasIndex(i => new { i.OrganizationId, i.CodeHash }).IsUnique();
            // The invitations of a volunteer, which a new one ends.
            builder.HasIndex(i => new { i.OrganizationId, i.VolunteerId });
        }
    }
}
