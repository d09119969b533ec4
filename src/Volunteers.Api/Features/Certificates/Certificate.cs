using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Hours;
using Volunteers.Features.Organizations;
using Volunteers.Features.Volunteers;
using Volunteers.Platform.Audit;
using Volunteers.Platform.Outbox;

namespace Volunteers.Features.Certificates;

/// <summary>What the lines of a certificate stand for.</summary>
internal enum CertificateLines
{
    /// <summary>One activity on one day.</summary>
    Activities,

    /// <summary>One month: there are too many activities to print.</summary>
    Months,
}

/// <summary>
/// A frozen statement of what one volunteer gave in a period: everything that is printed is kept here as it stood, so that it
/// can be drawn again for ever. Insert-only; how it ended, if it did, is a row of its own.
/// </summary>
[HistoryKept]
internal sealed class Certificate : IAnnounced
{
    private Certificate() { }

    public Certificate(Guid organizationId, Guid volunteerId, int year, int sequence, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, VolunteerId, Year, Sequence, IssuedAt) = (organizationId, volunteerId, year, sequence, now);
        Code = CertificateCode.Make(organizationId);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid VolunteerId { get; private set; }

    /// <summary>The organization's local year of issue, in which its certificates are numbered 1, 2, 3 … without a gap.</summary>
    public int Year { get; private set; }

    public int Sequence { get; private set; }

    /// <summary>In <see cref="CertificateCode"/>'s spelling, without hyphens.</summary>
    public string Code { get; private set; } = "";

    public DateOnly From { get; init; }

    public DateOnly To { get; init; }

    public string Language { get; init; } = "";

    [Personal(Mask.Hidden)]
    public string? Purpose { get; init; }

    public string VolunteerNumber { get; init; } = "";

    [Personal(Mask.Name)]
    public string VolunteerName { get; init; } = "";

    public string Organization { get; init; } = "";

    public string? SupervisingOrganization { get; init; }

    public string? Contact { get; init; }

    public string? ResponsiblePerson { get; init; }

    /// <summary>The account or client that issued it.</summary>
    public Guid IssuedBy { get; init; }

    /// <summary>Its name; null when the volunteer drew it for themselves.</summary>
    [Personal(Mask.Name)]
    public string? IssuedByName { get; init; }

    public DateOnly IssuedOn { get; init; }

    public DateTimeOffset IssuedAt { get; private set; }

    /// <summary>The last posting that counts.</summary>
    public long LedgerPosition { get; init; }

    public long Minutes { get; init; }

    public long PersonTimes { get; init; }

    public List<CertifiedEvidence> ByEvidence { get; init; } = [];

    public CertificateLines LinesAre { get; init; }

    public List<CertificateLine> Lines { get; init; } = [];

    public Guid? ReplacesId { get; init; }

    public string? ReplacesNumber { get; init; }

    /// <summary>For queries: a certificate is not loaded with it.</summary>
    public CertificateEnding? Ending { get; private set; }

    public string Number => NumberOf(Year, Sequence);

    public static string NumberOf(int year, int sequence) => string.Create(CultureInfo.InvariantCulture, $"{year}-{sequence:D6}");

    public IEnumerable<Happening> Announce(EntityEntry entry) => entry.State == EntityState.Added ? CertificateEvents.Of(this) : [];

    internal sealed class Configuration : IEntityTypeConfiguration<Certificate>
    {
        public void Configure(EntityTypeBuilder<Certificate> builder)
        {
            builder.ToTable("certificates");
            builder.HasKey(c => new { c.OrganizationId, c.Id });
            builder.Ignore(c => c.Number);
            builder.Property(c => c.Code).HasMaxLength(CertificateCode.Length);
            builder.Property(c => c.Language).HasMaxLength(10);
            builder.Property(c => c.Purpose).HasMaxLength(200);
            builder.Property(c => c.VolunteerNumber).HasMaxLength(30);
            builder.Property(c => c.VolunteerName).HasMaxLength(100);
            builder.Property(c => c.Organization).HasMaxLength(100);
            builder.Property(c => c.SupervisingOrganization).HasMaxLength(100);
            builder.Property(c => c.Contact).HasMaxLength(200);
            builder.Property(c => c.ResponsiblePerson).HasMaxLength(100);
            builder.Property(c => c.IssuedByName).HasMaxLength(100);
            builder.Property(c => c.ReplacesNumber).HasMaxLength(20);
            builder.ComplexCollection(c => c.ByEvidence, evidence => evidence.ToJson());
            builder.ComplexCollection(c => c.Lines, lines => lines.ToJson());
            builder.HasOne<Organization>().WithMany().HasForeignKey(c => c.OrganizationId);
            builder.HasOne<Volunteer>().WithMany().HasForeignKey(c => new { c.OrganizationId, c.VolunteerId })
                .HasConstraintName("volunteer_not_found").OnDelete(DeleteBehavior.Restrict);
            builder.HasOne<Certificate>().WithMany().HasForeignKey(c => new { c.OrganizationId, c.ReplacesId }).OnDelete(DeleteBehavior.Restrict);
            // A number names one certificate of a year, and the next follows the last.
            builder.HasIndex(c => new { c.OrganizationId, c.Year, c.Sequence }).IsUnique();
            // A certificate is verified by its code.
            builder.HasIndex(c => new { c.OrganizationId, c.Code }).IsUnique();
            // The certificates of a volunteer.
            builder.HasIndex(c => new { c.OrganizationId, c.VolunteerId });
        }
    }
}

/// <summary>One line of a certificate's table.</summary>
/// <param name="Date">The local day of service, or the first day of the month.</param>
/// <param name="Activity">The activity's title; null for a month.</param>
/// <param name="Category">The category under which it was recorded; null for a month.</param>
/// <param name="Place">Where, as people know it.</param>
/// <param name="Content">The beginning of the activity's description.</param>
/// <param name="Team">The organizing team.</param>
/// <param name="PersonInCharge">Who was responsible for the activity.</param>
/// <param name="Evidence">How we know; null for a month.</param>
/// <param name="PersonTimes">Participations.</param>
/// <param name="Minutes">Whole minutes.</param>
internal sealed record CertificateLine(
    DateOnly Date, string? Activity, string? Category, string? Place, string? Content, string? Team, string? PersonInCharge,
    Evidence? Evidence, long PersonTimes, long Minutes);

/// <summary>What is certified on one kind of evidence.</summary>
/// <param name="Evidence">How we know.</param>
/// <param name="PersonTimes">Participations.</param>
/// <param name="Minutes">Whole minutes.</param>
internal sealed record CertifiedEvidence(Evidence Evidence, long PersonTimes, long Minutes);
