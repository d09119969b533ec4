using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Platform;

namespace Volunteers.Features.Volunteers;

/// <summary>
/// Until when a guardian decides, reckoned on the organization's local day; from the birthday on it no longer does. Of a child
/// (below 14 by default: PIPL, Article 31) nothing is recorded without the guardian's consent; a minor (below 18) neither
/// becomes active nor takes part without it. Whose birth date is not known counts as grown up.
/// </summary>
internal sealed record AgeLimits(DateOnly Today, int ForData, int ForService)
{
    /// <summary>Whoever was born after this day is a child. Born on 29 February, one grows a year older on 1 March.</summary>
    public DateOnly ChildrenBornAfter => Today.AddYears(-ForData);

    /// <summary>Whoever was born after this day is a minor.</summary>
    public DateOnly MinorsBornAfter => Today.AddYears(-ForService);

    public static AgeLimits Of(Organization organization, DateTimeOffset now) =>
        new(organization.DayOf(now), organization.Settings.GuardianForDataBelow, organization.Settings.GuardianForServiceBelow);

    public bool IsChild(DateOnly? birthDate) => birthDate > ChildrenBornAfter;

    public bool IsMinor(DateOnly? birthDate) => birthDate > MinorsBornAfter;

    public RuleBreach DataRefused => new("guardian_consent_needed_for_data", ForData);

    public RuleBreach ServiceRefused => new("guardian_consent_needed", ForService);
}

internal static class GuardianQueries
{
    /// <summary>Those of these people about whom nothing may be recorded until a guardian agrees.</summary>
    public static Task<List<Guid>> ChildrenWithoutConsent(this VolunteersDb db, Organization organization, Guid[] people, DateTimeOffset now, CancellationToken ct) =>
        db.WithoutConsent(organization, people, AgeLimits.Of(organization, now).ChildrenBornAfter, ct);

    /// <summary>Those of these people who may not take part until a guardian agrees.</summary>
    public static Task<List<Guid>> MinorsWithoutConsent(this VolunteersDb db, Organization organization, Guid[] people, DateTimeOffset now, CancellationToken ct) =>
        db.WithoutConsent(organization, people, AgeLimits.Of(organization, now).MinorsBornAfter, ct);

    /// <exception cref="RuleBreach">A child whose guardian has not agreed.</exception>
    public static async Task RefuseDataOfChild(this VolunteersDb db, Organization organization, Guid volunteerId, DateTimeOffset now, CancellationToken ct)
    {
        if ((await db.ChildrenWithoutConsent(organization, [volunteerId], now, ct)).Count > 0) throw AgeLimits.Of(organization, now).DataRefused;
    }

    private static Task<List<Guid>> WithoutConsent(this VolunteersDb db, Organization organization, Guid[] people, DateOnly bornAfter, CancellationToken ct) =>
        db.Volunteers.Where(v => v.OrganizationId == organization.Id && people.Contains(v.Id) && v.GuardianName == null && v.BirthDate > bornAfter)
            .Select(v => v.Id).ToListAsync(ct);
}
