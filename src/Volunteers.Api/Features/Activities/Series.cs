using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Organizations;
using Volunteers.Features.Projects;
using Volunteers.Features.Teams;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Activities;

internal enum SeriesStatus
{
    /// <summary>Goes on by its rule.</summary>
    Active,

    /// <summary>Makes no more occurrences.</summary>
    Ended,
}

/// <summary>A shift that every occurrence of a series has, in the organization's local time.</summary>
/// <param name="Name">The post or the time of day; at most 100 characters.</param>
/// <param name="StartTime">Local time, within the activity; its start when not given. Before the activity's start means the next day.</param>
/// <param name="EndTime">Local time, within the activity; its end when not given.</param>
/// <param name="Capacity">Places, 1 to 100,000; null for no limit.</param>
/// <param name="SignUpClosesMinutesBefore">How long before its start sign-up closes, in minutes, 0 to 44,640; 0 when not given.</param>
/// <param name="CancelClosesMinutesBefore">How long before its start giving back closes, in minutes, 0 to 44,640; 0 when not given.</param>
/// <param name="Skills">What everybody on it must be able to do; at most 10.</param>
internal sealed record ShiftTemplate(
    string Name, TimeOnly? StartTime = null, TimeOnly? EndTime = null, int? Capacity = null, int? SignUpClosesMinutesBefore = null,
    int? CancelClosesMinutesBefore = null, IReadOnlyList<string>? Skills = null)
{
    public IReadOnlyList<string> Skills { get; init; } = Skills ?? [];
}

/// <summary>What can be planned of a series. Times are local: an end at or before the start is on the next day.</summary>
internal sealed record SeriesPlan(
    string Title, Guid TeamId, Guid? ProjectId, string Category, string? Description, Location? Location, Guid? ResponsibleVolunteerId,
    DateOnly FirstOn, TimeOnly StartTime, TimeOnly EndTime, Recurrence Recurrence, IReadOnlyList<DateOnly> ExceptOn,
    IReadOnlyList<ShiftTemplate> Shifts, bool Publish);

/// <summary>What a series says about one day.</summary>
internal sealed record Occurrence(DateOnly On, ActivityPlan Plan, IReadOnlyList<ShiftPlan> Shifts);

/// <summary>A recurring activity, by an RFC 5545 rule in the organization's local time. Its occurrences are activities.</summary>
internal sealed class Series : IVersioned
{
    private Series() { }

    public Series(Guid organizationId, SeriesPlan plan, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, CreatedAt) = (organizationId, now);
        Set(plan);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public string Title { get; private set; } = "";

    public Guid TeamId { get; private set; }

    public Guid? ProjectId { get; private set; }

    public string Category { get; private set; } = "";

    public string? Description { get; private set; }

    public Location? Location { get; private set; }

    public Guid? ResponsibleVolunteerId { get; private set; }

    /// <summary>The first local day that the rule may give: the day of its DTSTART.</summary>
    public DateOnly FirstOn { get; private set; }

    public TimeOnly StartTime { get; private set; }

    /// <summary>At or before the start: on the next day.</summary>
    public TimeOnly EndTime { get; private set; }

    public string Recurrence { get; private set; } = "";

    /// <summary>Whether the rule goes on for ever, so that a worker makes what comes within reach.</summary>
    public bool Endless { get; private set; }

    /// <summary>Local days that are left out.</summary>
    public List<DateOnly> ExceptOn { get; private set; } = [];

    public List<ShiftTemplate> Shifts { get; private set; } = [];

    /// <summary>Whether volunteers see an occurrence as soon as it is made.</summary>
    public bool Publish { get; private set; }

    public SeriesStatus Status { get; private set; }

    /// <summary>The first local day on which nothing takes place any more.</summary>
    public DateOnly? EndedFrom { get; private set; }

    /// <summary>The local day up to which occurrences were made.</summary>
    public DateOnly MadeUntil { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public long Version { get; private set; } = 1;

    /// <summary>Whether there will be occurrences as long as time goes by.</summary>
    public bool GoesOn => Endless && Status == SeriesStatus.Active;

    public void Change(SeriesPlan plan)
    {
        RefuseIfEnded();
        Set(plan);
    }

    public void End(DateOnly from)
    {
        RefuseIfEnded();
        (Status, EndedFrom) = (SeriesStatus.Ended, from);
    }

    public void Made(DateOnly until) => MadeUntil = until;

    public void RefuseIfEnded()
    {
        if (Status == SeriesStatus.Ended) throw new RuleBreach("series_ended");
    }

    /// <summary>The local days it takes place on, in order.</summary>
    public IEnumerable<DateOnly> Days(Organization organization) =>
        Activities.Recurrence.Parse(Recurrence).Days(FirstOn, StartTime, organization.Zone)
            .TakeWhile(day => EndedFrom is not { } end || day < end).Where(day => !ExceptOn.Contains(day));

    public Occurrence On(DateOnly day, Organization organization)
    {
        var (startsAt, endsAt) = Period(0, Length(StartTime, EndTime));
        var shifts = Shifts.ConvertAll(shift =>
        {
            var (from, to) = Within(shift);
            var (shiftStartsAt, shiftEndsAt) = Period(from, to);
            return new ShiftPlan(shift.Name, shiftStartsAt, shiftEndsAt, shift.Capacity,
                shiftStartsAt - Minutes(shift.SignUpClosesMinutesBefore), shiftStartsAt - Minutes(shift.CancelClosesMinutesBefore), shift.Skills);
        });
        // Where the clock skips an hour, a shift may be moved on beyond the end of its activity.
        return new Occurrence(day,
            new ActivityPlan(Title, TeamId, ProjectId, Category, Description, Location, startsAt, shifts.Select(s => s.EndsAt).Append(endsAt).Max(), ResponsibleVolunteerId),
            shifts);

        (DateTimeOffset, DateTimeOffset) Period(int from, int to)
        {
            var start = organization.At(day.ToDateTime(StartTime).AddMinutes(from));
            var end = organization.At(day.ToDateTime(StartTime).AddMinutes(to));
            return (start, end > start ? end : start.AddMinutes(to - from));
        }

        static TimeSpan? Minutes(int? minutes) => minutes is { } some ? TimeSpan.FromMinutes(some) : null;
    }

    /// <summary>Where a shift stands among those of the series; at the end if it was added on its own.</summary>
    public int PlaceOf(Shift shift) => Shifts.FindIndex(template => template.Name == shift.Name) is >= 0 and var place ? place : Shifts.Count;

    private void Set(SeriesPlan plan)
    {
        (Title, TeamId, ProjectId, Category, Description, Location, ResponsibleVolunteerId, FirstOn, StartTime, EndTime, Recurrence, Endless, Publish) =
            (plan.Title, plan.TeamId, plan.ProjectId, plan.Category, plan.Description, plan.Location, plan.ResponsibleVolunteerId, plan.FirstOn,
                plan.StartTime, plan.EndTime, plan.Recurrence.Text, plan.Recurrence.Endless, plan.Publish);
        ExceptOn = [.. plan.ExceptOn.Order()];
        Shifts = [.. plan.Shifts];
        foreach (var (index, shift) in Shifts.Index())
            if (Within(shift).To > Length(StartTime, EndTime)) throw RuleBreach.Malformed("shift_outside_activity", $"/shifts/{index}");
    }

    /// <summary>Minutes from the activity's start, by the local clock.</summary>
    private (int From, int To) Within(ShiftTemplate shift)
    {
        var from = Between(StartTime, shift.StartTime ?? StartTime);
        return (from, from + Length(shift.StartTime ?? StartTime, shift.EndTime ?? EndTime));
    }

    private static int Between(TimeOnly from, TimeOnly to) => (int)(to - from).TotalMinutes;

    private static int Length(TimeOnly from, TimeOnly to) => from == to ? 24 * 60 : Between(from, to);

    internal sealed class Configuration : IEntityTypeConfiguration<Series>
    {
        public void Configure(EntityTypeBuilder<Series> builder)
        {
            builder.ToTable("series");
            builder.HasKey(s => new { s.OrganizationId, s.Id });
            builder.Property(s => s.Title).HasMaxLength(100);
            builder.Property(s => s.Category).HasMaxLength(50);
            builder.Property(s => s.Description).HasMaxLength(4000);
            builder.Property(s => s.Recurrence).HasMaxLength(500);
            builder.Ignore(s => s.GoesOn);
            builder.ComplexProperty(s => s.Location, location => location.ToJson());
            builder.ComplexCollection(s => s.Shifts, shifts => shifts.ToJson());
            builder.HasOne<Team>().WithMany().HasForeignKey(s => new { s.OrganizationId, s.TeamId })
                .HasConstraintName("team_not_found").OnDelete(DeleteBehavior.Restrict);
            builder.HasOne<Project>().WithMany().HasForeignKey(s => new { s.OrganizationId, s.ProjectId })
                .HasConstraintName("project_not_found").OnDelete(DeleteBehavior.Restrict);
            builder.HasOne<Volunteer>().WithMany().HasForeignKey(s => new { s.OrganizationId, s.ResponsibleVolunteerId })
                .HasConstraintName("responsible_volunteer_not_found").OnDelete(DeleteBehavior.Restrict);
            // What the worker has to carry on.
            builder.HasIndex(s => new { s.OrganizationId, s.MadeUntil }).HasFilter("endless and status = 'active'").HasDatabaseName("ix_series_to_carry_on");
            // The series of a team, and whether one that is removed has any.
            builder.HasIndex(s => new { s.OrganizationId, s.TeamId });
            // Whether an applicant who is removed is responsible for any.
            builder.HasIndex(s => new { s.OrganizationId, s.ResponsibleVolunteerId });
        }
    }

    internal sealed class OccurrenceConfiguration : IEntityTypeConfiguration<Activity>
    {
        public void Configure(EntityTypeBuilder<Activity> builder)
        {
            builder.HasOne<Series>().WithMany().HasForeignKey(a => new { a.OrganizationId, a.SeriesId })
                .HasConstraintName("series_not_found").OnDelete(DeleteBehavior.Restrict);
            // A series takes place once on a day; what is planned of it.
            builder.HasIndex(a => new { a.OrganizationId, a.SeriesId, a.OccurrenceOn }).IsUnique().HasDatabaseName("occurrence_exists");
        }
    }
}
