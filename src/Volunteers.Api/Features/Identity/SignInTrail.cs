using Microsoft.EntityFrameworkCore;
using Npgsql;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Volunteers.Features.Identity;

/// <summary>
/// The trace that a sign-in leaves in every organization in which the account has a role. A success is written before it is
/// answered; a failure in the background, so that a login that exists answers no later than one that does not. A login that
/// nobody has leaves none: there is nobody whom it concerns, and nobody could stop it from filling the trail.
/// </summary>
internal sealed class SignInTrail(AuditWriter writer, AuditRefusals refusals, ICallers callers, IHttpContextAccessor http, TimeProvider clock)
{
    private const string Operation = "signIn";

    /// <summary>
    /// What became of somebody's own sign-in, in every organization in which the account has a role: written within the transaction
    /// that does it, where there is one.
    /// </summary>
    /// <param name="db">Where it is done.</param>
    /// <param name="operation">What.</param>
    /// <param name="accountId">Whose.</param>
    /// <param name="ct">Ends it.</param>
    /// <param name="resource">On what; the account itself when not given.</param>
    /// <param name="kind">Of which kind.</param>
    /// <param name="onlyIn">Concerns this organization alone.</param>
    public async Task Changed(
        VolunteersDb db, string operation, Guid accountId, CancellationToken ct, (string Type, string? Id)? resource = null, AuditKind kind = AuditKind.Change, Guid? onlyIn = null)
    {
        var (type, id) = resource ?? ("account", accountId.ToString());
        var scene = Scene(operation, AuditActorKind.Account, accountId) with { Kind = kind, ResourceType = type, ResourceId = id };
        if (http.HttpContext is null) scene = scene with { ActorKind = AuditActorKind.Service, ActorId = null };
        Guid[] organizations = onlyIn is { } only ? [only] : AuditTrail.AboveOrganizations(await callers.OrganizationsOf(accountId, ct));
        await db.Database.OpenConnectionAsync(ct);
        try
        {
            await AuditSql.Insert((NpgsqlConnection)db.Database.GetDbConnection(), [.. organizations.Select(organization => AuditDraft.Of(scene, organization, new AuditDetails(), []))], ct);
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    public async Task Succeeded(Guid accountId, CancellationToken ct)
    {
        foreach (var organization in AuditTrail.AboveOrganizations(await callers.OrganizationsOf(accountId, ct)))
            await writer.Write(AuditDraft.Of(Scene(Operation, AuditActorKind.Account, accountId), organization, new AuditDetails(), []));
    }

    /// <summary>Another system took a token.</summary>
    public Task Succeeded((Guid OrganizationId, Guid Id) client) =>
        writer.Write(AuditDraft.Of(Scene(Operation, AuditActorKind.Client, client.Id), client.OrganizationId, new AuditDetails(), []));

    public void Refused(Guid accountId, string code, string operation = Operation) =>
        refusals.Note(organizationId: null, Scene(operation, AuditActorKind.Account, accountId) with { Outcome = AuditOutcome.Refused, Code = code });

    /// <summary>Another system brought a wrong secret.</summary>
    public void Refused((Guid OrganizationId, Guid Id) client) =>
        refusals.Note(client.OrganizationId, Scene(Operation, AuditActorKind.Client, client.Id) with { Outcome = AuditOutcome.Refused, Code = "wrong_secret" });

    private AuditScene Scene(string operation, AuditActorKind kind, Guid actorId) => new(clock.GetUtcNow(), AuditKind.SignIn, operation)
    {
        ActorKind = kind, ActorId = actorId, Origin = http.HttpContext is { } context ? Origin.Of(context) : null,
    };
}

internal static class RefusedClients
{
    public static void TraceRefusedClients(this OpenIddictServerBuilder server) =>
        server.AddEventHandler<ApplyTokenResponseContext>(handler => handler.UseScopedHandler<Trace>().SetOrder(int.MinValue + 100_000));

    /// <summary>Only of a client that there is: its id says whose trail it is, and anybody can make one up.</summary>
    private sealed class Trace(VolunteersDb db, SignInTrail trail) : IOpenIddictServerHandler<ApplyTokenResponseContext>
    {
        public async ValueTask HandleAsync(ApplyTokenResponseContext context)
        {
            if (context.Error == OpenIddictConstants.Errors.InvalidClient && context.Request?.ClientId is { } given && OrganizationClient.Read(given) is { } client
                && await db.Clients.AnyAsync(c => c.OrganizationId == client.OrganizationId && c.Id == client.Id, context.CancellationToken)) trail.Refused(client);
        }
    }
}
