using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>A community's gateway for text messages, on a port of its own: takes what is posted, and fails when it is told to.</summary>
public sealed class Gateway : IAsyncDisposable
{
    public const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    private readonly WebApplication app;

    private Gateway(WebApplication app) => this.app = app;

    public ConcurrentQueue<(Dictionary<string, string> Headers, string Body)> Taken { get; } = [];

    /// <summary>What is answered, before a 200 for all that follows.</summary>
    public ConcurrentQueue<int> Answers { get; } = [];

    /// <summary>The settings of a service that sends here.</summary>
    public (string, string)[] Settings =>
        [("Sender:Url", app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First() + "/messages"), ("Sender:Secret", Secret)];

    public static async Task<Gateway> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var gateway = new Gateway(builder.Build());
        gateway.app.MapPost("/messages", gateway.Take);
        await gateway.app.StartAsync();
        return gateway;
    }

    /// <summary>Waits until so many messages came; answers them in order.</summary>
    public async Task<JsonNode[]> Messages(int howMany)
    {
        var until = DateTime.UtcNow.AddSeconds(30);
        while (Taken.Count < howMany && DateTime.UtcNow < until) await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.True(Taken.Count >= howMany, $"{Taken.Count} of {howMany} messages came.");
        return [.. Taken.Select(message => JsonNode.Parse(message.Body)!)];
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task<IResult> Take(HttpRequest request)
    {
        using var reader = new StreamReader(request.Body);
        Taken.Enqueue((request.Headers.ToDictionary(header => header.Key.ToLowerInvariant(), header => header.Value.ToString()), await reader.ReadToEndAsync()));
        return Results.StatusCode(Answers.TryDequeue(out var status) ? status : 200);
    }
}
