using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Volunteers.Platform.Outbox;

/// <summary>
/// Something that happened, written in the transaction in which it did, for whoever brings it to other systems. Kept for a while, so
/// that it can be brought again.
/// </summary>
internal sealed class OutboxEvent
{
    private OutboxEvent() { }

    /// <summary>One that whoever writes it brings to its receiver as well.</summary>
    public static OutboxEvent Taken(Happening happening, DateTimeOffset now) => new()
    {
        OrganizationId = happening.OrganizationId, Id = Guid.CreateVersion7(now), Type = happening.Type.Name, ObjectId = happening.ObjectId,
        At = now, Data = Write(happening), IsTaken = true,
    };

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    /// <summary>Grows. Drawn when the row that changed is written, so events of one object are in the order of their commits; others may be not.</summary>
    public long Sequence { get; private set; }

    public string Type { get; private set; } = "";

    public Guid ObjectId { get; private set; }

    public DateTimeOffset At { get; private set; }

    /// <summary>JSON, kept as it was written.</summary>
    public string Data { get; private set; } = "";

    /// <summary>Somebody knows of it and sees to it.</summary>
    public bool IsTaken { get; private set; }

    public static string Write(Happening happening) => JsonSerializer.Serialize(happening.Data, happening.Data.GetType(), Json.Options);

    internal sealed class Configuration : IEntityTypeConfiguration<OutboxEvent>
    {
        public void Configure(EntityTypeBuilder<OutboxEvent> builder)
        {
            builder.ToTable("outbox_events");
            builder.HasKey(e => new { e.OrganizationId, e.Id });
            builder.Property(e => e.Sequence).UseIdentityAlwaysColumn();
            builder.Property(e => e.Type).HasMaxLength(60);
            builder.Property(e => e.Data).HasColumnType("json");
            builder.Property(e => e.IsTaken).HasDefaultValue(false);
            // What the worker has still to hand on, in its order.
            builder.HasIndex(e => new { e.OrganizationId, e.Sequence }).HasFilter("not is_taken");
            // What is too old to be kept.
            builder.HasIndex(e => e.At);
        }
    }
}

/// <summary>What somebody in an organization asked to be told of. Nothing else is written to the outbox.</summary>
internal sealed class OutboxListener
{
    public Guid OrganizationId { get; private set; }

    public string Type { get; private set; } = "";

    internal sealed class Configuration : IEntityTypeConfiguration<OutboxListener>
    {
        public void Configure(EntityTypeBuilder<OutboxListener> builder)
        {
            builder.ToTable("outbox_listeners");
            builder.HasKey(listener => new { listener.OrganizationId, listener.Type });
            builder.Property(listener => listener.Type).HasMaxLength(60);
        }
    }
}
