using System.Globalization;
using System.Text.RegularExpressions;

namespace Volunteers.Platform;

/// <summary>Instants and days as the contract writes them, within the years 1900 to 2199 that every calendar here can reckon with.</summary>
internal static partial class Instant
{
    public static bool TryParse(string? text, out DateTimeOffset instant)
    {
        instant = default;
        if (text is null || !Rfc3339().IsMatch(text)
            || !DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var parsed)) return false;

        if (!InReach(parsed.UtcDateTime.Year)) return false;
        instant = AsKept(parsed);
        return true;
    }

    /// <summary>As PostgreSQL keeps it, in whole microseconds: what is shown, compared or hashed must be what is read again.</summary>
    public static DateTimeOffset AsKept(DateTimeOffset instant) => new(instant.UtcTicks - (instant.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);

    public static bool TryParseDay(string? text, out DateOnly day) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out day) && InReach(day.Year);

    private static bool InReach(int year) => year is >= 1900 and < 2200;

    [GeneratedRegex(@"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$")]
    private static partial Regex Rfc3339();
}
