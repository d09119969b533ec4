using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Reports;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Certificates;

/// <summary>Says to anybody who holds a certificate's code whether it still stands, and no more than is printed on it.</summary>
internal static class Verification
{
    public static void MapVerification(this RouteGroupBuilder v1) =>
        v1.MapGet("/certificates/{code:maxlength(60)}", Get).WithTags("Certificates").WithName("verifyCertificate").ShowsNoPersonalData().AllowAnonymous()
            .Costs(Cost.Verification).RefusesWith(404);

    /// <summary>
    /// Verifies a certificate by its code, in capitals or small letters, with hyphens or without. Public, without signing in:
    /// the name is masked. A wrong code is not found, whatever is wrong with it.
    /// </summary>
    private static async Task<Results<Ok<VerificationView>, NotFound>> Get(string code, HttpResponse response, VolunteersDb db, CancellationToken ct)
    {
        KeepToYourself(response);
        return await db.Verify(code, ct) is { } view ? TypedResults.Ok(view) : TypedResults.NotFound();
    }

    /// <summary>The code is in the address: neither caches nor the next page nor a search engine may learn it.</summary>
    public static void KeepToYourself(HttpResponse response)
    {
        response.Headers.CacheControl = "no-store, private";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers["X-Robots-Tag"] = "noindex, nofollow, noarchive";
    }

    public static async Task<VerificationView?> Verify(this VolunteersDb db, string text, CancellationToken ct)
    {
        if (CertificateCode.Read(text) is not var (prefix, code)) return null;
        // Almost always one: forty bits of an id may be alike, and then the rest of the code decides.
        var organizations = await db.Organizations.AsNoTracking().Where(o => o.CodePrefix == prefix).ToDictionaryAsync(o => o.Id, ct);
        var ids = organizations.Keys.ToArray();
        var certificate = await db.Certificates.Where(c => ids.Contains(c.OrganizationId) && c.Code == code)
            .Select(c => new
            {
                c.OrganizationId, c.VolunteerId, c.Year, c.Sequence, c.VolunteerName, c.Organization, c.From, c.To, c.IssuedOn, c.PersonTimes, c.Minutes, c.ByEvidence,
                Erased = db.Volunteers.Any(v => v.OrganizationId == c.OrganizationId && v.Id == c.VolunteerId && v.ErasedAt != null),
                c.Ending,
            }).AsNoTracking().SingleOrDefaultAsync(ct);
        if (certificate is null) return null;

        var now = await db.HourPostings
            .Where(p => p.OrganizationId == certificate.OrganizationId && p.VolunteerId == certificate.VolunteerId
                && p.ServiceDate >= certificate.From && p.ServiceDate <= certificate.To)
            .GroupBy(p => p.VolunteerId).Select(g => new VerifiedFigures(g.Sum(p => (long)p.PersonTimes), g.Sum(p => (long)p.Minutes)))
            .SingleAsync(ct);
        var changed = now != new VerifiedFigures(certificate.PersonTimes, certificate.Minutes);
        var status = certificate.Ending?.End switch
        {
            CertificateEnd.Revoked => VerificationStatus.Revoked,
            CertificateEnd.Superseded => VerificationStatus.Superseded,
            _ => changed ? VerificationStatus.HoursChanged : VerificationStatus.Valid,
        };
        return new VerificationView(status, Certificate.NumberOf(certificate.Year, certificate.Sequence), certificate.Organization,
            certificate.Erased ? null : MaskedName.Of(certificate.VolunteerName),
            certificate.From, certificate.To, certificate.PersonTimes, certificate.Minutes, certificate.ByEvidence, certificate.IssuedOn,
            status == VerificationStatus.Revoked ? organizations[certificate.OrganizationId].DayOf(certificate.Ending!.At) : null, certificate.Ending?.SuccessorNumber,
            status == VerificationStatus.HoursChanged ? now : null);
    }
}

internal enum VerificationStatus
{
    Valid,

    /// <summary>Issued as it says; the ledger has other figures for its period by now.</summary>
    HoursChanged,

    Superseded,
    Revoked,
}

/// <summary>What the ledger says by now.</summary>
/// <param name="PersonTimes">Participations.</param>
/// <param name="Minutes">Whole minutes.</param>
internal sealed record VerifiedFigures(long PersonTimes, long Minutes)
{
    /// <summary>The minutes as hours, rounded half up to two decimals.</summary>
    public decimal Hours => HourFigures.InHours(Minutes);
}

/// <summary>What a certificate says, and whether it still stands.</summary>
/// <param name="Status">Valid, hoursChanged, superseded or revoked.</param>
/// <param name="Number">The certificate's number.</param>
/// <param name="Organization">Who issued it.</param>
/// <param name="Name">The volunteer's name, masked; null when they asked to be forgotten, and it is kept no longer.</param>
/// <param name="From">First local day of service.</param>
/// <param name="To">Last local day of service.</param>
/// <param name="PersonTimes">Participations, as certified.</param>
/// <param name="Minutes">Whole minutes, as certified.</param>
/// <param name="ByEvidence">How it is known, as certified.</param>
/// <param name="IssuedOn">Local day of issue.</param>
/// <param name="RevokedOn">Local day on which it was revoked.</param>
/// <param name="SupersededBy">The number of the certificate that replaces it.</param>
/// <param name="Now">When the hours changed: what the ledger says by now for the same period.</param>
internal sealed record VerificationView(
    VerificationStatus Status, string Number, string Organization, string? Name, DateOnly From, DateOnly To, long PersonTimes, long Minutes,
    IReadOnlyList<CertifiedEvidence> ByEvidence, DateOnly IssuedOn,
    DateOnly? RevokedOn, string? SupersededBy, VerifiedFigures? Now)
{
    /// <summary>The certified minutes as hours, rounded half up to two decimals.</summary>
    public decimal Hours => HourFigures.InHours(Minutes);
}
