using System.Linq.Expressions;
using System.Text.Json.Nodes;
using Volunteers.Platform;

namespace Volunteers.Features.Webhooks;

/// <summary>An address that is told what happens.</summary>
/// <param name="Id">Which.</param>
/// <param name="Url">Where messages are posted to.</param>
/// <param name="EventTypes">What it is told.</param>
/// <param name="Description">For the organization.</param>
/// <param name="Status">Whether it is told now.</param>
/// <param name="DisabledBecause">Why the service has given up on it; null when it has not.</param>
/// <param name="DisabledAt">When it did.</param>
/// <param name="Secrets">One or two, without the secrets themselves.</param>
/// <param name="CreatedAt">Since when it is told.</param>
/// <param name="Version">The ETag.</param>
internal sealed record WebhookView(
    Guid Id, string Url, IReadOnlyList<string> EventTypes, string? Description, WebhookStatus Status, WebhookEnd? DisabledBecause, DateTimeOffset? DisabledAt,
    IReadOnlyList<WebhookSecretView> Secrets, DateTimeOffset CreatedAt, long Version) : IVersioned
{
    public static Expression<Func<Webhook, WebhookView>> Projection => w => new WebhookView(
        w.Id, w.Url, w.EventTypes, w.Description, w.Status, w.DisabledBecause, w.DisabledAt,
        w.Secrets.OrderBy(s => s.Id).Select(s => new WebhookSecretView(s.Id, s.CreatedAt, s.EndsAt)).ToList(), w.CreatedAt, w.Version);

    public static WebhookView Of(Webhook webhook) => Compiled(webhook);

    private static readonly Func<Webhook, WebhookView> Compiled = Projection.Compile();
}

/// <summary>A webhook just made, with its secret: keep it, it is not shown again.</summary>
internal sealed record NewWebhookView(
    Guid Id, string Secret, string Url, IReadOnlyList<string> EventTypes, string? Description, WebhookStatus Status, IReadOnlyList<WebhookSecretView> Secrets,
    DateTimeOffset CreatedAt, long Version) : IVersioned
{
    public static NewWebhookView Of(Webhook webhook, string secret)
    {
        var view = WebhookView.Of(webhook);
        return new NewWebhookView(view.Id, secret, view.Url, view.EventTypes, view.Description, view.Status, view.Secrets, view.CreatedAt, view.Version);
    }
}

/// <summary>A secret of a webhook, without the secret itself.</summary>
/// <param name="Id">Which.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="EndsAt">From then on nothing is signed with it; never when null.</param>
internal sealed record WebhookSecretView(Guid Id, DateTimeOffset CreatedAt, DateTimeOffset? EndsAt);

/// <summary>One event on its way to a webhook.</summary>
/// <param name="Id">The message's <c>webhook-id</c>, the same at every try.</param>
/// <param name="Type">What happened.</param>
/// <param name="ObjectId">To what: of one object everything is delivered in order.</param>
/// <param name="Timestamp">When.</param>
/// <param name="Status">Whether the receiver has it.</param>
/// <param name="Tries">How many tries failed since it was last asked for.</param>
/// <param name="NextTryAt">Not before then; null when it is delivered.</param>
/// <param name="DeliveredAt">When it last was.</param>
internal sealed record DeliveryView(
    Guid Id, string Type, Guid ObjectId, DateTimeOffset Timestamp, DeliveryStatus Status, int Tries, DateTimeOffset? NextTryAt, DateTimeOffset? DeliveredAt)
{
    public static Expression<Func<WebhookDelivery, DeliveryView>> Projection => d => new DeliveryView(
        d.Id, d.Type, d.ObjectId, d.At, d.Status, d.Tries, d.NextTryAt, d.DeliveredAt);

    public static DeliveryView Of(WebhookDelivery delivery) => Compiled(delivery);

    private static readonly Func<WebhookDelivery, DeliveryView> Compiled = Projection.Compile();
}

/// <summary>One event on its way to a webhook, with what is sent and what came of each try.</summary>
/// <param name="Id">The message's <c>webhook-id</c>, the same at every try.</param>
/// <param name="Type">What happened.</param>
/// <param name="ObjectId">To what.</param>
/// <param name="Timestamp">When.</param>
/// <param name="Status">Whether the receiver has it.</param>
/// <param name="Tries">How many tries failed since it was last asked for.</param>
/// <param name="NextTryAt">Not before then; null when it is delivered.</param>
/// <param name="DeliveredAt">When it last was.</param>
/// <param name="Data">What is sent of it: ids, figures, words and times.</param>
/// <param name="Attempts">The latest tries, at most 50, newest first.</param>
internal sealed record DeliveryDetailView(
    Guid Id, string Type, Guid ObjectId, DateTimeOffset Timestamp, DeliveryStatus Status, int Tries, DateTimeOffset? NextTryAt, DateTimeOffset? DeliveredAt,
    JsonObject Data, IReadOnlyList<AttemptView> Attempts);

/// <summary>One try to deliver.</summary>
/// <param name="At">When it began.</param>
/// <param name="Milliseconds">How long it took.</param>
/// <param name="StatusCode">What the receiver answered; null when no answer came.</param>
/// <param name="Fault">Why it failed; null for a success.</param>
internal sealed record AttemptView(DateTimeOffset At, int Milliseconds, int? StatusCode, DeliveryFault? Fault);

/// <summary>How many are on their way again.</summary>
/// <param name="Deliveries">Of the period, those that had been delivered.</param>
internal sealed record RedeliveryView(int Deliveries);
