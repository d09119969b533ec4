using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;

namespace Volunteers.Features.Identity;

internal static class SignedInAccount
{
    /// <summary>The account of who calls. It may be gone: a replica remembers a token for seconds.</summary>
    /// <exception cref="RuleBreach">401.</exception>
    public static async Task<Account> SignedIn(this VolunteersDb db, Guid accountId, CancellationToken ct) =>
        await db.Users.AsNoTracking().SingleOrDefaultAsync(account => account.Id == accountId, ct)
        ?? throw RuleBreach.Precondition("not_signed_in", StatusCodes.Status401Unauthorized);
}
