using System.Text;
using Xunit;

namespace Volunteers.Tests.Support;

/// <summary>An event of a calendar, as the independent reader understood it; instants in UTC.</summary>
public sealed record CalendarEvent(
    string Uid, int Sequence, string Status, DateTimeOffset Start, DateTimeOffset End, string? Tzid, DateTimeOffset Dtstamp, DateTimeOffset LastModified, string Summary, string? Description,
    string? Location, double[]? Geo, string[] Properties);

/// <summary>A calendar file, as the independent reader understood it.</summary>
public sealed record ReadCalendar(Dictionary<string, string> Properties, string[] Components, string[] Zones, CalendarEvent[] Events)
{
    private static readonly System.Text.Json.JsonSerializerOptions Web = new(System.Text.Json.JsonSerializerDefaults.Web);

    public static async Task<ReadCalendar> Of(byte[] file) =>
        System.Text.Json.JsonSerializer.Deserialize<ReadCalendar>(await NodeReader.Read("read-calendar.mjs", file), Web)!;
}

/// <summary>Steps with calendar feeds.</summary>
public static class CalendarFeeds
{
    /// <summary>A feed just made; answers the path it is read from.</summary>
    public static async Task<string> Feed(this Api api, string kind, string? teamId = null)
    {
        var made = (await api.Post("/calendar-feeds", new { kind, teamId })).ShouldBe(201);
        Assert.EndsWith($"/v1/calendars/{made["secret"]}.ics", (string)made["url"]!, StringComparison.Ordinal);
        return new Uri((string)made["url"]!).AbsolutePath;
    }

    /// <summary>What an independent reader finds behind the address of a feed.</summary>
    public static async Task<ReadCalendar> Calendar(this ApiHost host, string feed) =>
        await ReadCalendar.Of(Encoding.UTF8.GetBytes((await host.Anonymous.Get(feed)).ShouldBe(200).Text));

    /// <summary>The only event of a feed.</summary>
    public static async Task<CalendarEvent> Event(this ApiHost host, string feed) => Assert.Single((await host.Calendar(feed)).Events);
}
