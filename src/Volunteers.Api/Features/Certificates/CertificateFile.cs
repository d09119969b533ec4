using System.Reflection;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Certificates;

/// <summary>200 with a certificate as PDF, under a name that says which.</summary>
internal sealed class CertificateFile(byte[] content, string number, Guid volunteerId) : IResult, IAboutVolunteer, IEndpointMetadataProvider
{
    public Guid? VolunteerId => volunteerId;

    private const string MediaType = "application/pdf";

    /// <summary>The certificate drawn; null when there is none.</summary>
    /// <param name="db">Where it is kept.</param>
    /// <param name="one">A query for it.</param>
    /// <param name="language">As asked for; its own when null.</param>
    /// <param name="request">Its QR code leads to the public address of this service, or to where this request was sent.</param>
    /// <param name="ct">Ends it.</param>
    public static async Task<CertificateFile?> Of(VolunteersDb db, IQueryable<Certificate> one, string? language, HttpRequest request, CancellationToken ct)
    {
        if (await one.AsNoTracking().SingleOrDefaultAsync(ct) is not { } certificate) return null;
        var ending = await db.CertificateEndings.AsNoTracking().SingleOrDefaultAsync(e => e.OrganizationId == certificate.OrganizationId && e.Id == certificate.Id, ct);
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == certificate.OrganizationId, ct);
        var ended = ending is null ? null : new CertificateEnded(organization.DayOf(ending.At), ending.SuccessorNumber);
        var url = $"{PublicAddress.Of(request)}/verify/{TypedCode.InGroups(certificate.Code)}";
        return new CertificateFile(CertificatePdf.Draw(certificate, ended, url, language ?? certificate.Language), certificate.Number, certificate.VolunteerId);
    }

    public Task ExecuteAsync(HttpContext http)
    {
        var disposition = new ContentDispositionHeaderValue("inline");
        disposition.SetHttpFileName($"{Messages.Title("certificate_title")}-{number}.pdf");
        http.Response.Headers.ContentDisposition = disposition.ToString();
        http.Response.Headers.CacheControl = "no-store, private";
        http.Response.ContentType = MediaType;
        http.Response.ContentLength = content.Length;
        return http.Response.Body.WriteAsync(content, http.RequestAborted).AsTask();
    }

    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(byte[]), [MediaType]));
}
