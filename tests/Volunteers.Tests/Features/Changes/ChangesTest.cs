using System.Text.Json.Nodes;
using Npgsql;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Changes;

/// <summary>An organization with two teams and something of everything that copies are kept of, and who keeps them.</summary>
public abstract class ChangesTest(TestDatabases databases) : ApiTest(databases)
{
    protected OrganizationSteps O { get; private set; } = null!;

    protected Api Admin => O.Admin;

    protected string Team { get; private set; } = null!;

    protected string OtherTeam { get; private set; } = null!;

    /// <summary>A member of the team.</summary>
    protected string Volunteer { get; private set; } = null!;

    protected string Activity { get; private set; } = null!;

    protected string Shift { get; private set; } = null!;

    /// <summary>The volunteer themselves.</summary>
    protected Api Self { get; private set; } = null!;

    /// <summary>Coordinates the team.</summary>
    protected Api Coordinator { get; private set; } = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        O = await Given.Organization();
        (Team, OtherTeam) = (await O.Team(), await O.Team());
        Volunteer = await O.Volunteer(Team);
        Self = await O.SignedInAs(Volunteer);
        Coordinator = await O.SignedInWithRole("coordinator", Team);
        Activity = await O.UpcomingActivity(Team);
        Shift = await O.Shift(Activity, capacity: 2);
    }

    /// <summary>The rest of what there is to keep; answers their ids by the names of the resources.</summary>
    protected async Task<Dictionary<string, string>> SomethingOfEverything()
    {
        var made = new Dictionary<string, string> { ["project"] = await O.Project(), ["activity"] = Activity, ["shift"] = Shift, ["team"] = Team, ["volunteer"] = Volunteer };
        made["series"] = (await Admin.Post("/series", new
        {
            title = "Crossing", teamId = Team, category = "patrol", firstOn = $"{Clock.GetUtcNow():yyyy-MM-dd}", startTime = "12:00", endTime = "13:00", recurrence = "FREQ=WEEKLY;COUNT=2", publish = true,
        })).ShouldBe(201).Id;
        await O.SignUp(Shift, Volunteer);
        var past = await O.Activity(Team);
        made["serviceRecord"] = await O.Record(past, Volunteer, "2026-06-07T15:00:00+08:00", "2026-06-07T17:00:00+08:00");
        made["dispute"] = (await Self.Post($"/service-records/{made["serviceRecord"]}/disputes", new { message = "I stayed longer." })).ShouldBe(201).Id;
        made["certificate"] = (await Admin.Post($"/volunteers/{Volunteer}/certificates", new { from = "2026-06-01", to = "2026-06-30" })).ShouldBe(201).Id;
        made["award"] = (await Admin.Post("/awards", new { volunteerId = Volunteer, name = "Neighbour of the year" })).ShouldBe(201).Id;
        (await Admin.Post($"/awards/{made["award"]}/publish", new { })).ShouldBe(200);
        return made;
    }

    /// <summary>Where a thing is shown by itself.</summary>
    protected static string PathOf(JsonNode item) => (string)item["resource"]! switch
    {
        "organization" => "",
        "signUp" => $"/shifts/{(string)item["value"]!["shiftId"]!}/sign-ups/{(string)item["value"]!["volunteerId"]!}",
        "series" => $"/series/{(string)item["id"]!}",
        "activity" => $"/activities/{(string)item["id"]!}",
        "serviceRecord" => $"/service-records/{(string)item["id"]!}",
        var resource => $"/{resource}s/{(string)item["id"]!}",
    };

    /// <summary>Asks the database itself, as its owner.</summary>
    protected async Task<T> Ask<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    protected async Task Tamper(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
