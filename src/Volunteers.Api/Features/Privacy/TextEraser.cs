using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;
using Volunteers.Data;
using Volunteers.Platform;

namespace Volunteers.Features.Privacy;

/// <summary>Takes a person out of what others wrote in an organization: table by table, one search each, and only what names them is written anew.</summary>
internal sealed class TextEraser(VolunteersDb db, PersonValues values, Guid organizationId, Guid? volunteerId, Guid? accountId)
{
    /// <summary>What others keep copies of, by its id.</summary>
    private static readonly Dictionary<string, MarkKind> Copied = new()
    {
        ["organizations"] = MarkKind.Organization, ["teams"] = MarkKind.Team, ["volunteers"] = MarkKind.Volunteer, ["projects"] = MarkKind.Project, ["series"] = MarkKind.Series,
        ["activities"] = MarkKind.Activity, ["shifts"] = MarkKind.Shift, ["sign_ups"] = MarkKind.SignUp, ["service_records"] = MarkKind.ServiceRecord, ["disputes"] = MarkKind.Dispute,
        ["certificates"] = MarkKind.Certificate, ["certificate_endings"] = MarkKind.Certificate, ["awards"] = MarkKind.Award,
    };

    private readonly NpgsqlConnection connection = (NpgsqlConnection)db.Database.GetDbConnection();

    public async Task Run(CancellationToken ct)
    {
        foreach (var table in PersonalTables.All.Where(table => table.Texts.Length + table.Labels.Length > 0)) await Erase(table, ct);
    }

    private async Task Erase(PersonalTable table, CancellationToken ct)
    {
        var shape = TableShape.Of(db, table.Name);
        string[] columns = [.. table.Texts, .. table.Labels];
        foreach (var (keys, texts, theirs) in await Find(table, shape, columns, ct))
        {
            var changed = new List<(string Column, string Text)>();
            foreach (var (index, column) in columns.Index())
            {
                if (texts[index] is not { } text) continue;
                Func<string, string> without = index >= table.Texts.Length ? values.WithoutNumbers : theirs ? values.WithoutThem : values.WithoutThemElsewhere;
                var erased = shape.JsonColumns.Contains(column) ? InJson(text, without) : without(text);
                if (erased != text) changed.Add((column, erased));
            }
            if (changed.Count == 0) continue;
            await (table.IsBound ? Delete(table, shape, keys, ct) : Write(table, shape, keys, changed, ct));
            if (Copied.TryGetValue(table.Name, out var kind)) await db.Mark(organizationId, kind, [(Guid)keys[^1]], ct);
            if (table.Name == "activities") await db.Mark(organizationId, MarkKind.ActivityTitle, [(Guid)keys[^1]], ct);
        }
    }

    /// <summary>Rows in which something stands that may mean them.</summary>
    private async Task<List<(object[] Keys, string?[] Texts, bool Theirs)>> Find(PersonalTable table, TableShape shape, string[] columns, CancellationToken ct)
    {
        var text = $"concat_ws(chr(31), {string.Join(", ", columns.Select(column => $"t.{Quoted(column)}::text"))})";
        await using var command = connection.CreateCommand();
        command.CommandTimeout = Erasure.LongestStatementSeconds;
        command.CommandText =
            $"""
             with person (organization_id, volunteer_id) as (values (@organization, @volunteer))
             select {string.Join(", ", shape.Keys.Select(key => $"t.{Quoted(key)}").Concat(columns.Select(column => $"t.{Quoted(column)}::text")))}, {table.Theirs ?? "false"}
             from {table.Name} t
             where t.{(shape.Keys.Contains("organization_id") ? "organization_id" : "id")} = @organization
               and ({text} ilike any(@literal) or translate({text}, ' -()+', '') like any(@phones))
             """;
        Parameter(command, "organization", organizationId, NpgsqlDbType.Uuid);
        Parameter(command, "volunteer", volunteerId, NpgsqlDbType.Uuid);
        Parameter(command, "account", accountId, NpgsqlDbType.Uuid);
        Parameter(command, "literal", values.Literal.SelectMany(Spellings).Select(Anywhere).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
        Parameter(command, "phones", values.Phones.Select(Anywhere).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
        var found = new List<(object[], string?[], bool)>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            found.Add(([.. Enumerable.Range(0, shape.Keys.Count).Select(reader.GetValue)],
                [.. Enumerable.Range(shape.Keys.Count, columns.Length).Select(at => reader.IsDBNull(at) ? null : reader.GetString(at))],
                !reader.IsDBNull(shape.Keys.Count + columns.Length) && reader.GetBoolean(shape.Keys.Count + columns.Length)));
        return found;
    }

    private async Task Write(PersonalTable table, TableShape shape, object[] keys, List<(string Column, string Text)> changed, CancellationToken ct)
    {
        await using var command = connection.CreateCommand();
        var set = changed.Select((change, i) => $"{Quoted(change.Column)} = {(shape.JsonColumns.Contains(change.Column) ? $"@text{i}::jsonb" : $"@text{i}")}");
        if (shape.HasVersion) set = set.Append("version = version + 1");
        command.CommandText = $"update {table.Name} set {string.Join(", ", set)} where {string.Join(" and ", shape.Keys.Select((key, i) => $"{Quoted(key)} = @key{i}"))}";
        // What stands for them may be longer than they were called.
        foreach (var (i, change) in changed.Index()) Parameter(command, $"text{i}", Shortened(change.Text, shape.LongestOf(change.Column)), NpgsqlDbType.Text);
        foreach (var (i, key) in keys.Index()) command.Parameters.AddWithValue($"key{i}", key);
        await command.ExecuteNonQueryAsync(ct);
    }

    private async Task Delete(PersonalTable table, TableShape shape, object[] keys, CancellationToken ct)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = $"delete from {table.Name} where {string.Join(" and ", shape.Keys.Select((key, i) => $"{Quoted(key)} = @key{i}"))}";
        foreach (var (i, key) in keys.Index()) command.Parameters.AddWithValue($"key{i}", key);
        await command.ExecuteNonQueryAsync(ct);
    }

    private static string InJson(string json, Func<string, string> without)
    {
        var node = JsonNode.Parse(json);
        return Walk(node) ? node!.ToJsonString(Json.Options) : json;

        bool Walk(JsonNode? at)
        {
            var changed = false;
            if (at is JsonObject members)
                foreach (var (name, member) in members.ToList())
                    if (Text(member) is { } text && without(text) is var erased && erased != text) (members[name], changed) = (erased, true);
                    else changed |= Walk(member);
            else if (at is JsonArray items)
                for (var i = 0; i < items.Count; i++)
                    if (Text(items[i]) is { } text && without(text) is var erased && erased != text) (items[i], changed) = (erased, true);
                    else changed |= Walk(items[i]);
            return changed;
        }

        static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
    }

    /// <summary>As it stands in a text, and as it stands in JSON.</summary>
    private static IEnumerable<string> Spellings(string value)
    {
        yield return value;
        if (value.AsSpan().ContainsAny('"', '\\')) yield return value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
    }

    private static string Anywhere(string value) => new StringBuilder(value).Replace("\\", "\\\\").Replace("%", "\\%").Replace("_", "\\_").Insert(0, '%').Append('%').ToString();

    private static string Shortened(string text, int? longest) => longest is { } most && text.Length > most ? text[..most] : text;

    private static string Quoted(string name) => $"\"{name}\"";

    private static void Parameter(NpgsqlCommand command, string name, object? value, NpgsqlDbType type) =>
        command.Parameters.Add(new NpgsqlParameter(name, type) { Value = value ?? DBNull.Value });
}
