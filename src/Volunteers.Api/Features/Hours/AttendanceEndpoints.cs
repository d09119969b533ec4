using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Activities;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Hours;

/// <summary>Check-in and check-out of shifts. They stand here and not with the shifts, because a check-out books hours.</summary>
internal static class AttendanceEndpoints
{
    public static void MapAttendance(this RouteGroupBuilder organization)
    {
        var shift = organization.MapGroup("/shifts/{shiftId:guid}").WithTags("Attendance").Scoped(Scope.Attendance).TakesTurnsBy("shiftId");
        shift.MapGet("/check-in-code", ShowCode).WithName("getCheckInCode").ShowsNoPersonalData().Allows(Access.TakePart).RefusesWith(404);
        shift.MapPost("/check-in", CheckIn).WithName("checkIn").Allows(Access.TakePart).RefusesWith(404, 409).SharesATransaction(CheckInTogether);
        shift.MapPost("/check-out", CheckOut).WithName("checkOut").Allows(Access.TakePart).RefusesWith(404, 409).SharesATransaction(CheckOutTogether);
        shift.MapGet("/attendance", List).WithName("listAttendance").ShowsPersonalData().RefusesWith(404);

        var attendance = organization.MapGroup("/attendance").WithTags("Attendance").Scoped(Scope.Attendance);
        attendance.MapPost("/batch", TakeBatch).WithName("sendAttendanceBatch").Allows(Access.TakePart);
        attendance.MapAttendanceExceptions();
    }

    /// <summary>Shows the code of this half minute, for the organizer's screen: to coordinators of the team and the person in charge.</summary>
    private static async Task<Results<CheckInCodeAnswer, NotFound>> ShowCode(
        Guid shiftId, [AsParameters] CheckInCodeQuery query, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await db.Shifts.VisibleTo(tenant, db).AsNoTracking().SingleOrDefaultAsync(s => s.Id == shiftId, ct) is not { } shift) return TypedResults.NotFound();
        var activity = await db.Activities.AsNoTracking().SingleAsync(a => a.OrganizationId == tenant.Id && a.Id == shift.ActivityId, ct);
        if (!tenant.Coordinates(activity.TeamId) && (tenant.VolunteerId is null || activity.ResponsibleVolunteerId != tenant.VolunteerId)) return TypedResults.NotFound();
        return new CheckInCodeAnswer(CheckInCodeView.Of(shift, clock.GetUtcNow()), query.Format == CheckInCodeFormat.Svg);
    }

    /// <summary>
    /// Checks somebody in: oneself, with the code on the organizer's screen, or anyone, by a coordinator of the team or the
    /// person in charge. Said again it changes nothing, and is kept.
    /// </summary>
    private static Task<Results<Ok<AttendanceView>, NotFound>> CheckIn(
        Guid shiftId, AttendanceRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct) =>
        Take(shiftId, AttendanceKind.CheckIn, request, tenant, db, clock, ct);

    /// <summary>
    /// Checks somebody out, and books their hours: from check-in to check-out, clipped to the shift plus the organization's
    /// grace; approved at once or submitted, by the organization's setting.
    /// </summary>
    private static Task<Results<Ok<AttendanceView>, NotFound>> CheckOut(
        Guid shiftId, AttendanceRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct) =>
        Take(shiftId, AttendanceKind.CheckOut, request, tenant, db, clock, ct);

    private static async Task<Results<Ok<AttendanceView>, NotFound>> Take(
        Guid shiftId, AttendanceKind kind, AttendanceRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await TakeAll(shiftId, kind, [(tenant, request, request.Of(tenant) ?? throw RuleBreach.Malformed("volunteer_needed", "/volunteerId"))], db, clock.GetUtcNow(), ct) is not [var (view, refusal)]) return TypedResults.NotFound();
        return refusal is null ? TypedResults.Ok(view!) : throw refusal;
    }

    private static Task<IReadOnlyList<SharedAnswer?>> CheckInTogether(IServiceProvider services, IReadOnlyList<Companion> companions, CancellationToken ct) =>
        TakeTogether(AttendanceKind.CheckIn, services, companions, ct);

    private static Task<IReadOnlyList<SharedAnswer?>> CheckOutTogether(IServiceProvider services, IReadOnlyList<Companion> companions, CancellationToken ct) =>
        TakeTogether(AttendanceKind.CheckOut, services, companions, ct);

    private static async Task<IReadOnlyList<SharedAnswer?>> TakeTogether(
        AttendanceKind kind, IServiceProvider services, IReadOnlyList<Companion> companions, CancellationToken ct)
    {
        // Whoever comes twice at the same moment comes the second time after the first.
        var asked = companions.Select(companion => (Tenant: companion.Argument<Tenant>(), Request: companion.Argument<AttendanceRequest>())).Index()
            .Select(one => (one.Index, one.Item.Tenant, one.Item.Request, Volunteer: one.Item.Request.Of(one.Item.Tenant))).Where(one => one.Volunteer is not null).DistinctBy(one => one.Volunteer).ToList();
        var outcomes = await TakeAll(companions[0].Argument<Guid>(), kind, [.. asked.Select(one => (one.Tenant, one.Request, one.Volunteer!.Value))],
            services.GetRequiredService<VolunteersDb>(), services.GetRequiredService<TimeProvider>().GetUtcNow(), ct);
        var answers = new SharedAnswer?[companions.Count];
        foreach (var (one, outcome) in asked.Zip(outcomes))
            if (outcome.View is { } view) answers[one.Index] = new SharedAnswer(view.VolunteerId, TypedResults.Ok(view));
        return answers;
    }

    /// <returns>What became of each, or why not; nothing where there is no such shift.</returns>
    private static async Task<IReadOnlyList<(AttendanceView? View, RuleBreach? Refusal)>> TakeAll(
        Guid shiftId, AttendanceKind kind, List<(Tenant Tenant, AttendanceRequest Request, Guid Volunteer)> asked, VolunteersDb db, DateTimeOffset now, CancellationToken ct)
    {
        var tenant = asked[0].Tenant;
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var activityId = await db.Shifts.VisibleTo(tenant, db).Where(s => s.Id == shiftId).Select(s => s.ActivityId).SingleOrDefaultAsync(ct);
        if (activityId == default || await db.ShareActivity(tenant.Id, activityId, ct) is not { } activity
            || await db.LockShifts(tenant.Id, [shiftId], ct) is not [var shift]) return [];

        var time = Instant.AsKept(now);
        Guid[] people = [.. asked.Select(one => one.Volunteer)];
        if (asked.Count > 1)
        {
            // In one order, as everybody else locks several: one by one they would be locked as they come.
            await db.LockAttendanceRecords(tenant.Id, [shiftId], people, ct);
            await db.LockVolunteers(tenant.Id, people, ct);
        }
        var signUps = await db.SignUps.Where(s => s.OrganizationId == tenant.Id && s.ShiftId == shiftId && people.Contains(s.VolunteerId)).ToDictionaryAsync(s => s.VolunteerId, ct);
        var minors = kind == AttendanceKind.CheckIn ? await db.MinorsWithoutConsent(organization, people, now, ct) : [];
        var taken = new Dictionary<int, Attendance>();
        var refusals = new RuleBreach?[asked.Count];
        for (var i = 0; i < asked.Count; i++)
        {
            try
            {
                var (by, request, volunteer) = asked[i];
                var notice = new AttendanceNotice(kind, volunteer, request.Code, request.Position, request.Kiosk, new AttendanceTime(time, request.DeviceAt, time));
                signUps[volunteer] = await db.Take(organization, activity, shift, signUps.GetValueOrDefault(volunteer), notice, minors, by, ct);
                taken.Add(i, new Attendance(activity, shift, signUps[volunteer], by.ActorId));
            }
            catch (RuleBreach refused)
            {
                refusals[i] = refused;
            }
        }
        var records = taken.Keys.Zip(await db.BookAttendance(organization, taken.Values, now, ct)).ToDictionary();
        return [.. asked.Select((one, index) => (taken.TryGetValue(index, out var attendance) ? ViewOf(attendance, records[index], one.Tenant) : null, refusals[index]))];

        AttendanceView ViewOf(Attendance attendance, ServiceRecord? record, Tenant by)
        {
            // Of an activity that was moved here, what was booked before is for those there.
            var shown = record is not null && (record.TeamId == activity.TeamId || by.Coordinates(record.TeamId) || attendance.SignUp.VolunteerId == by.VolunteerId);
            return new AttendanceView(shiftId, attendance.SignUp.VolunteerId, kind, time, attendance.SignUp.Status, shown ? ServiceRecordView.Of(record!) : null, attendance.SignUp.BookingRefusal);
        }
    }

    /// <summary>Lists every check-in and check-out on a shift, by the time that counts. Volunteers see their own.</summary>
    private static async Task<Results<Paged<AttendanceEventView>, NotFound>> List(
        Guid shiftId, [AsParameters] PageQuery page, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.Shifts.VisibleTo(tenant, db).AnyAsync(s => s.Id == shiftId, ct)
            ? await db.AttendanceEvents.Where(e => e.OrganizationId == tenant.Id && e.ShiftId == shiftId
                    && db.SignUps.VisibleTo(tenant, db).Any(s => s.ShiftId == e.ShiftId && s.VolunteerId == e.VolunteerId))
                .ToPage(page, e => e.CountedAt, e => e.Id, AttendanceEventView.Projection, ct)
            : TypedResults.NotFound();

    /// <summary>Takes what a device noted while it was offline. Each event is answered by itself; sent again, in whatever order or parts, it changes nothing.</summary>
    /// <remarks>
    /// Which time counts: the device's, put right by as much as the device's clock was wrong when it sent the batch (<c>sentAt</c>
    /// against our clock); with a code, a time at which that code was on the screen, at most ten minutes from there. Never
    /// later than it reached us. The device's time and ours are both kept. What volunteers send of themselves this way waits
    /// for a coordinator, whatever the organization's setting.
    /// </remarks>
    private static async Task<Ok<AttendanceBatchView>> TakeBatch(
        AttendanceBatchRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var batch = await AttendanceBatch.Load(db, organization, tenant, request, now, ct);
        var results = new AttendanceResultView[request.Events.Count];
        // In the order in which it happened: of two who came without a place, the first has it.
        foreach (var (index, item) in request.Events.Index().OrderBy(e => e.Item.OccurredAt).ThenBy(e => e.Item.Kind)) results[index] = await batch.Take(item, ct);
        await batch.Book(ct);
        return TypedResults.Ok(new AttendanceBatchView(results));
    }
}
