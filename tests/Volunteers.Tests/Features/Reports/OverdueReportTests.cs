using System.Text.Json.Nodes;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reports;

/// <summary>Activities that ended without their records, by the tenth working day after.</summary>
public sealed class OverdueReportTests(TestDatabases databases) : HoursTest(databases)
{
    private DateOnly Today => DateOnly.FromDateTime(Clock.GetUtcNow().ToOffset(TimeSpan.FromHours(8)).DateTime);

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        // The one of every test of hours is none of these tests' business; and every day is worked, so that days can be counted.
        (await Admin.Post($"/activities/{Activity}/cancel", new { reason = "Not needed." })).ShouldBe(200);
        (await Admin.Patch("", new { settings = new { restDays = Array.Empty<string>() } })).ShouldBe(200);
    }

    [Fact]
    public async Task An_activity_without_records_is_listed_from_the_day_after_the_tenth_working_day()
    {
        var (due, soon) = (await EndedOn(Today.AddDays(-11)), await EndedOn(Today.AddDays(-10)));

        var row = Assert.Single(await Overdue())!;
        Assert.Equal((due, $"{Today.AddDays(-1):yyyy-MM-dd}", 1, 0, 0, 0), Figures(row));
        Assert.Equal(Team, (string?)row["team"]!["id"]);
        Assert.Equal([(due, 1), (soon, 0)], (await Overdue("?includeDueSoon=true")).Select(r => ((string)r!["activityId"]!, (int)r["workingDaysLate"]!)));

        await Host.Later(TimeSpan.FromDays(1));
        Assert.Equal([(due, 2), (soon, 1)], (await Overdue()).Select(r => ((string)r!["activityId"]!, (int)r["workingDaysLate"]!)));
    }

    [Fact]
    public async Task A_holiday_moves_the_due_day_and_days_of_rest_are_not_days_late()
    {
        var activity = await EndedOn(Today.AddDays(-11));
        await Holidays(Today.AddDays(-3));
        Assert.Empty(await Overdue());

        await Host.Later(TimeSpan.FromDays(2));
        await Holidays(Today, Today.AddDays(-1));
        // Due the day before yesterday; yesterday and today nobody works.
        Assert.Equal((activity, 0), (await Overdue()).Select(r => ((string)r!["activityId"]!, (int)r["workingDaysLate"]!)).Single());
    }

    [Fact]
    public async Task A_make_up_working_day_brings_the_due_day_nearer()
    {
        (await Admin.Patch("", new { settings = new { restDays = new[] { Today.AddDays(-5).DayOfWeek.ToString().ToLowerInvariant() } } })).ShouldBe(200);
        var activity = await EndedOn(Today.AddDays(-11));
        Assert.Empty(await Overdue());
        Assert.Equal($"{Today:yyyy-MM-dd}", (string?)Assert.Single(await Overdue("?includeDueSoon=true"))!["dueOn"]);

        (await Admin.Put("/calendar-days", new { days = new[] { new { day = $"{Today.AddDays(-5):yyyy-MM-dd}", kind = "working" } } })).ShouldBe(200);

        Assert.Equal((activity, $"{Today.AddDays(-1):yyyy-MM-dd}", 1, 0, 0, 0), Figures(Assert.Single(await Overdue())!));
    }

    [Fact]
    public async Task What_is_there_is_shown_in_persons_person_times_and_hours_as_of_then_too()
    {
        var day = Today.AddDays(-20);
        var activity = await EndedOn(day);
        var (volunteer, named) = (await O.Volunteer(Team), await O.Volunteer(Team));
        var waiting = (await Record(await O.SignedInAs(volunteer), volunteer, Time(day, 8), Time(day, 9), activity: activity)).ShouldBe(201).Id;
        var headcount = Service(null, Time(day, 10), Time(day, 12), minutes: 180, activity: activity);
        headcount["headcount"] = new JsonObject { ["personTimes"] = 2, ["method"] = "counted" };
        var group = (await Admin.Post("/service-records", headcount)).ShouldBe(201).Id;
        var counted = await AsOfNow();
        await Host.Later(TimeSpan.FromMinutes(1));
        (await Do(Admin, "claims", group, new { volunteerId = named, minutes = 100 })).ShouldBe(201);
        var claimed = await AsOfNow();
        await Host.Later(TimeSpan.FromMinutes(1));
        (await Do(Admin, "correct", group, new { reason = "Shorter.", minutes = 160 })).ShouldBe(200);

        async Task<(int, int, int, string)> Recorded(string query) => Assert.Single(await Overdue(query))!["recorded"] is { } of
            ? ((int)of["persons"]!, (int)of["personTimes"]!, (int)of["minutes"]!, of["hours"]!.ToJsonString()) : default;

        Assert.Equal((1, 3, 240, "4.00"), await Recorded($"?asOf={counted}"));
        Assert.Equal((2, 3, 240, "4.00"), await Recorded($"?asOf={claimed}"));
        Assert.Equal((2, 3, 220, "3.67"), await Recorded(""));
        (await Do(Admin, "reject", waiting)).ShouldBe(200);
        Assert.Empty(await Overdue());
    }

    [Fact]
    public async Task What_waits_for_review_is_missing_and_what_stands_approved_is_not()
    {
        var day = Today.AddDays(-20);
        var activity = await EndedOn(day);
        var (volunteer, other) = (await O.Volunteer(Team), await O.Volunteer(Team));
        var waiting = (await Record(await O.SignedInAs(volunteer), volunteer, Time(day, 8), Time(day, 9), activity: activity)).ShouldBe(201).Id;
        var entered = await O.Record(activity, other, Time(day, 8), Time(day, 9));
        Assert.Equal((2, 1), RecordsOf(Assert.Single(await Overdue())!));

        (await Do(Admin, "approve", waiting, new { })).ShouldBe(200);
        Assert.Empty(await Overdue());

        (await Do(Admin, "void", waiting)).ShouldBe(200);
        (await Do(Admin, "void", entered)).ShouldBe(200);
        Assert.Equal((0, 0), RecordsOf(Assert.Single(await Overdue())!));
    }

    [Fact]
    public async Task What_was_rejected_does_not_stand()
    {
        var day = Today.AddDays(-20);
        var activity = await EndedOn(day);
        var volunteer = await O.Volunteer(Team);
        var record = (await Record(await O.SignedInAs(volunteer), volunteer, Time(day, 8), Time(day, 9), activity: activity)).ShouldBe(201).Id;
        (await Do(Admin, "reject", record)).ShouldBe(200);

        Assert.Equal((0, 0), RecordsOf(Assert.Single(await Overdue())!));
    }

    [Fact]
    public async Task Drafts_cancelled_activities_and_those_to_come_are_not_listed_and_completed_ones_are()
    {
        var day = Today.AddDays(-20);
        (await Admin.Post("/activities", new { title = "Draft", teamId = Team, category = "patrol", startsAt = Time(day, 8), endsAt = Time(day, 9) })).ShouldBe(201);
        (await Admin.Post($"/activities/{await EndedOn(day)}/cancel", new { reason = "Rain." })).ShouldBe(200);
        await O.UpcomingActivity(Team);
        var completed = await EndedOn(day);
        (await Admin.Post($"/activities/{completed}/complete", new { })).ShouldBe(200);

        Assert.Equal(completed, (string?)Assert.Single(await Overdue("?includeDueSoon=true"))!["activityId"]);
    }

    [Fact]
    public async Task Who_had_a_place_is_counted_once()
    {
        var start = new DateTimeOffset(Clock.GetUtcNow().Date.AddDays(2), TimeSpan.Zero);
        var activity = await O.UpcomingActivity(Team, start);
        var (morning, noon) = (await O.Shift(activity, capacity: 2, startsAt: start, endsAt: start.AddHours(1)), await O.Shift(activity, startsAt: start.AddHours(2), endsAt: start.AddHours(3)));
        var people = await O.Volunteers(3, Team);
        foreach (var person in people) await O.SignUp(morning, person);
        await O.SignUp(noon, people[0]);
        await Host.Later(TimeSpan.FromDays(15));

        Assert.Equal(2, (int)Assert.Single(await Overdue())!["confirmedSignUps"]!);
    }

    [Fact]
    public async Task As_of_a_moment_it_shows_what_was_missing_then()
    {
        var day = Today.AddDays(-20);
        var (activity, booked) = (await EndedOn(day), await EndedOn(Today.AddDays(-19)));
        var volunteer = await O.Volunteer(Team);
        await O.Record(booked, await O.Volunteer(Team), Time(Today.AddDays(-19), 8), Time(Today.AddDays(-19), 9));
        var empty = await AsOfNow();
        await Host.Later(TimeSpan.FromDays(1));
        var record = (await Record(await O.SignedInAs(volunteer), volunteer, Time(day, 8), Time(day, 9), activity: activity)).ShouldBe(201).Id;
        var waiting = await AsOfNow();
        await Host.Later(TimeSpan.FromDays(1));
        (await Do(Admin, "approve", record, new { })).ShouldBe(200);
        var approved = await AsOfNow();
        await Host.Later(TimeSpan.FromDays(1));
        (await Do(Admin, "void", record)).ShouldBe(200);
        await EndedOn(day);

        Assert.Equal([(0, 0), (1, 1)], new[] { empty, waiting }.Select(at => Overdue($"?asOf={at}").Result).Select(rows => RecordsOf(Assert.Single(rows)!)));
        Assert.Empty(await Overdue($"?asOf={approved}"));
        Assert.Equal(2, (await Overdue()).Count);
        // Position 1 booked the other activity, 2 approved this one, 3 voided it.
        Assert.Equal((0, 0), RecordsOf(Assert.Single(await Overdue("?asOf=1"))!));
        Assert.Empty(await Overdue("?asOf=2"));
        Assert.Equal(activity, (string?)Assert.Single(await Overdue("?asOf=3"))!["activityId"]);
        Assert.Equal(9, (int)(await Overdue($"?asOf={empty}"))[0]!["workingDaysLate"]! - 1);
        (await Admin.Get("/reports/overdue?asOf=4")).ShouldRefuse(409, "beyond_ledger_end");
        (await Admin.Get("/reports/overdue?asOf=soon")).ShouldRefuse(400, "invalid_request");
        Assert.Empty(await Overdue("?asOf=0"));
    }

    [Fact]
    public async Task It_is_narrowed_by_team_and_by_the_day_on_which_activities_ended_and_paged()
    {
        var otherTeam = await O.Team();
        var (first, last) = (await EndedOn(Today.AddDays(-30)), await EndedOn(Today.AddDays(-20), otherTeam));

        Assert.Equal([first, last], await Ids(""));
        Assert.Equal([last], await Ids($"?team={otherTeam}"));
        Assert.Equal([first], await Ids($"?from={Today.AddDays(-30):yyyy-MM-dd}&to={Today.AddDays(-30):yyyy-MM-dd}"));
        Assert.Equal([last], await Ids($"?from={Today.AddDays(-29):yyyy-MM-dd}"));
        Assert.Empty(await Ids($"?to={Today.AddDays(-31):yyyy-MM-dd}"));
        (await Admin.Get("/reports/overdue?from=2026-06-02&to=2026-06-01")).ShouldRefuse(400, "invalid_request");
        var page = (await Admin.Get("/reports/overdue?limit=1")).ShouldBe(200);
        Assert.NotNull(page.Header("Link"));
        Assert.Equal([last], await Ids($"?limit=1&cursor={(string?)page["next"]}&asOf={Uri.EscapeDataString(page.Header("Volunteers-As-Of")!)}"));
    }

    [Fact]
    public async Task A_team_coordinators_list_is_about_their_teams()
    {
        var subTeam = await O.Team(parentTeamId: Team);
        await EndedOn(Today.AddDays(-20), await O.Team());
        var (inTeam, inSubTeam) = (await EndedOn(Today.AddDays(-19)), await EndedOn(Today.AddDays(-18), subTeam));

        var rows = (await (await O.SignedInWithRole("coordinator", Team)).Get("/reports/overdue")).ShouldBe(200).Items;

        Assert.Equal([inTeam, inSubTeam], rows.Select(r => (string)r!["activityId"]!));
        Assert.Equal(3, (await (await O.SignedInWithRole("auditor")).Get("/reports/overdue")).ShouldBe(200).Items.Count);
        (await (await O.SignedInAs(await O.Volunteer(Team))).Get("/reports/overdue")).ShouldRefuse(403, "forbidden");
        Assert.Empty((await (await Given.AnotherOrganization()).Admin.Get("/reports/overdue")).ShouldBe(200).Items);
    }

    private Task<string> EndedOn(DateOnly day, string? team = null) => O.Activity(team ?? Team, Time(day, 8), Time(day, 23));

    private async Task Holidays(params DateOnly[] days) =>
        (await Admin.Put("/calendar-days", new { days = days.Select(day => new { day = $"{day:yyyy-MM-dd}", kind = "holiday" }) })).ShouldBe(200);

    private async Task<JsonArray> Overdue(string query = "") => (await Admin.Get("/reports/overdue" + query)).ShouldBe(200).Items;

    private async Task<string[]> Ids(string query) => [.. (await Overdue(query)).Select(r => (string)r!["activityId"]!)];

    private async Task<string> AsOfNow() => Uri.EscapeDataString((await Admin.Get("/reports/overdue")).Header("Volunteers-As-Of")!);

    private static (int, int) RecordsOf(JsonNode row) => ((int)row["records"]!, (int)row["waiting"]!);

    private static (string, string, int, int, int, int) Figures(JsonNode row) => ((string)row["activityId"]!, (string)row["dueOn"]!, (int)row["workingDaysLate"]!,
        (int)row["confirmedSignUps"]!, (int)row["records"]!, (int)row["waiting"]!);

    private static string Time(DateOnly day, int hour) => $"{day:yyyy-MM-dd}T{hour:00}:00:00+08:00";
}
