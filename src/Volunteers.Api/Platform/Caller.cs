using System.Collections.Frozen;

namespace Volunteers.Platform;

/// <summary>What somebody may be in one organization.</summary>
internal enum Role
{
    /// <summary>Everything, and grants roles.</summary>
    Administrator,

    /// <summary>Plans, records and reviews: for the whole organization, or for one team and its sub-teams.</summary>
    Coordinator,

    /// <summary>Reads and exports, changes nothing.</summary>
    Auditor,

    /// <summary>Own profile, sign-ups, hours and certificates.</summary>
    Volunteer,
}

/// <summary>One role that a caller holds. <paramref name="Teams"/> is the team of a team coordinator with all its sub-teams.</summary>
internal sealed record Grant(Guid OrganizationId, Role Role, Guid? TeamId, Guid? VolunteerId, IReadOnlyList<Guid> Teams);

/// <summary>Who is calling: an account, or a client of one organization, with everything it may do.</summary>
internal sealed record Caller(Guid ActorId, bool IsClient, bool IsOperator, IReadOnlyList<Grant> Grants)
{
    /// <summary>Must sign in with a second factor and has none yet: reaches what is their own, to get one, and nothing else.</summary>
    public bool LacksSecondFactor { get; init; }

    /// <summary>Of a client: what its token is good for, within its role. Says nothing of people.</summary>
    public IReadOnlySet<string> Scopes { get; init; } = FrozenSet<string>.Empty;

    public static Caller? Of(HttpContext http) => http.Features.Get<Caller>();

    public bool BelongsTo(Guid organizationId) => Grants.Any(grant => grant.OrganizationId == organizationId);

    public bool Holds(Guid organizationId, IReadOnlyCollection<Role> anyOf) =>
        Grants.Any(grant => grant.OrganizationId == organizationId && anyOf.Contains(grant.Role));

    public static ValueTask<Caller?> BindAsync(HttpContext http) => ValueTask.FromResult(Of(http));
}

/// <summary>The organization of the route, seen by this caller. Every query in a handler starts from it.</summary>
internal sealed class Tenant
{
    public Tenant(Guid id, Caller caller)
    {
        Id = id;
        Caller = caller;
        var grants = caller.Grants.Where(grant => grant.OrganizationId == id).ToArray();
        VolunteerId = grants.FirstOrDefault(grant => grant.Role == Role.Volunteer)?.VolunteerId;
        ReadsAll = grants.Any(grant => grant.Role is Role.Administrator or Role.Auditor || (grant.Role == Role.Coordinator && grant.TeamId is null));
        CoordinatesAll = grants.Any(grant => grant.Role is Role.Administrator || (grant.Role == Role.Coordinator && grant.TeamId is null));
        Teams = [.. grants.Where(grant => grant.Role == Role.Coordinator).SelectMany(grant => grant.Teams).Distinct()];
    }

    public Guid Id { get; }

    public Caller Caller { get; }

    /// <summary>Who books and reviews: the account, or the client.</summary>
    public Guid ActorId => Caller.ActorId;

    /// <summary>The caller's own profile in this organization, if there is one.</summary>
    public Guid? VolunteerId { get; }

    /// <summary>Sees every team: administrator, auditor, coordinator of the whole organization.</summary>
    public bool ReadsAll { get; }

    /// <summary>Acts for every team: administrator, coordinator of the whole organization.</summary>
    public bool CoordinatesAll { get; }

    /// <summary>The teams a team coordinator sees and acts for, sub-teams included.</summary>
    public Guid[] Teams { get; }

    /// <summary>The other sees the same, but for what is their own.</summary>
    public bool SeesLike(Tenant other) =>
        Id == other.Id && ReadsAll == other.ReadsAll && VolunteerId is null == other.VolunteerId is null && Teams.SequenceEqual(other.Teams);

    public bool Coordinates(Guid teamId) => CoordinatesAll || Teams.Contains(teamId);

    public static ValueTask<Tenant?> BindAsync(HttpContext http) =>
        ValueTask.FromResult<Tenant?>(new Tenant(Guid.Parse((string)http.Request.RouteValues["organizationId"]!), Caller.Of(http)!));
}
