using System.Linq.Expressions;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Activities;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Hours;

/// <summary>What a coordinator has to look at: the list of a day, to be worked off every day.</summary>
internal static class AttendanceExceptions
{
    public static void MapAttendanceExceptions(this RouteGroupBuilder attendance) =>
        attendance.MapGet("/exceptions", List).WithName("listAttendanceExceptions").ShowsPersonalData().Allows(Access.Read);

    /// <summary>
    /// Lists sign-ups that need a look: no-shows, forgotten check-outs, attendance from far away or by the volunteer's own word
    /// alone, and attendance whose hours a rule refused. Once a coordinator has decided on the hours, one leaves the list.
    /// </summary>
    private static async Task<Paged<AttendanceExceptionView>> List(
        [AsParameters] PageQuery page, [AsParameters] AttendanceExceptionFilter filter, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var today = organization.DayOf(clock.GetUtcNow());
        var (start, end) = (organization.StartOf(filter.From ?? (filter.To ?? today).AddDays(-1)), organization.StartOf((filter.To ?? today).AddDays(1)));
        var rows = db.SignUps.VisibleTo(tenant, db)
            .Join(db.Shifts, s => new { s.OrganizationId, Id = s.ShiftId }, shift => new { shift.OrganizationId, shift.Id }, (SignUp, Shift) => new { SignUp, Shift })
            .Where(x => x.Shift.StartsAt >= start && x.Shift.StartsAt < end)
            .Select(x => new Row { SignUp = x.SignUp, Shift = x.Shift });
        if (filter.Team is { } team)
            rows = rows.Where(x => db.Activities.Any(a => a.OrganizationId == x.Shift.OrganizationId && a.Id == x.Shift.ActivityId && a.TeamId == team));
        if (!filter.Reviewed)
        {
            // Looked at by a person after everything that came in.
            rows = rows.Where(x => !db.ServiceRecords.Any(r => r.OrganizationId == x.SignUp.OrganizationId && r.ShiftId == x.SignUp.ShiftId
                && r.VolunteerId == x.SignUp.VolunteerId && r.ReviewedBy != null && r.ReviewedBy != ServiceRecord.TheServiceItself
                && !db.AttendanceEvents.Any(e => e.OrganizationId == r.OrganizationId && e.ShiftId == r.ShiftId && e.VolunteerId == r.VolunteerId
                    && e.ReceivedAt > r.ReviewedAt)));
        }
        return await rows.Where(Matching(filter.Kind)).ToPage(page, x => x.Shift.StartsAt, x => x.SignUp.Id, AttendanceExceptionView.Projection(db), ct);
    }

    private static Expression<Func<Row, bool>> Matching(AttendanceExceptionKind? kind) => kind switch
    {
        AttendanceExceptionKind.NoShow => x => x.SignUp.Status == SignUpStatus.NoShow,
        AttendanceExceptionKind.ForgottenCheckOut => x => x.SignUp.ForgotCheckOut,
        AttendanceExceptionKind.FarAway => x => x.SignUp.FarAway,
        AttendanceExceptionKind.SelfReported => x => x.SignUp.SelfReported,
        AttendanceExceptionKind.NotBooked => x => x.SignUp.BookingRefusal != null,
        _ => x => x.SignUp.Status == SignUpStatus.NoShow || x.SignUp.ForgotCheckOut || x.SignUp.FarAway || x.SignUp.SelfReported || x.SignUp.BookingRefusal != null,
    };

    internal sealed class Row
    {
        public required SignUp SignUp { get; init; }

        public required Shift Shift { get; init; }
    }
}

/// <summary>Why a sign-up needs a look.</summary>
internal enum AttendanceExceptionKind
{
    NoShow,
    ForgottenCheckOut,

    /// <summary>Checked in or out more than 2 km from the activity's place.</summary>
    FarAway,

    /// <summary>Nobody but the volunteer stands for it.</summary>
    SelfReported,

    /// <summary>A rule refused the hours.</summary>
    NotBooked,
}

/// <summary>Which exceptions to list.</summary>
/// <param name="From">First local day of the shifts; the day before the last when not given.</param>
/// <param name="To">Last local day of the shifts; today when not given.</param>
/// <param name="Team">Of this team's activities.</param>
/// <param name="Kind">Of this kind.</param>
/// <param name="Reviewed">True: also those whose hours a coordinator has decided on since.</param>
internal sealed record AttendanceExceptionFilter(
    [property: FromQuery] DateOnly? From = null, [property: FromQuery] DateOnly? To = null, [property: FromQuery] Guid? Team = null,
    [property: FromQuery] AttendanceExceptionKind? Kind = null, [property: FromQuery] bool Reviewed = false)
{
    internal sealed class Validator : AbstractValidator<AttendanceExceptionFilter>
    {
        public Validator() => RuleFor(filter => filter.To).GreaterThanOrEqualTo(filter => filter.From).WithMessage(_ => Messages.Title("to_before_from")).When(filter => filter.From is not null);
    }
}

/// <summary>A sign-up that needs a look.</summary>
/// <param name="VolunteerId">Whose.</param>
/// <param name="Name">Their name.</param>
/// <param name="ShiftId">For which shift.</param>
/// <param name="ActivityId">Of which activity.</param>
/// <param name="StartsAt">When the shift started.</param>
/// <param name="Status">Attended or noShow.</param>
/// <param name="ForgottenCheckOut">Checked in and never out.</param>
/// <param name="FarAway">Checked in or out from far away.</param>
/// <param name="SelfReported">Nobody but the volunteer stands for it.</param>
/// <param name="NotBooked">The code of the rule that refused the hours.</param>
/// <param name="ServiceRecordId">Their hours on this shift, if there are any: those from attendance before those a coordinator entered.</param>
/// <param name="ServiceRecordStatus">Where those hours stand: once a coordinator has reviewed them, nothing is left to do.</param>
internal sealed record AttendanceExceptionView(
    Guid VolunteerId, string Name, Guid ShiftId, Guid ActivityId, DateTimeOffset StartsAt, SignUpStatus Status, bool ForgottenCheckOut, bool FarAway,
    bool SelfReported, string? NotBooked, Guid? ServiceRecordId, ServiceStatus? ServiceRecordStatus)
{
    public static Expression<Func<AttendanceExceptions.Row, AttendanceExceptionView>> Projection(VolunteersDb db) => x => new AttendanceExceptionView(
        x.SignUp.VolunteerId,
        db.Volunteers.Where(v => v.OrganizationId == x.SignUp.OrganizationId && v.Id == x.SignUp.VolunteerId).Select(v => v.Name).First(),
        x.SignUp.ShiftId, x.Shift.ActivityId, x.Shift.StartsAt, x.SignUp.Status, x.SignUp.ForgotCheckOut, x.SignUp.FarAway, x.SignUp.SelfReported, x.SignUp.BookingRefusal,
        db.ServiceRecords.Where(r => r.OrganizationId == x.SignUp.OrganizationId && r.ShiftId == x.SignUp.ShiftId && r.VolunteerId == x.SignUp.VolunteerId)
            .OrderByDescending(r => r.Evidence == Evidence.Attendance).ThenByDescending(r => r.Id).Select(r => (Guid?)r.Id).FirstOrDefault(),
        db.ServiceRecords.Where(r => r.OrganizationId == x.SignUp.OrganizationId && r.ShiftId == x.SignUp.ShiftId && r.VolunteerId == x.SignUp.VolunteerId)
            .OrderByDescending(r => r.Evidence == Evidence.Attendance).ThenByDescending(r => r.Id).Select(r => (ServiceStatus?)r.Status).FirstOrDefault());
}
