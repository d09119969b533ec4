using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.Outbox;

namespace Volunteers.Features.Activities;

internal enum SignUpStatus
{
    /// <summary>Has a place.</summary>
    Confirmed,

    /// <summary>Waits for one, in order of arrival.</summary>
    Waitlisted,

    /// <summary>Gave it back, or lost it.</summary>
    Cancelled,

    /// <summary>Came.</summary>
    Attended,

    /// <summary>Had a place and did not come. A fact about the sign-up, never a negative hour.</summary>
    NoShow,
}

/// <summary>How somebody came onto a shift.</summary>
internal enum SignUpSource
{
    /// <summary>Signed up themselves.</summary>
    Self,

    /// <summary>Signed up by a coordinator.</summary>
    Coordinator,

    /// <summary>Comes to every occurrence of the series.</summary>
    Series,

    /// <summary>Named for one of a group's places.</summary>
    Group,

    /// <summary>Came without having signed up.</summary>
    WalkIn,
}

/// <summary>A volunteer's place on a shift, or turn on its waiting list. One row per volunteer and shift: coming back opens it again.</summary>
[Measured("volunteers.sign_ups", "{sign_up}", "Sign-ups, by what they became.", By = nameof(Status))]
internal sealed class SignUp : IOnCalendar, IAnnounced
{
    private SignUp() { }

    public SignUp(Shift shift, Guid volunteerId, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, ShiftId, VolunteerId, Status) = (shift.OrganizationId, shift.Id, volunteerId, SignUpStatus.Cancelled);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid ShiftId { get; private set; }

    public Guid VolunteerId { get; private set; }

    public SignUpStatus Status { get; private set; }

    public SignUpSource Source { get; private set; }

    /// <summary>The turn it got from the shift when it arrived.</summary>
    [NotAudited]
    public long Arrival { get; private set; }

    public DateTimeOffset SignedUpAt { get; private set; }

    public Guid SignedUpBy { get; private set; }

    /// <summary>The group whose place this is.</summary>
    public Guid? GroupId { get; private set; }

    /// <summary>Why a coordinator let it clash with another shift.</summary>
    [Personal(Mask.Hidden)]
    public string? ClashReason { get; private set; }

    public DateTimeOffset? CancelledAt { get; private set; }

    [Personal(Mask.Hidden)]
    public string? CancelReason { get; private set; }

    /// <summary>Grows with each step: the SEQUENCE of its calendar entry.</summary>
    [NotAudited]
    public int Sequence { get; private set; }

    [NotAudited]
    public DateTimeOffset ChangedAt { get; private set; }

    /// <summary>Why no hours could be booked although they came: the code of the rule that refused.</summary>
    public string? BookingRefusal { get; private set; }

    /// <summary>Checked in and never out.</summary>
    public bool ForgotCheckOut { get; private set; }

    /// <summary>Checked in from somewhere else, by their own phone's word.</summary>
    public bool FarAway { get; private set; }

    /// <summary>Nobody but themselves stands for it.</summary>
    public bool SelfReported { get; private set; }

    public bool IsActive => Status is not SignUpStatus.Cancelled;

    public IEnumerable<Happening> Announce(EntityEntry entry) => SignUpEvents.Of(this, entry);

    /// <summary>Takes a place if there is one, else a turn on the waiting list.</summary>
    public void Arrive(Shift shift, SignUpSource source, Guid by, string? clashReason, DateTimeOffset now)
    {
        if (IsActive) throw new RuleBreach("already_signed_up");
        (Source, SignedUpAt, SignedUpBy, ClashReason, Arrival, GroupId, CancelledAt, CancelReason) =
            (source, now, by, clashReason, shift.Arrive(), null, null, null);
        if (shift.HasPlace) Confirm(shift);
        else
        {
            shift.Wait();
            Step(SignUpStatus.Waitlisted);
        }
    }

    public void Promote(Shift shift)
    {
        shift.StopWaiting();
        Confirm(shift);
    }

    /// <summary>Takes over one of the places a group has; the shift's count stays as it is.</summary>
    public void Name(Shift shift, ShiftGroup group, Guid by, string? clashReason, DateTimeOffset now)
    {
        if (Status is not (SignUpStatus.Cancelled or SignUpStatus.Waitlisted)) throw new RuleBreach("already_signed_up");
        if (Status == SignUpStatus.Waitlisted) shift.StopWaiting();
        group.Name();
        (Source, SignedUpAt, SignedUpBy, ClashReason, Arrival, GroupId, CancelledAt, CancelReason) =
            (SignUpSource.Group, now, by, clashReason, shift.Arrive(), group.Id, null, null);
        Step(SignUpStatus.Confirmed);
    }

    public void Cancel(Shift shift, string? reason, DateTimeOffset now)
    {
        if (Status is SignUpStatus.Attended or SignUpStatus.NoShow) throw new RuleBreach("already_attended");
        if (Status == SignUpStatus.Waitlisted) shift.StopWaiting();
        else shift.Free();
        CallOff(reason, now);
    }

    /// <summary>The whole activity is off.</summary>
    public void CallOff(string? reason, DateTimeOffset now)
    {
        (CancelledAt, CancelReason) = (now, reason);
        Step(SignUpStatus.Cancelled);
    }

    /// <summary>They came, also if only their check-out is known. Who was marked as missing and whose attendance arrives late came all the same.</summary>
    public void Attend(AttendanceEvent taken)
    {
        FarAway |= taken.Distance == Distance.Far;
        SelfReported |= !taken.Vouched;
        if (Status != SignUpStatus.Attended) Step(SignUpStatus.Attended);
    }

    /// <summary>What became of their attendance in hours.</summary>
    public void Book(bool forgotCheckOut, string? refusal) => (ForgotCheckOut, BookingRefusal) = (forgotCheckOut, refusal);

    public void Miss() => Step(SignUpStatus.NoShow);

    private void Confirm(Shift shift)
    {
        shift.Take();
        Step(SignUpStatus.Confirmed);
    }

    private void Step(SignUpStatus status)
    {
        Status = status;
        Sequence++;
    }

    internal sealed class Configuration : IEntityTypeConfiguration<SignUp>
    {
        public void Configure(EntityTypeBuilder<SignUp> builder)
        {
            builder.ToTable("sign_ups");
            builder.HasKey(s => new { s.OrganizationId, s.Id });
            builder.Property(s => s.ClashReason).HasMaxLength(500);
            builder.Property(s => s.CancelReason).HasMaxLength(500);
            builder.Property(s => s.BookingRefusal).HasMaxLength(50);
            builder.Property(s => s.ChangedAt).HasDefaultValueSql("now()");
            builder.Ignore(s => s.IsActive);
            builder.HasOne<Shift>().WithMany().HasForeignKey(s => new { s.OrganizationId, s.ShiftId })
                .HasConstraintName("shift_not_found").OnDelete(DeleteBehavior.Restrict);
            builder.HasOne<Volunteer>().WithMany().HasForeignKey(s => new { s.OrganizationId, s.VolunteerId })
                .HasConstraintName("volunteer_not_found").OnDelete(DeleteBehavior.Restrict);
            builder.HasOne<ShiftGroup>().WithMany().HasForeignKey(s => new { s.OrganizationId, s.GroupId })
                .HasConstraintName("group_not_found").OnDelete(DeleteBehavior.Restrict);
            // A volunteer signs up for a shift once.
            builder.HasIndex(s => new { s.OrganizationId, s.ShiftId, s.VolunteerId }).IsUnique().HasDatabaseName("already_signed_up");
            // The waiting list in its order.
            builder.HasIndex(s => new { s.OrganizationId, s.ShiftId, s.Status, s.Arrival });
            // Everything one volunteer signed up for.
            builder.HasIndex(s => new { s.OrganizationId, s.VolunteerId, s.Status });
            // Whether a group that goes with its shift still has sign-ups.
            builder.HasIndex(s => new { s.OrganizationId, s.GroupId }).HasFilter("group_id is not null");
        }
    }
}
