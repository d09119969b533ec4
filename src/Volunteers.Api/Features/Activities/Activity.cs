using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Projects;
using Volunteers.Features.Teams;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.Outbox;

namespace Volunteers.Features.Activities;

internal enum ActivityStatus
{
    /// <summary>Being planned; volunteers do not see it.</summary>
    Draft,
    Published,
    Cancelled,

    /// <summary>Took place; its outcome is known.</summary>
    Completed,
}

/// <summary>How a number of people was arrived at.</summary>
internal enum CountingMethod
{
    Counted,
    Estimated,
}

/// <summary>Where an activity takes place.</summary>
/// <param name="Name">As people know it; at most 200 characters.</param>
/// <param name="Latitude">Degrees north, WGS 84.</param>
/// <param name="Longitude">Degrees east, WGS 84.</param>
/// <param name="RadiusMeters">How far around it still counts as there, 10 to 10,000.</param>
internal sealed record Location(string Name, double? Latitude = null, double? Longitude = null, int? RadiusMeters = null);

/// <summary>What came of an activity. The people reached are no volunteers and have no hours.</summary>
/// <param name="Beneficiaries">People reached, 0 to 10,000,000.</param>
/// <param name="Method">Counted or estimated.</param>
/// <param name="Note">At most 2,000 characters.</param>
internal sealed record Outcome(int Beneficiaries, CountingMethod Method, string? Note = null);

/// <summary>What can be planned of an activity.</summary>
internal sealed record ActivityPlan(
    string Title, Guid TeamId, Guid? ProjectId, string Category, string? Description, Location? Location,
    DateTimeOffset StartsAt, DateTimeOffset EndsAt, Guid? ResponsibleVolunteerId);

/// <summary>Something that takes place: a project carried out by a team, at a place and a time.</summary>
internal sealed class Activity : IVersioned, IOnCalendar, IAnnounced
{
    private Activity() { }

    public Activity(Guid organizationId, ActivityPlan plan, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, CreatedAt) = (organizationId, now);
        Set(plan);
    }

    /// <summary>An occurrence, as the series says.</summary>
    public Activity(Series series, Occurrence occurrence, DateTimeOffset now) : this(series.OrganizationId, occurrence.Plan, now)
    {
        (SeriesId, OccurrenceOn) = (series.Id, occurrence.On);
        if (series.Publish) Status = ActivityStatus.Published;
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public string Title { get; private set; } = "";

    public Guid TeamId { get; private set; }

    public Guid? ProjectId { get; private set; }

    public string Category { get; private set; } = "";

    public string? Description { get; private set; }

    public Location? Location { get; private set; }

    public DateTimeOffset StartsAt { get; private set; }

    public DateTimeOffset EndsAt { get; private set; }

    public Guid? ResponsibleVolunteerId { get; private set; }

    public ActivityStatus Status { get; private set; }

    public string? CancelReason { get; private set; }

    /// <summary>Called off before anybody was told of it, so nobody is told that it is off.</summary>
    public bool CancelledAsDraft { get; private set; }

    public Outcome? Outcome { get; private set; }

    public Guid? SeriesId { get; private set; }

    /// <summary>The local day that the rule of its series gave it, also after it was moved: which occurrence it is.</summary>
    public DateOnly? OccurrenceOn { get; private set; }

    /// <summary>Changed on its own, so that changes of its series leave it alone.</summary>
    public bool Detached { get; private set; }

    /// <summary>Grows with each change of the plan: the SEQUENCE of its calendar entry.</summary>
    [NotAudited]
    public int Sequence { get; private set; }

    [NotAudited]
    public DateTimeOffset ChangedAt { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public long Version { get; private set; } = 1;

    public ActivityPlan Plan => new(Title, TeamId, ProjectId, Category, Description, Location, StartsAt, EndsAt, ResponsibleVolunteerId);

    public IEnumerable<Happening> Announce(EntityEntry entry) => ActivityEvents.Of(this, entry);

    /// <summary>Changes the plan. Service already recorded keeps the team and category under which it was given.</summary>
    public void Change(ActivityPlan plan)
    {
        RefuseIfCancelled();
        Set(plan);
        Sequence++;
        ChangedAlone();
    }

    public void Publish()
    {
        RefuseIfCancelled();
        if (Status == ActivityStatus.Completed) throw new RuleBreach("activity_completed");
        Status = ActivityStatus.Published;
        Sequence++;
    }

    /// <param name="reason">Told to those who signed up.</param>
    /// <param name="hasCreditedService">Whether somebody's hours stand on it: then it did take place.</param>
    public void Cancel(string reason, bool hasCreditedService)
    {
        RefuseIfCancelled();
        if (Status == ActivityStatus.Completed) throw new RuleBreach("activity_completed");
        if (hasCreditedService) throw new RuleBreach("activity_has_service");
        (Status, CancelReason, CancelledAsDraft) = (ActivityStatus.Cancelled, reason, Status == ActivityStatus.Draft);
        Sequence++;
        ChangedAlone();
    }

    /// <summary>An occurrence of a series that was changed on its own stays as it is from then on.</summary>
    public void ChangedAlone() => Detached |= SeriesId is not null;

    public void Detach()
    {
        if (SeriesId is null) throw new RuleBreach("not_in_series");
        Detached = true;
    }

    /// <summary>Takes over what its series says by now; taken back if the series had called it off.</summary>
    public void Follow(Series series, ActivityPlan plan)
    {
        Set(plan);
        if (series.Publish || Status == ActivityStatus.Cancelled) (Status, CancelReason) = (ActivityStatus.Published, null);
        Sequence++;
    }

    /// <summary>Its series no longer takes place on that day.</summary>
    public void DropOut(string reason)
    {
        (Status, CancelReason) = (ActivityStatus.Cancelled, reason);
        Sequence++;
    }

    /// <summary>Says that it took place and what came of it; said again, the outcome is replaced.</summary>
    public void Complete(Outcome? outcome, DateTimeOffset now)
    {
        RefuseIfCancelled();
        if (StartsAt > now) throw new RuleBreach("in_the_future");
        (Status, Outcome) = (ActivityStatus.Completed, outcome ?? Outcome);
    }

    public void RefuseIfCancelled()
    {
        if (Status == ActivityStatus.Cancelled) throw new RuleBreach("activity_cancelled");
    }

    private void Set(ActivityPlan plan) =>
        (Title, TeamId, ProjectId, Category, Description, Location, StartsAt, EndsAt, ResponsibleVolunteerId) =
            (plan.Title, plan.TeamId, plan.ProjectId, plan.Category, plan.Description, plan.Location, plan.StartsAt, plan.EndsAt, plan.ResponsibleVolunteerId);

    internal sealed class Configuration : IEntityTypeConfiguration<Activity>
    {
        public void Configure(EntityTypeBuilder<Activity> builder)
        {
            builder.ToTable("activities");
            builder.HasKey(a => new { a.OrganizationId, a.Id });
            builder.Property(a => a.Title).HasMaxLength(100);
            builder.Property(a => a.Category).HasMaxLength(50);
            builder.Property(a => a.Description).HasMaxLength(4000);
            builder.Property(a => a.CancelReason).HasMaxLength(500);
            builder.Property(a => a.ChangedAt).HasDefaultValueSql("now()");
            builder.Ignore(a => a.Plan);
            builder.ComplexProperty(a => a.Location, location => location.ToJson());
            builder.ComplexProperty(a => a.Outcome, outcome => outcome.ToJson());
            builder.HasOne<Team>().WithMany().HasForeignKey(a => new { a.OrganizationId, a.TeamId })
                .HasConstraintName("team_not_found").OnDelete(DeleteBehavior.Restrict);
            builder.HasOne<Project>().WithMany().HasForeignKey(a => new { a.OrganizationId, a.ProjectId })
                .HasConstraintName("project_not_found").OnDelete(DeleteBehavior.Restrict);
            builder.HasOne<Volunteer>().WithMany().HasForeignKey(a => new { a.OrganizationId, a.ResponsibleVolunteerId })
                .HasConstraintName("responsible_volunteer_not_found").OnDelete(DeleteBehavior.Restrict);
            // The list of activities in the order in which they take place.
            builder.HasIndex(a => new { a.OrganizationId, a.StartsAt, a.Id });
            // The same of one team.
            builder.HasIndex(a => new { a.OrganizationId, a.TeamId, a.StartsAt, a.Id });
            // Those without their records, longest ago first.
            builder.HasIndex(a => new { a.OrganizationId, a.EndsAt, a.Id });
            // What somebody is responsible for: they see its sign-ups and take its attendance.
            builder.HasIndex(a => new { a.OrganizationId, a.ResponsibleVolunteerId });
        }
    }
}
