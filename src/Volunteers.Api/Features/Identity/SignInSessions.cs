using Microsoft.EntityFrameworkCore;
using OpenIddict.EntityFrameworkCore.Models;
using Volunteers.Data;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Volunteers.Features.Identity;

/// <summary>
/// How sign-ins begin and end. Each locks the account first, so that none begins, unseen, while all are being ended; so each
/// is called within a transaction.
/// </summary>
internal static class SignInSessions
{
    /// <summary>Null if the password was changed since the account was looked at.</summary>
    public static async Task<SignInSession?> BeginBrowserSession(this VolunteersDb db, Account account, string? device, DateTimeOffset now, CancellationToken ct)
    {
        if (!await db.LockUnchanged(account, ct)) return null;
        var session = SignInSession.OfBrowser(account.Id, device, now);
        db.Add(session);
        await db.SaveChangesAsync(ct);
        return session;
    }

    public static async Task RenewClientSession(this VolunteersDb db, string? authorizationId, DateTimeOffset now, CancellationToken ct)
    {
        if (!Guid.TryParse(authorizationId, out var id)) return;
        await db.Database.ExecuteSqlAsync($"update sign_in_sessions set last_used_at = {now} where authorization_id = {id}", ct);
    }

    /// <summary>Sign-ins that still open something.</summary>
    public static IQueryable<SignInSession> LiveSessions(this VolunteersDb db, Guid accountId, DateTimeOffset now)
    {
        var startedAfter = now - SignInSession.BrowserLifetime;
        return db.SignInSessions.Where(s => s.AccountId == accountId && (s.AuthorizationId == null
            ? s.EndedAt == null && s.StartedAt > startedAfter
            : db.Set<OpenIddictEntityFrameworkCoreToken<Guid>>().Any(token => token.Authorization!.Id == s.AuthorizationId && token.Authorization.Status == Statuses.Valid
                && token.Status == Statuses.Valid && token.ExpirationDate > now.UtcDateTime && Opens.Contains(token.Type))));
    }

    private static readonly string?[] Opens = [TokenTypeIdentifiers.AccessToken, TokenTypeIdentifiers.RefreshToken];

    /// <summary>Ends a sign-in, and what was begun through it and cannot go on alone. Tokens stop working within five seconds.</summary>
    public static async Task EndSession(this VolunteersDb db, Guid accountId, Guid sessionId, DateTimeOffset now, CancellationToken ct)
    {
        await db.LockAccount(accountId, ct);
        await db.Database.ExecuteSqlAsync(
            $"""
             update openiddict_authorizations set status = 'revoked' where id in (
                 select authorization_id from sign_in_sessions where account_id = {accountId} and (id = {sessionId} or browser_session_id = {sessionId}))
             """, ct);
        await db.Database.ExecuteSqlAsync(
            $"update sign_in_sessions set ended_at = {now} where account_id = {accountId} and id = {sessionId} and client_id is null and ended_at is null", ct);
    }

    /// <summary>Ends every sign-in of an account, but for the one that is to stay.</summary>
    public static async Task EndOtherSessions(this VolunteersDb db, Guid accountId, Guid? keep, DateTimeOffset now, CancellationToken ct)
    {
        await db.LockAccount(accountId, ct);
        await db.Database.ExecuteSqlAsync(
            $"""
             update openiddict_authorizations set status = 'revoked' where id in (
                 select authorization_id from sign_in_sessions where account_id = {accountId} and id is distinct from {keep})
             """, ct);
        await db.Database.ExecuteSqlAsync(
            $"""
             update sign_in_sessions set ended_at = {now}
             where account_id = {accountId} and id is distinct from {keep} and client_id is null and ended_at is null
             """, ct);
    }

    /// <summary>
    /// False if the password was changed since the account was looked at, and be it at this moment: the lock waits for that, and then
    /// the stamp is another. So no sign-in with an old password outlives the change.
    /// </summary>
    public static async Task<bool> LockUnchanged(this VolunteersDb db, Account account, CancellationToken ct) => (await db.Database.SqlQuery<int>(
        $"select 1 as \"Value\" from accounts where id = {account.Id} and security_stamp = {account.SecurityStamp} for no key update").ToListAsync(ct)).Count == 1;

    /// <summary>Those of clients go with their authorizations.</summary>
    public static Task ForgetBrowserSessions(this VolunteersDb db, DateTimeOffset startedBefore, CancellationToken ct) =>
        db.SignInSessions.Where(s => s.ClientId == null && s.StartedAt < startedBefore).ExecuteDeleteAsync(ct);

    public static Task LockAccount(this VolunteersDb db, Guid accountId, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"select 1 from accounts where id = {accountId} for no key update", ct);
}
