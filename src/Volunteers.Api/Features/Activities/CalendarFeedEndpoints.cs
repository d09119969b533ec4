using System.Linq.Expressions;
using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Teams;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Activities;

internal static class CalendarFeedEndpoints
{
    public static void MapCalendarFeeds(this RouteGroupBuilder organization)
    {
        var feeds = organization.MapGroup("/calendar-feeds").WithTags("Calendar").Scoped(Scope.Activities);

        feeds.MapGet("", List).WithName("listCalendarFeeds").ShowsNoPersonalData();
        feeds.MapPost("", Create).WithName("createCalendarFeed").RefusesWith(404, 409);
        feeds.MapDelete("/{feedId:guid}", Revoke).WithName("revokeCalendarFeed").RefusesWith(404);
    }

    public static void MapCalendars(this RouteGroupBuilder v1) =>
        v1.MapGet("/calendars/{secret:maxlength(100)}.ics", Read).WithTags("Calendar").WithName("getCalendar").ShowsNoPersonalData().AllowAnonymous().Costs(Cost.Verification).RefusesWith(404);

    /// <summary>Lists the calendar feeds that the caller made, without their secrets.</summary>
    private static Task<Paged<CalendarFeedView>> List([AsParameters] PageQuery page, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        db.CalendarFeeds.MadeBy(tenant).ToPage(page, f => f.Id, CalendarFeedView.Projection, ct);

    /// <summary>
    /// Makes a calendar feed that needs no sign-in. Its address is its secret and is shown in this answer only. It stops working
    /// when it is revoked, and when its maker may no longer see what it shows.
    /// </summary>
    private static async Task<Platform.Created<NewCalendarFeedView>> Create(
        CalendarFeedRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, HttpRequest http, CancellationToken ct)
    {
        // Counted under a lock, or twenty-one made at once would all find room.
        await db.LockOrganization(tenant.Id, ct);
        if (await db.CalendarFeeds.MadeBy(tenant).CountAsync(ct) >= CalendarFeed.MostPerAccount) throw new RuleBreach("too_many_feeds", CalendarFeed.MostPerAccount);

        var (feed, secret) = CalendarFeed.Make(tenant, request.Kind, request.TeamId, clock.GetUtcNow());
        if (await db.MakerOf(feed, clock.GetUtcNow(), ct) is null)
            throw request.Kind == CalendarFeedKind.Team ? RuleBreach.NotFound("team_not_found", "/teamId") : new RuleBreach("not_a_volunteer");
        db.Add(feed);
        await db.SaveChangesAsync(ct);
        var url = $"{PublicAddress.Of(http)}/v1/calendars/{secret:maxlength(100)}.ics";
        return Answer.Created($"/v1/organizations/{tenant.Id}/calendar-feeds/{feed.Id}",
            new NewCalendarFeedView(feed.Id, feed.Kind, feed.TeamId, url, secret, feed.CreatedAt, 1));
    }

    /// <summary>Revokes a calendar feed: its address is not found any more.</summary>
    private static async Task<Results<NoContent, NotFound>> Revoke(Guid feedId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.DeleteNoted(db.CalendarFeeds.MadeBy(tenant).Where(f => f.Id == feedId), ct) == 1
            ? TypedResults.NoContent()
            : TypedResults.NotFound();

    /// <summary>
    /// Reads a calendar feed, as calendar applications subscribe to it. An iCalendar file (RFC 5545): an entry keeps its UID, its
    /// SEQUENCE grows with each change, and what is called off stays in it as CANCELLED. A volunteer's own feed goes 90 days back;
    /// none has more than 2,000 entries, the latest.
    /// </summary>
    private static async Task<Results<CalendarFile, NotFound>> Read(string secret, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (RoutedCode.Read(secret) is not var (organizationId, hash)) return TypedResults.NotFound();
        var feed = await db.CalendarFeeds.AsNoTracking().SingleOrDefaultAsync(f => f.OrganizationId == organizationId && f.SecretHash == hash, ct);
        if (feed is null || await db.MakerOf(feed, clock.GetUtcNow(), ct) is not { } maker) return TypedResults.NotFound();

        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == organizationId, ct);
        return new CalendarFile(CalendarWriter.Write(await db.NameOf(feed, organization, ct), organization.TimeZone, await db.EntriesOf(feed, maker, clock.GetUtcNow(), ct)));
    }
}

internal static class CalendarFeedQueries
{
    public static IQueryable<CalendarFeed> MadeBy(this IQueryable<CalendarFeed> feeds, Tenant tenant) =>
        feeds.Where(f => f.OrganizationId == tenant.Id && f.CreatedBy == tenant.ActorId);

    /// <summary>Its maker, as what they are now: a feed outlives the token it was made with. Null when they may not see any more what it shows.</summary>
    public static async Task<Tenant?> MakerOf(this VolunteersDb db, CalendarFeed feed, DateTimeOffset now, CancellationToken ct) =>
        await db.Standing(feed.OrganizationId, feed.CreatedBy, now, ct) is { } maker && feed.Kind switch
        {
            CalendarFeedKind.Own => maker.VolunteerId is { } own && own == feed.VolunteerId,
            CalendarFeedKind.Team => await db.Teams.OpenTo(maker, db).AnyAsync(team => team.Id == feed.TeamId, ct),
            _ => true,
        } ? maker : null;

    /// <summary>What an account or client is in an organization at this moment, null when it is nobody there. A volunteer who left is none, nor is a client that expired or may not read activities.</summary>
    private static async Task<Tenant?> Standing(this VolunteersDb db, Guid organizationId, Guid actorId, DateTimeOffset now, CancellationToken ct)
    {
        var grants = new List<Grant>();
        foreach (var held in await db.RoleGrants.AsNoTracking().Where(g => g.OrganizationId == organizationId && g.AccountId == actorId
                     && !db.Volunteers.Any(v => v.OrganizationId == organizationId && v.Id == g.VolunteerId && v.Status == VolunteerStatus.Left)).ToListAsync(ct))
            grants.Add(new Grant(organizationId, held.Role, held.TeamId, held.VolunteerId, held.TeamId is { } team ? await db.TeamsWithin(organizationId, [team], ct) : []));
        if (grants.Count == 0 && await db.Clients.AsNoTracking()
                .SingleOrDefaultAsync(c => c.OrganizationId == organizationId && c.Id == actorId, ct) is { } client
            && !(client.ExpiresAt <= now) && client.Scopes.Contains($"{Scope.Activities}.read"))
            grants.Add(new Grant(organizationId, client.Role, TeamId: null, VolunteerId: null, Teams: []));
        return grants.Count == 0 ? null : new Tenant(organizationId, new Caller(actorId, IsClient: false, IsOperator: false, grants));
    }
}

/// <summary>A calendar feed to be.</summary>
/// <param name="Kind">The caller's own shifts, a team's activities with those of its sub-teams, or those of every team that the caller sees.</param>
/// <param name="TeamId">Which team, for a team's feed only.</param>
internal sealed record CalendarFeedRequest(CalendarFeedKind Kind, Guid? TeamId = null)
{
    internal sealed class Validator : AbstractValidator<CalendarFeedRequest>
    {
        public Validator()
        {
            RuleFor(request => request.TeamId).NotEmpty().When(request => request.Kind == CalendarFeedKind.Team);
            RuleFor(request => request.TeamId).Null().When(request => request.Kind != CalendarFeedKind.Team);
        }
    }
}

/// <summary>A calendar feed that the caller made.</summary>
internal sealed record CalendarFeedView(Guid Id, CalendarFeedKind Kind, Guid? TeamId, DateTimeOffset CreatedAt)
{
    public static Expression<Func<CalendarFeed, CalendarFeedView>> Projection => f => new CalendarFeedView(f.Id, f.Kind, f.TeamId, f.CreatedAt);
}

/// <summary>A calendar feed just made, with its secret: keep it, it is not shown again.</summary>
/// <param name="Id">The feed.</param>
/// <param name="Kind">What it shows.</param>
/// <param name="TeamId">Of which team, if it is a team's.</param>
/// <param name="Url">What to subscribe to in a calendar application.</param>
/// <param name="Secret">The part of it that is secret.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="Version">Always 1: a feed does not change.</param>
internal sealed record NewCalendarFeedView(Guid Id, CalendarFeedKind Kind, Guid? TeamId, string Url, string Secret, DateTimeOffset CreatedAt, long Version) : IVersioned;
