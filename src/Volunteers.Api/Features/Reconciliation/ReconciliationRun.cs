using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Hours;
using Volunteers.Features.Organizations;
using Volunteers.Features.Teams;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Reconciliation;

/// <summary>What came of comparing a row or a record.</summary>
internal enum ReconciliationList
{
    /// <summary>On both sides, with the same day and minutes.</summary>
    Same,

    /// <summary>Credited here, and not in the file.</summary>
    MissingThere,

    /// <summary>In the file, and not credited here.</summary>
    MissingHere,

    /// <summary>On both sides, with other minutes or on another day.</summary>
    Different,

    /// <summary>A row of the file that cannot be compared; its code says why.</summary>
    Unmatched,
}

/// <summary>How many rows came into each list.</summary>
internal sealed record ReconciliationCounts(int Same, int MissingThere, int MissingHere, int Different, int Unmatched);

/// <summary>An export of another system held against the service of a period, as both were at that moment. Rows name people, so it is forgotten after a quarter (<see cref="Retention"/>).</summary>
internal sealed class ReconciliationRun : IVersioned
{
    private ReconciliationRun() { }

    public ReconciliationRun(ColumnMapping mapping, ReconciliationQuery query, Guid createdBy, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, Mapping, System, From, To, TeamId, CreatedBy, CreatedAt) =
            (mapping.OrganizationId, mapping.Name, mapping.System, query.From, query.To, query.Team, createdBy, Instant.AsKept(now));
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public string Mapping { get; private set; } = "";

    public string System { get; private set; } = "";

    public DateOnly From { get; private set; }

    public DateOnly To { get; private set; }

    public Guid? TeamId { get; private set; }

    public int FileRows { get; private set; }

    public ReconciliationCounts Counts { get; private set; } = new(0, 0, 0, 0, 0);

    public long MinutesThere { get; private set; }

    public long MinutesHere { get; private set; }

    /// <summary>The last posting that was surely looked at.</summary>
    public long LedgerPosition { get; private set; }

    /// <summary>Rows of which records were made since.</summary>
    public int Imported { get; private set; }

    public Guid CreatedBy { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public long Version { get; private set; } = 1;

    public void Found(IReadOnlyCollection<ReconciliationRow> rows, long ledgerPosition)
    {
        LedgerPosition = ledgerPosition;
        FileRows = rows.Count(row => row.FileRow is not null);
        Counts = new ReconciliationCounts(Of(ReconciliationList.Same), Of(ReconciliationList.MissingThere), Of(ReconciliationList.MissingHere),
            Of(ReconciliationList.Different), Of(ReconciliationList.Unmatched));
        MinutesThere = rows.Sum(row => (long)(row.MinutesThere ?? 0));
        MinutesHere = rows.Sum(row => (long)(row.MinutesHere ?? 0));

        int Of(ReconciliationList list) => rows.Count(row => row.List == list);
    }

    public void HasImported(int rows) => Imported += rows;

    internal sealed class Configuration : IEntityTypeConfiguration<ReconciliationRun>
    {
        public void Configure(EntityTypeBuilder<ReconciliationRun> builder)
        {
            builder.ToTable("reconciliations");
            builder.HasKey(r => new { r.OrganizationId, r.Id });
            builder.Property(r => r.Mapping).HasMaxLength(60);
            builder.Property(r => r.System).HasMaxLength(100);
            builder.ComplexProperty(r => r.Counts, counts => counts.ToJson());
            builder.HasOne<Organization>().WithMany().HasForeignKey(r => r.OrganizationId);
            builder.HasOne<Team>().WithMany().HasForeignKey(r => new { r.OrganizationId, r.TeamId })
                .HasConstraintName("team_not_found").OnDelete(DeleteBehavior.Restrict);
            // What is too old to be kept.
            builder.HasIndex(r => r.CreatedAt);
            // Whether a team that is removed has any.
            builder.HasIndex(r => new { r.OrganizationId, r.TeamId });
        }
    }
}

/// <summary>
/// One row of the file, one record, or both. Of the person it keeps who was found; only a row that nobody was found for keeps
/// what the file calls them.
/// </summary>
[NotAudited]
internal sealed class ReconciliationRow
{
    public Guid OrganizationId { get; init; }

    public Guid Id { get; init; }

    public Guid ReconciliationId { get; init; }

    /// <summary>Rows of the file in its order, then records that are not in it, by day.</summary>
    public int Position { get; set; }

    public ReconciliationList List { get; init; }

    /// <summary>As the spreadsheet numbers it.</summary>
    public int? FileRow { get; init; }

    public string? PersonNumber { get; init; }

    public string? PersonName { get; init; }

    /// <summary>The last four digits: enough to find the row again.</summary>
    public string? PersonPhone { get; init; }

    public Guid? VolunteerId { get; init; }

    public DateOnly? Day { get; init; }

    public DateTimeOffset? StartsAt { get; init; }

    public DateTimeOffset? EndsAt { get; init; }

    public string? Activity { get; init; }

    public string? Reference { get; init; }

    public int? MinutesThere { get; init; }

    public Guid? RecordId { get; init; }

    public DateOnly? DayHere { get; init; }

    public int? MinutesHere { get; init; }

    /// <summary>Submitted here, and not reviewed yet.</summary>
    public Guid? WaitingRecordId { get; init; }

    public Guid? ImportedRecordId { get; private set; }

    public string? Code { get; init; }

    public string? Column { get; init; }

    public void BecameRecord(Guid recordId) => ImportedRecordId = recordId;

    internal sealed class Configuration : IEntityTypeConfiguration<ReconciliationRow>
    {
        public void Configure(EntityTypeBuilder<ReconciliationRow> builder)
        {
            builder.ToTable("reconciliation_rows");
            builder.HasKey(r => new { r.OrganizationId, r.Id });
            foreach (var text in new[] { nameof(PersonNumber), nameof(PersonName), nameof(Activity), nameof(Reference) })
                builder.Property(text).HasMaxLength(UpstreamCells.LongestText);
            builder.Property(r => r.PersonPhone).HasMaxLength(4);
            builder.Property(r => r.Code).HasMaxLength(40);
            builder.Property(r => r.Column).HasMaxLength(100);
            builder.HasOne<ReconciliationRun>().WithMany().HasForeignKey(r => new { r.OrganizationId, r.ReconciliationId })
                .HasConstraintName("reconciliation_not_found").OnDelete(DeleteBehavior.Cascade);
            builder.HasOne<Volunteer>().WithMany().HasForeignKey(r => new { r.OrganizationId, r.VolunteerId })
                .HasConstraintName("volunteer_not_found").OnDelete(DeleteBehavior.Restrict);
            builder.HasOne<ServiceRecord>().WithMany().HasForeignKey(r => new { r.OrganizationId, r.RecordId })
                .HasConstraintName("record_not_found").OnDelete(DeleteBehavior.Restrict);
            // The rows of a comparison, in the order of its file.
            builder.HasIndex(r => new { r.OrganizationId, r.ReconciliationId, r.Position });
            // The same of one list.
            builder.HasIndex(r => new { r.OrganizationId, r.ReconciliationId, r.List, r.Position });
            // What is forgotten with a volunteer.
            builder.HasIndex(r => new { r.OrganizationId, r.VolunteerId });
        }
    }
}
