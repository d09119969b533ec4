using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using OpenIddict.Abstractions;
using OpenIddict.Core;
using Volunteers.Data;
using static OpenIddict.Abstractions.OpenIddictConstants;
using Application = OpenIddict.EntityFrameworkCore.Models.OpenIddictEntityFrameworkCoreApplication<System.Guid>;

namespace Volunteers.Features.Identity;

/// <summary>
/// What the authorization server asks about its clients. Those of organizations have their secrets and scopes in our tables,
/// because the server's own keep one secret each.
/// </summary>
internal sealed class ClientApplications(
    IOpenIddictApplicationCache<Application> cache, ILogger<OpenIddictApplicationManager<Application>> log, IOptionsMonitor<OpenIddictCoreOptions> options,
    IOpenIddictApplicationStore<Application> store, VolunteersDb db, TimeProvider clock)
    : OpenIddictApplicationManager<Application>(cache, log, options, store)
{
    /// <summary>One write per client and so long: a client that is busy does not make its row hot.</summary>
    public static readonly TimeSpan UseNotedEvery = TimeSpan.FromMinutes(5);

    /// <summary>A client that nobody made is one whose secret is always wrong: the same steps, the same answer.</summary>
    public override async ValueTask<Application?> FindByClientIdAsync(string identifier, CancellationToken cancellationToken = default) =>
        await base.FindByClientIdAsync(identifier, cancellationToken)
        ?? (OrganizationClient.Read(identifier) is null ? null : new Application { ClientId = identifier, ClientType = ClientTypes.Confidential });

    public override async ValueTask<bool> ValidateClientSecretAsync(Application application, string secret, CancellationToken cancellationToken = default)
    {
        if (OrganizationClient.Read(application.ClientId!) is not var (organizationId, id))
            return await base.ValidateClientSecretAsync(application, secret, cancellationToken);

        var now = clock.GetUtcNow();
        var client = await db.Clients.AsNoTracking().Include(c => c.Secrets).SingleOrDefaultAsync(c => c.OrganizationId == organizationId && c.Id == id, cancellationToken);
        if (OrganizationClient.Recognize(client, secret, now) is not { } used || application.Id == Guid.Empty) return false;

        if (used.LastUsedAt is null || used.LastUsedAt <= now - UseNotedEvery) await NoteUse(used, now, cancellationToken);
        return true;
    }

    /// <summary>Any scope, as far as the authorization server is concerned: the token endpoint asks <see cref="Allows"/>, and says what RFC 6749 says.</summary>
    public override async ValueTask<bool> HasPermissionAsync(Application application, string permission, CancellationToken cancellationToken = default) =>
        (permission.StartsWith(Permissions.Prefixes.Scope, StringComparison.Ordinal) && OrganizationClient.Read(application.ClientId!) is not null)
        || await base.HasPermissionAsync(application, permission, cancellationToken);

    /// <summary>Whether the client has all the scopes that it asks for; <c>api</c> is whatever it has.</summary>
    public async Task<bool> Allows(string clientId, IEnumerable<string> scopes, CancellationToken ct)
    {
        if (OrganizationClient.Read(clientId) is not var (organizationId, id)) return false;
        var held = await db.Clients.Where(c => c.OrganizationId == organizationId && c.Id == id).Select(c => c.Scopes).SingleOrDefaultAsync(ct);
        return held is not null && scopes.All(scope => scope == SignInSetup.ApiScope || held.Contains(scope));
    }

    /// <summary>Never waits: whoever finds the client locked leaves it to the other. The client's row comes first, as when it is changed.</summary>
    private Task<int> NoteUse(ClientSecret used, DateTimeOffset now, CancellationToken ct)
    {
        var before = now - UseNotedEvery;
        return db.Database.ExecuteSqlAsync(
            $"""
             with client as materialized (
                 select organization_id, id from organization_clients
                 where organization_id = {used.OrganizationId} and id = {used.ClientId} for no key update skip locked
             ), noted as (
                 update organization_client_secrets s set last_used_at = {now} from client
                 where s.organization_id = client.organization_id and s.id = {used.Id} and (s.last_used_at is null or s.last_used_at <= {before})
                 returning s.client_id
             )
             update organization_clients c set last_used_at = {now} from client, noted where c.organization_id = client.organization_id and c.id = client.id
             """, ct);
    }
}
