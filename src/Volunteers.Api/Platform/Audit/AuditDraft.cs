using System.Text.Json.Nodes;

namespace Volunteers.Platform.Audit;

/// <summary>An event and the texts that stand beside it, before they are written together.</summary>
internal sealed record AuditDraft(AuditEvent Event, IReadOnlyList<AuditValue> Values)
{
    /// <summary>Changes that one event names with all they say; a request that changes more leaves as many events as it takes.</summary>
    private const int MostChanges = 100;

    /// <summary>Rows of a kind made at once that are described one by one; more of them say it all themselves.</summary>
    private const int MostMade = 10;

    private const int MostIds = 1000;

    public static AuditDraft Of(AuditScene scene, Guid organizationId, AuditDetails details, IEnumerable<Guid> volunteers) =>
        new(scene.Event(organizationId, Guid.CreateVersion7(scene.At), [.. volunteers.Distinct().Take(MostIds)], details), []);

    /// <summary>The events of one organization for what was changed: one, but for very many rows; one also when nothing was.</summary>
    public static IEnumerable<AuditDraft> Of(AuditScene scene, Guid organizationId, AuditNotes notes, AuditDetails details)
    {
        var rows = notes.Rows.Where(row => row.OrganizationId is null || row.OrganizationId == organizationId).ToList();
        var made = rows.Where(row => row.Action == AuditAction.Created).ToLookup(row => row.Type);
        var alike = made.Where(group => group.Key.KeepsHistory || group.Count() > MostMade).ToList();
        var described = rows.Except(alike.SelectMany(group => group)).Select(row => (Row: row, Differences: notes.Forgotten.Contains(row) ? [] : row.Differences().ToList()))
            .Where(one => one.Differences.Count > 0 || one.Row.Action != AuditAction.Changed).Chunk(MostChanges).DefaultIfEmpty([]);
        var first = true;
        foreach (var chunk in described)
        {
            var id = Guid.CreateVersion7(scene.At);
            var (changes, values) = (new List<AuditChange>(), new List<AuditValue>());
            foreach (var one in chunk) changes.Add(Describe(one.Row, one.Differences, organizationId, id, changes.Count, values));
            var volunteers = chunk.Select(one => one.Row.VolunteerId);
            if (first)
            {
                changes.AddRange(alike.Select(group => Alike(group.Key, [.. group])));
                changes.AddRange(notes.Told.Where(told => told.OrganizationId is null || told.OrganizationId == organizationId).Select(told => told.Change));
                volunteers = volunteers.Concat(alike.SelectMany(group => group.Select(row => row.VolunteerId))).Append(scene.VolunteerId);
            }
            yield return new AuditDraft(scene.Event(organizationId, id, [.. volunteers.OfType<Guid>().Distinct().Take(MostIds)], details with { Changes = changes }), values);
            first = false;
        }
    }

    private static AuditChange Alike(AuditedType type, IReadOnlyCollection<AuditedRow> rows) => new(
        type.Name, AuditAction.Created, [.. rows.Take(MostIds).Select(row => type.IdOf(row.Row))], rows.Count > 1 ? rows.Count : null);

    private static AuditChange Describe(
        AuditedRow row, List<(AuditedMember Member, JsonNode? Before, JsonNode? After)> differences, Guid organizationId, Guid eventId, int position, List<AuditValue> values)
    {
        var figures = differences.Where(difference => !difference.Member.IsText).ToDictionary(d => d.Member.Name, d => new[] { d.Before, d.After });
        var texts = differences.Where(difference => difference.Member.IsText).ToList();
        AuditValue? value = null;
        if (texts.Count > 0)
        {
            var said = new JsonObject(texts.Select(d => KeyValuePair.Create<string, JsonNode?>(d.Member.Name, new JsonArray(d.Before, d.After))));
            values.Add(value = new AuditValue(organizationId, eventId, position, row.Type.SubjectOf(row.Row), said.ToJsonString(Json.Options)));
        }
        return new AuditChange(row.Type.Name, row.Action, [row.Type.IdOf(row.Row)], Figures: figures.Count == 0 ? null : figures,
            Texts: value is null ? null : [.. texts.Select(text => text.Member.Name)], Hash: value?.ComputeHash());
    }
}
