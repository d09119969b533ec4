using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Certificates;

internal static class CertificateEndpoints
{
    public static void MapCertificates(this RouteGroupBuilder organization)
    {
        var ofVolunteer = organization.MapGroup("/volunteers/{volunteerId:guid}/certificates").WithTags("Certificates").Scoped(Scope.Certificates);
        ofVolunteer.MapGet("", List).WithName("listCertificates").ShowsPersonalData().RefusesWith(404);
        ofVolunteer.MapPost("", Issue).WithName("issueCertificate").Allows(Access.TakePart).TakesTurnsBy("organizationId").RefusesWith(404, 409);

        var certificates = organization.MapGroup("/certificates/{certificateId:guid}").WithTags("Certificates").Scoped(Scope.Certificates).RefusesWith(404);
        certificates.MapGet("", Get).WithName("getCertificate").ShowsPersonalData();
        certificates.MapGet("/pdf", Draw).WithName("getCertificatePdf").ExportsPersonalData().Costs(Cost.Export);
        certificates.MapPost("/revoke", Revoke).WithName("revokeCertificate").Allows(Access.Coordinate).RefusesWith(409);
    }

    /// <summary>Lists a volunteer's certificates in the order in which they were issued, without their lines. For the volunteer, and for those who see their profile.</summary>
    private static async Task<Results<Paged<CertificateView>, NotFound>> List(
        Guid volunteerId, [AsParameters] PageQuery page, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.Volunteers.VisibleTo(tenant, db).AnyAsync(v => v.Id == volunteerId, ct)
            ? await db.Certificates.Where(c => c.OrganizationId == tenant.Id && c.VolunteerId == volunteerId)
                .ToPage(page, c => c.Id, CertificateView.Projection, ct)
            : TypedResults.NotFound();

    /// <summary>
    /// Issues a certificate of service, free of charge and at once: a frozen statement of the credited service of a period.
    /// By a coordinator of the volunteer, or by the volunteer for themselves, also after they have left.
    /// </summary>
    private static async Task<Results<Platform.Created<CertificateView>, NotFound>> Issue(
        Guid volunteerId, CertificateRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (!await db.Volunteers.ActedForBy(tenant, db).AnyAsync(v => v.Id == volunteerId, ct)) return TypedResults.NotFound();

        var name = volunteerId == tenant.VolunteerId ? null : await db.NameOf(tenant, ct);
        var certificate = await db.Issue(tenant.Id, volunteerId, request, tenant.ActorId, name, clock.GetUtcNow(), ct);
        return Answer.Created($"/v1/organizations/{tenant.Id}/certificates/{certificate.Id}", (await db.ViewOf(db.Certificates.Only(certificate), ct))!);
    }

    /// <summary>Shows a certificate with its lines. For the volunteer, and for those who see their profile.</summary>
    private static async Task<Results<Found<CertificateView>, NotFound>> Get(Guid certificateId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.ViewOf(db.Certificates.VisibleTo(tenant, db).Where(c => c.Id == certificateId), ct) is { } view ? Answer.Found(view) : TypedResults.NotFound();

    /// <summary>
    /// Draws a certificate for print: A4, with its table of service, totals by evidence, number, code, a QR code that leads to its
    /// verification, and a place for the seal. One that is no longer valid says so.
    /// </summary>
    private static async Task<Results<CertificateFile, NotFound>> Draw(
        Guid certificateId, [AsParameters] CertificatePdfQuery query, HttpRequest request, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await CertificateFile.Of(db, db.Certificates.VisibleTo(tenant, db).Where(c => c.Id == certificateId), query.Language, request, ct) is { } file
            ? file
            : TypedResults.NotFound();

    /// <summary>Revokes a certificate: whoever verifies it is told so. It is kept, and can still be drawn.</summary>
    private static async Task<Results<Found<CertificateView>, NotFound>> Revoke(
        Guid certificateId, RevocationRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var certificate = db.Certificates.Where(c => c.OrganizationId == tenant.Id && c.Id == certificateId
            && db.Volunteers.CoordinatedBy(tenant, db).Any(v => v.Id == c.VolunteerId));
        if (!await certificate.AnyAsync(ct)) return TypedResults.NotFound();

        db.Add(CertificateEnding.Revoke(certificateId, request.Reason, tenant, clock.GetUtcNow()));
        await db.SaveChangesAsync(ct);
        return Answer.Found((await db.ViewOf(certificate, ct))!);
    }
}

internal static class CertificateQueries
{
    /// <summary>Of volunteers whom the caller sees.</summary>
    public static IQueryable<Certificate> VisibleTo(this IQueryable<Certificate> certificates, Tenant tenant, VolunteersDb db) => certificates.Where(c =>
        c.OrganizationId == tenant.Id && db.Volunteers.VisibleTo(tenant, db).Any(v => v.Id == c.VolunteerId));

    public static IQueryable<Certificate> Only(this IQueryable<Certificate> certificates, Certificate one) =>
        certificates.Where(c => c.OrganizationId == one.OrganizationId && c.Id == one.Id);

    /// <summary>One certificate with its lines; null when there is none.</summary>
    public static async Task<CertificateView?> ViewOf(this VolunteersDb db, IQueryable<Certificate> one, CancellationToken ct) => (await db.ViewsOf(one, ct)).SingleOrDefault();

    /// <summary>Some certificates with their lines.</summary>
    public static async Task<IEnumerable<CertificateView>> ViewsOf(this VolunteersDb db, IQueryable<Certificate> some, CancellationToken ct)
    {
        var views = await some.Select(CertificateView.Projection).AsNoTracking().ToListAsync(ct);
        // Never deleted, so each of them is found again.
        var lines = views.Count == 0 ? [] : (await some.AsNoTracking().ToListAsync(ct)).ToDictionary(certificate => certificate.Id, certificate => certificate.Lines);
        return views.Where(view => lines.ContainsKey(view.Id)).Select(view => view with { Lines = lines[view.Id] });
    }

    /// <summary>What the account or client is called that acts here.</summary>
    public static Task<string> NameOf(this VolunteersDb db, Tenant tenant, CancellationToken ct) => tenant.Caller.IsClient
        ? db.Clients.Where(c => c.OrganizationId == tenant.Id && c.Id == tenant.ActorId).Select(c => c.Name).SingleAsync(ct)
        : db.Users.Where(account => account.Id == tenant.ActorId).Select(account => account.DisplayName).SingleAsync(ct);
}
