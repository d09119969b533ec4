using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Activities;

/// <summary>
/// Carries series without an end on, hour by hour, twelve weeks ahead. Any number of replicas may do it at once: the row of
/// the series is locked and says how far it was made, and a day is made in the same transaction.
/// </summary>
internal sealed class SeriesHorizon(IServiceScopeFactory scopes, TimeProvider clock, ILogger<SeriesHorizon> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromHours(1), clock);
        do
        {
            try
            {
                await CarryOn(scopes, clock.GetUtcNow(), log, stoppingToken);
            }
            catch (Exception failed) when (failed is not OperationCanceledException)
            {
                log.LogWarning(failed, "Series could not be carried on; the next hour tries again");
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    public static async Task CarryOn(IServiceScopeFactory scopes, DateTimeOffset now, ILogger log, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<VolunteersDb>();
        // The local day is a day ahead of UTC's at most: whoever is due is among these.
        var reach = DateOnly.FromDateTime(now.UtcDateTime).AddDays(SeriesOccurrences.HorizonDays + 1);
        var due = await db.Series.Where(s => s.Endless && s.Status == SeriesStatus.Active && s.MadeUntil < reach)
            .OrderBy(s => s.OrganizationId).ThenBy(s => s.Id).Select(s => new { s.OrganizationId, s.Id }).ToListAsync(ct);
        foreach (var series in due)
        {
            try
            {
                await CarryOn(scopes, series.OrganizationId, series.Id, now, ct);
            }
            catch (Exception failed) when (failed is not OperationCanceledException)
            {
                log.LogWarning(failed, "Series {Series} could not be carried on; the next hour tries again", series.Id);
            }
        }
    }

    private static async Task CarryOn(IServiceScopeFactory scopes, Guid organizationId, Guid seriesId, DateTimeOffset now, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<VolunteersDb>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var notes = new AuditNotes();
        using var watching = notes.Watch(db);
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == organizationId, ct);
        if (await db.LockSeries(organizationId, seriesId, ct) is not { GoesOn: true } series
            || series.MadeUntil >= organization.DayOf(now).AddDays(SeriesOccurrences.HorizonDays)) return;

        await db.Make(series, organization, series.MadeUntil, now, ct);
        await db.LeaveTrace(notes, "carryOnSeries", organizationId, now, ct);
        await transaction.CommitAsync(ct);
    }
}
