using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Volunteers.Tests.Features.Privacy;

/// <summary>Everything that a service writes down about its work: every log line with its scopes and values, every tag of a trace or a metric.</summary>
internal sealed class Recorder : ILoggerProvider, ISupportExternalScope
{
    private readonly ActivityListener traces;
    private readonly MeterListener metrics;
    private IExternalScopeProvider scopes = new LoggerExternalScopeProvider();

    public Recorder()
    {
        traces = new ActivityListener
        {
            ShouldListenTo = _ => true, Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded, ActivityStopped = Traced,
        };
        ActivitySource.AddActivityListener(traces);
        metrics = new MeterListener { InstrumentPublished = (instrument, listener) => listener.EnableMeasurementEvents(instrument) };
        metrics.SetMeasurementEventCallback<long>(Measured);
        metrics.SetMeasurementEventCallback<int>(Measured);
        metrics.SetMeasurementEventCallback<double>(Measured);
        metrics.Start();
    }

    public ConcurrentQueue<string> Logs { get; } = [];

    public ConcurrentQueue<string> Traces { get; } = [];

    public ConcurrentQueue<string> Metrics { get; } = [];

    public IEnumerable<string> All => [.. Logs.ToArray(), .. Traces.ToArray(), .. Metrics.ToArray()];

    public ILogger CreateLogger(string categoryName) => new Log(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => scopes = scopeProvider;

    public void Dispose()
    {
        traces.Dispose();
        metrics.Dispose();
    }

    private void Traced(Activity activity)
    {
        var text = new StringBuilder($"{activity.Source.Name} {activity.OperationName} {activity.DisplayName} {activity.StatusDescription}");
        Append(text, activity.TagObjects);
        foreach (var item in activity.Baggage) text.Append(' ').Append(item.Key).Append('=').Append(item.Value);
        foreach (var happened in activity.Events)
        {
            text.Append(' ').Append(happened.Name);
            Append(text, happened.Tags);
        }
        Traces.Enqueue(text.ToString());
    }

    private void Measured<T>(Instrument instrument, T measurement, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        var text = new StringBuilder(instrument.Name);
        Append(text, tags.ToArray());
        Metrics.Enqueue(text.ToString());
    }

    private static void Append(StringBuilder text, IEnumerable<KeyValuePair<string, object?>> tags)
    {
        foreach (var (name, value) in tags) text.Append(' ').Append(name).Append('=').Append(value is string[] many ? string.Join(',', many) : value);
    }

    private sealed class Log(Recorder recorder, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => recorder.scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        void ILogger.Log<TState>(LogLevel level, EventId id, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var text = new StringBuilder($"{level} {category}: {formatter(state, exception)} {exception}");
            if (state is IEnumerable<KeyValuePair<string, object?>> values) Append(text, values);
            recorder.scopes.ForEachScope((scope, into) =>
            {
                into.Append(" | ").Append(scope);
                if (scope is IEnumerable<KeyValuePair<string, object?>> members) Append(into, members);
            }, text);
            recorder.Logs.Enqueue(text.ToString());
        }
    }
}
