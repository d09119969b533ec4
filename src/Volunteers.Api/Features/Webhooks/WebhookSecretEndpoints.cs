using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http.HttpResults;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Webhooks;

/// <summary>A secret is changed without an outage: make the second, give it to the receiver; the first ends by itself or is taken away.</summary>
internal static class WebhookSecretEndpoints
{
    private static readonly TimeSpan BothAreGood = TimeSpan.FromDays(1);

    public static void MapWebhookSecrets(this RouteGroupBuilder webhooks)
    {
        var secrets = webhooks.MapGroup("/{webhookId:guid}/secrets");

        secrets.MapPost("", Create).WithName("createWebhookSecret").RefusesWith(404, 409);
        secrets.MapDelete("/{webhookSecretId:guid}", Delete).WithName("deleteWebhookSecret").RefusesWith(404, 409);
    }

    /// <summary>
    /// Makes another secret. Messages are signed with both until the one before ends, so the receiver changes over when it likes. At
    /// most two are good at a time. It is shown in this answer only.
    /// </summary>
    private static async Task<Results<Platform.Created<NewWebhookSecretView>, NotFound>> Create(
        Guid webhookId, Tenant tenant, IDataProtectionProvider protection, VolunteersDb db, TimeProvider clock, CancellationToken ct, WebhookSecretRequest? request = null)
    {
        if (await Lock(webhookId, tenant, db, ct) is not { } webhook) return TypedResults.NotFound();

        var now = Instant.AsKept(clock.GetUtcNow());
        if (request?.FormerEndsAt <= now) throw RuleBreach.Malformed("expired_already", "/formerEndsAt");
        var (kept, secret) = webhook.AddSecret(protection, request?.FormerEndsAt ?? now + BothAreGood, now);
        await db.SaveChangesAsync(ct);
        return Answer.Created($"/v1/organizations/{tenant.Id}/webhooks/{webhookId}/secrets/{kept.Id}", new NewWebhookSecretView(kept.Id, secret, kept.CreatedAt, 1));
    }

    /// <summary>Takes a secret away: nothing is signed with it any more. The last one that goes on stays.</summary>
    private static async Task<Results<NoContent, NotFound>> Delete(
        Guid webhookId, Guid webhookSecretId, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await Lock(webhookId, tenant, db, ct) is not { } webhook || webhook.Secrets.SingleOrDefault(s => s.Id == webhookSecretId) is not { } secret)
            return TypedResults.NotFound();

        webhook.RemoveSecret(secret, clock.GetUtcNow());
        await db.SaveChangesAsync(ct);
        return TypedResults.NoContent();
    }

    /// <summary>Under the webhook's lock: two rotations at once would each see room for one. The secrets are part of what its version stands for.</summary>
    private static async Task<Webhook?> Lock(Guid webhookId, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        if (await db.LockWebhook(tenant.Id, webhookId, ct) is not { } webhook) return null;

        db.Entry(webhook).Property(w => w.Version).IsModified = true;
        return webhook;
    }
}

/// <summary>A secret to be made.</summary>
/// <param name="FormerEndsAt">When the one before stops being used; in 24 hours when not given.</param>
internal sealed record WebhookSecretRequest(DateTimeOffset? FormerEndsAt = null);

/// <summary>A secret just made: keep it, it is not shown again.</summary>
internal sealed record NewWebhookSecretView(Guid Id, string Secret, DateTimeOffset CreatedAt, long Version) : IVersioned;
