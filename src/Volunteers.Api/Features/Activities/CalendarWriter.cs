using System.Text;
using Ical.Net;
using Ical.Net.CalendarComponents;
using Ical.Net.DataTypes;
using Ical.Net.Serialization;
using NodaTime;
using NodaTime.TimeZones;

namespace Volunteers.Features.Activities;

/// <summary>Writes entries as an iCalendar file (RFC 5545): the same entries, the same bytes.</summary>
internal static class CalendarWriter
{
    private static readonly LocalDateTime LongAgo = new(1601, 1, 1, 0, 0);

    public static byte[] Write(string name, string timeZone, IReadOnlyList<CalendarEntry> entries)
    {
        var zone = DateTimeZoneProviders.Tzdb.GetZoneOrNull(timeZone) ?? BclDateTimeZone.FromTimeZoneInfo(TimeZoneInfo.FindSystemTimeZoneById(timeZone));
        var intervals = new SortedSet<ZoneInterval>(Comparer<ZoneInterval>.Create((a, b) => Start(a).CompareTo(Start(b))));
        var calendar = new Ical.Net.Calendar { ProductId = "-//Volunteers//Volunteers//EN", Method = CalendarMethods.Publish };
        calendar.AddProperty("NAME", Clean(name)!);
        calendar.AddProperty("X-WR-CALNAME", Clean(name)!);
        calendar.AddProperty("X-WR-TIMEZONE", timeZone);
        calendar.AddProperty("X-PUBLISHED-TTL", "PT1H");
        var refresh = new CalendarProperty("REFRESH-INTERVAL", "PT1H");
        refresh.Parameters.Add("VALUE", "DURATION");
        calendar.Properties.Add(refresh);

        foreach (var entry in entries)
        {
            Instant start = ToTheSecond(entry.StartsAt), end = ToTheSecond(entry.EndsAt);
            // When clocks are set back an hour comes twice, and readers do not agree which one its local times mean.
            var asUtc = ComesTwice(start, zone) || ComesTwice(end, zone);
            if (!asUtc) intervals.UnionWith([zone.GetZoneInterval(start), zone.GetZoneInterval(end)]);
            calendar.Events.Add(Event(entry, asUtc ? Utc(start) : Local(start, zone, timeZone), asUtc ? Utc(end) : Local(end, zone, timeZone)));
        }

        if (intervals.Count > 0) calendar.AddTimeZone(Zone(timeZone, zone, intervals));
        return Encoding.UTF8.GetBytes(Fold(new CalendarSerializer().SerializeToString(calendar)!));
    }

    private static CalendarEvent Event(CalendarEntry entry, CalDateTime start, CalDateTime end) => new()
    {
        Uid = $"{entry.Id}@volunteers",
        Sequence = entry.Sequence,
        Status = entry.Status switch
        {
            CalendarStatus.Cancelled => EventStatus.Cancelled,
            CalendarStatus.Tentative => EventStatus.Tentative,
            _ => EventStatus.Confirmed,
        },
        DtStamp = Utc(ToTheSecond(entry.ChangedAt)),
        LastModified = Utc(ToTheSecond(entry.ChangedAt)),
        Start = start,
        End = end,
        Summary = Clean(entry.Title),
        Description = Clean(string.Join("\n\n", new[] { entry.CancelReason, entry.Description }.Where(text => !string.IsNullOrEmpty(text)))),
        Location = Clean(entry.Location?.Name),
        GeographicLocation = entry.Location is { Latitude: { } latitude, Longitude: { } longitude } ? new GeographicLocation(latitude, longitude) : null,
    };

    /// <summary>Only the stretches of time in which something begins or ends, each by the instant at which it began.</summary>
    private static VTimeZone Zone(string name, DateTimeZone zone, IEnumerable<ZoneInterval> intervals)
    {
        var written = new VTimeZone(name);
        foreach (var interval in intervals)
        {
            var before = interval.HasStart ? zone.GetZoneInterval(interval.Start.PlusTicks(-1)).WallOffset : interval.WallOffset;
            var begins = interval.HasStart ? interval.Start.WithOffset(before).LocalDateTime : LongAgo;
            written.Children.Add(new VTimeZoneInfo(interval.Savings == Offset.Zero ? Components.Standard : Components.Daylight)
            {
                DtStart = new CalDateTime(begins.ToDateTimeUnspecified()),
                OffsetFrom = new UtcOffset(before.ToTimeSpan()),
                OffsetTo = new UtcOffset(interval.WallOffset.ToTimeSpan()),
                TimeZoneName = interval.Name,
            });
        }
        return written;
    }

    private static bool ComesTwice(Instant instant, DateTimeZone zone) => zone.MapLocal(instant.InZone(zone).LocalDateTime).Count == 2;

    private static CalDateTime Local(Instant instant, DateTimeZone zone, string timeZone) => new(instant.InZone(zone).ToDateTimeUnspecified(), timeZone);

    private static CalDateTime Utc(Instant instant) => new(instant.ToDateTimeUtc());

    private static Instant ToTheSecond(DateTimeOffset time) => Instant.FromUnixTimeSeconds(time.ToUnixTimeSeconds());

    /// <summary>Folds again at 75 octets: the library counts them too, but may cut a character of four octets in two.</summary>
    private static string Fold(string text)
    {
        var folded = new StringBuilder(text.Length + (text.Length / 50));
        var octets = 0;
        foreach (var rune in text.Replace("\r\n ", "", StringComparison.Ordinal).EnumerateRunes())
        {
            if (rune.Value is '\r' or '\n') octets = 0;
            else if ((octets += rune.Utf8SequenceLength) > 75)
            {
                folded.Append("\r\n ");
                octets = 1 + rune.Utf8SequenceLength;
            }
            folded.Append(rune);
        }
        return folded.ToString();
    }

    private static Instant Start(ZoneInterval interval) => interval.HasStart ? interval.Start : Instant.MinValue;

    /// <summary>Control characters have no place in an iCalendar text, but for line breaks and tabs.</summary>
    private static string? Clean(string? text) =>
        text is null or "" ? null : string.Concat(text.Where(c => c is '\n' or '\t' || !char.IsControl(c)));
}
