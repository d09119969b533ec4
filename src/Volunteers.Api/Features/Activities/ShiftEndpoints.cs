using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Activities;

internal static class ShiftEndpoints
{
    public static void MapShifts(this RouteGroupBuilder organization)
    {
        var ofActivity = organization.MapGroup("/activities/{activityId:guid}/shifts").WithTags("Shifts").Scoped(Scope.Activities);
        ofActivity.MapGet("", List).WithName("listShifts").ShowsNoPersonalData().RefusesWith(404);
        ofActivity.MapPost("", Create).WithName("createShift").Allows(Access.Coordinate).RefusesWith(404, 409);

        var shifts = organization.MapGroup("/shifts").WithTags("Shifts").Scoped(Scope.Activities);
        shifts.MapGet("/{shiftId:guid}", Get).WithName("getShift").ShowsNoPersonalData().RefusesWith(404);
        shifts.MapPatch("/{shiftId:guid}", Change).WithName("changeShift").Allows(Access.Coordinate).RefusesWith(404, 409);
        shifts.MapDelete("/{shiftId:guid}", Delete).WithName("deleteShift").Allows(Access.Coordinate).RefusesWith(404, 409);
        shifts.MapSignUps();
        shifts.MapShiftGroups();
    }

    /// <summary>Lists the shifts of an activity in the order in which they start.</summary>
    private static async Task<Results<Paged<ShiftView>, NotFound>> List(
        Guid activityId, [AsParameters] PageQuery page, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.Activities.VisibleTo(tenant).AnyAsync(a => a.Id == activityId, ct)
            ? await db.Shifts.Where(s => s.OrganizationId == tenant.Id && s.ActivityId == activityId)
                .ToPage(page, s => s.StartsAt, s => s.Id, ShiftView.Projection, ct)
            : TypedResults.NotFound();

    /// <summary>Adds a shift to an activity. An occurrence of a series is from then on left alone by the series.</summary>
    private static async Task<Results<Platform.Created<ShiftView>, NotFound>> Create(
        Guid activityId, ShiftRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await db.LockActivity(tenant.Id, activityId, ct) is not { } activity || !tenant.Coordinates(activity.TeamId)) return TypedResults.NotFound();

        activity.RefuseIfCancelled();
        activity.ChangedAlone();
        var shift = new Shift(activity, request.ToPlan(activity), clock.GetUtcNow());
        db.Add(shift);
        await db.SaveChangesAsync(ct);
        return Answer.Created($"/v1/organizations/{tenant.Id}/shifts/{shift.Id}", ShiftView.Of(shift));
    }

    /// <summary>Shows a shift, how many of its places are taken and how many people wait.</summary>
    private static async Task<Results<Found<ShiftView>, NotFound>> Get(Guid shiftId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.Shifts.VisibleTo(tenant, db).Where(s => s.Id == shiftId).Select(ShiftView.Projection).SingleOrDefaultAsync(ct) is { } view
            ? Answer.Found(view)
            : TypedResults.NotFound();

    /// <summary>
    /// Changes a shift. More places go to the waiting list at once. Once places are taken it can no longer be moved, nor have
    /// fewer places than are taken: cancel sign-ups first, or plan another shift.
    /// </summary>
    private static async Task<Results<Found<ShiftView>, NotFound>> Change(
        Guid shiftId, MergePatch<ShiftRequest> patch, IfMatch match, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await db.LockShift(tenant, shiftId, ct, toPlan: true) is not var (activity, shift)) return TypedResults.NotFound();

        match.Check(shift);
        activity.RefuseIfCancelled();
        activity.ChangedAlone();
        var request = await patch.ApplyTo(ShiftRequest.Of(shift), ct);
        shift.Change(activity, request.ToPlan(activity));
        await db.Promote([shift], clock.GetUtcNow(), ct);
        return Answer.Found(ShiftView.Of(shift));
    }

    /// <summary>Takes a shift off the plan, as long as nobody has a place on it or waits for one.</summary>
    private static async Task<Results<NoContent, NotFound>> Delete(Guid shiftId, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        if (await db.LockShift(tenant, shiftId, ct, toPlan: true) is not var (activity, shift)) return TypedResults.NotFound();

        activity.ChangedAlone();
        if (shift.Taken + shift.Waiting is > 0 and var people) throw new RuleBreach("shift_has_sign_ups", people);
        await db.DeleteNoted(db.SignUps.Where(s => s.OrganizationId == tenant.Id && s.ShiftId == shiftId), ct);
        await db.DeleteNoted(db.ShiftGroups.Where(g => g.OrganizationId == tenant.Id && g.ShiftId == shiftId), ct);
        db.Remove(shift);
        await db.SaveChangesAsync(ct);
        return TypedResults.NoContent();
    }
}

internal static class ShiftQueries
{
    /// <summary>Whoever sees the activity sees its shifts.</summary>
    public static IQueryable<Shift> VisibleTo(this IQueryable<Shift> shifts, Tenant tenant, VolunteersDb db) => shifts.Where(s =>
        s.OrganizationId == tenant.Id && db.Activities.VisibleTo(tenant).Any(a => a.Id == s.ActivityId));

    /// <summary>Every shift of an activity that is locked itself, so that no other is added meanwhile.</summary>
    public static async Task<List<Shift>> LockShiftsOf(this VolunteersDb db, Activity activity, CancellationToken ct) =>
        await db.LockShifts(activity.OrganizationId,
            await db.Shifts.Where(s => s.OrganizationId == activity.OrganizationId && s.ActivityId == activity.Id).Select(s => s.Id).ToArrayAsync(ct), ct);

    /// <summary>A shift that the caller may change, locked, and its activity, which may not change meanwhile.</summary>
    /// <param name="db">In a transaction.</param>
    /// <param name="tenant">Who calls.</param>
    /// <param name="shiftId">Which shift.</param>
    /// <param name="ct">Ends it.</param>
    /// <param name="toPlan">The plan is to change, and that is noted on the activity.</param>
    public static async Task<(Activity Activity, Shift Shift)?> LockShift(
        this VolunteersDb db, Tenant tenant, Guid shiftId, CancellationToken ct, bool toPlan = false)
    {
        var activityId = await db.Shifts.Where(s => s.OrganizationId == tenant.Id && s.Id == shiftId).Select(s => s.ActivityId).SingleOrDefaultAsync(ct);
        var found = activityId == default ? null : toPlan ? await db.LockActivity(tenant.Id, activityId, ct) : await db.ShareActivity(tenant.Id, activityId, ct);
        if (found is not { } activity || !tenant.Coordinates(activity.TeamId)) return null;
        return (await db.LockShifts(tenant.Id, [shiftId], ct)).SingleOrDefault() is { } shift ? (activity, shift) : null;
    }
}
