using System.Text.RegularExpressions;
using Volunteers.Platform;

namespace Volunteers.Features.Volunteers;

/// <summary>What somebody proves who they are with.</summary>
internal enum IdentityKind
{
    /// <summary>居民身份证</summary>
    ResidentId,

    /// <summary>港澳台居民居住证</summary>
    ResidencePermit,

    /// <summary>港澳居民来往内地通行证</summary>
    HkMacauPermit,

    /// <summary>台湾居民来往大陆通行证</summary>
    TaiwanPermit,

    /// <summary>护照</summary>
    Passport,

    /// <summary>Any other document with a number.</summary>
    Other,
}

/// <summary>The number of an identity document: how it is written, checked, and shown.</summary>
internal static partial class IdentityNumber
{
    /// <summary>GB/T 2260: the provinces, by the first two digits; Hong Kong, Macau and Taiwan stand on residence permits only.</summary>
    private static readonly HashSet<string> Provinces =
    [
        "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42", "43", "44", "45", "46",
        "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71",
    ];

    private static readonly HashSet<string> PermitRegions = ["81", "82", "83"];

    private static readonly int[] Weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

    /// <summary>Without the blanks and hyphens of print, in capitals.</summary>
    public static string Plain(string number) => string.Concat(number.Where(c => c is not (' ' or '-'))).ToUpperInvariant();

    /// <param name="kind">Of which document.</param>
    /// <param name="number">As somebody wrote it.</param>
    /// <param name="latestBirth">Nobody is born after this day.</param>
    public static bool IsValid(IdentityKind kind, string number, DateOnly latestBirth) => Plain(number) is var plain && kind switch
    {
        IdentityKind.ResidentId => IsChecked(plain, Provinces, latestBirth),
        IdentityKind.ResidencePermit => IsChecked(plain, PermitRegions, latestBirth),
        IdentityKind.HkMacauPermit => HkMacauPermit().IsMatch(plain),
        IdentityKind.TaiwanPermit => TaiwanPermit().IsMatch(plain),
        _ => LettersAndDigits().IsMatch(plain),
    };

    /// <summary>The day of birth that a number of 18 digits says; null where the number says none.</summary>
    public static DateOnly? BirthDateOf(IdentityKind kind, string number) =>
        kind is IdentityKind.ResidentId or IdentityKind.ResidencePermit && Instant.TryParseDay($"{number[6..10]}-{number[10..12]}-{number[12..14]}", out var day) ? day : null;

    /// <summary><c>440***********1234</c>: who has the document in hand recognizes it. Of shorter numbers less is left.</summary>
    public static string Masked(string number)
    {
        var (head, tail) = number.Length switch { >= 15 => (3, 4), >= 8 => (1, 2), _ => (0, 1) };
        return number[..head] + new string('*', number.Length - head - tail) + number[^tail..];
    }

    /// <summary>GB 11643: six digits of a region, eight of a birth date, three of a sequence, and a check digit by ISO 7064, MOD 11-2.</summary>
    private static bool IsChecked(string plain, HashSet<string> regions, DateOnly latestBirth)
    {
        if (!EighteenDigits().IsMatch(plain) || !regions.Contains(plain[..2])) return false;
        if (BirthDateOf(IdentityKind.ResidentId, plain) is not { } birth || birth > latestBirth) return false;
        var sum = Weights.Select((weight, i) => weight * (plain[i] - '0')).Sum();
        return plain[17] == "10X98765432"[sum % 11];
    }

    [GeneratedRegex(@"^[0-9]{17}[0-9X]\z")]
    private static partial Regex EighteenDigits();

    [GeneratedRegex(@"^[HM][0-9]{8}([0-9]{2})?\z")]
    private static partial Regex HkMacauPermit();

    [GeneratedRegex(@"^([0-9]{8}|[0-9]{10}[A-Z]?)\z")]
    private static partial Regex TaiwanPermit();

    [GeneratedRegex(@"^[A-Z0-9]{5,30}\z")]
    private static partial Regex LettersAndDigits();
}
