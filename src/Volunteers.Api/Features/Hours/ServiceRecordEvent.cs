using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Platform.Audit;
using Volunteers.Platform.Outbox;

namespace Volunteers.Features.Hours;

internal enum RecordStep
{
    Recorded,
    Approved,
    Rejected,
    Corrected,
    Voided,
    Claimed,

    /// <summary>Of a headcount: a participation that had a name has none any more.</summary>
    Returned,

    /// <summary>The volunteer says that it is not right.</summary>
    Disputed,
    DisputeWithdrawn,

    /// <summary>By a coordinator; what was changed with it is a step of its own before this one.</summary>
    DisputeAnswered,
}

/// <summary>One step in the life of a record: who did what, when, why, and how it stood after. Never changed.</summary>
[NotAudited]
internal sealed class ServiceRecordEvent : IAnnounced
{
    private readonly ServiceRecord? record;

    private ServiceRecordEvent() { }

    public ServiceRecordEvent(ServiceRecord record, RecordStep step, Guid by, DateTimeOffset at, string? reason, IEnumerable<HourPosting> postings)
    {
        (Id, this.record) = (Guid.CreateVersion7(at), record);
        (OrganizationId, RecordId, Step, By, At, Reason) = (record.OrganizationId, record.Id, step, by, at, reason);
        (Status, StartsAt, EndsAt, Minutes, PersonTimes) = (record.Status, record.StartsAt, record.EndsAt, record.Minutes, record.PersonTimes);
        (CreditedMinutes, CreditedPersonTimes) = (record.CreditedMinutes, record.CreditedPersonTimes);
        Positions = [.. postings.Where(posting => posting.RecordId == record.Id).Select(posting => posting.Position)];
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid RecordId { get; private set; }

    /// <summary>Places a record's events in order, also those of one instant.</summary>
    public long Sequence { get; private set; }

    public RecordStep Step { get; private set; }

    public Guid By { get; private set; }

    public DateTimeOffset At { get; private set; }

    public string? Reason { get; private set; }

    public ServiceStatus Status { get; private set; }

    public DateTimeOffset StartsAt { get; private set; }

    public DateTimeOffset EndsAt { get; private set; }

    public int Minutes { get; private set; }

    public int PersonTimes { get; private set; }

    public int CreditedMinutes { get; private set; }

    public int CreditedPersonTimes { get; private set; }

    /// <summary>The ledger positions that it was booked at.</summary>
    public long[] Positions { get; private set; } = [];

    public IEnumerable<Happening> Announce(EntityEntry entry) => entry.State == EntityState.Added ? ServiceEvents.Of(this, record!) : [];

    internal sealed class Configuration : IEntityTypeConfiguration<ServiceRecordEvent>
    {
        public void Configure(EntityTypeBuilder<ServiceRecordEvent> builder)
        {
            builder.ToTable("service_record_events");
            builder.HasKey(e => new { e.OrganizationId, e.Id });
            builder.Property(e => e.Sequence).UseIdentityAlwaysColumn();
            builder.Property(e => e.Reason).HasMaxLength(1000);
            builder.HasOne<ServiceRecord>().WithMany().HasForeignKey(e => new { e.OrganizationId, e.RecordId })
                .HasConstraintName("record_not_found").OnDelete(DeleteBehavior.Restrict);
            // What happened to a record, in its order.
            builder.HasIndex(e => new { e.OrganizationId, e.RecordId, e.Sequence });
        }
    }
}
