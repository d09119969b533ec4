using FluentValidation;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Volunteers;

/// <summary>A volunteer, as a client writes them.</summary>
/// <param name="Name">At most 100 characters.</param>
/// <param name="Number">Unique in the organization, at most 30 characters; the next one when not given.</param>
/// <param name="Phone">At most 30 characters: digits, spaces, hyphens, parentheses, a leading plus.</param>
/// <param name="Hometown">Where they come from; at most 50 characters.</param>
/// <param name="Gender">If they wish to say.</param>
/// <param name="BirthDate">If the organization needs it.</param>
/// <param name="Residence">Area, not address; at most 100 characters.</param>
/// <param name="Skills">At most 30.</param>
/// <param name="JoinedOn">Local day; today when not given.</param>
/// <param name="Status">Active when not given.</param>
/// <param name="Consent">What the person agreed to, and when.</param>
/// <param name="Guardian">Of a minor: who decides for them, and that they agreed. Below 14 nothing is kept without, below 18 nobody is active; the organization's settings say.</param>
internal sealed record VolunteerRequest(
    string Name, string? Number = null, string? Phone = null, string? Hometown = null, Gender? Gender = null, DateOnly? BirthDate = null,
    string? Residence = null, IReadOnlyList<Skill>? Skills = null, DateOnly? JoinedOn = null,
    VolunteerStatus Status = VolunteerStatus.Active, Consent? Consent = null, Guardian? Guardian = null) : IPerson
{
    public static VolunteerRequest Of(Volunteer v) => new(v.Name, v.Number, v.Phone, v.Hometown, v.Gender, v.BirthDate, v.Residence,
        v.Skills, v.JoinedOn, v.Status, v.Profile.Consent, v.Guardian);

    public VolunteerProfile ToProfile(DateOnly joinedOn) =>
        new(Name, Phone, Hometown, Gender, BirthDate, Residence, Skills ?? [], JoinedOn ?? joinedOn, Status, Consent, Guardian);

    internal sealed class Validator : PersonValidator<VolunteerRequest>
    {
        public Validator(TimeProvider clock) : base(clock)
        {
            RuleFor(request => request.Number).OptionalLine(30).MinimumLength(1);
            RuleFor(request => request.Phone).Cascade(CascadeMode.Stop).NotMasked().Matches(PersonPhone.Pattern);
            RuleFor(request => request.Consent!).ChildRules(consent =>
            {
                consent.RuleFor(c => c.Version).Line(50);
                consent.RuleFor(c => c.At).NotEmpty();
            }).When(request => request.Consent is not null);
            RuleFor(request => request.Guardian!).ChildRules(guardian =>
            {
                guardian.RuleFor(g => g.Name).Line(100);
                guardian.RuleFor(g => g.Phone).Cascade(CascadeMode.Stop).NotEmpty().NotMasked().Matches(PersonPhone.Pattern);
                guardian.RuleFor(g => g.Relation).Line(30);
                guardian.RuleFor(g => g.Version).Line(50);
                guardian.RuleFor(g => g.At).NotEmpty();
            }).When(request => request.Guardian is not null);
        }
    }
}

/// <summary>What anybody says of a person, be it the person.</summary>
internal interface IPerson
{
    string Name { get; }

    string? Hometown { get; }

    DateOnly? BirthDate { get; }

    string? Residence { get; }

    IReadOnlyList<Skill>? Skills { get; }
}

internal abstract class PersonValidator<T> : AbstractValidator<T> where T : IPerson
{
    protected PersonValidator(TimeProvider clock)
    {
        RuleFor(person => person.Name).Line(100);
        RuleFor(person => person.Hometown).OptionalLine(50);
        RuleFor(person => person.BirthDate).Must(day => day is null || day <= DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime.AddDays(1)))
            .WithMessage(_ => Messages.Title("born_in_the_future"));
        RuleFor(person => person.Residence).OptionalLine(100);
        RuleFor(person => person.Skills).Must(skills => skills is null or { Count: <= 30 }).WithMessage(_ => Messages.Title("too_many"));
        RuleForEach(person => person.Skills).NotNull().ChildRules(skill => skill.RuleFor(s => s.Name).Line(50));
    }
}

/// <summary>A person's profile in this organization, whole for themselves and for who coordinates them.</summary>
/// <param name="Id">Who.</param>
/// <param name="Number">Unique in the organization.</param>
/// <param name="Name">Their name.</param>
/// <param name="Phone">As it was written; masked, for instance <c>138****5678</c>, for those who do not coordinate them.</param>
/// <param name="Hometown">Where they come from.</param>
/// <param name="Gender">If they wish to say.</param>
/// <param name="BirthDate">If the organization needs it.</param>
/// <param name="BirthYear">The year of it, for everybody who sees the profile.</param>
/// <param name="Residence">Area, not address.</param>
/// <param name="Skills">What they can do.</param>
/// <param name="JoinedOn">Local day.</param>
/// <param name="Status">Where they stand with the organization.</param>
/// <param name="Consent">What they agreed to.</param>
/// <param name="WithdrawnConsents">What is needed and was taken back: the profile is paused until it is given again.</param>
/// <param name="Guardian">Who decides for a minor, and that they agreed.</param>
/// <param name="GuardianMissing">They are a minor today, and no guardian has agreed.</param>
/// <param name="IdentityDocument">The kind of the document whose number is kept, if one is.</param>
/// <param name="AccountId">The account that is this person here.</param>
/// <param name="Application">What waits for an answer, for those who may answer it; null for everybody else.</param>
/// <param name="Withheld">The members of which the caller is shown less than is known, or nothing; none for who sees the profile whole.</param>
/// <param name="ErasedAt">When whoever this was was forgotten; a pseudonym stands for them since.</param>
/// <param name="CreatedAt">When the profile was made.</param>
/// <param name="Version">Grows by one with every change; the ETag of the resource.</param>
internal sealed record VolunteerView(
    Guid Id, string Number, string Name, string? Phone, string? Hometown, Gender? Gender, DateOnly? BirthDate, int? BirthYear, string? Residence,
    IReadOnlyList<Skill> Skills, DateOnly JoinedOn, VolunteerStatus Status, Consent? Consent, IReadOnlyList<string> WithdrawnConsents,
    Guardian? Guardian, bool GuardianMissing, IdentityKind? IdentityDocument, Guid? AccountId,
    ApplicationView? Application, IReadOnlyList<string> Withheld, DateTimeOffset? ErasedAt, DateTimeOffset CreatedAt, long Version) : IVersioned, IAboutVolunteer
{
    Guid? IAboutVolunteer.VolunteerId => Id;

    /// <summary>As this caller may see it; null when they may not see it at all.</summary>
    public static async Task<VolunteerView?> Find(Guid volunteerId, Tenant tenant, VolunteersDb db, AgeLimits ages, CancellationToken ct) =>
        (await Find(db.Volunteers.VisibleTo(tenant, db).Where(v => v.Id == volunteerId), tenant, db, ages, opened: true, ct)).SingleOrDefault();

    /// <param name="visible">Those whom the caller may see.</param>
    /// <param name="tenant">Who looks.</param>
    /// <param name="db">Where.</param>
    /// <param name="ages">Of today.</param>
    /// <param name="opened">One profile, by who needs it; of many together nobody sees whole but their own.</param>
    /// <param name="ct">Ends it.</param>
    public static async Task<List<VolunteerView>> Find(IQueryable<Volunteer> visible, Tenant tenant, VolunteersDb db, AgeLimits ages, bool opened, CancellationToken ct)
    {
        var found = await visible.AsNoTracking().Select(v => new
        {
            Volunteer = v,
            AccountId = db.RoleGrants.Where(g => g.OrganizationId == v.OrganizationId && g.VolunteerId == v.Id).Select(g => (Guid?)g.AccountId).FirstOrDefault(),
            Document = db.IdentityDocuments.Where(d => d.OrganizationId == v.OrganizationId && d.VolunteerId == v.Id).Select(d => (IdentityKind?)d.Kind).FirstOrDefault(),
            Whole = opened ? db.Volunteers.SeenWholeBy(tenant, db).Any(whole => whole.Id == v.Id) : v.Id == tenant.VolunteerId,
        }).ToListAsync(ct);
        return found.ConvertAll(one => Of(one.Volunteer, one.AccountId, one.Document, one.Whole, tenant, ages));
    }

    private static VolunteerView Of(Volunteer v, Guid? accountId, IdentityKind? document, bool whole, Tenant tenant, AgeLimits ages) => new(
            v.Id, v.Number, v.Name, whole ? v.Phone : PersonPhone.Masked(v.Phone), v.Hometown, whole ? v.Gender : null, whole ? v.BirthDate : null, v.BirthDate?.Year,
            whole ? v.Residence : null, v.Skills, v.JoinedOn, v.Status, v.Profile.Consent,
            v.WithdrawnConsents, whole ? v.Guardian : null, v.GuardianName is null && ages.IsMinor(v.BirthDate),
            whole ? document : null, accountId,
            v.AppliedAt is not { } appliedAt || !tenant.CoordinatesAll ? null : new ApplicationView(appliedAt, v.ApplicationMessage),
            whole ? [] : PersonSight.Withheld, v.ErasedAt, v.CreatedAt, v.Version);
}

/// <summary>A code with which one volunteer can make an account.</summary>
/// <param name="Code">Shown once; hand it to the volunteer.</param>
/// <param name="ExpiresAt">72 hours from now.</param>
internal sealed record InvitationView(string Code, DateTimeOffset ExpiresAt);
