using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Volunteers.Features.Teams;

/// <summary>What somebody is in a team.</summary>
internal enum TeamRole
{
    Leader,
    Core,
    Member,
}

/// <summary>One volunteer in one team, with the days on which they joined and left. Coming back opens the same membership again.</summary>
internal sealed class TeamMember
{
    private TeamMember() { }

    public TeamMember(Guid organizationId, Guid teamId, Guid volunteerId, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, TeamId, VolunteerId) = (organizationId, teamId, volunteerId);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid TeamId { get; private set; }

    public Guid VolunteerId { get; private set; }

    public TeamRole Role { get; private set; }

    public DateOnly JoinedOn { get; private set; }

    public DateOnly? LeftOn { get; private set; }

    public void Set(TeamRole role, DateOnly joinedOn, DateOnly? leftOn) => (Role, JoinedOn, LeftOn) = (role, joinedOn, leftOn);

    public void Leave(DateOnly day)
    {
        if (LeftOn is null || LeftOn > day) LeftOn = day < JoinedOn ? JoinedOn : day;
    }

    internal sealed class Configuration : IEntityTypeConfiguration<TeamMember>
    {
        public void Configure(EntityTypeBuilder<TeamMember> builder)
        {
            builder.ToTable("team_members", table => table.HasCheckConstraint("left_before_joined", "left_on >= joined_on"));
            builder.HasKey(m => new { m.OrganizationId, m.Id });
            builder.HasOne<Team>().WithMany().HasForeignKey(m => new { m.OrganizationId, m.TeamId })
                .HasConstraintName("team_not_found").OnDelete(DeleteBehavior.Restrict);
            // A volunteer is in a team once; who is in a team.
            builder.HasIndex(m => new { m.OrganizationId, m.TeamId, m.VolunteerId }).IsUnique().HasDatabaseName("already_a_member");
            // The teams of one volunteer: who sees them, and whether they may serve.
            builder.HasIndex(m => new { m.OrganizationId, m.VolunteerId });
        }
    }
}
