using System.Diagnostics;

namespace Volunteers.Platform;

/// <summary>
/// Every request has a trace id, which refusals and the audit trail name, whether or not somebody collects traces: the framework
/// makes one only when it is listened to, and its log lines, which would listen too, are held back (<see cref="DiscreetLogs"/>).
/// Whoever calls gives its own in <c>traceparent</c>.
/// </summary>
internal sealed class RequestTraces : IHostedService, IDisposable
{
    private readonly ActivityListener listener = new()
    {
        ShouldListenTo = source => source.Name == "Microsoft.AspNetCore",
        Sample = (ref _) => ActivitySamplingResult.PropagationData,
    };

    public Task StartAsync(CancellationToken cancellationToken)
    {
        ActivitySource.AddActivityListener(listener);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => listener.Dispose();
}
