using System.Collections.Concurrent;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Platform;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Architecture;

public sealed partial class PermissionMatrixTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public void Every_endpoint_has_a_row_and_every_row_an_endpoint()
    {
        var endpoints = Endpoints().Select(Line).Order().ToArray();
        var rows = Operation.All.Select(operation => $"{operation.Method} {Shape(operation.Template)} {operation.Id}").Order().ToArray();

        Assert.NotEmpty(endpoints);
        Assert.Equal(rows, endpoints);
    }

    [Fact]
    public void Every_endpoint_states_the_policy_of_its_row()
    {
        var policies = Endpoints().ToDictionary(
            endpoint => endpoint.Metadata.GetRequiredMetadata<IEndpointNameMetadata>().EndpointName,
            endpoint => endpoint.Metadata.OfType<IAllowAnonymous>().Any() ? [] : endpoint.Metadata.OfType<IAuthorizeData>().Select(data => data.Policy!).ToArray());

        foreach (var operation in Operation.All)
        {
            var stated = policies[operation.Id];
            Assert.Equal(operation.Policy, stated.LastOrDefault());
            // The group's own policy is met by whoever is anybody here: what is 404 for others hangs on it.
            if (operation.Policy is not null && operation.Route.StartsWith("{o}/", StringComparison.Ordinal)) Assert.Equal("Member", stated[0]);
        }
    }

    /// <summary>A cell is one operation asked by one caller, over HTTP, with real ids of both organizations.</summary>
    [Fact]
    public async Task Every_caller_gets_the_answer_of_the_matrix()
    {
        var world = await World.Make(Host, Given);
        var scopes = Endpoints().ToDictionary(endpoint => endpoint.Metadata.GetRequiredMetadata<IEndpointNameMetadata>().EndpointName,
            endpoint => Scope.Of(endpoint.Metadata, endpoint.Metadata.GetRequiredMetadata<IHttpMethodMetadata>().HttpMethods[0]));
        var cells = new ConcurrentDictionary<(string Operation, string Caller), string?>();

        // The callers of one operation one after the other; operations beside each other, which is why each that deletes deletes something of its own.
        await Parallel.ForEachAsync(Operation.All, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = TestContext.Current.CancellationToken }, async (operation, _) =>
        {
            Assert.Equal(World.Callers.Length, operation.Answers.Replace(" ", "", StringComparison.Ordinal).Length);
            foreach (var caller in World.Callers)
                Assert.True(cells.TryAdd((operation.Id, caller), await Wrong(world, operation, caller, scopes[operation.Id])));
        });

        Assert.Equal(Operation.All.Length * World.Callers.Length, cells.Count);
        TestContext.Current.TestOutputHelper!.WriteLine($"{Operation.All.Length} operations × {World.Callers.Length} callers = {cells.Count} cells");
        var wrong = cells.Where(cell => cell.Value is not null).Select(cell => $"{cell.Key.Operation} as {cell.Key.Caller}: {cell.Value}").Order(StringComparer.Ordinal).ToArray();
        Assert.True(wrong.Length == 0, string.Join('\n', wrong));
    }

    /// <summary>What is wrong with a cell; null when nothing is.</summary>
    private static async Task<string?> Wrong(World world, Operation operation, string caller, string? scope)
    {
        var body = operation.Body?.Invoke(world);
        if (body is string csv) body = new StringContent(csv, Encoding.UTF8, "text/csv");
        var api = caller == World.WithoutScope ? world.Without(scope) : world.As(caller);
        var path = await world.PathFor(operation, caller);
        var answer = await api.Send(new HttpMethod(operation.Method), path, body, ("If-Match", "\"0\""));

        var expected = operation.AnswerTo(caller);
        var right = expected switch
        {
            'u' => answer is { Status: 401, Code: "not_signed_in" } && answer.Header("WWW-Authenticate")?.StartsWith("Bearer", StringComparison.Ordinal) == true,
            'n' => answer.Status == 403 && (caller != World.WithoutScope || scope is null || answer.Code is "insufficient_scope" or "forbidden"),
            '0' => answer is { Status: 404, Code: not null },
            'y' => operation.Method == "GET" ? answer.Status == 200 : answer.Status is < 500 and not (401 or 403 or 404),
            _ => false,
        };
        return right ? null : $"expected {expected}, got {answer.Status} {answer.Text}";
    }

    private RouteEndpoint[] Endpoints()
    {
        Host.StartServer();
        return [.. Host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.StartsWith("/v1", StringComparison.Ordinal))];
    }

    private static string Line(RouteEndpoint endpoint) =>
        $"{Assert.Single(endpoint.Metadata.GetRequiredMetadata<IHttpMethodMetadata>().HttpMethods)} {Shape(endpoint.RoutePattern.RawText!)} "
        + endpoint.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName;

    /// <summary>Parameters without their names: a row may name another id of the same kind.</summary>
    private static string Shape(string route) => Parameter().Replace(route, "{}").TrimEnd('/');

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Parameter();
}
