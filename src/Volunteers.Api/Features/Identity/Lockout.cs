using Microsoft.EntityFrameworkCore;
using Volunteers.Data;

namespace Volunteers.Features.Identity;

/// <summary>
/// Five wrong passwords lock an account for five minutes. Counted in the database in one statement each, so that guesses
/// made at the same moment, or at another replica, all count.
/// </summary>
internal static class Lockout
{
    private const int Failures = 5;
    private static readonly TimeSpan For = TimeSpan.FromMinutes(5);

    public static Task CountFailure(this VolunteersDb db, Guid accountId, DateTimeOffset now, CancellationToken ct)
    {
        var end = now + For;
        return db.Database.ExecuteSqlAsync(
            $"""
             update accounts set
                 access_failed_count = case when access_failed_count + 1 < {Failures} then access_failed_count + 1 else 0 end,
                 lockout_end = case when access_failed_count + 1 < {Failures} then lockout_end else {end} end
             where id = {accountId}
             """, ct);
    }

    /// <summary>After the right password; false if others, guessing meanwhile, have locked the account.</summary>
    public static async Task<bool> ForgetFailures(this VolunteersDb db, Guid accountId, DateTimeOffset now, CancellationToken ct) =>
        await db.Database.ExecuteSqlAsync(
            $"update accounts set access_failed_count = 0 where id = {accountId} and (lockout_end is null or lockout_end <= {now})", ct) == 1;
}
