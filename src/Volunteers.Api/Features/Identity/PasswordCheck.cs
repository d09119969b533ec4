using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Volunteers.Data;

namespace Volunteers.Features.Identity;

/// <summary>Holds a secret against a hash that is slow to make: always exactly one, also where there is nothing to compare with.</summary>
internal sealed class PasswordCheck(IPasswordHasher<Account> hasher, NobodysPassword nobodys, VolunteersDb db)
{
    public async Task<bool> IsRight(Account? account, string? password, CancellationToken ct)
    {
        var result = Compare(account, account?.PasswordHash, password);
        if (result == PasswordVerificationResult.SuccessRehashNeeded)
        {
            // Made with less work than is asked for today.
            var (old, better) = (account!.PasswordHash, hasher.HashPassword(account, password!));
            await db.Users.Where(a => a.Id == account.Id && a.PasswordHash == old).ExecuteUpdateAsync(set => set.SetProperty(a => a.PasswordHash, better), ct);
        }
        return result != PasswordVerificationResult.Failed;
    }

    /// <summary>Whether it is the code of which this hash was made.</summary>
    public bool IsCode(string? hash, string? code) => Compare(null, hash, code) != PasswordVerificationResult.Failed;

    public string Hash(string secret) => hasher.HashPassword(null!, secret);

    private PasswordVerificationResult Compare(Account? account, string? hash, string? secret)
    {
        var comparable = hash is not null && secret is { Length: > 0 and <= PasswordRule.Longest };
        var result = hasher.VerifyHashedPassword(account!, comparable ? hash! : nobodys.Hash, comparable ? secret! : "");
        return comparable ? result : PasswordVerificationResult.Failed;
    }
}

/// <summary>The hash that is computed against where there is none; as slow as all others.</summary>
internal sealed class NobodysPassword(IOptions<PasswordHasherOptions> options)
{
    public string Hash { get; } = new PasswordHasher<Account>(options).HashPassword(null!, Guid.NewGuid().ToString());
}
