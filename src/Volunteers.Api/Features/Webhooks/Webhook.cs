using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Organizations;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Webhooks;

internal enum WebhookStatus
{
    /// <summary>Is sent what happens.</summary>
    Enabled,

    /// <summary>An administrator holds it: what happens waits.</summary>
    Paused,

    /// <summary>The service has given up on it: what happens waits.</summary>
    Disabled,
}

/// <summary>Why the service has given up on an address.</summary>
internal enum WebhookEnd
{
    /// <summary>It answered 410.</summary>
    Gone,

    /// <summary>A message failed at every try, for forty hours.</summary>
    Unanswered,
}

/// <summary>An address of another system that is told what happens in an organization.</summary>
internal sealed class Webhook : IVersioned
{
    /// <summary>The one in use and the one that follows it.</summary>
    public const int MostSecrets = 2;

    public const int MostInOrganization = 20;

    private readonly List<WebhookSecret> secrets = [];

    private Webhook() { }

    /// <summary>With its first secret, which is told once.</summary>
    public static (Webhook Webhook, string Secret) Make(
        Guid organizationId, Uri url, IEnumerable<string> eventTypes, string? description, IDataProtectionProvider protection, Guid createdBy, DateTimeOffset now)
    {
        var webhook = new Webhook { OrganizationId = organizationId, Id = Guid.CreateVersion7(now), CreatedBy = createdBy, CreatedAt = now };
        webhook.Change(url, eventTypes, description);
        return (webhook, webhook.AddSecret(protection, now, now).Secret);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public string Url { get; private set; } = "";

    public string? Description { get; private set; }

    /// <summary>In the order of <see cref="EventTypes.All"/>.</summary>
    public List<string> EventTypes { get; private set; } = [];

    public WebhookStatus Status { get; private set; }

    public WebhookEnd? DisabledBecause { get; private set; }

    public DateTimeOffset? DisabledAt { get; private set; }

    /// <summary>How many rounds of deliveries in a row brought nothing through.</summary>
    [NotAudited]
    public int Failures { get; private set; }

    /// <summary>Left alone until then, so that an address that is down is not tried for each message that waits.</summary>
    [NotAudited]
    public DateTimeOffset? RestsUntil { get; private set; }

    /// <summary>Administrators are still to be told that it is disabled.</summary>
    [NotAudited]
    public Guid? NoticeId { get; private set; }

    public Guid CreatedBy { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public long Version { get; private set; } = 1;

    public IReadOnlyList<WebhookSecret> Secrets => secrets;

    public void Change(Uri url, IEnumerable<string> eventTypes, string? description) =>
        (Url, EventTypes, Description) = (url.AbsoluteUri, [.. Webhooks.EventTypes.All.Intersect(eventTypes)], description);

    public void Pause()
    {
        if (Status == WebhookStatus.Enabled) Status = WebhookStatus.Paused;
    }

    public void Resume() => (Status, DisabledBecause, DisabledAt, Failures, RestsUntil, NoticeId) = (WebhookStatus.Enabled, null, null, 0, null, null);

    public void Disable(WebhookEnd because, DateTimeOffset now) =>
        (Status, DisabledBecause, DisabledAt, NoticeId) = (WebhookStatus.Disabled, because, now, Guid.CreateVersion7(now));

    /// <summary>Another secret, good at once; those before it go on until then. Those that have ended make room and go.</summary>
    public (WebhookSecret Kept, string Secret) AddSecret(IDataProtectionProvider protection, DateTimeOffset othersEndAt, DateTimeOffset now)
    {
        secrets.RemoveAll(secret => !secret.IsGood(now));
        if (secrets.Count >= MostSecrets) throw new RuleBreach("too_many_webhook_secrets", MostSecrets);

        foreach (var former in secrets) former.End(othersEndAt);
        var (kept, secret) = WebhookSecret.Make(this, protection, now);
        secrets.Add(kept);
        return (kept, secret);
    }

    /// <summary>One that has ended may always go; the last good one stays, or nothing could be signed.</summary>
    public void RemoveSecret(WebhookSecret secret, DateTimeOffset now)
    {
        if (secret.IsGood(now) && !secrets.Any(other => other != secret && other.EndsAt is null)) throw new RuleBreach("last_webhook_secret");
        secrets.Remove(secret);
    }

    internal sealed class Configuration : IEntityTypeConfiguration<Webhook>
    {
        public void Configure(EntityTypeBuilder<Webhook> builder)
        {
            builder.ToTable("webhooks");
            builder.HasKey(w => new { w.OrganizationId, w.Id });
            builder.Property(w => w.Url).HasMaxLength(WebhookUrl.Longest);
            builder.Property(w => w.Description).HasMaxLength(200);
            builder.HasOne<Organization>().WithMany().HasForeignKey(w => w.OrganizationId);
            // Whose administrators have still to be told.
            builder.HasIndex(w => w.OrganizationId).HasFilter("notice_id is not null").HasDatabaseName("ix_webhooks_to_be_noticed");
            builder.HasMany(w => w.Secrets).WithOne().HasForeignKey(s => new { s.OrganizationId, s.WebhookId });
        }
    }
}
