using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Volunteers.Features.Activities;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Activities;

/// <summary>A test that begins on a day of its choice: by default on Wednesday, 1 April 2037, a year in which 1 May is a Friday.</summary>
public abstract class SeriesTest(TestDatabases databases) : ApiTest(databases)
{
    protected OrganizationSteps O { get; private set; } = null!;

    protected Api Admin => O.Admin;

    protected string Team { get; private set; } = null!;

    protected virtual string Now => "2037-04-01T10:00:00+08:00";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Clock.Advance(DateTimeOffset.Parse(Now, null) - Clock.GetUtcNow());
        await Use("Asia/Shanghai");
    }

    protected async Task Use(string timeZone)
    {
        O = await Given.AnotherOrganization(timeZone);
        Team = await O.Team();
    }

    /// <summary>The Friday traffic duty until the end of June, but for 1 May; what is named here instead.</summary>
    protected JsonObject Fridays(params (string Name, JsonNode? Value)[] changes)
    {
        var body = new JsonObject
        {
            ["title"] = "周五交通值守", ["teamId"] = Team, ["category"] = "交通", ["firstOn"] = "2037-04-01", ["startTime"] = "17:30", ["endTime"] = "19:00",
            ["recurrence"] = "FREQ=WEEKLY;BYDAY=FR;UNTIL=20370630", ["exceptOn"] = new JsonArray("2037-05-01"),
        };
        foreach (var (name, value) in changes) body[name] = value;
        return body;
    }

    protected async Task<Answer> Plan(params (string Name, JsonNode? Value)[] changes) => (await Admin.Post("/series", Fridays(changes))).ShouldBe(201);

    /// <summary>Every occurrence of a series, in the order in which they start.</summary>
    protected async Task<JsonNode[]> Occurrences(string series, string filter = "") =>
        [.. (await Admin.Get($"/activities?limit=200{filter}")).ShouldBe(200).Items.Where(a => (string?)a!["seriesId"] == series).Select(a => a!)];

    protected async Task<JsonNode> On(string series, string day) => (await Occurrences(series)).Single(a => (string?)a["occurrenceOn"] == day);

    protected async Task<JsonNode[]> ShiftsOf(JsonNode activity) =>
        [.. (await Admin.Get($"/activities/{Id(activity)}/shifts")).ShouldBe(200).Items.Select(s => s!)];

    /// <summary>After the clock was moved, tokens are old.</summary>
    protected async Task MoveTo(string instant)
    {
        Clock.Advance(DateTimeOffset.Parse(instant, null) - Clock.GetUtcNow());
        O = new OrganizationSteps(Host, Given, O.Id, (await Host.SignInAsOperator()).At(O.Path));
    }

    /// <summary>What the worker does every hour.</summary>
    protected static Task CarryOn(ApiHost host) =>
        SeriesHorizon.CarryOn(host.Services.GetRequiredService<IServiceScopeFactory>(), host.Clock.GetUtcNow(), NullLogger.Instance, TestContext.Current.CancellationToken);

    protected static string Id(JsonNode node) => (string)node["id"]!;

    protected static string[] Days(IEnumerable<JsonNode> occurrences) => [.. occurrences.Select(a => (string)a["occurrenceOn"]!)];

    protected static string Start(JsonNode node) => (string)node["startsAt"]!;

    protected static string End(JsonNode node) => (string)node["endsAt"]!;

    protected static string Status(JsonNode node) => (string)node["status"]!;
}
