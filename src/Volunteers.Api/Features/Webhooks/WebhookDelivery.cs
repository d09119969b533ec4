using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Platform.Audit;
using Volunteers.Platform.Outbox;

namespace Volunteers.Features.Webhooks;

internal enum DeliveryStatus
{
    /// <summary>Waits: for its turn, for the next try, or for its webhook to be resumed.</summary>
    Pending,

    /// <summary>The receiver has answered with a success.</summary>
    Delivered,

    /// <summary>A test that failed: it is tried once.</summary>
    Failed,
}

/// <summary>Why a try failed.</summary>
internal enum DeliveryFault
{
    /// <summary>The receiver answered with another status than 2xx.</summary>
    Refused,

    /// <summary>The receiver answered 410: it wants no more.</summary>
    Gone,

    /// <summary>The receiver sends elsewhere; redirections are not followed.</summary>
    Redirected,

    /// <summary>No answer within the time limit.</summary>
    TimedOut,

    /// <summary>The name of the host leads nowhere.</summary>
    NameUnknown,

    /// <summary>The host has no public address.</summary>
    AddressRefused,

    /// <summary>No connection, or one that broke.</summary>
    Unreachable,

    /// <summary>The certificate is not good, or no TLS could be agreed on.</summary>
    Insecure,

    /// <summary>The secrets can no longer be read: the service has lost its keys. Make another.</summary>
    SecretLost,
}

/// <summary>One event on its way to one webhook. Its id is the message's <c>webhook-id</c>, the same at every try.</summary>
[NotAudited]
internal sealed class WebhookDelivery
{
    /// <summary>After a failed try; 39 h 53 min in all, of each a tenth more or less.</summary>
    public static readonly TimeSpan[] Waits =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(1), TimeSpan.FromHours(2), TimeSpan.FromHours(4), TimeSpan.FromHours(8), TimeSpan.FromHours(12), TimeSpan.FromHours(12),
    ];

    private WebhookDelivery() { }

    /// <summary>A test: goes out once, whatever the webhook asks for, also when it is paused or disabled.</summary>
    public static WebhookDelivery Test(Webhook webhook, OutboxEvent e) => new()
    {
        OrganizationId = webhook.OrganizationId, Id = Guid.CreateVersion7(e.At), WebhookId = webhook.Id, EventId = e.Id, ObjectId = e.Id,
        Type = e.Type, At = e.At, NextTryAt = e.At, IsTest = true,
    };

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid WebhookId { get; private set; }

    public Guid EventId { get; private set; }

    /// <summary>What of the event says in which order it goes; 0 for a test, which comes before and after nothing.</summary>
    public long Sequence { get; private set; }

    public Guid ObjectId { get; private set; }

    public string Type { get; private set; } = "";

    public DateTimeOffset At { get; private set; }

    public DeliveryStatus Status { get; private set; }

    /// <summary>That failed since it was last asked for.</summary>
    public int Tries { get; private set; }

    public DateTimeOffset? NextTryAt { get; private set; }

    public DateTimeOffset? DeliveredAt { get; private set; }

    public bool IsTest { get; private set; }

    internal sealed class Configuration : IEntityTypeConfiguration<WebhookDelivery>
    {
        public void Configure(EntityTypeBuilder<WebhookDelivery> builder)
        {
            builder.ToTable("webhook_deliveries");
            builder.HasKey(d => new { d.OrganizationId, d.Id });
            builder.Property(d => d.Type).HasMaxLength(60);
            builder.HasOne<Webhook>().WithMany().HasForeignKey(d => new { d.OrganizationId, d.WebhookId });
            builder.HasOne<OutboxEvent>().WithMany().HasForeignKey(d => new { d.OrganizationId, d.EventId });
            // An event goes to a webhook once.
            builder.HasIndex(d => new { d.OrganizationId, d.EventId, d.WebhookId }).IsUnique();
            // The deliveries of a webhook.
            builder.HasIndex(d => new { d.OrganizationId, d.WebhookId, d.Id });
            // What is due, in its order.
            builder.HasIndex(d => new { d.OrganizationId, d.WebhookId, d.Sequence }).HasFilter("status = 'pending'").HasDatabaseName("ix_webhook_deliveries_in_order");
            // What else of the object waits.
            builder.HasIndex(d => new { d.OrganizationId, d.WebhookId, d.ObjectId, d.Sequence }).HasFilter("status = 'pending'").HasDatabaseName("ix_webhook_deliveries_of_object");
            // Whether anything is due.
            builder.HasIndex(d => new { d.OrganizationId, d.WebhookId, d.NextTryAt }).HasFilter("status = 'pending'").HasDatabaseName("ix_webhook_deliveries_due");
            builder.ToTable(table => table.HasCheckConstraint("ck_webhook_deliveries_status", "(status = 'pending') = (next_try_at is not null)"));
        }
    }
}

/// <summary>One try to deliver, and what came of it.</summary>
[NotAudited]
internal sealed class WebhookAttempt
{
    private WebhookAttempt() { }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid DeliveryId { get; private set; }

    public DateTimeOffset At { get; private set; }

    public int Milliseconds { get; private set; }

    /// <summary>What the receiver answered; null when nothing came.</summary>
    public int? StatusCode { get; private set; }

    /// <summary>Null for a success.</summary>
    public DeliveryFault? Fault { get; private set; }

    internal sealed class Configuration : IEntityTypeConfiguration<WebhookAttempt>
    {
        public void Configure(EntityTypeBuilder<WebhookAttempt> builder)
        {
            builder.ToTable("webhook_attempts");
            builder.HasKey(a => new { a.OrganizationId, a.Id });
            builder.HasOne<WebhookDelivery>().WithMany().HasForeignKey(a => new { a.OrganizationId, a.DeliveryId });
            // The attempts of a delivery.
            builder.HasIndex(a => new { a.OrganizationId, a.DeliveryId, a.Id });
        }
    }
}
