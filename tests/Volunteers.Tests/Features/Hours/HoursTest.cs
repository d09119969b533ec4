using System.Text.Json.Nodes;
using Npgsql;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

/// <summary>An organization with one team and one published activity, and short words for recording service.</summary>
public abstract class HoursTest(TestDatabases databases) : ApiTest(databases)
{
    protected OrganizationSteps O { get; private set; } = null!;

    protected Api Admin => O.Admin;

    protected string Team { get; private set; } = null!;

    protected string Activity { get; private set; } = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        O = await Given.Organization();
        Team = await O.Team();
        Activity = await O.Activity(Team);
    }

    /// <summary>An instant in June 2026 in the organization's zone.</summary>
    protected static string At(string time, int day = 7) => $"2026-06-{day:00}T{time}:00+08:00";

    protected JsonObject Service(
        string? volunteer, string from, string to, int? minutes = null, string? activity = null, string? dailyLimitOverride = null) => new()
        {
            ["volunteerId"] = volunteer, ["activityId"] = activity ?? Activity, ["startsAt"] = from, ["endsAt"] = to, ["minutes"] = minutes,
            ["dailyLimitOverride"] = dailyLimitOverride,
        };

    protected Task<Answer> Record(
        Api by, string? volunteer, string from, string to, int? minutes = null, string? activity = null, string? dailyLimitOverride = null) =>
        by.Post("/service-records", Service(volunteer, from, to, minutes, activity, dailyLimitOverride));

    protected Task<Answer> Headcount(Api by, int personTimes, string from, string to, int? minutes = null)
    {
        var service = Service(null, from, to, minutes);
        service["headcount"] = new JsonObject { ["personTimes"] = personTimes, ["method"] = "counted" };
        return by.Post("/service-records", service);
    }

    protected static Task<Answer> Do(Api by, string step, string record, object? body = null) =>
        by.Post($"/service-records/{record}/{step}", body ?? new { reason = "Because." });

    protected async Task<(long Minutes, long PersonTimes)> Credited() => await Ask(
        $"select coalesce(sum(minutes), 0), coalesce(sum(person_times), 0) from hour_postings where organization_id = '{O.Id}'",
        row => (row.GetInt64(0), row.GetInt64(1)));

    /// <summary>Nothing is wrong with the ledger; answers the position that was reached.</summary>
    protected async Task<long> VerifiedPosition()
    {
        var verification = (await Admin.Get("/ledger/verification")).ShouldBe(200);
        Assert.True((bool)verification["valid"]!, verification.Text);
        return (long)verification["position"]!;
    }

    /// <summary>Asks the database itself, as its owner.</summary>
    protected async Task<T> Ask<T>(string sql, Func<NpgsqlDataReader, T> read)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        Assert.True(await reader.ReadAsync(TestContext.Current.CancellationToken));
        return read(reader);
    }

    protected Task<long> Count(string sql) => Ask(sql, row => row.GetInt64(0));

    /// <summary>How many sessions wait for a lock, of this table if one is named; other tests have databases of their own in the same server.</summary>
    protected Task<long> WaitForLocks(string table = "") =>
        Count("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'" + (table.Length > 0 ? $" and query ilike '%from {table}%'" : ""));

    protected async Task Tamper(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    protected static string? Text(Answer answer, string member) => (string?)answer[member];

    protected static int Number(Answer answer, string member) => (int)answer[member]!;
}
