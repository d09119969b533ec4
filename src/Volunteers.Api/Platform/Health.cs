using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Volunteers.Platform;

/// <summary>
/// Live: the process answers. Ready: it can serve, because PostgreSQL answers too and holds this version's schema, and it is not about to
/// stop. Both are answered before anything that needs the database itself, such as who is calling.
/// </summary>
internal static class Health
{
    public static void AddHealth(this IServiceCollection services)
    {
        services.AddOptions<StoppingSettings>().BindConfiguration(nameof(Stopping))
            .Validate(settings => settings.WaitSeconds is >= 0 and <= 300, "Stopping:WaitSeconds must be 0 to 300.").ValidateOnStart();
        services.AddOptions<HostOptions>().Configure<IOptions<StoppingSettings>>((host, stopping) => host.ShutdownTimeout += TimeSpan.FromSeconds(stopping.Value.WaitSeconds));
        services.AddSingleton<Stopping>();
        services.AddHostedService(provider => provider.GetRequiredService<Stopping>());
        services.AddHealthChecks().AddCheck<NotStopping>("stopping").AddCheck<PostgresAnswers>("postgres", timeout: TimeSpan.FromSeconds(2));
    }

    public static void MapHealth(this WebApplication app)
    {
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false, ResponseWriter = Write }).ShortCircuit();
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { ResponseWriter = Write }).ShortCircuit();
    }

    private static Task Write(HttpContext http, HealthReport report)
    {
        if (report.Status == HealthStatus.Healthy) return http.Response.WriteAsJsonAsync(new { Status = report.Status.ToString() }, http.RequestAborted);
        RateLimiting.AskToWait(http, TimeSpan.FromSeconds(2));
        var reasons = report.Entries.Values.Select(entry => entry.Description).ToHashSet();
        return Problems.Write(http, StatusCodes.Status503ServiceUnavailable, reasons.Contains(IsStopping) ? "stopping" : reasons.Contains(NotMigrated) ? "not_migrated" : "unavailable");
    }

    private const string IsStopping = "The service is about to stop.";

    private const string NotMigrated = "The database does not hold this version's schema. Run: Volunteers.Api migrate";

    private sealed class NotStopping(Stopping stopping) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(stopping.HasBegun ? HealthCheckResult.Unhealthy(IsStopping) : HealthCheckResult.Healthy());
    }

    private sealed class PostgresAnswers(NpgsqlDataSource database, IServiceScopeFactory scopes) : IHealthCheck
    {
        private readonly Lazy<string> lastMigration = new(() =>
        {
            using var scope = scopes.CreateScope();
            return scope.ServiceProvider.GetRequiredService<DbContext>().Database.GetMigrations().Last();
        });

        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                // A newer schema is as good: versions run side by side while the service is being replaced.
                await using var command = database.CreateCommand("select 1 from \"__EFMigrationsHistory\" where migration_id = $1");
                command.Parameters.AddWithValue(lastMigration.Value);
                return await command.ExecuteScalarAsync(cancellationToken) is null ? HealthCheckResult.Unhealthy(NotMigrated) : HealthCheckResult.Healthy();
            }
            // No such table; and no such role, which the first migration makes.
            catch (PostgresException missing) when (missing.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidParameterValue)
            {
                return HealthCheckResult.Unhealthy(NotMigrated);
            }
            catch (Exception failed) when (failed is NpgsqlException or TimeoutException or OperationCanceledException)
            {
                return HealthCheckResult.Unhealthy("PostgreSQL does not answer.", failed);
            }
        }
    }
}
