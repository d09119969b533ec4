using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Projects;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Activities;

internal static class ActivityEndpoints
{
    public static void MapActivities(this RouteGroupBuilder organization)
    {
        var activities = organization.MapGroup("/activities").WithTags("Activities").Scoped(Scope.Activities);

        activities.MapGet("", List).WithName("listActivities").ShowsNoPersonalData();
        activities.MapPost("", Create).WithName("createActivity").Allows(Access.Coordinate).RefusesWith(404);
        activities.MapGet("/{activityId:guid}", Get).WithName("getActivity").ShowsNoPersonalData().RefusesWith(404);
        activities.MapPatch("/{activityId:guid}", Change).WithName("changeActivity").Allows(Access.Coordinate).RefusesWith(404, 409);
        activities.MapPost("/{activityId:guid}/publish", Publish).WithName("publishActivity").Allows(Access.Coordinate).RefusesWith(404, 409);
        activities.MapPost("/{activityId:guid}/cancel", Cancel).WithName("cancelActivity").Allows(Access.Coordinate).RefusesWith(404, 409);
        activities.MapPost("/{activityId:guid}/complete", Complete).WithName("completeActivity").Allows(Access.Coordinate).RefusesWith(404, 409);
    }

    /// <summary>Lists activities in the order in which they start. Volunteers do not see drafts.</summary>
    private static async Task<Paged<ActivityView>> List(
        [AsParameters] PageQuery page, [AsParameters] ActivityFilter filter, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var activities = filter.Apply(db.Activities.VisibleTo(tenant), organization);
        if (filter.OpenFor is null) return await activities.ToPage(page, a => a.StartsAt, a => a.Id, ActivityView.Projection, ct);

        // Who is no volunteer here may join nothing.
        var open = db.OpenTo(organization, tenant.VolunteerId ?? Guid.Empty, clock.GetUtcNow());
        return await activities.Where(a => open.Any(s => s.ActivityId == a.Id)).ToPage(page, a => a.StartsAt, a => a.Id, ActivityView.WithOpenShifts(open), ct);
    }

    /// <summary>
    /// Plans an activity as a draft. Made from a project, it takes what is not given from the project's defaults, and gets a
    /// shift for each of its posts.
    /// </summary>
    private static async Task<Platform.Created<ActivityView>> Create(
        ActivityRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (!tenant.Coordinates(request.TeamId)) throw RuleBreach.NotFound("team_not_found", "/teamId");
        var project = await ProjectOf(request, tenant, db, ct);
        var activity = db.PlanActivity(tenant.Id, request, project, clock.GetUtcNow());
        await db.SaveChangesAsync(ct);
        return Answer.Created($"/v1/organizations/{tenant.Id}/activities/{activity.Id}", ActivityView.Of(activity));
    }

    /// <summary>Shows an activity.</summary>
    private static async Task<Results<Found<ActivityView>, NotFound>> Get(Guid activityId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.Activities.VisibleTo(tenant).Where(a => a.Id == activityId).Select(ActivityView.Projection).SingleOrDefaultAsync(ct) is { } view
            ? Answer.Found(view)
            : TypedResults.NotFound();

    /// <summary>
    /// Changes the plan of an activity; when it moves, its shifts move with it, which is refused once places are taken. Service
    /// already recorded keeps the team and category under which it was given.
    /// </summary>
    private static async Task<Results<Found<ActivityView>, NotFound>> Change(
        Guid activityId, MergePatch<ActivityRequest> patch, IfMatch match, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await Lock(activityId, tenant, db, ct) is not { } activity) return TypedResults.NotFound();

        match.Check(activity);
        var request = await patch.ApplyTo(ActivityRequest.Of(activity), ct);
        if (!tenant.Coordinates(request.TeamId)) throw RuleBreach.NotFound("team_not_found", "/teamId");
        await db.ChangeActivity(activity, request.ToPlan(await ProjectOf(request, tenant, db, ct)), clock.GetUtcNow(), ct);
        return Answer.Found(ActivityView.Of(activity));
    }

    /// <summary>Shows a draft to the volunteers. Who comes to every occurrence of its series is signed up for it then.</summary>
    private static async Task<Results<Found<ActivityView>, NotFound>> Publish(
        Guid activityId, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var series = await db.Activities.Where(a => a.OrganizationId == tenant.Id && a.Id == activityId).Select(a => a.SeriesId).SingleOrDefaultAsync(ct) is { } id
            ? await db.LockSeries(tenant.Id, id, ct) : null;
        if (await Lock(activityId, tenant, db, ct) is not { } activity) return TypedResults.NotFound();

        var opens = activity.Status == ActivityStatus.Draft;
        activity.Publish();
        await db.SaveChangesAsync(ct);
        if (series is not null && opens)
        {
            var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
            var shifts = (await db.LockShiftsOf(activity, ct)).OrderBy(series.PlaceOf).ThenBy(shift => shift.StartsAt).ToArray();
            await db.SignUpStanding(series, organization, [(activity, shifts)], now, ct);
        }
        return Answer.Found(ActivityView.Of(activity));
    }

    /// <summary>Calls an activity off, and with it every sign-up for its shifts. Refused once somebody came or has hours on it.</summary>
    private static async Task<Results<Found<ActivityView>, NotFound>> Cancel(
        Guid activityId, CancelRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await Lock(activityId, tenant, db, ct) is not { } activity) return TypedResults.NotFound();

        activity.Cancel(request.Reason, await db.HasCreditedService(tenant.Id, activityId, ct));
        await db.CallOff(activity, request.Reason, clock.GetUtcNow(), ct);
        return Answer.Found(ActivityView.Of(activity));
    }

    /// <summary>Says that an activity took place, and what came of it.</summary>
    private static Task<Results<Found<ActivityView>, NotFound>> Complete(
        Guid activityId, CompleteRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct) =>
        Do(activityId, activity => activity.Complete(request.Outcome, clock.GetUtcNow()), tenant, db, ct);

    private static async Task<Results<Found<ActivityView>, NotFound>> Do(
        Guid activityId, Action<Activity> verb, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        if (await Lock(activityId, tenant, db, ct) is not { } activity) return TypedResults.NotFound();

        verb(activity);
        await db.SaveChangesAsync(ct);
        return Answer.Found(ActivityView.Of(activity));
    }

    private static async Task<Activity?> Lock(Guid activityId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.LockActivity(tenant.Id, activityId, ct) is { } activity && tenant.Coordinates(activity.TeamId) ? activity : null;

    private static async Task<Project?> ProjectOf(ActivityRequest request, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        request.ProjectId is not { } id ? null
        : await db.Projects.AsNoTracking().SingleOrDefaultAsync(p => p.OrganizationId == tenant.Id && p.Id == id, ct)
          ?? throw RuleBreach.NotFound("project_not_found", "/projectId");
}

internal static class ActivityQueries
{
    /// <summary>Volunteers see what was published; a team coordinator also their teams' drafts.</summary>
    public static IQueryable<Activity> VisibleTo(this IQueryable<Activity> activities, Tenant tenant) => activities.Where(a =>
        a.OrganizationId == tenant.Id && (tenant.ReadsAll || tenant.Teams.Contains(a.TeamId)
            || (tenant.VolunteerId != null && a.Status != ActivityStatus.Draft)));

    /// <summary>A new activity with a shift for each post of its project; the caller saves.</summary>
    public static Activity PlanActivity(this VolunteersDb db, Guid organizationId, ActivityRequest request, Project? project, DateTimeOffset now)
    {
        var activity = new Activity(organizationId, request.ToPlan(project), now);
        db.Add(activity);
        if (project is not null) db.AddRange(project.Defaults.Shifts(activity.Title).Select(shift => new Shift(activity, shift.ToPlan(activity), now)));
        return activity;
    }

    /// <summary>Changes an activity that is locked, and its shifts with it, and saves.</summary>
    public static async Task ChangeActivity(this VolunteersDb db, Activity activity, ActivityPlan plan, DateTimeOffset now, CancellationToken ct)
    {
        var moved = plan.StartsAt - activity.StartsAt;
        activity.Change(plan);
        var shifts = await db.LockShiftsOf(activity, ct);
        foreach (var shift in shifts) shift.Follow(activity, moved);
        await db.Promote(shifts, now, ct);
    }

    /// <summary>Whether hours stand on it. Plain SQL: service records come after activities in the order of features.</summary>
    public static Task<bool> HasCreditedService(this VolunteersDb db, Guid organizationId, Guid activityId, CancellationToken ct) =>
        db.Database.SqlQuery<bool>(
            $"""
             select exists (select 1 from service_records where organization_id = {organizationId} and activity_id = {activityId}
                            and status in ('submitted', 'approved')) as "Value"
             """).SingleAsync(ct);
}
