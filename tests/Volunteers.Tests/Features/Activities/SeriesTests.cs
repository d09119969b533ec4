using System.Text.Json.Nodes;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Activities;

public sealed class SeriesTests(TestDatabases databases) : SeriesTest(databases)
{
    [Fact]
    public async Task The_friday_duty_takes_place_every_friday_until_the_end_of_june_but_not_on_the_first_of_may()
    {
        var series = await Plan();

        var occurrences = await Occurrences(series.Id);
        Assert.Equal(
            ["2037-04-03", "2037-04-10", "2037-04-17", "2037-04-24", "2037-05-08", "2037-05-15", "2037-05-22", "2037-05-29", "2037-06-05", "2037-06-12", "2037-06-19", "2037-06-26"],
            Days(occurrences));
        Assert.All(occurrences, a => Assert.Equal((Start(a)[..10], "09:30:00Z", "11:00:00Z", "published"), ((string)a["occurrenceOn"]!, Start(a)[11..], End(a)[11..], Status(a))));
        Assert.Equal((12, 0, 0, "2037-06-26"), ((int)series["created"]!, (int)series["changed"]!, (int)series["removed"]!, (string?)series["madeUntil"]));
        var shift = Assert.Single(await ShiftsOf(occurrences[0]));
        Assert.Equal(("周五交通值守", Start(occurrences[0]), End(occurrences[0]), null), ((string?)shift["name"], Start(shift), End(shift), shift["capacity"]));
        Assert.Equal($"{O.Path}/series/{series.Id}", series.Header("Location"));
    }

    [Fact]
    public async Task It_is_shown_as_it_was_planned()
    {
        var (volunteer, person) = (await O.SignedInAs(await O.Volunteer(Team)), await O.Volunteer(Team));
        var shifts = new JsonArray(new JsonObject { ["name"] = "路口东", ["endTime"] = "18:15", ["capacity"] = 2, ["skills"] = new JsonArray("急救") });
        var series = await Plan(("recurrence", "rrule:freq=weekly;byday=fr"), ("shifts", shifts), ("responsibleVolunteerId", person), ("location", new JsonObject { ["name"] = "下沙广场" }));
        var draft = await Plan(("publish", false));

        var shown = (await Admin.Get($"/series/{series.Id}")).ShouldBe(200);
        Assert.Equal(("FREQ=WEEKLY;BYDAY=FR", "17:30", "19:00", "2037-04-01", "active"),
            ((string?)shown["recurrence"], (string?)shown["startTime"], (string?)shown["endTime"], (string?)shown["firstOn"], (string?)shown["status"]));
        Assert.Equal(("路口东", null, "18:15", "急救"), ((string?)shown["shifts"]![0]!["name"], (string?)shown["shifts"]![0]!["startTime"],
            (string?)shown["shifts"]![0]!["endTime"], (string?)shown["shifts"]![0]!["skills"]![0]));
        Assert.Equal([series.Id, draft.Id], (await Admin.Get("/series")).Items.Select(s => Id(s!)));
        Assert.Equal([series.Id], (await volunteer.Get("/series")).Items.Select(s => Id(s!)));
        (await volunteer.Get($"/series/{draft.Id}")).ShouldBe(404);
        Assert.All(await Occurrences(draft.Id), a => Assert.Equal("draft", Status(a)));
        Assert.Empty((await Admin.Get($"/series?team={await O.Team()}")).Items);
        Assert.Equal(2, (await Admin.Get("/series?status=active")).Items.Count);
    }

    [Fact]
    public async Task From_a_project_of_the_library_it_is_one_call()
    {
        var project = (await Admin.Post("/projects", new { title = "文明出行", category = "交通", defaults = new { minutes = 90, capacity = 6, posts = new[] { "路口东", "路口西" } } })).ShouldBe(201).Id;
        var plain = await O.Project("patrol");

        var series = (await Admin.Post("/series", new { teamId = Team, projectId = project, firstOn = "2037-04-03", startTime = "17:30", recurrence = "FREQ=WEEKLY;COUNT=2" })).ShouldBe(201);

        var occurrences = await Occurrences(series.Id);
        Assert.Equal(2, occurrences.Length);
        Assert.Equal(("文明出行", "交通", project, "2037-04-03T11:00:00Z"),
            ((string?)occurrences[0]["title"], (string?)occurrences[0]["category"], (string?)occurrences[0]["projectId"], End(occurrences[0])));
        Assert.Equal([("路口东", 6), ("路口西", 6)], (await ShiftsOf(occurrences[1])).Select(s => ((string)s["name"]!, (int)s["capacity"]!)).Order());
        (await Admin.Post("/series", new { teamId = Team, projectId = plain, firstOn = "2037-04-03", startTime = "17:30", recurrence = "FREQ=WEEKLY" })).ShouldRefuse(400, "end_needed");
        (await Admin.Post("/series", Fridays(("title", null)))).ShouldRefuse(400, "title_needed");
        (await Admin.Post("/series", Fridays(("category", null)))).ShouldRefuse(400, "category_needed");
        (await Admin.Post("/series", Fridays(("projectId", Guid.NewGuid().ToString())))).ShouldRefuse(404, "project_not_found");
        (await Admin.Post("/series", Fridays(("teamId", Guid.NewGuid().ToString())))).ShouldRefuse(404, "team_not_found");
        (await Admin.Post("/series", Fridays(("responsibleVolunteerId", Guid.NewGuid().ToString())))).ShouldRefuse(404, "responsible_volunteer_not_found");
    }

    [Fact]
    public async Task A_night_duty_ends_on_the_next_day_and_its_shifts_lie_within_it()
    {
        var shifts = new JsonArray(
            new JsonObject { ["name"] = "上半夜", ["endTime"] = "02:00", ["signUpClosesMinutesBefore"] = 60, ["cancelClosesMinutesBefore"] = 1440 },
            new JsonObject { ["name"] = "下半夜", ["startTime"] = "02:00" });
        var series = await Plan(("startTime", "22:00"), ("endTime", "06:00"), ("shifts", shifts));

        var made = await ShiftsOf(await On(series.Id, "2037-04-03"));
        Assert.Equal(["2037-04-03T14:00:00Z", "2037-04-03T18:00:00Z"], made.Select(Start));
        Assert.Equal(["2037-04-03T18:00:00Z", "2037-04-03T22:00:00Z"], made.Select(End));
        Assert.Equal(("2037-04-03T13:00:00Z", "2037-04-02T14:00:00Z"), ((string?)made[0]["signUpClosesAt"], (string?)made[0]["cancelClosesAt"]));
        foreach (var (from, to) in new[] { ("21:00", "22:30"), ("05:00", "06:30"), ("06:30", "07:00"), ("23:00", "22:00") })
            (await Admin.Post("/series", Fridays(("startTime", "22:00"), ("endTime", "06:00"), ("shifts", new JsonArray(new JsonObject { ["name"] = "a", ["startTime"] = from, ["endTime"] = to })))))
                .ShouldRefuse(400, "shift_outside_activity");
    }

    [Theory]
    [InlineData("recurrence", "FREQ=WEEKLY;BYHOUR=9", "invalid_recurrence")]
    [InlineData("recurrence", "FREQ=WEEKLY\r\nRRULE:FREQ=DAILY", "invalid_recurrence")]
    [InlineData("recurrence", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "invalid_recurrence")]
    [InlineData("recurrence", "FREQ=WEEKLY;UNTIL=20370331", "invalid_recurrence")]
    [InlineData("recurrence", "FREQ=DAILY;COUNT=402", "too_many_occurrences")]
    [InlineData("recurrence", "FREQ=YEARLY;COUNT=12", "too_many_occurrences")]
    [InlineData("recurrence", "FREQ=DAILY;UNTIL=21991231", "too_many_occurrences")]
    [InlineData("recurrence", "", "invalid_request")]
    [InlineData("firstOn", "2037-02-28", "first_on_too_early")]
    [InlineData("firstOn", "1.4.2037", "malformed_json")]
    [InlineData("startTime", "17:30:00", "malformed_json")]
    [InlineData("startTime", "24:00", "malformed_json")]
    [InlineData("title", "", "invalid_request")]
    public async Task What_cannot_be_a_series_is_refused(string member, string value, string code)
    {
        (await Admin.Post("/series", Fridays((member, value)))).ShouldRefuse(400, code);

        Assert.Empty((await Admin.Get("/series")).Items);
        Assert.Empty((await Admin.Get("/activities")).Items);
    }

    [Fact]
    public async Task A_series_starts_at_a_time_that_somebody_said()
    {
        var silent = Fridays();
        silent.Remove("startTime");

        (await Admin.Post("/series", silent)).ShouldRefuse(400, "malformed_json");
        (await Admin.Patch($"/series/{(await Plan()).Id}", new { startTime = (string?)null })).ShouldBe(400);
    }

    [Fact]
    public async Task What_is_too_much_is_refused()
    {
        var shift = new JsonObject { ["name"] = "a" };
        (await Admin.Post("/series", Fridays(("shifts", new JsonArray([.. Enumerable.Repeat(0, 21).Select(_ => shift.DeepClone())]))))).ShouldRefuse(400, "invalid_request");
        (await Admin.Post("/series", Fridays(("shifts", new JsonArray((JsonNode?)null))))).ShouldRefuse(400, "invalid_request");
        (await Admin.Post("/series", Fridays(("shifts", new JsonArray(new JsonObject { ["name"] = "a", ["capacity"] = 0 }))))).ShouldRefuse(400, "invalid_request");
        (await Admin.Post("/series", Fridays(("exceptOn", new JsonArray("2037-05-01", "2037-05-01"))))).ShouldRefuse(400, "invalid_request");
        (await Admin.Post("/series", Fridays(("exceptOn", new JsonArray([.. Enumerable.Range(0, 367).Select(i => (JsonNode)$"{new DateOnly(2037, 1, 1).AddDays(i):yyyy-MM-dd}")])))))
            .ShouldRefuse(400, "invalid_request");
        Assert.Equal(400, (int)(await Plan(("recurrence", "FREQ=DAILY;COUNT=400"), ("exceptOn", null)))["created"]!);
    }

    [Fact]
    public async Task A_team_coordinator_plans_for_their_own_team_only()
    {
        var (other, coordinator) = (await O.Team(), await O.SignedInWithRole("coordinator", Team));
        var foreign = await Plan(("teamId", other));

        (await coordinator.Post("/series", Fridays())).ShouldBe(201);
        (await coordinator.Post("/series", Fridays(("teamId", other)))).ShouldRefuse(404, "team_not_found");
        (await coordinator.Send(HttpMethod.Patch, $"/series/{foreign.Id}", new { title = "a" }, ("If-Match", "*"))).ShouldBe(404);
        (await coordinator.Delete($"/series/{foreign.Id}")).ShouldBe(404);
        (await coordinator.Post($"/activities/{Id((await Occurrences(foreign.Id))[0])}/detach")).ShouldBe(404);
    }
}
