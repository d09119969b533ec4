using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.OpenApi;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Architecture;

/// <summary>The document as a product: complete, and changed only where a review sees it.</summary>
public sealed partial class OpenApiTests(TestDatabases databases) : ApiTest(databases)
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What needs no token.</summary>
    private static readonly string[] Open =
    [
        "post /v1/accounts", "get /v1/calendars/{secret}.ics", "get /v1/certificates/{code}", "post /v1/organizations/{organizationId}/volunteers/applications",
        "post /v1/password-resets", "put /v1/password-resets",
        "get /v1/organizations/{organizationId}/consent-texts", "get /v1/organizations/{organizationId}/consent-texts/{purpose}",
    ];

    /// <summary>As whoever runs the service sets it up. The port of a test differs from run to run.</summary>
    internal static readonly (string Name, string Value)[] Served =
        [("SignIn:Issuer", "https://volunteers.example.org/"), ("Contact:Url", "https://volunteers.example.org/contact"), ("Contact:Email", "api@volunteers.example.org")];

    protected override (string Name, string Value)[] Configuration => Served;

    /// <summary>As the code is now: the file of codes may be from before.</summary>
    private protected override Action<IServiceCollection> Also =>
        services => services.Replace(ServiceDescriptor.Singleton(service => new HandlerCodes(() => CodesOf(service))));

    [Fact]
    public async Task The_document_is_the_one_that_was_reviewed()
    {
        var document = await Document();
        var served = document.ToJsonString(Readable) + "\n";

        await IsKept(Path.Combine(Folder(), "openapi.v1.json"), served);
        await IsKept(Path.GetFullPath(Path.Combine(Folder(), "../../../src/Volunteers.Api/Platform/OpenApi/Codes.json")), Lines(CodesOf(Host.Services)));
    }

    private static IReadOnlyDictionary<string, SortedDictionary<int, string[]>> CodesOf(IServiceProvider services)
    {
        using var scope = services.CreateScope();
        return ReachableCodes.OfAll(services.GetRequiredService<EndpointDataSource>(), scope.ServiceProvider.GetRequiredService<VolunteersDb>().GetService<IDesignTimeModel>().Model);
    }

    private static async Task IsKept(string file, string now)
    {
        if (Environment.GetEnvironmentVariable("UPDATE_OPENAPI") == "1") await File.WriteAllTextAsync(file, now, TestContext.Current.CancellationToken);

        var reviewed = File.Exists(file) ? await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken) : "";

        Assert.True(reviewed == now, $"The contract changed. See what changed with UPDATE_OPENAPI=1 dotnet test, which rewrites {Path.GetFileName(file)}, and git diff.");
    }

    /// <summary>A line for each operation, so that two changes meet in few of them.</summary>
    private static string Lines(IReadOnlyDictionary<string, SortedDictionary<int, string[]>> codes) =>
        "{\n" + string.Join(",\n", codes.OrderBy(of => of.Key, StringComparer.Ordinal).Select(of => $"  \"{of.Key}\": {JsonSerializer.Serialize(of.Value)}")) + "\n}\n";

    [Fact]
    public async Task Every_operation_says_what_it_is_and_how_it_refuses()
    {
        var document = await Document();
        var tags = document["tags"]!.AsArray().Select(tag => (string)tag!["name"]!).ToHashSet();
        var operations = Operations(document).ToArray();
        Assert.True(operations.Length > 50);
        Assert.Equal(operations.Length, operations.Select(o => (string)o.Operation["operationId"]!).Distinct().Count());

        var missing = new List<string>();
        foreach (var (path, method, operation) in operations)
        {
            void Must(bool holds, string what) { if (!holds) missing.Add($"{method} {path}: {what}"); }

            Must(CamelCase().IsMatch((string?)operation["operationId"] ?? ""), "operationId in camelCase");
            Must(operation["tags"]?.AsArray() is [{ } tag] && tags.Contains((string)tag!), "one tag that is described");
            Must((string?)operation["summary"] is { Length: > 5 }, "summary");
            Must(operation["security"] is JsonArray { Count: > 0 } != Open.Contains($"{method} {path}"), "security");
            var responses = operation["responses"]!.AsObject();
            Must(new[] { "400", "429", "500", "503" }.All(responses.ContainsKey), "errors that every operation has");
            Must(((string?)operation["description"])?.Contains("**Who may call it:**", StringComparison.Ordinal) == true, "who may call it");
            Must(Open.Contains($"{method} {path}") || (responses.ContainsKey("401") && responses.ContainsKey("403")), "errors of an operation that needs a token");
            Must(!path.Contains("{organizationId}", StringComparison.Ordinal) || responses.ContainsKey("404"), "404");
            foreach (var (status, response) in responses)
            {
                if (status[0] is '4' or '5')
                {
                    var codes = Resolved(document, response!)["content"]?["application/problem+json"]?["examples"]?.AsObject() ?? [];
                    Must(codes.Count > 0, $"the codes of its own that it answers {status} with: .RefusesWith({status}, \"…\")");
                    foreach (var (code, example) in codes)
                        Must((string?)Resolved(document, example!)["value"]!["title"] != code, $"a text for the code {code} of {status}");
                }
                if (status[0] == '2' && response!["content"]?["application/json"] is { } json) Must(json["example"] is not null, $"example of {status}");
            }
            Must(PathParameter().Matches(path).Select(match => match.Groups[1].Value).ToHashSet()
                .SetEquals((operation["parameters"]?.AsArray() ?? []).Where(p => (string?)p!["in"] == "path").Select(p => (string)p!["name"]!)), "the parameters of its path");
            foreach (var parameter in operation["parameters"]?.AsArray() ?? [])
            {
                Must((string?)parameter!["description"] is { Length: > 3 }, $"description of {parameter["name"]}");
                Must((string?)parameter["in"] == "header" || CamelCase().IsMatch((string)parameter["name"]!), $"{parameter["name"]} in camelCase");
                Must(parameter["schema"] is JsonObject { Count: > 0 }, $"schema of {parameter["name"]}");
                var chosen = parameter["schema"]!["$ref"] is not null || parameter["schema"]!["enum"] is not null || (string?)parameter["schema"]!["type"] == "boolean";
                Must(chosen || parameter["example"] is not null, $"example of {parameter["name"]}, among the parameters of Examples.json");
            }
            if (operation["requestBody"]?["content"] is JsonObject bodies) Must(bodies.Any(body => body.Value!["example"] is not null), "example of the request");
            if (method == "patch") Must(responses.ContainsKey("412") && responses.ContainsKey("428"), "412 and 428");
        }
        Assert.True(missing.Count == 0, string.Join('\n', missing));
    }

    [Fact]
    public async Task Every_schema_says_the_type_of_each_member()
    {
        var document = await Document();
        var schemas = document["components"]!["schemas"]!.AsObject();
        Assert.True(schemas.Count > 40);

        Assert.Empty(schemas.SelectMany(schema => (schema.Value!["properties"]?.AsObject() ?? []).Select(member => (Name: $"{schema.Key}.{member.Key}", Of: member.Value!)))
            .Where(member => member.Of["type"] is null && member.Of["$ref"] is null && member.Of["oneOf"] is null)
            .Select(member => member.Name));
        Assert.DoesNotContain("Tenant", schemas.Select(schema => schema.Key));
        Assert.DoesNotContain("Caller", schemas.Select(schema => schema.Key));
        Assert.Equal(["string"], schemas.Where(schema => schema.Value!["enum"] is not null).Select(schema => (string?)schema.Value!["type"]).Distinct());
    }

    [Fact]
    public async Task An_example_of_a_request_has_no_member_that_its_schema_does_not_know()
    {
        var document = await Document();
        var schemas = document["components"]!["schemas"]!;
        var looked = 0;
        foreach (var (_, _, operation) in Operations(document))
        {
            if (operation["requestBody"]?["content"]?["application/json"] is not { } body) continue;
            var schema = schemas[((string)body["schema"]!["$ref"]!).Split('/')[^1]]!;
            var example = body["example"]!.AsObject();
            Assert.Empty(example.Select(member => member.Key).Except(schema["properties"]!.AsObject().Select(member => member.Key)));
            Assert.Empty((schema["required"]?.AsArray() ?? []).Select(member => (string)member!).Except(example.Select(member => member.Key)));
            looked++;
        }
        Assert.True(looked > 15);
    }

    /// <summary>Kept in another form than it came in, or under another name.</summary>
    private static readonly string[] AnsweredOtherwise = ["createAccount: login", "setIdentityDocument: number", "withdrawAward: reason"];

    [Fact]
    public async Task What_the_example_of_a_request_asks_for_is_what_the_example_of_its_answer_says()
    {
        var (otherwise, compared) = (new List<string>(), 0);
        foreach (var (_, _, operation) in Operations(await Document()))
        {
            if (Example(operation["requestBody"]?["content"]) is not { } asked || Answers(operation).FirstOrDefault() is not { } answered) continue;
            foreach (var (member, value) in asked.Where(member => member.Value is null or JsonValue && answered.ContainsKey(member.Key)))
            {
                compared++;
                if (Plain(value) != Plain(answered[member])) otherwise.Add($"{operation["operationId"]}: {member}");
            }
        }

        Assert.Equal(AnsweredOtherwise, otherwise);
        Assert.True(compared > 50);

        static JsonObject? Example(JsonNode? content) => content?.AsObject().Where(body => body.Key is "application/json" or "application/merge-patch+json").Select(body => body.Value!["example"]).FirstOrDefault() as JsonObject;
        static string? Plain(JsonNode? value) => value is JsonValue one && one.TryGetValue<DateTimeOffset>(out var time) && one.ToString().Contains('T') ? $"{time.UtcDateTime:O}" : value?.ToString();
    }

    [Fact]
    public async Task Every_code_in_an_example_is_one_that_there_is()
    {
        var codes = Operations(await Document()).SelectMany(operation => Answers(operation.Operation)).SelectMany(Codes).ToHashSet();

        Assert.Contains("team_not_found", codes);
        Assert.DoesNotContain(codes, code => !Messages.Has(code));

        static IEnumerable<string> Codes(JsonNode? node) => node switch
        {
            JsonArray items => items.SelectMany(Codes),
            // Others are those of a check-in or a certificate.
            JsonObject members => members.SelectMany(member => member.Key == "code" && (string?)member.Value is { } code && code.Contains('_') ? [code] : Codes(member.Value)),
            _ => [],
        };
    }

    private static IEnumerable<JsonObject> Answers(JsonNode operation) =>
        operation["responses"]!.AsObject().Where(response => response.Key[0] == '2').Select(response => response.Value!["content"]?["application/json"]?["example"]).OfType<JsonObject>();

    [Theory]
    [InlineData("/openapi/v1.yaml", "openapi: '3.1")]
    [InlineData("/openapi/v1-3.0.json", "\"openapi\": \"3.0")]
    public async Task The_document_is_there_in_its_other_forms(string path, string beginning)
    {
        var answer = (await Host.Anonymous.Get(path)).ShouldBe(200);

        Assert.Contains(beginning, answer.Text[..100], StringComparison.Ordinal);
        Assert.Contains("recordService", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Swagger_UI_shows_the_document()
    {
        var page = (await Host.Anonymous.Get("/swagger/index.html")).ShouldBe(200);

        Assert.Contains("swagger-ui", page.Text, StringComparison.Ordinal);
        Assert.Contains("/openapi/v1.json", (await Host.Anonymous.Get("/swagger/index.js")).ShouldBe(200).Text, StringComparison.Ordinal);
    }

    private async Task<JsonNode> Document() => (await Host.Anonymous.Get("/openapi/v1.json")).ShouldBe(200).Body!;

    private static JsonNode Resolved(JsonNode document, JsonNode part) =>
        (string?)part["$ref"] is { } reference ? reference.Split('/').Skip(1).Aggregate(document, (node, name) => node[name]!) : part;

    private static IEnumerable<(string Path, string Method, JsonNode Operation)> Operations(JsonNode document) =>
        from path in document["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        select (path.Key, operation.Key, operation.Value!);

    private static string Folder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex PathParameter();

    [GeneratedRegex("^[a-z][a-zA-Z0-9]*$")]
    private static partial Regex CamelCase();
}
