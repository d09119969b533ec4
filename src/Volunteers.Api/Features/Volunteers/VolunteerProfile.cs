namespace Volunteers.Features.Volunteers;

/// <summary>Where somebody stands with the organization.</summary>
internal enum VolunteerStatus
{
    Applied,
    Active,
    Paused,
    Left,
}

internal enum Gender
{
    Female,
    Male,
    Other,
}

/// <summary>Something a volunteer can do, and until when that holds.</summary>
/// <param name="Name">For instance <c>first aid</c>; at most 50 characters.</param>
/// <param name="ExpiresOn">The last day on which it holds; null when it does not end.</param>
internal sealed record Skill(string Name, DateOnly? ExpiresOn = null);

/// <summary>What the person agreed to, without which their data may not be kept.</summary>
/// <param name="Version">Which text they agreed to; at most 50 characters.</param>
/// <param name="At">When.</param>
internal sealed record Consent(string Version, DateTimeOffset At);

/// <summary>Who decides for a minor, and that they agreed.</summary>
/// <param name="Name">At most 100 characters.</param>
/// <param name="Phone">Where to reach them; at most 30 characters, as a volunteer's own.</param>
/// <param name="Relation">What they are to the minor, for instance <c>mother</c>; at most 30 characters.</param>
/// <param name="Version">Which text they agreed to; at most 50 characters.</param>
/// <param name="At">When.</param>
internal sealed record Guardian(string Name, string Phone, string Relation, string Version, DateTimeOffset At);

/// <summary>What is kept of a person: as little as serves them.</summary>
internal sealed record VolunteerProfile(
    string Name, string? Phone, string? Hometown, Gender? Gender, DateOnly? BirthDate, string? Residence,
    IReadOnlyList<Skill> Skills, DateOnly JoinedOn, VolunteerStatus Status, Consent? Consent, Guardian? Guardian = null)
{
    /// <summary>Whether at most the status, the consent or the guardian is another: nothing else about the person.</summary>
    public bool SaysNoMoreThan(VolunteerProfile before) => Skills.SequenceEqual(before.Skills)
        && this with { Skills = [], Status = default, Consent = null, Guardian = null } == before with { Skills = [], Status = default, Consent = null, Guardian = null };
}
