using System.Text.Json.Nodes;
using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;
using Volunteers.Platform.Outbox;

namespace Volunteers.Features.Webhooks;

/// <summary>What became of the messages to a webhook, and having them sent once more.</summary>
internal static class WebhookDeliveryEndpoints
{
    private const int MostAttemptsShown = 50;
    private const int MostRedeliveries = 10_000;

    public static void MapWebhookDeliveries(this RouteGroupBuilder webhooks)
    {
        var webhook = webhooks.MapGroup("/{webhookId:guid}");

        webhook.MapPost("/test", Test).WithName("testWebhook").RefusesWith(404);
        webhook.MapGet("/deliveries", List).WithName("listWebhookDeliveries").ShowsNoPersonalData().RefusesWith(404);
        webhook.MapGet("/deliveries/{deliveryId:guid}", Get).WithName("getWebhookDelivery").ShowsNoPersonalData().RefusesWith(404);
        webhook.MapPost("/deliveries/{deliveryId:guid}/redeliver", Redeliver).WithName("redeliverWebhookDelivery").RefusesWith(404);
        webhook.MapPost("/redeliveries", RedeliverPeriod).WithName("redeliverWebhookPeriod").RefusesWith(404, 409);
    }

    /// <summary>
    /// Sends a message of type <c>webhook.test</c>, once, within a second or so, also to a webhook that is paused or disabled. What came of
    /// it is seen under the delivery that is answered.
    /// </summary>
    private static async Task<Results<Ok<DeliveryView>, NotFound>> Test(Guid webhookId, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await db.LockWebhook(tenant.Id, webhookId, ct) is not { } webhook) return TypedResults.NotFound();

        var e = OutboxEvent.Taken(new Happening(EventTypes.Test, tenant.Id, webhookId, new { WebhookId = webhookId }), Instant.AsKept(clock.GetUtcNow()));
        var delivery = WebhookDelivery.Test(webhook, e);
        db.AddRange(e, delivery);
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(DeliveryView.Of(delivery));
    }

    /// <summary>Lists what was or is to be delivered, newest first. It is kept for 30 days unless the service is set up otherwise.</summary>
    private static async Task<Results<Paged<DeliveryView>, NotFound>> List(
        Guid webhookId, [AsParameters] PageQuery page, [AsParameters] DeliveryFilter filter, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        if (!await db.Webhooks.AnyAsync(w => w.OrganizationId == tenant.Id && w.Id == webhookId, ct)) return TypedResults.NotFound();

        var deliveries = filter.Of(db.WebhookDeliveries.AsNoTracking().Where(d => d.OrganizationId == tenant.Id && d.WebhookId == webhookId));
        if (page.Cursor is not null)
        {
            var before = Cursors.Read<Guid>(page.Cursor);
            deliveries = deliveries.Where(d => d.Id < before);
        }
        var items = await deliveries.OrderByDescending(d => d.Id).Take(page.Size + 1).Select(DeliveryView.Projection).ToListAsync(ct);
        var shown = items.Take(page.Size).ToList();
        return new Paged<DeliveryView>(new Page<DeliveryView>(shown, items.Count > page.Size ? Cursors.Write(shown[^1].Id) : null));
    }

    /// <summary>Shows one delivery: what is sent, and what came of each try.</summary>
    private static async Task<Results<Ok<DeliveryDetailView>, NotFound>> Get(Guid webhookId, Guid deliveryId, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        if (await Deliveries(webhookId, deliveryId, tenant, db).SingleOrDefaultAsync(ct) is not { } delivery) return TypedResults.NotFound();

        var data = await db.Set<OutboxEvent>().Where(e => e.OrganizationId == tenant.Id && e.Id == delivery.EventId).Select(e => e.Data).SingleAsync(ct);
        var attempts = await db.WebhookAttempts.Where(a => a.OrganizationId == tenant.Id && a.DeliveryId == deliveryId).OrderByDescending(a => a.Id).Take(MostAttemptsShown)
            .Select(a => new AttemptView(a.At, a.Milliseconds, a.StatusCode, a.Fault)).ToListAsync(ct);
        var view = DeliveryView.Of(delivery);
        return TypedResults.Ok(new DeliveryDetailView(view.Id, view.Type, view.ObjectId, view.Timestamp, view.Status, view.Tries, view.NextTryAt, view.DeliveredAt,
            JsonNode.Parse(data)!.AsObject(), attempts));
    }

    /// <summary>Sends a message once more, with the same id; one that still waits is tried at once. Of a webhook that is held it waits until that is resumed.</summary>
    private static async Task<Results<Ok<DeliveryView>, NotFound>> Redeliver(
        Guid webhookId, Guid deliveryId, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct) =>
        await Again(Deliveries(webhookId, deliveryId, tenant, db), db, tenant, clock, ct) == 0
            ? TypedResults.NotFound()
            : TypedResults.Ok(await Deliveries(webhookId, deliveryId, tenant, db).Select(DeliveryView.Projection).SingleAsync(ct));

    /// <summary>
    /// Sends what happened in a period once more, with the same ids and in order: for a receiver that has lost it. At most 10,000
    /// messages at once; of more, ask for a shorter period.
    /// </summary>
    private static async Task<Results<Ok<RedeliveryView>, NotFound>> RedeliverPeriod(
        Guid webhookId, RedeliveryRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await db.LockWebhook(tenant.Id, webhookId, ct) is null) return TypedResults.NotFound();

        var (from, to) = (request.From.ToUniversalTime(), request.To.ToUniversalTime());
        var deliveries = db.WebhookDeliveries.Where(d => d.OrganizationId == tenant.Id && d.WebhookId == webhookId && d.Status == DeliveryStatus.Delivered && d.At >= from && d.At < to);
        if (await deliveries.Take(MostRedeliveries + 1).CountAsync(ct) > MostRedeliveries) throw new RuleBreach("too_many_redeliveries", MostRedeliveries);
        return TypedResults.Ok(new RedeliveryView(await Again(deliveries, db, tenant, clock, ct)));
    }

    private static IQueryable<WebhookDelivery> Deliveries(Guid webhookId, Guid deliveryId, Tenant tenant, VolunteersDb db) =>
        db.WebhookDeliveries.AsNoTracking().Where(d => d.OrganizationId == tenant.Id && d.WebhookId == webhookId && d.Id == deliveryId);

    private static async Task<int> Again(IQueryable<WebhookDelivery> deliveries, VolunteersDb db, Tenant tenant, TimeProvider clock, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var count = await deliveries.ExecuteUpdateAsync(
            set => set.SetProperty(d => d.Status, DeliveryStatus.Pending).SetProperty(d => d.Tries, 0).SetProperty(d => d.NextTryAt, now), ct);
        AuditNotes.Tell(db, tenant.Id, "webhookDelivery", AuditAction.Changed, count);
        return count;
    }
}

/// <summary>Which deliveries.</summary>
/// <param name="Status">Whether the receiver has them.</param>
/// <param name="Type">Of this type of event.</param>
/// <param name="From">Of what happened then or later.</param>
/// <param name="To">Of what happened before then.</param>
internal sealed record DeliveryFilter(DeliveryStatus? Status = null, string? Type = null, DateTimeOffset? From = null, DateTimeOffset? To = null)
{
    public IQueryable<WebhookDelivery> Of(IQueryable<WebhookDelivery> deliveries)
    {
        if (Status is { } status) deliveries = deliveries.Where(d => d.Status == status);
        if (Type is { } type) deliveries = deliveries.Where(d => d.Type == type);
        if (From?.ToUniversalTime() is { } from) deliveries = deliveries.Where(d => d.At >= from);
        if (To?.ToUniversalTime() is { } to) deliveries = deliveries.Where(d => d.At < to);
        return deliveries;
    }

    internal sealed class Validator : AbstractValidator<DeliveryFilter>
    {
        public Validator() => RuleFor(filter => filter.Type).MaximumLength(60);
    }
}

/// <summary>What is to be sent once more.</summary>
/// <param name="From">What happened then or later.</param>
/// <param name="To">And before then.</param>
internal sealed record RedeliveryRequest(DateTimeOffset From, DateTimeOffset To)
{
    internal sealed class Validator : AbstractValidator<RedeliveryRequest>
    {
        public Validator() => RuleFor(request => request.To).GreaterThan(request => request.From);
    }
}
