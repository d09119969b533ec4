using System.Data;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;
using Volunteers.Data;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Privacy;

/// <summary>
/// Everything that is kept about one person, kind by kind and row by row, as <see cref="PersonalTables"/> says: whatever column a
/// table has is told, unless it is a secret. Read within one snapshot, so that it is of one moment.
/// </summary>
internal sealed class PersonRows(VolunteersDb db, Guid accountId, IReadOnlyList<OwnProfile> profiles, PersonalSeal seal)
{
    private readonly NpgsqlConnection connection = (NpgsqlConnection)db.Database.GetDbConnection();

    public async Task WriteTo(IPersonWriter writer, CancellationToken ct)
    {
        foreach (var table in PersonalTables.All.Where(table => table.Kind is not null))
            if (table.Name == "identity_documents") await WriteDocuments(writer, ct);
            else await Write(table, writer, ct);
        await WriteActs(writer, ct);
    }

    private async Task Write(PersonalTable table, IPersonWriter writer, CancellationToken ct)
    {
        var words = TableShape.Of(db, table.Name).Columns.Where(column => column.IsWord).Select(column => column.Name).ToHashSet();
        await using var command = Command(
            $"""
             with person (organization_id, volunteer_id) as (select * from unnest(@organizations, @volunteers))
             select {string.Join(", ", table.Also.Prepend("t.*"))} from {table.Name} t where {table.Theirs}
             """);
        await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, ct);
        int[] told = [.. Enumerable.Range(0, reader.FieldCount).Where(at => !table.Secrets.Contains(reader.GetName(at)))];
        await writer.Begin(table.Kind!, [.. told.Select(at => MemberOf(reader.GetName(at)))], ct);
        while (await reader.ReadAsync(ct)) await writer.Row([.. told.Select(at => Cell(reader, at, words))], ct);
        await writer.End(ct);
    }

    /// <summary>The number of a document is masked, as everywhere: it is kept to be compared, not to be shown.</summary>
    private async Task WriteDocuments(IPersonWriter writer, CancellationToken ct)
    {
        var (organizations, volunteers) = (profiles.Select(profile => profile.OrganizationId).ToArray(), profiles.Select(profile => profile.VolunteerId).ToArray());
        var documents = await db.IdentityDocuments.AsNoTracking().Where(d => organizations.Contains(d.OrganizationId) && volunteers.Contains(d.VolunteerId)).ToListAsync(ct);
        await writer.Begin("identityDocuments", ["organizationId", "volunteerId", "kind", "number", "recordedBy", "recordedAt", "version"], ct);
        foreach (var d in documents)
            await writer.Row(
                [
                    Plain(d.OrganizationId), Plain(d.VolunteerId), Plain(d.Kind), seal.Opens(d.KeyId) ? IdentityNumber.Masked(d.Open(seal)) : "***", Plain(d.RecordedBy), Plain(d.RecordedAt), d.Version,
                ], ct);
        await writer.End(ct);
    }

    /// <summary>What they did in their roles is told in numbers: the rows are about others.</summary>
    private async Task WriteActs(IPersonWriter writer, CancellationToken ct)
    {
        await writer.Begin("acts", ["organizationId", "what", "by", "count"], ct);
        foreach (var (table, column, ofOrganization) in Acts(db))
        {
            await using var command = Command(
                $"select {(ofOrganization ? "organization_id" : "null::uuid")}, count(*) from {table} where \"{column}\" = @account group by 1 order by 1");
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
                await writer.Row([reader.IsDBNull(0) ? null : reader.GetGuid(0).ToString(), MemberOf(table), MemberOf(column), reader.GetInt64(1)], ct);
        }
        await writer.End(ct);
    }

    /// <summary>Columns that say who did something.</summary>
    public static IEnumerable<(string Table, string Column, bool OfOrganization)> Acts(VolunteersDb db) =>
        from type in db.Model.GetEntityTypes()
        let shape = TableShape.Of(db, type.GetTableName()!)
        from column in shape.Columns
        where (Nullable.GetUnderlyingType(column.Type) ?? column.Type) == typeof(Guid) && (column.Name == "by" || column.Name.EndsWith("_by", StringComparison.Ordinal))
        orderby type.GetTableName(), column.Name
        select (type.GetTableName()!, column.Name, shape.Columns.Any(each => each.Name == "organization_id"));

    private NpgsqlCommand Command(string sql)
    {
        var command = new NpgsqlCommand(sql, connection) { CommandTimeout = OwnExport.LongestStatementSeconds };
        command.Parameters.Add(new NpgsqlParameter("account", NpgsqlDbType.Uuid) { Value = accountId });
        command.Parameters.Add(new NpgsqlParameter("organizations", NpgsqlDbType.Array | NpgsqlDbType.Uuid) { Value = profiles.Select(profile => profile.OrganizationId).ToArray() });
        command.Parameters.Add(new NpgsqlParameter("volunteers", NpgsqlDbType.Array | NpgsqlDbType.Uuid) { Value = profiles.Select(profile => profile.VolunteerId).ToArray() });
        return command;
    }

    private static JsonNode? Cell(NpgsqlDataReader reader, int at, HashSet<string> words)
    {
        if (reader.IsDBNull(at)) return null;
        return reader.GetDataTypeName(at) switch
        {
            "json" or "jsonb" => InCamelCase(JsonNode.Parse(reader.GetString(at))),
            "date" => Plain(reader.GetFieldValue<DateOnly>(at)),
            "timestamp with time zone" => Plain(reader.GetFieldValue<DateTimeOffset>(at)),
            "bytea" => Convert.ToHexStringLower(reader.GetFieldValue<byte[]>(at)),
            _ when words.Contains(reader.GetName(at)) => MemberOf(reader.GetString(at)),
            _ => Plain(reader.GetValue(at)),
        };
    }

    private static JsonNode? Plain(object value) => JsonSerializer.SerializeToNode(value, value.GetType(), Json.Options);

    private static JsonNode? InCamelCase(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members.Select(member => KeyValuePair.Create(JsonNamingPolicy.CamelCase.ConvertName(member.Key), InCamelCase(member.Value)))),
        JsonArray items => new JsonArray([.. items.Select(InCamelCase)]),
        _ => node?.DeepClone(),
    };

    /// <summary>As the API writes it.</summary>
    private static string MemberOf(string name) => string.Concat(name.Split('_').Select((part, i) => i == 0 ? part : char.ToUpper(part[0], CultureInfo.InvariantCulture) + part[1..]));
}

/// <summary>A form in which a person's data is written.</summary>
internal interface IPersonWriter
{
    Task Begin(string kind, IReadOnlyList<string> members, CancellationToken ct);

    Task Row(IReadOnlyList<JsonNode?> values, CancellationToken ct);

    Task End(CancellationToken ct);

    Task Finish(CancellationToken ct);
}
