using System.Linq.Expressions;
using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OpenIddict.Abstractions;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Identity;

internal static class ClientEndpoints
{
    public static void MapClients(this RouteGroupBuilder organization)
    {
        var clients = organization.MapGroup("/clients").WithTags("Clients").Allows(Access.Administer).NotForClients();

        clients.MapGet("", List).WithName("listClients").ShowsNoPersonalData();
        clients.MapPost("", Create).WithName("createClient");
        clients.MapGet("/{clientId:maxlength(100)}", Get).WithName("getClient").ShowsNoPersonalData().RefusesWith(404);
        clients.MapPatch("/{clientId:maxlength(100)}", Change).WithName("changeClient").RefusesWith(404);
        clients.MapDelete("/{clientId:maxlength(100)}", Delete).WithName("deleteClient").RefusesWith(404);
        clients.MapClientSecrets();
    }

    /// <summary>Lists the systems that act for this organization.</summary>
    private static Task<Paged<ClientView>> List([AsParameters] PageQuery page, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        db.Clients.Where(c => c.OrganizationId == tenant.Id).ToPage(page, c => c.Id, ClientView.Projection, ct);

    /// <summary>Admits another system. The secret is shown in this answer only.</summary>
    private static async Task<Platform.Created<NewClientView>> Create(
        ClientRequest request, Tenant tenant, IOpenIddictApplicationManager applications, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var (client, secret) = OrganizationClient.Admit(
            tenant.Id, request.Name, request.Role, request.Scopes, request.ExpiresAt, tenant.ActorId, Instant.AsKept(clock.GetUtcNow()));
        db.Add(client);
        await applications.CreateAsync(new OpenIddictApplicationDescriptor
        {
            ClientId = client.ClientId,
            // The server wants one for whoever is to prove who they are. Nobody knows it: those that are good are kept with the client.
            ClientSecret = $"{Guid.NewGuid()}{Guid.NewGuid()}",
            Permissions =
            {
                OpenIddictConstants.Permissions.Endpoints.Token,
                OpenIddictConstants.Permissions.Endpoints.Revocation,
                OpenIddictConstants.Permissions.GrantTypes.ClientCredentials,
            },
        }, ct);
        await db.SaveChangesAsync(ct);
        return Answer.Created($"/v1/organizations/{tenant.Id}/clients/{client.ClientId}", NewClientView.Of(client, secret));
    }

    /// <summary>Shows one system that acts for this organization.</summary>
    private static async Task<Results<Found<ClientView>, NotFound>> Get(string clientId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.Clients.Called(clientId, tenant).Select(ClientView.Projection).SingleOrDefaultAsync(ct) is { } view
            ? Answer.Found(view)
            : TypedResults.NotFound();

    /// <summary>
    /// Renames a system, changes its scopes or the time it expires. Within five seconds that holds for the tokens it has, too;
    /// a time that has passed shuts it out until it is changed again.
    /// </summary>
    private static async Task<Results<Found<ClientView>, NotFound>> Change(
        string clientId, MergePatch<ClientChangeRequest> patch, IfMatch match, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        if (await db.Clients.Called(clientId, tenant).Include(c => c.Secrets).SingleOrDefaultAsync(ct) is not { } client) return TypedResults.NotFound();

        match.Check(client);
        var request = await patch.ApplyTo(new ClientChangeRequest(client.Name, client.Scopes, client.ExpiresAt), ct);
        client.Change(request.Name, request.Scopes, request.ExpiresAt);
        await db.SaveChangesAsync(ct);
        return Answer.Found(ClientView.Of(client));
    }

    /// <summary>Shuts a system out; its tokens stop working within five seconds.</summary>
    private static async Task<Results<NoContent, NotFound>> Delete(
        string clientId, Tenant tenant, IOpenIddictApplicationManager applications, VolunteersDb db, CancellationToken ct)
    {
        if (await db.DeleteNoted(db.Clients.Called(clientId, tenant), ct) == 0) return TypedResults.NotFound();

        if (await applications.FindByClientIdAsync(clientId, ct) is { } application) await applications.DeleteAsync(application, ct);
        return TypedResults.NoContent();
    }

    /// <summary>The client of that name in this organization, if it is one.</summary>
    public static IQueryable<OrganizationClient> Called(this IQueryable<OrganizationClient> clients, string clientId, Tenant tenant)
    {
        var (organizationId, id) = OrganizationClient.Read(clientId) ?? default;
        return clients.Where(c => c.OrganizationId == tenant.Id && c.OrganizationId == organizationId && c.Id == id);
    }
}

/// <summary>A system to be admitted.</summary>
/// <param name="Name">What it is; at most 100 characters.</param>
/// <param name="Role">What it may do at most: <c>coordinator</c> or <c>auditor</c>.</param>
/// <param name="Scopes">What of that it may do, such as <c>hours.read</c>; at least one.</param>
/// <param name="ExpiresAt">When it is shut out; never when not given.</param>
internal sealed record ClientRequest(string Name, Role Role, IReadOnlyList<string> Scopes, DateTimeOffset? ExpiresAt = null)
{
    internal sealed class Validator : AbstractValidator<ClientRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Name).Line(100);
            RuleFor(request => request.Role).Must(role => role is Role.Coordinator or Role.Auditor).WithMessage(_ => Messages.Title("role_not_for_clients"));
            RuleFor(request => request.Scopes).AreScopes();
        }
    }
}

/// <summary>What of a system may be changed.</summary>
/// <param name="Name">What it is; at most 100 characters.</param>
/// <param name="Scopes">All that it may do within its role; at least one.</param>
/// <param name="ExpiresAt">When it is shut out; never when null.</param>
internal sealed record ClientChangeRequest(string Name, IReadOnlyList<string> Scopes, DateTimeOffset? ExpiresAt = null)
{
    internal sealed class Validator : AbstractValidator<ClientChangeRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Name).Line(100);
            RuleFor(request => request.Scopes).AreScopes();
        }
    }
}

internal static class ScopeRules
{
    public static IRuleBuilderOptions<T, IReadOnlyCollection<string>?> AreScopes<T>(this IRuleBuilder<T, IReadOnlyList<string>> rule) => rule.NotEmpty()
        .EachOneOf([.. Scope.All.Keys])
        .WithMessage(_ => Messages.Detail("unknown_scope", string.Join(", ", Scope.All.Keys)));
}

/// <summary>A system that acts for the organization.</summary>
/// <param name="Id">Under which records name it.</param>
/// <param name="ClientId">What it signs in with.</param>
/// <param name="Name">What it is.</param>
/// <param name="Role">What it may do at most.</param>
/// <param name="Scopes">What of that it may do.</param>
/// <param name="ExpiresAt">When it is shut out; never when null.</param>
/// <param name="LastUsedAt">When it last got a token, known to five minutes; not part of the version.</param>
/// <param name="Secrets">One or two, without the secrets themselves.</param>
/// <param name="CreatedAt">When it was admitted.</param>
/// <param name="Version">The ETag.</param>
internal sealed record ClientView(
    Guid Id, string ClientId, string Name, Role Role, IReadOnlyList<string> Scopes, DateTimeOffset? ExpiresAt, DateTimeOffset? LastUsedAt,
    IReadOnlyList<ClientSecretView> Secrets, DateTimeOffset CreatedAt, long Version) : IVersioned
{
    public static Expression<Func<OrganizationClient, ClientView>> Projection => c => new ClientView(
        c.Id, OrganizationClient.IdOf(c.OrganizationId, c.Id), c.Name, c.Role, c.Scopes, c.ExpiresAt, c.LastUsedAt,
        c.Secrets.OrderBy(s => s.Id).Select(s => new ClientSecretView(s.Id, s.CreatedAt, s.ExpiresAt, s.LastUsedAt)).ToList(), c.CreatedAt, c.Version);

    public static ClientView Of(OrganizationClient client) => Compiled(client);

    private static readonly Func<OrganizationClient, ClientView> Compiled = Projection.Compile();
}

/// <summary>A system just admitted, with its secret: keep it, it is not shown again.</summary>
internal sealed record NewClientView(
    Guid Id, string ClientId, string ClientSecret, string Name, Role Role, IReadOnlyList<string> Scopes, DateTimeOffset? ExpiresAt,
    IReadOnlyList<ClientSecretView> Secrets, DateTimeOffset CreatedAt, long Version) : IVersioned
{
    public static NewClientView Of(OrganizationClient client, string secret)
    {
        var view = ClientView.Of(client);
        return new NewClientView(view.Id, view.ClientId, secret, view.Name, view.Role, view.Scopes, view.ExpiresAt, view.Secrets, view.CreatedAt, view.Version);
    }
}
