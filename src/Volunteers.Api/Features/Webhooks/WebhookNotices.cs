using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Volunteers.Data;
using Volunteers.Features.Identity;
using Volunteers.Platform;

namespace Volunteers.Features.Webhooks;

/// <summary>
/// Tells the administrators of an organization that the service has given up on one of its webhooks. Whoever is killed over it leaves it
/// to be told again, with the same ids; who cannot be told keeps nobody else from it; what cannot be told within a day is seen on the webhook all the same.
/// </summary>
internal sealed class WebhookNotices(NpgsqlDataSource database, IServiceScopeFactory scopes, ISender sender, TimeProvider clock, ILogger<WebhookNotices> log) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);
    private const string Lock = "webhook notices";

    /// <summary>Notices that not everybody could be sent, by their ids. Another replica does not know who has them, nor does a restart: it sends them the same once more.</summary>
    private readonly Dictionary<Guid, Notice> begun = [];

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

    /// <summary>One replica at a time, which reads again what is left when its turn comes.</summary>
    private async Task SendDue(CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<VolunteersDb>();
        if (!await Due(db).AnyAsync(ct)) return;
        await using var place = await database.OpenConnectionAsync(ct);
        if (!await SessionLock.TryTake(place, Lock)) return;
        try
        {
            foreach (var webhook in await Due(db).OrderBy(w => w.OrganizationId).Take(20).ToListAsync(ct))
            {
                if (webhook.DisabledAt > clock.GetUtcNow() - Longest && !await Send(webhook, db, ct)) continue;
                begun.Remove(webhook.NoticeId!.Value);
                await db.Webhooks.Where(w => w.OrganizationId == webhook.OrganizationId && w.Id == webhook.Id && w.NoticeId == webhook.NoticeId)
                    .ExecuteUpdateAsync(set => set.SetProperty(w => w.NoticeId, (Guid?)null), ct);
            }
        }
        finally
        {
            await SessionLock.Free(place, Lock);
        }
    }

    private IQueryable<Webhook> Due(VolunteersDb db)
    {
        var now = clock.GetUtcNow();
        foreach (var (id, notice) in begun.Where(one => one.Value.NotBefore < now - Longest).ToList()) begun.Remove(id);
        Guid?[] rest = [.. begun.Where(one => one.Value.NotBefore > now).Select(one => one.Key)];
        return db.Webhooks.AsNoTracking().Where(w => w.NoticeId != null && !rest.Contains(w.NoticeId));
    }

    /// <returns>False when it is to be sent again, to those who do not have it.</returns>
    private async Task<bool> Send(Webhook webhook, VolunteersDb db, CancellationToken ct)
    {
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == webhook.OrganizationId, ct);
        var language = Messages.Of(organization.Locale);
        var text = string.Format(language, Messages.TitleIn(language, webhook.DisabledBecause == WebhookEnd.Gone ? "webhook_gone_message" : "webhook_unanswered_message"),
            organization.Name, new Uri(webhook.Url).Host);
        var administrators = await db.RoleGrants.Where(grant => grant.OrganizationId == webhook.OrganizationId && grant.Role == Role.Administrator)
            .Join(db.Users, grant => grant.AccountId, account => account.Id, (_, account) => new { account.Id, account.UserName }).Distinct().ToListAsync(ct);
        if (!begun.TryGetValue(webhook.NoticeId!.Value, out var notice)) begun[webhook.NoticeId.Value] = notice = new Notice(clock.GetUtcNow());
        var failed = false;
        foreach (var administrator in administrators.Where(one => !notice.Told.Contains(one.Id)))
        {
            if (Login.Parse(administrator.UserName) is not { } login) continue;
            try
            {
                await sender.Send(new Message(IdFor(webhook.NoticeId.Value, administrator.Id), "webhookDisabled", login.IsEmail ? "email" : "sms", login.Value, language.Name,
                    Messages.TitleIn(language, "webhook_disabled_subject"), text, Code: null, ExpiresAt: null), ct);
                notice.Told.Add(administrator.Id);
            }
            catch (Exception refused) when (!ct.IsCancellationRequested)
            {
                // Of what failed only the kind: its text may repeat to whom it was to be sent.
                log.LogWarning("A notice of a webhook could not be sent ({Kind}); it is sent again", refused.GetType().Name);
                failed = true;
            }
        }
        if (failed) notice.Wait(clock.GetUtcNow());
        return !failed;
    }

    /// <summary>The same for each of them whenever it is sent.</summary>
    private static Guid IdFor(Guid notice, Guid account) => new(SHA256.HashData([.. notice.ToByteArray(), .. account.ToByteArray()])[..16]);

    /// <summary>Who has it already, and when it is tried with the others: after 5 seconds, then after twice as long each time, an hour at most.</summary>
    private sealed class Notice(DateTimeOffset now)
    {
        private TimeSpan wait = Every;

        public HashSet<Guid> Told { get; } = [];

        public DateTimeOffset NotBefore { get; private set; } = now;

        public void Wait(DateTimeOffset from) => (NotBefore, wait) = (from + wait, wait * 2 > TimeSpan.FromHours(1) ? TimeSpan.FromHours(1) : wait * 2);
    }
}
