using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Platform;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Platform;

public sealed class RouteTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public void No_handler_of_the_contract_is_compiled_before_it_is_asked_for()
    {
        Host.StartServer();
        var endpoints = Host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.StartsWith("/v1/", StringComparison.Ordinal)).ToArray();

        Assert.True(endpoints.Length > 200);
        Assert.Empty(endpoints.Where(endpoint => endpoint.RequestDelegate!.Method.DeclaringType!.DeclaringType != typeof(Routes)).Select(endpoint => endpoint.DisplayName));
    }
}
