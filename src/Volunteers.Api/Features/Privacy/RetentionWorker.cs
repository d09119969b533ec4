using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Volunteers.Data;
using Volunteers.Features.Activities;
using Volunteers.Features.Changes;
using Volunteers.Features.Identity;
using Volunteers.Features.Jobs;
using Volunteers.Features.Reconciliation;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Outbox;

namespace Volunteers.Features.Privacy;

/// <summary>One thing that is kept for a while. Forgets a part of what is from before then, and says how much that was.</summary>
/// <param name="Name">Of what, in the log.</param>
/// <param name="Days">How long; 0 for ever.</param>
/// <param name="AtOnce">Less than this, and nothing is left to forget.</param>
/// <param name="Forget">In a transaction of its own.</param>
internal sealed record RetentionRule(string Name, Func<Retention, int> Days, int AtOnce, Func<IServiceProvider, DateTimeOffset, CancellationToken, Task<int>> Forget);

/// <summary>
/// Forgets every hour what is old enough, each kind in small batches. Replicas do not do it twice: who does holds an advisory
/// lock in a transaction, which a crash ends.
/// </summary>
internal sealed class RetentionWorker(IServiceScopeFactory scopes, IOptions<Retention> settings, TimeProvider clock, ILogger<RetentionWorker> log) : BackgroundService
{
    public static readonly IReadOnlyList<RetentionRule> Rules =
    [
        new("idempotency keys", days => days.IdempotencyDays, 1000, (services, before, ct) => IdempotencyCleanup.Forget(Db(services), before, ct)),
        new("changes", days => days.ChangesDays, 1000, (services, before, ct) => ChangeCleanup.Forget(Db(services), before, ct)),
        new("sign-ins", days => days.SignInDays, int.MaxValue, SignInCleanup.Forget),
        new("failed sign-ins", days => days.FailedSignInDays, int.MaxValue,
            (services, before, ct) => Lockout.ForgetOld(Db(services), before, services.GetRequiredService<TimeProvider>().GetUtcNow(), ct)),
        new("password resets", _ => 1, int.MaxValue, (services, before, ct) => SignInCleanup.ForgetCodes(Db(services), before, ct)),
        new("invitations", days => days.InvitationDays, 1000, (services, before, ct) => SignInCleanup.ForgetInvitations(Db(services), before, ct)),
        new("applications", days => days.ApplicationDays, 100, (services, before, ct) => InTransaction(Db(services), db => ApplicationEndpoints.DeclineUnanswered(db, before, ct), ct)),
        new("attendance details", days => days.AttendanceDetailDays, 1000, (services, before, ct) => AttendanceEvent.ForgetDevices(Db(services), before, ct)),
        new("reconciliations", days => days.ReconciliationDays, 10, (services, before, ct) => ReconciliationCleanup.Forget(Db(services), before, services.GetRequiredService<TimeProvider>().GetUtcNow(), ct)),
        new("jobs", days => days.JobDays, 10, (services, before, ct) => JobCleanup.Forget(Db(services), before, services.GetRequiredService<TimeProvider>().GetUtcNow(), ct)),
        new("webhook events", days => days.WebhookDays, 1000, (services, before, ct) => Outbox.Forget(Db(services), before, ct)),
    ];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromHours(1), clock);
        while (await timer.WaitForNextTickAsync(stoppingToken)) await RunOnce(stoppingToken);
    }

    /// <summary>All of it, once.</summary>
    public async Task RunOnce(CancellationToken ct)
    {
        foreach (var rule in Rules.Where(rule => rule.Days(settings.Value) > 0))
        {
            try
            {
                await Run(rule, ct);
            }
            catch (Exception failed) when (failed is not OperationCanceledException)
            {
                log.LogWarning(failed, "Old {What} could not be forgotten; the next hour tries again", rule.Name);
            }
        }
    }

    private async Task Run(RetentionRule rule, CancellationToken ct)
    {
        await using var holding = scopes.CreateAsyncScope();
        var (holder, place) = (Db(holding.ServiceProvider), $"retention {rule.Name}");
        for (var forgotten = rule.AtOnce; forgotten >= rule.AtOnce;)
        {
            await using var held = await holder.Database.BeginTransactionAsync(ct);
            if (!(await holder.Database.SqlQuery<bool>($"select pg_try_advisory_xact_lock(hashtextextended({place}, 0)) as \"Value\"").ToListAsync(ct))[0]) return;

            await using var scope = scopes.CreateAsyncScope();
            forgotten = await rule.Forget(scope.ServiceProvider, clock.GetUtcNow() - TimeSpan.FromDays(rule.Days(settings.Value)), ct);
        }
    }

    private static VolunteersDb Db(IServiceProvider services) => services.GetRequiredService<VolunteersDb>();

    private static async Task<int> InTransaction(VolunteersDb db, Func<VolunteersDb, Task<int>> act, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var done = await act(db);
        await transaction.CommitAsync(ct);
        return done;
    }
}

internal static class RetentionSetup
{
    public static void AddPrivacy(this IServiceCollection services)
    {
        services.AddOptions<Retention>().BindConfiguration(nameof(Retention))
            .Validate(days => days.MakesSense, "Retention: days are whole numbers from 0, for ever, to 36,500; IdempotencyDays, SignInDays, FailedSignInDays and ChangesDays from 1.").ValidateOnStart();
        services.AddSingleton<RetentionWorker>();
        services.AddHostedService(provider => provider.GetRequiredService<RetentionWorker>());
        services.AddScoped<Erasure>();
    }
}
