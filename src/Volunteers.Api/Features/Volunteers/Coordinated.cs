using Volunteers.Data;
using Volunteers.Platform;

namespace Volunteers.Features.Volunteers;

internal static class Coordinated
{
    /// <summary>All for who coordinates the whole organization; the present members of their teams for a team coordinator.</summary>
    public static IQueryable<Volunteer> CoordinatedBy(this IQueryable<Volunteer> volunteers, Tenant tenant, VolunteersDb db) => volunteers.Where(v =>
        v.OrganizationId == tenant.Id && (tenant.CoordinatesAll
            || db.TeamMembers.Any(m => m.OrganizationId == tenant.Id && m.VolunteerId == v.Id && m.LeftOn == null && tenant.Teams.Contains(m.TeamId))));
}
