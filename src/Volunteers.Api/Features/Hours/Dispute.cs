using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Hours;

internal enum DisputeStatus
{
    /// <summary>Waits for a coordinator.</summary>
    Open,
    Answered,

    /// <summary>Taken back by the volunteer.</summary>
    Withdrawn,
}

/// <summary>What a dispute came to.</summary>
internal enum DisputeOutcome
{
    /// <summary>The record stays as it was.</summary>
    Explained,

    /// <summary>The record has other figures.</summary>
    Corrected,

    /// <summary>The record counts no more.</summary>
    Voided,
}

/// <summary>
/// A volunteer says that a record of theirs is not right, and a coordinator answers (Order No. 67 of the Ministry of Civil
/// Affairs, Art. 12 and 13). It changes only while its record is locked.
/// </summary>
internal sealed class Dispute : IVersioned
{
    private Dispute() { }

    public Dispute(ServiceRecord record, string message, Guid by, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, RecordId, Message, CreatedBy, CreatedAt) = (record.OrganizationId, record.Id, message, by, now);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid RecordId { get; private set; }

    [Personal(Mask.Hidden)]
    public string Message { get; private set; } = "";

    public DisputeStatus Status { get; private set; }

    public Guid CreatedBy { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public DisputeOutcome? Outcome { get; private set; }

    [Personal(Mask.Hidden)]
    public string? Explanation { get; private set; }

    public Guid? ClosedBy { get; private set; }

    public DateTimeOffset? ClosedAt { get; private set; }

    public long Version { get; private set; } = 1;

    public void RefuseUnlessOpen()
    {
        if (Status != DisputeStatus.Open) throw new RuleBreach("dispute_closed");
    }

    public void Answer(DisputeOutcome outcome, string explanation, Guid by, DateTimeOffset now)
    {
        RefuseUnlessOpen();
        (Status, Outcome, Explanation, ClosedBy, ClosedAt) = (DisputeStatus.Answered, outcome, explanation, by, now);
    }

    public void Withdraw(Guid by, DateTimeOffset now)
    {
        RefuseUnlessOpen();
        (Status, ClosedBy, ClosedAt) = (DisputeStatus.Withdrawn, by, now);
    }

    internal sealed class Configuration : IEntityTypeConfiguration<Dispute>
    {
        public void Configure(EntityTypeBuilder<Dispute> builder)
        {
            builder.ToTable("disputes");
            builder.HasKey(d => new { d.OrganizationId, d.Id });
            builder.Property(d => d.Message).HasMaxLength(1000);
            builder.Property(d => d.Explanation).HasMaxLength(500);
            builder.HasOne<ServiceRecord>().WithMany().HasForeignKey(d => new { d.OrganizationId, d.RecordId })
                .HasConstraintName("record_not_found").OnDelete(DeleteBehavior.Restrict);
            // A record has one open dispute.
            builder.HasIndex(d => new { d.OrganizationId, d.RecordId }).IsUnique().HasFilter("status = 'open'").HasDatabaseName("dispute_open");
            // The list, oldest first, whole or of one state.
            builder.HasIndex(d => new { d.OrganizationId, d.CreatedAt, d.Id });
        }
    }
}
