using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Volunteers.Platform;
using Volunteers.Tests.Support;
using Xunit;
using Answer = Volunteers.Tests.Support.Answer;

namespace Volunteers.Tests.Features.Reports;

/// <summary>
/// Exports of one organization at the same time, over two replicas. A lock on a table that every export reads holds them in
/// the middle for as long as a test needs.
/// </summary>
public sealed class ExportLimitTests(TestDatabases databases) : ApiTest(databases)
{
    private const string Period = "from=2026-01-01&to=2026-01-31";
    private const string Records = "/service-records/export?" + Period;

    private OrganizationSteps o = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        o = await Given.Organization();
    }

    [Fact]
    public async Task Two_run_and_the_others_are_asked_to_come_again()
    {
        await using var replicas = await Replicas.Of(this, atOnce: 2, waiting: 0);
        Task<Answer>[] asked;
        await using (await Hold())
        {
            asked = [.. Enumerable.Range(0, 10).Select(i => replicas[i].Get(i % 3 == 0 ? Records : $"/reports/hours?{Period}&format=csv"))];
            await Until(() => Task.FromResult(asked.Count(each => each.IsCompleted) == 8));
            Assert.Equal(2, await PlacesTaken());
            // What is no file, or another organization's, does not wait for these.
            Assert.Equal(0, asked.Count(each => each.IsCompletedSuccessfully && each.Result.Status == 200));
        }

        var answers = await Task.WhenAll(asked);
        Assert.Equal(2, answers.Count(answer => answer.Status == 200));
        Assert.All(answers.Where(answer => answer.Status != 200), answer =>
            Assert.InRange(int.Parse(answer.ShouldRefuse(429, "too_many_exports").Header("Retry-After")!, CultureInfo.InvariantCulture), 1, 60));
        await Until(async () => await PlacesTaken() == 0);
        (await replicas[0].Get(Records)).ShouldBe(200);
        (await replicas[1].Get(Records)).ShouldBe(200);
    }

    [Fact]
    public async Task A_few_wait_for_their_turn_and_never_more_than_two_run()
    {
        await using var replicas = await Replicas.Of(this, atOnce: 2, waiting: 4);
        var largest = 0L;
        Task<Answer>[] asked;
        await using (await Hold())
        {
            asked = [.. Enumerable.Range(0, 8).Select(i => replicas[i].Get(Records))];
            await Until(async () => await PlacesTaken() == 2);
        }
        while (!asked.All(each => each.IsCompleted))
        {
            largest = Math.Max(largest, await PlacesTaken());
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        Assert.All(await Task.WhenAll(asked), answer => answer.ShouldBe(200));
        Assert.InRange(largest, 0, 2);
    }

    [Fact]
    public async Task Another_organization_and_what_is_no_file_do_not_wait()
    {
        var other = await Given.AnotherOrganization();
        await using var replicas = await Replicas.Of(this, atOnce: 1, waiting: 0);
        await using var taken = await Take(o.Id, 1);

        (await replicas[0].Get(Records)).ShouldRefuse(429, "too_many_exports");
        (await replicas[0].Get($"/reports/hours?{Period}&format=pdf")).ShouldRefuse(429, "too_many_exports");
        (await replicas[0].Get($"/reports/hours?{Period}")).ShouldBe(200);
        (await replicas[0].Get("/service-records/export?from=nonsense")).ShouldBe(400);
        (await new Api(replicas[1].Http, other.Path).Get(Records)).ShouldBe(200);
    }

    [Fact]
    public async Task A_replica_that_dies_or_a_client_that_goes_away_frees_the_place()
    {
        await using var replicas = await Replicas.Of(this, atOnce: 1, waiting: 0);
        // Another replica, whose process ends in the middle of an export: nothing gives the place back but the end of its connection.
        var taken = await Take(o.Id, 1);
        (await replicas[0].Get(Records)).ShouldRefuse(429, "too_many_exports");
        await using (var killer = new NpgsqlConnection(ConnectionString))
        {
            await killer.OpenAsync(TestContext.Current.CancellationToken);
            await using var kill = new NpgsqlCommand("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())", killer);
            await kill.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
        await Until(async () => await PlacesTaken() == 0);
        (await replicas[0].Get(Records)).ShouldBe(200);
        await taken.DisposeAsync();

        await using var held = await Hold();
        using var going = new CancellationTokenSource();
        var gone = replicas[0].Http.GetAsync(new Uri(o.Path + Records, UriKind.Relative), going.Token);
        await Until(async () => await PlacesTaken() == 1);
        await going.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        await Until(async () => await PlacesTaken() == 0);
    }

    [Fact]
    public async Task An_export_that_fails_frees_the_place()
    {
        await using var replicas = await Replicas.Of(this, atOnce: 1, waiting: 0);

        for (var i = 0; i < 3; i++)
        {
            (await replicas[i].Get($"{Records}&asOf=999999")).ShouldBe(409);
            (await replicas[i].Get($"{Records}&asOf=1&status=rejected")).ShouldRefuse(400, "not_in_ledger");
        }

        Assert.Equal(0, await PlacesTaken());
        (await replicas[0].Get(Records)).ShouldBe(200);
    }

    [Fact]
    public async Task Without_a_limit_all_run()
    {
        await using var replicas = await Replicas.Of(this, atOnce: 0, waiting: 0);

        Assert.All(await Task.WhenAll(Enumerable.Range(0, 6).Select(i => replicas[i].Get(Records))), answer => answer.ShouldBe(200));
    }

    /// <summary>Nobody reads the organizations' names until this is let go.</summary>
    private async Task<NpgsqlConnection> Hold()
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand("begin; lock table organizations in access exclusive mode", connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    /// <summary>A place as another replica would hold it.</summary>
    private async Task<NpgsqlConnection> Take(string organizationId, int number)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand("select pg_advisory_lock(hashtextextended($1, 0))", connection) { Parameters = { new() { Value = ExportSlots.PlaceOf(Guid.Parse(organizationId), number) } } };
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    private async Task<long> PlacesTaken()
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(
            "select count(*) from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())", connection);
        return (long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    private static async Task Until(Func<Task<bool>> holds)
    {
        for (var waited = Stopwatch.StartNew(); !await holds(); await Task.Delay(20, TestContext.Current.CancellationToken))
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60), "It did not come to that.");
    }

    /// <summary>Two hosts over one database; the same caller at each, with paths below the organization.</summary>
    private sealed class Replicas(ApiHost[] hosts, Api[] callers) : IAsyncDisposable
    {
        public Api this[int index] => callers[index % callers.Length];

        public static async Task<Replicas> Of(ExportLimitTests test, int atOnce, int waiting)
        {
            var hosts = new ApiHost[2];
            var callers = new Api[2];
            for (var i = 0; i < 2; i++)
            {
                hosts[i] = new ApiHost(test.ConnectionString, ("RateLimits:ExportsAtOnce", $"{atOnce}"), ("RateLimits:ExportsWaiting", $"{waiting}"));
                callers[i] = (await hosts[i].SignInAsOperator()).At(test.o.Path);
                (await callers[i].Get("/teams")).ShouldBe(200);
            }
            return new Replicas(hosts, callers);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var host in hosts) await host.DisposeAsync();
        }
    }
}
