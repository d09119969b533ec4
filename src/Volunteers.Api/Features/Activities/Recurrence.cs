using System.Globalization;
using System.Text.RegularExpressions;
using Ical.Net.CalendarComponents;
using Ical.Net.DataTypes;
using Ical.Net.Evaluation;
using Volunteers.Platform;

namespace Volunteers.Features.Activities;

/// <summary>
/// A rule by which days recur (RFC 5545, 3.3.10), without the parts that would repeat within a day. It is worked out over
/// local days only: hours and time zones have no say in which days they are.
/// </summary>
internal sealed partial class Recurrence
{
    /// <summary>In days, if they are what it counts by: a 29 February on a Friday may be forty years away.</summary>
    private const int LongestWait = 15_000;

    private readonly Dictionary<string, string> parts;

    private Recurrence(string text, Dictionary<string, string> parts) => (Text, this.parts) = (text, parts);

    /// <summary>In capitals, without <c>RRULE:</c>.</summary>
    public string Text { get; }

    /// <summary>Whether it goes on for ever.</summary>
    public bool Endless => !parts.ContainsKey("COUNT") && !parts.ContainsKey("UNTIL");

    /// <exception cref="RuleBreach">400: not a rule, or one that is not for days.</exception>
    public static Recurrence Parse(string text)
    {
        text = text.ToUpperInvariant();
        if (text.StartsWith("RRULE:", StringComparison.Ordinal)) text = text["RRULE:".Length..];
        var parts = new Dictionary<string, string>();
        foreach (var part in text.Split(';'))
        {
            var (name, value) = part.Split('=') is [var left, var right] ? (left, right) : ("", "");
            if (!IsGood(name, value) || !parts.TryAdd(name, value)) throw Refused;
        }

        var frequency = parts.GetValueOrDefault("FREQ") ?? throw Refused;
        var ordinals = parts.TryGetValue("BYDAY", out var days) && days.Any(char.IsAsciiDigit);
        if ((parts.ContainsKey("COUNT") && parts.ContainsKey("UNTIL"))
            || (ordinals && (frequency is "DAILY" or "WEEKLY" || parts.ContainsKey("BYMONTHDAY")))
            || (frequency == "WEEKLY" && parts.ContainsKey("BYMONTHDAY"))
            || (parts.ContainsKey("BYSETPOS") && parts.Keys.Count(name => name.StartsWith("BY", StringComparison.Ordinal)) == 1))
            throw Refused;
        return new Recurrence(text, parts);
    }

    /// <summary>Every day it gives from the first on, in order; without an end for an endless rule.</summary>
    /// <param name="firstOn">The first day that it may give.</param>
    /// <param name="startTime">What begins at or before this time on the last day is still within <c>UNTIL</c>.</param>
    /// <param name="zone">In which an <c>UNTIL</c> in UTC is a local time.</param>
    public IEnumerable<DateOnly> Days(DateOnly firstOn, TimeOnly startTime, TimeZoneInfo zone)
    {
        var last = LastDay(startTime, zone);
        var calendar = new CalendarEvent { Start = new CalDateTime(firstOn), RecurrenceRule = new RecurrencePattern(Pattern()) };
        using var occurrences = calendar.GetOccurrences(calendar.Start, new EvaluationOptions { MaxUnmatchedIncrementsLimit = LongestWait }).GetEnumerator();
        while (Next(occurrences) is { Year: < 2200 } day && !(day > last)) yield return day;
    }

    private static RuleBreach Refused => RuleBreach.Malformed("invalid_recurrence", "/recurrence");

    /// <summary>A rule that gives no further day runs into the limit, or out of the calendar.</summary>
    private static DateOnly? Next(IEnumerator<Ical.Net.DataTypes.Occurrence> occurrences)
    {
        try
        {
            return occurrences.MoveNext() ? occurrences.Current.Period.StartTime.Date : null;
        }
        catch (EvaluationException)
        {
            return null;
        }
    }

    /// <summary>The end is ours to find, and a day of the month alone means that day of every month, which the library takes for the first day's month only.</summary>
    private string Pattern()
    {
        var pattern = string.Join(';', parts.Where(part => part.Key != "UNTIL").Select(part => $"{part.Key}={part.Value}"));
        return parts["FREQ"] == "YEARLY" && parts.ContainsKey("BYMONTHDAY") && !parts.ContainsKey("BYMONTH") ? pattern + ";BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12" : pattern;
    }

    private DateOnly? LastDay(TimeOnly startTime, TimeZoneInfo zone)
    {
        if (!parts.TryGetValue("UNTIL", out var until)) return null;
        if (!until.Contains('T', StringComparison.Ordinal)) return DateOnly.ParseExact(until, "yyyyMMdd", CultureInfo.InvariantCulture);

        var moment = DateTime.ParseExact(until.TrimEnd('Z'), "yyyyMMdd'T'HHmmss", CultureInfo.InvariantCulture);
        if (until.EndsWith('Z')) moment = TimeZoneInfo.ConvertTimeFromUtc(moment, zone);
        var day = DateOnly.FromDateTime(moment);
        return startTime <= TimeOnly.FromDateTime(moment) ? day : day.AddDays(-1);
    }

    private static bool IsGood(string name, string value) => name switch
    {
        "FREQ" => value is "DAILY" or "WEEKLY" or "MONTHLY" or "YEARLY",
        "INTERVAL" => AreNumbers(value, 999, signed: false, many: false),
        "COUNT" => AreNumbers(value, 99_999, signed: false, many: false),
        "UNTIL" => IsUntil(value),
        "BYDAY" => DaysOfWeek().IsMatch(value),
        "BYMONTHDAY" => AreNumbers(value, 31, signed: true, many: true),
        "BYMONTH" => AreNumbers(value, 12, signed: false, many: true),
        "BYSETPOS" => AreNumbers(value, 366, signed: true, many: true),
        "WKST" => DayOfWeek().IsMatch(value),
        _ => false,
    };

    private static bool AreNumbers(string value, int largest, bool signed, bool many) =>
        Numbers().IsMatch(value) && (many || !value.Contains(',', StringComparison.Ordinal)) && (signed || !value.Contains('-', StringComparison.Ordinal))
        && value.Split(',').All(number => Math.Abs(int.Parse(number, CultureInfo.InvariantCulture)) is var n && n >= 1 && n <= largest);

    private static bool IsUntil(string value) =>
        DateTime.TryParseExact(value, ["yyyyMMdd", "yyyyMMdd'T'HHmmss", "yyyyMMdd'T'HHmmss'Z'"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var until)
        && until.Year is >= 1900 and < 2200;

    [GeneratedRegex(@"^-?[0-9]{1,5}(,-?[0-9]{1,5}){0,99}\z")]
    private static partial Regex Numbers();

    [GeneratedRegex(@"^(MO|TU|WE|TH|FR|SA|SU)\z")]
    private static partial Regex DayOfWeek();

    [GeneratedRegex(@"^(-?([1-9]|[1-4][0-9]|5[0-3]))?(MO|TU|WE|TH|FR|SA|SU)(,(-?([1-9]|[1-4][0-9]|5[0-3]))?(MO|TU|WE|TH|FR|SA|SU)){0,99}\z")]
    private static partial Regex DaysOfWeek();
}
