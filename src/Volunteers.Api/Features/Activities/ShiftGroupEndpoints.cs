using System.Linq.Expressions;
using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Activities;

internal static class ShiftGroupEndpoints
{
    public static void MapShiftGroups(this RouteGroupBuilder shifts)
    {
        var groups = shifts.MapGroup("/{shiftId:guid}/groups");

        groups.MapGet("", List).WithName("listShiftGroups").ShowsNoPersonalData().Allows(Access.Read).RefusesWith(404);
        groups.MapPost("", Create).WithName("createShiftGroup").Allows(Access.Coordinate).RefusesWith(404, 409);
        groups.MapPost("/{groupId:guid}/names", Name).WithName("nameGroupPlace").Allows(Access.Coordinate).RefusesWith(404, 409);
        groups.MapDelete("/{groupId:guid}", GiveBack).WithName("giveBackGroupPlaces").Allows(Access.Coordinate).RefusesWith(404);
    }

    /// <summary>Lists the groups that have places on a shift.</summary>
    private static async Task<Results<Paged<ShiftGroupView>, NotFound>> List(
        Guid shiftId, [AsParameters] PageQuery page, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        // Who coordinates one team sees the shifts of others only as a volunteer does.
        await db.Shifts.AnyAsync(s => s.OrganizationId == tenant.Id && s.Id == shiftId
                && db.Activities.Any(a => a.OrganizationId == tenant.Id && a.Id == s.ActivityId && (tenant.ReadsAll || tenant.Teams.Contains(a.TeamId))), ct)
            ? await db.ShiftGroups.Where(g => g.OrganizationId == tenant.Id && g.ShiftId == shiftId).ToPage(page, g => g.Id, ShiftGroupView.Projection, ct)
            : TypedResults.NotFound();

    /// <summary>Keeps places of a shift for a group whose names are not known yet. A group does not wait: it gets all its places or none.</summary>
    private static async Task<Results<Ok<ShiftGroupView>, NotFound>> Create(
        Guid shiftId, ShiftGroupRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await db.LockShift(tenant, shiftId, ct) is not var (activity, shift)) return TypedResults.NotFound();

        activity.RefuseIfCancelled();
        if (clock.GetUtcNow() >= shift.EndsAt) throw new RuleBreach("shift_over");
        var group = new ShiftGroup(shift, request.Title, request.Places, tenant.ActorId, clock.GetUtcNow());
        db.Add(group);
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(ShiftGroupView.Of(group));
    }

    /// <summary>Says who fills one of a group's places.</summary>
    private static async Task<Results<Ok<SignUpView>, NotFound>> Name(
        Guid shiftId, Guid groupId, SignUpRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var volunteer = request.VolunteerId ?? throw RuleBreach.Malformed("volunteer_needed", "/volunteerId");
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        if (await db.LockShift(tenant, shiftId, ct) is not var (activity, shift) || await Find(groupId, shift, db, ct) is not { } group) return TypedResults.NotFound();

        var reason = request.AllowClash ? request.ClashReason : null;
        var signUp = await db.Admit(organization, activity, shift, new SignUpWish(volunteer, SignUpSource.Group, tenant.ActorId, ByCoordinator: true, reason), now, ct);
        signUp.Name(shift, group, tenant.ActorId, reason, now);
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(await SignUpEndpoints.View(shiftId, volunteer, tenant, db, ct));
    }

    /// <summary>Gives back the places of a group that have no name yet; the first who wait move up at once.</summary>
    private static async Task<Results<NoContent, NotFound>> GiveBack(
        Guid shiftId, Guid groupId, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await db.LockShift(tenant, shiftId, ct) is not var (_, shift) || await Find(groupId, shift, db, ct) is not { } group) return TypedResults.NotFound();

        group.GiveBack(shift);
        await db.Promote([shift], clock.GetUtcNow(), ct);
        return TypedResults.NoContent();
    }

    private static Task<ShiftGroup?> Find(Guid groupId, Shift shift, VolunteersDb db, CancellationToken ct) =>
        db.ShiftGroups.SingleOrDefaultAsync(g => g.OrganizationId == shift.OrganizationId && g.ShiftId == shift.Id && g.Id == groupId, ct);
}

/// <summary>A group that comes together.</summary>
/// <param name="Title">Who they are, for instance a company or a class; at most 100 characters.</param>
/// <param name="Places">How many of them, 1 to 1,000.</param>
internal sealed record ShiftGroupRequest(string Title, int Places)
{
    internal sealed class Validator : AbstractValidator<ShiftGroupRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Title).Line(100);
            RuleFor(request => request.Places).InclusiveBetween(1, 1000);
        }
    }
}

/// <summary>Places of a shift that are kept for a group.</summary>
/// <param name="Id">The group.</param>
/// <param name="ShiftId">On which shift.</param>
/// <param name="Title">Who they are.</param>
/// <param name="Places">How many places it has.</param>
/// <param name="Named">How many of them have a name by now.</param>
/// <param name="SignedUpBy">The account or client that entered it.</param>
/// <param name="SignedUpAt">When.</param>
internal sealed record ShiftGroupView(Guid Id, Guid ShiftId, string Title, int Places, int Named, Guid SignedUpBy, DateTimeOffset SignedUpAt)
{
    public static Expression<Func<ShiftGroup, ShiftGroupView>> Projection => g =>
        new ShiftGroupView(g.Id, g.ShiftId, g.Title, g.Places, g.Named, g.SignedUpBy, g.SignedUpAt);

    public static ShiftGroupView Of(ShiftGroup group) => Compiled(group);

    private static readonly Func<ShiftGroup, ShiftGroupView> Compiled = Projection.Compile();
}
