using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Volunteers.Platform;

/// <summary>
/// How much may be asked for; 0 is no limit. Rates are counted by each process for itself: they bound what one process takes
/// on, and nothing true rests on them. What has to hold over all replicas, open applications and running exports, is counted
/// in the database.
/// </summary>
internal sealed class RateLimits
{
    /// <summary>From one account or client, exports and imports aside.</summary>
    public int RequestsPerMinute { get; init; } = 1_200;

    /// <summary>From one address, before it is known who calls. A whole community may sit behind one.</summary>
    public int RequestsPerMinuteFromAddress { get; init; } = 6_000;

    /// <summary>From one address: password resets asked for and tried.</summary>
    public int PasswordResetsPerHour { get; init; } = 30;

    /// <summary>From one address: tokens, and whatever else costs the hash of a password.</summary>
    public int SignInsPerMinute { get; init; } = 120;

    /// <summary>With one login or client id, from whatever addresses; a third of them from one.</summary>
    public int SignInsPerMinuteAndLogin { get; init; } = 30;

    /// <summary>From one address: certificates verified and calendars read, wrong codes included.</summary>
    public int VerificationsPerMinute { get; init; } = 60;

    /// <summary>From one account or client: reports as files, records, certificates to print.</summary>
    public int ExportsPerMinute { get; init; } = 30;

    /// <summary>Of one organization at the same time, over all replicas: reports as files, records.</summary>
    public int ExportsAtOnce { get; init; } = 2;

    /// <summary>Of one organization that wait for another to end, at each replica.</summary>
    public int ExportsWaiting { get; init; } = 4;

    /// <summary>From one account or client.</summary>
    public int ImportsPerMinute { get; init; } = 20;

    /// <summary>From one address, refused ones included.</summary>
    public int ApplicationsPerHour { get; init; } = 10;

    /// <summary>Waiting for an answer in one organization.</summary>
    public int OpenApplications { get; init; } = 500;

    /// <summary>Imports and exports of one organization that wait or run.</summary>
    public int OpenJobs { get; init; } = 20;

    public bool MakeSense => new[]
    {
        RequestsPerMinute, RequestsPerMinuteFromAddress, SignInsPerMinute, SignInsPerMinuteAndLogin, PasswordResetsPerHour, VerificationsPerMinute,
        ExportsPerMinute, ExportsAtOnce, ExportsWaiting, ImportsPerMinute, ApplicationsPerHour, OpenApplications, OpenJobs,
    }.All(limit => limit is >= 0 and <= 1_000_000);
}

/// <summary>What a request costs this service, by which it is limited.</summary>
internal enum Cost
{
    Ordinary,
    SignIn,
    PasswordReset,
    Verification,
    Application,
    Export,
    Import,
}

/// <summary>
/// Limits of rates, first by the client's address, before the body is read or a token looked at, and then by who calls.
/// </summary>
internal static class RateLimiting
{
    public static void AddRateLimits(this IServiceCollection services)
    {
        services.AddOptions<RateLimits>().BindConfiguration(nameof(RateLimits))
            .Validate(limits => limits.MakeSense, "RateLimits: every limit must be 0, for none, or a number up to 1,000,000.").ValidateOnStart();
        services.AddSingleton<Quotas>();
        services.AddExportSlots();
    }

    /// <summary>Before the body is read, let alone a connection taken.</summary>
    public static void UseAddressLimits(this WebApplication app) => app.Use((http, next) =>
    {
        var cost = CostOf(http);
        return IsGranted(http, cost, http.RequestServices.GetRequiredService<Quotas>().OfAddress(cost), KeyOf(AddressOf(http))) ? next(http) : Refuse(http);
    });

    /// <summary>Once it is known who calls, and before anything is looked up for them.</summary>
    public static void UseCallerLimits(this WebApplication app) => app.Use((http, next) =>
    {
        var cost = CostOf(http);
        return Caller.Of(http) is not { } caller || http.RequestServices.GetRequiredService<Quotas>().OfCaller(cost) is not { } quota
            || IsGranted(http, cost, quota, caller.ActorId) ? next(http) : Refuse(http);
    });

    /// <summary>What this route costs, where it is not ordinary.</summary>
    public static TBuilder Costs<TBuilder>(this TBuilder builder, Cost cost) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new RequestCost(_ => cost));

    /// <summary>What a request to this route costs, where requests differ.</summary>
    public static TBuilder Costs<TBuilder>(this TBuilder builder, Func<HttpRequest, Cost> cost) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new RequestCost(cost));

    /// <summary>How this route says that there were too many requests, where it does not answer with a problem.</summary>
    public static TBuilder SaysTooMany<TBuilder>(this TBuilder builder, Func<HttpContext, Task> answer) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new TooManyAnswer(answer));

    public static void AskToWait(HttpContext http, TimeSpan wait) =>
        http.Response.Headers.RetryAfter = ((long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    /// <summary>Whoever has an IPv6 address has the 2^64 beside it too: they count as one.</summary>
    internal static IPAddress AddressOf(HttpContext http)
    {
        var address = http.Connection.RemoteIpAddress ?? IPAddress.None;
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? new IPAddress([.. address.GetAddressBytes()[..8], .. new byte[8]]) : address;
    }

    private static Guid KeyOf(IPAddress address) => new(address.MapToIPv6().GetAddressBytes());

    private static Cost CostOf(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<RequestCost>()?.Of(http.Request) ?? Cost.Ordinary;

    private static bool IsGranted(HttpContext http, Cost cost, Quota quota, Guid key)
    {
        if (quota.Permits == 0) return true;
        var standing = quota.Take(key);
        if (!standing.Granted) AskToWait(http, standing.Wait);

        // As the response starts: a refusal on the way clears the headers, and the limit asked last is the narrower.
        if (http.Features.Get<Told>() is null) http.Response.OnStarting(() => http.Features.Get<Told>()!.Write(http.Response.Headers));
        http.Features.Set(new Told(cost, quota, standing));
        return standing.Granted;
    }

    private static Task Refuse(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<TooManyAnswer>() is { } own
        ? own.Write(http)
        : Problems.Write(http, StatusCodes.Status429TooManyRequests, "too_many_requests");

    private sealed record RequestCost(Func<HttpRequest, Cost> Of);

    private sealed record TooManyAnswer(Func<HttpContext, Task> Write);

    /// <summary>The fields of draft-ietf-httpapi-ratelimit-headers, for clients that pace themselves.</summary>
    private sealed record Told(Cost Cost, Quota Quota, Standing Standing)
    {
        public Task Write(IHeaderDictionary headers)
        {
            var name = $"\"{JsonNamingPolicy.CamelCase.ConvertName(Cost.ToString())}\"";
            headers["RateLimit-Policy"] = string.Create(CultureInfo.InvariantCulture, $"{name};q={Quota.Permits};w={(long)Quota.Period.TotalSeconds}");
            headers["RateLimit"] = string.Create(CultureInfo.InvariantCulture, $"{name};r={Standing.Remaining};t={(long)Math.Ceiling(Standing.WholeIn.TotalSeconds)}");
            return Task.CompletedTask;
        }
    }
}

/// <summary>What is left of each limit.</summary>
internal sealed class Quotas(IOptions<RateLimits> limits, TimeProvider clock)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Quota requestsOfAddress = new(limits.Value.RequestsPerMinuteFromAddress, Minute, clock);
    private readonly Quota signIns = new(limits.Value.SignInsPerMinute, Minute, clock);
    private readonly Quota passwordResets = new(limits.Value.PasswordResetsPerHour, TimeSpan.FromHours(1), clock);
    private readonly Quota verifications = new(limits.Value.VerificationsPerMinute, Minute, clock);
    private readonly Quota applications = new(limits.Value.ApplicationsPerHour, TimeSpan.FromHours(1), clock);
    private readonly Quota requests = new(limits.Value.RequestsPerMinute, Minute, clock);
    private readonly Quota exports = new(limits.Value.ExportsPerMinute, Minute, clock);
    private readonly Quota imports = new(limits.Value.ImportsPerMinute, Minute, clock);

    public Quota OfAddress(Cost cost) => cost switch
    {
        Cost.SignIn => signIns,
        Cost.PasswordReset => passwordResets,
        Cost.Verification => verifications,
        Cost.Application => applications,
        _ => requestsOfAddress,
    };

    /// <summary>Null where whoever calls is limited by their address alone.</summary>
    public Quota? OfCaller(Cost cost) => cost switch
    {
        Cost.Ordinary => requests,
        Cost.Export => exports,
        Cost.Import => imports,
        _ => null,
    };
}
