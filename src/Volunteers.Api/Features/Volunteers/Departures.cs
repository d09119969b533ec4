using Volunteers.Data;
using Volunteers.Features.Organizations;

namespace Volunteers.Features.Volunteers;

/// <summary>What follows when volunteers leave the organization or a team, or are back; done by a feature that comes after this one.</summary>
internal interface IDepartures
{
    /// <summary>Locks what these volunteers may have to give back. Before they are locked themselves, as whoever signs up does.</summary>
    Task LockPlaces(VolunteersDb db, Guid organizationId, Guid[] volunteerIds, DateTimeOffset now, CancellationToken ct);

    /// <summary>Saves what was changed about these volunteers, takes back what they may no longer do, and gives them what only they held up.</summary>
    Task Settle(VolunteersDb db, Organization organization, Guid[] volunteerIds, DateTimeOffset now, CancellationToken ct);
}
