using System.Globalization;
using System.Linq.Expressions;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Activities;
using Volunteers.Features.Hours;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Reports;

internal static class OverdueReport
{
    public static void MapOverdueReport(this RouteGroupBuilder reports) =>
        reports.MapGet("/overdue", List).WithName("getOverdueReport").ShowsNoPersonalData().RefusesWith(409);

    /// <summary>
    /// Lists activities, published or completed, that ended without their service records, those that ended first before the
    /// others: nothing stands recorded for them (what was rejected or voided does not), or something still waits for review.
    /// Records are due on the tenth working day after the local day on which the activity ended. A team coordinator's list is
    /// about their teams.
    /// </summary>
    /// <remarks>
    /// With <c>asOf</c>, activities, their names and their teams', records and their reviews are as they stood at that moment, and
    /// an activity that was planned later is left out; sign-ups and the calendar of working days are as they are now. The
    /// header <c>Volunteers-As-Of</c> names the moment: sent as <c>asOf</c> with the pages that follow, they fit each other.
    /// </remarks>
    private static async Task<Paged<OverdueActivityView>> List(
        [AsParameters] PageQuery page, [AsParameters] OverdueQuery query, HttpResponse response, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var at = await Moment(query.AsOf, tenant.Id, db, clock.GetUtcNow(), ct);
        var organization = await db.OrganizationAt(tenant.Id, query.AsOf is null ? null : at, ct);
        response.Headers["Volunteers-As-Of"] = at.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);

        var records = query.AsOf is null ? RecordsNow(tenant.Id, db) : RecordsThen(tenant.Id, at, db);
        var activities = (query.AsOf is null ? ActivitiesNow(tenant.Id, db) : ActivitiesThen(tenant.Id, at, db))
            .Where(a => (a.Status == ActivityStatus.Published || a.Status == ActivityStatus.Completed) && a.EndsAt <= at
            && (tenant.ReadsAll || tenant.Teams.Contains(a.TeamId))
            && (!records.Any(r => r.ActivityId == a.Id) || records.Any(r => r.ActivityId == a.Id && r.Status == ServiceStatus.Submitted)));
        if (query.Team is { } team) activities = activities.Where(a => a.TeamId == team);
        if (query.From is { } from)
        {
            var start = organization.StartOf(from);
            activities = activities.Where(a => a.EndsAt >= start);
        }
        if (query.To is { } to)
        {
            var end = organization.StartOf(to.AddDays(1));
            activities = activities.Where(a => a.EndsAt < end);
        }
        var deadline = await RecordingDeadline.Load(db, organization, DateTimeOffset.UnixEpoch, ct);
        if (!query.IncludeDueSoon)
        {
            var due = organization.StartOf(deadline.FirstDayInTime(at));
            activities = activities.Where(a => a.EndsAt < due);
        }
        return await activities.ToPage(page, a => a.EndsAt, a => a.Id, OverdueActivityView.Projection(tenant.Id, db, records.Where(r => tenant.ReadsAll || tenant.Teams.Contains(r.TeamId)), deadline, at), ct);
    }

    private static async Task<DateTimeOffset> Moment(string? asOf, Guid organizationId, VolunteersDb db, DateTimeOffset now, CancellationToken ct)
    {
        if (asOf is null) return Instant.AsKept(now);
        await db.AwaitMoments(organizationId, ct);
        return (await LedgerPoint.Find(asOf, organizationId, db, now, ct)).NamesAt!.Value;
    }

    private static IQueryable<Planned> ActivitiesNow(Guid organizationId, VolunteersDb db) => db.Activities.Where(a => a.OrganizationId == organizationId)
        .Select(a => new Planned
        {
            Id = a.Id, Title = a.Title, TeamId = a.TeamId, Status = a.Status, EndsAt = a.EndsAt,
            Team = db.Teams.Where(t => t.OrganizationId == organizationId && t.Id == a.TeamId).Select(t => t.Name).First(),
        });

    /// <summary>Each that was there already, by the first of its former states that ended later; its team's name likewise.</summary>
    private static IQueryable<Planned> ActivitiesThen(Guid organizationId, DateTimeOffset at, VolunteersDb db) =>
        from a in db.Activities
        where a.OrganizationId == organizationId && a.CreatedAt <= at
        from f in db.FormerStates.Where(f => f.OrganizationId == organizationId && f.SubjectId == a.Id && f.Until > at).OrderBy(f => f.Until).ThenBy(f => f.Id).Take(1).DefaultIfEmpty()
        let teamId = f == null ? a.TeamId : f.TeamId!.Value
        select new Planned
        {
            Id = a.Id, Title = f == null ? a.Title : f.Name, TeamId = teamId, Status = f == null ? a.Status : f.Status!.Value, EndsAt = f == null ? a.EndsAt : f.EndsAt ?? a.EndsAt,
            Team = db.FormerStates.Where(t => t.OrganizationId == organizationId && t.SubjectId == teamId && t.Until > at).OrderBy(t => t.Until).ThenBy(t => t.Id).Select(t => t.Name).FirstOrDefault()
                ?? db.Teams.Where(t => t.OrganizationId == organizationId && t.Id == teamId).Select(t => t.Name).First(),
        };

    private static IQueryable<Standing> RecordsNow(Guid organizationId, VolunteersDb db) => db.ServiceRecords
        .Where(r => r.OrganizationId == organizationId && (r.Status == ServiceStatus.Submitted || r.Status == ServiceStatus.Approved))
        .Select(r => new Standing
        {
            ActivityId = r.ActivityId, TeamId = r.TeamId, Status = r.Status, VolunteerId = r.VolunteerId, PersonTimes = r.PersonTimes - r.ClaimedPersonTimes, Minutes = r.Minutes - r.ClaimedMinutes,
        });

    /// <summary>Each as its last step by then left it.</summary>
    private static IQueryable<Standing> RecordsThen(Guid organizationId, DateTimeOffset at, VolunteersDb db) => db.ServiceRecords
        .Where(r => r.OrganizationId == organizationId && r.RecordedAt <= at)
        .Select(r => new
        {
            Record = r,
            Last = db.ServiceRecordEvents.Where(e => e.OrganizationId == organizationId && e.RecordId == r.Id && e.At <= at).OrderByDescending(e => e.Sequence).First(),
        })
        .Where(x => x.Last.Status == ServiceStatus.Submitted || x.Last.Status == ServiceStatus.Approved)
        .Select(x => new Standing
        {
            ActivityId = x.Record.ActivityId, TeamId = x.Record.TeamId, Status = x.Last.Status, VolunteerId = x.Record.VolunteerId,
            PersonTimes = x.Last.Status == ServiceStatus.Approved ? x.Last.CreditedPersonTimes : x.Last.PersonTimes,
            Minutes = x.Last.Status == ServiceStatus.Approved ? x.Last.CreditedMinutes : x.Last.Minutes,
        });

    internal sealed class Planned
    {
        public required Guid Id { get; init; }

        public required string Title { get; init; }

        public required Guid TeamId { get; init; }

        public required string Team { get; init; }

        public required ActivityStatus Status { get; init; }

        public required DateTimeOffset EndsAt { get; init; }
    }

    internal sealed class Standing
    {
        public required Guid ActivityId { get; init; }

        /// <summary>In which it was given: the activity may be another's by now.</summary>
        public required Guid TeamId { get; init; }

        public required ServiceStatus Status { get; init; }

        public required Guid? VolunteerId { get; init; }

        public required int PersonTimes { get; init; }

        public required int Minutes { get; init; }
    }
}

/// <summary>Which activities without their records to list.</summary>
/// <param name="AsOf">As activities and records stood when the ledger reached this position, or at this instant (RFC 3339); as they stand now when not given.</param>
/// <param name="IncludeDueSoon">True: also those whose records are not yet overdue.</param>
/// <param name="Team">Of exactly this team.</param>
/// <param name="From">First local day on which they ended.</param>
/// <param name="To">Last local day on which they ended.</param>
internal sealed record OverdueQuery(
    [property: FromQuery] string? AsOf = null, [property: FromQuery] bool IncludeDueSoon = false, [property: FromQuery] Guid? Team = null,
    [property: FromQuery] DateOnly? From = null, [property: FromQuery] DateOnly? To = null)
{
    internal sealed class Validator : AbstractValidator<OverdueQuery>
    {
        public Validator()
        {
            RuleFor(query => query.To).GreaterThanOrEqualTo(query => query.From).WithMessage(_ => Messages.Title("to_before_from"))
                .When(query => query.From is not null);
            RuleFor(query => query.AsOf).MaximumLength(40).Must(asOf => asOf is null || LedgerPoint.IsReadable(asOf)).WithMessage(_ => Messages.Title("unreadable_as_of"));
        }
    }
}

/// <summary>An activity that ended without its service records.</summary>
/// <param name="ActivityId">The activity.</param>
/// <param name="Title">What it is called.</param>
/// <param name="Team">Whose it is.</param>
/// <param name="EndsAt">When it ended.</param>
/// <param name="DueOn">The last local day on which records are in time.</param>
/// <param name="WorkingDaysLate">Working days since then, this day included; 0 while there is time.</param>
/// <param name="ConfirmedSignUps">Volunteers who had a place on its shifts and are not known to have stayed away.</param>
/// <param name="Records">Records that stand: approved or waiting.</param>
/// <param name="Waiting">Of these, how many wait for review.</param>
/// <param name="Recorded">What these records come to, the waiting ones included.</param>
internal sealed record OverdueActivityView(
    Guid ActivityId, string Title, ReportTeam Team, DateTimeOffset EndsAt, DateOnly DueOn, int WorkingDaysLate, int ConfirmedSignUps, int Records, int Waiting,
    HourFigures Recorded)
{
    public static Expression<Func<OverdueReport.Planned, OverdueActivityView>> Projection(
        Guid organizationId, VolunteersDb db, IQueryable<OverdueReport.Standing> records, RecordingDeadline deadline, DateTimeOffset at) => a => new OverdueActivityView(
        a.Id, a.Title, new ReportTeam(a.TeamId, a.Team), a.EndsAt, deadline.DueOn(a.EndsAt), deadline.WorkingDaysLate(a.EndsAt, at),
        db.SignUps.Where(s => s.OrganizationId == organizationId && (s.Status == SignUpStatus.Confirmed || s.Status == SignUpStatus.Attended)
            && db.Shifts.Any(shift => shift.OrganizationId == organizationId && shift.Id == s.ShiftId && shift.ActivityId == a.Id))
            .Select(s => s.VolunteerId).Distinct().Count(),
        records.Count(r => r.ActivityId == a.Id), records.Count(r => r.ActivityId == a.Id && r.Status == ServiceStatus.Submitted),
        new HourFigures(records.Where(r => r.ActivityId == a.Id && r.VolunteerId != null).Select(r => r.VolunteerId).Distinct().Count(),
            records.Where(r => r.ActivityId == a.Id).Sum(r => (long)r.PersonTimes), records.Where(r => r.ActivityId == a.Id).Sum(r => (long)r.Minutes)));
}
