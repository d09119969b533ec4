using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Architecture;

/// <summary>
/// A team coordinator reads about their teams and no other: not a row, not a name, not in a total or a page. Walked over every
/// operation of an organization that reads, those to come included. What they may write is in the matrix: "coordinator of another team".
/// </summary>
public sealed class TeamScopeTests(TestDatabases databases) : ApiTest(databases)
{
    /// <summary>In every text that is planted in the other team.</summary>
    private const string Mark = "Planted";

    /// <summary>Read by everybody of the organization: awards that are public (公示) are there to be objected to, and the code differs every half minute.</summary>
    private static readonly string[] ForEverybody = ["listAwards", "getCheckInCode"];

    /// <summary>Where the whole ledger stands, by whose positions every team's reports are drawn again.</summary>
    private static readonly string[] OfTheLedger = ["asOf", "position", "hash"];

    [Fact]
    public async Task What_another_team_does_changes_nothing_that_a_team_coordinator_reads()
    {
        var world = await World.Make(Host, Given);
        var o = world.Organization;
        var shared = await o.Volunteer(inTeam: world["teamId"]);
        var feed = await world.As("team coordinator").At(o.Path).Feed("organization");
        var before = await Everything(world, feed);

        var planted = await Plant(world, shared);
        var after = await Everything(world, feed);
        var all = await Everything(world, feed, "administrator");

        Assert.True(before.Count > 60, $"{before.Count} answers");
        foreach (var (what, text) in after)
        {
            Assert.True(before[what] == text, $"{what} was\n{before[what]}\nand is\n{text}");
            Assert.DoesNotContain(Mark, text, StringComparison.OrdinalIgnoreCase);
            Assert.All(planted, id => Assert.False(text.Contains(id, StringComparison.OrdinalIgnoreCase), $"{what} names {id}: {text}"));
        }
        // All of it is there to be seen, by who may.
        foreach (var what in new[]
                 {
                     "listTeams", "listVolunteers", "listActivities", "listSeries", "listServiceRecords", "listServiceRecordsToReview", "listDisputes", "listAttendanceExceptions", "listPostings",
                     "listIssuedReports", "getOverdueReport", "listChanges", "exportServiceRecords csv", "exportServiceRecords xlsx", "listReconciliations", "listAwards", "getHourReport", "getHourReport csv",
                     "getHourReport xlsx", "getHourReportChanges", "getHourReportChanges csv", "getActivityReport", "getActivityReport xlsx",
                 })
            Assert.True(all[what].Contains(Mark, StringComparison.OrdinalIgnoreCase) || planted.Exists(id => all[what].Contains(id, StringComparison.OrdinalIgnoreCase)), $"{what}: {all[what]}");
    }

    [Fact]
    public async Task Nor_does_asking_for_it_by_its_id()
    {
        var world = await World.Make(Host, Given);
        var shared = await world.Organization.Volunteer(inTeam: world["teamId"]);
        var planted = await Plant(world, shared);
        // Whoever is a volunteer besides sees what volunteers see, and no more for coordinating.
        var both = new Api((await world.Organization.CoordinatorWhoIs(await world.Organization.Volunteer(inTeam: world["teamId"]), world["teamId"])).Http, "");
        var asked = 0;

        foreach (var (operation, parameters) in (await Reading()).Where(reading => reading.Operation.AnswerTo("team coordinator") == 'y'))
            foreach (var parameter in parameters.Where(name => name is "team" or "volunteer" or "activity"))
                foreach (var caller in new[] { world.As("team coordinator"), both })
                    foreach (var format in parameters.Contains("format") ? ["csv", "xlsx"] : new[] { "" })
                    {
                        if (ForEverybody.Contains(operation.Id) || (operation.Id is "listActivities" or "listSeries" && caller == both)) continue;
                        var id = parameter switch { "team" => planted[0], "volunteer" => planted[1], _ => planted[2] };
                        var path = world.PathOf(operation) + (operation.Query.Length > 0 ? operation.Query + "&" : "?") + $"{parameter}={id}"
                            + (format.Length > 0 ? $"&format={format}" : "") + (operation.Id == "listStars" ? "&level=0" : "");

                        var text = await TextOf(caller, path);

                        // An export says by what it was narrowed: by the id that was asked for, never by its name.
                        text = text.Replace(id, "", StringComparison.OrdinalIgnoreCase);
                        Assert.DoesNotContain(Mark, text, StringComparison.OrdinalIgnoreCase);
                        Assert.DoesNotContain(shared, text, StringComparison.OrdinalIgnoreCase);
                        Assert.All(planted, other => Assert.DoesNotContain(other, text, StringComparison.OrdinalIgnoreCase));
                        asked++;
                    }
        Assert.True(asked > 40, $"{asked} questions");
    }

    /// <summary>Something of everything in a team of its own; answers the ids: the team, a volunteer and an activity first.</summary>
    private async Task<List<string>> Plant(World world, string shared)
    {
        var o = world.Organization;
        var now = Host.Clock.GetUtcNow();
        var team = (await o.Admin.Post("/teams", new { name = $"{Mark} team" })).ShouldBe(201).Id;
        var below = (await o.Admin.Post("/teams", new { name = $"{Mark} below", parentTeamId = team })).ShouldBe(201).Id;
        var volunteer = (await o.Admin.Post("/volunteers", new { name = $"{Mark} person", phone = "13987654321", hometown = Mark })).ShouldBe(201).Id;
        foreach (var member in new[] { volunteer, shared }) await o.Member(team, member);
        await o.Member(below, volunteer);
        var location = new { name = $"{Mark} place", latitude = 22.5, longitude = 114.0 };
        async Task<string> Activity(string inTeam, object startsAt, object endsAt)
        {
            var activity = (await o.Admin.Post("/activities",
                new { title = $"{Mark} activity", teamId = inTeam, category = $"{Mark} category", startsAt, endsAt, location, responsibleVolunteerId = volunteer })).ShouldBe(201).Id;
            (await o.Admin.Post($"/activities/{activity}/publish")).ShouldBe(200);
            return activity;
        }

        var past = await Activity(team, "2026-06-07T06:00:00+08:00", "2026-06-07T20:00:00+08:00");
        var overdue = await Activity(below, "2026-05-07T06:00:00+08:00", "2026-05-07T20:00:00+08:00");
        var soon = await Activity(team, now.AddMinutes(30), now.AddHours(4));
        var shift = (await o.Admin.Post($"/activities/{soon}/shifts", new { name = $"{Mark} shift" })).ShouldBe(201).Id;
        await o.SignUp(shift, volunteer);
        var group = (await o.Admin.Post($"/shifts/{shift}/groups", new { title = $"{Mark} group", places = 3 })).ShouldBe(200).Id;
        // From far away, so that it is on the daily list.
        (await o.Admin.Post($"/shifts/{shift}/check-in", new { volunteerId = volunteer, position = new { latitude = 30.0, longitude = 114.0 } })).ShouldBe(200);
        var series = (await o.Admin.Post("/series", new
        {
            title = $"{Mark} series", teamId = team, category = "patrol", firstOn = $"{now:yyyy-MM-dd}", startTime = "12:00", endTime = "13:00", recurrence = "FREQ=WEEKLY;COUNT=2",
        })).ShouldBe(201).Id;
        (await o.Admin.Post($"/series/{series}/sign-ups", new { volunteerId = volunteer })).ShouldBe(201);

        var approved = await o.Record(past, volunteer, "2026-06-07T07:00:00+08:00", "2026-06-07T09:00:00+08:00");
        var ofShared = await o.Record(past, shared, "2026-06-07T07:00:00+08:00", "2026-06-07T09:00:00+08:00");
        (await o.Admin.Post($"/service-records/{approved}/correct", new { reason = $"{Mark} reason", minutes = 90 })).ShouldBe(200);
        var headcount = (await o.Admin.Post("/service-records", new
        {
            activityId = past, startsAt = "2026-06-07T10:00:00+08:00", endsAt = "2026-06-07T11:00:00+08:00", headcount = new { personTimes = 9, method = "counted" }, note = $"{Mark} note",
        })).ShouldBe(201).Id;
        var person = await o.SignedInAs(volunteer);
        var waiting = (await person.Post("/service-records",
            new { volunteerId = volunteer, activityId = past, startsAt = "2026-06-07T12:00:00+08:00", endsAt = "2026-06-07T13:00:00+08:00", note = $"{Mark} note" })).ShouldBe(201).Id;
        var dispute = (await person.Post($"/service-records/{approved}/disputes", new { message = $"{Mark} message" })).ShouldBe(201).Id;
        var rejected = (await person.Post("/service-records", new { volunteerId = volunteer, activityId = past, startsAt = "2026-06-07T15:00:00+08:00", endsAt = "2026-06-07T16:00:00+08:00" })).ShouldBe(201).Id;
        (await o.Admin.Post($"/service-records/{rejected}/reject", new { reason = Mark })).ShouldBe(200);

        var theirs = await o.SignedInWithRole("coordinator", team);
        var report = (await theirs.Post("/reports/hours/issued", new { from = "2026-01-01", to = "2026-12-31", sentTo = $"{Mark} office", note = Mark })).ShouldBe(201).Id;
        var whole = (await o.Admin.Post("/reports/hours/issued", new { from = "2026-01-01", to = "2026-12-31", sentTo = $"{Mark} district" })).ShouldBe(201).Id;
        var award = (await o.Admin.Post("/awards", new { volunteerId = volunteer, name = $"{Mark} award" })).ShouldBe(201).Id;
        (await o.Admin.Post($"/awards/{award}/publish", new { })).ShouldBe(200);
        (await o.Admin.Post($"/volunteers/{volunteer}/trainings", new { name = $"{Mark} training", minutes = 60, heldOn = "2026-06-07" })).ShouldBe(201);
        (await o.Admin.Post($"/volunteers/{volunteer}/ratings", new { grade = Mark, ratedBy = Mark, ratedOn = "2026-06-07" })).ShouldBe(201);
        var certificate = (await o.Admin.Post($"/volunteers/{volunteer}/certificates", new { from = "2026-01-01", to = "2026-06-30" })).ShouldBe(201).Id;
        var reconciliation = (await o.Admin.Post($"/reconciliations?mapping=upstream&from=2026-06-01&to=2026-06-30&team={team}",
            new StringContent($"Number,Date,Minutes\r\n{Mark},2026-06-07,60\r\n", Encoding.UTF8, "text/csv"))).ShouldBe(201).Id;
        return [team, volunteer, past, below, overdue, soon, shift, group, series, approved, ofShared, headcount, waiting, dispute, rejected, report, whole, award, certificate, reconciliation];
    }

    /// <summary>Every answer to who reads all that they may, by the operation and the form.</summary>
    private async Task<SortedDictionary<string, string>> Everything(World world, string feed, string caller = "team coordinator")
    {
        var api = world.As(caller);
        var answers = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["getCalendar"] = (await Host.Anonymous.Get(feed)).ShouldBe(200).Text };
        foreach (var (operation, parameters) in await Reading())
        {
            if (operation.AnswerTo(caller) != 'y' || (ForEverybody.Contains(operation.Id) && caller == "team coordinator")) continue;
            var path = world.PathOf(operation) + operation.Query;
            if (operation.Query.Length > 0 && parameters.Contains("groupBy")) path += operation.Id == "getActivityReport" ? "&groupBy=team" : "&groupBy=team,volunteer,activity";
            foreach (var format in parameters.Contains("format") && operation.Id != "getCheckInCode" ? ["", "csv", "xlsx"] : new[] { "" })
                answers[$"{operation.Id} {format}".TrimEnd()] = await TextOf(api, path + (format.Length == 0 ? "" : (path.Contains('?', StringComparison.Ordinal) ? "&" : "?") + $"format={format}"));
        }
        return answers;
    }

    /// <summary>The operations of an organization that read, with the names of their parameters.</summary>
    private async Task<List<(Operation Operation, string[] Parameters)>> Reading()
    {
        var document = (await Host.Anonymous.Get("/openapi/v1.json")).ShouldBe(200);
        var parameters = document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject()).ToDictionary(operation => (string)operation.Value!["operationId"]!,
            operation => (operation.Value!["parameters"]?.AsArray() ?? []).Where(p => (string?)p!["in"] == "query").Select(p => (string)p!["name"]!).ToArray());
        return [.. Operation.All.Where(operation => operation is { Method: "GET" } && operation.Route.StartsWith("{o}", StringComparison.Ordinal)).Select(operation => (operation, parameters[operation.Id]))];
    }

    /// <summary>What somebody can read in an answer, without where the ledger of the whole organization stands, and when it was drawn.</summary>
    private static async Task<string> TextOf(Api api, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        using var response = await api.Http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, $"{path}: {response.StatusCode}");
        var bytes = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        if (response.Content.Headers.ContentType?.MediaType?.Contains("spreadsheetml", StringComparison.Ordinal) == true)
        {
            await using var file = new ZipArchive(new MemoryStream(bytes));
            // The first sheet is the report; the second says of which position and when.
            return string.Concat(file.Entries.Where(entry => entry.FullName.EndsWith("sheet1.xml", StringComparison.Ordinal)).Select(entry => new StreamReader(entry.Open()).ReadToEnd()));
        }
        var text = Encoding.UTF8.GetString(bytes);
        if (response.Content.Headers.ContentType?.MediaType != "application/json") return text;
        var json = JsonNode.Parse(text)!;
        if (json is JsonObject answer) foreach (var name in OfTheLedger) answer.Remove(name);
        if (path.Contains("/changes?limit", StringComparison.Ordinal)) OfTheCopy(json.AsObject());
        return json.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    /// <summary>Of a copy what it holds: not how far it has come, and no awards, which are for everybody.</summary>
    private static void OfTheCopy(JsonObject answer)
    {
        Assert.False((bool)answer["hasMore"]!);
        answer.Remove("next");
        var items = answer["items"]!.AsArray();
        foreach (var award in items.Where(item => (string?)item!["resource"] == "award").ToArray()) items.Remove(award);
        foreach (var item in items) item!.AsObject().Remove("position");
    }
}
