using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Activities;
using Volunteers.Features.Organizations;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Hours;

/// <summary>What a batch of offline attendance needs, locked in one order beforehand, so that two devices never wait for each other.</summary>
internal sealed class AttendanceBatch
{
    private readonly VolunteersDb db;
    private readonly Organization organization;
    private readonly Tenant tenant;
    private readonly DateTimeOffset now;
    private readonly TimeSpan clockError;
    private readonly Dictionary<Guid, Activity> activities;
    private readonly Dictionary<Guid, Shift> shifts;
    private readonly Dictionary<(Guid ShiftId, Guid VolunteerId), SignUp> signUps;
    private readonly Dictionary<Guid, AttendanceEvent> known;
    private readonly HashSet<Guid> minors;
    private readonly HashSet<(Guid ShiftId, Guid VolunteerId)> toBook = [];

    private AttendanceBatch(
        VolunteersDb db, Organization organization, Tenant tenant, DateTimeOffset now, TimeSpan clockError, Dictionary<Guid, Activity> activities,
        Dictionary<Guid, Shift> shifts, Dictionary<(Guid ShiftId, Guid VolunteerId), SignUp> signUps, Dictionary<Guid, AttendanceEvent> known,
        HashSet<Guid> minors)
    {
        (this.db, this.organization, this.tenant, this.now, this.clockError, this.activities, this.shifts, this.signUps, this.known, this.minors) =
            (db, organization, tenant, now, clockError, activities, shifts, signUps, known, minors);
    }

    public static async Task<AttendanceBatch> Load(
        VolunteersDb db, Organization organization, Tenant tenant, AttendanceBatchRequest request, DateTimeOffset now, CancellationToken ct)
    {
        var id = tenant.Id;
        var shiftIds = request.Events.Select(item => item.ShiftId).Distinct().ToArray();
        var people = request.Events.Select(item => item.VolunteerId).Distinct().ToArray();
        var events = request.Events.Select(item => item.ClientEventId).Distinct().ToArray();

        var visible = await db.Shifts.VisibleTo(tenant, db).Where(s => shiftIds.Contains(s.Id)).Select(s => new { s.Id, s.ActivityId }).ToListAsync(ct);
        var activities = await db.ShareActivities(id, [.. visible.Select(s => s.ActivityId).Distinct()], ct);
        var shifts = (await db.LockShifts(id, [.. visible.Select(s => s.Id)], ct)).ToDictionary(s => s.Id);
        await db.LockAttendanceRecords(id, shiftIds, people, ct);
        await db.LockVolunteers(id, people, ct);

        var signUps = await db.SignUps.Where(s => s.OrganizationId == id && shiftIds.Contains(s.ShiftId) && people.Contains(s.VolunteerId)).ToListAsync(ct);
        var known = await db.AttendanceEvents.AsNoTracking().Where(e => e.OrganizationId == id && e.ClientEventId != null && events.Contains(e.ClientEventId.Value)).ToListAsync(ct);
        return new AttendanceBatch(db, organization, tenant, now, request.SentAt is { } sent ? now - sent : TimeSpan.Zero, activities, shifts,
            signUps.ToDictionary(s => (s.ShiftId, s.VolunteerId)), known.ToDictionary(e => e.ClientEventId!.Value), [.. await db.MinorsWithoutConsent(organization, people, now, ct)]);
    }

    public async Task<AttendanceResultView> Take(OfflineEvent item, CancellationToken ct)
    {
        try
        {
            if (known.TryGetValue(item.ClientEventId, out var first))
                return item.IsThe(first) ? AttendanceResultView.Of(item, OfflineResult.Repeated, first) : throw new RuleBreach("event_id_reused");
            if (!shifts.TryGetValue(item.ShiftId, out var shift)) throw new RuleBreach("shift_not_found");

            var counted = Instant.AsKept(item.OccurredAt + clockError);
            var received = Instant.AsKept(now);
            var notice = new AttendanceNotice(item.Kind, item.VolunteerId, item.Code, item.Position, item.Kiosk,
                new AttendanceTime(counted < received ? counted : received, item.OccurredAt, received), item.ClientEventId);
            var key = (item.ShiftId, item.VolunteerId);
            (signUps[key], var taken) = await db.Take(organization, activities[shift.ActivityId], shift, signUps.GetValueOrDefault(key), notice, minors, tenant, ct);
            toBook.Add(key);
            known[item.ClientEventId] = taken;
            return AttendanceResultView.Of(item, OfflineResult.Recorded, taken);
        }
        catch (RuleBreach refused)
        {
            return AttendanceResultView.Refused(item, refused);
        }
    }

    /// <summary>Hours once for each volunteer and shift, when all events are in.</summary>
    public Task Book(CancellationToken ct) => db.BookAttendance(organization, [.. toBook.OrderBy(key => key.ShiftId).ThenBy(key => key.VolunteerId)
        .Select(key => new Attendance(activities[shifts[key.ShiftId].ActivityId], shifts[key.ShiftId], signUps[key], tenant.ActorId))], now, ct);
}
