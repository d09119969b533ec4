using System.Text.Json.Nodes;
using Npgsql;
using Volunteers.Tests.Architecture;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Platform;

/// <summary>
/// A body says what its operation takes and nothing more. Members that would be worth something to whoever could set them are
/// planted in the true example of every operation, at every depth, and no row of the database is another afterwards.
/// </summary>
public sealed class OverPostingTests(TestDatabases databases) : ApiTest(databases)
{
    /// <summary>What an answer shows and only the service, a decision or a role sets.</summary>
    private static readonly Dictionary<string, JsonNode> Worth = new()
    {
        ["organizationId"] = Guid.Empty, ["id"] = Guid.Empty, ["version"] = 99, ["status"] = "approved", ["role"] = "administrator", ["roles"] = new JsonArray("administrator"),
        ["createdBy"] = Guid.Empty, ["createdAt"] = "2020-01-01T00:00:00Z", ["recordedBy"] = Guid.Empty, ["recordedAt"] = "2020-01-01T00:00:00Z", ["reviewedBy"] = Guid.Empty,
        ["reviewedAt"] = "2020-01-01T00:00:00Z", ["approvedBy"] = Guid.Empty, ["evidence"] = "attendance", ["minutes"] = 6000, ["creditedMinutes"] = 6000, ["personTimes"] = 6000,
        ["position"] = 1, ["hash"] = "00", ["isOperator"] = true, ["accountId"] = Guid.Empty, ["teamId"] = Guid.Empty, ["volunteerId"] = Guid.Empty, ["scopes"] = new JsonArray("hours.write"),
        ["issuedBy"] = Guid.Empty, ["taken"] = 0, ["detached"] = true, ["withdrawnConsents"] = new JsonArray(), ["number"] = "000001", ["level"] = 5, ["confirmedOn"] = "2020-01-01",
        ["clientSecret"] = "x", ["passwordHash"] = "x", ["$type"] = "Volunteers.Platform.Caller", ["__proto__"] = new JsonObject { ["role"] = "administrator" },
    };

    [Fact]
    public async Task What_an_operation_does_not_take_changes_nothing_in_any_row()
    {
        var world = await World.Make(Host, Given);
        var document = (await Host.Anonymous.Get("/openapi/v1.json")).ShouldBe(200).Body!;
        var before = await Rows();
        var (operations, tried) = (0, 0);

        foreach (var (operation, schema, example) in Taking(document))
        {
            operations++;
            var bodies = new[] { example, System.Text.Json.JsonSerializer.SerializeToNode(operation.Body!(world))! };
            foreach (var body in bodies)
                foreach (var (place, known) in Places(body, schema, document).ToList())
                    // A member that is taken there is taken under its own name only.
                    foreach (var (name, value) in Worth.Where(member => !known.Contains(member.Key)).Concat(known.Select(member => KeyValuePair.Create(char.ToUpperInvariant(member[0]) + member[1..], Worth["id"]))))
                    {
                        place[name] = value.DeepClone();
                        using var content = ProblemShape.Json(body.ToJsonString());
                        var answer = await world.Send(operation, content);
                        place.Remove(name);

                        answer.ShouldBeCivil($"{operation.Id} with {place.GetPath()}.{name}");
                        Assert.True(answer is { Status: 400, Code: "malformed_json" }, $"{operation.Id} with {place.GetPath()}.{name}: {answer.Status} {answer.Text}");
                        tried++;
                    }
        }

        Assert.True(operations > 70 && tried > 5000, $"{operations} operations, {tried} bodies");
        TestContext.Current.TestOutputHelper!.WriteLine($"{operations} operations, {tried} bodies with one member too many");
        var after = await Rows();
        Assert.Equal(before.Keys, after.Keys);
        Assert.All(after, table => Assert.Equal((table.Key, before[table.Key]), (table.Key, table.Value)));
        // Without them nothing is wrong with the form of these bodies.
        foreach (var (operation, _, example) in Taking(document))
        {
            using var content = ProblemShape.Json(example.ToJsonString());
            Assert.NotEqual("malformed_json", (await world.Send(operation, content)).Code);
            using var valid = world.BodyOf(operation);
            Assert.NotEqual("malformed_json", (await world.Send(operation, valid)).Code);
        }
    }

    /// <summary>The operations that take JSON, each with the schema and the true example of its body.</summary>
    private static IEnumerable<(Operation Operation, JsonNode Schema, JsonNode Example)> Taking(JsonNode document)
    {
        var bodies = document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject())
            .ToDictionary(operation => (string)operation.Value!["operationId"]!, operation => operation.Value!["requestBody"]?["content"]?["application/json"]);
        return Operation.All.Where(operation => bodies[operation.Id] is not null)
            .Select(operation => (operation, Resolved(bodies[operation.Id]!["schema"]!, document), bodies[operation.Id]!["example"]!.DeepClone()));
    }

    /// <summary>Every object in a body, the whole included, with the names of the members that it takes. An object with names of the sender's choice has no place.</summary>
    private static IEnumerable<(JsonObject Place, HashSet<string> Known)> Places(JsonNode? body, JsonNode schema, JsonNode document)
    {
        switch (body)
        {
            case JsonObject place when Resolved(schema, document)["properties"] is JsonObject properties:
                yield return (place, [.. properties.Select(property => property.Key)]);
                foreach (var (name, value) in place.ToList())
                    if (properties[name] is { } inner)
                        foreach (var found in Places(value, inner, document)) yield return found;
                break;
            case JsonArray items when Resolved(schema, document)["items"] is { } inner:
                foreach (var item in items)
                    foreach (var found in Places(item, inner, document)) yield return found;
                break;
        }
    }

    private static JsonNode Resolved(JsonNode schema, JsonNode document) =>
        (string?)schema["$ref"] is { } reference ? document["components"]!["schemas"]![reference.Split('/')[^1]]!
        : schema["oneOf"]?.AsArray().FirstOrDefault(each => each!["$ref"] is not null) is { } one ? Resolved(one, document)
        : schema;

    /// <summary>Every table by the hash of its rows, but for those that a sign-in or the passing of time writes.</summary>
    private async Task<Dictionary<string, string>> Rows()
    {
        await Seal();
        await using var database = NpgsqlDataSource.Create(ConnectionString);
        await using (var waiting = database.CreateCommand("select exists (select 1 from change_marks)"))
            while ((bool)(await waiting.ExecuteScalarAsync(TestContext.Current.CancellationToken))!) await Task.Delay(50, TestContext.Current.CancellationToken);
        var tables = new List<string>();
        await using (var names = database.CreateCommand("select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'"))
        await using (var reader = await names.ExecuteReaderAsync(TestContext.Current.CancellationToken))
            while (await reader.ReadAsync(TestContext.Current.CancellationToken)) tables.Add(reader.GetString(0));
        var rows = new Dictionary<string, string>();
        foreach (var table in tables.Where(table => !table.StartsWith("openiddict_", StringComparison.Ordinal) && table is not ("organization_clients" or "data_protection_keys")).Order())
        {
            await using var hash = database.CreateCommand($"select count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from \"{table}\" t");
            rows[table] = (string)(await hash.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
        }
        Assert.Contains("service_records", rows.Keys);
        return rows;
    }
}
