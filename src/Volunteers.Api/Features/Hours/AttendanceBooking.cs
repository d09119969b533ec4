using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Activities;
using Volunteers.Features.Organizations;
using Volunteers.Platform;

namespace Volunteers.Features.Hours;

/// <summary>Whose attendance of which shift.</summary>
/// <param name="Activity">The shift's; shared.</param>
/// <param name="Shift">Locked.</param>
/// <param name="SignUp">Theirs.</param>
/// <param name="By">Who took it; the service itself when it settles the shift.</param>
internal sealed record Attendance(Activity Activity, Shift Shift, SignUp SignUp, Guid By)
{
    public (Guid ShiftId, Guid VolunteerId) Key => (Shift.Id, SignUp.VolunteerId);
}

/// <summary>
/// From attendance to hours. All check-ins and check-outs of one volunteer on one shift make one service record, made anew
/// from all of them whenever one more arrives: in whatever order they come, the record ends the same. What it needs is read
/// once, for however many.
/// </summary>
internal sealed class AttendanceBooking
{
    private readonly VolunteersDb db;
    private readonly Organization organization;
    private readonly DateTimeOffset now;
    private readonly Dictionary<(Guid ShiftId, Guid VolunteerId), Presence> presences;
    private readonly Dictionary<(Guid ShiftId, Guid VolunteerId), ServiceRecord> records;
    private readonly HashSet<Guid> onSeveralShifts;
    private readonly List<(ServiceRecord Record, RecordStep Step, Booking[] Bookings, Guid By)> booked = [];
    private RecordingRules rules = null!;
    private Dictionary<Guid, List<Credit>> credits = [];

    private AttendanceBooking(
        VolunteersDb db, Organization organization, DateTimeOffset now, Dictionary<(Guid ShiftId, Guid VolunteerId), Presence> presences,
        Dictionary<(Guid ShiftId, Guid VolunteerId), ServiceRecord> records)
    {
        (this.db, this.organization, this.now, this.presences, this.records) = (db, organization, now, presences, records);
        onSeveralShifts = [.. presences.Keys.GroupBy(key => key.VolunteerId).Where(shifts => shifts.Skip(1).Any()).Select(shifts => shifts.Key)];
    }

    public static async Task<AttendanceBooking> Load(
        VolunteersDb db, Organization organization, IReadOnlyCollection<Attendance> attendances, DateTimeOffset now, CancellationToken ct)
    {
        var id = organization.Id;
        Guid[] shifts = [.. attendances.Select(attendance => attendance.Shift.Id).Distinct()];
        Guid[] people = [.. attendances.Select(attendance => attendance.SignUp.VolunteerId).Distinct()];
        var events = (await db.AttendanceEvents.AsNoTracking().Where(e => e.OrganizationId == id && shifts.Contains(e.ShiftId) && people.Contains(e.VolunteerId)).ToListAsync(ct))
            .ToLookup(e => (e.ShiftId, e.VolunteerId));
        var records = await db.LockAttendanceRecords(id, shifts, people, ct);
        var booking = new AttendanceBooking(db, organization, now, attendances.ToDictionary(attendance => attendance.Key, attendance => Presence.Of(events[attendance.Key])),
            records.ToDictionary(r => (r.ShiftId!.Value, r.VolunteerId!.Value)));
        await booking.LoadRules([.. attendances.Where(attendance => booking.HasHours(attendance) && !booking.IsBooked(attendance))], ct);
        return booking;
    }

    /// <summary>
    /// Brings the record in line with the attendance. A rule that refuses the hours (the daily limit, for instance) does not undo
    /// the attendance: its code stays on the sign-up, for the daily list.
    /// </summary>
    public async Task<ServiceRecord?> Take(Attendance attendance, CancellationToken ct)
    {
        var (presence, forgotten, record) = (presences[attendance.Key], IsForgotten(attendance), records.GetValueOrDefault(attendance.Key));
        if (IsBooked(attendance)) return null;
        try
        {
            if (FiguresOf(attendance, presence, forgotten, record) is var (figures, partly))
                record = Book(attendance, record, figures, FlagOf(attendance.SignUp, presence, forgotten, partly));
            attendance.SignUp.Book(forgotten, refusal: null);
        }
        catch (RuleBreach refused)
        {
            attendance.SignUp.Book(forgotten, refused.Code);
        }
        // The database holds one person's records apart row by row: what one of them gives up is there before another takes it.
        if (onSeveralShifts.Contains(attendance.SignUp.VolunteerId)) await db.SaveChangesAsync(ct);
        return record;
    }

    /// <summary>Posts and saves what was taken.</summary>
    public async Task Keep(CancellationToken ct)
    {
        if (booked.Count > 0)
        {
            var postings = await db.Post(organization.Id, [.. booked.SelectMany(one => one.Bookings.Select(booking => (booking, one.By)))], now, ct);
            db.AddRange(booked.Select(one => new ServiceRecordEvent(one.Record, one.Step, one.By, now, reason: null, postings)));
        }
        await db.SaveChangesAsync(ct);
    }

    /// <summary>Settling has nothing to add for who has checked out; a coordinator may have corrected their hours since.</summary>
    private bool IsBooked(Attendance attendance) => attendance.By == ServiceRecord.TheServiceItself && presences[attendance.Key] is { OpenSince: null, Stays.Count: > 0 };

    private bool IsForgotten(Attendance attendance) => presences[attendance.Key].OpenSince is not null && attendance.Shift.SettledAt is not null;

    private bool HasHours(Attendance attendance) => presences[attendance.Key].Stays.Count > 0 || IsForgotten(attendance);

    private (DateTimeOffset From, DateTimeOffset To) WindowOf(Shift shift)
    {
        var grace = TimeSpan.FromMinutes(organization.Settings.GraceMinutes);
        return (shift.StartsAt - grace, shift.EndsAt + grace);
    }

    private async Task LoadRules(List<Attendance> attendances, CancellationToken ct)
    {
        if (attendances.Count == 0) return;
        var id = organization.Id;
        Guid[] people = [.. attendances.Select(attendance => attendance.SignUp.VolunteerId).Distinct()];
        var windows = attendances.Select(attendance => WindowOf(attendance.Shift)).ToList();
        var (first, last) = (windows.Min(window => window.From), windows.Max(window => window.To));
        // They lock the people before what is credited elsewhere is read: another shift of theirs may be checked out at this moment.
        rules = await RecordingRules.Load(db, organization, new RecordingScope(
            people, [.. windows.SelectMany(DaysOf).Distinct()], first, last, [.. attendances.Select(attendance => attendance.Activity.Id).Distinct()], [], CountsGroups: false),
            ct, except: [.. records.Values.Select(record => record.Id)]);
        foreach (var record in records.Values.Where(Stands)) rules.Count(record.VolunteerId!.Value, record.ServiceDate, StandingFigures(record));
        var stands = await db.ServiceRecords.Where(r => r.OrganizationId == id && r.VolunteerId != null && people.Contains(r.VolunteerId.Value)
                && (r.Status == ServiceStatus.Submitted || r.Status == ServiceStatus.Approved) && r.StartsAt < last && r.EndsAt > first)
            .Select(r => new { r.VolunteerId, Credit = new Credit(r.Id, r.StartsAt, r.EndsAt, r.ClaimedFromId != null, r.ActivityId, r.ShiftId) }).ToListAsync(ct);
        credits = stands.GroupBy(one => one.VolunteerId!.Value).ToDictionary(group => group.Key, group => group.Select(one => one.Credit).ToList());
    }

    private IEnumerable<DateOnly> DaysOf((DateTimeOffset From, DateTimeOffset To) window)
    {
        for (var day = organization.DayOf(window.From); day <= organization.DayOf(window.To); day = day.AddDays(1)) yield return day;
    }

    /// <summary>
    /// The stays, clipped to the shift plus the organization's grace, less what is credited elsewhere already: one minute counts
    /// once, and when hours are left in two pieces a coordinator has to look. Who has a name in the leader's count of this shift
    /// took part once, however long they stayed. With no check-out at all by the time the shift is settled, from the check-in
    /// to the planned end, the planned length at most.
    /// </summary>
    private (ServiceFigures Figures, bool PartlyRecorded)? FiguresOf(Attendance attendance, Presence presence, bool forgotten, ServiceRecord? record)
    {
        var shift = attendance.Shift;
        var (from, to) = WindowOf(shift);
        if (presence.Stays.Count == 0)
        {
            if (presence.OpenSince is null && shift.SettledAt is not null) throw new RuleBreach("not_checked_in");
            if (!forgotten) return null;
            presence = new Presence([new Presence.Stay(presence.OpenSince!.Value, shift.EndsAt)], OpenSince: null);
            (from, to) = (shift.StartsAt, shift.EndsAt);
        }

        var elsewhere = credits.GetValueOrDefault(attendance.SignUp.VolunteerId, []).Where(other => other.RecordId != record?.Id && other.StartsAt < to && other.EndsAt > from).ToList();
        var ofThis = elsewhere.Where(other => other.IsOf(shift)).ToList();
        if (record is null && ofThis.Any(other => other.IsClaimed)) throw new RuleBreach("counted_in_headcount");
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

    private static ServiceFigures StandingFigures(ServiceRecord record) => new(record.StartsAt, record.EndsAt, record.Minutes, record.PersonTimes);

    private static bool Stands(ServiceRecord record) => record.Status is ServiceStatus.Submitted or ServiceStatus.Approved;

    private static int MinutesOf(IReadOnlyList<Presence.Stay> stays) => (int)(stays.Sum(stay => (stay.To - stay.From).Ticks) / TimeSpan.TicksPerMinute);

    private static RecordFlag? FlagOf(SignUp signUp, Presence presence, bool forgotten, bool partlyRecorded) =>
        forgotten && presence.Stays.Count == 0 ? RecordFlag.ForgottenCheckOut
        : partlyRecorded ? RecordFlag.PartlyRecorded
        : signUp.SelfReported ? RecordFlag.SelfReported : null;

    private ServiceRecord Book(Attendance attendance, ServiceRecord? record, ServiceFigures figures, RecordFlag? flag)
    {
        if (record is not null && (record.StartsAt, record.EndsAt, record.Minutes, record.Flag) == (figures.StartsAt, figures.EndsAt, figures.Minutes, flag)) return record;

        var (activity, shift, volunteer) = (attendance.Activity, attendance.Shift, attendance.SignUp.VolunteerId);
        var day = organization.DayOf(figures.StartsAt);
        var before = record is null ? null : Booking.Of(record, PostingCause.Corrected);
        var step = record is null ? RecordStep.Recorded : RecordStep.Corrected;
        // What a person decided stays; and what stands approved does not grow by what only the volunteer says.
        record?.RefuseUnlessOurs();
        // What was booked in another team, before the activity was moved to this one, is decided there.
        if (record is not null && record.TeamId != activity.TeamId) throw new RuleBreach("booked_in_another_team");
        if (record is { Status: ServiceStatus.Approved } && flag is not null) throw new RuleBreach("attendance_needs_review");
        if (record is { Status: ServiceStatus.Approved })
            rules.RefuseCountedTwice(Participation.Of(record) with { StartsAt = figures.StartsAt, EndsAt = figures.EndsAt }, Participation.Of(record));
        rules.AdmitVolunteer(volunteer, activity.TeamId, figures, day, mayOverride: false, inPlaceOf: record is not null && Stands(record) ? (record.ServiceDate, StandingFigures(record)) : null);

        if (record is null)
        {
            db.Add(record = ServiceRecord.FromAttendance(activity, shift.Id, volunteer, figures, day, flag, attendance.By, now));
            record.ComeLate(rules.IsLate(activity.Id, now));
        }
        else record.Retake(figures, day, flag);
        var confirms = record.Status == ServiceStatus.Submitted && flag is null && organization.Settings.AttendanceConfirmedBy == AttendanceConfirmation.Automatic
            && !rules.MayBeInHeadcount(record);
        if (confirms) record.Confirm(now);

        Booking[] bookings = confirms ? [Booking.Of(record, PostingCause.Approved)]
            : record.Status == ServiceStatus.Approved && before is not null ? [before.Reversed, Booking.Of(record, PostingCause.Corrected)]
            : [];
        booked.Add((record, step, bookings, attendance.By));
        // Another shift of theirs in the same batch reckons with it.
        var credited = credits.TryGetValue(volunteer, out var theirs) ? theirs : credits[volunteer] = [];
        credited.RemoveAll(credit => credit.RecordId == record.Id);
        credited.Add(new Credit(record.Id, record.StartsAt, record.EndsAt, IsClaimed: false, record.ActivityId, record.ShiftId));
        return record;
    }

    /// <summary>What counts for somebody elsewhere.</summary>
    private sealed record Credit(Guid RecordId, DateTimeOffset StartsAt, DateTimeOffset EndsAt, bool IsClaimed, Guid ActivityId, Guid? ShiftId)
    {
        public bool IsOf(Shift shift) => ActivityId == shift.ActivityId && (ShiftId is null || ShiftId == shift.Id) && StartsAt < shift.EndsAt && EndsAt > shift.StartsAt;
    }
}

internal static class BookingAttendance
{
    /// <summary>Books the attendance of many, and saves.</summary>
    /// <param name="db">In a transaction that shares the activities and has the shifts locked.</param>
    /// <param name="organization">Whose settings and days count.</param>
    /// <param name="attendances">One for each volunteer and shift, in the order in which they are booked.</param>
    /// <param name="now">The time.</param>
    /// <param name="ct">Ends it.</param>
    /// <returns>The record of each, if there is one.</returns>
    public static async Task<IReadOnlyList<ServiceRecord?>> BookAttendance(
        this VolunteersDb db, Organization organization, IReadOnlyCollection<Attendance> attendances, DateTimeOffset now, CancellationToken ct)
    {
        await db.SaveChangesAsync(ct);
        if (attendances.Count == 0) return [];
        var booking = await AttendanceBooking.Load(db, organization, attendances, now, ct);
        var records = new List<ServiceRecord?>(attendances.Count);
        foreach (var attendance in attendances) records.Add(await booking.Take(attendance, ct));
        await booking.Keep(ct);
        return records;
    }
}
