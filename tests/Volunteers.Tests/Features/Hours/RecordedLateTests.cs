using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

/// <summary>Recorded after the tenth working day following the activity: not refused, but shown.</summary>
public sealed class RecordedLateTests(TestDatabases databases) : AttendanceTest(databases)
{
    /// <summary>Local days of Asia/Shanghai, from yesterday back: the first is the tenth working day before today.</summary>
    private DateOnly Today => DateOnly.FromDateTime(Clock.GetUtcNow().ToOffset(TimeSpan.FromHours(8)).DateTime);

    [Fact]
    public async Task The_tenth_working_day_is_in_time_and_the_day_after_is_late()
    {
        await EveryDayIsWorked();
        var (inTime, late) = (await EndedOn(Today.AddDays(-10)), await EndedOn(Today.AddDays(-11)));

        Assert.False(await IsLate(inTime));
        Assert.True(await IsLate(late));
    }

    [Fact]
    public async Task A_holiday_gives_a_day_more()
    {
        await EveryDayIsWorked();
        var activity = await EndedOn(Today.AddDays(-11));
        (await Admin.Put("/calendar-days", new { days = new[] { new { day = $"{Today.AddDays(-5):yyyy-MM-dd}", kind = "holiday" } } })).ShouldBe(200);
        Assert.False(await IsLate(activity));

        (await Admin.Delete($"/calendar-days/{Today.AddDays(-5):yyyy-MM-dd}")).ShouldBe(204);
        Assert.True(await IsLate(activity));
    }

    [Fact]
    public async Task A_make_up_working_day_takes_one_away()
    {
        // One weekday of rest: between the eleventh and the last day before today nine are worked, and today is the tenth.
        await Settings(new { restDays = new[] { Today.AddDays(-5).DayOfWeek.ToString().ToLowerInvariant() } });
        var activity = await EndedOn(Today.AddDays(-11));
        Assert.False(await IsLate(activity));

        (await Admin.Put("/calendar-days", new { days = new[] { new { day = $"{Today.AddDays(-5):yyyy-MM-dd}", kind = "working" } } })).ShouldBe(200);

        Assert.True(await IsLate(activity));
    }

    [Fact]
    public async Task Another_organizations_calendar_does_not_count()
    {
        await EveryDayIsWorked();
        var other = await Given.AnotherOrganization();
        (await other.Admin.Put("/calendar-days", new { days = new[] { new { day = $"{Today.AddDays(-5):yyyy-MM-dd}", kind = "holiday" } } })).ShouldBe(200);

        Assert.True(await IsLate(await EndedOn(Today.AddDays(-11))));
    }

    [Fact]
    public async Task The_day_is_the_organizations_local_one_on_which_the_activity_ended()
    {
        await EveryDayIsWorked();
        // Ten days ago at half past midnight in Shanghai is eleven days ago in UTC.
        var day = Today.AddDays(-10);
        var activity = await O.Activity(Team, $"{day.AddDays(-1):yyyy-MM-dd}T22:00:00+08:00", $"{day:yyyy-MM-dd}T00:30:00+08:00");
        var record = (await Record(Admin, await O.Volunteer(Team), $"{day.AddDays(-1):yyyy-MM-dd}T22:00:00+08:00", $"{day.AddDays(-1):yyyy-MM-dd}T23:00:00+08:00", activity: activity)).ShouldBe(201);

        Assert.False((bool)record["recordedLate"]!);
    }

    [Fact]
    public async Task What_was_recorded_in_time_stays_so_whatever_is_reviewed_or_corrected_later()
    {
        await EveryDayIsWorked();
        var (volunteer, day) = (await O.Volunteer(Team), Today.AddDays(-10));
        var activity = await EndedOn(day);
        var record = (await Record(await O.SignedInAs(volunteer), volunteer, Time(day, 8), Time(day, 9), activity: activity)).ShouldBe(201).Id;

        await Host.Later(TimeSpan.FromDays(5));

        Assert.False((bool)(await Do(Admin, "approve", record, new { })).ShouldBe(200)["recordedLate"]!);
        Assert.False((bool)(await Do(Admin, "correct", record, new { reason = "Less.", minutes = 30 })).ShouldBe(200)["recordedLate"]!);
    }

    [Fact]
    public async Task Lists_tell_what_was_late_from_what_was_in_time()
    {
        await EveryDayIsWorked();
        var (inTime, late) = (await Recorded(Today.AddDays(-10)), await Recorded(Today.AddDays(-11)));

        Assert.Equal(late, (string?)Assert.Single((await Admin.Get("/service-records?recordedLate=true")).ShouldBe(200).Items)!["id"]);
        Assert.Equal(inTime, (string?)Assert.Single((await Admin.Get("/service-records?recordedLate=false")).ShouldBe(200).Items)!["id"]);
    }

    [Fact]
    public async Task A_claim_is_late_by_its_own_day()
    {
        await EveryDayIsWorked();
        var day = Today.AddDays(-10);
        var headcount = Service(null, Time(day, 8), Time(day, 9), activity: await EndedOn(day));
        headcount["headcount"] = new System.Text.Json.Nodes.JsonObject { ["personTimes"] = 2, ["method"] = "counted" };
        var record = (await Admin.Post("/service-records", headcount)).ShouldBe(201);
        Assert.False((bool)record["recordedLate"]!);

        Assert.False((bool)(await Do(Admin, "claims", record.Id, new { volunteerId = await O.Volunteer(Team) })).ShouldBe(201)["recordedLate"]!);
        await Host.Later(TimeSpan.FromDays(1));
        Assert.True((bool)(await Do(Admin, "claims", record.Id, new { volunteerId = await O.Volunteer(Team) })).ShouldBe(201)["recordedLate"]!);
        Assert.False((bool)(await Admin.Get($"/service-records/{record.Id}"))["recordedLate"]!);
    }

    [Fact]
    public async Task Attendance_is_late_by_when_it_made_a_record()
    {
        await EveryDayIsWorked();
        var (prompt, tardy) = (await SignedUp(), await SignedUp());
        Assert.False((bool)RecordIn(await Stay(prompt, 0, 60))["recordedLate"]!);

        await Minute(60 * 24 * 12);
        Assert.Equal(["recorded", "recorded"], await Results([Offline(tardy, "checkIn", 0), Offline(tardy, "checkOut", 60)]));

        Assert.True((bool)(await RecordOf(tardy))["recordedLate"]!);
        Assert.False((bool)(await RecordOf(prompt))["recordedLate"]!);
    }

    private async Task EveryDayIsWorked() => await Settings(new { restDays = Array.Empty<string>() });

    private Task<string> EndedOn(DateOnly day) => O.Activity(Team, Time(day, 8), Time(day, 23));

    private async Task<bool> IsLate(string activity)
    {
        var day = DateTimeOffset.Parse((string)(await Admin.Get($"/activities/{activity}"))["startsAt"]!, null).ToOffset(TimeSpan.FromHours(8));
        return (bool)(await Record(Admin, await O.Volunteer(Team), day.ToString("O"), day.AddHours(1).ToString("O"), activity: activity)).ShouldBe(201)["recordedLate"]!;
    }

    private async Task<string> Recorded(DateOnly day) => await O.Record(await EndedOn(day), await O.Volunteer(Team), Time(day, 8), Time(day, 9));

    private static string Time(DateOnly day, int hour) => $"{day:yyyy-MM-dd}T{hour:00}:00:00+08:00";
}
