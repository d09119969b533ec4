using Microsoft.AspNetCore.Http.HttpResults;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Identity;

/// <summary>A secret is changed without an outage: make the second, give it to the system, take the first away.</summary>
internal static class ClientSecretEndpoints
{
    public static void MapClientSecrets(this RouteGroupBuilder clients)
    {
        var secrets = clients.MapGroup("/{clientId:maxlength(100)}/secrets");

        secrets.MapPost("", Create).WithName("createClientSecret").RefusesWith(404, 409);
        secrets.MapDelete("/{secretId:guid}", Delete).WithName("deleteClientSecret").RefusesWith(404, 409);
    }

    /// <summary>
    /// Makes another secret for a system, good at once beside the one it has; at most two are good at a time, and those that
    /// have expired go. It is shown in this answer only.
    /// </summary>
    private static async Task<Results<Platform.Created<NewClientSecretView>, NotFound>> Create(
        string clientId, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct, ClientSecretRequest? request = null)
    {
        if (await Lock(clientId, tenant, db, ct) is not { } client) return TypedResults.NotFound();

        var (kept, secret) = client.AddSecret(request?.ExpiresAt, Instant.AsKept(clock.GetUtcNow()));
        await db.SaveChangesAsync(ct);
        return Answer.Created($"/v1/organizations/{tenant.Id}/clients/{clientId}/secrets/{kept.Id}",
            new NewClientSecretView(kept.Id, secret, kept.CreatedAt, kept.ExpiresAt, 1));
    }

    /// <summary>
    /// Takes a secret away: no token is given for it any more, those already given last their fifteen minutes. The last good
    /// one stays; to shut a system out, delete it or let it expire.
    /// </summary>
    private static async Task<Results<NoContent, NotFound>> Delete(
        string clientId, Guid secretId, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await Lock(clientId, tenant, db, ct) is not { } client || client.Secrets.SingleOrDefault(s => s.Id == secretId) is not { } secret)
            return TypedResults.NotFound();

        client.RemoveSecret(secret, clock.GetUtcNow());
        await db.SaveChangesAsync(ct);
        return TypedResults.NoContent();
    }

    /// <summary>Under the client's lock, and its secrets read only then: two rotations at once would each see room for one.</summary>
    private static async Task<OrganizationClient?> Lock(string clientId, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        if (OrganizationClient.Read(clientId) is not var (organizationId, id) || organizationId != tenant.Id) return null;
        if (await db.LockClient(organizationId, id, ct) is not { } client) return null;

        await db.Entry(client).Collection(c => c.Secrets).LoadAsync(ct);
        // The secrets are part of what its version stands for.
        db.Entry(client).Property(c => c.Version).IsModified = true;
        return client;
    }
}

/// <summary>A secret to be made.</summary>
/// <param name="ExpiresAt">When it stops being good; with its client when not given.</param>
internal sealed record ClientSecretRequest(DateTimeOffset? ExpiresAt = null);

/// <summary>A secret of a system, without the secret itself.</summary>
/// <param name="Id">Which.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">When it stops being good; with its client when null.</param>
/// <param name="LastUsedAt">When a token was last given for it, known to five minutes.</param>
internal sealed record ClientSecretView(Guid Id, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? LastUsedAt);

/// <summary>A secret just made: keep it, it is not shown again.</summary>
internal sealed record NewClientSecretView(Guid Id, string ClientSecret, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, long Version) : IVersioned;
