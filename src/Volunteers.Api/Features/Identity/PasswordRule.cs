using System.Collections.Frozen;
using Microsoft.AspNetCore.Identity;
using Volunteers.Platform;

namespace Volunteers.Features.Identity;

/// <summary>
/// Which passwords are taken, as NIST SP 800-63B (3.1.1.2) says: eight characters or more, any of them, nothing that many people use
/// or that stands beside it in the account. No rule of digits and signs, which only makes Password1! of password.
/// </summary>
internal sealed class PasswordRule : IPasswordValidator<Account>
{
    public const int Shortest = 8;
    public const int Longest = 128;

    private static readonly Lazy<FrozenSet<string>> Common = new(Read);

    public Task<IdentityResult> ValidateAsync(UserManager<Account> manager, Account user, string? password) => Task.FromResult(
        Takes(password ?? "", user.UserName, user.DisplayName)
            ? IdentityResult.Success
            : IdentityResult.Failed(new IdentityError { Code = "PasswordIsGuessed", Description = Messages.Detail("weak_password") }));

    /// <exception cref="RuleBreach">400: others would guess it.</exception>
    public static void Check(string password, string pointer, params string?[] beside)
    {
        if (!Takes(password, beside)) throw RuleBreach.Malformed("weak_password", pointer);
    }

    /// <param name="password">As it was typed.</param>
    /// <param name="beside">What everybody can read beside it: the login, the name.</param>
    public static bool Takes(string password, params string?[] beside)
    {
        if (password.Length is < Shortest or > Longest) return false;
        var typed = password.Trim().ToLowerInvariant();
        return typed.Distinct().Count() > 2 && !Common.Value.Contains(typed)
            && !beside.OfType<string>().SelectMany(WordsOf).Any(word => word.Equals(typed, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>A login itself, an e-mail address without its domain, a phone number without its country.</summary>
    private static IEnumerable<string> WordsOf(string text)
    {
        yield return text.Trim();
        if (Login.Parse(text) is not { } login) yield break;
        yield return login.Value;
        yield return login.IsEmail ? login.Value[..login.Value.IndexOf('@', StringComparison.Ordinal)] : login.Value.TrimStart('+');
        if (login.Value.StartsWith("+86", StringComparison.Ordinal)) yield return login.Value[3..];
    }

    private static FrozenSet<string> Read()
    {
        using var list = new StreamReader(typeof(PasswordRule).Assembly.GetManifestResourceStream("Volunteers.Features.Identity.CommonPasswords.txt")!);
        return list.ReadToEnd().Split('\n').Where(line => line.Length > 0 && !line.StartsWith("# ", StringComparison.Ordinal)).ToFrozenSet(StringComparer.Ordinal);
    }
}
