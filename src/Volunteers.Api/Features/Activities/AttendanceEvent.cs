using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Activities;

internal enum AttendanceKind
{
    CheckIn,
    CheckOut,
}

/// <summary>Who or what says that somebody was there.</summary>
internal enum AttendanceMethod
{
    /// <summary>Their own phone, with the code on the organizer's screen.</summary>
    Code,

    /// <summary>A coordinator.</summary>
    Coordinator,

    /// <summary>The list on a device at the place.</summary>
    Kiosk,
}

/// <summary>How far from the activity's place. The position itself is not kept.</summary>
internal enum Distance
{
    /// <summary>Within the radius of the activity's place, or 200 m when it names none.</summary>
    AtPlace,

    /// <summary>Within 2 km of that.</summary>
    Nearby,
    Far,
}

/// <summary>When something was taken: by the clock of the device, by ours, and which counts.</summary>
/// <param name="CountedAt">The instant that counts.</param>
/// <param name="DeviceAt">As the device said; null when it did not.</param>
/// <param name="ReceivedAt">When it reached us.</param>
internal sealed record AttendanceTime(DateTimeOffset CountedAt, DateTimeOffset? DeviceAt, DateTimeOffset ReceivedAt);

/// <summary>One check-in or check-out. Every one is kept, also the second and the one that changes nothing; none is ever changed, but what the device said is forgotten after a while.</summary>
[HistoryKept]
[Measured("volunteers.attendance", "{event}", "Check-ins and check-outs taken.", By = nameof(Kind))]
internal sealed class AttendanceEvent
{
    private AttendanceEvent() { }

    public AttendanceEvent(
        Shift shift, Guid volunteerId, AttendanceKind kind, AttendanceTime time, AttendanceMethod method, Distance? distance, bool vouched,
        Guid recordedBy, Guid? clientEventId)
    {
        Id = Guid.CreateVersion7(time.ReceivedAt);
        (OrganizationId, ShiftId, VolunteerId, Kind, CountedAt, DeviceAt, ReceivedAt, Method, Distance, Vouched, RecordedBy, ClientEventId) =
            (shift.OrganizationId, shift.Id, volunteerId, kind, time.CountedAt, time.DeviceAt, time.ReceivedAt, method, distance, vouched, recordedBy, clientEventId);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid ShiftId { get; private set; }

    public Guid VolunteerId { get; private set; }

    public AttendanceKind Kind { get; private set; }

    public DateTimeOffset CountedAt { get; private set; }

    public DateTimeOffset? DeviceAt { get; private set; }

    public DateTimeOffset ReceivedAt { get; private set; }

    public AttendanceMethod Method { get; private set; }

    public Distance? Distance { get; private set; }

    /// <summary>Somebody else, or the code at that very moment, stands for it.</summary>
    public bool Vouched { get; private set; }

    public Guid RecordedBy { get; private set; }

    /// <summary>The id a device gave it when it was taken offline.</summary>
    public Guid? ClientEventId { get; private set; }

    /// <summary>What devices said before then is of no use any more, a thousand at a time.</summary>
    public static Task<int> ForgetDevices(DbContext db, DateTimeOffset before, CancellationToken ct) => db.Database.ExecuteSqlAsync(
        $"""
         update attendance_events set device_at = null, distance = null where (organization_id, id) in
             (select organization_id, id from attendance_events where received_at < {before} and (device_at is not null or distance is not null) limit 1000)
         """, ct);

    internal sealed class Configuration : IEntityTypeConfiguration<AttendanceEvent>
    {
        public void Configure(EntityTypeBuilder<AttendanceEvent> builder)
        {
            builder.ToTable("attendance_events");
            builder.HasKey(e => new { e.OrganizationId, e.Id });
            builder.HasOne<Shift>().WithMany().HasForeignKey(e => new { e.OrganizationId, e.ShiftId })
                .HasConstraintName("shift_not_found").OnDelete(DeleteBehavior.Restrict);
            builder.HasOne<Volunteer>().WithMany().HasForeignKey(e => new { e.OrganizationId, e.VolunteerId })
                .HasConstraintName("volunteer_not_found").OnDelete(DeleteBehavior.Restrict);
            // The same batch from three devices is one event.
            builder.HasIndex(e => new { e.OrganizationId, e.ClientEventId }).IsUnique().HasDatabaseName("event_id_reused");
            // Who came to a shift, and when.
            builder.HasIndex(e => new { e.OrganizationId, e.ShiftId, e.VolunteerId });
            // Whether an applicant who is removed was anywhere; what somebody is told of themselves.
            builder.HasIndex(e => new { e.OrganizationId, e.VolunteerId });
            // What tells a device or a place, and is too old to.
            builder.HasIndex(e => e.ReceivedAt).HasFilter("device_at is not null or distance is not null");
        }
    }
}
