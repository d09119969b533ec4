using Volunteers.Data;
using Volunteers.Platform;

namespace Volunteers.Features.Volunteers;

/// <summary>
/// Who sees what of a person: the README's table of that name, in code. A person is seen whole by themselves and by who
/// coordinates them, and then in the one profile that was opened. Lists, auditors and everybody else have what tells people
/// apart and not what reaches them: a masked phone, the year of birth.
/// </summary>
internal static class PersonSight
{
    /// <summary>Members of a profile of which those who do not see it whole see less, or nothing.</summary>
    public static readonly IReadOnlyList<string> Withheld = ["phone", "gender", "birthDate", "residence", "guardian", "identityDocument"];

    /// <summary>
    /// Whether calling people, and knowing who they are, is what this caller is here for: those who coordinate, and clients
    /// with the role of a coordinator. Auditors and every other client never are.
    /// </summary>
    public static bool NeedsPeople(Tenant tenant) => tenant.CoordinatesAll || tenant.Teams.Length > 0;

    /// <summary>Whose profile the caller sees whole when they open it.</summary>
    public static IQueryable<Volunteer> SeenWholeBy(this IQueryable<Volunteer> volunteers, Tenant tenant, VolunteersDb db)
    {
        var needs = NeedsPeople(tenant);
        return volunteers.Where(v => v.OrganizationId == tenant.Id
            && (v.Id == tenant.VolunteerId || (needs && db.Volunteers.CoordinatedBy(tenant, db).Any(coordinated => coordinated.Id == v.Id))));
    }

    /// <summary>Whom the caller acts for: everybody for who coordinates the organization, the present members of their teams for a team coordinator.</summary>
    public static IQueryable<Volunteer> CoordinatedBy(this IQueryable<Volunteer> volunteers, Tenant tenant, VolunteersDb db) => volunteers.Where(v =>
        v.OrganizationId == tenant.Id && (tenant.CoordinatesAll
            || db.TeamMembers.Any(m => m.OrganizationId == tenant.Id && m.VolunteerId == v.Id && m.LeftOn == null && tenant.Teams.Contains(m.TeamId))));

    /// <summary>Whom the caller coordinates, and themselves.</summary>
    public static IQueryable<Volunteer> ActedForBy(this IQueryable<Volunteer> volunteers, Tenant tenant, VolunteersDb db) => volunteers.Where(v =>
        v.OrganizationId == tenant.Id && (v.Id == tenant.VolunteerId || db.Volunteers.CoordinatedBy(tenant, db).Any(coordinated => coordinated.Id == v.Id)));

    /// <summary>All for those who read everything, the present members of their teams for a team coordinator, and oneself.</summary>
    public static IQueryable<Volunteer> VisibleTo(this IQueryable<Volunteer> volunteers, Tenant tenant, VolunteersDb db) => volunteers.Where(v =>
        v.OrganizationId == tenant.Id && (tenant.ReadsAll || v.Id == tenant.VolunteerId
            || db.TeamMembers.Any(m => m.OrganizationId == tenant.Id && m.VolunteerId == v.Id && m.LeftOn == null && tenant.Teams.Contains(m.TeamId))));
}
