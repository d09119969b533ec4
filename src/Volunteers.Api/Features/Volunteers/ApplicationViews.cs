using FluentValidation;
using Volunteers.Features.Teams;
using Volunteers.Platform;

namespace Volunteers.Features.Volunteers;

/// <summary>Somebody who wishes to become a volunteer.</summary>
/// <param name="Name">At most 100 characters.</param>
/// <param name="Phone">Where a coordinator calls back: at least five digits, with spaces, hyphens, parentheses, a leading plus; at most 30 characters.</param>
/// <param name="Consent">What they agree to; without it their data may not be kept.</param>
/// <param name="Hometown">Where they come from; at most 50 characters.</param>
/// <param name="Gender">If they wish to say.</param>
/// <param name="BirthDate">If the organization needs it.</param>
/// <param name="Residence">Area, not address; at most 100 characters.</param>
/// <param name="Skills">At most 30.</param>
/// <param name="Guardian">Of a minor: who decides for them, and agrees with this application. Below 14 there is none without; the organization's settings say.</param>
/// <param name="Message">To the coordinators, at most 500 characters; kept until they have answered.</param>
internal sealed record ApplicationRequest(
    string Name, string Phone, ApplicationConsent Consent, string? Hometown = null, Gender? Gender = null, DateOnly? BirthDate = null,
    string? Residence = null, IReadOnlyList<Skill>? Skills = null, ApplicationGuardian? Guardian = null, string? Message = null) : IPerson
{
    public VolunteerProfile ToProfile(DateOnly today, DateTimeOffset now) => new(
        Name, Phone, Hometown, Gender, BirthDate, Residence, Skills ?? [], today, VolunteerStatus.Applied, new Consent(Consent.Version, now), Guardian?.Agreeing(now));

    internal sealed class Validator : PersonValidator<ApplicationRequest>
    {
        public Validator(TimeProvider clock) : base(clock)
        {
            RuleFor(request => request.Phone).Cascade(CascadeMode.Stop).NotEmpty().NotMasked().MaximumLength(30).Matches(@"^\+?(?=(?:[ ()\-]*[0-9]){5})[0-9 ()\-]{3,29}$(?!\n)");
            RuleFor(request => request.Consent).NotNull().ChildRules(consent => consent.RuleFor(c => c.Version).Line(50));
            RuleFor(request => request.Guardian!).ChildRules(guardian =>
            {
                guardian.RuleFor(g => g.Name).Line(100);
                guardian.RuleFor(g => g.Phone).Cascade(CascadeMode.Stop).NotEmpty().NotMasked().MaximumLength(30).Matches(PersonPhone.Pattern);
                guardian.RuleFor(g => g.Relation).Line(30);
                guardian.RuleFor(g => g.Version).Line(50);
            }).When(request => request.Guardian is not null);
            RuleFor(request => request.Message).MaximumLength(500);
        }
    }
}

/// <summary>What the applicant agrees to, now.</summary>
/// <param name="Version">Which text they agree to; at most 50 characters.</param>
internal sealed record ApplicationConsent(string Version);

/// <summary>Who decides for an applicant who is a minor, and agrees, now.</summary>
/// <param name="Name">At most 100 characters.</param>
/// <param name="Phone">Where to reach them; at most 30 characters.</param>
/// <param name="Relation">What they are to the minor, for instance <c>mother</c>; at most 30 characters.</param>
/// <param name="Version">Which text they agree to; at most 50 characters.</param>
internal sealed record ApplicationGuardian(string Name, string Phone, string Relation, string Version)
{
    public Guardian Agreeing(DateTimeOffset at) => new(Name, Phone, Relation, Version, at);
}

/// <summary>The application was taken in; a coordinator calls back.</summary>
/// <param name="ReceivedAt">When.</param>
internal sealed record ApplicationReceiptView(DateTimeOffset ReceivedAt);

/// <summary>An application that waits for an answer.</summary>
/// <param name="At">When it was sent, last if it was sent again.</param>
/// <param name="Message">What the applicant wrote to the coordinators.</param>
internal sealed record ApplicationView(DateTimeOffset At, string? Message);

/// <summary>How an application is accepted.</summary>
/// <param name="TeamId">The team that they join today; none when not given.</param>
/// <param name="Role">What they are in it; member when not given.</param>
internal sealed record AcceptRequest(Guid? TeamId = null, TeamRole? Role = null)
{
    internal sealed class Validator : AbstractValidator<AcceptRequest>
    {
        public Validator() =>
            RuleFor(request => request.TeamId).NotNull().When(request => request.Role is not null).WithMessage(_ => Messages.Title("team_needed"));
    }
}

/// <summary>Who was accepted, and how they get in.</summary>
/// <param name="Volunteer">Active now.</param>
/// <param name="Invitation">A code to hand to them, shown once; null when they have an account here already.</param>
internal sealed record AcceptedApplicationView(VolunteerView Volunteer, InvitationView? Invitation);
