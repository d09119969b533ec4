using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;

namespace Volunteers.Features.Identity;

/// <summary>Takes codes of an account's second factor, each of them once, whoever brings it at the same moment.</summary>
internal sealed class SecondFactorCheck(VolunteersDb db, IDataProtectionProvider protection, TimeProvider clock)
{
    /// <summary>Nobody types a longer one.</summary>
    public const int LongestCode = 40;

    public Task<bool> IsOn(Guid accountId, CancellationToken ct) => db.SecondFactors.AnyAsync(factor => factor.AccountId == accountId && factor.ConfirmedAt != null, ct);

    /// <summary>A code of the authenticator, or one of the recovery codes.</summary>
    public async Task<bool> Use(Guid accountId, string code, CancellationToken ct)
    {
        if (code.Length > LongestCode) return false;
        if (await StepOf(accountId, code, confirmed: true, ct) is { } step)
            return await db.Database.ExecuteSqlAsync(
                $"update second_factors set last_step = {step} where account_id = {accountId} and confirmed_at is not null and last_step < {step}", ct) == 1;
        return RecoveryCode.Read(accountId, code) is { } hash
            && await db.Database.ExecuteSqlAsync($"delete from recovery_codes where account_id = {accountId} and hash = {hash}", ct) == 1;
    }

    /// <summary>Turns it on with a first code; false if that is not one, or another was first.</summary>
    public async Task<bool> Confirm(Guid accountId, string code, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        return code.Length <= LongestCode && await StepOf(accountId, code, confirmed: false, ct) is { } step
            && await db.Database.ExecuteSqlAsync(
                $"update second_factors set confirmed_at = {now}, last_step = {step} where account_id = {accountId} and confirmed_at is null", ct) == 1;
    }

    /// <summary>Ten new ones; those there were are worth nothing any more.</summary>
    public async Task<string[]> NewRecoveryCodes(Guid accountId, CancellationToken ct)
    {
        // Two who ask at once get theirs one after the other.
        await db.Database.ExecuteSqlAsync($"select 1 from second_factors where account_id = {accountId} for no key update", ct);
        await db.Set<RecoveryCode>().Where(code => code.AccountId == accountId).ExecuteDeleteAsync(ct);
        var made = Enumerable.Range(0, RecoveryCode.HowMany).Select(_ => RecoveryCode.Make(accountId)).ToArray();
        db.AddRange(made.Select(code => code.Kept));
        await db.SaveChangesAsync(ct);
        return [.. made.Select(code => code.Code)];
    }

    private async Task<long?> StepOf(Guid accountId, string code, bool confirmed, CancellationToken ct)
    {
        var digits = string.Concat(code.Where(c => c != ' '));
        if (digits.Length != 6 || !digits.All(char.IsAsciiDigit)) return null;
        var factor = await db.SecondFactors.AsNoTracking().SingleOrDefaultAsync(f => f.AccountId == accountId && (f.ConfirmedAt != null) == confirmed, ct);
        return factor?.StepOf(digits, clock.GetUtcNow(), protection);
    }
}
