using System.Text.Json.Nodes;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Architecture;

/// <summary>Whoever copies a request out of the document is understood, and answered as the document says: every example is sent, about what there is here, by who may.</summary>
public sealed class RequestExampleTests(TestDatabases databases) : ApiTest(databases)
{
    /// <summary>Of these the example names a time that fits the document's other examples, and not what there is here or the day on which this runs.</summary>
    private static readonly (string Operation, string? Member)[] OfAnotherDay = [("changeActivity", "/endsAt"), ("createSeries", "/firstOn"), ("answerDispute", "/endsAt")];

    /// <summary>What becomes of something by the operation, and not by what it was before.</summary>
    private static readonly string[] States = ["status", "state", "kind", "disabledBecause"];

    [Fact]
    public async Task Every_example_of_a_request_is_a_request_that_the_service_understands()
    {
        var world = await World.Make(Host, Given);
        var document = (await Host.Anonymous.Get("/openapi/v1.json")).ShouldBe(200).Body!;
        var (sent, alike, refused) = (0, 0, new List<string>());

        foreach (var operation in Operation.All)
        {
            var method = operation.Method.ToLowerInvariant();
            var described = document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject()).FirstOrDefault(one => (string?)one.Value?["operationId"] == operation.Id).Value;
            if (described?["requestBody"]?["content"] is not JsonObject contents || contents.FirstOrDefault(content => content.Key is "application/json" or "application/merge-patch+json") is not { Value: { } content })
                continue;
            if (content["example"] is not { } example)
            {
                refused.Add($"{operation.Id} has no example");
                continue;
            }
            var caller = world.As(operation.Policy == "Operate" ? "operator" : "administrator");
            var (path, body) = (await world.PathFor(operation, "administrator") + operation.Query, Here(example, world));

            var answer = method == "patch" ? await caller.Patch(path, body) : await caller.Send(new HttpMethod(operation.Method), path, body);

            if (answer.Code == "volunteer_needed") answer = await world.As("volunteer").Send(new HttpMethod(operation.Method), path, body);

            sent++;
            if (answer.Status == 400 && OfAnotherDay.Contains((operation.Id, answer.Body!["errors"]?.AsObject().Select(error => error.Key).Single()))) continue;
            if (described["responses"]?[$"{answer.Status}"]?["content"]?["application/json"]?["example"] is JsonObject shown && answer.Body is JsonObject got)
                foreach (var state in States.Where(shown.ContainsKey))
                {
                    alike++;
                    if (shown[state]?.ToString() != got[state]?.ToString()) refused.Add($"{operation.Id} answers {state} {got[state]}, its example says {shown[state]}");
                }
            // What it is about may be in no state for it; what it says must be in form.
            if (answer.Status is 400 or 413 or 415 or 422 || answer.Status >= 500) refused.Add($"{operation.Id}: {answer.Status} {answer.Text}\n    to {body.ToJsonString()}");
        }

        Assert.True(refused.Count == 0, string.Join('\n', refused));
        Assert.True(sent > 60, $"{sent} were sent");
        Assert.True(alike > 10, $"{alike} states were compared");
    }

    /// <summary>The same with the ids that there are here, and what may be only once of its own.</summary>
    private static JsonNode Here(JsonNode example, World world)
    {
        switch (example)
        {
            case JsonObject members:
                return new JsonObject(members.Select(member => KeyValuePair.Create(member.Key,
                    member.Value is JsonValue value && world.Find(member.Key) is { } id && Guid.TryParse(value.ToString(), out _) ? JsonValue.Create(id) : member.Value is null ? null : Here(member.Value, world))));
            case JsonArray items:
                return new JsonArray([.. items.Select(item => item is null ? null : Here(item, world))]);
            default:
                return example.DeepClone();
        }
    }
}
