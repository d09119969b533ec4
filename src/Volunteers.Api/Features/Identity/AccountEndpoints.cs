using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Identity;

internal static class AccountEndpoints
{
    public static void MapAccounts(this RouteGroupBuilder v1)
    {
        v1.MapPost("/accounts", Create).WithTags("Accounts").WithName("createAccount").AllowAnonymous().Costs(Cost.SignIn).RefusesWith(409);
        v1.MapGet("/me", Me).WithTags("Me").WithName("getMe").ShowsNoPersonalData().Allows(Access.SignedIn).Scoped(Scope.Organization);
        v1.MapPost("/me/invitations", Accept).WithTags("Me").WithName("acceptInvitation").Allows(Access.Account).RefusesWith(409);
    }

    /// <summary>Makes an account from an invitation and links it to the volunteer who was invited.</summary>
    private static async Task<Platform.Created<AccountView>> Create(
        AccountRequest request, UserManager<Account> accounts, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var invitation = await LockInvitation(request.InvitationCode, db, ct) ?? throw new RuleBreach("invitation_invalid");
        invitation.Use(now);

        var login = Login.Parse(request.Login)!.Value;
        if (await accounts.FindByNameAsync(login.Value) is not null) throw new RuleBreach("login_taken");
        var account = new Account(login, request.DisplayName, now);
        var result = await accounts.CreateAsync(account, request.Password);
        if (!result.Succeeded) throw Refused(result);

        db.Add(new RoleGrant(invitation.OrganizationId, account.Id, Role.Volunteer, teamId: null, invitation.VolunteerId, invitation.CreatedBy, now));
        await db.SaveChangesAsync(ct);
        return Answer.Created("/v1/me", AccountView.Of(account));
    }

    /// <summary>Links the signed-in account to the volunteer who was invited: one account in several organizations.</summary>
    private static async Task<Microsoft.AspNetCore.Http.HttpResults.Created<MyOrganization>> Accept(
        AcceptInvitationRequest request, Caller caller, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (RoutedCode.Read(request.InvitationCode) is not var (organizationId, _) || !await db.Organizations.AnyAsync(o => o.Id == organizationId, ct))
            throw new RuleBreach("invitation_invalid");
        // Roles are decided one after another, so that two codes at once do not make one account two people.
        var organization = await db.LockOrganization(organizationId, ct);
        var invitation = await LockInvitation(request.InvitationCode, db, ct) ?? throw new RuleBreach("invitation_invalid");
        invitation.Use(clock.GetUtcNow());
        if (await db.RoleGrants.AnyAsync(g => g.OrganizationId == organizationId && g.VolunteerId == invitation.VolunteerId, ct))
            throw new RuleBreach("volunteer_already_linked");
        var held = await db.RoleGrants.Where(g => g.OrganizationId == organizationId && g.AccountId == caller.ActorId).OrderBy(g => g.Id).ToListAsync(ct);
        if (held.Exists(grant => grant.Role == Role.Volunteer)) throw new RuleBreach("already_a_volunteer_here");

        held.Add(new RoleGrant(organizationId, caller.ActorId, Role.Volunteer, teamId: null, invitation.VolunteerId, invitation.CreatedBy, clock.GetUtcNow()));
        db.Add(held[^1]);
        await db.SaveChangesAsync(ct);
        return TypedResults.Created("/v1/me", MyOrganization.Of(organizationId, organization.Name, held.Select(g => new HeldRole(g.Role, g.TeamId, g.VolunteerId))));
    }

    /// <summary>Shows who is signed in, and their roles and volunteer profiles in each organization.</summary>
    private static async Task<Ok<MeView>> Me(Caller caller, VolunteersDb db, CancellationToken ct)
    {
        var name = caller.IsClient
            ? await db.Clients.Where(c => c.OrganizationId == caller.Grants[0].OrganizationId && c.Id == caller.ActorId).Select(c => c.Name).SingleAsync(ct)
            : null;
        var account = caller.IsClient ? null : await db.SignedIn(caller.ActorId, ct);
        var ids = caller.Grants.Select(grant => grant.OrganizationId).Distinct().ToArray();
        var names = await db.Organizations.Where(o => ids.Contains(o.Id)).ToDictionaryAsync(o => o.Id, o => o.Name, ct);

        return TypedResults.Ok(new MeView(caller.ActorId, account?.UserName, account?.DisplayName ?? name!, caller.IsOperator,
            [.. caller.Grants.GroupBy(grant => grant.OrganizationId).Where(group => names.ContainsKey(group.Key)).Select(group => MyOrganization.Of(
                group.Key, names[group.Key], group.Select(grant => new HeldRole(grant.Role, grant.TeamId, grant.VolunteerId))))]));
    }

    /// <summary>Two phones with one code: the second waits here and then finds it used.</summary>
    private static async Task<Invitation?> LockInvitation(string code, VolunteersDb db, CancellationToken ct)
    {
        if (RoutedCode.Read(code) is not var (organizationId, hash)) return null;
        return await db.Invitations
            .FromSql($"select * from invitations where organization_id = {organizationId} and code_hash = {hash} for update")
            .SingleOrDefaultAsync(ct);
    }

    private static RuleBreach Refused(IdentityResult result)
    {
        var weak = result.Errors.FirstOrDefault(error => error.Code.StartsWith("Password", StringComparison.Ordinal));
        return weak is not null
            ? RuleBreach.Malformed("weak_password", "/password")
            : new RuleBreach("login_taken");
    }
}

/// <summary>An account to be.</summary>
/// <param name="InvitationCode">The code from a coordinator: good once, for 72 hours.</param>
/// <param name="Login">An e-mail address, or a phone number: mainland mobile or E.164.</param>
/// <param name="Password">8 to 128 characters; not the login, and not one that many people use.</param>
/// <param name="DisplayName">How the service addresses this person; at most 100 characters.</param>
internal sealed record AccountRequest(string InvitationCode, string Login, string Password, string DisplayName)
{
    internal sealed class Validator : AbstractValidator<AccountRequest>
    {
        public Validator()
        {
            RuleFor(request => request.InvitationCode).NotEmpty().MaximumLength(100);
            RuleFor(request => request.Login).NotEmpty().MaximumLength(254).Must(login => Identity.Login.Parse(login) is not null).WithMessage(_ => Messages.Title("invalid_login"));
            RuleFor(request => request.Password).NotEmpty().Length(PasswordRule.Shortest, PasswordRule.Longest);
            RuleFor(request => request.DisplayName).Line(100);
        }
    }
}

/// <summary>An invitation to be accepted by somebody who has an account.</summary>
/// <param name="InvitationCode">The code from a coordinator: good once, for 72 hours.</param>
internal sealed record AcceptInvitationRequest(string InvitationCode)
{
    internal sealed class Validator : AbstractValidator<AcceptInvitationRequest>
    {
        public Validator() => RuleFor(request => request.InvitationCode).NotEmpty().MaximumLength(100);
    }
}

/// <summary>An account.</summary>
internal sealed record AccountView(Guid Id, string Login, string DisplayName, DateTimeOffset CreatedAt, long Version) : IVersioned
{
    public static AccountView Of(Account account) => new(account.Id, account.UserName!, account.DisplayName, account.CreatedAt, 1);
}

/// <summary>The caller.</summary>
/// <param name="Id">The account, or the client.</param>
/// <param name="Login">What the account signs in with; null for a client.</param>
/// <param name="DisplayName">How the service addresses them.</param>
/// <param name="IsOperator">Whether the account may create organizations.</param>
/// <param name="Organizations">Where it has roles.</param>
internal sealed record MeView(Guid Id, string? Login, string DisplayName, bool IsOperator, IReadOnlyList<MyOrganization> Organizations);

/// <summary>One organization of the caller.</summary>
/// <param name="OrganizationId">Which.</param>
/// <param name="Name">Its name.</param>
/// <param name="Roles">What the caller is there.</param>
/// <param name="VolunteerId">The profile that is theirs there, if there is one.</param>
internal sealed record MyOrganization(Guid OrganizationId, string Name, IReadOnlyList<HeldRole> Roles, Guid? VolunteerId)
{
    public static MyOrganization Of(Guid id, string name, IEnumerable<HeldRole> roles)
    {
        HeldRole[] held = [.. roles];
        return new MyOrganization(id, name, held, held.FirstOrDefault(role => role.Role == Role.Volunteer)?.VolunteerId);
    }
}
