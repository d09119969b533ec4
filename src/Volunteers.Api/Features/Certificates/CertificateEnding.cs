using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.Outbox;

namespace Volunteers.Features.Certificates;

internal enum CertificateEnd
{
    Revoked,
    Superseded,
}

/// <summary>How a certificate stopped being valid. Its key is the certificate's, so that it ends once, whoever comes second.</summary>
internal sealed class CertificateEnding : IAnnounced
{
    private CertificateEnding() { }

    private CertificateEnding(Guid organizationId, Guid certificateId, CertificateEnd end, Guid by, DateTimeOffset at) =>
        (OrganizationId, Id, End, By, At) = (organizationId, certificateId, end, by, at);

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public CertificateEnd End { get; private set; }

    /// <summary>Why it was revoked: for the organization, not for who verifies.</summary>
    [Personal(Mask.Hidden)]
    public string? Reason { get; private set; }

    public Guid? SuccessorId { get; private set; }

    public string? SuccessorNumber { get; private set; }

    public Guid By { get; private set; }

    public DateTimeOffset At { get; private set; }

    public static CertificateEnding Revoke(Guid certificateId, string reason, Tenant by, DateTimeOffset now) =>
        new(by.Id, certificateId, CertificateEnd.Revoked, by.ActorId, now) { Reason = reason };

    public static CertificateEnding Supersede(Guid certificateId, Certificate successor) =>
        new(successor.OrganizationId, certificateId, CertificateEnd.Superseded, successor.IssuedBy, successor.IssuedAt)
        {
            SuccessorId = successor.Id, SuccessorNumber = successor.Number,
        };

    public IEnumerable<Happening> Announce(EntityEntry entry) => entry.State == EntityState.Added ? CertificateEvents.Of(this) : [];

    internal sealed class Configuration : IEntityTypeConfiguration<CertificateEnding>
    {
        public void Configure(EntityTypeBuilder<CertificateEnding> builder)
        {
            builder.ToTable("certificate_endings");
            builder.HasKey(e => new { e.OrganizationId, e.Id }).HasName("certificate_already_ended");
            builder.Property(e => e.Reason).HasMaxLength(500);
            builder.Property(e => e.SuccessorNumber).HasMaxLength(20);
            builder.HasOne<Certificate>().WithOne(c => c.Ending).HasForeignKey<CertificateEnding>(e => new { e.OrganizationId, e.Id })
                .HasConstraintName("certificate_not_found").OnDelete(DeleteBehavior.Restrict);
            builder.HasOne<Certificate>().WithMany().HasForeignKey(e => new { e.OrganizationId, e.SuccessorId }).OnDelete(DeleteBehavior.Restrict);
        }
    }
}
