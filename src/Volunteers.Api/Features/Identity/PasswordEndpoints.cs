using FluentValidation;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Identity;

internal static class PasswordEndpoints
{
    public static void MapPasswords(this RouteGroupBuilder v1)
    {
        v1.MapPut("/me/password", Change).WithTags("Me").WithName("changePassword").Allows(Access.Account).OpensItsOwnTransaction().RefusesWith(409, 429);

        var resets = v1.MapGroup("/password-resets").WithTags("Accounts").AllowAnonymous().Costs(Cost.PasswordReset);
        // Nobody knows yet whether somebody has that login: the code that is sent leaves a trace.
        resets.MapPost("", Ask).WithName("requestPasswordReset").LeavesNoTrace().RefusesWith(429);
        resets.MapPut("", Reset).WithName("resetPassword").OpensItsOwnTransaction().RefusesWith(409, 429);
    }

    /// <summary>
    /// Changes the caller's password. Every other sign-in of the account ends within five seconds; this one goes on. A wrong current
    /// password counts as a failed attempt: after five there are waits (429).
    /// </summary>
    private static async Task<NoContent> Change(
        PasswordChangeRequest request, HttpContext http, Caller caller, ProofAgain proof, PasswordCheck passwords, SignInTrail trail, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var account = await db.SignedIn(caller.ActorId, ct);
        PasswordRule.Check(request.NewPassword, "/newPassword", account.UserName, account.DisplayName);
        await proof.Password(http, account, request.CurrentPassword, ct);

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // Of two changes at once the second had the first one's password, and no longer has.
        if (!await db.SetPassword(account.Id, passwords.Hash(request.NewPassword), account.PasswordHash, ct)) throw new RuleBreach("wrong_password");
        await db.EndOtherSessions(http, account.Id, clock.GetUtcNow(), ct);
        await db.PasswordResets.Where(reset => reset.AccountId == account.Id).ExecuteDeleteAsync(ct);
        await trail.Changed(db, "changePassword", account.Id, ct);
        await transaction.CommitAsync(CancellationToken.None);
        return TypedResults.NoContent();
    }

    /// <summary>
    /// Asks for a code to set a new password, sent to the login: an e-mail or a text message. The answer is the same whether
    /// anybody has this login or not. To one account go three messages at once, then one in a quarter of an hour to an hour.
    /// </summary>
    private static async Task<Accepted> Ask(
        PasswordResetRequest request, IDataProtectionProvider protection, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        db.Add(new ResetMessage(request.Login, protection, clock.GetUtcNow()));
        await db.SaveChangesAsync(ct);
        return TypedResults.Accepted((string?)null);
    }

    /// <summary>
    /// Sets a new password with a code that was sent, or handed out by a coordinator. A code is good once, for an hour, for five
    /// guesses. Every sign-in of the account ends. A wrong, used or expired code and an unknown login are refused alike.
    /// </summary>
    private static async Task<Ok<PasswordResetView>> Reset(NewPasswordRequest request, HttpContext http, ResetCheck check, CancellationToken ct) =>
        await check.Reset(request.Login, request.Code, request.NewPassword, SignInOrigin.Of(http, deviceToken: null), ct) is { } deviceToken
            ? TypedResults.Ok(new PasswordResetView(deviceToken))
            : throw new RuleBreach("reset_code_invalid");
}

/// <summary>Another password for oneself.</summary>
/// <param name="CurrentPassword">The one that is to go.</param>
/// <param name="NewPassword">8 to 128 characters; not the login, and not one that many people use.</param>
internal sealed record PasswordChangeRequest(string CurrentPassword, string NewPassword)
{
    internal sealed class Validator : AbstractValidator<PasswordChangeRequest>
    {
        public Validator()
        {
            RuleFor(request => request.CurrentPassword).NotEmpty().MaximumLength(PasswordRule.Longest);
            RuleFor(request => request.NewPassword).NotEmpty().Length(PasswordRule.Shortest, PasswordRule.Longest);
        }
    }
}

/// <summary>Somebody who forgot their password.</summary>
/// <param name="Login">The e-mail address or the phone number they sign in with.</param>
internal sealed record PasswordResetRequest(string Login)
{
    internal sealed class Validator : AbstractValidator<PasswordResetRequest>
    {
        public Validator() => RuleFor(request => request.Login).NotEmpty().MaximumLength(254)
            .Must(login => Identity.Login.Parse(login) is not null).WithMessage(_ => Messages.Title("invalid_login"));
    }
}

/// <summary>A new password, by a code.</summary>
/// <param name="Login">The e-mail address or the phone number of the account.</param>
/// <param name="Code">Twelve characters, in any case, in groups or not.</param>
/// <param name="NewPassword">8 to 128 characters; not the login, and not one that many people use.</param>
internal sealed record NewPasswordRequest(string Login, string Code, string NewPassword)
{
    internal sealed class Validator : AbstractValidator<NewPasswordRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Login).NotEmpty().MaximumLength(254)
                .Must(login => Identity.Login.Parse(login) is not null).WithMessage(_ => Messages.Title("invalid_login"));
            RuleFor(request => request.Code).NotEmpty().MaximumLength(40);
            RuleFor(request => request.NewPassword).NotEmpty().Length(PasswordRule.Shortest, PasswordRule.Longest);
        }
    }
}

/// <summary>The password is set; now sign in with it.</summary>
/// <param name="DeviceToken">To be sent as <c>device_token</c> when signing in, and kept: strangers' failures at this login do not shut this device out.</param>
internal sealed record PasswordResetView(string DeviceToken);
