using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Volunteers;

namespace Volunteers.Features.Reconciliation;

/// <summary>A person as a row of an export names them.</summary>
internal sealed record UpstreamPerson(string? Number, string? Phone, string? Name);

/// <summary>Finds the volunteer that a row is about: by number, else by phone, else by a name that only one can mean.</summary>
internal sealed class PeopleMatch
{
    private readonly Dictionary<string, Known> byNumber;
    private readonly ILookup<string, Known> byPhone;
    private readonly ILookup<string, Known> byName;
    private readonly HashSet<(Guid VolunteerId, DateOnly Day)> serving;

    private PeopleMatch(IReadOnlyCollection<Known> people, HashSet<(Guid VolunteerId, DateOnly Day)> serving)
    {
        this.serving = serving;
        byNumber = people.ToDictionary(person => person.Number);
        byPhone = people.Where(person => ImportIdentity.PhoneKey(person.Phone) is not null).ToLookup(person => ImportIdentity.PhoneKey(person.Phone)!);
        byName = people.ToLookup(person => Plain(person.Name));
    }

    /// <param name="db">Read only.</param>
    /// <param name="organizationId">Whose people.</param>
    /// <param name="serving">Who gave service here on which day: of several with one name, the one who did is meant.</param>
    /// <param name="ct">Ends it.</param>
    public static async Task<PeopleMatch> Load(VolunteersDb db, Guid organizationId, HashSet<(Guid VolunteerId, DateOnly Day)> serving, CancellationToken ct) =>
        new(await db.Volunteers.Where(v => v.OrganizationId == organizationId && v.Status != VolunteerStatus.Applied)
            .Select(v => new Known(v.Id, v.Number, v.Phone, v.Name)).ToListAsync(ct), serving);

    public (Guid? VolunteerId, string? Code) Find(UpstreamPerson person, DateOnly day)
    {
        var name = person.Name is null ? null : Plain(person.Name);
        var samePhone = ImportIdentity.PhoneKey(person.Phone) is { } phone ? byPhone[phone].ToArray() : [];
        if (person.Number is not null && byNumber.TryGetValue(person.Number, out var numbered))
            // A number that says one person and a name that says another, with no phone to settle it: hours must not go astray.
            return name is null || name == Plain(numbered.Name) || samePhone.Contains(numbered) ? (numbered.Id, null) : (null, "number_and_name_differ");

        // Families share a phone.
        var named = name is null ? samePhone : [.. samePhone.Where(known => Plain(known.Name) == name)];
        if (named.Length == 0 && name is not null) named = [.. byName[name]];
        if (named.Length > 1 && named.Where(known => serving.Contains((known.Id, day))).ToArray() is [var served]) return (served.Id, null);
        return named switch
        {
            [var one] => (one.Id, null),
            [] when person is { Number: null, Phone: null, Name: null } => (null, "person_missing"),
            [] => (null, "nobody_found"),
            _ => (null, "several_found"),
        };
    }

    private static string Plain(string name) => string.Concat(name.Where(c => !char.IsWhiteSpace(c))).ToLowerInvariant();

    private sealed record Known(Guid Id, string Number, string? Phone, string Name);
}
