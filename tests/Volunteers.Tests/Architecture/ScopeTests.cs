using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Platform;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Architecture;

/// <summary>Every operation says which scope opens it to clients, or that none does.</summary>
public sealed class ScopeTests(TestDatabases databases) : ApiTest(databases)
{
    private static readonly string[] ForPeople = [nameof(Access.Account), nameof(Access.Operate)];

    [Fact]
    public void Every_operation_states_its_scope_or_that_it_is_not_for_clients()
    {
        var endpoints = Endpoints();

        Assert.True(endpoints.Length > 100);
        Assert.Empty(endpoints.Where(endpoint => endpoint.Metadata.GetMetadata<ClientArea>() is null && !endpoint.Metadata.OfType<IAuthorizeData>().Any(data => ForPeople.Contains(data.Policy)))
            .Select(endpoint => endpoint.DisplayName));
    }

    [Fact]
    public void Every_scope_opens_something_and_nothing_needs_another() =>
        Assert.Equal(Scope.All.Keys.Order(), Endpoints().Select(ScopeOf).OfType<string>().Distinct().Order());

    [Fact]
    public async Task A_client_with_every_scope_but_that_of_the_operation_is_told_which_it_lacks()
    {
        var world = await World.Make(Host, Given);
        var o = new OrganizationSteps(Host, Given, world["organizationId"], world.As("administrator").At($"/v1/organizations/{world["organizationId"]}"));
        var scopes = Endpoints().ToDictionary(endpoint => endpoint.Metadata.GetRequiredMetadata<IEndpointNameMetadata>().EndpointName, ScopeOf);
        var (without, only) = (new Dictionary<string, Api>(), new Dictionary<string, Api>());
        foreach (var scope in Scope.All.Keys)
        {
            without[scope] = await Host.SignedIn(await o.Client(scopes: [.. Scope.All.Keys.Where(each => each != scope)]));
            only[scope] = await Host.SignedIn(await o.Client(scopes: [scope]));
        }

        var asked = 0;
        foreach (var operation in Operation.All.Where(operation => operation.Policy is not null && scopes[operation.Id] is not null
                     && operation.AnswerTo("client") != 'n'))
        {
            var scope = scopes[operation.Id]!;
            var body = operation.Body?.Invoke(world);
            if (body is string csv) body = new StringContent(csv, System.Text.Encoding.UTF8, "text/csv");

            var refused = await without[scope].Send(new HttpMethod(operation.Method), world.PathOf(operation), body, ("If-Match", "\"0\""));

            refused.ShouldRefuse(403, "insufficient_scope");
            Assert.Equal($"Bearer error=\"insufficient_scope\", scope=\"{scope}\"", refused.Header("WWW-Authenticate"));
            asked++;
            if (operation.Method == "GET") Assert.NotEqual(403, (await only[scope].Get(world.PathOf(operation))).Status);
        }
        Assert.True(asked > 80);
    }

    [Fact]
    public async Task The_document_names_the_scope_of_each_operation()
    {
        var document = (await Host.Anonymous.Get("/openapi/v1.json")).ShouldBe(200);
        var scopes = Endpoints().ToDictionary(endpoint => endpoint.Metadata.GetRequiredMetadata<IEndpointNameMetadata>().EndpointName, ScopeOf);

        var operations = document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject()).Select(operation => operation.Value!)
            .Where(operation => scopes.ContainsKey((string)operation["operationId"]!)).ToArray();

        Assert.Equal(scopes.Count, operations.Length);
        Assert.All(operations, operation => Assert.Equal(
            scopes[(string)operation["operationId"]!] is { } scope ? ["api", scope] : ["api"],
            operation["security"]!.AsArray().SelectMany(requirement => requirement!["oauth2"]!.AsArray()).Select(each => (string)each!)));
        var offered = document["components"]!["securitySchemes"]!["oauth2"]!["flows"]!["clientCredentials"]!["scopes"]!.AsObject();
        Assert.Equal(Scope.All.Keys.Append("api").Order(), offered.Select(scope => scope.Key).Order());
        Assert.All(offered, scope => Assert.True(((string)scope.Value!).Length > 10));
        var discovery = (await Host.Anonymous.Get("/.well-known/openid-configuration"))["scopes_supported"]!.AsArray().Select(scope => (string)scope!);
        Assert.Superset(Scope.All.Keys.ToHashSet(), discovery.ToHashSet());
    }

    private static string? ScopeOf(RouteEndpoint endpoint) =>
        Scope.Of(endpoint.Metadata, Assert.Single(endpoint.Metadata.GetRequiredMetadata<IHttpMethodMetadata>().HttpMethods));

    /// <summary>Those that need a token.</summary>
    private RouteEndpoint[] Endpoints()
    {
        Host.StartServer();
        return [.. Host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.StartsWith("/v1", StringComparison.Ordinal) && !endpoint.Metadata.OfType<IAllowAnonymous>().Any())];
    }
}
