using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Identity;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Privacy;

/// <summary>What tells who a person is, before they are forgotten: by these they are found where others wrote of them.</summary>
internal sealed class PersonValues
{
    /// <summary>Shorter ones are words of the language too often to be taken for a name wherever they stand.</summary>
    private const int NameOfItsOwn = 3;

    public required Pseudonym Pseudonym { get; init; }

    /// <summary>What they are and were called, with their account and their guardian.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>Their numbers as a volunteer, now and before.</summary>
    public required IReadOnlyList<string> Numbers { get; init; }

    /// <summary>Digits alone, without China's country code.</summary>
    public required IReadOnlyList<string> Phones { get; init; }

    public required IReadOnlyList<string> Documents { get; init; }

    public required IReadOnlyList<string> Emails { get; init; }

    /// <summary>Names of others within which one of theirs stands: 李明 is not meant by 李明华.</summary>
    public required IReadOnlyList<string> LongerNames { get; init; }

    /// <summary>Theirs and somebody else's.</summary>
    public required IReadOnlySet<string> SharedNames { get; init; }

    public static async Task<PersonValues> Of(Guid organization, Volunteer? volunteer, Account? account, Pseudonym pseudonym, VolunteersDb db, PersonalSeal seal, CancellationToken ct)
    {
        var id = volunteer?.Id;
        var former = await db.FormerStates.Where(f => f.OrganizationId == organization && f.SubjectId == id).Select(f => new { f.Name, f.Number }).ToListAsync(ct);
        var document = await db.IdentityDocuments.AsNoTracking().SingleOrDefaultAsync(d => d.OrganizationId == organization && d.VolunteerId == id, ct);
        string[] names = [.. new[] { volunteer?.Name, account?.DisplayName, volunteer?.GuardianName }.Concat(former.Select(f => f.Name)).OfType<string>().Where(name => name.Length > 1).Distinct()];
        var alike = await db.Volunteers.Where(v => v.OrganizationId == organization && v.Id != id && v.ErasedAt == null && names.Any(name => v.Name.Contains(name)))
            .Select(v => v.Name).Distinct().OrderBy(name => name).Take(10_000).ToListAsync(ct);
        return new PersonValues
        {
            Pseudonym = pseudonym,
            Names = names,
            Numbers = [.. former.Select(f => f.Number).Append(volunteer?.Number).OfType<string>().Distinct()],
            Phones = [.. new[] { volunteer?.Phone, volunteer?.GuardianPhone, account?.PhoneNumber }.Select(ImportIdentity.PhoneKey).OfType<string>().Distinct()],
            // Without its key a number cannot be found elsewhere; it is forgotten all the same.
            Documents = document is not null && seal.Opens(document.KeyId) ? [document.Open(seal)] : [],
            Emails = account?.Email is { } email ? [email] : [],
            LongerNames = [.. alike.Where(name => !names.Contains(name)).OrderByDescending(name => name.Length)],
            SharedNames = alike.Where(names.Contains).ToHashSet(),
        };
    }

    /// <summary>The last four digits, which a row of a file keeps of a phone.</summary>
    public IEnumerable<string> PhoneTails => Phones.Where(phone => phone.Length >= 4).Select(phone => phone[^4..]);

    /// <summary>What stands in a text as it is: a part of a search.</summary>
    public IEnumerable<string> Literal => [.. Names, .. Documents, .. Emails, .. Numbers.Where(IsOneOfItsOwn)];

    /// <summary>A text about them, without what tells who they are.</summary>
    public string WithoutThem(string text) => Replace(text, Names, Numbers.Where(IsOneOfItsOwn));

    /// <summary>A text about something else: a name that may be another's or a word stays, unless it is all of the text.</summary>
    public string WithoutThemElsewhere(string text) => Names.Contains(text) && !SharedNames.Contains(text)
        ? Pseudonym.Name
        : Replace(text, Names.Where(name => name.Length >= NameOfItsOwn && !SharedNames.Contains(name)), Numbers.Where(IsOneOfItsOwn));

    /// <summary>The name of a thing, which may be called after them.</summary>
    public string WithoutNumbers(string text) => Replace(text, [], []);

    /// <summary>Four digits are a year; a number with letters, or a long one, is nobody else's.</summary>
    private static bool IsOneOfItsOwn(string number) => number.Length >= 6 || (number.Length >= 4 && number.Any(char.IsLetter));

    private string Replace(string text, IEnumerable<string> names, IEnumerable<string> numbers)
    {
        foreach (var document in Documents) text = Regex.Replace(text, Bounded(Regex.Escape(document)), "***", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
        foreach (var email in Emails) text = Regex.Replace(text, Bounded(Regex.Escape(email)), "***", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
        foreach (var phone in Phones)
            text = Regex.Replace(text, @"(?<![0-9])(\+?(00)?86[\s()-]*)?" + string.Join(@"[\s()\-]*", phone.Select(digit => digit)) + "(?![0-9])", "***");
        foreach (var number in numbers) text = Regex.Replace(text, Bounded(Regex.Escape(number)), Pseudonym.Number);
        foreach (var name in names.OrderByDescending(name => name.Length))
        {
            var longer = LongerNames.Where(other => other.Contains(name, StringComparison.Ordinal)).Select(Regex.Escape);
            text = Regex.Replace(text, string.Join('|', longer.Append($"(?<name>{Bounded(Regex.Escape(name))})")),
                found => found.Groups["name"].Success ? Pseudonym.Name : found.Value, RegexOptions.CultureInvariant);
        }
        return text;
    }

    /// <summary>A word in Latin letters, or a number, ends where no more of its kind follow; Chinese has no such ends.</summary>
    private static string Bounded(string pattern) => $"{(StartsLatin(pattern) ? "(?<![A-Za-z0-9])" : "")}{pattern}{(EndsLatin(pattern) ? "(?![A-Za-z0-9])" : "")}";

    private static bool StartsLatin(string pattern) => char.IsAsciiLetterOrDigit(pattern[0]);

    private static bool EndsLatin(string pattern) => char.IsAsciiLetterOrDigit(pattern[^1]);
}
