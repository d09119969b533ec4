using System.Linq.Expressions;
using FluentValidation;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Organizations;

internal static class OrganizationEndpoints
{
    public static void MapOrganizations(this RouteGroupBuilder v1)
    {
        var organizations = v1.MapGroup("/organizations").WithTags("Organizations").Scoped(Scope.Organization);

        organizations.MapGet("", List).WithName("listOrganizations").ShowsNoPersonalData().Allows(Access.SignedIn);
        organizations.MapPost("", Create).WithName("createOrganization").Allows(Access.Operate).NotForClients().RefusesWith(404, 409);
        organizations.MapGet("/{organizationId:guid}", Get).WithName("getOrganization").ShowsNoPersonalData().Allows(Access.Member);
        organizations.MapPatch("/{organizationId:guid}", Change).WithName("changeOrganization").Allows(Access.Administer).NotForClients().RefusesWith(409);
    }

    /// <summary>Lists the organizations in which the caller has a role.</summary>
    private static Task<Paged<OrganizationView>> List([AsParameters] PageQuery page, Caller caller, VolunteersDb db, CancellationToken ct)
    {
        var ids = caller.Grants.Select(grant => grant.OrganizationId).Distinct().ToArray();
        return db.Organizations.Where(o => ids.Contains(o.Id)).ToPage(page, o => o.Id, OrganizationView.Projection, ct);
    }

    /// <summary>Creates an organization; its first administrator is the account named, or the caller.</summary>
    private static async Task<Created<OrganizationView>> Create(
        NewOrganizationRequest request, Caller caller, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var administrator = request.AdministratorAccountId ?? caller.ActorId;
        // Plain SQL: accounts come after organizations in the order of features.
        if (!await db.Database.SqlQuery<bool>($"select exists (select 1 from accounts where id = {administrator}) as \"Value\"").SingleAsync(ct))
            throw RuleBreach.NotFound("account_not_found", "/administratorAccountId");

        var now = clock.GetUtcNow();
        var organization = new Organization(
            request.Name, request.TimeZone, request.Locale, request.SupervisingOrganizationId, request.Settings, now, request.Contact, request.ResponsiblePerson);
        db.Add(organization);
        db.Add(new RoleGrant(organization.Id, administrator, Role.Administrator, teamId: null, volunteerId: null, caller.ActorId, now));
        await db.SaveChangesAsync(ct);
        return Answer.Created($"/v1/organizations/{organization.Id}", OrganizationView.Of(organization));
    }

    /// <summary>Shows an organization and its settings.</summary>
    private static async Task<Found<OrganizationView>> Get(Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        Answer.Found(await db.Organizations.Where(o => o.Id == tenant.Id).Select(OrganizationView.Projection).SingleAsync(ct));

    /// <summary>
    /// Changes an organization's name, zone, language or settings. Under another organization's guidance it is put by the
    /// operator, or by who administers both.
    /// </summary>
    private static async Task<Found<OrganizationView>> Change(
        MergePatch<OrganizationRequest> patch, IfMatch match, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        var organization = await db.Organizations.SingleAsync(o => o.Id == tenant.Id, ct);
        match.Check(organization);
        var request = await patch.ApplyTo(OrganizationRequest.Of(organization), ct);
        // Its name is printed on certificates, so nobody takes one that is not theirs to give.
        if (request.SupervisingOrganizationId is { } above && above != organization.SupervisingOrganizationId
            && !tenant.Caller.IsOperator && !await db.RoleGrants.AnyAsync(g => g.OrganizationId == above && g.AccountId == tenant.ActorId && g.Role == Role.Administrator, ct))
            throw RuleBreach.NotFound("supervising_organization_not_found", "/supervisingOrganizationId");
        organization.Change(request.Name, request.TimeZone, request.Locale, request.SupervisingOrganizationId, request.Settings,
            request.Contact, request.ResponsiblePerson);
        await db.SaveChangesAsync(ct);
        return Answer.Found(OrganizationView.Of(organization));
    }
}

/// <summary>An organization to be.</summary>
/// <param name="Name">As people know it; at most 100 characters.</param>
/// <param name="TimeZone">IANA time zone, for instance <c>Asia/Shanghai</c>: its days are the organization's days.</param>
/// <param name="Locale">Language of what is printed for it: <c>zh-CN</c> or <c>en</c>.</param>
/// <param name="SupervisingOrganizationId">The organization under whose guidance it records, if any.</param>
/// <param name="Settings">Limits and rules; the defaults when not given.</param>
/// <param name="AdministratorAccountId">The account that becomes its first administrator; the caller's when not given.</param>
/// <param name="Contact">How to reach it: printed on its certificates; at most 200 characters.</param>
/// <param name="ResponsiblePerson">Who answers for its certificates: printed on them; at most 100 characters.</param>
internal sealed record NewOrganizationRequest(
    string Name, string TimeZone, string Locale = "zh-CN", Guid? SupervisingOrganizationId = null, OrganizationSettings? Settings = null,
    Guid? AdministratorAccountId = null, string? Contact = null, string? ResponsiblePerson = null)
{
    internal sealed class Validator : AbstractValidator<NewOrganizationRequest>
    {
        public Validator(IValidator<OrganizationRequest> organization) =>
            RuleFor(request => new OrganizationRequest(
                request.Name, request.TimeZone, request.Locale, request.SupervisingOrganizationId, request.Settings, request.Contact, request.ResponsiblePerson))
                .SetValidator(organization).OverridePropertyName("");
    }
}

/// <summary>What can be changed of an organization.</summary>
/// <param name="Name">As people know it; at most 100 characters.</param>
/// <param name="TimeZone">IANA time zone, for instance <c>Asia/Shanghai</c>: its days are the organization's days.</param>
/// <param name="Locale">Language of what is printed for it: <c>zh-CN</c> or <c>en</c>.</param>
/// <param name="SupervisingOrganizationId">The organization under whose guidance it records, if any.</param>
/// <param name="Settings">Limits and rules; the defaults when null.</param>
/// <param name="Contact">How to reach it: printed on its certificates; at most 200 characters.</param>
/// <param name="ResponsiblePerson">Who answers for its certificates: printed on them; at most 100 characters.</param>
internal sealed record OrganizationRequest(
    string Name, string TimeZone, string Locale = "zh-CN", Guid? SupervisingOrganizationId = null, OrganizationSettings? Settings = null,
    string? Contact = null, string? ResponsiblePerson = null)
{
    public static OrganizationRequest Of(Organization o) =>
        new(o.Name, o.TimeZone, o.Locale, o.SupervisingOrganizationId, o.Settings, o.Contact, o.ResponsiblePerson);

    internal sealed class Validator : AbstractValidator<OrganizationRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Name).Line(100);
            RuleFor(request => request.TimeZone).NotEmpty().MaximumLength(60).Must(BeIanaZone).WithMessage(_ => Messages.Title("unknown_time_zone"));
            RuleFor(request => request.Locale).NotNull().OneOf("zh-CN", "en").WithMessage(_ => Messages.Title("unknown_locale"));
            RuleFor(request => request.Contact).OptionalLine(200);
            RuleFor(request => request.ResponsiblePerson).OptionalLine(100);
            RuleFor(request => request.Settings!).ChildRules(settings =>
            {
                settings.RuleFor(s => s.DailyLimitMinutes).InclusiveBetween(60, 1440);
                settings.RuleFor(s => s.GraceMinutes).InclusiveBetween(0, 120);
                settings.RuleFor(s => s.GuardianForDataBelow).InclusiveBetween(13, 18);
                settings.RuleFor(s => s.GuardianForServiceBelow).InclusiveBetween(13, 21).GreaterThanOrEqualTo(s => s.GuardianForDataBelow);
                settings.RuleFor(s => s.RestDays).Between(0, 6, eachOnce: true).WithMessage(_ => Messages.Title("rest_days"));
            }).When(request => request.Settings is not null);
        }

        private static bool BeIanaZone(string? zone) =>
            zone is { Length: <= 60 } && TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found) && found.HasIanaId;
    }
}

/// <summary>An organization.</summary>
internal sealed record OrganizationView(
    Guid Id, string Name, string TimeZone, string Locale, Guid? SupervisingOrganizationId, OrganizationSettings Settings,
    string? Contact, string? ResponsiblePerson, DateTimeOffset CreatedAt, long Version) : IVersioned
{
    public static Expression<Func<Organization, OrganizationView>> Projection => o => new OrganizationView(
        o.Id, o.Name, o.TimeZone, o.Locale, o.SupervisingOrganizationId, o.Settings, o.Contact, o.ResponsiblePerson, o.CreatedAt, o.Version);

    public static OrganizationView Of(Organization organization) => Compiled(organization);

    private static readonly Func<Organization, OrganizationView> Compiled = Projection.Compile();
}
