using System.Globalization;
using Volunteers.Features.Organizations;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Jobs;

/// <summary>Ids, instants and figures, as people and programs write them into cells.</summary>
internal static class JobCells
{
    private static readonly string[] LocalTimes =
    [
        "yyyy-M-d H:mm", "yyyy-M-d H:mm:ss", "yyyy/M/d H:mm", "yyyy/M/d H:mm:ss", "yyyy.M.d H:mm", "yyyy.M.d H:mm:ss", "yyyy年M月d日 H:mm", "yyyy年M月d日 H:mm:ss",
        "yyyy-M-d'T'H:mm", "yyyy-M-d'T'H:mm:ss",
    ];

    public static Guid? Id<TField>(this ImportRow<TField> row, TField field, Action<TField, string> refuse) where TField : struct, Enum
    {
        if (row.Text(field) is not { } text) return null;
        if (Guid.TryParse(text, out var id)) return id;
        refuse(field, "unreadable_id");
        return null;
    }

    /// <summary>RFC 3339, or a local time of the organization, as text or as spreadsheets keep it.</summary>
    public static DateTimeOffset? Moment<TField>(this ImportRow<TField> row, TField field, Organization organization, Action<TField, string> refuse) where TField : struct, Enum
    {
        if (row.Cell(field) is not { } cell) return null;
        if (MomentOf(cell, organization) is { } moment) return moment;
        refuse(field, "unreadable_time");
        return null;
    }

    public static int? Whole<TField>(this ImportRow<TField> row, TField field, Action<TField, string> refuse) where TField : struct, Enum
    {
        if (row.Text(field) is not { } text) return null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return number;
        refuse(field, "unreadable_number");
        return null;
    }

    public static double? Figure<TField>(this ImportRow<TField> row, TField field, Action<TField, string> refuse) where TField : struct, Enum
    {
        if (row.Cell(field) is double written) return written;
        if (row.Text(field) is not { } text) return null;
        if (double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) return number;
        refuse(field, "unreadable_number");
        return null;
    }

    /// <summary>
    /// What a text becomes: what the row says, or what is known where it says nothing or the same. A cell is trimmed and has one
    /// kind of line end, so that a text that was exported is the same when it comes back.
    /// </summary>
    public static string? Text<TField>(this ImportRow<TField> row, TField field, string? known) where TField : struct, Enum =>
        row.Text(field) is not { } text || Plain(text) == Plain(known ?? "") ? known : text;

    private static string Plain(string text) => text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n').Trim();

    private static DateTimeOffset? MomentOf(object cell, Organization organization)
    {
        if (cell is DateTime or double)
        {
            if (cell is double and (< 1 or > ImportCell.LastSerialDay)) return null;
            var time = cell is DateTime written ? written : DateTime.FromOADate((double)cell);
            // Spreadsheets count in days: a minute is never quite a minute there.
            return InReach(time) ? organization.At(new DateTime((long)Math.Round(time.Ticks / 1e7) * 10_000_000)) : null;
        }
        var text = ImportCell.TextOf(cell);
        if (Instant.TryParse(text, out var instant)) return instant;
        return DateTime.TryParseExact(text, LocalTimes, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local) && InReach(local) ? organization.At(local) : null;
    }

    private static bool InReach(DateTime time) => time.Year is >= 1900 and < 2200;
}
