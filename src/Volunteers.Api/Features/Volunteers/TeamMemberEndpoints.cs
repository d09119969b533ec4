using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Teams;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Volunteers;

/// <summary>The members of a team are volunteers, so their names come from here.</summary>
internal static class TeamMemberEndpoints
{
    public static void MapTeamMembers(this RouteGroupBuilder organization)
    {
        var members = organization.MapGroup("/teams/{teamId:guid}/members").WithTags("Teams").Scoped(Scope.Roster);

        members.MapGet("", List).WithName("listTeamMembers").ShowsPersonalData().RefusesWith(404);
        members.MapPut("/{volunteerId:guid}", Set).WithName("setTeamMember").Allows(Access.Coordinate).RefusesWith(404, 409);
        members.MapDelete("/{volunteerId:guid}", Remove).WithName("removeTeamMember").Allows(Access.Coordinate).RefusesWith(404);
    }

    /// <summary>
    /// Lists the members of a team. A volunteer sees the names of those who are with them in a team now, as long as they
    /// have not left the organization; who was in it before is for coordinators and auditors.
    /// </summary>
    private static async Task<Results<Paged<TeamMemberView>, NotFound>> List(
        Guid teamId, [AsParameters] PageQuery page, [AsParameters] TeamMemberFilter filter, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        if (!await db.Teams.OpenTo(tenant, db).AnyAsync(team => team.Id == teamId, ct)) return TypedResults.NotFound();
        if (!tenant.ReadsAll && !tenant.Teams.Contains(teamId))
        {
            if (await db.Volunteers.AnyAsync(v => v.OrganizationId == tenant.Id && v.Id == tenant.VolunteerId && v.Status == VolunteerStatus.Left, ct))
                return TypedResults.NotFound();
            if (filter.IncludeLeft == true) throw RuleBreach.Forbidden("forbidden");
        }

        var members = db.TeamMembers.Where(m => m.OrganizationId == tenant.Id && m.TeamId == teamId);
        if (filter.Role is { } role) members = members.Where(m => m.Role == role);
        var people = db.Volunteers.Where(v => v.Status != VolunteerStatus.Applied);
        if (filter.IncludeLeft != true)
        {
            members = members.Where(m => m.LeftOn == null);
            people = people.Where(v => v.Status != VolunteerStatus.Left);
        }
        return await members
            .Join(people, m => new { m.OrganizationId, Id = m.VolunteerId }, v => new { v.OrganizationId, v.Id },
                (m, v) => new { m, v })
            .ToPage(page, x => x.m.VolunteerId, x => new TeamMemberView(x.m.VolunteerId, x.v.Number, x.v.Name, x.m.Role, x.m.JoinedOn, x.m.LeftOn), ct);
    }

    /// <summary>Takes a volunteer into a team, or changes what they are in it.</summary>
    private static async Task<Results<Ok<TeamMemberView>, NotFound>> Set(
        Guid teamId, Guid volunteerId, TeamMemberRequest request, Tenant tenant, VolunteersDb db, IDepartures departures, TimeProvider clock, CancellationToken ct)
    {
        if (!tenant.Coordinates(teamId)) return TypedResults.NotFound();
        // Whoever takes somebody in sees their profile whole from then on, so a team coordinator takes only people they coordinate already.
        var volunteer = await db.Volunteers.ActedForBy(tenant, db).AsNoTracking().SingleOrDefaultAsync(v => v.Id == volunteerId, ct);
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        if (volunteer is null || !await db.Teams.AnyAsync(t => t.OrganizationId == tenant.Id && t.Id == teamId, ct)) return TypedResults.NotFound();
        if (volunteer.Status == VolunteerStatus.Applied) throw new RuleBreach("not_accepted");
        volunteer.RefuseErased();

        var member = await Find(teamId, volunteerId, tenant, db, ct);
        if (member is null) db.Add(member = new TeamMember(tenant.Id, teamId, volunteerId, clock.GetUtcNow()));
        member.Set(request.Role, request.JoinedOn ?? (member.JoinedOn == default ? organization.DayOf(clock.GetUtcNow()) : member.JoinedOn), request.LeftOn);
        if (member.LeftOn is not null) await departures.Settle(db, organization, [volunteerId], clock.GetUtcNow(), ct);
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(new TeamMemberView(volunteerId, volunteer.Number, volunteer.Name, member.Role, member.JoinedOn, member.LeftOn));
    }

    /// <summary>Ends a membership today. Hours given as a member stay with the team; places on its shifts to come are given back.</summary>
    private static async Task<Results<NoContent, NotFound>> Remove(
        Guid teamId, Guid volunteerId, Tenant tenant, VolunteersDb db, IDepartures departures, TimeProvider clock, CancellationToken ct)
    {
        if (!tenant.Coordinates(teamId) || await Find(teamId, volunteerId, tenant, db, ct) is not { } member) return TypedResults.NotFound();

        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        member.Leave(organization.DayOf(clock.GetUtcNow()));
        await departures.Settle(db, organization, [volunteerId], clock.GetUtcNow(), ct);
        return TypedResults.NoContent();
    }

    private static Task<TeamMember?> Find(Guid teamId, Guid volunteerId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        db.TeamMembers.SingleOrDefaultAsync(m => m.OrganizationId == tenant.Id && m.TeamId == teamId && m.VolunteerId == volunteerId, ct);
}

/// <summary>Which members to list.</summary>
/// <param name="Role">Only these, for instance the core members.</param>
/// <param name="IncludeLeft">Also those who have left the team; for coordinators and auditors.</param>
internal sealed record TeamMemberFilter([property: FromQuery] TeamRole? Role = null, [property: FromQuery] bool? IncludeLeft = null);

/// <summary>A membership, as a client writes it.</summary>
/// <param name="Role">Leader, core or member.</param>
/// <param name="JoinedOn">Local day; as it was, or today, when not given.</param>
/// <param name="LeftOn">Local day; null while they belong to the team.</param>
internal sealed record TeamMemberRequest(TeamRole Role = TeamRole.Member, DateOnly? JoinedOn = null, DateOnly? LeftOn = null);

/// <summary>A member of a team.</summary>
internal sealed record TeamMemberView(Guid VolunteerId, string Number, string Name, TeamRole Role, DateOnly JoinedOn, DateOnly? LeftOn);
