using System.Globalization;
using NodaTime;
using Volunteers.Features.Activities;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Activities;

/// <summary>Times come out of a calendar as the instants they went in as, by nothing but the VTIMEZONE in the file.</summary>
public sealed class CalendarTimeTests
{
    [Theory]
    // Over the end of summer time: 17:30 local is another instant before and after.
    [InlineData("Europe/Berlin", "2026-10-23T17:30:00+02:00", "20261023T173000")]
    [InlineData("Europe/Berlin", "2026-10-30T17:30:00+01:00", "20261030T173000")]
    [InlineData("Europe/Berlin", "2027-03-26T17:30:00+01:00", "20270326T173000")]
    [InlineData("Europe/Berlin", "2027-04-02T17:30:00+02:00", "20270402T173000")]
    [InlineData("Asia/Shanghai", "2026-10-30T17:30:00+08:00", "20261030T173000")]
    [InlineData("America/New_York", "2026-11-01T03:00:00-05:00", "20261101T030000")]
    [InlineData("Australia/Lord_Howe", "2026-10-04T12:00:00+11:00", "20261004T120000")]
    [InlineData("Africa/Casablanca", "2026-03-01T12:00:00+00:00", "20260301T120000")]
    public async Task A_time_is_written_as_the_clock_on_the_wall_shows_it(string zone, string startsAt, string written)
    {
        var start = DateTimeOffset.Parse(startsAt, CultureInfo.InvariantCulture);

        var file = CalendarWriter.Write("x", zone, [Entry(start, start.AddHours(1))]);

        Assert.Contains($"DTSTART;TZID={zone}:{written}\r\n", System.Text.Encoding.UTF8.GetString(file), StringComparison.Ordinal);
        var read = await ReadCalendar.Of(file);
        var only = Assert.Single(read.Events);
        Assert.Equal((zone, start, start.AddHours(1)), (only.Tzid, only.Start, only.End));
        Assert.Equal(zone, Assert.Single(read.Zones));
    }

    [Fact]
    public async Task One_zone_covers_every_event_of_a_file()
    {
        var friday = new DateTimeOffset(2026, 10, 2, 15, 30, 0, TimeSpan.Zero);
        var entries = Enumerable.Range(0, 60).Select(week => friday.AddDays(7 * week)).Select(start => Entry(start, start.AddMinutes(90))).ToArray();

        var read = await ReadCalendar.Of(CalendarWriter.Write("x", "Europe/Berlin", entries));

        Assert.Equal("Europe/Berlin", Assert.Single(read.Zones));
        Assert.Equal(entries.Select(entry => entry.StartsAt), read.Events.OrderBy(e => e.Start).Select(e => e.Start));
    }

    [Theory]
    [InlineData("2026-10-25T00:30:00Z")]
    [InlineData("2026-10-25T01:00:00Z")]
    [InlineData("2026-10-25T01:30:00Z")]
    [InlineData("2026-10-25T02:00:00Z")]
    [InlineData("2026-03-29T00:59:59Z")]
    [InlineData("2026-03-29T01:00:00Z")]
    public async Task The_hour_that_comes_twice_and_the_hour_that_is_left_out_are_no_riddle(string startsAt)
    {
        var start = DateTimeOffset.Parse(startsAt, CultureInfo.InvariantCulture);

        var only = Assert.Single((await ReadCalendar.Of(CalendarWriter.Write("x", "Europe/Berlin", [Entry(start, start.AddMinutes(10))]))).Events);

        Assert.Equal((start, start.AddMinutes(10)), (only.Start, only.End));
    }

    /// <summary>Zones of all kinds, and those that surprised somebody; times of two centuries, half of them around a change of the clocks.</summary>
    [Fact]
    public async Task Whatever_the_zone_every_instant_is_read_as_it_was_meant()
    {
        var random = new Random(20261122);
        var zones = DateTimeZoneProviders.Tzdb.Ids.Where(id => TimeZoneInfo.TryFindSystemTimeZoneById(id, out var found) && found.HasIanaId).ToArray();
        Assert.True(zones.Length > 300);
        var wrong = new List<string>();
        foreach (var id in random.GetItems(zones, 8).Concat(["Europe/Berlin", "Europe/Dublin", "Africa/Casablanca", "Asia/Shanghai", "Pacific/Apia", "UTC"]).Distinct())
        {
            var (from, to) = (Instant.FromUtc(1972, 1, 1, 0, 0), Instant.FromUtc(2199, 1, 1, 0, 0));
            var changes = DateTimeZoneProviders.Tzdb[id].GetZoneIntervals(from, to).Where(interval => interval.HasStart).Select(interval => interval.Start).DefaultIfEmpty(from).ToArray();
            var starts = random.GetItems(changes, 30).Select(change => change + Duration.FromMinutes(random.Next(-180, 180)))
                .Concat(Enumerable.Range(0, 30).Select(_ => from + Duration.FromMinutes(random.Next((int)(to - from).TotalMinutes))));
            var entries = starts.Select(start => Entry(start.ToDateTimeOffset(), start.ToDateTimeOffset().AddMinutes(random.Next(1, 3000)))).ToArray();

            var read = (await ReadCalendar.Of(CalendarWriter.Write("x", id, entries))).Events.ToDictionary(e => e.Uid);

            foreach (var entry in entries)
                if (read[$"{entry.Id}@volunteers"] is var got && (got.Start, got.End) != (entry.StartsAt, entry.EndsAt))
                    wrong.Add($"{id}: {entry.StartsAt:u} to {entry.EndsAt:u} was read as {got.Start:u} to {got.End:u} in {got.Tzid}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Take(20)));
    }

    private static CalendarEntry Entry(DateTimeOffset start, DateTimeOffset end) =>
        new(Guid.NewGuid(), "Patrol", null, null, null, start, end, CalendarStatus.Confirmed, 1, DateTimeOffset.UnixEpoch);
}
