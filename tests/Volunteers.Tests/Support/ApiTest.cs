using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Data;
using Volunteers.Platform.Audit;
using Xunit;

namespace Volunteers.Tests.Support;

/// <summary>A test with a database and a running service of its own.</summary>
public abstract class ApiTest(TestDatabases databases) : IAsyncLifetime
{
    private string connectionString = null!;

    protected TestDatabases Databases => databases;

    protected string ConnectionString => connectionString;

    protected ApiHost Host { get; private set; } = null!;

    protected TestClock Clock => Host.Clock;

    /// <summary>How the service of these tests is set up, where it is not as usual.</summary>
    protected virtual (string Name, string Value)[] Configuration => [];

    /// <summary>What the service of these tests has in place of its own, if anything.</summary>
    private protected virtual Action<IServiceCollection>? Also => null;

    /// <summary>Steps that bring about a situation, through the API.</summary>
    protected Given Given { get; private set; } = null!;

    public virtual async ValueTask InitializeAsync()
    {
        connectionString = await databases.NewDatabase();
        Host = new ApiHost(connectionString, Configuration) { Also = Also };
        Given = new Given(Host);
    }

    /// <summary>Everything written so far has its place in the audit trail's chain. The service seals meanwhile, and each passes by what the other holds.</summary>
    protected Task Seal() => Host.InServices(async services =>
    {
        var ct = TestContext.Current.CancellationToken;
        var pending = services.GetRequiredService<VolunteersDb>().Set<AuditPending>();
        for (var sealer = services.GetRequiredService<AuditSealer>(); await pending.AnyAsync(ct); await Task.Delay(20, ct)) await sealer.SealAll(ct);
    });

    public virtual async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await databases.Drop(connectionString);
        GC.SuppressFinalize(this);
    }
}
