using System.Diagnostics.CodeAnalysis;

namespace Volunteers.Features.Volunteers;

/// <summary>A person's phone number, as it is written and as it is shown.</summary>
internal static class PersonPhone
{
    public const string Pattern = @"^\+?[0-9 ()\-]{3,29}$(?!\n)";

    /// <summary>
    /// As those see it who need not call: enough to recognize it, with four stars whatever they hide. <c>138****5678</c>, however it was written, with China's country code or without; <c>+447****3456</c> abroad. Of a short
    /// number two digits or none.
    /// </summary>
    [return: NotNullIfNotNull(nameof(phone))]
    public static string? Masked(string? phone)
    {
        if (phone is null) return null;
        var digits = ImportIdentity.PhoneKey(phone) ?? "";
        var (head, tail) = digits.Length switch { >= 11 => (3, 4), >= 8 => (2, 2), >= 5 => (0, 2), _ => (0, 0) };
        var abroad = phone.StartsWith('+') && phone.Count(char.IsAsciiDigit) == digits.Length;
        return $"{(abroad ? "+" : "")}{digits[..head]}****{digits[^tail..]}";
    }
}
