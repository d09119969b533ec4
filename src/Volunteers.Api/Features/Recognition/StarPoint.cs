using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Platform;

namespace Volunteers.Features.Recognition;

/// <summary>Up to which posting hours count, and the local day whose rule and whose tenure hold.</summary>
internal sealed record StarPoint(long Position, DateOnly Day)
{
    public static bool IsReadable(string text) => Instant.TryParseDay(text, out _) || TryParsePosition(text, out _);

    /// <summary>
    /// The end of the ledger, today, when nothing is given; the end of the day given; or the position given, on the day on
    /// which it was booked.
    /// </summary>
    /// <exception cref="RuleBreach">It lies ahead: what it will say is not known yet.</exception>
    public static async Task<StarPoint> Find(string? asOf, Organization organization, VolunteersDb db, DateTimeOffset now, CancellationToken ct)
    {
        var today = organization.DayOf(now);
        var postings = db.HourPostings.Where(p => p.OrganizationId == organization.Id);
        var end = await postings.MaxAsync(p => (long?)p.Position, ct) ?? 0;
        if (asOf is null) return new StarPoint(end, today);

        if (Instant.TryParseDay(asOf, out var day))
        {
            if (day > today) throw new RuleBreach("beyond_ledger_end", end);
            var next = organization.StartOf(day.AddDays(1));
            return new StarPoint(await postings.Where(p => p.PostedAt < next).MaxAsync(p => (long?)p.Position, ct) ?? 0, day);
        }
        if (!TryParsePosition(asOf, out var position) || position > end) throw new RuleBreach("beyond_ledger_end", end);
        if (position == 0) return new StarPoint(0, today);
        return new StarPoint(position, organization.DayOf(await postings.Where(p => p.Position == position).Select(p => p.PostedAt).SingleAsync(ct)));
    }

    private static bool TryParsePosition(string text, out long position) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out position);
}
