using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Volunteers.Tests.Features.Identity;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests;

/// <summary>A client that is generated from the document says whether the document tells the truth: it has nothing else to go by.</summary>
public sealed class GeneratedClientTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task A_generated_client_walks_from_the_sign_in_page_to_an_hour_report()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var volunteer = await o.Volunteer(inTeam: team);
        var people = new Queue<(string Login, string Password)>([(ApiHost.OperatorLogin, ApiHost.OperatorPassword), ((await o.Account(volunteer)).Login, Given.Password)]);

        var lines = await TypedClient.Run(Service, "walk", JsonSerializer.Serialize(new { service = Service, organizationId = o.Id, teamId = team, volunteerId = volunteer, now = Clock.GetUtcNow() }),
            line => SignInWhenAsked(line, people));

        var saw = JsonNode.Parse(lines[^1])!;
        Assert.Equal(("not_found", "published", "周五晚间护路", "stale_version"), (Text(saw, "unpublished"), Text(saw, "published"), Text(saw, "renamed"), Text(saw, "stale")));
        Assert.Equal(("confirmed", "true", "true"), (Text(saw, "signUp"), Text(saw, "replayed"), Text(saw, "sameAnswer")));
        Assert.Equal(("submitted", "forbidden", "overlapping_service"), (Text(saw, "record"), Text(saw, "own"), Text(saw, "twice")));
        var record = Text(saw, "recordId");
        Assert.Equal([record], saw["waiting"]!.AsArray().Select(id => (string?)id));
        Assert.Equal(["approved"], saw["approved"]!.AsArray().Select(status => (string?)status));
        var posting = Assert.Single(saw["postings"]!.AsArray())!;
        Assert.Equal(("1", "approved", "120", record), (Text(posting, "position"), Text(posting, "cause"), Text(posting, "minutes"), Text(posting, "recordId")));
        var row = Assert.Single(saw["rows"]!.AsArray())!;
        Assert.Equal((team, "1", "120", "2"), (Text(row, "team"), Text(row, "persons"), Text(row, "minutes"), Text(row, "hours")));
        Assert.Equal("120", Text(saw["total"]!, "minutes"));
        Assert.EndsWith(",1,1,120,2.00", Text(saw, "csv"), StringComparison.Ordinal);
        Assert.Equal("120", Text(saw, "netMinutes"));
    }

    [Fact]
    public async Task The_example_of_a_phone_takes_a_place_checks_in_offline_and_shows_the_hours()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var volunteer = await o.Volunteer(inTeam: team);
        await o.Record(await o.Activity(team), volunteer, "2026-06-07T14:30:00+08:00", "2026-06-07T16:00:00+08:00");
        var shift = await o.Shift(await o.UpcomingActivity(team, Clock.GetUtcNow().AddMinutes(30)), capacity: 2);
        var people = new Queue<(string Login, string Password)>([((await o.Account(volunteer)).Login, Given.Password)]);

        var lines = await TypedClient.Run(Service, "mobile", null, async line => line.StartsWith("Code on", StringComparison.Ordinal)
            ? (string)(await o.Admin.Get($"/shifts/{shift}/check-in-code")).ShouldBe(200)["code"]!
            : await SignInWhenAsked(line, people));

        Assert.Equal("Hello Somebody", lines[1]);
        Assert.Matches("^Place on Shift .*: confirmed$", lines[2]);
        Assert.Matches("^My shift: Activity .*, confirmed$", lines[3]);
        Assert.Equal(["Check-in: recorded", "Check-in: repeated", "My hours: 1.50 (1 times), waiting for review: 0 minutes"], lines.Skip(5));
        Assert.Equal("attended", (string?)(await o.Admin.Get($"/shifts/{shift}/sign-ups/{volunteer}")).ShouldBe(200)["status"]);
    }

    private Uri Service
    {
        get
        {
            using var http = Host.Http();
            return http.BaseAddress!;
        }
    }

    /// <summary>Whoever is next opens the page that the client shows, signs in, and is sent back to it.</summary>
    private async Task<string?> SignInWhenAsked(string line, Queue<(string Login, string Password)> people)
    {
        if (!line.StartsWith("Sign in: ", StringComparison.Ordinal)) return null;
        var (login, password) = people.Dequeue();
        using var browser = new Browser(Host);
        var back = await browser.SignIn(await browser.Open(line["Sign in: ".Length..]), login, password);
        Assert.True(back.LeftFor is not null, back.Html);
        using var app = new HttpClient();
        Assert.Contains("Go back to the app", await app.GetStringAsync(back.LeftFor, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        return null;
    }

    private static string? Text(JsonNode node, string member) => Convert.ToString(node[member] is JsonValue value && value.TryGetValue(out string? text) ? text : node[member]?.ToJsonString(), CultureInfo.InvariantCulture);
}
