using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Organizations;
using Volunteers.Platform;

namespace Volunteers.Features.Teams;

/// <summary>A standing group, possibly inside a larger team.</summary>
internal sealed class Team : IVersioned
{
    private Team() { }

    public Team(Guid organizationId, string name, Guid? parentTeamId, string? description, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, Name, ParentTeamId, Description, CreatedAt) = (organizationId, name, parentTeamId, description, now);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public string Name { get; private set; } = "";

    public Guid? ParentTeamId { get; private set; }

    public string? Description { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public long Version { get; private set; } = 1;

    /// <param name="name">The new name.</param>
    /// <param name="parentTeamId">The team it is to be part of.</param>
    /// <param name="description">What it does.</param>
    /// <param name="teamsBelow">This team's sub-teams at every depth.</param>
    public void Change(string name, Guid? parentTeamId, string? description, IReadOnlyCollection<Guid> teamsBelow)
    {
        if (parentTeamId is { } parent && (parent == Id || teamsBelow.Contains(parent))) throw new RuleBreach("team_inside_itself");
        (Name, ParentTeamId, Description) = (name, parentTeamId, description);
    }

    internal sealed class Configuration : IEntityTypeConfiguration<Team>
    {
        public void Configure(EntityTypeBuilder<Team> builder)
        {
            builder.ToTable("teams");
            builder.HasKey(t => new { t.OrganizationId, t.Id });
            builder.Property(t => t.Name).HasMaxLength(100);
            builder.Property(t => t.Description).HasMaxLength(2000);
            builder.HasOne<Organization>().WithMany().HasForeignKey(t => t.OrganizationId);
            builder.HasOne<Team>().WithMany().HasForeignKey(t => new { t.OrganizationId, t.ParentTeamId })
                .HasConstraintName("parent_team_not_found").OnDelete(DeleteBehavior.Restrict);
            // A name is one team's.
            builder.HasIndex(t => new { t.OrganizationId, t.Name }).IsUnique().HasDatabaseName("team_name_taken");
            // The teams below one.
            builder.HasIndex(t => new { t.OrganizationId, t.ParentTeamId });
        }
    }

    /// <summary>A role may be limited to a team; the key goes from there to here.</summary>
    internal sealed class RoleGrantConfiguration : IEntityTypeConfiguration<RoleGrant>
    {
        public void Configure(EntityTypeBuilder<RoleGrant> builder) =>
            builder.HasOne<Team>().WithMany().HasForeignKey(g => new { g.OrganizationId, g.TeamId })
                .HasConstraintName("team_not_found").OnDelete(DeleteBehavior.Restrict);
    }
}
