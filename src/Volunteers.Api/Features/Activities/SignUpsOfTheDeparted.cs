using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Activities;

/// <summary>Who leaves the organization or a team gives back the places they may no longer fill.</summary>
internal sealed class SignUpsOfTheDeparted : IDepartures
{
    public async Task Settle(VolunteersDb db, Organization organization, Guid[] volunteerIds, DateTimeOffset now, CancellationToken ct)
    {
        var shifts = (await db.LockWithBlocked(organization.Id, await ToCome(db, organization.Id, volunteerIds, now).Select(x => x.ShiftId).Distinct().ToListAsync(ct),
            volunteerIds, ct)).ToDictionary(shift => shift.Id);
        // The departure itself, only now: whoever signs up holds the shift before the volunteer, and so must this.
        await db.SaveChangesAsync(ct);
        var profiles = (await db.LockProfiles(organization.Id, volunteerIds, ct)).ToDictionary(volunteer => volunteer.Id);

        foreach (var signUp in await ToCome(db, organization.Id, volunteerIds, now).ToListAsync(ct))
        {
            // Signed up while they were leaving: the client tries again, and then it is found in time.
            if (!shifts.TryGetValue(signUp.ShiftId, out var shift)) throw RuleBreach.Precondition("busy", StatusCodes.Status503ServiceUnavailable);
            var team = await db.Activities.Where(a => a.OrganizationId == organization.Id && a.Id == shift.ActivityId).Select(a => a.TeamId).SingleAsync(ct);
            if (profiles[signUp.VolunteerId].Status == VolunteerStatus.Left
                || !await db.IsMember(organization.Id, signUp.VolunteerId, team, organization.DayOf(shift.StartsAt), ct))
                signUp.Cancel(shift, reason: null, now);
        }
        await db.Promote(shifts.Values, now, ct);
    }

    private static IQueryable<SignUp> ToCome(VolunteersDb db, Guid organizationId, Guid[] volunteerIds, DateTimeOffset now) => db.SignUps
        .Where(s => s.OrganizationId == organizationId && volunteerIds.Contains(s.VolunteerId)
            && (s.Status == SignUpStatus.Confirmed || s.Status == SignUpStatus.Waitlisted)
            && db.Shifts.Any(shift => shift.OrganizationId == organizationId && shift.Id == s.ShiftId && shift.StartsAt > now));
}
