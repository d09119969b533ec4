using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Volunteers.Features.Audit;
using Volunteers.Features.Identity;
using Volunteers.Features.Jobs;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Data;

/// <summary>
/// What the program does: serve (without a word), <c>migrate</c>, <c>seed FOLDER</c>, <c>prune</c>, <c>rotate-keys</c>,
/// <c>remove-second-factor LOGIN</c> or <c>healthcheck</c>. In Development with no database configured, each of them starts the private one.
/// </summary>
internal sealed class Commands(string[] args) : IAsyncDisposable
{
    private EmbeddedPostgres? postgres;
    private string? developmentPassword;

    private string Command => args is [var first, ..] && !first.StartsWith('-') ? first : "serve";

    /// <summary>Before the application is built: a database to work with.</summary>
    public async Task FindDatabase(WebApplicationBuilder builder)
    {
        if (EF.IsDesignTime || Command == "healthcheck") return;
        if (Command is not ("serve" or "migrate" or "seed" or "prune" or "rotate-keys" or "remove-second-factor"))
            throw new StartupRefused("Usage: Volunteers.Api [migrate | seed FOLDER | prune | rotate-keys | remove-second-factor LOGIN | healthcheck]");

        var configured = !string.IsNullOrEmpty(builder.Configuration.GetConnectionString(Database.ConnectionName));
        if (!configured && builder.Environment.IsDevelopment())
        {
            using var logging = LoggerFactory.Create(logs => logs.AddSimpleConsole());
            postgres = await EmbeddedPostgres.Start(
                builder.Configuration["EmbeddedPostgres:DataDirectory"], logging.CreateLogger<EmbeddedPostgres>(), CancellationToken.None);
            builder.Configuration[$"ConnectionStrings:{Database.ConnectionName}"] = postgres.ConnectionString;
            await DevelopmentKeys.Use(builder.Configuration, postgres.DataDirectory, CancellationToken.None);
        }
        _ = Database.ConnectionString(builder.Configuration);
    }

    public async Task Run(WebApplication app)
    {
        switch (Command)
        {
            case "healthcheck":
                await CheckHealth(app.Configuration);
                return;
            case "migrate":
                await Migrate(app);
                return;
            case "prune":
                await Prune(app);
                return;
            case "seed":
                await Seed(app, args is [_, var folder, ..] ? folder : throw new StartupRefused("Usage: Volunteers.Api seed FOLDER"));
                return;
            case "remove-second-factor":
                await RemoveSecondFactor(app, args is [_, var login, ..] ? login : throw new StartupRefused("Usage: Volunteers.Api remove-second-factor LOGIN"));
                return;
            case "rotate-keys":
                await RotateKeys(app);
                return;
        }

        if (postgres is not null)
        {
            developmentPassword = await FirstAdministrator.DevelopmentPassword(postgres.DataDirectory, CancellationToken.None);
            await Migrate(app);
            await Seed(app, Path.Combine(AppContext.BaseDirectory, "seeds", "shixia"));
            app.Lifetime.ApplicationStarted.Register(() => Greet(app));
        }
        await app.RunAsync();
    }

    public ValueTask DisposeAsync() => postgres?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task Migrate(WebApplication app)
    {
        await Migrator.Migrate(Owner(app.Configuration), Database.ConnectionString(app.Configuration), CancellationToken.None, async () =>
        {
            await using var scope = app.Services.CreateAsyncScope();
            await SignInSetup.Prepare(scope.ServiceProvider, CancellationToken.None);
            await Administrator(app, scope.ServiceProvider);
            var verbosity = (await scope.ServiceProvider.GetRequiredService<VolunteersDb>().Database.SqlQuery<string>($"select current_setting('log_error_verbosity') as \"Value\"").ToListAsync())[0];
            if (verbosity != "terse") app.Logger.LogWarning("PostgreSQL logs rows that it refuses, with all that they say of people: set log_error_verbosity = terse on the server");
        });
    }

    /// <summary>To be run now and then, by whoever owns the schema: what of the audit trail is older than it has to be kept.</summary>
    private static async Task Prune(WebApplication app)
    {
        var now = app.Services.GetRequiredService<TimeProvider>().GetUtcNow();
        var keep = app.Services.GetRequiredService<IOptions<AuditSettings>>().Value.KeepDays;
        var pruned = await AuditPruning.Prune(Owner(app.Configuration), now.AddDays(-keep), now, CancellationToken.None);
        Console.WriteLine($"{pruned} audit events older than {keep} days were deleted.");
    }

    private static string Owner(IConfiguration configuration) =>
        configuration.GetConnectionString("VolunteersOwner") is { Length: > 0 } given ? given : Database.ConnectionString(configuration);

    private async Task Seed(WebApplication app, string folder)
    {
        await using var scope = app.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<VolunteersDb>();
        var administrator = await Administrator(app, scope.ServiceProvider)
            ?? await db.Users.Where(account => account.IsOperator).OrderBy(account => account.Id).FirstOrDefaultAsync()
            ?? throw new StartupRefused("Seeds need a first administrator: set Bootstrap:AdminLogin and Bootstrap:AdminPassword.");
        var loader = new SeedLoader(db, app.Services.GetRequiredService<TimeProvider>());
        var loaded = await loader.Load(folder, administrator.Id, CancellationToken.None);
        if (Command == "seed") Console.WriteLine(loaded ? $"Loaded {folder}." : $"{folder} was loaded before; nothing changed.");
    }

    /// <summary>For whoever lost the app and the recovery codes, and whom nobody else could let in: asked of those who run the service.</summary>
    private static async Task RemoveSecondFactor(WebApplication app, string loginText)
    {
        await using var scope = app.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<VolunteersDb>();
        var login = Login.Parse(loginText)?.Value.ToUpperInvariant() ?? throw new StartupRefused("That is neither an e-mail address nor a phone number.");
        await using var transaction = await db.Database.BeginTransactionAsync();
        var accountId = await db.Users.Where(a => a.NormalizedUserName == login).Select(a => a.Id).SingleOrDefaultAsync();
        var removed = await db.SecondFactors.Where(f => f.AccountId == accountId).ExecuteDeleteAsync();
        if (removed == 1) await app.Services.GetRequiredService<SignInTrail>().Changed(db, "removeSecondFactor", accountId, CancellationToken.None);
        await transaction.CommitAsync();
        Console.WriteLine(removed == 1 ? "The second factor is removed." : "No account with this login has a second factor.");
    }

    private static async Task RotateKeys(WebApplication app)
    {
        await using var scope = app.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<VolunteersDb>();
        var result = await new KeyRotation(db, app.Services.GetRequiredService<PersonalSeal>(), app.Services.GetRequiredService<TimeProvider>()).Run(CancellationToken.None);
        var files = await app.Services.GetRequiredService<JobFiles>().Reseal(db, CancellationToken.None);
        Console.WriteLine($"Sealed {result.Sealed} documents and {files.Sealed} pieces of jobs' files with the current key, hashed {result.Hashed} with the current hash key.");
        string[] problems = [.. result.Problems, .. files.Problems];
        if (problems.Length > 0) throw new StartupRefused(string.Join('\n', problems));
    }

    private Task<Account?> Administrator(WebApplication app, IServiceProvider services) => FirstAdministrator.Ensure(services,
        app.Configuration["Bootstrap:AdminLogin"] ?? (developmentPassword is null ? null : FirstAdministrator.DevelopmentLogin),
        app.Configuration["Bootstrap:AdminPassword"] ?? developmentPassword, CancellationToken.None);

    private void Greet(WebApplication app)
    {
        var address = app.Urls.First();
        var login = app.Configuration["Bootstrap:AdminLogin"];
        Console.WriteLine(
            $"""

             Volunteers listens on {address}
             Swagger UI             {address}/swagger
             First administrator    {(login is null ? $"{FirstAdministrator.DevelopmentLogin}  password {developmentPassword}" : login)}
             Data folder            {postgres!.DataDirectory}

             """);
    }

    /// <summary>For a container's health check, which has no other client at hand.</summary>
    private static async Task CheckHealth(IConfiguration configuration)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        try
        {
            var answer = await client.GetAsync(new Uri($"http://127.0.0.1:{configuration["HTTP_PORTS"] ?? "8080"}/health/live"));
            Environment.ExitCode = answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception silent) when (silent is HttpRequestException or TaskCanceledException)
        {
            Environment.ExitCode = 1;
        }
    }
}
