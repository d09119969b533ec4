using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Volunteers.Data;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Certificates;

/// <summary>One's own certificates, in every organization: also where one has left and is nobody any more.</summary>
internal static class MyCertificates
{
    public static void MapMyCertificates(this RouteGroupBuilder v1)
    {
        var mine = v1.MapGroup("/me/certificates").WithTags("Me");

        mine.MapGet("", List).WithName("listMyCertificates").ShowsNoPersonalData().Allows(Access.Account);
        mine.MapPost("", Issue).WithName("issueMyCertificate").Allows(Access.Account).RefusesWith(404, 409);
        mine.MapGet("/{certificateId:guid}", Get).WithName("getMyCertificate").ShowsNoPersonalData().Allows(Access.Account).RefusesWith(404);
        mine.MapGet("/{certificateId:guid}/pdf", Draw).WithName("getMyCertificatePdf").ShowsNoPersonalData().Allows(Access.Account).Costs(Cost.Export).RefusesWith(404);
    }

    /// <summary>Lists the caller's own certificates of all organizations in the order in which they were issued, without their lines.</summary>
    private static async Task<Paged<CertificateView>> List([AsParameters] PageQuery page, Caller caller, VolunteersDb db, CancellationToken ct) =>
        await db.CertificatesOf(await db.OwnProfiles(caller, ct)).ToPage(page, c => c.Id, CertificateView.Projection, ct);

    /// <summary>Issues a certificate of the caller's own service in one organization, also after they have left it.</summary>
    private static async Task<Platform.Created<CertificateView>> Issue(
        MyCertificateRequest request, Caller caller, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var own = (await db.OwnProfiles(caller, ct)).Find(profile => profile.OrganizationId == request.OrganizationId)
            ?? throw RuleBreach.NotFound("no_profile_there", "/organizationId");
        var certificate = await db.Issue(own.OrganizationId, own.VolunteerId, request.ToRequest(), caller.ActorId, byName: null, clock.GetUtcNow(), ct);
        return Answer.Created($"/v1/me/certificates/{certificate.Id}", (await db.ViewOf(db.Certificates.Only(certificate), ct))!);
    }

    /// <summary>Shows a certificate of one's own with its lines.</summary>
    private static async Task<Results<Found<CertificateView>, NotFound>> Get(Guid certificateId, Caller caller, VolunteersDb db, CancellationToken ct) =>
        await db.ViewOf(db.CertificatesOf(await db.OwnProfiles(caller, ct)).Where(c => c.Id == certificateId), ct) is { } view
            ? Answer.Found(view)
            : TypedResults.NotFound();

    /// <summary>Draws a certificate of one's own for print.</summary>
    private static async Task<Results<CertificateFile, NotFound>> Draw(
        Guid certificateId, [AsParameters] CertificatePdfQuery query, HttpRequest request, Caller caller, VolunteersDb db, CancellationToken ct) =>
        await CertificateFile.Of(db, db.CertificatesOf(await db.OwnProfiles(caller, ct)).Where(c => c.Id == certificateId), query.Language, request, ct) is { } file
            ? file
            : TypedResults.NotFound();

    private static IQueryable<Certificate> CertificatesOf(this VolunteersDb db, List<OwnProfile> profiles)
    {
        var organizations = profiles.ConvertAll(profile => profile.OrganizationId);
        var volunteers = profiles.ConvertAll(profile => profile.VolunteerId);
        return db.Certificates.Where(c => organizations.Contains(c.OrganizationId) && volunteers.Contains(c.VolunteerId));
    }
}

/// <summary>A certificate of the caller's own service, to be.</summary>
/// <param name="OrganizationId">In which organization it was given.</param>
/// <param name="From">First local day of service.</param>
/// <param name="To">Last local day of service: today at the latest.</param>
/// <param name="Language">Of its PDF when none is asked for, <c>zh-CN</c> or <c>en</c>; the organization's when not given.</param>
/// <param name="Purpose">What it is for, printed on it; at most 200 characters.</param>
/// <param name="Replaces">An earlier certificate of one's own there, which this one supersedes.</param>
internal sealed record MyCertificateRequest(
    Guid OrganizationId, DateOnly From, DateOnly To, string? Language = null, string? Purpose = null, Guid? Replaces = null)
{
    public CertificateRequest ToRequest() => new(From, To, Language, Purpose, Replaces);

    internal sealed class Validator : AbstractValidator<MyCertificateRequest>
    {
        public Validator(IValidator<CertificateRequest> certificate)
        {
            RuleFor(request => request.OrganizationId).NotEmpty();
            RuleFor(request => request.ToRequest()).SetValidator(certificate).OverridePropertyName("");
        }
    }
}
