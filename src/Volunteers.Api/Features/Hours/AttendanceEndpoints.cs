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
        // What a check-out waits for is the organization's ledger.
        shift.MapPost("/check-out", CheckOut).WithName("checkOut").Allows(Access.TakePart).RefusesWith(404, 409).TakesTurnsBy("organizationId", at: "ledger/").SharesATransaction(CheckOutTogether);
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
        var volunteer = request.Of(tenant) ?? throw RuleBreach.Malformed("volunteer_needed", "/volunteerId");
        var (view, refusal) = (await TakeAll(kind, [(shiftId, tenant, request, volunteer)], db, clock.GetUtcNow(), ct))[0];
        if (refusal is not null) throw refusal;
        return view is null ? TypedResults.NotFound() : TypedResults.Ok(view);
    }

    private static Task<IReadOnlyList<SharedAnswer?>> CheckInTogether(IServiceProvider services, IReadOnlyList<Companion> companions, CancellationToken ct) =>
        TakeTogether(AttendanceKind.CheckIn, services, companions, ct);

    private static Task<IReadOnlyList<SharedAnswer?>> CheckOutTogether(IServiceProvider services, IReadOnlyList<Companion> companions, CancellationToken ct) =>
        TakeTogether(AttendanceKind.CheckOut, services, companions, ct);

    private static async Task<IReadOnlyList<SharedAnswer?>> TakeTogether(
        AttendanceKind kind, IServiceProvider services, IReadOnlyList<Companion> companions, CancellationToken ct)
    {
        // Whoever comes twice at the same moment comes the second time after the first.
        var asked = companions.Select(companion => (Shift: companion.Argument<Guid>(), Tenant: companion.Argument<Tenant>(), Request: companion.Argument<AttendanceRequest>())).Index()
            .Select(one => (one.Index, one.Item.Shift, one.Item.Tenant, one.Item.Request, Volunteer: one.Item.Request.Of(one.Item.Tenant)))
            .Where(one => one.Volunteer is not null).DistinctBy(one => one.Volunteer).ToList();
        var outcomes = await TakeAll(kind, [.. asked.Select(one => (one.Shift, one.Tenant, one.Request, one.Volunteer!.Value))],
            services.GetRequiredService<VolunteersDb>(), services.GetRequiredService<TimeProvider>().GetUtcNow(), ct);
        var answers = new SharedAnswer?[companions.Count];
        foreach (var (one, outcome) in asked.Zip(outcomes))
            if (outcome.View is { } view) answers[one.Index] = new SharedAnswer(view.VolunteerId, TypedResults.Ok(view));
        return answers;
    }

    /// <param name="kind">What all of them do.</param>
    /// <param name="asked">Each about another volunteer, by callers who see the same.</param>
    /// <param name="db">In a transaction.</param>
    /// <param name="now">The time.</param>
    /// <param name="ct">Ends it.</param>
    /// <returns>What became of each, or why not; neither where there is no such shift.</returns>
    private static async Task<(AttendanceView? View, RuleBreach? Refusal)[]> TakeAll(
        AttendanceKind kind, List<(Guid Shift, Tenant Tenant, AttendanceRequest Request, Guid Volunteer)> asked, VolunteersDb db, DateTimeOffset now, CancellationToken ct)
    {
        var outcomes = new (AttendanceView? View, RuleBreach? Refusal)[asked.Count];
        if (asked.Count == 0) return outcomes;

        var (tenant, time) = (asked[0].Tenant, Instant.AsKept(now));
        Guid[] shiftIds = [.. asked.Select(one => one.Shift).Distinct()], people = [.. asked.Select(one => one.Volunteer)];
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var visible = await db.Shifts.VisibleTo(tenant, db).Where(s => shiftIds.Contains(s.Id)).Select(s => new { s.Id, s.ActivityId }).ToListAsync(ct);
        var activities = await db.ShareActivities(tenant.Id, [.. visible.Select(s => s.ActivityId).Distinct()], ct);
        var shifts = (await db.LockShifts(tenant.Id, [.. visible.Select(s => s.Id)], ct)).ToDictionary(s => s.Id);
        if (asked.Count > 1)
        {
            // In one order, as everybody locks several; else they would be locked as they come.
            await db.LockAttendanceRecords(tenant.Id, shiftIds, people, ct);
            await db.LockVolunteers(tenant.Id, people, ct);
        }
        var signUps = await db.SignUps.Where(s => s.OrganizationId == tenant.Id && shiftIds.Contains(s.ShiftId) && people.Contains(s.VolunteerId))
            .ToDictionaryAsync(s => (s.ShiftId, s.VolunteerId), ct);
        var minors = kind == AttendanceKind.CheckIn ? await db.MinorsWithoutConsent(organization, people, now, ct) : [];
        var taken = new Dictionary<int, Attendance>();
        foreach (var (index, (shiftId, by, request, volunteer)) in asked.Index())
        {
            if (!shifts.TryGetValue(shiftId, out var shift) || !activities.TryGetValue(shift.ActivityId, out var activity)) continue;
            try
            {
                var notice = new AttendanceNotice(kind, volunteer, request.Code, request.Position, request.Kiosk, new AttendanceTime(time, request.DeviceAt, time));
                var (signUp, _) = await db.Take(organization, activity, shift, signUps.GetValueOrDefault((shiftId, volunteer)), notice, minors, by, ct);
                taken.Add(index, new Attendance(activity, shift, signUp, by.ActorId));
            }
            catch (RuleBreach refused)
            {
                outcomes[index] = (null, refused);
            }
        }
        foreach (var ((index, attendance), record) in taken.Zip(await db.BookAttendance(organization, taken.Values, now, ct)))
        {
            var (activity, shift, signUp) = (attendance.Activity, attendance.Shift, attendance.SignUp);
            // Of an activity that was moved here, what was booked before is for those there.
            var shown = record is not null && (record.TeamId == activity.TeamId || asked[index].Tenant.Coordinates(record.TeamId) || signUp.VolunteerId == asked[index].Tenant.VolunteerId);
            outcomes[index] = (new AttendanceView(shift.Id, signUp.VolunteerId, kind, time, signUp.Status, shown ? ServiceRecordView.Of(record!) : null, signUp.BookingRefusal), null);
        }
        return outcomes;
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
