using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;

namespace Volunteers.Features.Volunteers;

/// <summary>A profile that is, or was to the last, one's own.</summary>
internal sealed record OwnProfile(Guid OrganizationId, Guid VolunteerId);

internal static class OwnProfileQueries
{
    /// <summary>The profiles that are the caller's, and those that were until the role was taken from them after they had left, while nobody else has them.</summary>
    public static async Task<List<OwnProfile>> OwnProfiles(this VolunteersDb db, Caller caller, CancellationToken ct)
    {
        var present = caller.Grants.Where(grant => grant.VolunteerId is not null).Select(grant => new OwnProfile(grant.OrganizationId, grant.VolunteerId!.Value)).ToList();
        var former = await db.FormerProfiles
            .Where(f => f.AccountId == caller.ActorId
                && db.Volunteers.Any(v => v.OrganizationId == f.OrganizationId && v.Id == f.VolunteerId && v.Status == VolunteerStatus.Left)
                && !db.RoleGrants.Any(g => g.OrganizationId == f.OrganizationId && g.VolunteerId == f.VolunteerId))
            .OrderByDescending(f => f.Id).Select(f => new OwnProfile(f.OrganizationId, f.VolunteerId)).ToListAsync(ct);
        return [.. present, .. former.Distinct()];
    }
}
