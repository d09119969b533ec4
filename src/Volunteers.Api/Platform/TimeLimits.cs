using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.Options;

namespace Volunteers.Platform;

/// <summary>
/// How long a request may take. The limit cancels the token that every statement was given, so the database stops working on
/// an answer that nobody waits for; a change that was not committed by then leaves nothing.
/// </summary>
internal sealed class TimeLimits
{
    /// <summary>An ordinary request.</summary>
    public int RequestSeconds { get; init; } = 30;

    /// <summary>A request that exports or imports a file.</summary>
    public int FileSeconds { get; init; } = 300;
}

internal static class TimeLimiting
{
    private const string Files = nameof(Files);

    public static void AddTimeLimits(this IServiceCollection services)
    {
        services.AddOptions<TimeLimits>().BindConfiguration(nameof(TimeLimits))
            .Validate(limits => limits is { RequestSeconds: > 0, FileSeconds: > 0 }, "TimeLimits: every limit must be above zero.").ValidateOnStart();
        services.AddRequestTimeouts();
        services.AddOptions<RequestTimeoutOptions>().Configure<IOptions<TimeLimits>>((timeouts, limits) =>
        {
            timeouts.DefaultPolicy = Policy(limits.Value.RequestSeconds);
            timeouts.AddPolicy(Files, Policy(limits.Value.FileSeconds));
        });
    }

    /// <summary>This route reads or writes whole files.</summary>
    public static TBuilder HandlesFiles<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new RequestTimeoutAttribute(Files));

    private static RequestTimeoutPolicy Policy(int seconds) => new()
    {
        Timeout = TimeSpan.FromSeconds(seconds),
        WriteTimeoutResponse = http =>
        {
            RateLimiting.AskToWait(http, TimeSpan.FromSeconds(2));
            return Problems.Write(http, StatusCodes.Status503ServiceUnavailable, "took_too_long");
        },
    };
}
