using Microsoft.AspNetCore.Identity;
using Volunteers.Data;

namespace Volunteers.Features.Identity;

/// <summary>How an attempt to sign in ended. A refusal does not say why: not whether the login exists, nor whether it is locked.</summary>
internal abstract record SignInOutcome
{
    /// <summary>Wrong login or password, or too many attempts.</summary>
    public sealed record Refused : SignInOutcome;

    /// <summary>It is this account.</summary>
    public sealed record Accepted(Account Account) : SignInOutcome;
}

/// <summary>Whether somebody is who they say; the same for the token endpoint and the sign-in page.</summary>
internal sealed class SignInCheck(UserManager<Account> accounts, VolunteersDb db, TimeProvider clock)
{
    /// <summary>Takes the same work and time for a login that nobody has.</summary>
    public async Task<SignInOutcome> Password(string? login, string? password, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var account = Login.Parse(login) is { } known ? await accounts.FindByNameAsync(known.Value) : null;
        if (account is null || account.LockoutEnd > now || password is null or { Length: > 128 })
        {
            accounts.PasswordHasher.HashPassword(null!, "nobody's");
            return new SignInOutcome.Refused();
        }
        if (!await accounts.CheckPasswordAsync(account, password))
        {
            await db.CountFailure(account.Id, now, ct);
            return new SignInOutcome.Refused();
        }
        return await db.ForgetFailures(account.Id, now, ct) ? new SignInOutcome.Accepted(account) : new SignInOutcome.Refused();
    }
}
