using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;
using OpenIddict.Abstractions;
using OpenIddict.EntityFrameworkCore.Models;
using Volunteers.Data;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Volunteers.Features.Identity;

/// <summary>
/// Makes the authorization server know the clients that are configured, at every start: new ones are added, changed ones
/// changed, and those that are configured no longer are shut out with all that they hold.
/// </summary>
internal sealed class ClientRegistration(IServiceScopeFactory scopes, ILogger<ClientRegistration> log) : BackgroundService
{
    private const long AdvisoryLock = 0x566f6c436c69656e;
    private const string Mark = "registered";
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(5);

    private bool done;

    /// <summary>Before the first request; without a database the service starts all the same, and tries again.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        done = await Try(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!done)
        {
            await Task.Delay(Again, stoppingToken);
            done = await Try(stoppingToken);
        }
    }

    private async Task<bool> Try(CancellationToken ct)
    {
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            await Apply(scope.ServiceProvider, ct);
            return true;
        }
        catch (Exception failed) when (failed is NpgsqlException or TimeoutException or DbUpdateException or InvalidOperationException { InnerException: NpgsqlException })
        {
            log.LogWarning("The clients of {Section} could not be registered yet: {Reason}", RegisteredClients.Section, failed.Message);
            return false;
        }
    }

    /// <summary>One replica after another, whoever else starts.</summary>
    public static async Task Apply(IServiceProvider services, CancellationToken ct)
    {
        var db = services.GetRequiredService<VolunteersDb>();
        var applications = services.GetRequiredService<IOpenIddictApplicationManager>();
        var configured = services.GetRequiredService<IOptions<RegisteredClients>>().Value.All;

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock({AdvisoryLock})", ct);
        foreach (var client in configured)
        {
            if (await applications.FindByClientIdAsync(client.Id, ct) is { } there) await applications.UpdateAsync(there, Descriptor(client), ct);
            else await applications.CreateAsync(Descriptor(client), ct);
        }
        var ids = configured.Select(client => client.Id).ToArray();
        var removed = await db.Set<OpenIddictEntityFrameworkCoreApplication<Guid>>()
            .Where(client => client.Properties!.Contains(Mark) && client.Permissions != null && !ids.Contains(client.ClientId!)).ToListAsync(ct);
        foreach (var client in removed) await ShutOut(client, applications, db, ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>What people consented to is kept, for the day it comes back.</summary>
    private static async Task ShutOut(
        OpenIddictEntityFrameworkCoreApplication<Guid> client, IOpenIddictApplicationManager applications, VolunteersDb db, CancellationToken ct)
    {
        var descriptor = new OpenIddictApplicationDescriptor();
        await applications.PopulateAsync(descriptor, client, ct);
        descriptor.Permissions.Clear();
        await applications.UpdateAsync(client, descriptor, ct);
        await db.Database.ExecuteSqlAsync(
            $"update openiddict_authorizations set status = 'revoked' where application_id = {client.Id} and type = {AuthorizationTypes.AdHoc} and status = 'valid'", ct);
    }

    private static OpenIddictApplicationDescriptor Descriptor(RegisteredClient client)
    {
        var descriptor = new OpenIddictApplicationDescriptor
        {
            ClientId = client.Id,
            ClientSecret = client.Secret,
            ClientType = client.Secret is null ? ClientTypes.Public : ClientTypes.Confidential,
            ApplicationType = client.IsNative ? ApplicationTypes.Native : ApplicationTypes.Web,
            ConsentType = ConsentTypes.Explicit,
            DisplayName = client.Name,
            Permissions =
            {
                Permissions.Endpoints.Token, Permissions.Endpoints.Revocation, Permissions.Endpoints.Authorization, Permissions.Endpoints.EndSession,
                Permissions.GrantTypes.AuthorizationCode, Permissions.GrantTypes.RefreshToken, Permissions.ResponseTypes.Code,
                Permissions.Scopes.Profile, Permissions.Prefixes.Scope + SignInSetup.ApiScope,
            },
            Properties = { [Mark] = JsonSerializer.SerializeToElement(true) },
        };
        descriptor.RedirectUris.UnionWith(client.RedirectUris.Select(uri => new Uri(uri)));
        descriptor.PostLogoutRedirectUris.UnionWith(client.PostLogoutRedirectUris.Select(uri => new Uri(uri)));
        return descriptor;
    }
}
