using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Activities;
using Volunteers.Features.Organizations;
using Volunteers.Platform;

namespace Volunteers.Features.Hours;

/// <summary>
/// From attendance to hours. All check-ins and check-outs of one volunteer on one shift make one service record, made anew
/// from all of them whenever one more arrives: in whatever order they come, the record ends the same.
/// </summary>
internal static class AttendanceBooking
{
    /// <summary>
    /// Brings the record in line with the attendance, and saves. A rule that refuses the hours (the daily limit, for instance)
    /// does not undo the attendance: its code stays on the sign-up, for the daily list.
    /// </summary>
    /// <param name="db">In a transaction that shares the activity and has the shift locked.</param>
    /// <param name="organization">Whose settings and days count.</param>
    /// <param name="activity">The shift's activity.</param>
    /// <param name="shift">Locked.</param>
    /// <param name="signUp">Whose attendance.</param>
    /// <param name="by">Who took it; the service itself when it settles the shift.</param>
    /// <param name="now">The time.</param>
    /// <param name="ct">Ends it.</param>
    public static async Task<ServiceRecord?> BookAttendance(
        this VolunteersDb db, Organization organization, Activity activity, Shift shift, SignUp signUp, Guid by, DateTimeOffset now, CancellationToken ct)
    {
        await db.SaveChangesAsync(ct);
        var presence = Presence.Of(await db.AttendanceEvents.AsNoTracking()
            .Where(e => e.OrganizationId == shift.OrganizationId && e.ShiftId == shift.Id && e.VolunteerId == signUp.VolunteerId).ToListAsync(ct));
        // Settling has nothing to add for who has checked out; a coordinator may have corrected their hours since.
        if (by == ServiceRecord.TheServiceItself && presence is { OpenSince: null, Stays.Count: > 0 }) return null;
        var forgotten = presence.OpenSince is not null && shift.SettledAt is not null;
        var known = await db.ServiceRecords.Where(r => r.OrganizationId == shift.OrganizationId && r.ShiftId == shift.Id && r.VolunteerId == signUp.VolunteerId
            && r.Evidence == Evidence.Attendance).Select(r => r.Id).ToArrayAsync(ct);
        var record = (await db.LockRecords(shift.OrganizationId, known, ct)).SingleOrDefault();
        // Before what is credited elsewhere is read: another shift of theirs may be checked out at this moment.
        await db.LockVolunteers(shift.OrganizationId, [signUp.VolunteerId], ct);
        try
        {
            if (await FiguresOf(db, organization, shift, signUp.VolunteerId, presence, forgotten, record, ct) is var (figures, partly))
                record = await Book(db, organization, activity, shift, signUp, record, figures, FlagOf(signUp, presence, forgotten, partly), by, now, ct);
            signUp.Book(forgotten, refusal: null);
        }
        catch (RuleBreach refused)
        {
            signUp.Book(forgotten, refused.Code);
        }
        await db.SaveChangesAsync(ct);
        return record;
    }

    /// <summary>
    /// The stays, clipped to the shift plus the organization's grace, less what is credited elsewhere already: one minute counts
    /// once, and when hours are left in two pieces a coordinator has to look. Who has a name in the leader's count of this shift
    /// took part once, however long they stayed. With no check-out at all by the time the shift is settled, from the check-in
    /// to the planned end, the planned length at most.
    /// </summary>
    private static async Task<(ServiceFigures Figures, bool PartlyRecorded)?> FiguresOf(
        VolunteersDb db, Organization organization, Shift shift, Guid volunteerId, Presence presence, bool forgotten, ServiceRecord? record, CancellationToken ct)
    {
        var grace = TimeSpan.FromMinutes(organization.Settings.GraceMinutes);
        var (from, to) = (shift.StartsAt - grace, shift.EndsAt + grace);
        if (presence.Stays.Count == 0)
        {
            if (presence.OpenSince is null && shift.SettledAt is not null) throw new RuleBreach("not_checked_in");
            if (!forgotten) return null;
            presence = new Presence([new Presence.Stay(presence.OpenSince!.Value, shift.EndsAt)], OpenSince: null);
            (from, to) = (shift.StartsAt, shift.EndsAt);
        }

        var elsewhere = await db.ServiceRecords.Where(r => r.OrganizationId == shift.OrganizationId && r.VolunteerId == volunteerId && (record == null || r.Id != record.Id)
                && (r.Status == ServiceStatus.Submitted || r.Status == ServiceStatus.Approved) && r.StartsAt < to && r.EndsAt > from)
            .Select(r => new { r.StartsAt, r.EndsAt, r.ClaimedFromId, OfThis = r.ActivityId == shift.ActivityId && (r.ShiftId == null || r.ShiftId == shift.Id) })
            .ToListAsync(ct);
        var ofThis = elsewhere.Where(other => other.OfThis && other.StartsAt < shift.EndsAt && other.EndsAt > shift.StartsAt).ToList();
        if (record is null && ofThis.Any(other => other.ClaimedFromId is not null)) throw new RuleBreach("counted_in_headcount");
        // One record has one period: what is left between the others, if that is one piece.
        var pieces = new List<ServiceFigures>();
        var free = from;
        foreach (var other in elsewhere.OrderBy(other => other.StartsAt))
        {
            AddPiece(free, other.StartsAt);
            free = other.EndsAt;
        }
        AddPiece(free, to);
        return pieces is [var piece] ? (piece, ofThis.Count > 0 && record is null or { Flag: RecordFlag.PartlyRecorded }) : throw new RuleBreach(MinutesOf(presence.Within(from, to)) == 0 ? "too_short" : "overlapping_service");

        void AddPiece(DateTimeOffset after, DateTimeOffset before)
        {
            var stays = presence.Within(after, before < to ? before : to);
            if (MinutesOf(stays) is > 0 and var minutes) pieces.Add(new ServiceFigures(stays[0].From, stays[^1].To, minutes, personTimes: 1));
        }
    }

    private static int MinutesOf(IReadOnlyList<Presence.Stay> stays) => (int)(stays.Sum(stay => (stay.To - stay.From).Ticks) / TimeSpan.TicksPerMinute);

    private static RecordFlag? FlagOf(SignUp signUp, Presence presence, bool forgotten, bool partlyRecorded) =>
        forgotten && presence.Stays.Count == 0 ? RecordFlag.ForgottenCheckOut
        : partlyRecorded ? RecordFlag.PartlyRecorded
        : signUp.SelfReported ? RecordFlag.SelfReported : null;

    private static async Task<ServiceRecord> Book(
        VolunteersDb db, Organization organization, Activity activity, Shift shift, SignUp signUp, ServiceRecord? record, ServiceFigures figures, RecordFlag? flag,
        Guid by, DateTimeOffset now, CancellationToken ct)
    {
        if (record is not null && (record.StartsAt, record.EndsAt, record.Minutes, record.Flag) == (figures.StartsAt, figures.EndsAt, figures.Minutes, flag)) return record;

        var day = organization.DayOf(figures.StartsAt);
        var entry = new ServiceEntry(signUp.VolunteerId, 1, null, activity.Id, figures.StartsAt, figures.EndsAt, figures.Minutes, Note: null, DailyLimitOverride: null, shift.Id);
        var before = record is null ? null : Booking.Of(record, PostingCause.Corrected);
        var step = record is null ? RecordStep.Recorded : RecordStep.Corrected;
        // What a person decided stays; and what stands approved does not grow by what only the volunteer says.
        record?.RefuseUnlessOurs();
        // What was booked in another team, before the activity was moved to this one, is decided there.
        if (record is not null && record.TeamId != activity.TeamId) throw new RuleBreach("booked_in_another_team");
        if (record is { Status: ServiceStatus.Approved } && flag is not null) throw new RuleBreach("attendance_needs_review");
        var rules = await RecordingRules.Load(db, organization, [entry], ct, except: record?.Id);
        rules.AdmitVolunteer(signUp.VolunteerId, activity.TeamId, figures, day, mayOverride: false);
        if (record is { Status: ServiceStatus.Approved })
            rules.RefuseCountedTwice(Participation.Of(record) with { StartsAt = figures.StartsAt, EndsAt = figures.EndsAt }, Participation.Of(record));

        if (record is null)
        {
            db.Add(record = ServiceRecord.FromAttendance(activity, shift.Id, signUp.VolunteerId, figures, day, flag, by, now));
            record.ComeLate(rules.IsLate(activity.Id, now));
        }
        else record.Retake(figures, day, flag);
        var confirms = record.Status == ServiceStatus.Submitted && flag is null && organization.Settings.AttendanceConfirmedBy == AttendanceConfirmation.Automatic;
        confirms = confirms && !(await CountedTwice.Load(db, [record], ct)).Holds(Participation.Of(record));
        if (confirms) record.Confirm(now);

        Booking[] bookings = confirms ? [Booking.Of(record, PostingCause.Approved)]
            : record.Status == ServiceStatus.Approved && before is not null ? [before.Reversed, Booking.Of(record, PostingCause.Corrected)]
            : [];
        var postings = await db.Post(organization.Id, bookings, by, now, ct);
        db.Add(new ServiceRecordEvent(record, step, by, now, reason: null, postings));
        return record;
    }
}
