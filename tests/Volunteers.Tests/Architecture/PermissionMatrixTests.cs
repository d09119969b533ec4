using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
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

    [Fact]
    public async Task Every_caller_gets_the_answer_of_the_matrix()
    {
        var world = await World.Make(Host, Given);
        var wrong = new List<string>();

        foreach (var operation in Operation.All)
        {
            var expected = operation.Answers.Replace(" ", "", StringComparison.Ordinal);
            Assert.Equal(World.Callers.Length, expected.Length);
            foreach (var (index, caller) in World.Callers.Index())
            {
                var answer = await Ask(world, operation, caller);
                if (Letter(answer) != expected[index]) wrong.Add($"{operation.Id} as {caller}: expected {expected[index]}, got {answer.Status} {answer.Text}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public async Task Another_organizations_ids_are_not_there()
    {
        var world = await World.Make(Host, Given);
        var stranger = world.As("administrator elsewhere");

        foreach (var operation in Operation.All.Where(operation => operation.Template.Contains("{organizationId}/", StringComparison.Ordinal)
                     && operation.Template.LastIndexOf('{') > operation.Template.IndexOf("{organizationId}", StringComparison.Ordinal)
                     && operation.Id is not "getRoles" and not "setRoles" and not "setColumnMapping" and not "setConsentText"))
        {
            var path = world.PathOf(operation).Replace(world["organizationId"], world["otherOrganization"], StringComparison.Ordinal);
            var answer = await stranger.Send(new HttpMethod(operation.Method), path, operation.Body?.Invoke(world), ("If-Match", "*"));
            answer.ShouldRefuse(404, "not_found");
        }
    }

    private static Task<Answer> Ask(World world, Operation operation, string caller)
    {
        var body = operation.Body?.Invoke(world);
        if (body is string csv) body = new StringContent(csv, Encoding.UTF8, "text/csv");
        return world.As(caller).Send(new HttpMethod(operation.Method), world.PathOf(operation), body, ("If-Match", "\"0\""));
    }

    private static char Letter(Answer answer) => answer.Status switch
    {
        401 => 'u',
        403 => 'n',
        404 => '0',
        >= 500 => '!',
        _ => 'y',
    };

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
