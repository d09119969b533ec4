using System.Globalization;

namespace Volunteers.Benchmarks.Core;

/// <summary>Everything that scenarios share: the city, the servers over it, and the table of what was measured.</summary>
internal sealed class Bench : IAsyncDisposable
{
    private const string Kept = "city";
    private const string Copy = "benchmark";

    private readonly string published;
    private readonly string? temporary;
    private ServerProcess? bareServer;

    private Bench(Options options, Postgres postgres, string database, string published, string? temporary, DateOnly firstDay, Service service) =>
        (Options, Postgres, Database, this.published, this.temporary, FirstDay, Service, City) =
            (options, postgres, database, published, temporary, firstDay, service, new City(options.Rows));

    public static IReadOnlyList<int> Loads { get; } = [32, 128];

    public Options Options { get; }

    public Postgres Postgres { get; }

    public string Database { get; }

    public City City { get; }

    /// <summary>Of the city's history.</summary>
    public DateOnly FirstDay { get; }

    public Service Service { get; private set; }

    public Table Table { get; } = new();

    public ServerProcess BareServer => bareServer ??= Bare.Start(Postgres.ConnectionString(Database));

    /// <summary>Makes the city, or takes the one that is kept, and starts the service over it.</summary>
    public static async Task<Bench> Open(Options options)
    {
        var postgres = await Postgres.Start(options.Data);
        Tool.RefuseIfMissing(postgres);
        var temporary = options.Service is null ? Directory.CreateTempSubdirectory("volunteers-published-").FullName : null;
        Say("publishing the service");
        var published = options.Service ?? await Service.Publish(temporary!);
        await MakeCity(options, postgres, published);

        // What is kept stays as it was filled: each run changes a copy.
        var database = Kept;
        if (options.Data is not null)
        {
            Say("copying the city that is kept");
            database = Copy;
            await postgres.Execute("postgres", $"drop database if exists {Copy} with (force)", $"create database {Copy} template {Kept} strategy file_copy", "checkpoint");
        }
        await Service.Migrate(published, postgres.ConnectionString(database));
        await postgres.Execute(database, "create extension if not exists pg_stat_statements");
        var firstDay = await postgres.Scalar<DateOnly>(database, "select first_day from benchmark_city");
        return new Bench(options, postgres, database, published, temporary, firstDay, await Service.Start(published, postgres.ConnectionString(database)));
    }

    public static void Say(string what) => Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{DateTime.Now:HH:mm:ss} {what}"));

    /// <summary>Lets every contestant run once in each round, each round beginning with another.</summary>
    public async Task Compete(string what, IReadOnlyList<int> loads, params (string Contestant, Func<int, Task<Sample>> Run)[] contestants)
    {
        foreach (var connections in loads)
        {
            for (var round = 0; round < Options.Rounds; round++)
            {
                for (var turn = 0; turn < contestants.Length; turn++)
                {
                    var (contestant, run) = contestants[(round + turn) % contestants.Length];
                    var sample = await run(connections);
                    Table.Add(what, connections, contestant, sample);
                    Say(string.Create(CultureInfo.InvariantCulture, $"  {what}, {connections} connections, {contestant}: {sample.PerSecond:#,0.##} a second, p99 {sample.P99:0.0} ms, {sample.Errors} errors"));
                }
            }
        }
    }

    public async Task<Sample> Wrk(string request, int connections) =>
        await Core.Wrk.Run(Service.Process, Core.Wrk.Signed(await Service.Token()) + request, connections, Options.Seconds);

    public Task<Sample> WrkOnBare(string request, int connections) => Core.Wrk.Run(BareServer, request, connections, Options.Seconds);

    public Task<Sample> Pgbench(string script, int connections, long first = 0) => Core.Pgbench.Run(Postgres, Database, script, connections, Options.Seconds, first);

    /// <summary>A service that has served nobody yet.</summary>
    public async Task Restart()
    {
        await Service.DisposeAsync();
        Service = await Service.Start(published, Postgres.ConnectionString(Database));
    }

    public async ValueTask DisposeAsync()
    {
        await Service.DisposeAsync();
        if (bareServer is not null) await bareServer.DisposeAsync();
        await Postgres.DisposeAsync();
        if (temporary is not null) Directory.Delete(temporary, recursive: true);
    }

    private static async Task MakeCity(Options options, Postgres postgres, string published)
    {
        var exists = await postgres.Scalar<bool>("postgres", $"select exists (select 1 from pg_database where datname = '{Kept}')");
        if (exists && await postgres.Scalar<bool>(Kept, "select to_regclass('benchmark_city') is not null")
            && await postgres.Scalar<long>(Kept, "select rows from benchmark_city") == options.Rows) return;

        Say(string.Create(CultureInfo.InvariantCulture, $"filling a city with {options.Rows:N0} records"));
        await postgres.Execute("postgres", $"drop database if exists {Kept} with (force)", $"create database {Kept}");
        await Service.Migrate(published, postgres.ConnectionString(Kept));
        await new Fill(postgres, Kept, new City(options.Rows)).Run();
    }
}
