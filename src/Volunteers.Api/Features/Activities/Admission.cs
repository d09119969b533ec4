using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Activities;

/// <summary>The rules about who may be on a shift, with what they ask read once, for however many.</summary>
internal sealed class Admission
{
    private readonly VolunteersDb db;
    private readonly Organization organization;
    private readonly Shift shift;
    private readonly DateOnly day;
    private readonly Dictionary<Guid, Volunteer> volunteers;
    private readonly HashSet<Guid> members;
    private readonly HashSet<Guid> clashing;
    private readonly Dictionary<Guid, SignUp> signUps;

    private Admission(
        VolunteersDb db, Organization organization, Shift shift, DateOnly day, Dictionary<Guid, Volunteer> volunteers, HashSet<Guid> members,
        HashSet<Guid> clashing, Dictionary<Guid, SignUp> signUps)
    {
        (this.db, this.organization, this.shift, this.day, this.volunteers, this.members, this.clashing, this.signUps) =
            (db, organization, shift, day, volunteers, members, clashing, signUps);
    }

    /// <summary>Locks these volunteers; the shift is locked, and not closed to them, before: see <see cref="RefuseClosed(Activity, Shift, DateTimeOffset)"/>.</summary>
    public static async Task<Admission> Load(VolunteersDb db, Organization organization, Activity activity, Shift shift, Guid[] people, CancellationToken ct)
    {
        var day = organization.DayOf(shift.StartsAt);
        return new Admission(db, organization, shift, day,
            (await db.LockProfiles(organization.Id, people, ct)).ToDictionary(volunteer => volunteer.Id),
            await db.MembersAmong(organization.Id, people, activity.TeamId, day, ct),
            await db.Clashing(shift, people, ct),
            await db.SignUps.Where(s => s.OrganizationId == organization.Id && s.ShiftId == shift.Id && people.Contains(s.VolunteerId)).ToDictionaryAsync(s => s.VolunteerId, ct));
    }

    /// <summary>The rules that ask nothing of the volunteer and the database.</summary>
    public static void RefuseClosed(Activity activity, Shift shift, DateTimeOffset now)
    {
        activity.RefuseIfCancelled();
        if (activity.Status == ActivityStatus.Draft) throw new RuleBreach("activity_not_published");
        if (now >= shift.EndsAt) throw new RuleBreach("shift_over");
    }

    /// <summary>The same, and whether one can still take a place by oneself.</summary>
    public static void RefuseClosed(Activity activity, Shift shift, SignUpWish wish, DateTimeOffset now)
    {
        if (!wish.ByCoordinator && now >= (shift.SignUpClosesAt ?? shift.StartsAt)) throw new RuleBreach("sign_up_closed");
        RefuseClosed(activity, shift, now);
    }

    /// <summary>Their sign-up, which may be new; it has no place yet.</summary>
    public SignUp Admit(SignUpWish wish, DateTimeOffset now)
    {
        if (!volunteers.TryGetValue(wish.VolunteerId, out var volunteer)) throw RuleBreach.NotFound("volunteer_not_found", "/volunteerId");
        if (volunteer.Status != VolunteerStatus.Active) throw new RuleBreach("volunteer_not_active");
        if (volunteer.Guardian is null && AgeLimits.Of(organization, now) is var ages && ages.IsMinor(volunteer.BirthDate)) throw ages.ServiceRefused;
        if (!members.Contains(volunteer.Id)) throw new RuleBreach("not_a_member");
        var missing = shift.Skills.Where(name => !volunteer.Skills.Any(skill => skill.Name == name && (skill.ExpiresOn is null || skill.ExpiresOn >= day))).ToArray();
        if (missing.Length > 0) throw new RuleBreach("skill_missing", Messages.List(missing));
        if (wish.ClashReason is null && clashing.Contains(volunteer.Id)) throw new RuleBreach("shift_clash");

        if (!signUps.TryGetValue(volunteer.Id, out var signUp)) db.Add(signUps[volunteer.Id] = signUp = new SignUp(shift, volunteer.Id, now));
        return signUp;
    }

    /// <summary>Takes a place, or a turn on the waiting list.</summary>
    public SignUp SignUp(SignUpWish wish, DateTimeOffset now)
    {
        var signUp = Admit(wish, now);
        signUp.Arrive(shift, wish.Source, wish.By, wish.ClashReason, now);
        return signUp;
    }
}
