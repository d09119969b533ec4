using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Identity;

/// <summary>Somebody who signs in, by e-mail address or phone number; may act in several organizations.</summary>
[Personal(Mask.Login, Member = nameof(UserName))]
[Personal(Mask.Login, Member = nameof(Email))]
[Personal(Mask.Phone, Member = nameof(PhoneNumber))]
[Personal(Mask.Hidden, Member = nameof(PasswordHash))]
[NotAudited(Member = nameof(NormalizedUserName))]
[NotAudited(Member = nameof(NormalizedEmail))]
[NotAudited(Member = nameof(SecurityStamp))]
[NotAudited(Member = nameof(ConcurrencyStamp))]
[NotAudited(Member = nameof(AccessFailedCount))]
internal sealed class Account : IdentityUser<Guid>
{
    private Account() { }

    public Account(Login login, string displayName, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        UserName = login.Value;
        Email = login.IsEmail ? login.Value : null;
        PhoneNumber = login.IsEmail ? null : login.Value;
        DisplayName = displayName;
        CreatedAt = now;
        // Set here and not by Identity, so that an account can be written together with what it belongs to.
        SecurityStamp = Guid.NewGuid().ToString("N");
    }

    [Personal(Mask.Name)]
    public string DisplayName { get; private set; } = "";

    /// <summary>The platform's operator creates organizations; it has no say inside them.</summary>
    public bool IsOperator { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public void MakeOperator() => IsOperator = true;

    internal sealed class Configuration : IEntityTypeConfiguration<Account>
    {
        public void Configure(EntityTypeBuilder<Account> builder)
        {
            builder.ToTable("accounts");
            builder.Property(account => account.Id).ValueGeneratedNever();
            builder.Property(account => account.DisplayName).HasMaxLength(100);
            // Nobody is looked for by an e-mail address that is no login.
            builder.Metadata.RemoveIndex(builder.HasIndex(account => account.NormalizedEmail).Metadata);
            // A login names one account.
            builder.HasIndex(account => account.NormalizedUserName).IsUnique().HasDatabaseName("login_taken");
        }
    }
}

/// <summary>What an account signs in with, in the one spelling that is kept: an e-mail address in lower case, or an E.164 phone number.</summary>
internal readonly partial record struct Login(string Value, bool IsEmail)
{
    public static Login? Parse(string? text)
    {
        text = text?.Trim() ?? "";
        if (text.Length > 254) return null;
        if (Email().IsMatch(text)) return new Login(text.ToLowerInvariant(), true);

        var digits = text.Replace(" ", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);
        // A mainland mobile number is written without its country code at home.
        if (MainlandMobile().IsMatch(digits)) return new Login("+86" + digits, false);
        return Phone().IsMatch(digits) ? new Login(digits, false) : null;
    }

    [GeneratedRegex(@"^[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*$")]
    private static partial Regex Email();

    [GeneratedRegex("^1[3-9][0-9]{9}$")]
    private static partial Regex MainlandMobile();

    [GeneratedRegex(@"^\+[1-9][0-9]{6,14}$")]
    private static partial Regex Phone();
}
