using System.Linq.Expressions;
using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Activities;

internal static class StandingSignUpEndpoints
{
    public static void MapStandingSignUps(this RouteGroupBuilder series)
    {
        var signUps = series.MapGroup("/{seriesId:guid}/sign-ups");

        signUps.MapGet("", List).WithName("listStandingSignUps").ShowsPersonalData().RefusesWith(404);
        signUps.MapPost("", SignUp).WithName("standingSignUp").Allows(Access.TakePart).RefusesWith(404, 409);
        signUps.MapDelete("/{volunteerId:guid}", End).WithName("endStandingSignUp").Allows(Access.TakePart).RefusesWith(404);
    }

    /// <summary>Lists who comes to every occurrence of a series, in the order in which they said so. Volunteers see themselves.</summary>
    private static async Task<Results<Paged<StandingSignUpView>, NotFound>> List(
        Guid seriesId, [AsParameters] PageQuery page, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        if (await db.Series.VisibleTo(tenant).AsNoTracking().SingleOrDefaultAsync(s => s.Id == seriesId, ct) is not { } series) return TypedResults.NotFound();

        var all = tenant.ReadsAll || tenant.Coordinates(series.TeamId);
        return await db.StandingSignUps.Where(s => s.OrganizationId == tenant.Id && s.SeriesId == seriesId && (all || s.VolunteerId == tenant.VolunteerId))
            .ToPage(page, s => s.Id, StandingSignUpView.Projection, ct);
    }

    /// <summary>
    /// Signs up for every occurrence still to come, and for each that is made later, in the order of those who said so. A
    /// volunteer signs up themselves, a coordinator anyone. The answer says for each occurrence what came of it.
    /// </summary>
    private static async Task<Results<Microsoft.AspNetCore.Http.HttpResults.Created<StandingSignUpAnswerView>, NotFound>> SignUp(
        Guid seriesId, StandingSignUpRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await db.LockSeries(tenant.Id, seriesId, ct) is not { } series || !await db.Series.VisibleTo(tenant).AnyAsync(s => s.Id == seriesId, ct))
            return TypedResults.NotFound();

        var volunteer = Whose(request.VolunteerId, series, tenant);
        series.RefuseIfEnded();
        if (request.ShiftName is { } name && !series.Shifts.Exists(shift => shift.Name == name)) throw RuleBreach.NotFound("shift_not_found", "/shiftName");
        var now = clock.GetUtcNow();
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var standing = new StandingSignUp(series, volunteer, request.ShiftName, tenant.ActorId, now);
        db.Add(standing);
        await db.SaveChangesAsync(ct);

        var coming = await db.LockComingShifts(series, now, ct);
        var activities = await db.Activities.AsNoTracking().Where(a => a.OrganizationId == tenant.Id && coming.Select(shift => shift.ActivityId).Contains(a.Id))
            .OrderBy(a => a.StartsAt).ToListAsync(ct);
        var results = new List<StandingSignUpResult>();
        // An occurrence that was moved to another team on its own is that team's to fill.
        foreach (var activity in activities.Where(activity => activity.Status != ActivityStatus.Cancelled && (volunteer == tenant.VolunteerId || tenant.Coordinates(activity.TeamId))))
            if (standing.Choose(coming.Where(shift => shift.ActivityId == activity.Id)) is { } shift)
                results.Add(await db.Place(standing, organization, activity, shift, tenant.Coordinates(activity.TeamId), now, ct));
        return TypedResults.Created($"/v1/organizations/{tenant.Id}/series/{seriesId}/sign-ups", new StandingSignUpAnswerView(volunteer, request.ShiftName, results));
    }

    /// <summary>Ends it, and gives back the places and turns still to come that it took.</summary>
    private static async Task<Results<NoContent, NotFound>> End(
        Guid seriesId, Guid volunteerId, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await db.LockSeries(tenant.Id, seriesId, ct) is not { } series
            || (!tenant.Coordinates(series.TeamId) && volunteerId != tenant.VolunteerId)
            || await db.StandingSignUps.SingleOrDefaultAsync(s => s.OrganizationId == tenant.Id && s.SeriesId == seriesId && s.VolunteerId == volunteerId, ct) is not { } standing)
            return TypedResults.NotFound();

        var now = clock.GetUtcNow();
        var late = tenant.Coordinates(series.TeamId);
        var shifts = await db.Shifts.Where(shift => shift.OrganizationId == tenant.Id && (late ? shift.StartsAt > now : (shift.CancelClosesAt ?? shift.StartsAt) > now)
            && db.Activities.Any(a => a.OrganizationId == tenant.Id && a.Id == shift.ActivityId && a.SeriesId == seriesId)
            && db.SignUps.Any(s => s.OrganizationId == tenant.Id && s.ShiftId == shift.Id && s.VolunteerId == volunteerId && s.Source == SignUpSource.Series))
            .Select(shift => shift.Id).ToListAsync(ct);
        db.Remove(standing);
        await db.CancelSignUps(tenant.Id, shifts, volunteerId, reason: null, now, ct);
        await db.SaveChangesAsync(ct);
        return TypedResults.NoContent();
    }

    private static Guid Whose(Guid? asked, Series series, Tenant tenant)
    {
        if (!tenant.Coordinates(series.TeamId) && (tenant.VolunteerId is null || (asked ?? tenant.VolunteerId) != tenant.VolunteerId))
            throw RuleBreach.Forbidden("only_own_sign_up");
        return asked ?? tenant.VolunteerId ?? throw RuleBreach.Malformed("volunteer_needed", "/volunteerId");
    }
}

internal static class StandingSigningUp
{
    /// <summary>Those who come to every occurrence, onto shifts that are open anew: in the order in which they said so. The series and the shifts must be locked.</summary>
    public static async Task SignUpStanding(
        this VolunteersDb db, Series series, Organization organization, IReadOnlyCollection<(Activity Activity, Shift[] Shifts)> opened, DateTimeOffset now, CancellationToken ct)
    {
        var standing = opened.Count == 0 ? [] : await db.StandingSignUps.AsNoTracking()
            .Where(s => s.OrganizationId == series.OrganizationId && s.SeriesId == series.Id).OrderBy(s => s.Id).ToListAsync(ct);
        if (standing.Count == 0) return;

        // All of them, by id, before one after the other is given a place.
        await db.LockVolunteers(series.OrganizationId, [.. standing.Select(each => each.VolunteerId)], ct);
        foreach (var (activity, shifts) in opened.OrderBy(each => each.Activity.StartsAt).Where(each => each.Activity.StartsAt > now))
            foreach (var each in standing)
                if (each.Choose(shifts) is { } shift) await db.Place(each, organization, activity, shift, byCoordinator: true, now, ct);
    }

    /// <summary>One occurrence of it. A refusal concerns that one alone.</summary>
    public static async Task<StandingSignUpResult> Place(
        this VolunteersDb db, StandingSignUp standing, Organization organization, Activity activity, Shift shift, bool byCoordinator, DateTimeOffset now, CancellationToken ct)
    {
        try
        {
            var signUp = await db.SignUp(organization, activity, shift,
                new SignUpWish(standing.VolunteerId, SignUpSource.Series, standing.SignedUpBy, byCoordinator, ClashReason: null), now, ct);
            // The next one asks the database what clashes.
            await db.SaveChangesAsync(ct);
            return new StandingSignUpResult(activity.Id, shift.Id, shift.StartsAt,
                signUp.Status == SignUpStatus.Confirmed ? StandingResult.Confirmed : StandingResult.Waitlisted, Code: null);
        }
        catch (RuleBreach breach) when (breach.Status == StatusCodes.Status409Conflict)
        {
            return new StandingSignUpResult(activity.Id, shift.Id, shift.StartsAt, StandingResult.Refused, breach.Code);
        }
    }

    /// <summary>A shift that got another name keeps who comes to it: which became which is told as for the occurrences, in order.</summary>
    public static async Task FollowNames(this VolunteersDb db, Series series, IReadOnlyCollection<string> before, CancellationToken ct)
    {
        var names = series.Shifts.ConvertAll(shift => shift.Name);
        foreach (var (old, now) in before.Except(names).Zip(names.Except(before)))
            AuditNotes.Tell(db, series.OrganizationId, "standingSignUp", AuditAction.Changed, await db.StandingSignUps
                .Where(s => s.OrganizationId == series.OrganizationId && s.SeriesId == series.Id && s.ShiftName == old).ExecuteUpdateAsync(set => set.SetProperty(s => s.ShiftName, now), ct));
    }

    /// <summary>The shifts still to come of a locked series, locked before anybody's profile is, and in the order of its templates.</summary>
    public static async Task<List<Shift>> LockComingShifts(this VolunteersDb db, Series series, DateTimeOffset now, CancellationToken ct)
    {
        var ids = await db.Shifts.Where(shift => shift.OrganizationId == series.OrganizationId && shift.StartsAt > now
            && db.Activities.Any(a => a.OrganizationId == series.OrganizationId && a.Id == shift.ActivityId && a.SeriesId == series.Id)).Select(shift => shift.Id).ToArrayAsync(ct);
        return [.. (await db.LockShifts(series.OrganizationId, ids, ct)).OrderBy(shift => series.PlaceOf(shift)).ThenBy(shift => shift.StartsAt).ThenBy(shift => shift.Id)];
    }
}

/// <summary>Somebody who wants to come to every occurrence.</summary>
/// <param name="VolunteerId">Who; oneself when not given.</param>
/// <param name="ShiftName">On which shift; the first when not given.</param>
internal sealed record StandingSignUpRequest(Guid? VolunteerId = null, string? ShiftName = null)
{
    internal sealed class Validator : AbstractValidator<StandingSignUpRequest>
    {
        public Validator() => RuleFor(request => request.ShiftName).OptionalLine(100).MinimumLength(1);
    }
}

/// <summary>A volunteer who comes to every occurrence of a series.</summary>
/// <param name="VolunteerId">Who.</param>
/// <param name="ShiftName">On which shift; null for the first.</param>
/// <param name="SignedUpAt">When.</param>
/// <param name="SignedUpBy">The account or client that said so.</param>
internal sealed record StandingSignUpView(Guid VolunteerId, string? ShiftName, DateTimeOffset SignedUpAt, Guid SignedUpBy)
{
    public static Expression<Func<StandingSignUp, StandingSignUpView>> Projection => s => new StandingSignUpView(s.VolunteerId, s.ShiftName, s.SignedUpAt, s.SignedUpBy);
}

/// <summary>What came of signing up for every occurrence.</summary>
/// <param name="VolunteerId">Who.</param>
/// <param name="ShiftName">On which shift; null for the first.</param>
/// <param name="Occurrences">Each occurrence still to come, in order.</param>
internal sealed record StandingSignUpAnswerView(Guid VolunteerId, string? ShiftName, IReadOnlyList<StandingSignUpResult> Occurrences);

/// <summary>What came of it for one occurrence.</summary>
/// <param name="ActivityId">The occurrence.</param>
/// <param name="ShiftId">The shift.</param>
/// <param name="StartsAt">When the shift starts.</param>
/// <param name="Result">Confirmed, waitlisted or refused.</param>
/// <param name="Code">The code of the rule that refused.</param>
internal sealed record StandingSignUpResult(Guid ActivityId, Guid ShiftId, DateTimeOffset StartsAt, StandingResult Result, string? Code);

/// <summary>What came of one sign-up.</summary>
internal enum StandingResult
{
    /// <summary>Has a place.</summary>
    Confirmed,

    /// <summary>Waits for one.</summary>
    Waitlisted,

    /// <summary>A rule refused; its code says which.</summary>
    Refused,
}
