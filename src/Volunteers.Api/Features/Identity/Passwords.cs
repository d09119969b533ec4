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

    public static Task EndEverySignIn(this VolunteersDb db, Guid accountId, CancellationToken ct) => db.EndOtherFamilies(accountId, null, null, ct);

    /// <summary>All but the one that this request came with.</summary>
    public static Task EndOtherSignIns(this VolunteersDb db, HttpContext http, Guid accountId, CancellationToken ct) => db.EndOtherFamilies(accountId,
        Guid.TryParse(http.User.GetAuthorizationId(), out var authorization) ? authorization : null, Guid.Parse(http.User.GetTokenId()!), ct);
}
