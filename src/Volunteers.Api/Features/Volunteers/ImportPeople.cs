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
    private readonly DateTimeOffset now;
    private readonly List<Newcomer> newcomers = [];
    private readonly List<ImportRefusal> refused = [];
    private Dictionary<string, Guid> teams = [];
    private Dictionary<Guid, Volunteer> known = [];
    private Dictionary<(Guid TeamId, Guid VolunteerId), TeamMember> members = [];

    public ImportPeople(
        VolunteersDb db, Organization organization, ImportFile file, IValidator<VolunteerRequest> validator, IDepartures departures, DateTimeOffset now) =>
        (this.db, this.organization, this.file, this.validator, this.departures, this.now) = (db, organization, file, validator, departures, now);

    public int Updated { get; private set; }

    public int Unchanged { get; private set; }

    public int Created => newcomers.Count;

    /// <summary>Who leaves by this roster.</summary>
    public List<Guid> Departed { get; } = [];

    public IReadOnlyList<ImportRefusal> Refused => [.. refused.OrderBy(refusal => refusal.Row)];

    public async Task Take(CancellationToken ct)
    {
        var identities = file.Rows.Select(IdentityOf).ToList();
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
            var volunteer = new Volunteer(organization.Id, person.Request.Number ?? next.Dequeue(), person.Request.ToProfile(organization.DayOf(now)), now);
            db.Add(volunteer);
            if (person.TeamId is { } team) Join(team, volunteer, person.Role);
        }
    }

    private async Task Load(Guid[] people, CancellationToken ct)
    {
        var named = file.Rows.Select(row => row.Text(ImportField.Team)).OfType<string>().Distinct().ToArray();
        teams = await db.Teams.Where(t => t.OrganizationId == organization.Id && named.Contains(t.Name)).ToDictionaryAsync(t => t.Name, t => t.Id, ct);
        var ids = teams.Values.ToArray();
        // Locked, so that nobody changes them between this reading and the saving.
        await db.LockVolunteers(organization.Id, people, ct);
        known = await db.Volunteers.Where(v => v.OrganizationId == organization.Id && people.Contains(v.Id)).ToDictionaryAsync(v => v.Id, ct);
        members = await db.TeamMembers.Where(m => m.OrganizationId == organization.Id && people.Contains(m.VolunteerId) && ids.Contains(m.TeamId))
            .ToDictionaryAsync(m => (m.TeamId, m.VolunteerId), ct);
    }

    private void Take(ImportRow row, Volunteer? person)
    {
        var before = refused.Count;
        var request = Read(row, person, (field, code) => Refuse(row, field, code));
        var (team, role) = TeamOf(row);
        foreach (var error in validator.Validate(request).Errors.DistinctBy(error => ColumnOf(error.PropertyName)))
            refused.Add(new ImportRefusal(row.Number, file.HeadingOf(ColumnOf(error.PropertyName)),
                Messages.Has(error.ErrorCode) ? error.ErrorCode : "invalid_value", error.ErrorMessage));
        if (refused.Count > before) return;

        if (person is null)
        {
            newcomers.Add(new Newcomer(request, team, role));
            return;
        }
        if (request.Status == VolunteerStatus.Left && person.Status != VolunteerStatus.Left) Departed.Add(person.Id);
        person.Change(request.Number!, request.ToProfile(person.JoinedOn));
        var joined = team is { } id && Join(id, person, role);
        if (joined || db.Entry(person).State == EntityState.Modified) Updated++;
        else Unchanged++;
    }

    /// <summary>The person as they would be sent to the API, with what the row says in place of what is known.</summary>
    private VolunteerRequest Read(ImportRow row, Volunteer? person, Action<ImportField, string> refuse)
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
            Skills = row.List(ImportField.Skills)?.Select(name => current.Skills?.FirstOrDefault(skill => skill.Name == name) ?? new Skill(name)).ToList()
                ?? current.Skills,
            JoinedOn = row.Day(ImportField.JoinedOn, refuse) ?? current.JoinedOn,
            Status = row.Word(ImportField.Status, ImportColumns.Statuses, refuse) ?? current.Status,
            Consent = ConsentOf(row, current.Consent, refuse),
        };
    }

    private Consent? ConsentOf(ImportRow row, Consent? current, Action<ImportField, string> refuse)
    {
        var version = row.Text(ImportField.ConsentVersion) ?? current?.Version;
        var at = row.Text(ImportField.ConsentAt) is not { } text ? (version == current?.Version ? current?.At : null)
            : Instant.TryParse(text, out var instant) ? instant
            : row.Day(ImportField.ConsentAt, refuse) is { } day ? organization.StartOf(day) : null;
        if (version is null && at is null) return null;
        if (version is null) refuse(ImportField.ConsentVersion, "consent_incomplete");
        else if (at is null && row.Text(ImportField.ConsentAt) is null) refuse(ImportField.ConsentAt, "consent_incomplete");
        return version is null || at is null ? null : new Consent(version, at.Value);
    }

    private (Guid? TeamId, TeamRole? Role) TeamOf(ImportRow row)
    {
        var role = row.Word(ImportField.TeamRole, ImportColumns.TeamRoles, (field, code) => Refuse(row, field, code));
        if (row.Text(ImportField.Team) is not { } name)
        {
            if (role is not null) Refuse(row, ImportField.Team, "team_needed");
            return (null, null);
        }
        if (teams.TryGetValue(name, out var team)) return (team, role);
        Refuse(row, ImportField.Team, "team_not_found");
        return (null, null);
    }

    /// <returns>Whether that changed anything.</returns>
    private bool Join(Guid teamId, Volunteer person, TeamRole? role)
    {
        if (!members.TryGetValue((teamId, person.Id), out var member))
        {
            db.Add(member = new TeamMember(organization.Id, teamId, person.Id, now));
            member.Set(role ?? TeamRole.Member, person.JoinedOn, leftOn: null);
            return true;
        }
        member.Set(role ?? member.Role, member.JoinedOn, leftOn: null);
        return db.Entry(member).State == EntityState.Modified;
    }

    private static ImportIdentity IdentityOf(ImportRow row) => new(row.Number, row.Text(ImportField.Number), row.Text(ImportField.Phone),
        row.Text(ImportField.Name), row.Day(ImportField.BirthDate, (_, _) => { }));

    private static ImportField ColumnOf(string property) => property switch
    {
        "Consent.Version" => ImportField.ConsentVersion,
        "Consent.At" => ImportField.ConsentAt,
        _ => Enum.Parse<ImportField>(property.Split('.', '[')[0]),
    };

    private void Refuse(ImportRow row, ImportField? field, string code, params object[] arguments) =>
        refused.Add(new ImportRefusal(row.Number, field is { } known ? file.HeadingOf(known) : null, code, Messages.Detail(code, arguments)));

    private sealed record Newcomer(VolunteerRequest Request, Guid? TeamId, TeamRole? Role);
}
