using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace Volunteers.Platform;

/// <summary>
/// How much strangers may ask for. The first limit is counted by each process for itself and only slows a caller down; the
/// second is counted in the database, so it holds however many replicas there are.
/// </summary>
internal sealed class RateLimits
{
    /// <summary>The policy of a route that makes applications.</summary>
    public const string Applications = nameof(Applications);

    /// <summary>From one client address, refused ones included.</summary>
    public int ApplicationsPerHour { get; init; } = 10;

    /// <summary>Waiting for an answer in one organization.</summary>
    public int OpenApplications { get; init; } = 500;
}

internal static class RateLimiting
{
    public static void AddRateLimits(this IServiceCollection services)
    {
        services.AddOptions<RateLimits>().BindConfiguration(nameof(RateLimits))
            .Validate(limits => limits is { ApplicationsPerHour: > 0, OpenApplications: > 0 }, "RateLimits: every limit must be above zero.").ValidateOnStart();
        services.AddRateLimiter(limiter =>
        {
            limiter.AddPolicy(RateLimits.Applications, http => RateLimitPartition.GetFixedWindowLimiter(CallerOf(http), _ => new FixedWindowRateLimiterOptions
            {
                PermitLimit = http.RequestServices.GetRequiredService<IOptions<RateLimits>>().Value.ApplicationsPerHour,
                Window = TimeSpan.FromHours(1),
            }));
            limiter.OnRejected = (rejected, _) =>
            {
                var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var given) ? given : TimeSpan.FromHours(1);
                AskToWait(rejected.HttpContext, wait);
                return new ValueTask(Problems.Write(rejected.HttpContext, StatusCodes.Status429TooManyRequests, "too_many_requests"));
            };
        });
    }

    public static void AskToWait(HttpContext http, TimeSpan wait) =>
        http.Response.Headers.RetryAfter = ((long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    /// <summary>Whoever has an IPv6 address has the 2^64 beside it too: they count as one.</summary>
    internal static IPAddress CallerOf(HttpContext http)
    {
        var address = http.Connection.RemoteIpAddress ?? IPAddress.None;
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? new IPAddress([.. address.GetAddressBytes()[..8], .. new byte[8]]) : address;
    }
}
