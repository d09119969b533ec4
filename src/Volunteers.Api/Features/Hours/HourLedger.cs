using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Organizations;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.Outbox;

namespace Volunteers.Features.Hours;

/// <summary>Why a line was booked.</summary>
internal enum PostingCause
{
    Approved,
    Corrected,
    Voided,
    Claimed,
}

/// <summary>Where an organization's ledger stands. Its lock puts postings in one order, without a gap.</summary>
[NotAudited]
internal sealed class HourLedger
{
    private HourLedger() { }

    public Guid OrganizationId { get; private set; }

    /// <summary>The position of the last posting; 0 before the first.</summary>
    public long Position { get; private set; }

    public byte[] Hash { get; private set; } = [];

    public DateTimeOffset PostedAt { get; private set; }

    /// <summary>The next line. Time never runs backwards in a ledger, whatever a server's clock does.</summary>
    public HourPosting Book(Booking booking, Guid by, DateTimeOffset now)
    {
        if (now > PostedAt) PostedAt = now;
        var posting = new HourPosting(booking, Position + 1, by, PostedAt, Hash);
        (Position, Hash) = (posting.Position, posting.Hash);
        return posting;
    }

    internal sealed class Configuration : IEntityTypeConfiguration<HourLedger>
    {
        public void Configure(EntityTypeBuilder<HourLedger> builder)
        {
            builder.ToTable("hour_ledgers");
            builder.HasKey(l => l.OrganizationId);
            builder.HasOne<Organization>().WithOne().HasForeignKey<HourLedger>(l => l.OrganizationId);
        }
    }
}

/// <summary>
/// What is to be booked for a record, signed. Taken from the record as it stands, so the old figure of a correction must be
/// taken before the record is changed.
/// </summary>
internal sealed record Booking(
    Guid OrganizationId, Guid RecordId, PostingCause Cause, Guid? VolunteerId, Guid TeamId, Guid ActivityId, Guid? ProjectId, string Category,
    Evidence Evidence, DateOnly ServiceDate, int Minutes, int PersonTimes)
{
    public static Booking Of(ServiceRecord record, PostingCause cause) => Of(record, cause, record.CreditedMinutes, record.CreditedPersonTimes);

    public static Booking Of(ServiceRecord record, PostingCause cause, int minutes, int personTimes) =>
        new(record.OrganizationId, record.Id, cause, record.VolunteerId, record.TeamId, record.ActivityId, record.ProjectId, record.Category,
            record.Evidence, record.ServiceDate, minutes, personTimes);

    public Booking Reversed => this with { Minutes = -Minutes, PersonTimes = -PersonTimes };
}

/// <summary>One line of the hours ledger: ± minutes and ± person-times for one record. Insert-only.</summary>
[NotAudited]
[Measured("volunteers.postings", "{posting}", "Postings to the hour ledgers.", By = nameof(Evidence))]
internal sealed class HourPosting : IAnnounced
{
    private HourPosting() { }

    public HourPosting(Booking booking, long position, Guid postedBy, DateTimeOffset postedAt, byte[] previousHash)
    {
        (OrganizationId, RecordId, Cause, VolunteerId, TeamId, ActivityId, ProjectId, Category, Evidence, ServiceDate, Minutes, PersonTimes) = booking;
        (Position, PostedBy, PostedAt, PreviousHash) = (position, postedBy, postedAt, previousHash);
        Hash = ComputeHash();
    }

    public Guid OrganizationId { get; private set; }

    public long Position { get; private set; }

    public Guid RecordId { get; private set; }

    public PostingCause Cause { get; private set; }

    public Guid? VolunteerId { get; private set; }

    public Guid TeamId { get; private set; }

    public Guid ActivityId { get; private set; }

    public Guid? ProjectId { get; private set; }

    public string Category { get; private set; } = "";

    public Evidence Evidence { get; private set; }

    public DateOnly ServiceDate { get; private set; }

    public int Minutes { get; private set; }

    public int PersonTimes { get; private set; }

    public DateTimeOffset PostedAt { get; private set; }

    public Guid PostedBy { get; private set; }

    public byte[] PreviousHash { get; private set; } = [];

    public byte[] Hash { get; private set; } = [];

    long IAnnounced.Place => Position;

    public IEnumerable<Happening> Announce(EntityEntry entry) => entry.State == EntityState.Added ? ServiceEvents.Of(this) : [];

    /// <summary>
    /// SHA-256 over the hash of the line before and every figure of this one, each on a line of text of its own. Ids and
    /// figures only: erasing a person leaves the chain whole. The category comes last because it is free text.
    /// </summary>
    public byte[] ComputeHash()
    {
        var text = string.Join('\n', "volunteers.posting.1", OrganizationId, Position.ToString(CultureInfo.InvariantCulture), RecordId, Cause,
            VolunteerId, TeamId, ActivityId, ProjectId, Evidence, ServiceDate.ToString("O", CultureInfo.InvariantCulture),
            Minutes.ToString(CultureInfo.InvariantCulture), PersonTimes.ToString(CultureInfo.InvariantCulture),
            PostedAt.UtcDateTime.ToString("O", CultureInfo.InvariantCulture), PostedBy, Category);
        return SHA256.HashData([.. PreviousHash, .. Encoding.UTF8.GetBytes(text)]);
    }

    internal sealed class Configuration : IEntityTypeConfiguration<HourPosting>
    {
        public void Configure(EntityTypeBuilder<HourPosting> builder)
        {
            builder.ToTable("hour_postings");
            builder.HasKey(p => new { p.OrganizationId, p.Position });
            builder.Property(p => p.Category).HasMaxLength(50);
            builder.HasOne<ServiceRecord>().WithMany().HasForeignKey(p => new { p.OrganizationId, p.RecordId })
                .HasConstraintName("record_not_found").OnDelete(DeleteBehavior.Restrict);
            // Reports of a period.
            builder.HasIndex(p => new { p.OrganizationId, p.ServiceDate });
            // One volunteer's certificates and what they verify as.
            builder.HasIndex(p => new { p.OrganizationId, p.VolunteerId, p.ServiceDate });
            // The postings of one record.
            builder.HasIndex(p => new { p.OrganizationId, p.RecordId });
            // What of a period has no names.
            builder.HasIndex(p => new { p.OrganizationId, p.ServiceDate }, "WithoutNames").HasFilter("volunteer_id is null").HasDatabaseName("ix_hour_postings_without_names");
        }
    }
}

/// <summary>What a team's volunteer (or its headcounts, without one) gave in one month, by evidence: the sum of postings, kept with them.</summary>
[NotAudited]
internal sealed class HourTotal
{
    private HourTotal() { }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid TeamId { get; private set; }

    public Guid? VolunteerId { get; private set; }

    /// <summary>Its first day.</summary>
    public DateOnly Month { get; private set; }

    public Evidence Evidence { get; private set; }

    public long Minutes { get; private set; }

    public long PersonTimes { get; private set; }

    internal sealed class Configuration : IEntityTypeConfiguration<HourTotal>
    {
        public void Configure(EntityTypeBuilder<HourTotal> builder)
        {
            builder.ToTable("hour_totals");
            builder.HasKey(t => new { t.OrganizationId, t.Id });
            // Where a posting is added up; the reports of teams and months.
            builder.HasIndex(t => new { t.OrganizationId, t.TeamId, t.VolunteerId, t.Month, t.Evidence }).IsUnique().AreNullsDistinct(false);
            // The summary of one volunteer.
            builder.HasIndex(t => new { t.OrganizationId, t.VolunteerId });
        }
    }
}
