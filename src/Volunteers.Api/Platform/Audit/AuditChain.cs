using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Volunteers.Platform.Audit;

/// <summary>
/// The place of an event in its organization's chain: positions are dense, and each hash covers the event and the hash before.
/// Written a moment after the event (<see cref="AuditSealer"/>), so that no request waits for another's. Insert-only.
/// </summary>
internal sealed class AuditLink
{
    private AuditLink() { }

    public AuditLink(AuditEvent e, long position, byte[] previousHash)
    {
        (OrganizationId, EventId, Position, PreviousHash) = (e.OrganizationId, e.Id, position, previousHash);
        Hash = e.ComputeHash(position, previousHash);
    }

    public Guid OrganizationId { get; private set; }

    public long Position { get; private set; }

    public Guid EventId { get; private set; }

    public byte[] PreviousHash { get; private set; } = [];

    public byte[] Hash { get; private set; } = [];

    internal sealed class Configuration : IEntityTypeConfiguration<AuditLink>
    {
        public void Configure(EntityTypeBuilder<AuditLink> builder)
        {
            builder.ToTable("audit_chain");
            builder.HasKey(link => new { link.OrganizationId, link.Position });
            // The place of an event, shown with it.
            builder.HasIndex(link => new { link.OrganizationId, link.EventId }).IsUnique();
        }
    }
}

/// <summary>An event that is not in the chain yet: written with it, taken away when it is sealed.</summary>
internal sealed class AuditPending
{
    public Guid OrganizationId { get; private set; }

    public Guid EventId { get; private set; }

    internal sealed class Configuration : IEntityTypeConfiguration<AuditPending>
    {
        public void Configure(EntityTypeBuilder<AuditPending> builder)
        {
            builder.ToTable("audit_pending");
            builder.HasKey(pending => new { pending.OrganizationId, pending.EventId });
        }
    }
}

/// <summary>Where an organization's chain ends. Only who seals holds its lock; no request does.</summary>
internal sealed class AuditHead
{
    private AuditHead() { }

    public Guid OrganizationId { get; private set; }

    /// <summary>The position of the last event; 0 before the first.</summary>
    public long Position { get; private set; }

    public byte[] Hash { get; private set; } = [];

    public AuditLink Seal(AuditEvent e)
    {
        var link = new AuditLink(e, Position + 1, Hash);
        (Position, Hash) = (link.Position, link.Hash);
        return link;
    }

    internal sealed class Configuration : IEntityTypeConfiguration<AuditHead>
    {
        public void Configure(EntityTypeBuilder<AuditHead> builder)
        {
            builder.ToTable("audit_heads");
            builder.HasKey(head => head.OrganizationId);
        }
    }
}

/// <summary>Up to where a chain was cut when its oldest events were old enough: what is left is verified from here on.</summary>
internal sealed class AuditCut
{
    public Guid OrganizationId { get; private set; }

    /// <summary>The last position that is gone.</summary>
    public long Position { get; private set; }

    /// <summary>Its hash, which the first event that is left carries.</summary>
    public byte[] Hash { get; private set; } = [];

    public DateTimeOffset At { get; private set; }

    internal sealed class Configuration : IEntityTypeConfiguration<AuditCut>
    {
        public void Configure(EntityTypeBuilder<AuditCut> builder)
        {
            builder.ToTable("audit_cuts");
            builder.HasKey(cut => cut.OrganizationId);
        }
    }
}
