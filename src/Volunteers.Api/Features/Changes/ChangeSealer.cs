using Microsoft.EntityFrameworkCore;
using Npgsql;
using Volunteers.Data;
using Volunteers.Features.Organizations;

namespace Volunteers.Features.Changes;

/// <summary>
/// Gives changes their positions. A number taken while writing is no order of commits: who reads past it would miss the slower
/// writer's lower one. So one at a time, under the lock of the organization's head, numbers the marks whose transactions have
/// committed; what commits later is numbered later. Whoever asks for changes does it first, so they see all that was committed
/// before they asked; every second it is done for the others, so that little is ever left to do.
/// </summary>
internal sealed class ChangeSealer(IServiceScopeFactory scopes, TimeProvider clock, ILogger<ChangeSealer> log) : BackgroundService
{
    private const int AtOnce = 5000;

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await SealAll(stoppingToken);
            }
            catch (Exception failed) when (failed is not OperationCanceledException)
            {
                log.LogWarning("Changes could not be numbered; the next second tries again: {Reason}", failed.Message);
            }
        }
    }

    private async Task SealAll(CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<VolunteersDb>();
        foreach (var id in await db.Set<ChangeMark>().Select(mark => mark.OrganizationId).Distinct().ToListAsync(ct))
        {
            try
            {
                await Seal(db, await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == id, ct), clock.GetUtcNow(), ct);
            }
            catch (Exception failed) when (failed is not OperationCanceledException)
            {
                // The others have their turn all the same.
                log.LogWarning("Changes of organization {Organization} could not be numbered; the next second tries again: {Reason}", id, failed.Message);
            }
        }
    }

    /// <summary>Numbers all that was committed before; of changes that others hold, it waits for the numbers.</summary>
    /// <returns>Where the organization's changes stand.</returns>
    public static async Task<long> Seal(VolunteersDb db, Organization organization, DateTimeOffset now, CancellationToken ct)
    {
        var today = organization.DayOf(now);
        while (true)
        {
            var head = await db.Set<ChangeHead>().AsNoTracking().SingleOrDefaultAsync(h => h.OrganizationId == organization.Id, ct);
            if (head?.Day == today && !await db.Set<ChangeMark>().AnyAsync(mark => mark.OrganizationId == organization.Id, ct))
                // Read again: whoever numbered the last of them may have been a moment faster.
                return await db.Set<ChangeHead>().Where(h => h.OrganizationId == organization.Id).Select(h => h.Position).SingleAsync(ct);
            await SealSome(db, organization, today, now, ct);
        }
    }

    private static async Task SealSome(VolunteersDb db, Organization organization, DateOnly today, DateTimeOffset now, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"insert into change_heads (organization_id, position, day) values ({organization.Id}, 0, {today}) on conflict do nothing", ct);
        var head = (await db.Set<ChangeHead>().FromSql($"select * from change_heads where organization_id = {organization.Id} for update").AsNoTracking().ToListAsync(ct))[0];
        if (head.Day != today) await MarkTheDay(db, organization, head.Day, today, ct);
        var kinds = await db.Set<ChangeMark>().Where(mark => mark.OrganizationId == organization.Id).Select(mark => mark.Kind).Distinct().ToListAsync(ct);
        var numbered = kinds.Count == 0 ? 0 : await Number(db, head, kinds, today, now, ct);
        await db.Database.ExecuteSqlAsync($"update change_heads set position = position + {numbered}, day = {today} where organization_id = {organization.Id}", ct);
        await transaction.CommitAsync(ct);
    }

    private static async Task<int> Number(VolunteersDb db, ChangeHead head, List<MarkKind> kinds, DateOnly today, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = (NpgsqlCommand)db.Database.GetDbConnection().CreateCommand();
        command.CommandText = Expansion.Statement(kinds);
        command.Parameters.AddWithValue("organization", head.OrganizationId);
        command.Parameters.AddWithValue("position", head.Position);
        command.Parameters.AddWithValue("kinds", kinds.Select(Expansion.Word).ToArray());
        command.Parameters.AddWithValue("most", AtOnce);
        command.Parameters.AddWithValue("everybody", Sight.Everybody);
        command.Parameters.AddWithValue("volunteers", Sight.Volunteers);
        command.Parameters.AddWithValue("today", today);
        // Nobody older is a minor by any organization's setting.
        command.Parameters.AddWithValue("born", today.AddYears(-30));
        command.Parameters.AddWithValue("now", now.UtcDateTime);
        return await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>What a new day changes by itself: awards whose public days begin, and young people who grow up.</summary>
    private static async Task MarkTheDay(VolunteersDb db, Organization organization, DateOnly was, DateOnly today, CancellationToken ct)
    {
        // A new time zone may set the day back, and what was public then is not yet.
        var (from, to) = was < today ? (was, today) : (today, was);
        await db.Mark(organization.Id, MarkKind.Award, await db.Awards
            .Where(a => a.OrganizationId == organization.Id && a.PublicityFrom > from && a.PublicityFrom <= to).Select(a => a.Id).ToListAsync(ct), ct, Sight.Everybody);
        var (first, last) = (from.AddYears(-organization.Settings.GuardianForServiceBelow), to.AddYears(-organization.Settings.GuardianForServiceBelow));
        await db.Mark(organization.Id, MarkKind.Volunteer, await db.Volunteers
            .Where(v => v.OrganizationId == organization.Id && v.BirthDate > first && v.BirthDate <= last && v.GuardianName == null).Select(v => v.Id).ToListAsync(ct), ct);
    }
}
