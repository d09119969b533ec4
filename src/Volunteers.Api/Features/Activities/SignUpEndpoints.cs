using System.Linq.Expressions;
using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Activities;

internal static class SignUpEndpoints
{
    public static void MapSignUps(this RouteGroupBuilder shifts)
    {
        var signUps = shifts.MapGroup("/{shiftId:guid}/sign-ups").TakesTurnsBy("shiftId");

        signUps.MapGet("", List).WithName("listSignUps").ShowsPersonalData().RefusesWith(404);
        signUps.MapPost("", SignUp).WithName("signUpForShift").Allows(Access.TakePart).RefusesWith(404, 409).SharesATransaction(SignUpTogether);
        signUps.MapGet("/{volunteerId:guid}", Get).WithName("getSignUp").ShowsPersonalData().RefusesWith(404);
        signUps.MapDelete("/{volunteerId:guid}", Cancel).WithName("cancelSignUp").Allows(Access.TakePart).RefusesWith(404, 409);
    }

    /// <summary>Lists who is signed up for a shift: places and waiting list in order of arrival. Volunteers see themselves, the person in charge everybody.</summary>
    private static async Task<Results<Paged<SignUpView>, NotFound>> List(
        Guid shiftId, [AsParameters] PageQuery page, [AsParameters] SignUpFilter filter, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.Shifts.VisibleTo(tenant, db).AnyAsync(s => s.Id == shiftId, ct)
            ? await filter.Apply(db.SignUps.VisibleTo(tenant, db).Where(s => s.ShiftId == shiftId))
                .ToPage(page, s => s.Arrival, s => s.Id, SignUpView.Projection(db), ct)
            : TypedResults.NotFound();

    /// <summary>
    /// Takes a place on a shift, or joins its waiting list when every place is taken. A volunteer signs up themselves, a
    /// coordinator anyone, also past the closing time.
    /// </summary>
    private static async Task<Results<Microsoft.AspNetCore.Http.HttpResults.Created<SignUpView>, NotFound>> SignUp(
        Guid shiftId, SignUpRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await TakeSignUps(shiftId, [(tenant, request)], db, clock.GetUtcNow(), ct) is not [var (view, refusal)]) return TypedResults.NotFound();
        return refusal is null ? Made(tenant, view!) : throw refusal;
    }

    /// <summary>The same of several who wait for the same shift.</summary>
    private static async Task<IReadOnlyList<SharedAnswer?>> SignUpTogether(IServiceProvider services, IReadOnlyList<Companion> companions, CancellationToken ct)
    {
        var asked = companions.Select(companion => (companion.Argument<Tenant>(), companion.Argument<SignUpRequest>())).ToList();
        var outcomes = await TakeSignUps(companions[0].Argument<Guid>(), asked, services.GetRequiredService<VolunteersDb>(), services.GetRequiredService<TimeProvider>().GetUtcNow(), ct);
        return [.. outcomes.Zip(asked, (outcome, one) => outcome.View is { } view ? new SharedAnswer(view.VolunteerId, Made(one.Item1, view)) : null)];
    }

    private static Microsoft.AspNetCore.Http.HttpResults.Created<SignUpView> Made(Tenant tenant, SignUpView view) =>
        TypedResults.Created($"/v1/organizations/{tenant.Id}/shifts/{view.ShiftId}/sign-ups/{view.VolunteerId}", view);

    /// <returns>What became of each, or why not; nothing where there is no such shift.</returns>
    private static async Task<IReadOnlyList<(SignUpView? View, RuleBreach? Refusal)>> TakeSignUps(
        Guid shiftId, List<(Tenant Tenant, SignUpRequest Request)> asked, VolunteersDb db, DateTimeOffset now, CancellationToken ct)
    {
        var tenant = asked[0].Tenant;
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        if ((await db.LockShifts(tenant.Id, [shiftId], ct)).SingleOrDefault() is not { } shift
            || await db.Activities.VisibleTo(tenant).AsNoTracking().SingleOrDefaultAsync(a => a.Id == shift.ActivityId, ct) is not { } activity) return [];

        var wishes = new SignUpWish?[asked.Count];
        var refusals = new RuleBreach?[asked.Count];
        Each(index =>
        {
            var wish = asked[index].Request.Of(asked[index].Tenant, activity);
            Admission.RefuseClosed(activity, shift, wish, now);
            wishes[index] = wish;
        });
        Guid[] people = [.. wishes.OfType<SignUpWish>().Select(wish => wish.VolunteerId).Distinct()];
        if (people.Length > 0)
        {
            var admission = await Admission.Load(db, organization, activity, shift, people, ct);
            Each(index => admission.SignUp(wishes[index]!, now));
            await db.SaveChangesAsync(ct);
        }
        var views = await Views(shiftId, people, tenant, db, ct);
        return [.. refusals.Select((refusal, index) => (refusal is null ? views[wishes[index]!.VolunteerId] : null, refusal))];

        // One refusal does not end the others.
        void Each(Action<int> step)
        {
            for (var index = 0; index < asked.Count; index++)
            {
                try
                {
                    if (refusals[index] is null) step(index);
                }
                catch (RuleBreach refused)
                {
                    refusals[index] = refused;
                }
            }
        }
    }

    /// <summary>Shows one volunteer's sign-up for a shift.</summary>
    private static async Task<Results<Ok<SignUpView>, NotFound>> Get(Guid shiftId, Guid volunteerId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.SignUps.VisibleTo(tenant, db).Where(s => s.ShiftId == shiftId && s.VolunteerId == volunteerId).Select(SignUpView.Projection(db))
            .SingleOrDefaultAsync(ct) is { } view
            ? TypedResults.Ok(view)
            : TypedResults.NotFound();

    /// <summary>Gives a place or a turn on the waiting list back; the first who waits moves up at once.</summary>
    private static async Task<Results<NoContent, NotFound>> Cancel(
        Guid shiftId, Guid volunteerId, [AsParameters] CancelSignUpQuery query, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var shifts = await db.LockWithBlocked(tenant.Id, [shiftId], [volunteerId], ct);
        var signUp = await db.SignUps.VisibleTo(tenant, db).SingleOrDefaultAsync(s => s.ShiftId == shiftId && s.VolunteerId == volunteerId, ct);
        if (signUp is not { IsActive: true }) return TypedResults.NotFound();

        var shift = shifts.Single(s => s.Id == shiftId);
        var team = await db.Activities.Where(a => a.OrganizationId == tenant.Id && a.Id == shift.ActivityId).Select(a => a.TeamId).SingleAsync(ct);
        if (!tenant.Coordinates(team))
        {
            if (volunteerId != tenant.VolunteerId) throw RuleBreach.Forbidden("only_own_sign_up");
            if (signUp.Status == SignUpStatus.Confirmed && now >= (shift.CancelClosesAt ?? shift.StartsAt)) throw new RuleBreach("cancellation_closed");
        }
        signUp.Cancel(shift, query.Reason, now);
        await db.Promote(shifts, now, ct);
        return TypedResults.NoContent();
    }

    public static async Task<SignUpView> View(Guid shiftId, Guid volunteerId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        (await Views(shiftId, [volunteerId], tenant, db, ct))[volunteerId];

    private static async Task<IReadOnlyDictionary<Guid, SignUpView>> Views(Guid shiftId, Guid[] volunteerIds, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        volunteerIds.Length == 0 ? new Dictionary<Guid, SignUpView>()
            : await db.SignUps.Where(s => s.OrganizationId == tenant.Id && s.ShiftId == shiftId && volunteerIds.Contains(s.VolunteerId))
                .Select(SignUpView.Projection(db)).ToDictionaryAsync(view => view.VolunteerId, ct);
}

internal static class SignUpQueries
{
    /// <summary>All for those who read everything, their teams' shifts for a team coordinator, those one is in charge of, and one's own.</summary>
    public static IQueryable<SignUp> VisibleTo(this IQueryable<SignUp> signUps, Tenant tenant, VolunteersDb db) => signUps.Where(s =>
        s.OrganizationId == tenant.Id && (tenant.ReadsAll || (tenant.VolunteerId != null && s.VolunteerId == tenant.VolunteerId)
            || db.Shifts.Any(shift => shift.OrganizationId == tenant.Id && shift.Id == s.ShiftId
                && db.Activities.Any(a => a.OrganizationId == tenant.Id && a.Id == shift.ActivityId
                    && (tenant.Teams.Contains(a.TeamId) || (tenant.VolunteerId != null && a.ResponsibleVolunteerId == tenant.VolunteerId))))));
}

/// <summary>Which sign-ups to list.</summary>
/// <param name="Status">Only these, for instance the waiting list.</param>
internal sealed record SignUpFilter([property: FromQuery] SignUpStatus? Status = null)
{
    public IQueryable<SignUp> Apply(IQueryable<SignUp> signUps) => Status is { } status ? signUps.Where(s => s.Status == status) : signUps;
}

/// <summary>How a sign-up is given back.</summary>
/// <param name="Reason">Kept with it; at most 500 characters.</param>
internal sealed record CancelSignUpQuery([property: FromQuery] string? Reason = null)
{
    internal sealed class Validator : AbstractValidator<CancelSignUpQuery>
    {
        public Validator() => RuleFor(query => query.Reason).Length(1, 500);
    }
}

/// <summary>Somebody who wants to come.</summary>
/// <param name="VolunteerId">Who; oneself when not given.</param>
/// <param name="AllowClash">Also if they have another shift at that time; only a coordinator's word counts.</param>
/// <param name="ClashReason">Why that is right; needed with <c>allowClash</c>, at most 500 characters.</param>
internal sealed record SignUpRequest(Guid? VolunteerId = null, bool AllowClash = false, string? ClashReason = null)
{
    /// <summary>What is asked for, and by which right.</summary>
    public SignUpWish Of(Tenant tenant, Activity activity)
    {
        var coordinates = tenant.Coordinates(activity.TeamId);
        if (!coordinates && (tenant.VolunteerId is null || (VolunteerId ?? tenant.VolunteerId) != tenant.VolunteerId)) throw RuleBreach.Forbidden("only_own_sign_up");
        var volunteer = VolunteerId ?? tenant.VolunteerId ?? throw RuleBreach.Malformed("volunteer_needed", "/volunteerId");
        return new SignUpWish(volunteer, volunteer == tenant.VolunteerId ? SignUpSource.Self : SignUpSource.Coordinator, tenant.ActorId, coordinates,
            coordinates && AllowClash ? ClashReason : null);
    }

    internal sealed class Validator : AbstractValidator<SignUpRequest>
    {
        public Validator()
        {
            RuleFor(request => request.ClashReason).Length(1, 500);
            RuleFor(request => request.ClashReason).NotEmpty().When(request => request.AllowClash);
        }
    }
}

/// <summary>A volunteer's place on a shift, or turn on its waiting list.</summary>
/// <param name="VolunteerId">Who.</param>
/// <param name="Number">Their volunteer number.</param>
/// <param name="Name">Their name.</param>
/// <param name="ShiftId">For which shift.</param>
/// <param name="Status">Confirmed, waitlisted, cancelled, attended or noShow.</param>
/// <param name="WaitingPosition">1 for the first of the waiting list; null for who does not wait.</param>
/// <param name="Source">How they came onto the shift.</param>
/// <param name="SignedUpAt">When.</param>
/// <param name="SignedUpBy">The account or client that said so.</param>
/// <param name="GroupId">The group whose place it is.</param>
/// <param name="ClashReason">Why a coordinator let it clash with another shift.</param>
/// <param name="CancelledAt">When it was given back.</param>
/// <param name="CancelReason">Why.</param>
internal sealed record SignUpView(
    Guid VolunteerId, string Number, string Name, Guid ShiftId, SignUpStatus Status, int? WaitingPosition, SignUpSource Source, DateTimeOffset SignedUpAt,
    Guid SignedUpBy, Guid? GroupId, string? ClashReason, DateTimeOffset? CancelledAt, string? CancelReason)
{
    public static Expression<Func<SignUp, SignUpView>> Projection(VolunteersDb db) => s => new SignUpView(
        s.VolunteerId,
        db.Volunteers.Where(v => v.OrganizationId == s.OrganizationId && v.Id == s.VolunteerId).Select(v => v.Number).First(),
        db.Volunteers.Where(v => v.OrganizationId == s.OrganizationId && v.Id == s.VolunteerId).Select(v => v.Name).First(),
        s.ShiftId, s.Status,
        s.Status != SignUpStatus.Waitlisted ? null : 1 + db.SignUps.Count(w => w.OrganizationId == s.OrganizationId && w.ShiftId == s.ShiftId
            && w.Status == SignUpStatus.Waitlisted && w.Arrival < s.Arrival),
        s.Source, s.SignedUpAt, s.SignedUpBy, s.GroupId, s.ClashReason, s.CancelledAt, s.CancelReason);
}
