using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Diagnostics;

namespace Volunteers.Platform;

/// <summary>
/// One line for each request, when it has been answered: what was asked by its route, never by its address, which may hold a
/// name or a code. Whoever calls names the request in <c>X-Request-Id</c>, or it is named here; the answer carries the name.
/// </summary>
internal static partial class RequestLog
{
    private const string Header = "X-Request-Id";

    public static void UseRequestLog(this WebApplication app)
    {
        var log = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Volunteers.Requests");
        app.Use(async (http, next) =>
        {
            var began = Stopwatch.GetTimestamp();
            var requestId = NameOf(http);
            http.Features.Set(new Name(requestId));
            // At the end, because a refusal begins the answer anew.
            http.Response.OnStarting(() =>
            {
                http.Response.Headers[Header] = requestId;
                return Task.CompletedTask;
            });
            try
            {
                await next(http);
            }
            finally
            {
                var caller = Caller.Of(http);
                // Whoever answers an exception takes the endpoint away.
                var refused = http.Features.Get<IExceptionHandlerFeature>();
                var route = (http.GetEndpoint() ?? refused?.Endpoint) as RouteEndpoint;
                var values = refused?.RouteValues ?? http.Request.RouteValues;
                Answered(log, http.Response.StatusCode < 500 ? LogLevel.Information : LogLevel.Warning, MethodOf(http.Request), route?.RoutePattern.RawText?.TrimEnd('/'),
                    http.Response.StatusCode, Stopwatch.GetElapsedTime(began).TotalMilliseconds,
                    caller switch { null => null, { IsClient: true } => "client", _ => "account" }, caller?.ActorId,
                    Guid.TryParse(values.GetValueOrDefault("organizationId") as string, out var organization) ? organization : null,
                    Activity.Current?.TraceId.ToHexString(), requestId, http.RequestAborted.IsCancellationRequested);
            }
        });
    }

    public static string? IdOf(HttpContext http) => http.Features.Get<Name>()?.Value;

    private static string NameOf(HttpContext http) => http.Request.Headers[Header] is [{ } given] && GoodName().IsMatch(given)
        ? given
        : Activity.Current?.TraceId.ToHexString() ?? http.TraceIdentifier;

    /// <summary>One that HTTP knows: anything else was made up by whoever calls.</summary>
    private static string MethodOf(HttpRequest request) => request.Method is "GET" or "HEAD" or "POST" or "PUT" or "PATCH" or "DELETE" or "OPTIONS" ? request.Method : "other";

    [LoggerMessage(Message =
        "{Method} {Route} {Status} in {Milliseconds:0.0} ms for {Caller} {CallerId} in {OrganizationId}, trace {TraceId}, request {RequestId}, gone {Gone}")]
    private static partial void Answered(
        ILogger log, LogLevel level, string method, string? route, int status, double milliseconds, string? caller, Guid? callerId, Guid? organizationId,
        string? traceId, string requestId, bool gone);

    [GeneratedRegex(@"\A[A-Za-z0-9_.:-]{1,64}\z")]
    private static partial Regex GoodName();

    private sealed record Name(string Value);
}
