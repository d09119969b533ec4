using System.Data;
using System.Globalization;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Volunteers.Data;
using Volunteers.Platform;

namespace Volunteers.Features.Reports;

/// <summary>A point in the time of the ledger. As <c>asOf</c>, its position gives the same figures for ever.</summary>
/// <param name="Position">The last posting that counts; 0 before the first.</param>
/// <param name="At">When that posting was booked; null before the first.</param>
internal sealed record LedgerPoint(long Position, DateTimeOffset? At)
{
    private static readonly LedgerPoint Beginning = new(0, null);

    /// <summary>
    /// Whose names a report shows, and how activities stood: as of the instant that was asked for, or as of the booking of the
    /// position that was asked for; null for those of now.
    /// </summary>
    [JsonIgnore]
    public DateTimeOffset? NamesAt { get; init; }

    /// <summary>Nothing is booked after it, as far as the snapshot reaches.</summary>
    [JsonIgnore]
    public bool IsEnd { get; init; }

    /// <summary>
    /// One snapshot for the points, the sums and the names, so that they fit each other. Where a point is named, it is taken
    /// when all that was under way is there, so that the same point says the same ever after.
    /// </summary>
    public static async Task<IDbContextTransaction> Snapshot(VolunteersDb db, Guid organizationId, CancellationToken ct, params string?[] points)
    {
        if (points.Any(point => point is not null)) await db.AwaitMoments(organizationId, ct);
        return await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
    }

    public static bool IsReadable(string text) => TryParsePosition(text, out _) || TryParseInstant(text, out _);

    /// <summary>The end of the ledger when nothing is given; else the position given, or the last one booked by the instant given.</summary>
    /// <exception cref="RuleBreach">It lies beyond the end: what it will say is not known yet.</exception>
    public static async Task<LedgerPoint> Find(string? asOf, Guid organizationId, VolunteersDb db, DateTimeOffset now, CancellationToken ct)
    {
        var end = await db.HourLedgers.Where(l => l.OrganizationId == organizationId && l.Position > 0)
            .Select(l => new LedgerPoint(l.Position, l.PostedAt)).SingleOrDefaultAsync(ct) ?? Beginning;
        if (asOf is null) return end with { IsEnd = true };

        var postings = db.HourPostings.Where(p => p.OrganizationId == organizationId);
        if (TryParsePosition(asOf, out var position))
        {
            if (position > end.Position) throw new RuleBreach("beyond_ledger_end", end.Position);
            postings = postings.Where(p => p.Position <= position);
        }
        else if (TryParseInstant(asOf, out var instant))
        {
            if (instant > now) throw new RuleBreach("beyond_ledger_end", end.Position);
            postings = postings.Where(p => p.PostedAt <= instant);
        }
        var point = await postings.OrderByDescending(p => p.Position).Select(p => new LedgerPoint(p.Position, p.PostedAt)).FirstOrDefaultAsync(ct) ?? Beginning;
        return point with { NamesAt = TryParseInstant(asOf, out var at) ? at : point.At ?? DateTimeOffset.UnixEpoch };
    }

    private static bool TryParsePosition(string text, out long position) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out position);

    /// <summary>In a query an offset's plus that was not escaped arrives as a space.</summary>
    private static bool TryParseInstant(string text, out DateTimeOffset instant) => Instant.TryParse(text.Replace(' ', '+'), out instant);
}
