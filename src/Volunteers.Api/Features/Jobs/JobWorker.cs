using System.Collections.Concurrent;
using Npgsql;
using Volunteers.Platform;

namespace Volunteers.Features.Jobs;

/// <summary>
/// Takes up jobs, the oldest of each organization, and goes on with those that a crash broke off. At every replica: whichever holds a
/// job's advisory lock works it, and what ends that replica frees it.
/// </summary>
internal sealed class JobWorker(NpgsqlDataSource database, JobRunner runner, TimeProvider clock, ILogger<JobWorker> log) : BackgroundService
{
    private const int AtOnce = 2;

    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(1);

    /// <summary>So long an import keeps others waiting; and so long it goes on without a look whether there are any.</summary>
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(10), LongTurn = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan RestsFor = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim news = new(0);
    private readonly ConcurrentDictionary<Guid, bool> working = new();
    private readonly ConcurrentDictionary<Guid, long> servedAt = new();
    private readonly ConcurrentDictionary<Guid, DateTimeOffset> restsUntil = new();

    /// <summary>There is a new job here: nobody waits for the next look.</summary>
    public void Wake() => news.Release();

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Work(stoppingToken)));

    private async Task Work(CancellationToken ct)
    {
        // Before the first of them, the service has started.
        await Task.Yield();
        while (!ct.IsCancellationRequested)
        {
            var worked = false;
            try
            {
                worked = await WorkOnce(ct);
            }
            catch (Exception failed) when (!ct.IsCancellationRequested)
            {
                log.LogWarning(failed, "A job could not go on; it is tried again");
            }
            if (!worked) await news.WaitAsync(LookAgainAfter, ct);
        }
    }

    /// <returns>Whether there was something to do.</returns>
    private async Task<bool> WorkOnce(CancellationToken ct)
    {
        var open = await Open(ct);
        foreach (var (organizationId, jobId) in open.OrderBy(job => servedAt.GetValueOrDefault(job.OrganizationId)))
        {
            if (restsUntil.TryGetValue(organizationId, out var until) && until > clock.GetUtcNow()) continue;
            if (!working.TryAdd(organizationId, true)) continue;
            try
            {
                var began = clock.GetTimestamp();
                if (await runner.Run(organizationId, jobId, () => clock.GetElapsedTime(began) > (open.Count > AtOnce ? Turn : LongTurn), ct)) return true;
            }
            catch (RuleBreach breach)
            {
                // Something of this replica's is missing, and comes in minutes if it does: another may have it.
                restsUntil[organizationId] = clock.GetUtcNow() + RestsFor;
                log.LogWarning("Job {Job} cannot go on here: {Code}", jobId, breach.Code);
            }
            finally
            {
                servedAt[organizationId] = clock.GetTimestamp();
                working.TryRemove(organizationId, out _);
            }
        }
        return false;
    }

    /// <summary>The oldest unfinished job of each organization: one after the other, in the order in which they were asked for.</summary>
    private async Task<List<(Guid OrganizationId, Guid JobId)>> Open(CancellationToken ct)
    {
        await using var command = database.CreateCommand(
            "select distinct on (organization_id) organization_id, id from jobs where state in ('queued', 'running') order by organization_id, id");
        var open = new List<(Guid, Guid)>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct)) open.Add((reader.GetGuid(0), reader.GetGuid(1)));
        return open;
    }
}
