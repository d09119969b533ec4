using FluentValidation;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Features.Teams;
using Volunteers.Platform;

namespace Volunteers.Features.Volunteers;

/// <summary>What the rows of a roster do to an organization's people. Nothing is written here: the caller saves, or does not.</summary>
internal sealed class ImportPeople
{
    private readonly VolunteersDb db;
    private readonly Organization organization;
    private readonly ImportFile file;
    private readonly IValidator<VolunteerRequest> validator;
    private readonly IDepartures departures;
    private readonly PersonalSeal seal;
    private readonly Guid actorId;
    private readonly DateTimeOffset now;
    private readonly AgeLimits ages;
    private readonly ImportReading reading;
    private readonly ImportIdentities identify;
    private readonly List<Newcomer> newcomers = [];
    private readonly List<ImportRefusal> refused = [];
    private ImportTeams teams = ImportTeams.None;
    private Dictionary<Guid, Volunteer> known = [];
    private Dictionary<(Guid TeamId, Guid VolunteerId), TeamMember> members = [];
    private IdentityDocuments documents = null!;
    private HashSet<Guid> withoutIdentityConsent = [];
    private KnownConsents texts = KnownConsents.None;
    private ConsentTrail trail = null!;

    public ImportPeople(
        VolunteersDb db, Organization organization, ImportFile file, IValidator<VolunteerRequest> validator, IDepartures departures, PersonalSeal seal,
        Guid actorId, DateTimeOffset now)
    {
        (this.db, this.organization, this.file, this.validator, this.departures, this.seal, this.actorId, this.now) =
            (db, organization, file, validator, departures, seal, actorId, now);
        (ages, reading, identify) = (AgeLimits.Of(organization, now), new ImportReading(organization), new ImportIdentities(organization, seal, now));
    }

    public int Updated { get; private set; }

    public int Unchanged { get; private set; }

    public int Created => newcomers.Count;

    /// <summary>Who leaves by this roster.</summary>
    public List<Guid> Departed { get; } = [];

    public IReadOnlyList<ImportRefusal> Refused => [.. refused.OrderBy(refusal => refusal.Row)];

    public async Task Take(CancellationToken ct)
    {
        if (!seal.IsConfigured && file.Rows.Any(row => row.Text(ImportField.IdentityNumber) is not null)) throw new RuleBreach("identity_documents_not_configured");

        var identities = file.Rows.Select(identify.Of).ToList();
        var match = await ImportMatch.Load(db, organization.Id, identities, ct);
        var people = new Guid?[identities.Count];
        var clear = new bool[identities.Count];
        for (var i = 0; i < people.Length; i++)
        {
            clear[i] = match.TryFind(identities[i], out people[i]);
            if (!clear[i]) Refuse(file.Rows[i], null, "ambiguous_match");
            else if (match.Repeats(identities[i], people[i]) is { } earlier)
            {
                clear[i] = false;
                Refuse(file.Rows[i], null, "duplicate_row", earlier.Row);
            }
        }
        var leaving = people.Where((_, i) => file.Rows[i].Word(ImportField.Status, ImportColumns.Statuses, (_, _) => { }) == VolunteerStatus.Left);
        await departures.LockPlaces(db, organization.Id, [.. leaving.OfType<Guid>().Distinct()], now, ct);
        await Load([.. people.OfType<Guid>().Distinct()], ct);
        for (var i = 0; i < people.Length; i++)
            if (clear[i]) Take(file.Rows[i], people[i] is { } id ? known[id] : null);
    }

    /// <summary>Gives the new people their numbers and teams.</summary>
    public async Task AddNewcomers(CancellationToken ct)
    {
        var given = newcomers.Where(person => person.Request.Number is not null).Select(person => person.Request.Number!).ToHashSet();
        var next = await db.NextNumbers(organization.Id, newcomers.Count - given.Count, given, ct);
        foreach (var person in newcomers)
        {
            var volunteer = new Volunteer(organization.Id, person.Request.Number ?? next.Dequeue(), person.Request.ToProfile(ages.Today), ages, now);
            db.Add(volunteer);
            db.AddRange(trail.Of(volunteer));
            if (person.IdentityNumber is { } identity) documents.Set(volunteer, IdentityKind.ResidentId, identity, ages, actorId, now);
            foreach (var membership in person.Memberships) Join(membership, volunteer);
        }
    }

    private async Task Load(Guid[] people, CancellationToken ct)
    {
        if (file.Rows.Any(row => row.Text(ImportField.Team) is not null)) teams = await ImportTeams.Load(db, organization.Id, ct);
        // Locked, so that nobody changes them between this reading and the saving.
        await db.LockVolunteers(organization.Id, people, ct);
        known = await db.Volunteers.Where(v => v.OrganizationId == organization.Id && people.Contains(v.Id)).ToDictionaryAsync(v => v.Id, ct);
        documents = await IdentityDocuments.Lock(db, organization.Id, people, seal, ct);
        texts = await KnownConsents.Load(db, organization.Id, ct);
        trail = new ConsentTrail(texts, ConsentSpeaker.Coordinator, actorId, now);
        withoutIdentityConsent = await db.WithoutIdentityConsent(organization.Id, people, texts, ct);
        members = await db.TeamMembers.Where(m => m.OrganizationId == organization.Id && people.Contains(m.VolunteerId))
            .ToDictionaryAsync(m => (m.TeamId, m.VolunteerId), ct);
    }

    private void Take(ImportRow<ImportField> row, Volunteer? person)
    {
        var before = refused.Count;
        var request = reading.Read(row, person, (field, code) => Refuse(row, field, code));
        var memberships = teams.Of(row, (field, code) => Refuse(row, field, code));
        foreach (var error in validator.Validate(request).Errors.DistinctBy(error => ColumnOf(error.PropertyName)))
            refused.Add(new ImportRefusal(row.Number, file.HeadingOf(ColumnOf(error.PropertyName)),
                Messages.Has(error.ErrorCode) ? error.ErrorCode : "invalid_value", error.ErrorMessage));
        var identity = identify.NumberOf(row);
        if (identity is null && row.Text(ImportField.IdentityNumber) is not null) Refuse(row, ImportField.IdentityNumber, "identity_number_invalid");
        if (refused.Count > before) return;

        try
        {
            if (person is null) TakeNewcomer(request, identity, memberships);
            else TakeKnown(person, request, identity, memberships);
        }
        catch (RuleBreach breach)
        {
            Refuse(row, ColumnOf(breach), breach.Code, breach.Arguments);
        }
    }

    /// <summary>Held to every rule already, for a dry run makes nobody.</summary>
    private void TakeNewcomer(VolunteerRequest request, string? identity, IReadOnlyList<ImportedMembership> memberships)
    {
        var profile = request.ToProfile(ages.Today);
        Volunteer.HoldToAges(profile, ages);
        if (profile.Consent is { } consent) texts.HashOf(ConsentPurposes.Profile, consent.Version, "/consent/version");
        if (profile.Guardian is { } guardian) texts.HashOf(ConsentPurposes.Guardian, guardian.Version, "/guardian/version");
        if (identity is not null)
        {
            if (texts.Has(ConsentPurposes.IdentityDocument)) throw IdentityConsent.Missing;
            IdentityDocuments.RefuseUnlessFits(profile, IdentityKind.ResidentId, identity, ages);
        }
        newcomers.Add(new Newcomer(request, identity, memberships));
    }

    private void TakeKnown(Volunteer person, VolunteerRequest request, string? identity, IReadOnlyList<ImportedMembership> memberships)
    {
        var before = person.Profile;
        if (request.Status == VolunteerStatus.Left && person.Status != VolunteerStatus.Left) Departed.Add(person.Id);
        person.Change(request.Number!, request.ToProfile(person.JoinedOn), ages);
        db.AddRange(trail.Of(person, before));
        var proven = false;
        if (identity is not null)
        {
            if (withoutIdentityConsent.Contains(person.Id)) throw IdentityConsent.Missing;
            proven = documents.Set(person, IdentityKind.ResidentId, identity, ages, actorId, now);
        }
        else if (person.BirthDate != before.BirthDate) documents.HoldTo(person);
        var joined = false;
        foreach (var membership in memberships) joined |= Join(membership, person);
        if (joined || proven || db.Entry(person).State == EntityState.Modified) Updated++;
        else Unchanged++;
    }

    /// <returns>Whether that changed anything.</returns>
    private bool Join(ImportedMembership membership, Volunteer person)
    {
        if (!members.TryGetValue((membership.TeamId, person.Id), out var member))
        {
            db.Add(member = new TeamMember(organization.Id, membership.TeamId, person.Id, now));
            member.Set(membership.Role ?? TeamRole.Member, person.JoinedOn, leftOn: null);
            return true;
        }
        member.Set(membership.Role ?? member.Role, member.JoinedOn, leftOn: null);
        return db.Entry(member).State == EntityState.Modified;
    }

    private static ImportField ColumnOf(string property) => property switch
    {
        "Consent.Version" => ImportField.ConsentVersion,
        "Consent.At" => ImportField.ConsentAt,
        "Guardian.Name" => ImportField.GuardianName,
        "Guardian.Phone" => ImportField.GuardianPhone,
        "Guardian.Relation" => ImportField.GuardianRelation,
        "Guardian.Version" => ImportField.GuardianConsentVersion,
        "Guardian.At" => ImportField.GuardianConsentAt,
        _ => Enum.Parse<ImportField>(property.Split('.', '[')[0]),
    };

    /// <summary>The column that a rule is about; none when it is about the person as a whole.</summary>
    private static ImportField? ColumnOf(RuleBreach breach) => breach switch
    {
        { Pointer: "/consent/version" } => ImportField.ConsentVersion,
        { Pointer: "/guardian/version" } => ImportField.GuardianConsentVersion,
        { Code: "identity_birth_date_differs" or "birth_date_needed" } => ImportField.BirthDate,
        { Code: "consent_needed" } => ImportField.IdentityNumber,
        _ => null,
    };

    private void Refuse(ImportRow<ImportField> row, ImportField? field, string code, params object[] arguments) =>
        refused.Add(new ImportRefusal(row.Number, field is { } known ? file.HeadingOf(known) : null, code, Messages.Detail(code, arguments)));

    private sealed record Newcomer(VolunteerRequest Request, string? IdentityNumber, IReadOnlyList<ImportedMembership> Memberships);
}
