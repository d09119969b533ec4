using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Identity;
using Volunteers.Platform;

namespace Volunteers.Features.Webhooks;

/// <summary>
/// Tells the administrators of an organization that the service has given up on one of its webhooks. Whoever is killed over it leaves it
/// to be told again, with the same ids; what cannot be told within a day is seen on the webhook all the same.
/// </summary>
internal sealed class WebhookNotices(IServiceScopeFactory scopes, ISender sender, TimeProvider clock, ILogger<WebhookNotices> log) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await SendDue(stoppingToken);
            }
            catch (Exception failed) when (!stoppingToken.IsCancellationRequested)
            {
                // Of what failed only the kind: its text may repeat to whom it was to be sent.
                log.LogWarning("Notices of webhooks could not be sent ({Kind}); they are sent again", failed.GetType().Name);
            }
        }
    }

    private async Task SendDue(CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<VolunteersDb>();
        foreach (var webhook in await db.Webhooks.AsNoTracking().Where(w => w.NoticeId != null).OrderBy(w => w.OrganizationId).Take(20).ToListAsync(ct))
        {
            if (webhook.DisabledAt > clock.GetUtcNow() - Longest) await Send(webhook, db, ct);
            await db.Webhooks.Where(w => w.OrganizationId == webhook.OrganizationId && w.Id == webhook.Id && w.NoticeId == webhook.NoticeId)
                .ExecuteUpdateAsync(set => set.SetProperty(w => w.NoticeId, (Guid?)null), ct);
        }
    }

    private async Task Send(Webhook webhook, VolunteersDb db, CancellationToken ct)
    {
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == webhook.OrganizationId, ct);
        var language = Messages.Of(organization.Locale);
        var text = string.Format(language, Messages.TitleIn(language, webhook.DisabledBecause == WebhookEnd.Gone ? "webhook_gone_message" : "webhook_unanswered_message"),
            organization.Name, new Uri(webhook.Url).Host);
        var administrators = await db.RoleGrants.Where(grant => grant.OrganizationId == webhook.OrganizationId && grant.Role == Role.Administrator)
            .Join(db.Users, grant => grant.AccountId, account => account.Id, (_, account) => new { account.Id, account.UserName }).Distinct().ToListAsync(ct);
        foreach (var administrator in administrators)
            if (Login.Parse(administrator.UserName) is { } login)
                await sender.Send(new Message(IdFor(webhook.NoticeId!.Value, administrator.Id), "webhookDisabled", login.IsEmail ? "email" : "sms", login.Value, language.Name,
                    Messages.TitleIn(language, "webhook_disabled_subject"), text, Code: null, ExpiresAt: null), ct);
    }

    /// <summary>The same for each of them whenever it is sent.</summary>
    private static Guid IdFor(Guid notice, Guid account) => new(SHA256.HashData([.. notice.ToByteArray(), .. account.ToByteArray()])[..16]);
}
