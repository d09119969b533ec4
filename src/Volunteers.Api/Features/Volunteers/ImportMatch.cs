using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Platform;

namespace Volunteers.Features.Volunteers;

/// <summary>By what a row names a person.</summary>
/// <param name="Row">The row, as the spreadsheet numbers it.</param>
/// <param name="Number">The volunteer number.</param>
/// <param name="Phone">As it is written.</param>
/// <param name="Name">As it is written.</param>
/// <param name="BirthDate">The day of birth.</param>
/// <param name="Marks">The keyed hashes of an identity number, in hexadecimal: nothing else of it is compared.</param>
internal sealed record ImportIdentity(int Row, string? Number, string? Phone, string? Name, DateOnly? BirthDate, IReadOnlyList<string> Marks)
{
    /// <summary>The digits of a phone number, without the country code of China.</summary>
    public static string? PhoneKey(string? phone)
    {
        if (phone is null) return null;
        var digits = string.Concat(phone.Where(char.IsAsciiDigit));
        foreach (var code in ChinaCodes)
            if (digits.Length == code.Length + 11 && digits.StartsWith(code, StringComparison.Ordinal)) return digits[code.Length..];
        return digits.Length > 0 ? digits : null;
    }

    public static readonly string[] ChinaCodes = ["86", "0086"];

    public string? PhoneDigits => PhoneKey(Phone);

    /// <summary>Families share a phone: with numbers and names of their own they are two people.</summary>
    public bool IsSomebodyElseThan(ImportIdentity other) =>
        Name is not null && other.Name is not null && Name != other.Name && Number is not null && other.Number is not null && Number != other.Number;
}

/// <summary>Reads from rows by what they name people.</summary>
internal sealed class ImportIdentities(Organization organization, PersonalSeal seal, DateTimeOffset now)
{
    private readonly DateOnly today = organization.DayOf(now);

    public ImportIdentity Of(ImportRow<ImportField> row) => new(row.Number, row.Text(ImportField.Number), row.Text(ImportField.Phone),
        row.Text(ImportField.Name), row.Day(ImportField.BirthDate, (_, _) => { }), MarksOf(row));

    /// <summary>Null where there is none, or none that could be one.</summary>
    public string? NumberOf(ImportRow<ImportField> row) =>
        row.Text(ImportField.IdentityNumber) is { Length: <= 40 } text && IdentityNumber.IsValid(IdentityKind.ResidentId, text, today) ? IdentityNumber.Plain(text) : null;

    private string[] MarksOf(ImportRow<ImportField> row) => NumberOf(row) is { } number
        ? [.. IdentityDocument.HashesOf(organization.Id, IdentityKind.ResidentId, number, seal).Select(hash => Convert.ToHexString(hash.Hash))]
        : [];
}

/// <summary>Finds the person a row is about: by number, then by identity number, then by phone, then by name and birth date.</summary>
internal sealed class ImportMatch
{
    private readonly Dictionary<string, ImportCandidate> byNumber;
    private readonly ILookup<string, ImportCandidate> byPhone;
    private readonly ILookup<(string Name, DateOnly BirthDate), ImportCandidate> byBirth;
    private readonly Dictionary<string, ImportCandidate> byMark;
    private readonly ImportRepeats repeats = new();

    private ImportMatch(IReadOnlyCollection<ImportCandidate> candidates, Dictionary<string, Guid> marks)
    {
        var byId = candidates.ToDictionary(person => person.Id);
        byMark = marks.Where(mark => byId.ContainsKey(mark.Value)).ToDictionary(mark => mark.Key, mark => byId[mark.Value]);
        byNumber = candidates.ToDictionary(person => person.Number);
        byPhone = candidates.Where(person => ImportIdentity.PhoneKey(person.Phone) is not null).ToLookup(person => ImportIdentity.PhoneKey(person.Phone)!);
        byBirth = candidates.Where(person => person.BirthDate is not null).ToLookup(person => (person.Name, person.BirthDate!.Value));
    }

    public static async Task<ImportMatch> Load(VolunteersDb db, Guid organizationId, IReadOnlyList<ImportIdentity> people, CancellationToken ct)
    {
        var numbers = people.Where(person => person.Number is not null).Select(person => person.Number!).ToArray();
        var names = people.Where(person => person is { Name: not null, BirthDate: not null }).Select(person => person.Name!).Distinct().ToArray();
        var phones = people.Where(person => person.PhoneDigits is not null).Select(person => person.PhoneDigits!).Distinct()
            .SelectMany(phone => ImportIdentity.ChinaCodes.Select(code => code + phone).Prepend(phone)).ToArray();
        var hashes = people.SelectMany(person => person.Marks).Select(Convert.FromHexString).ToArray();
        var marks = hashes.Length == 0 ? [] : await db.IdentityMarks.Where(m => m.OrganizationId == organizationId && hashes.Contains(m.Hash))
            .Select(m => new { m.Hash, m.VolunteerId }).ToListAsync(ct);
        var marked = marks.Select(mark => mark.VolunteerId).ToArray();
        return new ImportMatch(await db.Volunteers.Where(v => v.OrganizationId == organizationId)
            .Where(v => numbers.Contains(v.Number) || marked.Contains(v.Id) || (v.BirthDate != null && names.Contains(v.Name))
                || phones.Contains(v.Phone!.Replace(" ", "").Replace("-", "").Replace("(", "").Replace(")", "").Replace("+", "")))
            .Select(v => new ImportCandidate(v.Id, v.Number, v.Phone, v.Name, v.BirthDate,
                db.IdentityDocuments.Any(d => d.OrganizationId == organizationId && d.VolunteerId == v.Id && d.Kind == IdentityKind.ResidentId)))
            .ToListAsync(ct), marks.ToDictionary(mark => Convert.ToHexString(mark.Hash), mark => mark.VolunteerId));
    }

    /// <returns>Whom the row is about; null for somebody new. False when that cannot be told.</returns>
    public bool TryFind(ImportIdentity row, out Guid? person)
    {
        var samePhone = row.PhoneDigits is { } phone ? byPhone[phone].ToArray() : [];
        var sameBirth = row is { Name: { } name, BirthDate: { } day } ? byBirth[(name, day)].ToArray() : [];
        var proven = row.Marks.Select(byMark.GetValueOrDefault).FirstOrDefault(found => found is not null);
        if (proven is not null)
        {
            person = proven.Id;
            // Two people may not have one number; a number that nobody has becomes theirs.
            return row.Number is null || !byNumber.TryGetValue(row.Number, out var other) || other == proven;
        }
        if (row.Number is not null && byNumber.TryGetValue(row.Number, out var numbered))
        {
            person = numbered.Id;
            // The phone says somebody else, and the name does not settle it.
            return samePhone.Length == 0 || samePhone.Contains(numbered) || row.Name is null || row.Name == numbered.Name;
        }
        var found = samePhone.Length > 0 ? samePhone : sameBirth;
        if (found.Length > 1) found = [.. found.Where(candidate => candidate.Name == row.Name && (samePhone.Length == 0 || sameBirth.Length == 0 || sameBirth.Contains(candidate)))];
        else if (found.Length == 0)
        {
            person = null;
            return true;
        }
        person = found.Length == 1 ? found[0].Id : null;
        // A number that nobody has and a name that is not theirs: somebody else with the same phone.
        return found.Length == 1 && (row.Number is null || row.Name is null || row.Name == found[0].Name)
            // Of somebody whose document is known the row would have the number.
            && (row.Marks.Count == 0 || !found[0].HasResidentId);
    }

    /// <inheritdoc cref="ImportRepeats.Of"/>
    public ImportIdentity? Repeats(ImportIdentity row, Guid? person) => repeats.Of(row, person);
}

/// <summary>Tells rows of one file that are about the same person.</summary>
internal sealed class ImportRepeats
{
    private readonly Dictionary<object, ImportIdentity> seen = [];

    /// <returns>The earlier row that is about the same person.</returns>
    public ImportIdentity? Of(ImportIdentity row, Guid? person)
    {
        ImportIdentity? earlier = null;
        foreach (var key in Keys(row, person))
            if (!seen.TryAdd(key, row) && seen[key].Row != row.Row && !(key is string && seen[key].IsSomebodyElseThan(row))) earlier ??= seen[key];
        return earlier;
    }

    private static IEnumerable<object> Keys(ImportIdentity row, Guid? person)
    {
        if (person is { } id) yield return id;
        if (row.Number is { } number) yield return ("number", number);
        if (row.Marks.Count > 0) yield return ("document", row.Marks[0]);
        if (row is { Name: { } name, BirthDate: { } day }) yield return (name, day);
        if (row.PhoneDigits is { } phone) yield return phone;
    }
}

internal sealed record ImportCandidate(Guid Id, string Number, string? Phone, string Name, DateOnly? BirthDate, bool HasResidentId);
