using System.Diagnostics;
using System.Globalization;
using Volunteers.Data;

namespace Volunteers.Benchmarks.Core;

/// <summary>Everything that scenarios share: the city, the servers over it, and the table of what was measured.</summary>
internal sealed class Bench : IAsyncDisposable
{
    private const string Kept = "city";
    private const string ForService = "benchmark";
    private const string ForPgbench = "benchmark_limit";

    /// <summary>Above it there is no room for copies.</summary>
    private const long MostRowsCopied = 20_000_000;

    private readonly string published;
    private readonly string? temporary;
    private ServerProcess? bareServer;
    private long transactionsBegun;
    private int shifts;

    private Bench(Options options, Postgres postgres, string database, string limit, string published, string? temporary, DateOnly firstDay, Service service) =>
        (Options, Postgres, Database, Limit, this.published, this.temporary, FirstDay, Service, City) =
            (options, postgres, database, limit, published, temporary, firstDay, service, new City(options.Rows));

    public static IReadOnlyList<int> Loads { get; } = [32, 128];

    public Options Options { get; }

    public Postgres Postgres { get; }

    /// <summary>Of the service and the bare API.</summary>
    public string Database { get; }

    /// <summary>Of pgbench.</summary>
    public string Limit { get; }

    /// <summary>Whether a scenario may write: not into a city that is to be kept as it is.</summary>
    public bool MayWrite => Database != Kept;

    public City City { get; }

    /// <summary>Of the city's history.</summary>
    public DateOnly FirstDay { get; }

    public Service Service { get; private set; }

    public Table Table { get; } = new();

    /// <summary>Makes the city, or takes the one that is kept, and starts the service over it.</summary>
    public static async Task<Bench> Open(Options options)
    {
        var postgres = await Postgres.Start(options.Data);
        Tool.RefuseIfMissing(postgres);
        var temporary = options.Service is null ? Directory.CreateTempSubdirectory("volunteers-published-").FullName : null;
        Say(options.Service is null ? "publishing the service" : $"taking the service in {options.Service}");
        var published = options.Service ?? await Service.Publish(temporary!);
        await MakeCity(options, postgres, published);

        await Service.Migrate(published, postgres.ConnectionString(Kept));
        await postgres.Execute(Kept, "create extension if not exists pg_stat_statements");
        var firstDay = await postgres.Scalar<DateOnly>(Kept, "select first_day from benchmark_city");

        // What is kept stays as it was filled. What pgbench writes is for no service to work on, and breaks no chain of the service.
        var (database, limit) = (Kept, Kept);
        if (options.Rows <= MostRowsCopied)
        {
            Say("copying the city");
            (database, limit) = (ForService, ForPgbench);
            foreach (var copy in new[] { database, limit })
                await postgres.Execute("postgres", $"drop database if exists {copy} with (force)", $"create database {copy} template {Kept} strategy file_copy");
            await postgres.Execute("postgres", "checkpoint");
        }
        await postgres.Execute(Kept, "select pg_stat_statements_reset()");
        return new Bench(options, postgres, database, limit, published, temporary, firstDay, await Service.Start(published, postgres.ConnectionString(database)));
    }

    public static void Say(string what) => Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{DateTime.Now:HH:mm:ss} {what}"));

    /// <summary>Lets every contestant run once in each round, each round beginning with another; before that once to get warm.</summary>
    public async Task Compete(string what, IReadOnlyList<int> loads, params (string Contestant, Func<int, Task<Sample>> Run)[] contestants)
    {
        foreach (var (_, run) in contestants) await run(loads[0]);
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

    public async Task<Sample> WrkOnBare(string request, int connections) =>
        await Core.Wrk.Run(bareServer ??= await Bare.Start(Postgres.ConnectionString(Database)), request, connections, Options.Seconds);

    /// <summary>Numbers of transactions go on from run to run: see <see cref="Statements.Script"/>.</summary>
    /// <param name="script">What to say.</param>
    /// <param name="connections">How many clients.</param>
    /// <param name="transactions">How many in all; as many as the time of a run allows when not given.</param>
    public Task<Sample> Pgbench(string script, int connections, int? transactions = null)
    {
        var first = transactionsBegun;
        transactionsBegun += connections * Statements.MostOfClient;
        return Core.Pgbench.Run(Postgres, Limit, script, connections, transactions is { } most ? ["-t", $"{Math.Max(1, most / connections)}"] : ["-T", $"{Options.Seconds}"], first);
    }

    /// <summary>The same change in the service's database and in pgbench's.</summary>
    public async Task ExecuteInBoth(string sql)
    {
        await Postgres.Execute(Database, sql);
        if (Limit != Database) await Postgres.Execute(Limit, sql);
    }

    /// <returns>The number of the first of so many shifts that nobody has used yet.</returns>
    public int NewShifts(int count) => (shifts += count) - count;

    /// <summary>Notes how many statements a request makes.</summary>
    public void Count(string what, IReadOnlyList<Statement> statements) => Table.Add($"{what}: statements of a request", $"{statements.Count}", "");

    /// <summary>What the service alone has asked of the database since the last time, most expensive first: where the time went.</summary>
    public async Task<List<string>> Top(int most)
    {
        var top = await Postgres.Query<string>(Database,
            $"""
             select format('%s × %s ms: %s', calls, round(mean_exec_time::numeric, 3), left(regexp_replace(query, '\s+', ' ', 'g'), 160))
             from pg_stat_statements s join pg_roles r on r.oid = s.userid
             where r.rolname = '{Migrator.ServiceRole}' and calls > 10 order by total_exec_time desc limit {most}
             """);
        await Postgres.Execute(Database, "select pg_stat_statements_reset()");
        return top;
    }

    /// <summary>A service that has served nobody yet.</summary>
    /// <param name="path">Asked for until it is answered.</param>
    /// <param name="token">With this.</param>
    /// <returns>How long that took from the start of the process.</returns>
    public async Task<TimeSpan> Restart(string path = Service.IsReady, string? token = null)
    {
        await Service.DisposeAsync();
        var start = Stopwatch.GetTimestamp();
        Service = await Service.Start(published, Postgres.ConnectionString(Database), path, token);
        return Stopwatch.GetElapsedTime(start);
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
