using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Activities;
using Volunteers.Features.Organizations;
using Volunteers.Features.Projects;
using Volunteers.Features.Teams;
using Volunteers.Features.Volunteers;
using Volunteers.Platform.Audit;

namespace Volunteers.Data;

/// <summary>
/// What something was called until an instant and, of an activity, how it stood: a report as of then shows it as it was, and
/// stars are reckoned as they were.
/// One table for all, by the id of what it is about, so that a person's former names are found and erased with the person.
/// </summary>
[NotAudited]
internal sealed class FormerState
{
    private FormerState() { }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    /// <summary>The organization, team, volunteer, project or activity that it is about.</summary>
    public Guid SubjectId { get; private set; }

    public DateTimeOffset Until { get; private set; }

    public string Name { get; private set; } = "";

    /// <summary>Of an organization: its days were reckoned in it.</summary>
    public string? TimeZone { get; private set; }

    /// <summary>Of a volunteer.</summary>
    public string? Number { get; private set; }

    /// <summary>Of a volunteer: tenure was reckoned from it.</summary>
    public DateOnly? JoinedOn { get; private set; }

    /// <summary>The rest is an activity's.</summary>
    public Guid? TeamId { get; private set; }

    public Guid? ProjectId { get; private set; }

    public string? Category { get; private set; }

    public ActivityStatus? Status { get; private set; }

    public DateTimeOffset? StartsAt { get; private set; }

    public DateTimeOffset? EndsAt { get; private set; }

    public int? Beneficiaries { get; private set; }

    /// <summary>What a change takes from sight; null when reports show nothing of it. A team that is deleted may have had activities before.</summary>
    public static FormerState? Of(EntityEntry entry)
    {
        var deleted = entry is { State: EntityState.Deleted, Entity: Team };
        if (!deleted && entry is not { State: EntityState.Modified, Entity: Organization or Team or Volunteer or Project or Activity }) return null;

        var was = Of(entry.OriginalValues.ToObject());
        return deleted || was.Shown != Of(entry.Entity).Shown ? was : null;
    }

    public void Ended(DateTimeOffset now) => (Id, Until) = (Guid.CreateVersion7(now), now);

    private (string, string?, string?, DateOnly?, Guid?, Guid?, string?, ActivityStatus?, DateTimeOffset?, DateTimeOffset?, int?) Shown =>
        (Name, Number, TimeZone, JoinedOn, TeamId, ProjectId, Category, Status, StartsAt, EndsAt, Beneficiaries);

    private static FormerState Of(object subject) => subject switch
    {
        Organization o => new FormerState { OrganizationId = o.Id, SubjectId = o.Id, Name = o.Name, TimeZone = o.TimeZone },
        Team t => new FormerState { OrganizationId = t.OrganizationId, SubjectId = t.Id, Name = t.Name },
        Volunteer v => new FormerState { OrganizationId = v.OrganizationId, SubjectId = v.Id, Name = v.Name, Number = v.Number, JoinedOn = v.JoinedOn },
        Project p => new FormerState { OrganizationId = p.OrganizationId, SubjectId = p.Id, Name = p.Title },
        Activity a => new FormerState
        {
            OrganizationId = a.OrganizationId, SubjectId = a.Id, Name = a.Title, TeamId = a.TeamId, ProjectId = a.ProjectId, Category = a.Category,
            Status = a.Status, StartsAt = a.StartsAt, EndsAt = a.EndsAt, Beneficiaries = a.Outcome?.Beneficiaries,
        },
        _ => throw new InvalidOperationException($"Reports show nothing of {subject.GetType().Name}."),
    };

    internal sealed class Configuration : IEntityTypeConfiguration<FormerState>
    {
        public void Configure(EntityTypeBuilder<FormerState> builder)
        {
            builder.ToTable("former_states");
            builder.HasKey(f => new { f.OrganizationId, f.Id });
            builder.Property(f => f.TimeZone).HasMaxLength(60);
            builder.Ignore(f => f.Shown);
            builder.HasOne<Organization>().WithMany().HasForeignKey(f => f.OrganizationId);
            // How something stood at an instant: the first state that ended later.
            builder.HasIndex(f => new { f.OrganizationId, f.SubjectId, f.Until });
        }
    }
}
