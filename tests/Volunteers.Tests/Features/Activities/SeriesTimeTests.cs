using System.Text.Json.Nodes;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Activities;

/// <summary>In 2037 the clock changes on 29 March and 25 October in Berlin, on 8 March and 1 November in New York.</summary>
public sealed class SeriesTimeTests(TestDatabases databases) : SeriesTest(databases)
{
    protected override string Now => "2037-03-01T12:00:00Z";

    [Theory]
    [InlineData("Europe/Berlin", "2037-03-20", "2037-03-20T16:30:00Z 2037-03-27T16:30:00Z 2037-04-03T15:30:00Z")]
    [InlineData("Europe/Berlin", "2037-10-16", "2037-10-16T15:30:00Z 2037-10-23T15:30:00Z 2037-10-30T16:30:00Z")]
    [InlineData("America/New_York", "2037-03-06", "2037-03-06T22:30:00Z 2037-03-13T21:30:00Z 2037-03-20T21:30:00Z")]
    [InlineData("America/New_York", "2037-10-23", "2037-10-23T21:30:00Z 2037-10-30T21:30:00Z 2037-11-06T22:30:00Z")]
    public async Task Half_past_five_stays_half_past_five(string zone, string firstOn, string starts) =>
        Assert.Equal(starts, string.Join(' ', (await In(zone, firstOn, "17:30", "19:00", "FREQ=WEEKLY;COUNT=3")).Select(Start)));

    [Theory]
    // The night in which an hour is skipped has seven, the one in which it comes twice has nine.
    [InlineData("Europe/Berlin", "2037-03-27", "22:00", "06:00", "21:00-05:00 21:00-04:00 20:00-04:00")]
    [InlineData("Europe/Berlin", "2037-10-23", "22:00", "06:00", "20:00-04:00 20:00-05:00 21:00-05:00")]
    [InlineData("America/New_York", "2037-03-06", "22:00", "06:00", "03:00-11:00 03:00-10:00 02:00-10:00")]
    // What is skipped is moved on by the hour; what comes twice is the first.
    [InlineData("Europe/Berlin", "2037-03-28", "02:30", "04:00", "01:30-03:00 01:30-02:00 00:30-02:00")]
    [InlineData("America/New_York", "2037-03-07", "02:30", "03:00", "07:30-08:00 07:30-08:00 06:30-07:00")]
    [InlineData("Europe/Berlin", "2037-10-24", "02:30", "04:00", "00:30-02:00 00:30-03:00 01:30-03:00")]
    [InlineData("America/New_York", "2037-10-31", "01:30", "01:45", "05:30-05:45 05:30-05:45 06:30-06:45")]
    public async Task Nights_on_which_the_clock_changes(string zone, string firstOn, string startTime, string endTime, string periods) =>
        Assert.Equal(periods, string.Join(' ', (await In(zone, firstOn, startTime, endTime, "FREQ=DAILY;COUNT=3")).Select(a => $"{Start(a)[11..16]}-{End(a)[11..16]}")));

    [Fact]
    public async Task Shifts_in_the_skipped_hour_still_lie_within_their_activity()
    {
        var shifts = new JsonArray(new JsonObject { ["name"] = "a", ["endTime"] = "02:30" }, new JsonObject { ["name"] = "b", ["startTime"] = "02:30" });
        var occurrences = await In("Europe/Berlin", "2037-03-28", "22:00", "03:00", "FREQ=DAILY;COUNT=1", shifts);

        Assert.Equal(("2037-03-28T21:00:00Z", "2037-03-29T02:00:00Z"), (Start(occurrences[0]), End(occurrences[0])));
        Assert.Equal(["21:00-01:30", "01:30-02:00"], (await ShiftsOf(occurrences[0])).Select(s => $"{Start(s)[11..16]}-{End(s)[11..16]}"));
    }

    [Fact]
    public async Task The_end_in_utc_is_a_local_time_of_the_organization()
    {
        Assert.Equal(2, (await In("America/New_York", "2037-03-06", "17:30", "19:00", "FREQ=WEEKLY;UNTIL=20370313T213000Z")).Length);
        Assert.Single(await In("America/New_York", "2037-03-06", "17:30", "19:00", "FREQ=WEEKLY;UNTIL=20370313T212959Z"));
    }

    private async Task<JsonNode[]> In(string zone, string firstOn, string startTime, string endTime, string rule, JsonArray? shifts = null)
    {
        await Use(zone);
        (await Plan(("firstOn", firstOn), ("startTime", startTime), ("endTime", endTime), ("recurrence", rule), ("shifts", shifts))).ShouldBe(201);
        return [.. (await Admin.Get("/activities")).Items.Select(a => a!)];
    }
}
