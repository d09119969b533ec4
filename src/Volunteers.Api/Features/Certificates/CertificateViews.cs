using System.Linq.Expressions;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using Volunteers.Features.Reports;
using Volunteers.Platform;

namespace Volunteers.Features.Certificates;

/// <summary>A certificate to be.</summary>
/// <param name="From">First local day of service.</param>
/// <param name="To">Last local day of service: today at the latest.</param>
/// <param name="Language">Of its PDF when none is asked for, <c>zh-CN</c> or <c>en</c>; the organization's when not given.</param>
/// <param name="Purpose">What it is for, printed on it; at most 200 characters.</param>
/// <param name="Replaces">An earlier certificate of the same volunteer, which this one supersedes.</param>
internal sealed record CertificateRequest(DateOnly From, DateOnly To, string? Language = null, string? Purpose = null, Guid? Replaces = null)
{
    internal sealed class Validator : AbstractValidator<CertificateRequest>
    {
        public Validator()
        {
            RuleFor(request => request.From).NotEmpty();
            RuleFor(request => request.To).NotEmpty().GreaterThanOrEqualTo(request => request.From).WithMessage(_ => Messages.Title("to_before_from"));
            RuleFor(request => request.Language).OneOf("zh-CN", "en").WithMessage(_ => Messages.Title("unknown_locale"));
            RuleFor(request => request.Purpose).OptionalLine(200).MinimumLength(1);
        }
    }
}

/// <summary>Why a certificate is no longer to be trusted.</summary>
/// <param name="Reason">Kept with it, and not shown to who verifies; at most 500 characters.</param>
internal sealed record RevocationRequest(string Reason)
{
    internal sealed class Validator : AbstractValidator<RevocationRequest>
    {
        public Validator() => RuleFor(request => request.Reason).NotEmpty().MaximumLength(500);
    }
}

/// <summary>How to draw a certificate.</summary>
/// <param name="Language"><c>zh-CN</c> or <c>en</c>; the certificate's own when not given.</param>
internal sealed record CertificatePdfQuery([property: FromQuery] string? Language = null)
{
    internal sealed class Validator : AbstractValidator<CertificatePdfQuery>
    {
        public Validator() =>
            RuleFor(query => query.Language).OneOf("zh-CN", "en").WithMessage(_ => Messages.Title("unknown_locale"));
    }
}

/// <summary>Where a certificate stands, as far as its organization decides.</summary>
internal enum CertificateStatus
{
    Valid,
    Revoked,

    /// <summary>A later one replaces it.</summary>
    Superseded,
}

/// <summary>A frozen statement of what one volunteer gave in a period.</summary>
/// <param name="Id">The certificate.</param>
/// <param name="OrganizationId">Who issued it.</param>
/// <param name="VolunteerId">Whose service it states.</param>
/// <param name="Number">Counted per organization and local year of issue.</param>
/// <param name="Code">What it is verified by: whoever has it sees what <c>GET /v1/certificates/{code}</c> shows.</param>
/// <param name="Status">Valid, revoked or superseded.</param>
/// <param name="EndedAt">When it stopped being valid.</param>
/// <param name="RevocationReason">Why it was revoked.</param>
/// <param name="SupersededById">The certificate that replaces it.</param>
/// <param name="ReplacesId">The certificate that it replaces.</param>
/// <param name="From">First local day of service.</param>
/// <param name="To">Last local day of service.</param>
/// <param name="Language">Of its PDF when none is asked for.</param>
/// <param name="Purpose">What it is for.</param>
/// <param name="VolunteerNumber">As it was then, like everything below.</param>
/// <param name="VolunteerName">Their name.</param>
/// <param name="Organization">The issuing body's name.</param>
/// <param name="SupervisingOrganization">Under whose guidance it records.</param>
/// <param name="Contact">How to reach it.</param>
/// <param name="ResponsiblePerson">Who answers for it.</param>
/// <param name="IssuedBy">The account or client that issued it.</param>
/// <param name="IssuedByName">Its name; null when the volunteer drew it for themselves.</param>
/// <param name="IssuedAt">When.</param>
/// <param name="IssuedOn">The organization's local day of it.</param>
/// <param name="LedgerPosition">The last posting that counts.</param>
/// <param name="PersonTimes">Participations.</param>
/// <param name="Minutes">Whole minutes.</param>
/// <param name="ByEvidence">How we know.</param>
/// <param name="LinesAre">What the lines stand for: activities, or months where there are more than 2,000 activities.</param>
/// <param name="Lines">What was given, in the order of days; null in lists of certificates.</param>
/// <param name="Version">1, and 2 when it is no longer valid.</param>
internal sealed record CertificateView(
    Guid Id, Guid OrganizationId, Guid VolunteerId, string Number, string Code, CertificateStatus Status, DateTimeOffset? EndedAt, string? RevocationReason,
    Guid? SupersededById, Guid? ReplacesId, DateOnly From, DateOnly To, string Language, string? Purpose, string VolunteerNumber, string VolunteerName,
    string Organization, string? SupervisingOrganization, string? Contact, string? ResponsiblePerson, Guid IssuedBy, string? IssuedByName,
    DateTimeOffset IssuedAt, DateOnly IssuedOn, long LedgerPosition, long PersonTimes, long Minutes, IReadOnlyList<CertifiedEvidence> ByEvidence,
    CertificateLines LinesAre, IReadOnlyList<CertificateLine>? Lines, long Version) : IVersioned
{
    /// <summary>The minutes as hours, rounded half up to two decimals.</summary>
    public decimal Hours => HourFigures.InHours(Minutes);

    public static Expression<Func<Certificate, CertificateView>> Projection => c => Complete(c.Year, c.Sequence,
        c.Ending,
        new CertificateView(c.Id, c.OrganizationId, c.VolunteerId, "", c.Code, CertificateStatus.Valid, null, null, null, c.ReplacesId, c.From, c.To, c.Language,
            c.Purpose, c.VolunteerNumber, c.VolunteerName, c.Organization, c.SupervisingOrganization, c.Contact, c.ResponsiblePerson, c.IssuedBy, c.IssuedByName,
            c.IssuedAt, c.IssuedOn, c.LedgerPosition, c.PersonTimes, c.Minutes, c.ByEvidence, c.LinesAre, null, 1));

    private static CertificateView Complete(int year, int sequence, CertificateEnding? ending, CertificateView view) => view with
    {
        Number = Certificate.NumberOf(year, sequence),
        Code = TypedCode.InGroups(view.Code),
        Version = ending is null ? 1 : 2,
        Status = ending?.End switch { null => CertificateStatus.Valid, CertificateEnd.Revoked => CertificateStatus.Revoked, _ => CertificateStatus.Superseded },
        EndedAt = ending?.At,
        RevocationReason = ending?.Reason,
        SupersededById = ending?.SuccessorId,
    };
}
