using Microsoft.EntityFrameworkCore;
using OpenIddict.Abstractions;
using Volunteers.Data;

namespace Volunteers.Features.Identity;

/// <summary>What belongs to setting a password; called within a transaction.</summary>
internal static class Passwords
{
    /// <summary>False if the password is no longer the one it was, or there never was one.</summary>
    public static async Task<bool> SetPassword(this VolunteersDb db, Guid accountId, string hash, string? before, CancellationToken ct)
    {
        var (stamp, concurrency) = (Guid.NewGuid().ToString("N"), Guid.NewGuid().ToString());
        return await db.Database.ExecuteSqlAsync(
            $"""
             update accounts set password_hash = {hash}, security_stamp = {stamp}, concurrency_stamp = {concurrency}
             where id = {accountId} and password_hash = {before}
             """, ct) == 1;
    }

    /// <summary>Every sign-in but the one that this request came with.</summary>
    public static async Task EndOtherSessions(this VolunteersDb db, HttpContext http, Guid accountId, DateTimeOffset now, CancellationToken ct)
    {
        var authorization = Guid.TryParse(http.User.GetAuthorizationId(), out var id) ? id : Guid.Empty;
        var own = await db.SignInSessions.Where(s => s.AuthorizationId == authorization).Select(s => (Guid?)s.Id).SingleOrDefaultAsync(ct);
        await db.EndOtherSessions(accountId, own, now, ct);
    }
}
