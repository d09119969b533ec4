using Volunteers.Platform.Outbox;

namespace Volunteers.Features.Certificates;

/// <summary>What other systems are told of certificates.</summary>
internal static class CertificateEvents
{
    public static readonly EventType Issued = new("certificate.issued");
    public static readonly EventType Revoked = new("certificate.revoked");

    /// <summary>Another stands for it from now on.</summary>
    public static readonly EventType Superseded = new("certificate.superseded");

    public static readonly IReadOnlyList<EventType> All = [Issued, Revoked, Superseded];

    public static IEnumerable<Happening> Of(Certificate certificate)
    {
        yield return new Happening(Issued, certificate.OrganizationId, certificate.Id, new
        {
            CertificateId = certificate.Id, certificate.VolunteerId, certificate.Number, certificate.From, certificate.To, certificate.Minutes, certificate.PersonTimes,
            certificate.LedgerPosition, certificate.ReplacesId,
        });
    }

    public static IEnumerable<Happening> Of(CertificateEnding ending)
    {
        yield return new Happening(ending.End == CertificateEnd.Revoked ? Revoked : Superseded, ending.OrganizationId, ending.Id,
            new { CertificateId = ending.Id, ending.SuccessorId });
    }
}
