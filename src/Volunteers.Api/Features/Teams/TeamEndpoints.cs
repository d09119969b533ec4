using System.Linq.Expressions;
using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Teams;

internal static class TeamEndpoints
{
    public static void MapTeams(this RouteGroupBuilder organization)
    {
        var teams = organization.MapGroup("/teams").WithTags("Teams").Scoped(Scope.Roster);

        teams.MapGet("", List).WithName("listTeams").ShowsNoPersonalData();
        teams.MapPost("", Create).WithName("createTeam").Allows(Access.CoordinateAll).RefusesWith(404, 409);
        teams.MapGet("/{teamId:guid}", Get).WithName("getTeam").ShowsNoPersonalData().RefusesWith(404);
        teams.MapPatch("/{teamId:guid}", Change).WithName("changeTeam").Allows(Access.CoordinateAll).RefusesWith(404, 409);
        teams.MapDelete("/{teamId:guid}", Delete).WithName("deleteTeam").Allows(Access.CoordinateAll).RefusesWith(404, 409);
    }

    /// <summary>Lists the organization's teams; a team coordinator sees their own with its sub-teams.</summary>
    private static Task<Paged<TeamView>> List([AsParameters] PageQuery page, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        db.Teams.VisibleTo(tenant).ToPage(page, team => team.Id, TeamView.Projection, ct);

    /// <summary>Creates a team.</summary>
    private static async Task<Platform.Created<TeamView>> Create(
        TeamRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var team = new Team(tenant.Id, request.Name, request.ParentTeamId, request.Description, clock.GetUtcNow());
        db.Add(team);
        await db.SaveChangesAsync(ct);
        return Answer.Created($"/v1/organizations/{tenant.Id}/teams/{team.Id}", TeamView.Of(team));
    }

    /// <summary>Shows a team.</summary>
    private static async Task<Results<Found<TeamView>, NotFound>> Get(Guid teamId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.Teams.VisibleTo(tenant).Where(team => team.Id == teamId).Select(TeamView.Projection).SingleOrDefaultAsync(ct) is { } view
            ? Answer.Found(view)
            : TypedResults.NotFound();

    /// <summary>Changes a team, or moves it with its sub-teams below another.</summary>
    private static async Task<Results<Found<TeamView>, NotFound>> Change(
        Guid teamId, MergePatch<TeamRequest> patch, IfMatch match, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        // One move at a time: two teams moved below each other at the same moment would be a ring.
        await db.LockOrganization(tenant.Id, ct);
        var team = await db.Teams.SingleOrDefaultAsync(t => t.OrganizationId == tenant.Id && t.Id == teamId, ct);
        if (team is null) return TypedResults.NotFound();

        match.Check(team);
        var request = await patch.ApplyTo(TeamRequest.Of(team), ct);
        team.Change(request.Name, request.ParentTeamId, request.Description, await db.TeamsWithin(tenant.Id, [team.Id], ct));
        await db.SaveChangesAsync(ct);
        return Answer.Found(TeamView.Of(team));
    }

    /// <summary>Deletes a team that nothing was ever done in.</summary>
    private static async Task<Results<NoContent, NotFound>> Delete(Guid teamId, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        await db.LockOrganization(tenant.Id, ct);
        if (await db.Teams.SingleOrDefaultAsync(t => t.OrganizationId == tenant.Id && t.Id == teamId, ct) is not { } team) return TypedResults.NotFound();

        db.Remove(team);
        await db.SaveChangesAsync(ct);
        return TypedResults.NoContent();
    }
}

internal static class TeamQueries
{
    /// <summary>A team coordinator sees their teams; everybody else in the organization sees them all.</summary>
    public static IQueryable<Team> VisibleTo(this IQueryable<Team> teams, Tenant tenant) => teams.Where(team =>
        team.OrganizationId == tenant.Id && (tenant.ReadsAll || tenant.VolunteerId != null || tenant.Teams.Contains(team.Id)));

    /// <summary>The teams whose people the caller knows: a volunteer only those they are in themselves.</summary>
    public static IQueryable<Team> OpenTo(this IQueryable<Team> teams, Tenant tenant, VolunteersDb db) => teams.VisibleTo(tenant).Where(team =>
        tenant.ReadsAll || tenant.Teams.Contains(team.Id) || db.TeamMembers.Any(m =>
            m.OrganizationId == tenant.Id && m.TeamId == team.Id && m.VolunteerId == tenant.VolunteerId && m.LeftOn == null));

    /// <summary>The teams given, with all their sub-teams.</summary>
    public static Task<List<Guid>> TeamsWithin(this VolunteersDb db, Guid organizationId, Guid[] teams, CancellationToken ct) =>
        db.Database.SqlQuery<Guid>(
            $"""
             with recursive within as (
                 select id from teams where organization_id = {organizationId} and id = any({teams})
                 union
                 select t.id from teams t join within w on t.parent_team_id = w.id where t.organization_id = {organizationId}
             )
             select id as "Value" from within
             """).ToListAsync(ct);
}

/// <summary>A team, as a client writes it.</summary>
/// <param name="Name">Unique in the organization; at most 100 characters.</param>
/// <param name="ParentTeamId">The larger team it is part of, if any.</param>
/// <param name="Description">What it does; at most 2,000 characters.</param>
internal sealed record TeamRequest(string Name, Guid? ParentTeamId = null, string? Description = null)
{
    public static TeamRequest Of(Team team) => new(team.Name, team.ParentTeamId, team.Description);

    internal sealed class Validator : AbstractValidator<TeamRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Name).Line(100);
            RuleFor(request => request.Description).MaximumLength(2000);
        }
    }
}

/// <summary>A standing group of volunteers.</summary>
internal sealed record TeamView(Guid Id, string Name, Guid? ParentTeamId, string? Description, DateTimeOffset CreatedAt, long Version) : IVersioned
{
    public static Expression<Func<Team, TeamView>> Projection => team =>
        new TeamView(team.Id, team.Name, team.ParentTeamId, team.Description, team.CreatedAt, team.Version);

    public static TeamView Of(Team team) => Compiled(team);

    private static readonly Func<Team, TeamView> Compiled = Projection.Compile();
}
