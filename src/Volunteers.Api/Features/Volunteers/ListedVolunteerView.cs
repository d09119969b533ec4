using System.Linq.Expressions;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Volunteers;

/// <summary>Which volunteers to list.</summary>
/// <param name="Q">Part of the name, or the beginning of the number; phones are never searched.</param>
/// <param name="Team">Current members of this team.</param>
/// <param name="Hometown">Exactly this hometown.</param>
/// <param name="Status">Where they stand.</param>
/// <param name="Skill">Who has this skill.</param>
/// <param name="ConsentWithdrawn">Who took a consent back that is needed.</param>
/// <param name="GuardianMissing">Minors whose guardian has not agreed.</param>
/// <param name="HasApplication">Whether an application waits for an answer: of newcomers, and of people known already who applied again.</param>
internal sealed record VolunteerFilter(
    [property: FromQuery, Personal(Mask.Hidden)] string? Q = null, [property: FromQuery] Guid? Team = null, [property: FromQuery, Personal(Mask.Hidden)] string? Hometown = null,
    [property: FromQuery] VolunteerStatus? Status = null, [property: FromQuery] string? Skill = null,
    [property: FromQuery] bool? ConsentWithdrawn = null, [property: FromQuery] bool? GuardianMissing = null, [property: FromQuery] bool? HasApplication = null)
{
    public IQueryable<Volunteer> Apply(IQueryable<Volunteer> volunteers, Tenant tenant, AgeLimits ages, VolunteersDb db)
    {
        if (Q is { } q) volunteers = volunteers.Where(v => v.Name.Contains(q) || v.Number.StartsWith(q));
        // Of which other teams their members are is nothing that a team coordinator finds out by asking.
        if (Team is { } team)
            volunteers = volunteers.Where(v => (tenant.ReadsAll || tenant.Teams.Contains(team) || v.Id == tenant.VolunteerId) && db.TeamMembers.Any(m =>
                m.OrganizationId == v.OrganizationId && m.VolunteerId == v.Id && m.TeamId == team && m.LeftOn == null));
        if (Hometown is { } hometown) volunteers = volunteers.Where(v => v.Hometown == hometown);
        if (Status is { } status) volunteers = volunteers.Where(v => v.Status == status);
        if (Skill is { } skill) volunteers = volunteers.Where(v => v.Skills.Any(s => s.Name == skill));
        if (ConsentWithdrawn is { } withdrawn) volunteers = volunteers.Where(v => v.WithdrawnConsents.Count > 0 == withdrawn);
        if (GuardianMissing is { } missing)
        {
            var bornAfter = ages.MinorsBornAfter;
            volunteers = volunteers.Where(v => (v.GuardianName == null && v.BirthDate != null && v.BirthDate > bornAfter) == missing);
        }
        if (HasApplication is { } waits) volunteers = volunteers.Where(v => (v.Status == VolunteerStatus.Applied || v.AppliedAt != null) == waits);
        return volunteers;
    }

    internal sealed class Validator : AbstractValidator<VolunteerFilter>
    {
        public Validator()
        {
            RuleFor(filter => filter.Q).Length(1, 100);
            RuleFor(filter => filter.Hometown).Length(1, 50);
            RuleFor(filter => filter.Skill).Length(1, 50);
        }
    }
}

/// <summary>A person in a list: what tells people apart, not what reaches them. The profile itself has more, for those who may see it.</summary>
/// <param name="Id">Who.</param>
/// <param name="Number">Unique in the organization.</param>
/// <param name="Name">Their name.</param>
/// <param name="Phone">Masked, for instance <c>138****5678</c>; whole for oneself.</param>
/// <param name="Hometown">Where they come from.</param>
/// <param name="BirthYear">The year of birth.</param>
/// <param name="Skills">What they can do.</param>
/// <param name="JoinedOn">Local day.</param>
/// <param name="Status">Where they stand with the organization.</param>
/// <param name="Consent">What they agreed to.</param>
/// <param name="WithdrawnConsents">What is needed and was taken back: the profile is paused until it is given again.</param>
/// <param name="GuardianMissing">They are a minor today, and no guardian has agreed.</param>
/// <param name="AccountId">The account that is this person here.</param>
/// <param name="Application">What waits for an answer, for those who may answer it; null for everybody else.</param>
/// <param name="CreatedAt">When the profile was made.</param>
/// <param name="Version">Grows by one with every change of the profile.</param>
internal sealed record ListedVolunteerView(
    Guid Id, string Number, string Name, string? Phone, string? Hometown, int? BirthYear, IReadOnlyList<Skill> Skills, DateOnly JoinedOn,
    VolunteerStatus Status, Consent? Consent, IReadOnlyList<string> WithdrawnConsents, bool GuardianMissing, Guid? AccountId, ApplicationView? Application, DateTimeOffset CreatedAt, long Version) : IVersioned, IAboutVolunteer
{
    Guid? IAboutVolunteer.VolunteerId => Id;

    public static Expression<Func<Volunteer, ListedVolunteerView>> Projection(Tenant tenant, AgeLimits ages, VolunteersDb db)
    {
        var (self, answers, minorsBornAfter) = (tenant.VolunteerId, tenant.CoordinatesAll, ages.MinorsBornAfter);
        return v => new ListedVolunteerView(
            v.Id, v.Number, v.Name, v.Id == self ? v.Phone : PersonPhone.Masked(v.Phone), v.Hometown, v.BirthDate == null ? null : v.BirthDate.Value.Year, v.Skills,
            v.JoinedOn, v.Status, v.ConsentVersion == null ? null : new Consent(v.ConsentVersion, v.ConsentAt!.Value),
            v.WithdrawnConsents, v.GuardianName == null && v.BirthDate > minorsBornAfter,
            db.RoleGrants.Where(g => g.OrganizationId == v.OrganizationId && g.VolunteerId == v.Id).Select(g => (Guid?)g.AccountId).FirstOrDefault(),
            v.AppliedAt == null || !answers ? null : new ApplicationView(v.AppliedAt.Value, v.ApplicationMessage), v.CreatedAt, v.Version);
    }
}
