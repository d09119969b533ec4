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

    /// <summary>The policy of the routes that verify certificates.</summary>
    public const string Verifications = nameof(Verifications);

    /// <summary>The policy of the routes that reset passwords.</summary>
    public const string PasswordResets = nameof(PasswordResets);

    /// <summary>From one client address: asked for and tried.</summary>
    public int PasswordResetsPerHour { get; init; } = 30;

    /// <summary>From one client address, those of wrong codes included.</summary>
    public int VerificationsPerMinute { get; init; } = 60;

    /// <summary>From one client address, refused ones included.</summary>
    public int ApplicationsPerHour { get; init; } = 10;

    /// <summary>Waiting for an answer in one organization.</summary>
    public int OpenApplications { get; init; } = 500;
}

/// <summary>
/// Limits of routes by the client's address, with the framework's limiters. Its own middleware is not used: that one is never
/// disposed, and every test host would live, and tick ten times a second, to the end of the run.
/// </summary>
internal static class RateLimiting
{
    public static void AddRateLimits(this IServiceCollection services)
    {
        services.AddOptions<RateLimits>().BindConfiguration(nameof(RateLimits))
            .Validate(limits => limits is { ApplicationsPerHour: > 0, PasswordResetsPerHour: > 0, OpenApplications: > 0, VerificationsPerMinute: > 0 }, "RateLimits: every limit must be above zero.").ValidateOnStart();
        services.AddLimit(RateLimits.Applications, limits => limits.ApplicationsPerHour, TimeSpan.FromHours(1));
        services.AddLimit(RateLimits.PasswordResets, limits => limits.PasswordResetsPerHour, TimeSpan.FromHours(1));
        services.AddLimit(RateLimits.Verifications, limits => limits.VerificationsPerMinute, TimeSpan.FromMinutes(1));
    }

    private static void AddLimit(this IServiceCollection services, string policy, Func<RateLimits, int> permits, TimeSpan window) =>
        services.AddKeyedSingleton(policy, (provider, _) =>
        {
            var limit = permits(provider.GetRequiredService<IOptions<RateLimits>>().Value);
            return PartitionedRateLimiter.Create<HttpContext, IPAddress>(http => RateLimitPartition.GetFixedWindowLimiter(CallerOf(http),
                _ => new FixedWindowRateLimiterOptions { PermitLimit = limit, Window = window }));
        });

    /// <summary>Before the body is read, let alone a connection taken.</summary>
    public static void UseRateLimits(this WebApplication app) => app.Use(async (http, next) =>
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<LimitedBy>() is { } limited)
        {
            using var lease = http.RequestServices.GetRequiredKeyedService<PartitionedRateLimiter<HttpContext>>(limited.Policy).AttemptAcquire(http);
            if (!lease.IsAcquired)
            {
                AskToWait(http, lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : TimeSpan.FromHours(1));
                await Problems.Write(http, StatusCodes.Status429TooManyRequests, "too_many_requests");
                return;
            }
        }
        await next(http);
    });

    /// <summary>This route is limited by the policy of that name.</summary>
    public static TBuilder LimitedBy<TBuilder>(this TBuilder builder, string policy) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new LimitedBy(policy));

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

internal sealed record LimitedBy(string Policy);
