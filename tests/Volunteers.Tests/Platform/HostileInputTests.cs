using System.Text.Json;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Tests.Architecture;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Platform;

/// <summary>Nothing that a client can send is a failure of ours, and nothing that was refused has changed anything. For every route there is.</summary>
public sealed class HostileInputTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task A_body_that_is_not_the_JSON_object_asked_for_is_refused_everywhere()
    {
        var world = await World.Make(Host, Given);
        var before = await Everything(world);

        foreach (var operation in TakingJson())
            foreach (var hostile in HostileValues.Bodies)
            {
                // The only bodies that may be left out, and null is none.
                if (operation.Id is "approveServiceRecord" or "createClientSecret" or "createWebhookSecret" && hostile is ("" or "null")) continue;
                using var body = ProblemShape.Json(hostile);
                var answer = (await world.Send(operation, body)).ShouldBeCivil($"{operation.Id} with {Short(hostile)}");
                Assert.True(answer.Status == 400, $"{operation.Id} with {Short(hostile)}: {answer.Status} {answer.Text}");
            }

        Assert.Equal(before, await Everything(world));
    }

    [Fact]
    public async Task A_member_that_is_not_in_the_contract_is_refused_everywhere()
    {
        var world = await World.Make(Host, Given);
        var before = await Everything(world);

        foreach (var operation in TakingJson())
            foreach (var member in HostileValues.Members.Where(member => !Requests()[operation.Id]!.GetProperties().Any(known => known.Name.Equals(member, StringComparison.OrdinalIgnoreCase))))
            {
                using var body = ProblemShape.Json(HostileValues.With(Valid(operation, world), [member], "\"00000000-0000-0000-0000-000000000001\""));
                (await world.Send(operation, body)).ShouldRefuse(400, "malformed_json").ShouldBeProblem($"{operation.Id} with {member}");
            }

        Assert.Equal(before, await Everything(world));
    }

    [Fact]
    public async Task A_member_named_twice_is_refused_everywhere()
    {
        var world = await World.Make(Host, Given);

        foreach (var operation in TakingJson().Where(operation => Valid(operation, world) != "{}"))
        {
            var valid = Valid(operation, world);
            using var body = ProblemShape.Json($"{valid[..^1]},{valid[1..]}");
            (await world.Send(operation, body)).ShouldRefuse(400, "malformed_json").ShouldBeProblem(operation.Id);
        }
    }

    [Fact]
    public async Task No_value_of_any_member_is_a_failure_of_ours()
    {
        var world = await World.Make(Host, Given);
        var tried = 0;

        foreach (var operation in TakingJson())
            foreach (var path in HostileValues.MembersOf(Requests()[operation.Id]!))
                foreach (var value in HostileValues.Values)
                {
                    using var body = ProblemShape.Json(HostileValues.With(Valid(operation, world), path, value));
                    (await world.Send(operation, body)).ShouldBeCivil($"{operation.Id} with {string.Join('.', path)} = {Short(value)}");
                    tried++;
                }

        Assert.True(tried > 3000, $"{tried}");
        Assert.True((bool)(await world.As("administrator").Get($"/v1/organizations/{world["organizationId"]}/ledger/verification"))["valid"]!);
    }

    [Fact]
    public async Task No_id_in_a_path_is_a_failure_of_ours()
    {
        var world = await World.Make(Host, Given);

        // What a mapping or a text is saved under is a name; a good one is there from then on.
        foreach (var operation in Operation.All.Where(operation => operation.Template.Contains('{', StringComparison.Ordinal) && operation.Id is not "setColumnMapping" and not "setConsentText"))
            foreach (var hostile in new[]
            {
            "not-a-guid", "00000000-0000-0000-0000-000000000000", "{00000000-0000-0000-0000-000000000000}", "0", "%20", "..%2F..", "%F0%9F%98%80", "%ff", "%C0%80", "a%2Fb", new string('x', 3000),
        })
            {
                var (path, id) = (world.PathOf(operation), world[Last(operation)]);
                var at = path.LastIndexOf(id, StringComparison.Ordinal);
                path = path[..at] + hostile + path[(at + id.Length)..];
                using var body = world.BodyOf(operation);
                var answer = (await world.Send(operation, body, path)).ShouldBeCivil($"{operation.Method} {path}");
                Assert.True(answer.Status == 404 || (hostile.StartsWith("0000", StringComparison.Ordinal) && answer.Status < 500), $"{operation.Method} {path}: {answer.Status} {answer.Text}");
            }
    }

    [Fact]
    public async Task No_version_and_no_language_is_a_failure_of_ours()
    {
        var world = await World.Make(Host, Given);

        foreach (var operation in Operation.All)
            foreach (var (name, value) in HostileValues.Texts.Where(text => !text.Contains('\0', StringComparison.Ordinal) && text.All(char.IsAscii))
                         .SelectMany(text => new[] { ("If-Match", text), ("If-None-Match", text), ("Accept-Language", text), ("Accept", text) }))
            {
                using var body = ProblemShape.Json("{\"unknown\":1}");
                (await world.Send(operation, operation.Method == "GET" ? null : body, null, (name, value))).ShouldBeCivil($"{operation.Id} with {name}: {Short(value)}");
            }
    }

    /// <summary>Operations with a JSON body; the import takes a file.</summary>
    private Operation[] TakingJson()
    {
        var operations = Operation.All.Where(operation => Requests().ContainsKey(operation.Id)).ToArray();
        Assert.NotEmpty(operations);
        return operations;
    }

    private Dictionary<string, Type> Requests()
    {
        Host.StartServer();
        return requests ??= Host.Services.GetRequiredService<EndpointDataSource>().Endpoints
            .Where(endpoint => endpoint.Metadata.GetMetadata<IEndpointNameMetadata>() is not null
                && endpoint.Metadata.GetMetadata<IAcceptsMetadata>()?.RequestType?.Namespace?.StartsWith("Volunteers.Features", StringComparison.Ordinal) == true)
            .ToDictionary(endpoint => endpoint.Metadata.GetMetadata<IEndpointNameMetadata>()!.EndpointName, endpoint => endpoint.Metadata.GetMetadata<IAcceptsMetadata>()!.RequestType!);
    }

    private Dictionary<string, Type>? requests;

    private static string Valid(Operation operation, World world) => JsonSerializer.Serialize(operation.Body!(world));

    private static string Last(Operation operation) => operation.Template[(operation.Template.LastIndexOf('{') + 1)..operation.Template.LastIndexOf('}')];

    /// <summary>
    /// What no administrator reads with a path alone: reports and exports ask for a period and name the moment at which they
    /// are drawn, as the export of one's own data does, the check-in code is another every half minute, and one's own certificates are one's own. A copy is told each time how far it has come. That the trail tells of every look is its purpose.
    /// </summary>
    private static readonly string[] NotForEverybody = ["getCheckInCode", "getHourReportChanges", "exportServiceRecords", "exportMyData", "getMyCertificate", "getMyCertificatePdf", "listChanges"];

    /// <summary>All that there is to read.</summary>
    private static async Task<string> Everything(World world)
    {
        var texts = new List<string>();
        foreach (var operation in Operation.All.Where(operation => operation.Method == "GET"
                     && !NotForEverybody.Contains(operation.Id) && !operation.Id.EndsWith("Report", StringComparison.Ordinal) && !operation.Template.Contains("/audit", StringComparison.Ordinal)))
            texts.Add((await world.As("administrator").Get(world.PathOf(operation))).ShouldBe(200).Text);
        return string.Join('\n', texts);
    }

    private static string Short(string text) => text.Length <= 60 ? text : text[..60] + "…";
}
