using Volunteers.Data;
using Volunteers.Features.Organizations;

namespace Volunteers.Features.Volunteers;

/// <summary>What follows when volunteers leave the organization or a team; done by a feature that comes after this one.</summary>
internal interface IDepartures
{
    /// <summary>Saves what was changed about these volunteers, and takes back what they may no longer do.</summary>
    Task Settle(VolunteersDb db, Organization organization, Guid[] volunteerIds, DateTimeOffset now, CancellationToken ct);
}
