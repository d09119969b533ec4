using FluentValidation;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;
using Volunteers.Platform.Outbox;

namespace Volunteers.Features.Webhooks;

internal static class WebhookEndpoints
{
    public static void MapWebhooks(this RouteGroupBuilder organization)
    {
        var webhooks = organization.MapGroup("/webhooks").WithTags("Webhooks").Allows(Access.Administer).NotForClients();

        webhooks.MapGet("", List).WithName("listWebhooks").ShowsNoPersonalData();
        webhooks.MapPost("", Create).WithName("createWebhook").RefusesWith(409);
        webhooks.MapGet("/{webhookId:guid}", Get).WithName("getWebhook").ShowsNoPersonalData().RefusesWith(404);
        webhooks.MapPatch("/{webhookId:guid}", Change).WithName("changeWebhook").RefusesWith(404);
        webhooks.MapDelete("/{webhookId:guid}", Delete).WithName("deleteWebhook").RefusesWith(404);
        webhooks.MapPost("/{webhookId:guid}/pause", Pause).WithName("pauseWebhook").RefusesWith(404);
        webhooks.MapPost("/{webhookId:guid}/resume", Resume).WithName("resumeWebhook").RefusesWith(404);
        webhooks.MapWebhookSecrets();
        webhooks.MapWebhookDeliveries();
    }

    /// <summary>Lists the addresses that are told what happens in this organization.</summary>
    private static Task<Paged<WebhookView>> List([AsParameters] PageQuery page, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        db.Webhooks.Where(w => w.OrganizationId == tenant.Id).ToPage(page, w => w.Id, WebhookView.Projection, ct);

    /// <summary>
    /// Has an address told what happens from now on, as messages of Standard Webhooks: a POST with <c>{ type, timestamp, data }</c>, ids and
    /// figures only, at least once and in order per object. The secret that they are signed with is shown in this answer only. An
    /// organization has at most 20 webhooks.
    /// </summary>
    private static async Task<Platform.Created<NewWebhookView>> Create(
        WebhookRequest request, Tenant tenant, WebhookUrl addresses, IDataProtectionProvider protection, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var url = addresses.Check(request.Url);
        await db.LockOrganization(tenant.Id, ct);
        if (await db.Webhooks.CountAsync(w => w.OrganizationId == tenant.Id, ct) >= Webhook.MostInOrganization)
            throw new RuleBreach("too_many_webhooks", Webhook.MostInOrganization);

        var (webhook, secret) = Webhook.Make(tenant.Id, url, request.EventTypes, request.Description, protection, tenant.ActorId, Instant.AsKept(clock.GetUtcNow()));
        db.Add(webhook);
        await db.SaveChangesAsync(ct);
        await Listen(tenant, db, ct);
        return Answer.Created($"/v1/organizations/{tenant.Id}/webhooks/{webhook.Id}", NewWebhookView.Of(webhook, secret));
    }

    /// <summary>Shows one webhook, and why the service has given up on it, if it has.</summary>
    private static async Task<Results<Found<WebhookView>, NotFound>> Get(Guid webhookId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.Webhooks.Where(w => w.OrganizationId == tenant.Id && w.Id == webhookId).Select(WebhookView.Projection).SingleOrDefaultAsync(ct) is { } view
            ? Answer.Found(view)
            : TypedResults.NotFound();

    /// <summary>Moves a webhook, or changes what it is told. What waits already goes to the address it has by then.</summary>
    private static async Task<Results<Found<WebhookView>, NotFound>> Change(
        Guid webhookId, MergePatch<WebhookRequest> patch, IfMatch match, Tenant tenant, WebhookUrl addresses, VolunteersDb db, CancellationToken ct)
    {
        await db.LockOrganization(tenant.Id, ct);
        if (await db.LockWebhook(tenant.Id, webhookId, ct) is not { } webhook) return TypedResults.NotFound();

        match.Check(webhook);
        var request = await patch.ApplyTo(new WebhookRequest(webhook.Url, webhook.EventTypes, webhook.Description), ct);
        webhook.Change(addresses.Check(request.Url), request.EventTypes, request.Description);
        await db.SaveChangesAsync(ct);
        await Listen(tenant, db, ct);
        return Answer.Found(WebhookView.Of(webhook));
    }

    /// <summary>Takes a webhook away, with its secrets, what still waits for it and the log of its deliveries.</summary>
    private static async Task<Results<NoContent, NotFound>> Delete(Guid webhookId, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        await db.LockOrganization(tenant.Id, ct);
        if (await db.DeleteNoted(db.Webhooks.Where(w => w.OrganizationId == tenant.Id && w.Id == webhookId), ct) == 0) return TypedResults.NotFound();

        await Listen(tenant, db, ct);
        return TypedResults.NoContent();
    }

    /// <summary>Holds a webhook: what happens waits until it is resumed, 30 days unless the service is set up otherwise.</summary>
    private static async Task<Results<Found<WebhookView>, NotFound>> Pause(Guid webhookId, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        if (await db.LockWebhook(tenant.Id, webhookId, ct) is not { } webhook) return TypedResults.NotFound();

        webhook.Pause();
        await db.SaveChangesAsync(ct);
        return Answer.Found(WebhookView.Of(webhook));
    }

    /// <summary>Has a webhook that was paused or disabled told again; all that waits is tried at once, in order.</summary>
    private static async Task<Results<Found<WebhookView>, NotFound>> Resume(Guid webhookId, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await db.LockWebhook(tenant.Id, webhookId, ct) is not { } webhook) return TypedResults.NotFound();

        webhook.Resume();
        await db.SaveChangesAsync(ct);
        var now = clock.GetUtcNow();
        await db.WebhookDeliveries.Where(d => d.OrganizationId == tenant.Id && d.WebhookId == webhookId && d.Status == DeliveryStatus.Pending && d.Tries > 0)
            .ExecuteUpdateAsync(set => set.SetProperty(d => d.Tries, 0).SetProperty(d => d.NextTryAt, now), ct);
        return Answer.Found(WebhookView.Of(webhook));
    }

    /// <summary>Under the organization's lock: what all its webhooks together ask for.</summary>
    private static async Task Listen(Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        var asked = await db.Webhooks.AsNoTracking().Where(w => w.OrganizationId == tenant.Id).Select(w => w.EventTypes).ToListAsync(ct);
        await db.Listen(tenant.Id, [.. asked.SelectMany(types => types).Distinct()], ct);
    }
}

/// <summary>An address, and what it is told.</summary>
/// <param name="Url">Where messages are posted to: an https address with a public host; at most 2,000 characters, without a user or a fragment.</param>
/// <param name="EventTypes">What it is told, such as <c>sign_up.confirmed</c>; at least one.</param>
/// <param name="Description">For the organization; at most 200 characters.</param>
internal sealed record WebhookRequest(string Url, IReadOnlyList<string> EventTypes, string? Description = null)
{
    internal sealed class Validator : AbstractValidator<WebhookRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Url).Line(WebhookUrl.Longest);
            RuleFor(request => request.EventTypes).NotEmpty().AtMost(Webhooks.EventTypes.All.Count).EachOneOf([.. Webhooks.EventTypes.All])
                .WithMessage(_ => Messages.Detail("unknown_event_type", string.Join(", ", Webhooks.EventTypes.All)));
            RuleFor(request => request.Description).OptionalLine(200);
        }
    }
}
