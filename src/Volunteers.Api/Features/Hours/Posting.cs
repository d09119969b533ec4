using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;

namespace Volunteers.Features.Hours;

/// <summary>The one way into the ledger: postings and totals in the transaction of the record they book.</summary>
internal static class Posting
{
    /// <summary>
    /// Books in the order given. Takes the ledger's lock, so it comes last in a transaction; the caller adds what the records say
    /// of it and saves both at once, for everybody else of the organization waits meanwhile. Booked is not when the request came
    /// but when the lock was had: what was read of the past while it waited stays true.
    /// </summary>
    public static async Task<List<HourPosting>> Post(
        this VolunteersDb db, Guid organizationId, IReadOnlyCollection<(Booking Booking, Guid By)> bookings, DateTimeOffset now, CancellationToken ct)
    {
        // The records first: a constraint must refuse them before the ledger is held.
        await db.SaveChangesAsync(ct);
        if (bookings.Count == 0) return [];

        var ledger = await db.LockLedger(organizationId, ct);
        var bookedAt = db.Moment() is var moment && moment > now ? moment : Instant.AsKept(now);
        var postings = bookings.Select(one => ledger.Book(one.Booking, one.By, bookedAt)).ToList();
        db.AddRange(postings);
        await AddToTotals(db, organizationId, postings, ct);
        return postings;
    }

    /// <summary>The same, where all of it is booked by one.</summary>
    public static Task<List<HourPosting>> Post(
        this VolunteersDb db, Guid organizationId, IReadOnlyCollection<Booking> bookings, Guid by, DateTimeOffset now, CancellationToken ct) =>
        db.Post(organizationId, [.. bookings.Select(booking => (booking, by))], now, ct);

    private static async Task AddToTotals(VolunteersDb db, Guid organizationId, List<HourPosting> postings, CancellationToken ct)
    {
        var sums = postings
            .GroupBy(p => (p.TeamId, p.VolunteerId, Month: new DateOnly(p.ServiceDate.Year, p.ServiceDate.Month, 1), p.Evidence))
            .Select(group => (group.Key, Minutes: group.Sum(p => (long)p.Minutes), PersonTimes: group.Sum(p => (long)p.PersonTimes)))
            .ToArray();
        var ids = sums.Select(_ => Guid.CreateVersion7()).ToArray();
        var teams = sums.Select(sum => sum.Key.TeamId).ToArray();
        var volunteers = sums.Select(sum => sum.Key.VolunteerId).ToArray();
        var months = sums.Select(sum => sum.Key.Month).ToArray();
        var evidences = sums.Select(sum => sum.Key.Evidence.ToString().ToLowerInvariant()).ToArray();
        var minutes = sums.Select(sum => sum.Minutes).ToArray();
        var personTimes = sums.Select(sum => sum.PersonTimes).ToArray();
        await db.Database.ExecuteSqlAsync(
            $"""
             insert into hour_totals (organization_id, id, team_id, volunteer_id, month, evidence, minutes, person_times)
             select {organizationId}, * from unnest({ids}, {teams}, {volunteers}, {months}, {evidences}, {minutes}, {personTimes})
             on conflict (organization_id, team_id, volunteer_id, month, evidence) do update
             set minutes = hour_totals.minutes + excluded.minutes, person_times = hour_totals.person_times + excluded.person_times
             """, ct);
    }
}
