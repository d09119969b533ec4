using System.Linq.Expressions;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Activities;

internal static class MyShifts
{
    public static void MapMyShifts(this RouteGroupBuilder v1) =>
        v1.MapGet("/me/shifts", List).WithTags("Me").WithName("listMyShifts").ShowsNoPersonalData().Allows(Access.Account);

    /// <summary>Lists the shifts the caller signed up for, in every organization, in the order in which they start.</summary>
    private static Task<Paged<MyShiftView>> List(
        [AsParameters] PageQuery page, [AsParameters] MyShiftFilter filter, Caller caller, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var profiles = caller.Grants.Where(grant => grant.VolunteerId is not null).ToArray();
        var organizations = profiles.Select(grant => grant.OrganizationId).ToArray();
        var volunteers = profiles.Select(grant => grant.VolunteerId!.Value).ToArray();
        var from = filter.From ?? clock.GetUtcNow();
        var rows = db.SignUps.Where(s => organizations.Contains(s.OrganizationId) && volunteers.Contains(s.VolunteerId))
            .Join(db.Shifts, s => new { s.OrganizationId, Id = s.ShiftId }, shift => new { shift.OrganizationId, shift.Id }, (SignUp, Shift) => new { SignUp, Shift })
            .Join(db.Activities, x => new { x.Shift.OrganizationId, Id = x.Shift.ActivityId }, a => new { a.OrganizationId, a.Id },
                (x, activity) => new Row { SignUp = x.SignUp, Shift = x.Shift, Activity = activity })
            .Where(x => x.Shift.EndsAt > from);
        if (filter.To is { } to) rows = rows.Where(x => x.Shift.StartsAt < to);
        rows = filter.Status is { } status ? rows.Where(x => x.SignUp.Status == status) : rows.Where(x => x.SignUp.Status != SignUpStatus.Cancelled);
        return rows.ToPage(page, x => x.Shift.StartsAt, x => x.SignUp.Id, MyShiftView.Projection(db), ct);
    }

    internal sealed class Row
    {
        public required SignUp SignUp { get; init; }

        public required Shift Shift { get; init; }

        public required Activity Activity { get; init; }
    }
}

/// <summary>Which of the caller's shifts to list.</summary>
/// <param name="From">Those that end after this instant; now when not given.</param>
/// <param name="To">Those that start before this instant.</param>
/// <param name="Status">Only sign-ups that stand so; all but the cancelled ones when not given.</param>
internal sealed record MyShiftFilter(
    [property: FromQuery] DateTimeOffset? From = null, [property: FromQuery] DateTimeOffset? To = null, [property: FromQuery] SignUpStatus? Status = null)
{
    internal sealed class Validator : AbstractValidator<MyShiftFilter>
    {
        public Validator() => RuleFor(filter => filter.To).GreaterThan(filter => filter.From).WithMessage(_ => Messages.Title("end_before_start")).When(filter => filter.From is not null);
    }
}

/// <summary>A shift the caller signed up for.</summary>
/// <param name="OrganizationId">Whose it is.</param>
/// <param name="Organization">Its name.</param>
/// <param name="TimeZone">Its IANA time zone.</param>
/// <param name="ActivityId">The activity.</param>
/// <param name="Title">The activity's title.</param>
/// <param name="Location">Where.</param>
/// <param name="ShiftId">The shift.</param>
/// <param name="Name">The shift's name.</param>
/// <param name="StartsAt">When it starts.</param>
/// <param name="EndsAt">When it ends.</param>
/// <param name="Status">Confirmed, waitlisted, cancelled, attended or noShow.</param>
/// <param name="WaitingPosition">1 for the first of the waiting list; null for who does not wait.</param>
/// <param name="CancelClosesAt">Until when the caller may give the place back themselves.</param>
/// <param name="CancelReason">Why it was cancelled.</param>
internal sealed record MyShiftView(
    Guid OrganizationId, string Organization, string TimeZone, Guid ActivityId, string Title, Location? Location, Guid ShiftId, string Name,
    DateTimeOffset StartsAt, DateTimeOffset EndsAt, SignUpStatus Status, int? WaitingPosition, DateTimeOffset CancelClosesAt, string? CancelReason)
{
    public static Expression<Func<MyShifts.Row, MyShiftView>> Projection(VolunteersDb db) => x => new MyShiftView(
        x.Shift.OrganizationId,
        db.Organizations.Where(o => o.Id == x.Shift.OrganizationId).Select(o => o.Name).First(),
        db.Organizations.Where(o => o.Id == x.Shift.OrganizationId).Select(o => o.TimeZone).First(),
        x.Activity.Id, x.Activity.Title, x.Activity.Location, x.Shift.Id, x.Shift.Name, x.Shift.StartsAt, x.Shift.EndsAt, x.SignUp.Status,
        x.SignUp.Status != SignUpStatus.Waitlisted ? null : 1 + db.SignUps.Count(w => w.OrganizationId == x.SignUp.OrganizationId && w.ShiftId == x.SignUp.ShiftId
            && w.Status == SignUpStatus.Waitlisted && w.Arrival < x.SignUp.Arrival),
        x.Shift.CancelClosesAt ?? x.Shift.StartsAt, x.SignUp.CancelReason);
}
