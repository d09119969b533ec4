using System.Net;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;

namespace Volunteers.Features.Identity;

/// <summary>How an attempt to sign in ended. A refusal does not say why: not whether the login exists, nor whether it is too early to try again.</summary>
internal abstract record SignInOutcome
{
    /// <summary>Wrong login or password, or too many attempts.</summary>
    public sealed record Refused : SignInOutcome;

    /// <summary>It is this account; the device is known from now on by the token.</summary>
    public sealed record Accepted(Account Account, string DeviceToken) : SignInOutcome;

    /// <summary>The password was right; now a code of the second factor.</summary>
    public sealed record SecondFactorNeeded(Account Account) : SignInOutcome;

    /// <summary>The password was right, the code was not.</summary>
    public sealed record SecondFactorWrong(Account Account) : SignInOutcome;
}

/// <summary>From where somebody signs in.</summary>
/// <param name="Address">The client's address; of IPv6, the network.</param>
/// <param name="DeviceToken">What the device keeps from an earlier sign-in, if it does.</param>
internal sealed record SignInOrigin(IPAddress Address, string? DeviceToken)
{
    public static SignInOrigin Of(HttpContext http, string? deviceToken) => new(RateLimiting.AddressOf(http), deviceToken);
}

/// <summary>Whether somebody is who they say; the same for the token endpoint and the sign-in page.</summary>
internal sealed class SignInCheck(
    UserManager<Account> accounts, PasswordCheck passwords, SecondFactorCheck secondFactors, KnownDevices devices, Lockout lockout, SignInTrail trail, VolunteersDb db)
{
    /// <summary>The lockout at work: nothing was looked at.</summary>
    private const string TooEarly = "too_many_attempts";

    /// <summary>
    /// Does the same work for a login that nobody has, one without a password, one that is tried too often, and a wrong password:
    /// one look for the account, one count, one hash.
    /// </summary>
    public async Task<SignInOutcome> Password(string? login, string? password, string? code, SignInOrigin from, CancellationToken ct)
    {
        var account = Login.Parse(login) is { } known ? await accounts.FindByNameAsync(known.Value) : null;
        var subject = account?.Id ?? Lockout.PoseAs(login);
        var source = SourceOf(subject, from);
        var inTime = await lockout.Enter(subject, source, ct);
        if (!await passwords.IsRight(inTime ? account : null, password, ct))
        {
            if (account is not null) trail.Refused(account.Id, inTime ? "wrong_password" : TooEarly);
            return new SignInOutcome.Refused();
        }

        if (!await secondFactors.IsOn(account!.Id, ct)) return await Accept(account, source, from, ct);
        if (string.IsNullOrEmpty(code))
        {
            await lockout.TakeBack(subject, source, ct);
            return new SignInOutcome.SecondFactorNeeded(account);
        }
        return await secondFactors.Use(account.Id, code, ct) ? await Accept(account, source, from, ct) : WrongCode(account);
    }

    /// <summary>The second step, where the first was taken on an earlier page: refused if the password was changed in between.</summary>
    public async Task<SignInOutcome> SecondFactor(Guid accountId, string stamp, string code, SignInOrigin from, CancellationToken ct)
    {
        var source = SourceOf(accountId, from);
        if (await db.Users.AsNoTracking().SingleOrDefaultAsync(a => a.Id == accountId && a.SecurityStamp == stamp, ct) is not { } account) return new SignInOutcome.Refused();
        if (await lockout.Enter(accountId, source, ct))
            return await secondFactors.Use(accountId, code, ct) ? await Accept(account, source, from, ct) : WrongCode(account);

        trail.Refused(accountId, TooEarly);
        return new SignInOutcome.Refused();
    }

    private SignInOutcome.SecondFactorWrong WrongCode(Account account)
    {
        trail.Refused(account.Id, "second_factor_wrong");
        return new SignInOutcome.SecondFactorWrong(account);
    }

    private async Task<SignInOutcome> Accept(Account account, AttemptSource source, SignInOrigin from, CancellationToken ct)
    {
        await lockout.Forget(account.Id, source, ct);
        await trail.Succeeded(account.Id, ct);
        return new SignInOutcome.Accepted(account, devices.Make(account.Id, from.DeviceToken));
    }

    private AttemptSource SourceOf(Guid subject, SignInOrigin from) => devices.Read(from.DeviceToken, subject) is { } device
        ? AttemptSource.Device(device)
        : AttemptSource.Address(from.Address);
}
