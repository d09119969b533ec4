using System.Buffers.Text;
using System.Security.Cryptography;
using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OpenIddict.Abstractions;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Identity;

internal static class ClientEndpoints
{
    public static void MapClients(this RouteGroupBuilder organization)
    {
        var clients = organization.MapGroup("/clients").WithTags("Clients").Allows(Access.Administer);

        clients.MapGet("", List).WithName("listClients");
        clients.MapPost("", Create).WithName("createClient");
        clients.MapDelete("/{clientId}", Delete).WithName("deleteClient").RefusesWith(404);
    }

    /// <summary>Lists the systems that act for this organization.</summary>
    private static Task<Paged<ClientView>> List([AsParameters] PageQuery page, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        db.Clients.Where(c => c.OrganizationId == tenant.Id)
            .ToPage(page, c => c.Id, c => new ClientView(c.Id, OrganizationClient.IdOf(c.OrganizationId, c.Id), c.Name, c.Role, c.CreatedAt, c.Version), ct);

    /// <summary>Admits another system. The secret is shown in this answer only.</summary>
    private static async Task<Platform.Created<NewClientView>> Create(
        ClientRequest request, Tenant tenant, IOpenIddictApplicationManager applications, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var client = new OrganizationClient(tenant.Id, request.Name, request.Role, tenant.ActorId, clock.GetUtcNow());
        var secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        db.Add(client);
        await applications.CreateAsync(new OpenIddictApplicationDescriptor
        {
            ClientId = client.ClientId,
            ClientSecret = secret,
            DisplayName = client.Name,
            Permissions =
            {
                OpenIddictConstants.Permissions.Endpoints.Token,
                OpenIddictConstants.Permissions.Endpoints.Revocation,
                OpenIddictConstants.Permissions.GrantTypes.ClientCredentials,
                OpenIddictConstants.Permissions.Prefixes.Scope + SignInSetup.ApiScope,
            },
        }, ct);
        await db.SaveChangesAsync(ct);
        return Answer.Created($"/v1/organizations/{tenant.Id}/clients/{client.ClientId}",
            new NewClientView(client.Id, client.ClientId, secret, client.Name, client.Role, client.CreatedAt, client.Version));
    }

    /// <summary>Shuts a system out; its tokens stop working within five seconds.</summary>
    private static async Task<Results<NoContent, NotFound>> Delete(
        string clientId, Tenant tenant, IOpenIddictApplicationManager applications, VolunteersDb db, CancellationToken ct)
    {
        if (OrganizationClient.Read(clientId) is not var (organizationId, id) || organizationId != tenant.Id) return TypedResults.NotFound();
        var deleted = await db.Clients.Where(c => c.OrganizationId == tenant.Id && c.Id == id).ExecuteDeleteAsync(ct);
        if (deleted == 0) return TypedResults.NotFound();

        if (await applications.FindByClientIdAsync(OrganizationClient.IdOf(organizationId, id), ct) is { } application) await applications.DeleteAsync(application, ct);
        return TypedResults.NoContent();
    }
}

/// <summary>A system to be admitted.</summary>
/// <param name="Name">What it is; at most 100 characters.</param>
/// <param name="Role">What it may do: <c>coordinator</c> or <c>auditor</c>.</param>
internal sealed record ClientRequest(string Name, Role Role)
{
    internal sealed class Validator : AbstractValidator<ClientRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Name).Line(100);
            RuleFor(request => request.Role).Must(role => role is Role.Coordinator or Role.Auditor).WithMessage(_ => Messages.Title("role_not_for_clients"));
        }
    }
}

/// <summary>A system that acts for the organization.</summary>
internal sealed record ClientView(Guid Id, string ClientId, string Name, Role Role, DateTimeOffset CreatedAt, long Version) : IVersioned;

/// <summary>A system just admitted, with its secret: keep it, it is not shown again.</summary>
internal sealed record NewClientView(Guid Id, string ClientId, string ClientSecret, string Name, Role Role, DateTimeOffset CreatedAt, long Version) : IVersioned;
