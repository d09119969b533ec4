using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Volunteers.Platform;

/// <summary>A message to a person, with everything that a gateway for text messages or e-mail may want to choose from.</summary>
/// <param name="Id">The same when it is sent again.</param>
/// <param name="Kind">What it is about: <c>passwordReset</c>, <c>webhookDisabled</c>.</param>
/// <param name="Channel"><c>email</c> or <c>sms</c>.</param>
/// <param name="To">An e-mail address or an E.164 phone number.</param>
/// <param name="Language"><c>zh-CN</c> or <c>en</c>.</param>
/// <param name="Subject">One line.</param>
/// <param name="Text">The whole message.</param>
/// <param name="Code">The code in it, for gateways that fill in a template of their own; null when there is none.</param>
/// <param name="ExpiresAt">Until when the code is good; null when there is none.</param>
internal sealed record Message(
    Guid Id, string Kind, string Channel, string To, string Language, string Subject, string Text, string? Code, DateTimeOffset? ExpiresAt);

/// <summary>Brings messages to people: an outside system.</summary>
internal interface ISender
{
    Task Send(Message message, CancellationToken ct);
}

/// <summary>Where messages go.</summary>
internal sealed class SenderSettings
{
    /// <summary>Takes each message as a POST; https, or http on this machine. With none, messages are logged in Development and nowhere sent elsewhere.</summary>
    public Uri? Url { get; init; }

    /// <summary>The key that requests are signed with: 24 to 64 bytes in base 64, with <c>whsec_</c> before it or not.</summary>
    public string? Secret { get; init; }

    public byte[]? Key
    {
        get
        {
            var text = Secret?.Replace("whsec_", "", StringComparison.Ordinal) ?? "";
            var key = new byte[64];
            return Convert.TryFromBase64String(text, key, out var length) && length >= 24 ? key[..length] : null;
        }
    }

    public static void AddTo(WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<SenderSettings>().BindConfiguration("Sender")
            .Validate(settings => settings.Url is not { } url || (url.IsAbsoluteUri && (url.Scheme == "https" || (url.Scheme == "http" && url.IsLoopback))),
                "Sender:Url must be an https address.")
            .Validate(settings => settings.Url is null || settings.Key is not null, "Sender:Secret must be 24 to 64 bytes in base 64.")
            .ValidateOnStart();
        builder.Services.AddSingleton<ISender>(services => services.GetRequiredService<IOptions<SenderSettings>>().Value switch
        {
            { Url: { } url, Key: { } key } => new HttpSender(url, key, services.GetRequiredService<TimeProvider>()),
            _ when builder.Environment.IsDevelopment() => new LogSender(services.GetRequiredService<ILogger<LogSender>>()),
            _ => new NoSender(services.GetRequiredService<ILogger<NoSender>>()),
        });
    }
}

/// <summary>
/// Posts each message as JSON to the address that the community set up, signed as Standard Webhooks 1.0 says, so that their side
/// can check it with any library.
/// </summary>
internal sealed class HttpSender(Uri url, byte[] key, TimeProvider clock) : ISender, IDisposable
{
    private readonly HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
    {
        Timeout = TimeSpan.FromSeconds(10), MaxResponseContentBufferSize = 64 * 1024,
    };

    public async Task Send(Message message, CancellationToken ct)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(message, Json.Options);
        var timestamp = clock.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{message.Id}.{timestamp}."), .. body];
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add("webhook-id", message.Id.ToString());
        request.Headers.Add("webhook-timestamp", timestamp);
        request.Headers.Add("webhook-signature", "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed)));
        using var response = await http.SendAsync(request, ct);
        response.EnsureSuccessStatusCode();
    }

    public void Dispose() => http.Dispose();
}

/// <summary>In Development, where the developer is the one who reads it.</summary>
internal sealed class LogSender(ILogger<LogSender> log) : ISender
{
    public Task Send(Message message, CancellationToken ct)
    {
        log.LogInformation("Message to {To}: {Text}", message.To, message.Text);
        return Task.CompletedTask;
    }
}

/// <summary>Nothing is set up to send with: said once, when the service starts.</summary>
internal sealed class NoSender : ISender
{
    public NoSender(ILogger<NoSender> log) =>
        log.LogWarning("No sender is configured (Sender:Url): nobody gets a code to reset their password, other than from a coordinator, nor a notice of a webhook that was disabled");

    public Task Send(Message message, CancellationToken ct) => Task.CompletedTask;
}
