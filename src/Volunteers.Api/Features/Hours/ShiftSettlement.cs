using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Activities;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Hours;

/// <summary>
/// Two hours after a shift: marks who did not come, and closes check-ins without a check-out. Once for each shift, by whichever
/// replica comes first: the mark that it is done is part of the transaction that does it.
/// </summary>
internal sealed class ShiftSettlement(IServiceScopeFactory scopes, TimeProvider clock, ILogger<ShiftSettlement> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(1), clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await SettleDue(stoppingToken);
            }
            catch (Exception failed) when (failed is not OperationCanceledException)
            {
                log.LogWarning(failed, "Shifts could not be settled; the next minute tries again");
            }
        }
    }

    /// <summary>Settles every shift that is due, one organization after another. One that fails does not hold up the others.</summary>
    public async Task SettleDue(CancellationToken ct)
    {
        var before = clock.GetUtcNow() - Shift.Around;
        List<Guid> organizations;
        await using (var scope = scopes.CreateAsyncScope())
        {
            organizations = await scope.ServiceProvider.GetRequiredService<VolunteersDb>().Shifts
                .Where(s => s.SettledAt == null && s.EndsAt < before).Select(s => s.OrganizationId).Distinct().ToListAsync(ct);
        }
        foreach (var organization in organizations) await SettleDue(organization, before, ct);
    }

    private async Task SettleDue(Guid organizationId, DateTimeOffset before, CancellationToken ct)
    {
        List<Guid> due;
        await using (var scope = scopes.CreateAsyncScope())
        {
            due = await scope.ServiceProvider.GetRequiredService<VolunteersDb>().Shifts
                .Where(s => s.OrganizationId == organizationId && s.SettledAt == null && s.EndsAt < before).OrderBy(s => s.EndsAt).Select(s => s.Id).ToListAsync(ct);
        }
        foreach (var shift in due)
        {
            try
            {
                await using var scope = scopes.CreateAsyncScope();
                await Settle(scope.ServiceProvider.GetRequiredService<VolunteersDb>(), organizationId, shift, ct);
            }
            catch (Exception failed) when (failed is not OperationCanceledException)
            {
                log.LogWarning(failed, "Shift {Shift} could not be settled; the next minute tries again", shift);
            }
        }
    }

    private async Task Settle(VolunteersDb db, Guid organizationId, Guid shiftId, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var notes = new AuditNotes();
        using var watching = notes.Watch(db);
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == organizationId, ct);
        var activityId = await db.Shifts.Where(s => s.OrganizationId == organizationId && s.Id == shiftId).Select(s => s.ActivityId).SingleOrDefaultAsync(ct);
        if (activityId == default || await db.ShareActivity(organizationId, activityId, ct) is not { } activity
            || await db.LockShifts(organizationId, [shiftId], ct) is not [{ SettledAt: null } shift]) return;

        var now = clock.GetUtcNow();
        shift.Settle(now);
        var signUps = await db.SignUps.Where(s => s.OrganizationId == organizationId && s.ShiftId == shiftId
            && (s.Status == SignUpStatus.Confirmed || s.Status == SignUpStatus.Attended)).OrderBy(s => s.VolunteerId).ToListAsync(ct);
        var came = signUps.Where(s => s.Status == SignUpStatus.Attended).ToArray();
        await db.BookAttendance(organization, [.. came.Select(signUp => new Attendance(activity, shift, signUp, ServiceRecord.TheServiceItself))], now, ct);
        foreach (var missing in signUps.Except(came)) missing.Miss();
        await db.SaveChangesAsync(ct);
        await db.LeaveTrace(notes, "settleShift", organizationId, now, ct);
        await transaction.CommitAsync(ct);
    }
}
