using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Features.Projects;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Activities;

internal static class SeriesEndpoints
{
    private const int DaysBack = 31;

    public static void MapSeries(this RouteGroupBuilder organization)
    {
        var series = organization.MapGroup("/series").WithTags("Series").Scoped(Scope.Activities);

        series.MapGet("", List).WithName("listSeries").ShowsNoPersonalData();
        series.MapPost("", Create).WithName("createSeries").Allows(Access.Coordinate).RefusesWith(404);
        series.MapGet("/{seriesId:guid}", Get).WithName("getSeries").ShowsNoPersonalData().RefusesWith(404);
        series.MapPatch("/{seriesId:guid}", Change).WithName("changeSeries").Allows(Access.Coordinate).RefusesWith(404, 409);
        series.MapDelete("/{seriesId:guid}", End).WithName("endSeries").Allows(Access.Coordinate).RefusesWith(404, 409);
        series.MapStandingSignUps();
        organization.MapPost("/activities/{activityId:guid}/detach", Detach).WithTags("Series").WithName("detachActivity").Allows(Access.Coordinate).Scoped(Scope.Activities).RefusesWith(404, 409);
    }

    /// <summary>Lists series in the order in which they were planned. Volunteers see those that are published.</summary>
    private static Task<Paged<SeriesView>> List(
        [AsParameters] PageQuery page, [AsParameters] SeriesFilter filter, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        filter.Apply(db.Series.VisibleTo(tenant)).ToPage(page, s => s.Id, SeriesView.Projection, ct);

    /// <summary>
    /// Plans a recurring activity and makes its occurrences with their shifts: all of a rule with an end, those of the next 12
    /// weeks of one without, which is carried on by itself. Made from a project, it takes what is not given from the project.
    /// </summary>
    private static async Task<Platform.Created<SeriesChangeView>> Create(
        SeriesRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (!tenant.Coordinates(request.TeamId)) throw RuleBreach.NotFound("team_not_found", "/teamId");
        var now = clock.GetUtcNow();
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        RefuseTooEarly(request.FirstOn, organization, now);
        var series = new Series(tenant.Id, request.ToPlan(await ProjectOf(request, tenant, db, ct), organization), now);
        db.Add(series);
        var change = await db.Make(series, organization, DateOnly.MinValue, now, ct);
        return Answer.Created($"/v1/organizations/{tenant.Id}/series/{series.Id}", new SeriesChangeView(series, change, tenant));
    }

    /// <summary>Shows a series.</summary>
    private static async Task<Results<Found<SeriesView>, NotFound>> Get(Guid seriesId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.Series.VisibleTo(tenant).Where(s => s.Id == seriesId).Select(SeriesView.Projection).SingleOrDefaultAsync(ct) is { } view
            ? Answer.Found(view)
            : TypedResults.NotFound();

    /// <summary>
    /// Changes a series and its occurrences still to come. Those that are used, or were changed or called off on their own,
    /// stay as they are and are named in the answer. What the rule no longer gives is called off; what it gives again comes back.
    /// </summary>
    private static async Task<Results<Found<SeriesChangeView>, NotFound>> Change(
        Guid seriesId, MergePatch<SeriesRequest> patch, IfMatch match, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await Lock(seriesId, tenant, db, ct) is not { } series) return TypedResults.NotFound();

        match.Check(series);
        series.RefuseIfEnded();
        var now = clock.GetUtcNow();
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var request = await patch.ApplyTo(SeriesRequest.Of(series), ct);
        if (!tenant.Coordinates(request.TeamId)) throw RuleBreach.NotFound("team_not_found", "/teamId");
        if (request.FirstOn != series.FirstOn) RefuseTooEarly(request.FirstOn, organization, now);
        var names = series.Shifts.ConvertAll(shift => shift.Name);
        series.Change(request.ToPlan(await ProjectOf(request, tenant, db, ct), organization));
        await db.FollowNames(series, names, ct);
        var change = await db.Adjust(series, organization, now, ct);
        return Answer.Found(new SeriesChangeView(series, change, tenant));
    }

    /// <summary>
    /// Ends a series. Its occurrences from that day on are called off, but for those that are used or were changed on their
    /// own: they stay and are named in the answer.
    /// </summary>
    private static async Task<Results<Found<SeriesChangeView>, NotFound>> End(
        Guid seriesId, [AsParameters] EndSeriesQuery query, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await Lock(seriesId, tenant, db, ct) is not { } series) return TypedResults.NotFound();

        var now = clock.GetUtcNow();
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        series.End(query.From ?? organization.DayOf(now));
        var change = await db.Adjust(series, organization, now, ct);
        return Answer.Found(new SeriesChangeView(series, change, tenant));
    }

    /// <summary>Sets one occurrence apart from its series, so that changes of the series leave it alone.</summary>
    private static async Task<Results<Found<ActivityView>, NotFound>> Detach(Guid activityId, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        if (await db.LockActivity(tenant.Id, activityId, ct) is not { } activity || !tenant.Coordinates(activity.TeamId)) return TypedResults.NotFound();

        activity.Detach();
        await db.SaveChangesAsync(ct);
        return Answer.Found(ActivityView.Of(activity));
    }

    private static async Task<Series?> Lock(Guid seriesId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.LockSeries(tenant.Id, seriesId, ct) is { } series && tenant.Coordinates(series.TeamId) ? series : null;

    private static void RefuseTooEarly(DateOnly firstOn, Organization organization, DateTimeOffset now)
    {
        if (firstOn < organization.DayOf(now).AddDays(-DaysBack)) throw RuleBreach.Malformed("first_on_too_early", "/firstOn", DaysBack);
    }

    private static async Task<Project?> ProjectOf(SeriesRequest request, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        request.ProjectId is not { } id ? null
        : await db.Projects.AsNoTracking().SingleOrDefaultAsync(p => p.OrganizationId == tenant.Id && p.Id == id, ct)
          ?? throw RuleBreach.NotFound("project_not_found", "/projectId");
}

internal static class SeriesQueries
{
    /// <summary>Volunteers see what is published; a team coordinator also their teams' plans.</summary>
    public static IQueryable<Series> VisibleTo(this IQueryable<Series> series, Tenant tenant) => series.Where(s =>
        s.OrganizationId == tenant.Id && (tenant.ReadsAll || tenant.Teams.Contains(s.TeamId) || (tenant.VolunteerId != null && s.Publish)));
}
