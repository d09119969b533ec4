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
    /// <summary>More pieces between separators than anybody has teams; so that no cell is work for minutes.</summary>
    private const int MostPieces = 30;

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
        var teams = TeamsOf(text, howMany: null);
        // Where a name reads as two, the roles say which is meant.
        if (roles.Count > 1 && teams.Count != roles.Count && teams.Count > 0 && TeamsOf(text, roles.Count) is { Count: > 0 } asMany) teams = asMany;
        if (teams.Count == 0) refuse(ImportField.Team, "team_not_found");
        else if (roles.Count > 1 && roles.Count != teams.Count) refuse(ImportField.TeamRole, "team_roles_differ");
        else return [.. teams.Select((team, i) => new ImportedMembership(team, roles.Count == 0 ? null : roles[roles.Count == 1 ? 0 : i])).DistinctBy(member => member.TeamId)];
        return [];
    }

    /// <returns>None where one of them is unknown. A name may itself contain what separates two: the longest that leaves only known ones is meant.</returns>
    private List<Guid> TeamsOf(string text, int? howMany)
    {
        if (howMany is null && ids.TryGetValue(text, out var whole)) return [whole];
        var (pieces, teams, dead) = (PiecesOf(text), new List<Guid>(), new HashSet<(int, int)>());
        return pieces.Count <= MostPieces && Read(0) ? teams : [];

        bool Read(int from)
        {
            if (from == pieces.Count) return howMany is null || howMany == teams.Count;
            for (var to = pieces.Count; to > from && !dead.Contains((from, teams.Count)); to--)
            {
                if (!ids.TryGetValue(text[pieces[from].Start..pieces[to - 1].End], out var team)) continue;
                teams.Add(team);
                if (Read(to)) return true;
                teams.RemoveAt(teams.Count - 1);
            }
            dead.Add((from, teams.Count));
            return false;
        }
    }

    private static List<(int Start, int End)> PiecesOf(string text)
    {
        var pieces = new List<(int Start, int End)>();
        for (var start = 0; start < text.Length && pieces.Count <= MostPieces;)
        {
            var end = text.IndexOfAny(ImportRow.Separators, start) is >= 0 and var at ? at : text.Length;
            var piece = text[start..end];
            if (!string.IsNullOrWhiteSpace(piece)) pieces.Add((end - piece.TrimStart().Length, start + piece.TrimEnd().Length));
            start = end + 1;
        }
        return pieces;
    }
}
