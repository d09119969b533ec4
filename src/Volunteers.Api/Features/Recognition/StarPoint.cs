using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Platform;

namespace Volunteers.Features.Recognition;

/// <summary>Up to which posting hours count, the local day whose tenure holds, and the instant whose rules, names and days of joining do.</summary>
internal sealed record StarPoint(long Position, DateOnly Day, DateTimeOffset At)
{
    /// <summary>As the database takes it, whatever offset a cursor was given.</summary>
    public StarPoint InUtc() => this with { At = At.ToUniversalTime() };

    public static bool IsReadable(string text) => Instant.TryParseDay(text, out _) || TryParsePosition(text, out _);

    /// <summary>
    /// The end of the ledger, now, when nothing is given; the end of the day given; or the position given, at the moment at
    /// which it was booked.
    /// </summary>
    /// <exception cref="RuleBreach">It lies ahead: what it will say is not known yet.</exception>
    public static async Task<StarPoint> Find(string? asOf, Organization organization, VolunteersDb db, DateTimeOffset now, CancellationToken ct)
    {
        var today = organization.DayOf(now);
        var postings = db.HourPostings.Where(p => p.OrganizationId == organization.Id);
        var end = await postings.MaxAsync(p => (long?)p.Position, ct) ?? 0;
        if (asOf is null) return new StarPoint(end, today, now);

        if (Instant.TryParseDay(asOf, out var day))
        {
            if (day > today) throw new RuleBreach("beyond_ledger_end", end);
            // Whatever the zone is by now, its end is always sought from the same instant.
            var then = await db.ThatWas(organization, new DateTimeOffset(day.AddDays(1), TimeOnly.MinValue, TimeSpan.Zero), ct);
            var next = then.StartOf(day.AddDays(1));
            return new StarPoint(await postings.Where(p => p.PostedAt < next).MaxAsync(p => (long?)p.Position, ct) ?? 0, day, next.AddMicroseconds(-1));
        }
        if (!TryParsePosition(asOf, out var position) || position > end) throw new RuleBreach("beyond_ledger_end", end);
        if (position == 0) return new StarPoint(0, today, now);
        var postedAt = await postings.Where(p => p.Position == position).Select(p => p.PostedAt).SingleAsync(ct);
        return new StarPoint(position, (await db.ThatWas(organization, postedAt, ct)).DayOf(postedAt), postedAt);
    }

    private static bool TryParsePosition(string text, out long position) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out position);
}

internal static class FormerZones
{
    /// <summary>The organization with the zone that it had at an instant.</summary>
    public static async Task<Organization> ThatWas(this VolunteersDb db, Organization organization, DateTimeOffset at, CancellationToken ct) =>
        await db.FormerStates.Where(f => f.OrganizationId == organization.Id && f.SubjectId == organization.Id && f.Until > at)
            .OrderBy(f => f.Until).ThenBy(f => f.Id).Select(f => f.TimeZone).FirstOrDefaultAsync(ct) is { } zone
            ? organization.Was(organization.Name, zone)
            : organization;
}
