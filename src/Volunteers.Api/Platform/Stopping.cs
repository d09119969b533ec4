using Microsoft.Extensions.Options;

namespace Volunteers.Platform;

/// <summary>How the service stops.</summary>
internal sealed class StoppingSettings
{
    /// <summary>
    /// Seconds between the first word that it stops, from when on <c>/health/ready</c> says so, and the moment at which it takes no more requests:
    /// as long as whoever sends them here needs to notice.
    /// </summary>
    public int WaitSeconds { get; init; } = 5;
}

/// <summary>
/// A server that stops takes no more connections at once, while a balancer still sends it some, and those are lost. So readiness ends first,
/// everything is answered for a while longer, and only then the server stops and what has begun is finished.
/// </summary>
internal sealed class Stopping(IOptions<StoppingSettings> settings) : IHostedLifecycleService
{
    public bool HasBegun { get; private set; }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        if (HasBegun) return;
        HasBegun = true;
        // Whoever cannot wait for us any longer cancels: then it stops without the rest.
        await Task.Delay(TimeSpan.FromSeconds(settings.Value.WaitSeconds), cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
