using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Features.Teams;
using Volunteers.Platform;

namespace Volunteers.Features.Activities;

/// <summary>Something whose changes calendars follow.</summary>
internal interface IOnCalendar
{
    /// <summary>Grows with each change that a calendar shows.</summary>
    int Sequence { get; }

    /// <summary>When it last grew. Set as it is saved, so that no verb forgets it.</summary>
    DateTimeOffset ChangedAt { get; }
}

/// <summary>How an entry stands, in the words of RFC 5545.</summary>
internal enum CalendarStatus
{
    Confirmed,
    Tentative,
    Cancelled,
}

/// <summary>One entry of a calendar. It names no people.</summary>
internal sealed record CalendarEntry(
    Guid Id, string Title, string? Description, string? CancelReason, Location? Location, DateTimeOffset StartsAt, DateTimeOffset EndsAt,
    CalendarStatus Status, int Sequence, DateTimeOffset ChangedAt);

internal static class CalendarEntries
{
    public const int Most = 2000;

    private static readonly TimeSpan OwnPast = TimeSpan.FromDays(90);

    public static async Task<string> NameOf(this VolunteersDb db, CalendarFeed feed, Organization organization, CancellationToken ct) =>
        feed.Kind == CalendarFeedKind.Team
            ? await db.Teams.Where(t => t.OrganizationId == feed.OrganizationId && t.Id == feed.TeamId).Select(t => t.Name).SingleAsync(ct) + " · " + organization.Name
            : organization.Name;

    /// <summary>The entries of a feed in the order of time; of too many the latest.</summary>
    public static async Task<IReadOnlyList<CalendarEntry>> EntriesOf(this VolunteersDb db, CalendarFeed feed, Tenant maker, DateTimeOffset now, CancellationToken ct)
    {
        var entries = feed.Kind == CalendarFeedKind.Own
            ? await db.OwnEntries(feed.OrganizationId, feed.VolunteerId!.Value, now - OwnPast, ct)
            : await db.ActivityEntries(maker, feed.TeamId is { } team ? await db.TeamsWithin(feed.OrganizationId, [team], ct) : null, ct);
        entries.Reverse();
        return entries;
    }

    /// <summary>The sequence of an entry is the sum of what it is made of: each of them only grows.</summary>
    private static async Task<List<CalendarEntry>> OwnEntries(
        this VolunteersDb db, Guid organizationId, Guid volunteerId, DateTimeOffset from, CancellationToken ct)
    {
        var rows = await db.SignUps.Where(s => s.OrganizationId == organizationId && s.VolunteerId == volunteerId)
            .Join(db.Shifts, s => new { s.OrganizationId, Id = s.ShiftId }, shift => new { shift.OrganizationId, shift.Id }, (signUp, shift) => new { signUp, shift })
            .Join(db.Activities, x => new { x.shift.OrganizationId, Id = x.shift.ActivityId }, a => new { a.OrganizationId, a.Id },
                (x, activity) => new { x.signUp, x.shift, activity })
            .Where(x => x.shift.EndsAt >= from)
            .OrderByDescending(x => x.shift.StartsAt).ThenByDescending(x => x.signUp.Id).Take(Most)
            .Select(x => new
            {
                x.signUp.Id, SignUpStatus = x.signUp.Status, x.shift.Name, x.shift.StartsAt, x.shift.EndsAt,
                x.activity.Title, x.activity.Description, x.activity.Location, x.activity.CancelReason, ActivityStatus = x.activity.Status,
                Sequence = x.signUp.Sequence + x.shift.Sequence + x.activity.Sequence,
                SignUpChangedAt = x.signUp.ChangedAt, ShiftChangedAt = x.shift.ChangedAt, ActivityChangedAt = x.activity.ChangedAt,
            })
            .ToListAsync(ct);
        return [.. rows.Select(x => new CalendarEntry(
            x.Id, x.Name == x.Title ? x.Title : $"{x.Title} · {x.Name}", x.Description, x.CancelReason, x.Location, x.StartsAt, x.EndsAt,
            x.SignUpStatus == SignUpStatus.Cancelled || x.ActivityStatus == ActivityStatus.Cancelled ? CalendarStatus.Cancelled
            : x.SignUpStatus == SignUpStatus.Waitlisted ? CalendarStatus.Tentative : CalendarStatus.Confirmed,
            x.Sequence, new[] { x.SignUpChangedAt, x.ShiftChangedAt, x.ActivityChangedAt }.Max()))];
    }

    private static async Task<List<CalendarEntry>> ActivityEntries(this VolunteersDb db, Tenant maker, List<Guid>? teams, CancellationToken ct) =>
        await db.Activities.VisibleTo(maker)
            .Where(a => a.Status != ActivityStatus.Draft && !a.CancelledAsDraft && (teams == null || teams.Contains(a.TeamId)))
            .OrderByDescending(a => a.StartsAt).ThenByDescending(a => a.Id).Take(Most)
            .Select(a => new CalendarEntry(a.Id, a.Title, a.Description, a.CancelReason, a.Location, a.StartsAt, a.EndsAt,
                a.Status == ActivityStatus.Cancelled ? CalendarStatus.Cancelled : CalendarStatus.Confirmed, a.Sequence, a.ChangedAt))
            .ToListAsync(ct);
}
