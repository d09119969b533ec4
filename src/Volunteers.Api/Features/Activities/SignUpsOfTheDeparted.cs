using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Activities;

/// <summary>Who leaves the organization or a team gives back the places they may no longer fill.</summary>
internal sealed class SignUpsOfTheDeparted : IDepartures
{
    public async Task LockPlaces(VolunteersDb db, Guid organizationId, Guid[] volunteerIds, DateTimeOffset now, CancellationToken ct) =>
        await Lock(db, organizationId, volunteerIds, now, ct);

    public async Task Settle(VolunteersDb db, Organization organization, Guid[] volunteerIds, DateTimeOffset now, CancellationToken ct)
    {
        var shifts = (await Lock(db, organization.Id, volunteerIds, now, ct)).ToDictionary(shift => shift.Id);
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
        await EndStanding(db, organization, profiles.Values, now, ct);
        await db.Promote(shifts.Values, now, ct);
    }

    /// <summary>Or they would be signed up again by themselves on the day they come back.</summary>
    private static async Task EndStanding(VolunteersDb db, Organization organization, IReadOnlyCollection<Volunteer> people, DateTimeOffset now, CancellationToken ct)
    {
        var ids = people.Select(volunteer => volunteer.Id).ToArray();
        var standing = await db.StandingSignUps.Where(s => s.OrganizationId == organization.Id && ids.Contains(s.VolunteerId))
            .Join(db.Series, s => new { s.OrganizationId, Id = s.SeriesId }, series => new { series.OrganizationId, series.Id }, (s, series) => new { s.Id, s.VolunteerId, series.TeamId })
            .ToListAsync(ct);
        var left = people.Where(volunteer => volunteer.Status == VolunteerStatus.Left).Select(volunteer => volunteer.Id).ToHashSet();
        var tomorrow = organization.DayOf(now).AddDays(1);
        foreach (var each in standing)
            if (left.Contains(each.VolunteerId) || !await db.IsMember(organization.Id, each.VolunteerId, each.TeamId, tomorrow, ct))
                await db.DeleteNoted(db.StandingSignUps.Where(s => s.OrganizationId == organization.Id && s.Id == each.Id), ct);
    }

    private static async Task<List<Shift>> Lock(VolunteersDb db, Guid organizationId, Guid[] volunteerIds, DateTimeOffset now, CancellationToken ct) =>
        await db.LockWithBlocked(organizationId, await ToCome(db, organizationId, volunteerIds, now).Select(s => s.ShiftId).Distinct().ToListAsync(ct), volunteerIds, ct);

    private static IQueryable<SignUp> ToCome(VolunteersDb db, Guid organizationId, Guid[] volunteerIds, DateTimeOffset now) => db.SignUps
        .Where(s => s.OrganizationId == organizationId && volunteerIds.Contains(s.VolunteerId)
            && (s.Status == SignUpStatus.Confirmed || s.Status == SignUpStatus.Waitlisted)
            && db.Shifts.Any(shift => shift.OrganizationId == organizationId && shift.Id == s.ShiftId && shift.StartsAt > now));
}
