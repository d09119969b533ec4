using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Platform;

/// <summary>Whoever sends requests to a service that is about to stop hears of it before the first of them is lost.</summary>
public sealed class StoppingTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task A_service_that_stops_first_says_that_it_is_not_ready_and_still_answers()
    {
        await using var host = new ApiHost(ConnectionString, [new("Stopping:WaitSeconds", "100")]);
        host.StartServer();
        (await host.Anonymous.Get("/health/ready")).ShouldBe(200);
        using var patience = new CancellationTokenSource();

        var stops = host.Services.GetRequiredService<IHost>().StopAsync(patience.Token);

        var refused = (await host.Anonymous.Get("/health/ready")).ShouldRefuse(503, "stopping");
        Assert.NotNull(refused.Header("Retry-After"));
        (await host.Anonymous.Get("/health/live")).ShouldBe(200);
        (await host.Anonymous.Get("/openapi/v1.json")).ShouldBe(200);
        Assert.False(stops.IsCompleted);

        await patience.CancelAsync();
        await Record.ExceptionAsync(() => stops);
        await Assert.ThrowsAsync<HttpRequestException>(() => host.Anonymous.Get("/health/live"));
    }
}
