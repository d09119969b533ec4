using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Activities;

/// <summary>What can be planned of a shift.</summary>
internal sealed record ShiftPlan(
    string Name, DateTimeOffset StartsAt, DateTimeOffset EndsAt, int? Capacity, DateTimeOffset? SignUpClosesAt, DateTimeOffset? CancelClosesAt,
    IReadOnlyList<string> Skills);

/// <summary>
/// A time slot of an activity with places to fill. Its row is locked by whoever takes or frees a place, so the counts on it
/// are never late: <see cref="Taken"/> never passes the capacity.
/// </summary>
internal sealed class Shift : IVersioned, IOnCalendar
{
    /// <summary>How long before its start and after its end somebody may still check in or out; then it is settled.</summary>
    public static readonly TimeSpan Around = TimeSpan.FromHours(2);

    private Shift() { }

    public Shift(Activity activity, ShiftPlan plan, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, ActivityId, CreatedAt, CodeSecret) = (activity.OrganizationId, activity.Id, now, CheckInCode.NewSecret());
        Set(activity, plan);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid ActivityId { get; private set; }

    public string Name { get; private set; } = "";

    public DateTimeOffset StartsAt { get; private set; }

    public DateTimeOffset EndsAt { get; private set; }

    /// <summary>Null for no limit.</summary>
    public int? Capacity { get; private set; }

    /// <summary>Until when volunteers sign up themselves; null for the start.</summary>
    public DateTimeOffset? SignUpClosesAt { get; private set; }

    /// <summary>Until when volunteers give their place back themselves; null for the start.</summary>
    public DateTimeOffset? CancelClosesAt { get; private set; }

    /// <summary>What everybody on this shift must be able to do.</summary>
    public List<string> Skills { get; private set; } = [];

    /// <summary>Places that are somebody's: confirmed, attended, missed, or kept for a group.</summary>
    [NotAudited]
    public int Taken { get; private set; }

    [NotAudited]
    public int Waiting { get; private set; }

    /// <summary>Counts sign-ups; the number each of them got is its turn on the waiting list.</summary>
    [NotAudited]
    public long Arrivals { get; private set; }

    /// <summary>Grows with each change of the plan: the SEQUENCE of its calendar entry.</summary>
    [NotAudited]
    public int Sequence { get; private set; }

    [NotAudited]
    public DateTimeOffset ChangedAt { get; private set; }

    /// <summary>What its rotating check-in code is made from; never leaves the service.</summary>
    public byte[] CodeSecret { get; private set; } = [];

    /// <summary>When no-shows and forgotten check-outs were settled, which happens once for each time the shift is planned at.</summary>
    public DateTimeOffset? SettledAt { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public long Version { get; private set; } = 1;

    public ShiftPlan Plan => new(Name, StartsAt, EndsAt, Capacity, SignUpClosesAt, CancelClosesAt, Skills);

    public bool HasPlace => Capacity is not { } capacity || Taken < capacity;

    public void Change(Activity activity, ShiftPlan plan)
    {
        if (Taken > 0 && (plan.StartsAt, plan.EndsAt) != (StartsAt, EndsAt)) throw new RuleBreach("shift_has_sign_ups", Taken);
        if (plan.Capacity < Taken) throw new RuleBreach("capacity_below_taken", Taken);
        Set(activity, plan);
        Sequence++;
    }

    /// <summary>Stays within its activity, and moves when that moves.</summary>
    public void Follow(Activity activity, TimeSpan by)
    {
        if (by == TimeSpan.Zero) RefuseOutside(activity, Plan);
        else Change(activity, Plan with { StartsAt = StartsAt + by, EndsAt = EndsAt + by, SignUpClosesAt = SignUpClosesAt + by, CancelClosesAt = CancelClosesAt + by });
    }

    /// <summary>A turn on the list, in order of arrival.</summary>
    public long Arrive() => ++Arrivals;

    public void Take(int places = 1)
    {
        if (Capacity is { } capacity && Taken + places > capacity) throw new RuleBreach("shift_full", capacity);
        Taken += places;
    }

    public void Free(int places = 1) => Taken -= places;

    public void Wait() => Waiting++;

    public void StopWaiting() => Waiting--;

    /// <summary>Its activity was called off: nobody has a place any more.</summary>
    public void CallOff()
    {
        (Taken, Waiting) = (0, 0);
        Sequence++;
    }

    public void Settle(DateTimeOffset now) => SettledAt = now;

    private void Set(Activity activity, ShiftPlan plan)
    {
        RefuseOutside(activity, plan);
        // Another time is another shift to settle.
        if ((plan.StartsAt, plan.EndsAt) != (StartsAt, EndsAt)) SettledAt = null;
        (Name, StartsAt, EndsAt, Capacity, SignUpClosesAt, CancelClosesAt) =
            (plan.Name, plan.StartsAt, plan.EndsAt, plan.Capacity, plan.SignUpClosesAt, plan.CancelClosesAt);
        if (!Skills.SequenceEqual(plan.Skills)) Skills = [.. plan.Skills];
    }

    private static void RefuseOutside(Activity activity, ShiftPlan plan)
    {
        if (plan.StartsAt < activity.StartsAt || plan.EndsAt > activity.EndsAt || plan.EndsAt <= plan.StartsAt) throw new RuleBreach("shift_outside_activity");
    }

    internal sealed class Configuration : IEntityTypeConfiguration<Shift>
    {
        public void Configure(EntityTypeBuilder<Shift> builder)
        {
            builder.ToTable("shifts", table =>
            {
                table.HasCheckConstraint("shift_full", "taken >= 0 and waiting >= 0 and (capacity is null or taken <= capacity)");
                table.HasCheckConstraint("shift_ends_before_start", "ends_at > starts_at");
            });
            builder.HasKey(s => new { s.OrganizationId, s.Id });
            builder.Property(s => s.Name).HasMaxLength(100);
            builder.Property(s => s.ChangedAt).HasDefaultValueSql("now()");
            builder.Ignore(s => s.Plan).Ignore(s => s.HasPlace);
            builder.HasOne<Activity>().WithMany().HasForeignKey(s => new { s.OrganizationId, s.ActivityId })
                .HasConstraintName("activity_not_found").OnDelete(DeleteBehavior.Restrict);
            // The shifts of an activity.
            builder.HasIndex(s => new { s.OrganizationId, s.ActivityId, s.StartsAt });
            // The shifts of some days: what was exceptional about who came.
            builder.HasIndex(s => new { s.OrganizationId, s.StartsAt });
            // What the worker has still to settle.
            builder.HasIndex(s => new { s.OrganizationId, s.EndsAt }).HasFilter("settled_at is null").HasDatabaseName("ix_shifts_unsettled");
        }
    }
}
