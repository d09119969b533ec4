using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Organizations;
using Volunteers.Features.Teams;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Activities;

/// <summary>What a calendar feed shows.</summary>
internal enum CalendarFeedKind
{
    /// <summary>The shifts that one volunteer signed up for.</summary>
    Own,

    /// <summary>The activities of a team and its sub-teams.</summary>
    Team,

    /// <summary>The activities of every team; for who coordinates single teams and is no volunteer, of these.</summary>
    Organization,
}

/// <summary>
/// An address that a calendar application reads without signing in. Whoever holds it sees what its maker may see at that
/// moment, until it is revoked.
/// </summary>
internal sealed class CalendarFeed
{
    public const int MostPerAccount = 20;

    private CalendarFeed() { }

    private CalendarFeed(Tenant maker, CalendarFeedKind kind, Guid? teamId, byte[] secretHash, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, Kind, TeamId, VolunteerId, SecretHash, CreatedBy, CreatedAt) =
            (maker.Id, kind, teamId, kind == CalendarFeedKind.Own ? maker.VolunteerId : null, secretHash, maker.ActorId, now);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public CalendarFeedKind Kind { get; private set; }

    /// <summary>Of a team's feed, the team.</summary>
    public Guid? TeamId { get; private set; }

    /// <summary>Of an own feed, whose it is.</summary>
    public Guid? VolunteerId { get; private set; }

    public byte[] SecretHash { get; private set; } = [];

    /// <summary>The account or client that made it.</summary>
    public Guid CreatedBy { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public static (CalendarFeed Feed, string Secret) Make(Tenant maker, CalendarFeedKind kind, Guid? teamId, DateTimeOffset now)
    {
        var secret = RoutedCode.Make(maker.Id);
        return (new CalendarFeed(maker, kind, teamId, RoutedCode.Hash(secret), now), secret);
    }

    internal sealed class Configuration : IEntityTypeConfiguration<CalendarFeed>
    {
        public void Configure(EntityTypeBuilder<CalendarFeed> builder)
        {
            builder.ToTable("calendar_feeds");
            builder.HasKey(f => new { f.OrganizationId, f.Id });
            builder.HasOne<Organization>().WithMany().HasForeignKey(f => f.OrganizationId);
            // A feed keeps nothing that is gone.
            builder.HasOne<Team>().WithMany().HasForeignKey(f => new { f.OrganizationId, f.TeamId })
                .HasConstraintName("team_not_found").OnDelete(DeleteBehavior.Cascade);
            builder.HasOne<Volunteer>().WithMany().HasForeignKey(f => new { f.OrganizationId, f.VolunteerId })
                .HasConstraintName("volunteer_not_found").OnDelete(DeleteBehavior.Cascade);
            // A feed is found by its secret.
            builder.HasIndex(f => new { f.OrganizationId, f.SecretHash }).IsUnique();
            // The feeds that somebody made.
            builder.HasIndex(f => new { f.OrganizationId, f.CreatedBy });
            // Whether a team that is removed has any.
            builder.HasIndex(f => new { f.OrganizationId, f.TeamId });
            // What is forgotten with a volunteer.
            builder.HasIndex(f => new { f.OrganizationId, f.VolunteerId });
        }
    }
}
