using Microsoft.EntityFrameworkCore;
using OpenIddict.Abstractions;
using Volunteers.Data;

namespace Volunteers.Features.Identity;

/// <summary>Forgets what can no longer be used to sign in.</summary>
internal static class SignInCleanup
{
    /// <summary>Tokens, authorizations and sessions that ended before then.</summary>
    public static async Task<int> Forget(IServiceProvider services, DateTimeOffset before, CancellationToken ct)
    {
        var gone = await services.GetRequiredService<IOpenIddictTokenManager>().PruneAsync(before, ct)
            + await services.GetRequiredService<IOpenIddictAuthorizationManager>().PruneAsync(before, ct);
        await services.GetRequiredService<VolunteersDb>().ForgetBrowserSessions(before, ct);
        return (int)gone;
    }

    /// <summary>Codes to reset a password that are good no more.</summary>
    public static Task<int> ForgetCodes(VolunteersDb db, DateTimeOffset before, CancellationToken ct) =>
        db.PasswordResets.Where(reset => reset.ExpiresAt < before).ExecuteDeleteAsync(ct);

    /// <summary>Invitations that expired before then, a thousand at a time.</summary>
    public static Task<int> ForgetInvitations(VolunteersDb db, DateTimeOffset before, CancellationToken ct) => db.Database.ExecuteSqlAsync(
        $"""
         delete from invitations where (organization_id, id) in (select organization_id, id from invitations where expires_at < {before} limit 1000)
         """, ct);
}
