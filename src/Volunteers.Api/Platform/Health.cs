using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Volunteers.Platform;

/// <summary>Live: the process answers. Ready: it can serve, because PostgreSQL answers too.</summary>
internal static class Health
{
    public static void AddHealth(this IServiceCollection services) =>
        services.AddHealthChecks().AddCheck<PostgresAnswers>("postgres", timeout: TimeSpan.FromSeconds(2));

    public static void MapHealth(this WebApplication app)
    {
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false, ResponseWriter = Write });
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { ResponseWriter = Write });
    }

    private static Task Write(HttpContext http, HealthReport report) => report.Status == HealthStatus.Healthy
        ? http.Response.WriteAsJsonAsync(new { Status = report.Status.ToString() }, http.RequestAborted)
        : Problems.Write(http, StatusCodes.Status503ServiceUnavailable, "unavailable");

    private sealed class PostgresAnswers(NpgsqlDataSource database) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                await using var command = database.CreateCommand("select 1");
                await command.ExecuteScalarAsync(cancellationToken);
                return HealthCheckResult.Healthy();
            }
            catch (Exception failed) when (failed is NpgsqlException or TimeoutException or OperationCanceledException)
            {
                return HealthCheckResult.Unhealthy("PostgreSQL does not answer.", failed);
            }
        }
    }
}
