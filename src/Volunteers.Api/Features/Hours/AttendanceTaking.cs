using Volunteers.Data;
using Volunteers.Features.Activities;
using Volunteers.Features.Organizations;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Hours;

/// <summary>One check-in or check-out as somebody sends it.</summary>
internal sealed record AttendanceNotice(
    AttendanceKind Kind, Guid VolunteerId, string? Code, Position? Position, bool AtKiosk, AttendanceTime Time, Guid? ClientEventId = null)
{
    public bool IsOffline => ClientEventId is not null;
}

/// <summary>
/// What is taken as attendance, and at which time. Taken online, our clock counts. Taken offline, the device's clock counts,
/// put right by as much as it was wrong when the batch was sent; with a code, the minute in which that code was on the screen.
/// Never later than it reached us.
/// </summary>
internal static class AttendanceTaking
{
    /// <summary>How far from the corrected time of the device its code may have been on the screen.</summary>
    private static readonly TimeSpan CodeWithin = TimeSpan.FromMinutes(10);

    /// <summary>Takes one notice; the hours are booked afterwards.</summary>
    /// <param name="db">In a transaction.</param>
    /// <param name="organization">Whose settings count.</param>
    /// <param name="activity">The shift's.</param>
    /// <param name="shift">Locked.</param>
    /// <param name="signUp">Of the volunteer, if there is one.</param>
    /// <param name="notice">What was said.</param>
    /// <param name="minors">Who may not take part until a guardian agrees.</param>
    /// <param name="tenant">Who says it.</param>
    /// <param name="ct">Ends it.</param>
    /// <returns>The sign-up, which is new of who came without, and what was taken.</returns>
    public static async Task<(SignUp SignUp, AttendanceEvent Taken)> Take(
        this VolunteersDb db, Organization organization, Activity activity, Shift shift, SignUp? signUp, AttendanceNotice notice, IReadOnlyCollection<Guid> minors,
        Tenant tenant, CancellationToken ct)
    {
        var own = notice.VolunteerId == tenant.VolunteerId;
        var organizes = tenant.Coordinates(activity.TeamId) || (tenant.VolunteerId is { } self && activity.ResponsibleVolunteerId == self);
        if (!own && !organizes) throw RuleBreach.Forbidden("only_own_attendance");
        activity.RefuseIfCancelled();

        var time = notice.Time;
        if (notice.Code is not null || !organizes) time = time with { CountedAt = ProvenTime(shift, notice) };
        if (time.CountedAt < shift.StartsAt - Shift.Around) throw new RuleBreach("too_early");
        if (time.CountedAt > shift.EndsAt + Shift.Around) throw new RuleBreach("shift_over");

        // Who came with a guardian's consent and goes without it has given their time all the same.
        if (notice.Kind == AttendanceKind.CheckIn && minors.Contains(notice.VolunteerId)) throw AgeLimits.Of(organization, notice.Time.ReceivedAt).ServiceRefused;
        if (signUp?.Status is not (SignUpStatus.Confirmed or SignUpStatus.Attended or SignUpStatus.NoShow))
            signUp = await WalkIn(db, organization, activity, shift, notice with { Time = time }, tenant, ct);
        else if (notice.Kind == AttendanceKind.CheckOut && signUp.Status != SignUpStatus.Attended && !notice.IsOffline) throw new RuleBreach("not_checked_in");

        var method = notice.AtKiosk && organizes ? AttendanceMethod.Kiosk : own && notice.Code is not null ? AttendanceMethod.Code : AttendanceMethod.Coordinator;
        // Who can show the code to themselves, or sends it later, is vouched for by nobody else.
        var vouched = !own || (!organizes && !notice.IsOffline);
        var taken = new AttendanceEvent(shift, notice.VolunteerId, notice.Kind, time, method, notice.Position?.To(activity.Location), vouched, tenant.ActorId,
            notice.ClientEventId);
        db.Add(taken);
        signUp.Attend(taken);
        return (signUp, taken);
    }

    private static DateTimeOffset ProvenTime(Shift shift, AttendanceNotice notice)
    {
        var (counted, _, received) = notice.Time;
        if (!notice.IsOffline)
            return CheckInCode.ShownAt(shift.CodeSecret, notice.Code ?? "", received - CheckInCode.Step, received) is not null
                ? counted : throw new RuleBreach("check_in_code_invalid");

        if (CheckInCode.ShownAt(shift.CodeSecret, notice.Code ?? "", counted - CodeWithin, counted + CodeWithin) is not { } shown) throw new RuleBreach("check_in_code_invalid");
        var until = shown + CheckInCode.AcceptedFor;
        var proven = counted < shown ? shown : counted > until ? until : counted;
        return proven < received ? proven : received;
    }

    /// <summary>Came without a place: lets them in while there are places, if the organization does so.</summary>
    private static async Task<SignUp> WalkIn(
        VolunteersDb db, Organization organization, Activity activity, Shift shift, AttendanceNotice notice, Tenant tenant, CancellationToken ct)
    {
        if (!organization.Settings.WalkInsAllowed || (notice.Kind == AttendanceKind.CheckOut && !notice.IsOffline)) throw new RuleBreach("not_signed_up");
        if (!shift.HasPlace) throw new RuleBreach("shift_full", shift.Capacity!);
        // As of when they came: an offline batch may arrive after the shift, and the check-out before the check-in.
        var at = notice.Time.CountedAt < shift.EndsAt ? notice.Time.CountedAt
            : notice.Kind == AttendanceKind.CheckOut ? shift.StartsAt : throw new RuleBreach("shift_over");
        var wish = new SignUpWish(notice.VolunteerId, SignUpSource.WalkIn, tenant.ActorId, ByCoordinator: true, ClashReason: null);
        var signUp = await db.Admit(organization, activity, shift, wish, at, ct);
        if (signUp.Status == SignUpStatus.Waitlisted) signUp.Promote(shift);
        else signUp.Arrive(shift, SignUpSource.WalkIn, tenant.ActorId, clashReason: null, at);
        return signUp;
    }
}
