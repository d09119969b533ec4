using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Volunteers.Platform;

/// <summary>
/// Traces, metrics and logs to any collector that speaks OTLP, once <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> names one; the other
/// standard settings (protocol, headers, sampler, resource attributes) are OpenTelemetry's own. Without it nothing is collected.
/// </summary>
internal static class Telemetry
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        builder.Services.AddHostedService<RequestTraces>();
        if (string.IsNullOrEmpty(builder.Configuration[Endpoint])) return;

        builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("volunteers", serviceVersion: typeof(Telemetry).Assembly.GetName().Version!.ToString(3)))
            .WithTracing(traces => traces
                .AddAspNetCoreInstrumentation(requests => (requests.EnrichWithHttpRequest, requests.EnrichWithHttpResponse) =
                    ((activity, _) => Forget(activity), (activity, response) => activity.SetTag("volunteers.request_id", RequestLog.IdOf(response.HttpContext))))
                .AddSource("Npgsql"))
            .WithMetrics(metrics => metrics
                .AddMeter(Measures.MeterName, "Npgsql", "System.Runtime", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.Routing"))
            .WithLogging(configureBuilder: null, logs => logs.IncludeFormattedMessage = true)
            .UseOtlpExporter();
    }

    /// <summary>Paths hold the codes of certificates and calendars, queries the names that are searched for; the route stays.</summary>
    private static void Forget(System.Diagnostics.Activity activity) => activity.SetTag("url.path", null).SetTag("url.query", null);
}
