using System.Collections.Immutable;
using Microsoft.EntityFrameworkCore;
using OpenIddict.Abstractions;
using Volunteers.Data;
using Volunteers.Platform.Audit;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Volunteers.Features.Identity;

/// <summary>
/// Sign-ins through clients. Each has an authorization of its own for its tokens to hang on, so that it can be ended alone;
/// what a person has consented to is another, which lasts.
/// </summary>
internal sealed class ClientSessions(
    VolunteersDb db, IOpenIddictApplicationManager applications, IOpenIddictAuthorizationManager authorizations, SignInTrail trail, TimeProvider clock)
{
    /// <summary>Answers the authorization that the tokens are to hang on; null if the password was changed since it was looked at.</summary>
    public Task<Guid?> BeginWithPassword(HttpContext http, Account account, OpenIddictRequest request, CancellationToken ct) =>
        Begin(http, account, null, request, ct);

    /// <summary>The same, from the sign-in pages; null if the session there was ended at this very moment.</summary>
    public Task<Guid?> BeginThrough(SignedIn browser, HttpContext http, OpenIddictRequest request, CancellationToken ct) =>
        Begin(http, browser.Account, browser.Session.Id, request, ct);

    public async Task<bool> HasConsent(Guid accountId, OpenIddictRequest request, CancellationToken ct) =>
        await Consents(accountId, await ApplicationOf(request, ct), request.GetScopes()).AnyAsync(ct);

    /// <summary>For these scopes and fewer; more are asked about again.</summary>
    public async Task RememberConsent(Guid accountId, OpenIddictRequest request, CancellationToken ct)
    {
        if (await HasConsent(accountId, request, ct)) return;
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await Authorize(accountId, AuthorizationTypes.Permanent, request, ct);
        await trail.Changed(db, "agreeToClient", accountId, ct, ("application", request.ClientId));
        await transaction.CommitAsync(ct);
    }

    public async Task ForgetConsent(Guid accountId, OpenIddictRequest request, CancellationToken ct)
    {
        foreach (var consent in await Consents(accountId, await ApplicationOf(request, ct), scopes: null).ToListAsync(ct))
            await authorizations.TryRevokeAsync(consent, ct);
        await trail.Changed(db, "refuseClient", accountId, ct, ("application", request.ClientId));
    }

    private async Task<Guid?> Begin(HttpContext http, Account account, Guid? through, OpenIddictRequest request, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (!await db.LockUnchanged(account, ct)) return null;
        if (through is not null && !await db.SignInSessions.AnyAsync(s => s.Id == through && s.EndedAt == null, ct)) return null;

        var authorizationId = await Authorize(account.Id, AuthorizationTypes.AdHoc, request, ct);
        var endsWith = request.HasScope(Scopes.OfflineAccess) ? null : through;
        db.Add(SignInSession.OfClient(account.Id, request.ClientId!, authorizationId, endsWith, Device.Of(http), clock.GetUtcNow()));
        await db.SaveChangesAsync(ct);
        // The sign-in by password is told where the password was right.
        if (through is not null) await trail.Changed(db, "signInToClient", account.Id, ct, ("application", request.ClientId), AuditKind.SignIn);
        await transaction.CommitAsync(ct);
        return authorizationId;
    }

    private async Task<Guid> Authorize(Guid accountId, string type, OpenIddictRequest request, CancellationToken ct)
    {
        var descriptor = new OpenIddictAuthorizationDescriptor
        {
            ApplicationId = await ApplicationOf(request, ct), Subject = accountId.ToString(), Type = type, Status = Statuses.Valid, CreationDate = clock.GetUtcNow(),
        };
        descriptor.Scopes.UnionWith(request.GetScopes());
        return Guid.Parse((await authorizations.GetIdAsync(await authorizations.CreateAsync(descriptor, ct), ct))!);
    }

    private IAsyncEnumerable<object> Consents(Guid accountId, string applicationId, ImmutableArray<string>? scopes) =>
        authorizations.FindAsync(accountId.ToString(), applicationId, Statuses.Valid, AuthorizationTypes.Permanent, scopes);

    private async Task<string> ApplicationOf(OpenIddictRequest request, CancellationToken ct) =>
        (await applications.GetIdAsync((await applications.FindByClientIdAsync(request.ClientId!, ct))!, ct))!;
}
