using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using OtpNet;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Identity;

/// <summary>An authenticator app of an account (RFC 6238); it counts once a first code has shown that the app has the secret.</summary>
[NotAudited]
internal sealed class SecondFactor
{
    private SecondFactor() { }

    public Guid AccountId { get; private set; }

    /// <summary>Protected for this account: of use to nobody who has the row alone.</summary>
    public byte[] Protected { get; private set; } = [];

    public DateTimeOffset CreatedAt { get; private set; }

    public DateTimeOffset? ConfirmedAt { get; private set; }

    /// <summary>The half minute of the last code that was taken: that one and those before are used up.</summary>
    public long LastStep { get; private set; }

    /// <summary>160 bits, as RFC 4226 recommends.</summary>
    public static byte[] NewSecret() => RandomNumberGenerator.GetBytes(20);

    public static byte[] Protect(byte[] secret, Guid accountId, IDataProtectionProvider protection) => Protector(accountId, protection).Protect(secret);

    /// <summary>
    /// The half minute whose code this is; null if it is none of this one, the one before or the one after: clocks differ, and people
    /// type slowly.
    /// </summary>
    public long? StepOf(string code, DateTimeOffset now, IDataProtectionProvider protection) =>
        new Totp(Protector(AccountId, protection).Unprotect(Protected)).VerifyTotp(now.UtcDateTime, code, out var step, new VerificationWindow(previous: 1, future: 1)) ? step : null;

    private static IDataProtector Protector(Guid accountId, IDataProtectionProvider protection) =>
        protection.CreateProtector("Volunteers.SecondFactors", accountId.ToString("n"));

    internal sealed class Configuration : IEntityTypeConfiguration<SecondFactor>
    {
        public void Configure(EntityTypeBuilder<SecondFactor> builder)
        {
            builder.ToTable("second_factors");
            builder.HasKey(factor => factor.AccountId);
            builder.HasOne<Account>().WithOne().HasForeignKey<SecondFactor>(factor => factor.AccountId);
        }
    }
}

/// <summary>A code for whoever lost the authenticator: good once, and gone when it is used.</summary>
[NotAudited]
internal sealed class RecoveryCode
{
    public const int HowMany = 10;
    private const int Length = 16;

    private RecoveryCode() { }

    public Guid AccountId { get; private set; }

    public byte[] Hash { get; private set; } = [];

    public static (string Code, RecoveryCode Kept) Make(Guid accountId)
    {
        var code = TypedCode.Make(Length);
        return (TypedCode.InGroups(code), new RecoveryCode { AccountId = accountId, Hash = HashOf(accountId, code) });
    }

    /// <summary>Eighty bits at random need no slow hash. Null when it cannot be such a code.</summary>
    public static byte[]? Read(Guid accountId, string text) =>
        TypedCode.Normalized(text) is { Length: Length } code ? HashOf(accountId, code) : null;

    private static byte[] HashOf(Guid accountId, string code) => SHA256.HashData(Encoding.UTF8.GetBytes($"{accountId:n} {code}"));

    internal sealed class Configuration : IEntityTypeConfiguration<RecoveryCode>
    {
        public void Configure(EntityTypeBuilder<RecoveryCode> builder)
        {
            builder.ToTable("recovery_codes");
            builder.HasKey(code => new { code.AccountId, code.Hash });
            builder.HasOne<SecondFactor>().WithMany().HasForeignKey(code => code.AccountId);
        }
    }
}
