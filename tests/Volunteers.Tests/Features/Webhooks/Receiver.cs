using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Webhooks;

/// <summary>What a receiver was sent.</summary>
public sealed record Arrival(string Path, Dictionary<string, string> Headers, string Body)
{
    public string Id => Headers["webhook-id"];

    public JsonNode Message => JsonNode.Parse(Body)!;

    public string Type => (string)Message["type"]!;

    /// <summary>What others make of it with this secret; fails when it is not signed with it.</summary>
    public Task<JsonNode> ReadWith(string secret) => NodeReader.Run("read-webhook.mjs", new { secret, headers = Headers, body = Body });
}

/// <summary>Another system on a port of its own: takes what is posted, and answers as it is told.</summary>
public sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication app;

    private Receiver(WebApplication app) => this.app = app;

    /// <summary>In the order in which they came.</summary>
    public ConcurrentQueue<Arrival> Arrivals { get; } = [];

    /// <summary>What it answers; 204 unless said otherwise.</summary>
    public Func<Arrival, HttpContext, Task> Answer { get; set; } = (_, http) => Say(http, 204);

    public string Url => app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First() + "/hooks";

    public static async Task<Receiver> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var receiver = new Receiver(builder.Build());
        receiver.app.Map("/{**path}", receiver.Take);
        await receiver.app.StartAsync();
        return receiver;
    }

    public static Task Say(HttpContext http, int status)
    {
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    public void Answers(int status) => Answer = (_, http) => Say(http, status);

    /// <summary>Waits until so many came.</summary>
    public async Task<Arrival[]> Received(int howMany)
    {
        var until = DateTime.UtcNow.AddMinutes(2);
        while (Arrivals.Count < howMany && DateTime.UtcNow < until) await Task.Delay(20, TestContext.Current.CancellationToken);
        Assert.True(Arrivals.Count >= howMany, $"{Arrivals.Count} of {howMany} messages came.");
        return [.. Arrivals];
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private async Task Take(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        var arrival = new Arrival(http.Request.Path, http.Request.Headers.ToDictionary(header => header.Key.ToLowerInvariant(), header => header.Value.ToString()), await reader.ReadToEndAsync());
        Arrivals.Enqueue(arrival);
        await Answer(arrival, http);
    }
}
