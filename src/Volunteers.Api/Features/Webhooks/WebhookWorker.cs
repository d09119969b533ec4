using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Npgsql;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Webhooks;

/// <summary>
/// Brings what happened to the webhooks, at least once and in order per object. Any number of replicas do it: each organization is
/// delivered for by whoever holds its lock, for half a minute at most before others get their turn. A delivery that was not
/// recorded, because the service or the connection died under it, goes out again.
/// </summary>
internal sealed class WebhookWorker : BackgroundService
{
    /// <summary>Organizations that one replica delivers for at the same time; each holds a connection.</summary>
    private const int MostAtOnce = 8;

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(30);

    private readonly NpgsqlDataSource database;
    private readonly IServiceScopeFactory scopes;
    private readonly WebhookPost post;
    private readonly IDataProtectionProvider protection;
    private readonly TimeProvider clock;
    private readonly ILogger<WebhookWorker> log;
    private readonly Dictionary<Guid, Task> running = [];

    public WebhookWorker(
        NpgsqlDataSource database, IServiceScopeFactory scopes, WebhookPost post, IDataProtectionProvider protection, TimeProvider clock, ILogger<WebhookWorker> log, IMeterFactory meters)
    {
        (this.database, this.scopes, this.post, this.protection, this.clock, this.log) = (database, scopes, post, protection, clock, log);
        meters.Create(Measures.MeterName).CreateObservableGauge("volunteers.outbox.age", Age, "s", "How late the oldest of what is to be delivered to webhooks is.");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    await StartWaiting(stoppingToken);
                }
                catch (Exception failed) when (failed is not OperationCanceledException)
                {
                    log.LogWarning("What waits for webhooks could not be read; the next second tries again: {Reason}", failed.Message);
                }
            }
        }
        finally
        {
            await Task.WhenAll(running.Values);
        }
    }

    private async Task StartWaiting(CancellationToken ct)
    {
        foreach (var (organization, task) in running)
            if (task.IsCompleted) running.Remove(organization);
        Guid[] waiting = [.. (await WebhookQueue.Waiting(database, clock.GetUtcNow(), ct)).Where(organization => !running.ContainsKey(organization))];
        // By chance, so that none is always the last.
        Random.Shared.Shuffle(waiting);
        foreach (var organization in waiting.Take(MostAtOnce - running.Count)) running[organization] = Task.Run(() => Run(organization, ct), CancellationToken.None);
    }

    private async Task Run(Guid organizationId, CancellationToken ct)
    {
        try
        {
            await Deliver(organizationId, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // What was under way goes out again.
        }
        catch (Exception failed)
        {
            log.LogWarning("Deliveries to webhooks broke off; the next second tries again: {Reason}", failed.Message);
        }
    }

    /// <summary>Delivers what is due in an organization; false when somebody else is at it.</summary>
    public async Task<bool> Deliver(Guid organizationId, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var queue = new WebhookQueue(connection, organizationId);
        if (!await queue.TryLock()) return false;
        try
        {
            for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < Turn;)
            {
                await queue.TakeUp(ct);
                if (await queue.Due(clock.GetUtcNow(), ct) is not { Count: > 0 } due) break;
                await Deliver(organizationId, queue, due, ct);
            }
            return true;
        }
        finally
        {
            await queue.Unlock();
        }
    }

    /// <summary>One round: each message is of another object, or goes to another webhook.</summary>
    private async Task Deliver(Guid organizationId, WebhookQueue queue, List<DueDelivery> due, CancellationToken ct)
    {
        var keys = new Dictionary<Guid, IReadOnlyList<byte[]>?>();
        foreach (var webhook in due.Select(delivery => delivery.WebhookId).Distinct()) keys[webhook] = Open(webhook, await queue.Secrets(webhook, clock.GetUtcNow(), ct));
        var outcomes = await Task.WhenAll(due.Select(delivery => Send(delivery, keys[delivery.WebhookId], ct)));

        foreach (var (delivery, outcome) in due.Zip(outcomes))
            await queue.Record(delivery, outcome, outcome.Fault is null || delivery.IsTest ? null : outcome.At + WaitAfter(delivery.Tries), ct);
        // A test says nothing of how the webhook does.
        foreach (var round in due.Zip(outcomes).Where(one => !one.First.IsTest).GroupBy(one => one.First.WebhookId, one => (Delivery: one.First, Outcome: one.Second)))
        {
            await queue.Note(round.Key, round.Any(one => one.Outcome.Fault is null), clock.GetUtcNow(), ct);
            if (round.Any(one => one.Outcome.Fault == DeliveryFault.Gone)) await Disable(organizationId, round.Key, WebhookEnd.Gone, ct);
            else if (round.Any(one => one.Outcome.Fault is not null && one.Delivery.Tries >= WebhookDelivery.Waits.Length)) await Disable(organizationId, round.Key, WebhookEnd.Unanswered, ct);
        }
    }

    private async Task<PostOutcome> Send(DueDelivery delivery, IReadOnlyList<byte[]>? keys, CancellationToken ct) => keys is null
        ? new PostOutcome(clock.GetUtcNow(), TimeSpan.Zero, null, DeliveryFault.SecretLost)
        : await post.Send(delivery.Url, delivery.Id, WebhookPost.BodyOf(delivery.Type, delivery.At, delivery.Data), keys, ct);

    /// <summary>How long until the next try; a tenth more or less, so that what failed together does not come back together.</summary>
    private static TimeSpan WaitAfter(int tries) => WebhookDelivery.Waits[Math.Min(tries, WebhookDelivery.Waits.Length - 1)] * (0.9 + (0.2 * Random.Shared.NextDouble()));

    /// <summary>Null when they cannot be opened.</summary>
    private List<byte[]>? Open(Guid webhookId, List<byte[]> held)
    {
        try
        {
            return [.. held.Select(one => WebhookSecret.Open(one, webhookId, protection))];
        }
        catch (CryptographicException)
        {
            log.LogError("The secrets of webhook {Webhook} cannot be read: the keys that they were sealed with are missing", webhookId);
            return null;
        }
    }

    /// <summary>Gives up on a webhook, once, with a trace; what waits for it goes on waiting.</summary>
    private async Task Disable(Guid organizationId, Guid webhookId, WebhookEnd because, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<VolunteersDb>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.LockWebhook(organizationId, webhookId, ct) is not { Status: WebhookStatus.Enabled } webhook) return;

        var notes = new AuditNotes();
        using (notes.Watch(db))
        {
            webhook.Disable(because, Instant.AsKept(clock.GetUtcNow()));
            await db.SaveChangesAsync(ct);
        }
        await db.LeaveTrace(notes, "disableWebhook", organizationId, clock.GetUtcNow(), ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>Nothing, when the database does not say.</summary>
    private IEnumerable<Measurement<double>> Age()
    {
        try
        {
            return [new Measurement<double>(WebhookQueue.Age(database, clock.GetUtcNow()))];
        }
        catch (Exception unknown) when (unknown is NpgsqlException or TimeoutException or ObjectDisposedException or InvalidOperationException)
        {
            return [];
        }
    }
}
