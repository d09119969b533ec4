using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Volunteers.Features.Identity;

/// <summary>
/// Whose profile was an account's when its role was taken away from somebody who had left: what they gave stays theirs to
/// prove. One who had not left leaves none behind, for then the link may have been a mistake.
/// </summary>
internal sealed class FormerProfile
{
    private FormerProfile() { }

    public FormerProfile(Guid organizationId, Guid accountId, Guid volunteerId, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, AccountId, VolunteerId, EndedAt) = (organizationId, accountId, volunteerId, now);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid AccountId { get; private set; }

    public Guid VolunteerId { get; private set; }

    public DateTimeOffset EndedAt { get; private set; }

    internal sealed class Configuration : IEntityTypeConfiguration<FormerProfile>
    {
        public void Configure(EntityTypeBuilder<FormerProfile> builder)
        {
            builder.ToTable("former_profiles");
            builder.HasKey(f => new { f.OrganizationId, f.Id });
            // The profiles that an account had, shown to it and forgotten with it.
            builder.HasIndex(f => f.AccountId);
            // Whose account a profile was.
            builder.HasIndex(f => new { f.OrganizationId, f.VolunteerId });
        }
    }
}
