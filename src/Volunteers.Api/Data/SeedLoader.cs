using System.Globalization;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Sylvan.Data.Csv;
using Volunteers.Features.Activities;
using Volunteers.Features.Hours;
using Volunteers.Features.Organizations;
using Volunteers.Features.Projects;
using Volunteers.Features.Teams;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Data;

/// <summary>
/// Loads a folder of plain data files into an organization of its own, through the entities and the ledger that the API
/// uses, in one transaction. A folder is loaded once; a file that is not there is left out.
/// </summary>
internal sealed class SeedLoader(VolunteersDb db, TimeProvider clock)
{
    private readonly Dictionary<string, Guid> teams = [];
    private readonly Dictionary<string, Guid> volunteers = [];
    private readonly Dictionary<string, Guid> projects = [];
    private readonly Dictionary<string, Guid> activities = [];

    /// <returns>False when the folder was loaded before.</returns>
    public async Task<bool> Load(string folder, Guid administratorAccountId, CancellationToken ct)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        if (!File.Exists(Path.Combine(folder, "organization.json"))) throw new StartupRefused($"{folder} has no organization.json.");
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var notes = new AuditNotes();
        using var watching = notes.Watch(db);
        var organization = await LoadOrganization(folder, administratorAccountId, ct);
        // Of two loaders at once the second waits here for the first, and then has nothing to do.
        var first = await db.Database.ExecuteSqlAsync(
            $"insert into seed_loads (name, organization_id, loaded_at) values ({name}, {organization.Id}, {clock.GetUtcNow()}) on conflict do nothing", ct);
        if (first == 0) return false;
        await db.SaveChangesAsync(ct);

        await LoadCalendar(folder, organization, ct);
        LoadTeams(folder, organization);
        LoadVolunteers(folder, organization, administratorAccountId);
        LoadProjects(folder, organization);
        await db.SaveChangesAsync(ct);
        LoadActivities(folder, organization);
        await db.SaveChangesAsync(ct);
        await LoadService(folder, organization, administratorAccountId, ct);
        await db.LeaveTrace(notes, "seed", organization.Id, clock.GetUtcNow(), ct, administratorAccountId);
        await transaction.CommitAsync(ct);
        return true;
    }

    private async Task<Organization> LoadOrganization(string folder, Guid administratorAccountId, CancellationToken ct)
    {
        await using var file = File.OpenRead(Path.Combine(folder, "organization.json"));
        var request = (await JsonSerializer.DeserializeAsync<OrganizationRequest>(file, Json.Options, ct))!;
        var organization = new Organization(request.Name, request.TimeZone, request.Locale, null, request.Settings, clock.GetUtcNow(),
            request.Contact, request.ResponsiblePerson);
        db.Add(organization);
        db.Add(new RoleGrant(organization.Id, administratorAccountId, Role.Administrator, null, null, administratorAccountId, clock.GetUtcNow()));
        return organization;
    }

    /// <summary>The body of a <c>PUT …/calendar-days</c>, so that any organization can be sent the same file.</summary>
    private async Task LoadCalendar(string folder, Organization organization, CancellationToken ct)
    {
        var path = Path.Combine(folder, "calendar-days.json");
        if (!File.Exists(path)) return;
        await using var file = File.OpenRead(path);
        var request = (await JsonSerializer.DeserializeAsync<CalendarDaysRequest>(file, Json.Options, ct))!;
        db.AddRange(request.Days.Select(day => new CalendarDay(organization.Id, day.Day, day.Kind, day.Name, clock.GetUtcNow())));
    }

    private void LoadTeams(string folder, Organization organization)
    {
        foreach (var row in Rows(folder, "teams.csv"))
        {
            var team = new Team(organization.Id, row["name"]!, row["parentKey"] is { } parent ? teams[parent] : null, row["description"], clock.GetUtcNow());
            teams.Add(row["key"]!, team.Id);
            db.Add(team);
        }
    }

    private void LoadVolunteers(string folder, Organization organization, Guid administratorAccountId)
    {
        var now = clock.GetUtcNow();
        var ages = AgeLimits.Of(organization, now);
        var trail = new ConsentTrail(KnownConsents.None, ConsentSpeaker.Coordinator, administratorAccountId, now);
        foreach (var row in Rows(folder, "volunteers.csv"))
        {
            var consent = row["consentVersion"] is { } version ? new Consent(version, InstantOf(row["consentAt"]!)) : null;
            var volunteer = new Volunteer(organization.Id, row["number"]!, new VolunteerProfile(
                row["name"]!, null, row["hometown"], null, null, null, [], DayOf(row["joinedOn"]!), Word<VolunteerStatus>(row["status"]!), consent), ages, now);
            volunteers.Add(volunteer.Number, volunteer.Id);
            db.Add(volunteer);
            db.AddRange(trail.Of(volunteer));
        }
        foreach (var row in Rows(folder, "members.csv"))
        {
            var member = new TeamMember(organization.Id, teams[row["teamKey"]!], volunteers[row["volunteerNumber"]!], clock.GetUtcNow());
            member.Set(Word<TeamRole>(row["role"]!), DayOf(row["joinedOn"]!), leftOn: null);
            db.Add(member);
        }
    }

    private void LoadProjects(string folder, Organization organization)
    {
        foreach (var row in Rows(folder, "projects.csv"))
        {
            var project = new Project(organization.Id, row["title"]!, row["category"]!, row["summary"],
                new ProjectDefaults(Number(row["minutes"]), Number(row["capacity"])), Word<ProjectStatus>(row["status"]!), clock.GetUtcNow());
            projects.Add(row["key"]!, project.Id);
            db.Add(project);
        }
    }

    private void LoadActivities(string folder, Organization organization)
    {
        foreach (var row in Rows(folder, "activities.csv"))
        {
            var activity = new Activity(organization.Id, new ActivityPlan(
                row["title"]!, teams[row["teamKey"]!], row["projectKey"] is { } project ? projects[project] : null, row["category"]!, null,
                row["location"] is { } place ? new Location(place) : null, InstantOf(row["startsAt"]!), InstantOf(row["endsAt"]!), null), clock.GetUtcNow());
            var status = Word<ActivityStatus>(row["status"]!);
            if (status is ActivityStatus.Published or ActivityStatus.Completed) activity.Publish();
            if (status == ActivityStatus.Completed)
                activity.Complete(Number(row["beneficiaries"]) is { } reached
                    ? new Outcome(reached, Word<CountingMethod>(row["beneficiariesMethod"]!), row["outcomeNote"])
                    : null, clock.GetUtcNow());
            activities.Add(row["key"]!, activity.Id);
            db.Add(activity);
        }
    }

    private async Task LoadService(string folder, Organization organization, Guid administratorAccountId, CancellationToken ct)
    {
        var entries = Rows(folder, "service-records.csv").Select(row => EntryOf(row, volunteers[row["volunteerNumber"]!], 1, null))
            .Concat(Rows(folder, "headcounts.csv").Select(row => EntryOf(row, null, Number(row["personTimes"])!.Value, Word<CountingMethod>(row["method"]!))))
            .ToList();
        if (entries.Count == 0) return;
        var recorder = new Recorder(administratorAccountId, VolunteerId: null, Coordinates: _ => true, Evidence.Import);
        await db.Record(organization, entries, recorder, clock.GetUtcNow(), ct);
    }

    private ServiceEntry EntryOf(Row row, Guid? volunteerId, int personTimes, CountingMethod? method) => new(
        volunteerId, personTimes, method, activities[row["activityKey"]!], InstantOf(row["startsAt"]!), InstantOf(row["endsAt"]!),
        Number(row["minutes"]), row["note"], DailyLimitOverride: null);

    private static IEnumerable<Row> Rows(string folder, string name)
    {
        var file = Path.Combine(folder, name);
        if (!File.Exists(file)) yield break;
        using var reader = CsvDataReader.Create(file);
        while (reader.Read())
            yield return new Row(Enumerable.Range(0, reader.FieldCount).ToDictionary(reader.GetName, column => reader.GetString(column)));
    }

    private static DateTimeOffset InstantOf(string text) => Instant.TryParse(text, out var instant) ? instant : throw new FormatException(text);

    private static DateOnly DayOf(string text) => Instant.TryParseDay(text, out var day) ? day : throw new FormatException(text);

    private static int? Number(string? text) => text is null ? null : int.Parse(text, CultureInfo.InvariantCulture);

    private static T Word<T>(string text) where T : struct, Enum => JsonSerializer.Deserialize<T>($"\"{text}\"", Json.Options);

    private sealed class Row(Dictionary<string, string> cells)
    {
        /// <summary>Null for an empty cell, and for a column that the file does not have.</summary>
        public string? this[string column] => cells.TryGetValue(column, out var cell) && cell.Length > 0 ? cell : null;
    }
}
