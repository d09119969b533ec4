using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Teams;

namespace Volunteers.Features.Volunteers;

/// <param name="TeamId">Which.</param>
/// <param name="Role">Null where the row says none.</param>
internal sealed record ImportedMembership(Guid TeamId, TeamRole? Role);

/// <summary>The teams that a row of a roster names, and the roles in them.</summary>
internal sealed class ImportTeams
{
    /// <summary>No name is longer, with the blanks around it.</summary>
    private const int Reach = 200;

    private readonly Dictionary<string, Guid> ids;

    private ImportTeams(Dictionary<string, Guid> ids) => this.ids = ids;

    public static ImportTeams None { get; } = new([]);

    public static async Task<ImportTeams> Load(VolunteersDb db, Guid organizationId, CancellationToken ct) =>
        new(await db.Teams.Where(t => t.OrganizationId == organizationId).ToDictionaryAsync(t => t.Name, t => t.Id, ct));

    /// <summary>One role is that in all of the teams; several are those in each, in their order.</summary>
    public IReadOnlyList<ImportedMembership> Of(ImportRow<ImportField> row, Action<ImportField, string> refuse)
    {
        var roles = row.Words(ImportField.TeamRole, ImportColumns.TeamRoles, refuse);
        if (row.Text(ImportField.Team) is not { } text)
        {
            if (roles.Count > 0) refuse(ImportField.Team, "team_needed");
            return [];
        }
        var teams = TeamsOf(text);
        if (teams.Count == 0) refuse(ImportField.Team, "team_not_found");
        else if (roles.Count > 1 && roles.Count != teams.Count) refuse(ImportField.TeamRole, "team_roles_differ");
        else return [.. teams.Select((team, i) => new ImportedMembership(team, roles.Count == 0 ? null : roles[roles.Count == 1 ? 0 : i])).DistinctBy(member => member.TeamId)];
        return [];
    }

    /// <returns>None where one of them is unknown. A name may itself contain what separates two: the longest that is known is meant.</returns>
    private List<Guid> TeamsOf(ReadOnlySpan<char> text)
    {
        var (teams, lookup) = (new List<Guid>(), ids.GetAlternateLookup<ReadOnlySpan<char>>());
        while (text.Length > 0)
        {
            var length = Math.Min(text.Length, Reach);
            Guid team;
            while (!lookup.TryGetValue(text[..length].TrimEnd(), out team))
            {
                length = text[..length].LastIndexOfAny(ImportRow.Separators);
                if (length <= 0) return [];
            }
            teams.Add(team);
            text = text[length..].TrimStart(ImportRow.Separators).TrimStart();
        }
        return teams;
    }
}
