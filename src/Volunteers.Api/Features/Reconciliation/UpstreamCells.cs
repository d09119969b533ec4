using System.Globalization;
using System.Text.RegularExpressions;
using Volunteers.Features.Organizations;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Reconciliation;

/// <summary>One row of an export, read as its system writes it: texts, spreadsheet numbers, spreadsheet dates.</summary>
internal sealed partial class UpstreamCells
{
    /// <summary>Longer texts are cut: they are shown and compared, never more.</summary>
    public const int LongestText = 200;

    private static readonly string[] UsualDays = ["yyyy-M-d", "yyyy/M/d", "yyyy.M.d", "yyyy年M月d日"];
    private static readonly string[] Times = ["H:mm", "H:mm:ss"];

    private readonly Dictionary<UpstreamField, object> cells;

    private UpstreamCells(int number, Dictionary<UpstreamField, object> cells) => (Number, this.cells) = (number, cells);

    public int Number { get; }

    /// <returns>Null for a row in which no mapped column has a value.</returns>
    public static UpstreamCells? Of(int number, object?[] values, Dictionary<UpstreamField, int> columns)
    {
        var cells = new Dictionary<UpstreamField, object>();
        foreach (var (field, index) in columns)
            if (index < values.Length && values[index] is { } value && ImportCell.TextOf(value).Length > 0) cells.Add(field, value);
        return cells.Count == 0 ? null : new UpstreamCells(number, cells);
    }

    /// <summary>On one line, without what cannot be stored.</summary>
    public string? Text(UpstreamField field)
    {
        if (!cells.TryGetValue(field, out var cell)) return null;
        var text = string.Concat(ImportCell.TextOf(cell).Select(c => char.IsControl(c) ? ' ' : c)).Trim();
        if (text.Length > LongestText) text = text[..(char.IsHighSurrogate(text[LongestText - 1]) ? LongestText - 1 : LongestText)];
        return text.Length == 0 ? null : text;
    }

    /// <summary>When and how long; or which column cannot be read, and why.</summary>
    public UpstreamTime Time(Organization organization, string[] dateFormats)
    {
        var days = dateFormats.Length == 0 ? UsualDays : dateFormats;
        DateOnly? day = null;
        if (cells.TryGetValue(UpstreamField.Date, out var date) && (day = DayOf(date, days)) is null) return UpstreamTime.Unreadable(UpstreamField.Date, "unreadable_date");

        DateTimeOffset? startsAt = null, endsAt = null;
        if (cells.TryGetValue(UpstreamField.StartsAt, out var start))
        {
            if (MomentOf(start, day, days, organization) is not { } from) return UpstreamTime.Unreadable(UpstreamField.StartsAt, "unreadable_time");
            if (day is not null && organization.DayOf(from) != day) return UpstreamTime.Unreadable(UpstreamField.StartsAt, "start_on_another_day");
            (startsAt, day) = (from, organization.DayOf(from));
        }
        if (day is null) return UpstreamTime.Unreadable(UpstreamField.Date, "unreadable_date");
        if (startsAt is not null && cells.TryGetValue(UpstreamField.EndsAt, out var end))
        {
            if (MomentOf(end, day, days, organization) is not { } to) return UpstreamTime.Unreadable(UpstreamField.EndsAt, "unreadable_time");
            // A time of day before the start is on the next day.
            if (to <= startsAt && TimeOf(end) is { } nextDay) to = organization.At(day.Value.AddDays(1), nextDay);
            if (to <= startsAt || to > startsAt.Value.AddHours(24)) return UpstreamTime.Unreadable(UpstreamField.EndsAt, "unreadable_time");
            endsAt = to;
        }
        var minutes = Minutes(startsAt, endsAt, out var column);
        return minutes is >= 1 and <= 24 * 60
            ? new UpstreamTime(day, endsAt is null ? null : startsAt, endsAt, minutes, null, null)
            : UpstreamTime.Unreadable(column, "unreadable_minutes") with { Day = day };
    }

    private int? Minutes(DateTimeOffset? startsAt, DateTimeOffset? endsAt, out UpstreamField column)
    {
        column = UpstreamField.Minutes;
        if (cells.TryGetValue(UpstreamField.Minutes, out var minutes)) return WholeMinutes(Figure(minutes, MinuteWords()), 1);
        column = UpstreamField.Hours;
        if (cells.TryGetValue(UpstreamField.Hours, out var hours))
            return hours is string text && ClockHours().Match(text.Trim()) is { Success: true } clock
                ? (int.Parse(clock.Groups[1].Value, CultureInfo.InvariantCulture) * 60) + int.Parse(clock.Groups[2].Value, CultureInfo.InvariantCulture)
                : WholeMinutes(Figure(hours, HourWords()), 60);
        column = UpstreamField.EndsAt;
        return startsAt is { } from && endsAt is { } to ? (int)(to - from).TotalMinutes : null;
    }

    /// <summary>Minutes are whole; hours come rounded to two decimals, so they are rounded back to the minute.</summary>
    private static int? WholeMinutes(decimal? number, int minutesEach) => number is not (>= 0 and <= 10_000) ? null
        : minutesEach == 1 && number != decimal.Truncate(number.Value) ? null
        : (int)decimal.Round(number.Value * minutesEach, MidpointRounding.AwayFromZero);

    private static decimal? Figure(object cell, Regex words) =>
        cell is not (DateTime or TimeSpan or bool) && decimal.TryParse(words.Replace(ImportCell.TextOf(cell), ""), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? number : null;

    /// <summary>Exports also write a time behind the day.</summary>
    private static DateOnly? DayOf(object cell, string[] formats)
    {
        if (cell is DateTime time) return InReach(DateOnly.FromDateTime(time));
        if (cell is double serial) return serial is >= 1 and <= ImportCell.LastSerialDay ? InReach(DateOnly.FromDateTime(DateTime.FromOADate(serial))) : null;
        var text = ImportCell.TextOf(cell);
        var at = text.LastIndexOfAny([' ', 'T']);
        return Exact(text) ?? (at > 0 && TimeOf(text[(at + 1)..]) is not null ? Exact(text[..at].TrimEnd()) : null);

        DateOnly? Exact(string day) => DateOnly.TryParseExact(day, formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var read) ? InReach(read) : null;
    }

    private static DateOnly? InReach(DateOnly day) => day.Year is >= 1900 and < 2200 ? day : null;

    private static DateTimeOffset? MomentOf(object cell, DateOnly? day, string[] formats, Organization organization)
    {
        if (TimeOf(cell) is { } time) return day is { } on ? organization.At(on, time) : null;
        if (cell is DateTime or double)
        {
            var moment = cell is DateTime written ? written : (double)cell is >= 1 and <= ImportCell.LastSerialDay ? DateTime.FromOADate((double)cell) : default;
            // Spreadsheets count in days: a minute is never quite a minute there.
            return InReach(DateOnly.FromDateTime(moment)) is null ? null : organization.At(new DateTime((long)Math.Round(moment.Ticks / 1e7) * 10_000_000));
        }
        var text = ImportCell.TextOf(cell);
        if (Instant.TryParse(text, out var instant)) return instant;
        var at = text.LastIndexOfAny([' ', 'T']);
        return at > 0 && DayOf(text[..at].TrimEnd(), formats) is { } date && TimeOf(text[(at + 1)..]) is { } clock ? organization.At(date, clock) : null;
    }

    private static TimeOnly? TimeOf(object cell) => cell switch
    {
        TimeSpan span => span >= TimeSpan.Zero && span < TimeSpan.FromDays(1) ? TimeOnly.FromTimeSpan(span) : null,
        DateTime { Year: < 1900 } time => TimeOnly.FromDateTime(time),
        DateTime => null,
        double fraction => fraction is >= 0 and < 1 ? TimeOnly.FromTimeSpan(TimeSpan.FromSeconds(Math.Min(86_399, Math.Round(fraction * 86_400)))) : null,
        _ => TimeOnly.TryParseExact(ImportCell.TextOf(cell), Times, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time : null,
    };

    [GeneratedRegex(@"\s*(分钟|分|minutes|min)$", RegexOptions.IgnoreCase)]
    private static partial Regex MinuteWords();

    [GeneratedRegex(@"\s*(小时|时|hours|h)$", RegexOptions.IgnoreCase)]
    private static partial Regex HourWords();

    [GeneratedRegex("^([0-9]{1,2}):([0-5][0-9])(?::00)?$")]
    private static partial Regex ClockHours();
}

/// <summary>When service was given and how long, as another system says; or why that cannot be told.</summary>
internal sealed record UpstreamTime(DateOnly? Day, DateTimeOffset? StartsAt, DateTimeOffset? EndsAt, int? Minutes, UpstreamField? Column, string? Code)
{
    public static UpstreamTime Unreadable(UpstreamField column, string code) => new(null, null, null, null, column, code);
}
