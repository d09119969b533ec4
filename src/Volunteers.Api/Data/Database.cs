using Microsoft.EntityFrameworkCore;
using Npgsql;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Data;

/// <summary>The one PostgreSQL behind the service, as the role that may not rewrite history.</summary>
internal static class Database
{
    public const string ConnectionName = "Volunteers";

    /// <summary>
    /// What the connection string does not say otherwise. Statements are prepared when they come again, and a session keeps them, since it is not
    /// reset between requests: what a request sets is set for its transaction, and locks of a session are given back by hand (<see cref="SessionLock"/>).
    /// </summary>
    private const string Defaults = "Max Auto Prepare=200;Auto Prepare Min Usages=3;No Reset On Close=true;";

    private static readonly CommittedRows Counting = new();

    public static void AddDatabase(this IServiceCollection services)
    {
        services.AddSingleton(provider => DataSource(ConnectionString(provider.GetRequiredService<IConfiguration>())));
        services.AddKeyedSingleton(AuditWriter.Connections, (provider, _) => DataSource(ConnectionString(provider.GetRequiredService<IConfiguration>()), mostConnections: 2));
        services.AddDbContextPool<VolunteersDb>((provider, options) => Configure(options, provider.GetRequiredService<NpgsqlDataSource>()));
        services.AddScoped<DbContext>(provider => provider.GetRequiredService<VolunteersDb>());
    }

    public static string ConnectionString(IConfiguration configuration) => configuration.GetConnectionString(ConnectionName) is { Length: > 0 } given
        ? given
        : throw new StartupRefused(
            "No database is configured. Set ConnectionStrings:Volunteers (environment: ConnectionStrings__Volunteers) to a PostgreSQL 15 or later, " +
            "or run with ASPNETCORE_ENVIRONMENT=Development to start a private one.");

    public static void Configure(DbContextOptionsBuilder options, NpgsqlDataSource dataSource) =>
        options.UseNpgsql(dataSource, npgsql => npgsql.SetPostgresVersion(15, 0)).UseSnakeCaseNamingConvention().AddInterceptors(Counting);

    /// <summary>
    /// Whoever the connection string names, the session acts as <see cref="Migrator.ServiceRole"/>, which can insert
    /// postings but neither change nor delete them.
    /// </summary>
    private static NpgsqlDataSource DataSource(string connectionString, int? mostConnections = null)
    {
        // The detail of an error repeats values of the row, and an error may be logged.
        var settings = new NpgsqlConnectionStringBuilder(Defaults + connectionString) { ApplicationName = "Volunteers", IncludeErrorDetail = false };
        if (mostConnections is { } most) (settings.MinPoolSize, settings.MaxPoolSize) = (0, most);
        settings.Options = $"{settings.Options} -c role={Migrator.ServiceRole} -c statement_timeout=60s -c idle_in_transaction_session_timeout=120s".Trim();
        return new NpgsqlDataSourceBuilder(settings.ConnectionString).Build();
    }
}
