using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Platform;

namespace Volunteers.Features.Organizations;

/// <summary>
/// One role of one account in one organization. A coordinator's may be limited to a team and its sub-teams; a volunteer's
/// says which profile is theirs.
/// </summary>
internal sealed class RoleGrant : IVersioned
{
    private RoleGrant() { }

    public RoleGrant(Guid organizationId, Guid accountId, Role role, Guid? teamId, Guid? volunteerId, Guid grantedBy, DateTimeOffset now, long version = 1)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, AccountId, Role, TeamId, VolunteerId, GrantedBy, GrantedAt, Version) =
            (organizationId, accountId, role, teamId, volunteerId, grantedBy, now, version);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid AccountId { get; private set; }

    public Role Role { get; private set; }

    public Guid? TeamId { get; private set; }

    public Guid? VolunteerId { get; private set; }

    public Guid GrantedBy { get; private set; }

    public DateTimeOffset GrantedAt { get; private set; }

    public long Version { get; private set; } = 1;

    internal sealed class Configuration : IEntityTypeConfiguration<RoleGrant>
    {
        public void Configure(EntityTypeBuilder<RoleGrant> builder)
        {
            builder.ToTable("role_grants");
            builder.HasKey(g => new { g.OrganizationId, g.Id });
            builder.HasOne<Organization>().WithMany().HasForeignKey(g => g.OrganizationId);
            // A role is given once; what somebody may do here.
            builder.HasIndex(g => new { g.OrganizationId, g.AccountId, g.Role, g.TeamId }).IsUnique().AreNullsDistinct(false)
                .HasDatabaseName("role_granted_twice");
            // A volunteer is one account's.
            builder.HasIndex(g => new { g.OrganizationId, g.VolunteerId }).IsUnique().HasDatabaseName("volunteer_already_linked");
            // Everything one account may do, in every organization: read when its token is first seen.
            builder.HasIndex(g => g.AccountId);
            // The roles in a team, and whether one that is removed has any.
            builder.HasIndex(g => new { g.OrganizationId, g.TeamId });
        }
    }
}
