using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;

namespace Volunteers.Features.Identity;

/// <summary>Sets a password by a code; the same for the API and the page.</summary>
internal sealed class ResetCheck(UserManager<Account> accounts, PasswordCheck passwords, KnownDevices devices, Lockout lockout, SignInTrail trail, VolunteersDb db, TimeProvider clock)
{
    private const string Operation = "resetPassword";

    /// <summary>
    /// Whoever brings a code is known from now on, by the token that is answered: null when it was not the code. Does the same work
    /// for a login that nobody has, an account without a code, one that is tried too often, and a wrong code.
    /// </summary>
    public async Task<string?> Reset(string login, string code, string password, SignInOrigin from, CancellationToken ct)
    {
        PasswordRule.Check(password, "/newPassword", login);
        var account = Login.Parse(login) is { } known ? await accounts.FindByNameAsync(known.Value) : null;
        var subject = account?.Id ?? Lockout.PoseAs(login);
        var source = AttemptSource.Reset(from.Address);
        var (name, secret) = PasswordReset.Read(code);

        var inTime = await lockout.Enter(subject, source, ct);
        var reset = await PasswordReset.Guess(db, subject, inTime ? name : "", clock.GetUtcNow(), ct);
        if (!passwords.IsCode(reset?.CodeHash, secret) || !await Use(reset!, account!, password, ct))
        {
            if (account is not null) trail.Refused(account.Id, inTime ? "reset_code_invalid" : "too_many_attempts", Operation);
            return null;
        }


        await lockout.Forget(subject, source, ct);
        return devices.Make(account!.Id, before: null);
    }

    private async Task<bool> Use(PasswordReset reset, Account account, string password, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // Of two who bring one code at once, the second waits here for the first and finds it gone.
        if (await db.PasswordResets.Where(r => r.AccountId == reset.AccountId && r.Name == reset.Name).ExecuteDeleteAsync(ct) == 0
            || !await db.SetPassword(account.Id, passwords.Hash(password), account.PasswordHash, ct)) return false;
        // The account may have come to more since the code was handed out.
        if (reset.OrganizationId is { } organizationId && !await PasswordReset.MayBeHandedOut(db, account.Id, organizationId, ct)) return false;

        await db.PasswordResets.Where(r => r.AccountId == account.Id).ExecuteDeleteAsync(ct);
        await db.EndOtherSessions(account.Id, keep: null, clock.GetUtcNow(), ct);
        await trail.Changed(db, Operation, account.Id, ct);
        await transaction.CommitAsync(CancellationToken.None);
        return true;
    }
}
