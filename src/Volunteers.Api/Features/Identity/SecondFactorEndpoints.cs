using FluentValidation;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using OtpNet;
using QRCoder;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Identity;

internal static class SecondFactorEndpoints
{
    public static void MapSecondFactor(this RouteGroupBuilder v1)
    {
        var mine = v1.MapGroup("/me/second-factor").WithTags("Me").Allows(Access.Account);

        mine.MapGet("", Get).WithName("getSecondFactor").ShowsNoPersonalData();
        mine.MapPost("", Begin).WithName("beginSecondFactor").RefusesWith(409);
        mine.MapPut("", Confirm).WithName("confirmSecondFactor").OpensItsOwnTransaction().RefusesWith(409, 429);
        mine.MapPut("/recovery-codes", Renew).WithName("renewRecoveryCodes").OpensItsOwnTransaction().RefusesWith(409, 429);
        mine.MapDelete("", Remove).WithName("removeSecondFactor").OpensItsOwnTransaction().RefusesWith(409, 429);
    }

    /// <summary>Shows whether the caller signs in with a second factor, and whether they must.</summary>
    private static async Task<Ok<SecondFactorView>> Get(Caller caller, IConfiguration configuration, VolunteersDb db, CancellationToken ct) =>
        TypedResults.Ok(new SecondFactorView(
            await db.SecondFactors.Where(f => f.AccountId == caller.ActorId).Select(f => f.ConfirmedAt).SingleOrDefaultAsync(ct),
            await db.Set<RecoveryCode>().CountAsync(code => code.AccountId == caller.ActorId, ct),
            SecondFactorRule.IsOn(configuration) && SecondFactorRule.Holds(caller)));

    /// <summary>
    /// Begins with a second factor: a secret for an authenticator app (RFC 6238), as text and as a QR code. It is asked for once it
    /// is confirmed; until then each call makes another secret.
    /// </summary>
    private static async Task<Ok<NewSecondFactorView>> Begin(
        Caller caller, HttpResponse response, IDataProtectionProvider protection, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var (secret, now) = (SecondFactor.NewSecret(), clock.GetUtcNow());
        var kept = SecondFactor.Protect(secret, caller.ActorId, protection);
        if (await db.Database.ExecuteSqlAsync(
                $"""
                 insert into second_factors as f (account_id, protected, created_at, last_step) values ({caller.ActorId}, {kept}, {now}, 0)
                 on conflict (account_id) do update set protected = excluded.protected, created_at = excluded.created_at where f.confirmed_at is null
                 """, ct) == 0) throw new RuleBreach("second_factor_on");

        response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(NewSecondFactorView.Of(secret, await db.Users.Where(a => a.Id == caller.ActorId).Select(a => a.UserName!).SingleAsync(ct)));
    }

    /// <summary>
    /// Turns the second factor on with a first code of the app and the password. Every other sign-in of the account ends. The
    /// answer has ten recovery codes, shown this once: each signs in once when the app is lost.
    /// </summary>
    private static async Task<Ok<RecoveryCodesView>> Confirm(
        ConfirmSecondFactorRequest request, HttpContext http, Caller caller, ProofAgain proof, SecondFactorCheck check, SignInTrail trail, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var account = await db.SignedIn(caller.ActorId, ct);
        // Whoever found a phone must not shut its owner out. One who signs in elsewhere has no password to be asked for.
        if (account.PasswordHash is not null) await proof.Password(http, account, request.Password, ct);

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (!await check.Confirm(account.Id, request.Code, ct)) throw new RuleBreach("wrong_code");
        var codes = await check.NewRecoveryCodes(account.Id, ct);
        await db.EndOtherSessions(http, account.Id, clock.GetUtcNow(), ct);
        await trail.Changed(db, "confirmSecondFactor", account.Id, ct);
        await transaction.CommitAsync(CancellationToken.None);
        return Shown(codes, http);
    }

    /// <summary>Makes ten new recovery codes, for a code of the app or one of the old ones; the old ones are worth nothing any more.</summary>
    private static async Task<Ok<RecoveryCodesView>> Renew(
        RecoveryCodesRequest request, HttpContext http, Caller caller, ProofAgain proof, SecondFactorCheck check, SignInTrail trail, VolunteersDb db, CancellationToken ct)
    {
        await proof.Code(http, caller.ActorId, request.Code, ct);

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var codes = await check.NewRecoveryCodes(caller.ActorId, ct);
        await trail.Changed(db, "renewRecoveryCodes", caller.ActorId, ct);
        await transaction.CommitAsync(CancellationToken.None);
        return Shown(codes, http);
    }

    /// <summary>Signs in without a second factor from now on. Needs a code of the app, a recovery code, or the password.</summary>
    private static async Task<NoContent> Remove(
        [FromBody] RemoveSecondFactorRequest request, HttpContext http, Caller caller, ProofAgain proof, SignInTrail trail, VolunteersDb db, CancellationToken ct)
    {
        await proof.Either(http, caller.ActorId, request.Password, request.Code, ct);

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.SecondFactors.Where(factor => factor.AccountId == caller.ActorId).ExecuteDeleteAsync(ct);
        await trail.Changed(db, "removeSecondFactor", caller.ActorId, ct);
        await transaction.CommitAsync(CancellationToken.None);
        return TypedResults.NoContent();
    }

    private static Ok<RecoveryCodesView> Shown(string[] codes, HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new RecoveryCodesView(codes));
    }
}

/// <summary>A first code of the app.</summary>
/// <param name="Code">The six digits that the app shows.</param>
/// <param name="Password">The password, once more; not for an account that has none.</param>
internal sealed record ConfirmSecondFactorRequest(string Code, string? Password = null)
{
    internal sealed class Validator : AbstractValidator<ConfirmSecondFactorRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Code).NotEmpty().MaximumLength(SecondFactorCheck.LongestCode);
            RuleFor(request => request.Password).MaximumLength(PasswordRule.Longest);
        }
    }
}

/// <summary>Proof that it is the owner who asks for new recovery codes.</summary>
/// <param name="Code">The six digits that the app shows, or a recovery code.</param>
internal sealed record RecoveryCodesRequest(string Code)
{
    internal sealed class Validator : AbstractValidator<RecoveryCodesRequest>
    {
        public Validator() => RuleFor(request => request.Code).NotEmpty().MaximumLength(SecondFactorCheck.LongestCode);
    }
}

/// <summary>Proof that it is the owner who goes back to the password alone: one of both.</summary>
/// <param name="Code">The six digits that the app shows, or a recovery code.</param>
/// <param name="Password">The password.</param>
internal sealed record RemoveSecondFactorRequest(string? Code = null, string? Password = null)
{
    internal sealed class Validator : AbstractValidator<RemoveSecondFactorRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Code).MaximumLength(SecondFactorCheck.LongestCode);
            RuleFor(request => request.Password).NotEmpty().When(request => request.Code is null).MaximumLength(PasswordRule.Longest);
        }
    }
}

/// <summary>The caller's second factor.</summary>
/// <param name="ConfirmedAt">Since when it is asked for; null when the password alone signs in.</param>
/// <param name="RecoveryCodesLeft">How many recovery codes are unused.</param>
/// <param name="Required">Whether the caller must have one: an administrator or an operator, where the service is set up so.</param>
internal sealed record SecondFactorView(DateTimeOffset? ConfirmedAt, int RecoveryCodesLeft, bool Required);

/// <summary>What the authenticator app needs, shown this once.</summary>
/// <param name="Secret">The secret in base 32, for those who type it.</param>
/// <param name="Uri">The <c>otpauth</c> address that the app opens.</param>
/// <param name="Svg">The address as a QR code.</param>
internal sealed record NewSecondFactorView(string Secret, string Uri, string Svg)
{
    public static NewSecondFactorView Of(byte[] secret, string login)
    {
        var text = Base32Encoding.ToString(secret).TrimEnd('=');
        var uri = new OtpUri(OtpType.Totp, text, login, "Volunteers").ToString();
        using var data = QRCodeGenerator.GenerateQrCode(uri, QRCodeGenerator.ECCLevel.M);
        using var picture = new SvgQRCode(data);
        return new NewSecondFactorView(text, uri, picture.GetGraphic(6));
    }
}

/// <summary>Recovery codes, shown this once.</summary>
/// <param name="Codes">Ten; each signs in once, in place of a code of the app.</param>
internal sealed record RecoveryCodesView(IReadOnlyList<string> Codes);
