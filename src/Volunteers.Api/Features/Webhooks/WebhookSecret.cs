using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Volunteers.Features.Webhooks;

/// <summary>One key that messages to a webhook are signed with. It has to be known to sign, so it is kept sealed, not as a hash.</summary>
internal sealed class WebhookSecret
{
    private const string Prefix = "whsec_";

    private WebhookSecret() { }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid WebhookId { get; private set; }

    public byte[] Sealed { get; private set; } = [];

    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>From then on nothing is signed with it; never when null.</summary>
    public DateTimeOffset? EndsAt { get; private set; }

    public static (WebhookSecret Kept, string Secret) Make(Webhook webhook, IDataProtectionProvider protection, DateTimeOffset now)
    {
        var key = RandomNumberGenerator.GetBytes(32);
        var kept = new WebhookSecret
        {
            OrganizationId = webhook.OrganizationId, Id = Guid.CreateVersion7(now), WebhookId = webhook.Id,
            Sealed = Protector(protection, webhook.Id).Protect(key), CreatedAt = now,
        };
        return (kept, Prefix + Convert.ToBase64String(key));
    }

    public bool IsGood(DateTimeOffset now) => EndsAt is null || now < EndsAt;

    public void End(DateTimeOffset at)
    {
        if (EndsAt is null || at < EndsAt) EndsAt = at;
    }

    /// <exception cref="CryptographicException">The service's keys that it was sealed with are not there any more.</exception>
    public static byte[] Open(byte[] held, Guid webhookId, IDataProtectionProvider protection) => Protector(protection, webhookId).Unprotect(held);

    /// <summary>Bound to its webhook: moved to another row, it opens nothing.</summary>
    private static IDataProtector Protector(IDataProtectionProvider protection, Guid webhookId) =>
        protection.CreateProtector("Volunteers.Webhooks", webhookId.ToString("n"));

    internal sealed class Configuration : IEntityTypeConfiguration<WebhookSecret>
    {
        public void Configure(EntityTypeBuilder<WebhookSecret> builder)
        {
            builder.ToTable("webhook_secrets");
            builder.HasKey(s => new { s.OrganizationId, s.Id });
            // The secrets of a webhook.
            builder.HasIndex(s => new { s.OrganizationId, s.WebhookId });
        }
    }
}
