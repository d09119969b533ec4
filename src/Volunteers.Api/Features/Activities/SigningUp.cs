using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Activities;

/// <summary>Somebody is to come onto a shift.</summary>
/// <param name="VolunteerId">Who.</param>
/// <param name="Source">How.</param>
/// <param name="By">Who says so.</param>
/// <param name="ByCoordinator">Whether past the closing time of sign-ups too.</param>
/// <param name="ClashReason">Why it may clash with another shift; only a coordinator's reason.</param>
internal sealed record SignUpWish(Guid VolunteerId, SignUpSource Source, Guid By, bool ByCoordinator, string? ClashReason);

/// <summary>
/// How places are taken and given back: the same way for one, for a group, for a series. The shift is locked first, then the
/// volunteers, so nobody gets the last place twice and nobody is in two places at once.
/// </summary>
internal static class SigningUp
{
    /// <summary>Takes a place, or a turn on the waiting list. The shift must be locked; the caller saves.</summary>
    public static async Task<SignUp> SignUp(
        this VolunteersDb db, Organization organization, Activity activity, Shift shift, SignUpWish wish, DateTimeOffset now, CancellationToken ct)
    {
        Admission.RefuseClosed(activity, shift, wish, now);
        return (await Admission.Load(db, organization, activity, shift, [wish.VolunteerId], ct)).SignUp(wish, now);
    }

    /// <summary>The rules about who may be on a shift; they hold for a place, a turn, a group's place and a walk-in alike.</summary>
    public static async Task<SignUp> Admit(
        this VolunteersDb db, Organization organization, Activity activity, Shift shift, SignUpWish wish, DateTimeOffset now, CancellationToken ct)
    {
        Admission.RefuseClosed(activity, shift, now);
        return (await Admission.Load(db, organization, activity, shift, [wish.VolunteerId], ct)).Admit(wish, now);
    }

    /// <summary>
    /// Locks these shifts, and with them the shifts on whose waiting list these volunteers stand and could not move up because
    /// of a place on one of these.
    /// </summary>
    public static async Task<List<Shift>> LockWithBlocked(
        this VolunteersDb db, Guid organizationId, IReadOnlyCollection<Guid> shiftIds, Guid[]? volunteerIds, CancellationToken ct)
    {
        var ids = shiftIds.ToArray();
        var blocked = await db.SignUps
            .Where(own => own.OrganizationId == organizationId && ids.Contains(own.ShiftId) && own.Status == SignUpStatus.Confirmed
                && (volunteerIds == null || volunteerIds.Contains(own.VolunteerId)))
            .Join(db.SignUps.Where(w => w.Status == SignUpStatus.Waitlisted), own => new { own.OrganizationId, own.VolunteerId },
                waiting => new { waiting.OrganizationId, waiting.VolunteerId }, (own, waiting) => waiting.ShiftId)
            .Distinct().ToListAsync(ct);
        return await db.LockShifts(organizationId, [.. ids.Union(blocked)], ct);
    }

    /// <summary>Gives back the places and turns of one volunteer on these shifts; whoever waits moves up.</summary>
    public static async Task CancelSignUps(
        this VolunteersDb db, Guid organizationId, IReadOnlyCollection<Guid> shiftIds, Guid volunteerId, string? reason, DateTimeOffset now, CancellationToken ct)
    {
        var shifts = await db.LockWithBlocked(organizationId, shiftIds, [volunteerId], ct);
        var signUps = await db.SignUps.Where(s => s.OrganizationId == organizationId && shiftIds.Contains(s.ShiftId) && s.VolunteerId == volunteerId
            && (s.Status == SignUpStatus.Confirmed || s.Status == SignUpStatus.Waitlisted)).ToListAsync(ct);
        foreach (var signUp in signUps) signUp.Cancel(shifts.Single(shift => shift.Id == signUp.ShiftId), reason, now);
        await db.Promote(shifts, now, ct);
    }

    /// <summary>Takes every place on an activity's shifts back; who waits elsewhere for that time moves up there.</summary>
    public static async Task CallOff(this VolunteersDb db, Activity activity, string reason, DateTimeOffset now, CancellationToken ct)
    {
        var own = await db.Shifts.Where(s => s.OrganizationId == activity.OrganizationId && s.ActivityId == activity.Id).Select(s => s.Id).ToListAsync(ct);
        var shifts = await db.LockWithBlocked(activity.OrganizationId, own, volunteerIds: null, ct);
        var signUps = await db.SignUps.Where(s => s.OrganizationId == activity.OrganizationId && own.Contains(s.ShiftId) && s.Status != SignUpStatus.Cancelled).ToListAsync(ct);
        if (signUps.Any(s => s.Status == SignUpStatus.Attended)) throw new RuleBreach("activity_has_service");

        foreach (var signUp in signUps) signUp.CallOff(reason, now);
        foreach (var group in await db.ShiftGroups.Where(g => g.OrganizationId == activity.OrganizationId && own.Contains(g.ShiftId)).ToListAsync(ct)) group.CallOff();
        foreach (var shift in shifts.Where(shift => own.Contains(shift.Id))) shift.CallOff();
        await db.Promote(shifts, now, ct);
    }

    /// <summary>
    /// Gives free places to those who wait, in order of arrival, and saves. Passed over, but not taken off the list, is who
    /// has another shift at that time or may not serve at present.
    /// </summary>
    public static async Task Promote(this VolunteersDb db, IEnumerable<Shift> locked, DateTimeOffset now, CancellationToken ct)
    {
        await db.SaveChangesAsync(ct);
        foreach (var shift in locked.Where(shift => shift.Waiting > 0 && now < shift.StartsAt).OrderBy(shift => shift.Id))
        {
            for (var passed = 0L; shift.HasPlace;)
            {
                var free = shift.Capacity is { } capacity ? capacity - shift.Taken : shift.Waiting;
                var next = await db.SignUps
                    .Where(s => s.OrganizationId == shift.OrganizationId && s.ShiftId == shift.Id && s.Status == SignUpStatus.Waitlisted && s.Arrival > passed)
                    .OrderBy(s => s.Arrival).Take(Math.Min(free + 5, 500)).ToListAsync(ct);
                if (next.Count == 0) break;

                var people = next.Select(s => s.VolunteerId).ToArray();
                var active = (await db.LockProfiles(shift.OrganizationId, people, ct)).Where(v => v.Status == VolunteerStatus.Active).Select(v => v.Id).ToHashSet();
                var clashing = await db.Clashing(shift, people, ct);
                foreach (var signUp in next.Where(s => active.Contains(s.VolunteerId) && (s.ClashReason is not null || !clashing.Contains(s.VolunteerId))))
                    if (shift.HasPlace) signUp.Promote(shift);
                passed = next[^1].Arrival;
            }
            await db.SaveChangesAsync(ct);
        }
    }

    /// <summary>A member of a sub-team is a member of the team above it.</summary>
    public static async Task<bool> IsMember(this VolunteersDb db, Guid organizationId, Guid volunteerId, Guid teamId, DateOnly day, CancellationToken ct) =>
        (await db.MembersAmong(organizationId, [volunteerId], teamId, day, ct)).Count > 0;

    /// <summary>Who of these is a member of the team or of one below it.</summary>
    public static async Task<HashSet<Guid>> MembersAmong(this VolunteersDb db, Guid organizationId, Guid[] volunteerIds, Guid teamId, DateOnly day, CancellationToken ct) =>
        (await db.Database.SqlQuery<Guid>(
            $"""
             with recursive above as (
                 select m.volunteer_id, t.id, t.parent_team_id from team_members m join teams t on t.organization_id = m.organization_id and t.id = m.team_id
                 where m.organization_id = {organizationId} and m.volunteer_id = any ({volunteerIds}) and (m.left_on is null or m.left_on >= {day})
                 union
                 select a.volunteer_id, t.id, t.parent_team_id from above a join teams t on t.organization_id = {organizationId} and t.id = a.parent_team_id
             )
             select volunteer_id as "Value" from above where id = {teamId}
             """).ToListAsync(ct)).ToHashSet();

    /// <summary>Who of these has a place on another shift that overlaps this one.</summary>
    public static async Task<HashSet<Guid>> Clashing(this VolunteersDb db, Shift shift, Guid[] volunteers, CancellationToken ct) =>
        (await db.SignUps
            .Where(s => s.OrganizationId == shift.OrganizationId && volunteers.Contains(s.VolunteerId) && s.ShiftId != shift.Id
                && (s.Status == SignUpStatus.Confirmed || s.Status == SignUpStatus.Attended))
            .Join(db.Shifts.Where(o => o.StartsAt < shift.EndsAt && o.EndsAt > shift.StartsAt), s => new { s.OrganizationId, Id = s.ShiftId },
                o => new { o.OrganizationId, o.Id }, (s, o) => s.VolunteerId)
            .ToListAsync(ct)).ToHashSet();
}
