using Volunteers.Features.Organizations;
using Volunteers.Platform;

namespace Volunteers.Features.Volunteers;

/// <summary>What a row of a roster says of a person.</summary>
internal sealed class ImportReading(Organization organization)
{
    /// <summary>The person as they would be sent to the API, with what the row says in place of what is known.</summary>
    public VolunteerRequest Read(ImportRow<ImportField> row, Volunteer? person, Action<ImportField, string> refuse)
    {
        var current = person is null ? new VolunteerRequest("") : VolunteerRequest.Of(person);
        return current with
        {
            Number = row.Text(ImportField.Number) ?? current.Number,
            Name = row.Text(ImportField.Name) ?? current.Name,
            Phone = row.Text(ImportField.Phone) ?? current.Phone,
            Hometown = row.Text(ImportField.Hometown) ?? current.Hometown,
            Gender = row.Word(ImportField.Gender, ImportColumns.Genders, refuse) ?? current.Gender,
            BirthDate = row.Day(ImportField.BirthDate, refuse) ?? current.BirthDate,
            Residence = row.Text(ImportField.Residence) ?? current.Residence,
            Skills = row.Text(ImportField.Skills) == SkillsOf(current.Skills) ? current.Skills : row.List(ImportField.Skills)?.Distinct().Select(name => current.Skills?.FirstOrDefault(skill => skill.Name == name) ?? new Skill(name)).ToList()
                ?? current.Skills,
            JoinedOn = row.Day(ImportField.JoinedOn, refuse) ?? current.JoinedOn,
            Status = row.Word(ImportField.Status, ImportColumns.Statuses, refuse) ?? current.Status,
            Consent = ConsentOf(row, current.Consent, refuse),
            Guardian = GuardianOf(row, current.Guardian, refuse),
        };
    }

    /// <summary>As a cell holds them. A skill may itself contain what separates two: read as a whole it is what it was.</summary>
    public static string? SkillsOf(IReadOnlyList<Skill>? skills) => skills is { Count: > 0 } ? string.Join('、', skills.Select(skill => skill.Name)) : null;

    private Consent? ConsentOf(ImportRow<ImportField> row, Consent? current, Action<ImportField, string> refuse)
    {
        var version = row.Text(ImportField.ConsentVersion) ?? current?.Version;
        var at = At(row, ImportField.ConsentAt, version == current?.Version ? current?.At : null, refuse);
        if (version is null && at is null) return null;
        if (version is null) refuse(ImportField.ConsentVersion, "consent_incomplete");
        else if (at is null && row.Text(ImportField.ConsentAt) is null) refuse(ImportField.ConsentAt, "consent_incomplete");
        return version is null || at is null ? null : new Consent(version, at.Value);
    }

    /// <summary>All five, or what is known of them; none of them alone.</summary>
    private Guardian? GuardianOf(ImportRow<ImportField> row, Guardian? current, Action<ImportField, string> refuse)
    {
        var name = row.Text(ImportField.GuardianName) ?? current?.Name;
        var phone = row.Text(ImportField.GuardianPhone) ?? current?.Phone;
        var relation = row.Text(ImportField.GuardianRelation) ?? current?.Relation;
        var version = row.Text(ImportField.GuardianConsentVersion) ?? current?.Version;
        var at = At(row, ImportField.GuardianConsentAt, version == current?.Version ? current?.At : null, refuse);
        if (name is null && phone is null && relation is null && version is null && at is null) return null;
        if (name is not null && phone is not null && relation is not null && version is not null && at is not null) return new Guardian(name, phone, relation, version, at.Value);

        refuse(name is null ? ImportField.GuardianName : phone is null ? ImportField.GuardianPhone : relation is null ? ImportField.GuardianRelation
            : version is null ? ImportField.GuardianConsentVersion : ImportField.GuardianConsentAt, "guardian_incomplete");
        return null;
    }

    /// <summary>An instant, or a local day for its beginning.</summary>
    private DateTimeOffset? At(ImportRow<ImportField> row, ImportField field, DateTimeOffset? current, Action<ImportField, string> refuse) =>
        row.Text(field) is not { } text ? current
        : Instant.TryParse(text, out var instant) ? instant
        : row.Day(field, refuse) is { } day ? organization.StartOf(day) : null;
}
