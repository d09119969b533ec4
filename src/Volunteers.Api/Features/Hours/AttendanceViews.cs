using System.Linq.Expressions;
using System.Reflection;
using FluentValidation;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using QRCoder;
using Volunteers.Features.Activities;
using Volunteers.Platform;

namespace Volunteers.Features.Hours;

/// <summary>How to draw the check-in code.</summary>
internal enum CheckInCodeFormat
{
    Json,
    Svg,
}

/// <summary>How to answer.</summary>
/// <param name="Format">json, with the picture as a member, or the svg picture alone.</param>
internal sealed record CheckInCodeQuery([property: FromQuery] CheckInCodeFormat? Format = null);

/// <summary>The check-in code of this half minute.</summary>
/// <param name="Code">Eight characters, for those who type it.</param>
/// <param name="Content">What the QR code holds: a link that names the shift and the code.</param>
/// <param name="Svg">The QR code as a picture.</param>
/// <param name="ShownFrom">When this code came up.</param>
/// <param name="NextAt">When to ask for the next.</param>
/// <param name="AcceptedUntil">Until when this one is accepted.</param>
internal sealed record CheckInCodeView(string Code, string Content, string Svg, DateTimeOffset ShownFrom, DateTimeOffset NextAt, DateTimeOffset AcceptedUntil)
{
    public static CheckInCodeView Of(Shift shift, DateTimeOffset now)
    {
        var code = CheckInCode.Of(shift.CodeSecret, now);
        var content = $"volunteers:check-in?organization={shift.OrganizationId}&shift={shift.Id}&code={code}";
        using var data = QRCodeGenerator.GenerateQrCode(content, QRCodeGenerator.ECCLevel.M);
        using var picture = new SvgQRCode(data);
        var shown = CheckInCode.StepAt(now);
        return new CheckInCodeView(code, content, picture.GetGraphic(8), shown, shown + CheckInCode.Step, shown + CheckInCode.AcceptedFor);
    }
}

/// <summary>The code as JSON, or its picture alone; never kept by anybody on the way.</summary>
internal sealed class CheckInCodeAnswer(CheckInCodeView view, bool asPicture) : IResult, IEndpointMetadataProvider
{
    public Task ExecuteAsync(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        return asPicture
            ? TypedResults.Text(view.Svg, "image/svg+xml").ExecuteAsync(http)
            : http.Response.WriteAsJsonAsync(view, http.RequestAborted);
    }

    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(CheckInCodeView), ["application/json", "image/svg+xml"]));
}

/// <summary>Somebody comes or goes.</summary>
/// <param name="VolunteerId">Who; oneself when not given.</param>
/// <param name="Code">The code on the organizer's screen; a volunteer needs it for themselves. In any case, with spaces or a hyphen.</param>
/// <param name="Position">Where the phone is, if it may say; kept as one of three distances from the activity's place.</param>
/// <param name="DeviceAt">The time on the device; kept beside ours, which counts.</param>
/// <param name="Kiosk">Tapped on the list of a device at the place; for coordinators and the person in charge.</param>
internal sealed record AttendanceRequest(Guid? VolunteerId = null, string? Code = null, Position? Position = null, DateTimeOffset? DeviceAt = null, bool Kiosk = false)
{
    /// <summary>Whom it is about, if it says so or the caller is a volunteer.</summary>
    public Guid? Of(Tenant tenant) => VolunteerId ?? tenant.VolunteerId;

    internal sealed class Validator : AbstractValidator<AttendanceRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Code).Length(8, 20);
            RuleFor(request => request.Position!).SetValidator(new PositionValidator()).When(request => request.Position is not null);
        }
    }
}

internal sealed class PositionValidator : AbstractValidator<Position>
{
    public PositionValidator()
    {
        RuleFor(position => position.Latitude).InclusiveBetween(-90, 90);
        RuleFor(position => position.Longitude).InclusiveBetween(-180, 180);
    }
}

/// <summary>What was taken, and what it means for the hours.</summary>
/// <param name="ShiftId">On which shift.</param>
/// <param name="VolunteerId">Whose.</param>
/// <param name="Kind">Check-in or check-out.</param>
/// <param name="CountedAt">The time that counts.</param>
/// <param name="Status">Of the sign-up, after it.</param>
/// <param name="ServiceRecord">The hours so far; null before the first check-out.</param>
/// <param name="BookingRefusal">The code of the rule that refuses these hours, for instance <c>daily_limit</c>; a coordinator finds it among the exceptions.</param>
internal sealed record AttendanceView(
    Guid ShiftId, Guid VolunteerId, AttendanceKind Kind, DateTimeOffset CountedAt, SignUpStatus Status, ServiceRecordView? ServiceRecord, string? BookingRefusal);

/// <summary>One check-in or check-out, as it was taken.</summary>
/// <param name="VolunteerId">Whose.</param>
/// <param name="Kind">Check-in or check-out.</param>
/// <param name="CountedAt">The time that counts.</param>
/// <param name="DeviceAt">As the device said.</param>
/// <param name="ReceivedAt">When it reached the service.</param>
/// <param name="Method">By code, coordinator or kiosk.</param>
/// <param name="Distance">How far from the activity's place, if known.</param>
/// <param name="Vouched">Whether somebody else, or the code at that moment, stands for it.</param>
/// <param name="RecordedBy">The account or client that sent it.</param>
/// <param name="ClientEventId">The device's own id, if it was taken offline.</param>
internal sealed record AttendanceEventView(
    Guid VolunteerId, AttendanceKind Kind, DateTimeOffset CountedAt, DateTimeOffset? DeviceAt, DateTimeOffset ReceivedAt, AttendanceMethod Method,
    Distance? Distance, bool Vouched, Guid RecordedBy, Guid? ClientEventId)
{
    public static Expression<Func<AttendanceEvent, AttendanceEventView>> Projection => e => new AttendanceEventView(
        e.VolunteerId, e.Kind, e.CountedAt, e.DeviceAt, e.ReceivedAt, e.Method, e.Distance, e.Vouched, e.RecordedBy, e.ClientEventId);
}

/// <summary>What a device noted while it was offline.</summary>
/// <param name="Events">1 to 500.</param>
/// <param name="SentAt">The device's clock when it sends this; tells by how much it is wrong.</param>
internal sealed record AttendanceBatchRequest(IReadOnlyList<OfflineEvent> Events, DateTimeOffset? SentAt = null)
{
    internal sealed class Validator : AbstractValidator<AttendanceBatchRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Events).NotEmpty().AtMost(500);
            RuleForEach(request => request.Events).NotNull().ChildRules(item =>
            {
                item.RuleFor(e => e.ClientEventId).NotEmpty();
                item.RuleFor(e => e.VolunteerId).NotEmpty();
                item.RuleFor(e => e.ShiftId).NotEmpty();
                item.RuleFor(e => e.OccurredAt).NotEmpty();
                item.RuleFor(e => e.Code).Length(8, 20);
                item.RuleFor(e => e.Position!).SetValidator(new PositionValidator()).When(e => e.Position is not null);
            }).When(request => request.Events is { Count: <= 500 });
        }
    }
}

/// <summary>A check-in or check-out that was taken offline.</summary>
/// <param name="ClientEventId">Made by the device, once for this event.</param>
/// <param name="VolunteerId">Whose.</param>
/// <param name="ShiftId">On which shift.</param>
/// <param name="Kind">Check-in or check-out.</param>
/// <param name="OccurredAt">By the device's clock.</param>
/// <param name="Code">The code that was on the organizer's screen; a volunteer's own phone needs it.</param>
/// <param name="Position">Where the device was, if it may say.</param>
/// <param name="Kiosk">Tapped on the list of a device at the place.</param>
internal sealed record OfflineEvent(
    Guid ClientEventId, Guid VolunteerId, Guid ShiftId, AttendanceKind Kind, DateTimeOffset OccurredAt, string? Code = null, Position? Position = null,
    bool Kiosk = false)
{
    public bool IsThe(AttendanceEvent known) =>
        (ShiftId, VolunteerId, Kind, OccurredAt) == (known.ShiftId, known.VolunteerId, known.Kind, known.DeviceAt ?? OccurredAt);
}

/// <summary>What became of one event of a batch.</summary>
internal enum OfflineResult
{
    Recorded,

    /// <summary>It was known already.</summary>
    Repeated,
    Refused,
}

/// <summary>The answer to each event, in the order of the request.</summary>
internal sealed record AttendanceBatchView(IReadOnlyList<AttendanceResultView> Items);

/// <summary>What became of one event.</summary>
/// <param name="ClientEventId">Which.</param>
/// <param name="Result">Recorded, repeated or refused.</param>
/// <param name="CountedAt">The time that counts.</param>
/// <param name="Code">Why it was refused; stable.</param>
/// <param name="Detail">The same in the language of the request.</param>
internal sealed record AttendanceResultView(Guid ClientEventId, OfflineResult Result, DateTimeOffset? CountedAt, string? Code, string? Detail)
{
    public static AttendanceResultView Of(OfflineEvent item, OfflineResult result, AttendanceEvent taken) => new(item.ClientEventId, result, taken.CountedAt, null, null);

    public static AttendanceResultView Refused(OfflineEvent item, RuleBreach refused) =>
        new(item.ClientEventId, OfflineResult.Refused, null, refused.Code, Messages.Detail(refused.Code, refused.Arguments));
}
