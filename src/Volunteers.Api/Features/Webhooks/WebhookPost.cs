using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Volunteers.Platform;

namespace Volunteers.Features.Webhooks;

/// <summary>What came of a try.</summary>
internal sealed record PostOutcome(DateTimeOffset At, TimeSpan Took, int? StatusCode, DeliveryFault? Fault);

/// <summary>
/// Posts messages as Standard Webhooks 1.0 says: body <c>{ type, timestamp, data }</c>, signed with every secret that is good. Of the answer
/// only the status is looked at.
/// </summary>
internal sealed class WebhookPost : IDisposable
{
    private static readonly TimeSpan ConnectionsLast = TimeSpan.FromMinutes(2);

    private readonly HttpClient http;
    private readonly TimeSpan limit;
    private readonly TimeProvider clock;

    public WebhookPost(PublicConnections connections, IOptions<WebhookSettings> settings, TimeProvider clock)
    {
        (limit, this.clock) = (TimeSpan.FromSeconds(settings.Value.TimeLimitSeconds), clock);
        http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = connections.Connect, UseProxy = false, AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = ConnectionsLast,
            MaxResponseHeadersLength = 16, MaxResponseDrainSize = 16 * 1024, ResponseDrainTimeout = TimeSpan.FromSeconds(1),
            // Nobody outside learns how requests go on in here.
            ActivityHeadersPropagator = null,
            // A certificate names where its issuer's can be had: whoever makes one would have us ask any address.
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck } },
        })
        { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>The same bytes at every try.</summary>
    public static byte[] BodyOf(string type, DateTimeOffset at, string data)
    {
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body, new JsonWriterOptions { Encoder = Json.Options.Encoder }))
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            json.WriteString("timestamp", Instant.AsKept(at).UtcDateTime);
            json.WritePropertyName("data");
            json.WriteRawValue(data);
            json.WriteEndObject();
        }
        return body.ToArray();
    }

    /// <param name="url">To where.</param>
    /// <param name="id">The message's, for the receiver to tell a repetition by.</param>
    /// <param name="body">What is said.</param>
    /// <param name="keys">Each makes a signature, so that a receiver which knows only one of them is content.</param>
    /// <param name="ct">Gives up, without an outcome.</param>
    public async Task<PostOutcome> Send(string url, Guid id, byte[] body, IReadOnlyList<byte[]> keys, CancellationToken ct)
    {
        var (at, started) = (clock.GetUtcNow(), Stopwatch.GetTimestamp());
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limited.CancelAfter(limit);
        try
        {
            using var request = RequestFor(url, id, body, keys, at);
            // The body of the answer is neither read nor kept: closing the answer ends it.
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limited.Token);
            return Outcome((int)response.StatusCode, FaultOf(response.StatusCode));
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return Outcome(null, DeliveryFault.TimedOut);
        }
        catch (Exception failed) when (!ct.IsCancellationRequested)
        {
            // Whatever one address brings about is an outcome of its own: others go out in the same round.
            return Outcome(null, FaultOf(failed));
        }

        PostOutcome Outcome(int? status, DeliveryFault? fault) => new(at, Stopwatch.GetElapsedTime(started), status, fault);
    }

    public void Dispose() => http.Dispose();

    private static HttpRequestMessage RequestFor(string url, Guid id, byte[] body, IReadOnlyList<byte[]> keys, DateTimeOffset now)
    {
        var timestamp = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body];
        var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add("webhook-id", id.ToString());
        request.Headers.Add("webhook-timestamp", timestamp);
        request.Headers.Add("webhook-signature", string.Join(' ', keys.Select(key => "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed)))));
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Volunteers-Webhooks", "1"));
        return request;
    }

    private static DeliveryFault? FaultOf(HttpStatusCode status) => (int)status switch
    {
        >= 200 and < 300 => null,
        >= 300 and < 400 => DeliveryFault.Redirected,
        410 => DeliveryFault.Gone,
        _ => DeliveryFault.Refused,
    };

    private static DeliveryFault FaultOf(Exception failed)
    {
        for (var cause = failed; cause is not null; cause = cause.InnerException)
            if (cause is AddressRefused) return DeliveryFault.AddressRefused;
            else if (cause is System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.HostNotFound or System.Net.Sockets.SocketError.NoData or System.Net.Sockets.SocketError.TryAgain })
                return DeliveryFault.NameUnknown;
        return failed is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } ? DeliveryFault.Insecure : DeliveryFault.Unreachable;
    }
}
