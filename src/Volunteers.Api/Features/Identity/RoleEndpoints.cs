using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Identity;

internal static class RoleEndpoints
{
    public static void MapRoles(this RouteGroupBuilder organization)
    {
        var roles = organization.MapGroup("/roles").WithTags("Roles").Allows(Access.Administer).NotForClients();

        roles.MapGet("", List).WithName("listRoles").ShowsPersonalData();
        roles.MapGet("/{accountId:guid}", Get).WithName("getRoles").ShowsPersonalData().RefusesWith(404);
        roles.MapPut("/{accountId:guid}", Set).WithName("setRoles").RefusesWith(404, 409);
        roles.MapDelete("/{accountId:guid}", Remove).WithName("removeRoles").RefusesWith(404, 409);
    }

    /// <summary>Lists every account that has a role here.</summary>
    private static Task<Paged<AccountRoles>> List([AsParameters] PageQuery page, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        db.Users
            .Where(account => db.RoleGrants.Any(grant => grant.OrganizationId == tenant.Id && grant.AccountId == account.Id))
            .ToPage(page, account => account.Id, account => new AccountRoles(account.Id, account.DisplayName,
                db.RoleGrants.Where(g => g.OrganizationId == tenant.Id && g.AccountId == account.Id).OrderBy(g => g.Id)
                    .Select(g => new HeldRole(g.Role, g.TeamId, g.VolunteerId)).ToList(),
                db.RoleGrants.Where(g => g.OrganizationId == tenant.Id && g.AccountId == account.Id).Max(g => g.Version)), ct);

    /// <summary>Shows the roles of one account here.</summary>
    private static async Task<Results<Found<AccountRoles>, NotFound>> Get(Guid accountId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await Find(accountId, tenant, db, ct) is { } roles ? Answer.Found(roles) : TypedResults.NotFound();

    /// <summary>Sets the roles of one account here; roles that are not named are taken away.</summary>
    private static async Task<Found<AccountRoles>> Set(
        Guid accountId, RolesRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (!await db.Users.AnyAsync(account => account.Id == accountId, ct)) throw RuleBreach.NotFound("account_not_found", "/accountId");

        var held = await Held(accountId, tenant, db, ct);
        var version = held.Select(grant => grant.Version).DefaultIfEmpty().Max() + 1;
        await RememberFormerProfiles(held.Where(grant => !request.Roles.Any(role => role.VolunteerId == grant.VolunteerId)), db, clock, ct);
        db.RemoveRange(held);
        // Removed first: the same role may come again, and its unique index does not wait for the end of a statement.
        await db.SaveChangesAsync(ct);
        db.AddRange(request.Roles.Select(role =>
            new RoleGrant(tenant.Id, accountId, role.Role, role.TeamId, role.VolunteerId, tenant.ActorId, clock.GetUtcNow(), version)));
        await db.SaveChangesAsync(ct);
        await KeepAnAdministrator(tenant, db, ct);
        return Answer.Found((await Find(accountId, tenant, db, ct))!);
    }

    /// <summary>Takes every role here away from an account.</summary>
    private static async Task<Results<NoContent, NotFound>> Remove(Guid accountId, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var held = await Held(accountId, tenant, db, ct);
        if (held.Count == 0) return TypedResults.NotFound();

        await RememberFormerProfiles(held, db, clock, ct);
        db.RemoveRange(held);
        await db.SaveChangesAsync(ct);
        await KeepAnAdministrator(tenant, db, ct);
        return TypedResults.NoContent();
    }

    /// <summary>In plain SQL: volunteers come after accounts in the order of features.</summary>
    private static async Task RememberFormerProfiles(IEnumerable<RoleGrant> ended, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        foreach (var grant in ended.Where(grant => grant.VolunteerId is not null))
            if (await db.Database.SqlQuery<bool>(
                    $"""
                     select exists (select 1 from volunteers where organization_id = {grant.OrganizationId} and id = {grant.VolunteerId} and status = 'left') as "Value"
                     """).SingleAsync(ct))
                db.Add(new FormerProfile(grant.OrganizationId, grant.AccountId, grant.VolunteerId!.Value, clock.GetUtcNow()));
    }

    /// <summary>Under the organization's lock, so that two administrators cannot remove each other at the same moment.</summary>
    private static async Task<List<RoleGrant>> Held(Guid accountId, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        await db.LockOrganization(tenant.Id, ct);
        return await db.RoleGrants.Where(g => g.OrganizationId == tenant.Id && g.AccountId == accountId).ToListAsync(ct);
    }

    private static async Task KeepAnAdministrator(Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        if (!await db.RoleGrants.AnyAsync(g => g.OrganizationId == tenant.Id && g.Role == Role.Administrator, ct))
            throw new RuleBreach("last_administrator");
    }

    private static async Task<AccountRoles?> Find(Guid accountId, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        var grants = await db.RoleGrants.AsNoTracking().Where(g => g.OrganizationId == tenant.Id && g.AccountId == accountId)
            .OrderBy(g => g.Id).ToListAsync(ct);
        if (grants.Count == 0) return null;
        var name = await db.Users.Where(account => account.Id == accountId).Select(account => account.DisplayName).SingleAsync(ct);
        return new AccountRoles(accountId, name, [.. grants.Select(g => new HeldRole(g.Role, g.TeamId, g.VolunteerId))], grants.Max(g => g.Version));
    }
}

/// <summary>The roles an account is to have.</summary>
/// <param name="Roles">All of them, at least one, at most 50.</param>
internal sealed record RolesRequest(IReadOnlyList<HeldRole> Roles)
{
    internal sealed class Validator : AbstractValidator<RolesRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Roles).NotEmpty().Must(roles => roles is null or { Count: <= 50 }).WithMessage(_ => Messages.Title("too_many"));
            RuleForEach(request => request.Roles).NotNull().ChildRules(role =>
            {
                role.RuleFor(r => r.Role).IsInEnum();
                role.RuleFor(r => r.TeamId).Null().When(r => r.Role != Role.Coordinator);
                role.RuleFor(r => r.VolunteerId).Null().When(r => r.Role != Role.Volunteer);
                role.RuleFor(r => r.VolunteerId).NotNull().When(r => r.Role == Role.Volunteer);
            });
            RuleFor(request => request.Roles)
                .Must(roles => roles is null || roles.Where(role => role is not null).DistinctBy(role => (role.Role, role.TeamId)).Count() == roles.Count)
                .WithMessage(_ => Messages.Title("role_granted_twice"));
        }
    }
}

/// <summary>One role.</summary>
/// <param name="Role">The role.</param>
/// <param name="TeamId">For a coordinator: the one team, with its sub-teams, that they coordinate; null for the whole organization.</param>
/// <param name="VolunteerId">For a volunteer: whose profile, hours and certificates are theirs.</param>
internal sealed record HeldRole(Role Role, Guid? TeamId = null, Guid? VolunteerId = null);

/// <summary>An account and its roles in this organization.</summary>
internal sealed record AccountRoles(Guid AccountId, string DisplayName, IReadOnlyList<HeldRole> Roles, long Version) : IVersioned;
