using System.Diagnostics;
using System.Text.Json.Nodes;
using Npgsql;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Audit;

/// <summary>An organization with a team, and short words for reading its audit trail.</summary>
public abstract class AuditTest(TestDatabases databases) : ApiTest(databases)
{
    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected OrganizationSteps O { get; private set; } = null!;

    protected Api Admin => O.Admin;

    protected string Team { get; private set; } = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        O = await Given.Organization();
        Team = await O.Team();
    }

    /// <summary>The events that the filters leave, newest first.</summary>
    protected Task<JsonNode[]> Events(string filters) => EventsOf(O, filters);

    protected static async Task<JsonNode[]> EventsOf(OrganizationSteps organization, string filters) =>
        [.. (await organization.Admin.Get($"/audit?limit=200&{filters}")).ShouldBe(200).Items.Select(e => e!)];

    protected async Task<JsonNode> TheEvent(string filters) => Assert.Single(await Events(filters));

    /// <summary>What only comes in the background, as soon as it is there.</summary>
    protected async Task<JsonNode> TheEventToCome(string filters)
    {
        var asked = Stopwatch.StartNew();
        while (await Events(filters) is var events)
        {
            if (events.Length > 0 || asked.Elapsed > TimeSpan.FromSeconds(30)) return Assert.Single(events);
            await Task.Delay(50, Ct);
        }
        throw new UnreachableException();
    }

    protected async Task<Answer> Verified(bool valid = true)
    {
        await Seal();
        var verification = (await Admin.Get("/audit/verification")).ShouldBe(200);
        Assert.True((bool)verification["valid"]! == valid, verification.Text);
        return verification;
    }

    /// <summary>Before and after, by the member's name.</summary>
    protected static Dictionary<string, (string? Before, string? After)> Fields(JsonNode change) =>
        change["fields"]!.AsArray().ToDictionary(field => (string)field!["name"]!, field => ((string?)field!["before"], (string?)field["after"]));

    protected static JsonNode Change(JsonNode e, string type) => Assert.Single(e["changes"]!.AsArray(), change => (string)change!["type"]! == type)!;

    protected static string[] Texts(JsonNode e, string member) => [.. e[member]!.AsArray().Select(text => (string)text!)];

    /// <summary>Asks the database itself, as its owner.</summary>
    protected async Task<T> Ask<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(Ct))!;
    }

    protected Task<long> Count(string table = "audit_events") => Ask<long>($"select count(*) from {table} where organization_id = '{O.Id}'");

    protected async Task Tamper(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
