using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using FluentValidation;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Activities;
using Volunteers.Features.Organizations;
using Volunteers.Features.Projects;
using Volunteers.Features.Reports;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Jobs;

/// <summary>What a column of a file of activities may hold.</summary>
internal enum ActivityField
{
    ActivityId,
    Title,
    Team,
    Project,
    Category,
    Description,
    LocationName,
    Latitude,
    Longitude,
    RadiusMeters,
    StartsAt,
    EndsAt,
    ResponsibleNumber,
    Status,
}

internal static class ActivityColumns
{
    public static readonly ImportWords<ActivityField> Headings = new(
        (ActivityField.ActivityId, "活动编号 activityId"),
        (ActivityField.Title, "活动 活动名称 名称 title"),
        (ActivityField.Team, "服务队 team"),
        (ActivityField.Project, "项目 project"),
        (ActivityField.Category, "类别 category"),
        (ActivityField.Description, "说明 描述 description"),
        (ActivityField.LocationName, "地点 location locationName"),
        (ActivityField.Latitude, "纬度 latitude"),
        (ActivityField.Longitude, "经度 longitude"),
        (ActivityField.RadiusMeters, "半径 半径（米） radiusMeters"),
        (ActivityField.StartsAt, "开始时间 startsAt"),
        (ActivityField.EndsAt, "结束时间 endsAt"),
        (ActivityField.ResponsibleNumber, "负责人编号 responsibleNumber"),
        (ActivityField.Status, "状态 status"));

    public static readonly ImportWords<ActivityStatus> Statuses = new(
        (ActivityStatus.Draft, "草稿 draft"), (ActivityStatus.Published, "已发布 published"), (ActivityStatus.Cancelled, "已取消 cancelled"), (ActivityStatus.Completed, "已完成 completed"));
}

/// <summary>
/// Activities, planned and changed by the rules of <see cref="ActivityEndpoints"/>. One that is known, by its id or else by team, title and start,
/// is changed where the row says something else; a new one is a draft unless the row says that it is published or took place.
/// </summary>
internal sealed class ActivityImport() : JobImport<ActivityField>(ActivityColumns.Headings)
{
    protected override async Task<JobBatch> Take(JobContext at, List<ImportRow<ActivityField>> rows, CancellationToken ct)
    {
        var (refused, created, updated, unchanged) = (new List<RefusedRow>(), 0, 0, 0);
        var known = await KnownToActivities.Load(at, [.. rows], ct);
        var seen = new Dictionary<Guid, int>();
        foreach (var row in rows)
        {
            var before = refused.Count;
            void Refuse(ActivityField? field, string code, params object[] arguments) => refused.Add(Refusal(row.Number, field, code, arguments));
            var activity = known.Find(row, (field, code) => Refuse(field, code));
            if (refused.Count == before && activity is not null && !seen.TryAdd(activity.Id, row.Number)) Refuse(null, "repeated_row", seen[activity.Id]);
            var request = refused.Count > before ? null : Read(row, activity, known, (field, code) => Refuse(field, code));
            var status = row.Word(ActivityField.Status, ActivityColumns.Statuses, (field, code) => Refuse(field, code));
            if (request is not null && refused.Count == before)
                refused.AddRange(Refusals(row.Number, () => at.Services.GetRequiredService<IValidator<ActivityRequest>>().Validate(request), FieldOf));
            if (refused.Count > before || request is null) continue;

            try
            {
                if (activity is null)
                {
                    activity = await Plan(request, status, known.ProjectOf(request.ProjectId), at, ct);
                    known.Add(activity);
                    seen.Add(activity.Id, row.Number);
                    created++;
                }
                else if (status is { } said && said != activity.Status) Refuse(ActivityField.Status, "status_not_by_import");
                else if (request == ActivityRequest.Of(activity)) unchanged++;
                else
                {
                    await at.Db.ChangeActivity(activity, request.ToPlan(known.ProjectOf(request.ProjectId)), at.Now, ct);
                    updated++;
                }
            }
            catch (RuleBreach breach)
            {
                // What the rule stopped half-way is not saved with the rows that follow.
                foreach (var entry in at.Db.ChangeTracker.Entries().Where(entry => entry.State is not EntityState.Unchanged).ToList()) entry.State = EntityState.Detached;
                Refuse(FieldOf(breach), breach.Code, breach.Arguments);
            }
        }
        await at.Db.SaveChangesAsync(ct);
        return new JobBatch(created, updated, unchanged, refused);
    }

    private static async Task<Activity> Plan(ActivityRequest request, ActivityStatus? status, Project? project, JobContext at, CancellationToken ct)
    {
        if (status == ActivityStatus.Cancelled) throw new RuleBreach("status_not_by_import");
        var now = at.Now;
        if (status == ActivityStatus.Completed && request.StartsAt > now) throw new RuleBreach("in_the_future");
        var activity = at.Db.PlanActivity(at.OrganizationId, request, project, now);
        if (status is ActivityStatus.Published or ActivityStatus.Completed) activity.Publish();
        if (status == ActivityStatus.Completed) activity.Complete(outcome: null, now);
        await at.Db.SaveChangesAsync(ct);
        return activity;
    }

    /// <summary>The activity as it would be sent to the API, with what the row says in place of what is known.</summary>
    private static ActivityRequest? Read(ImportRow<ActivityField> row, Activity? activity, KnownToActivities known, Action<ActivityField, string> refuse)
    {
        var current = activity is null ? null : ActivityRequest.Of(activity);
        var startsAt = row.Moment(ActivityField.StartsAt, known.Organization, refuse) ?? current?.StartsAt;
        if (startsAt is null && row.Text(ActivityField.StartsAt) is null) refuse(ActivityField.StartsAt, "value_needed");
        var team = row.Text(ActivityField.Team) is { } name ? known.TeamOf(name) : current?.TeamId;
        if (team is null) refuse(ActivityField.Team, row.Text(ActivityField.Team) is null ? "value_needed" : "team_not_found");
        var project = row.Text(ActivityField.Project) is { } title ? known.ProjectOf(title, current?.ProjectId, refuse) : current?.ProjectId;
        var responsible = row.Text(ActivityField.ResponsibleNumber) is { } number ? known.PersonOf(number, refuse) : current?.ResponsibleVolunteerId;
        var endsAt = row.Moment(ActivityField.EndsAt, known.Organization, refuse) ?? current?.EndsAt;
        var location = LocationOf(row, current?.Location, refuse);
        return startsAt is null || team is null ? null : new ActivityRequest(team.Value, startsAt.Value, endsAt, row.Text(ActivityField.Title, current?.Title), project,
            row.Text(ActivityField.Category, current?.Category), row.Text(ActivityField.Description, current?.Description), location, responsible);
    }

    private static Location? LocationOf(ImportRow<ActivityField> row, Location? current, Action<ActivityField, string> refuse)
    {
        var (latitude, longitude) = (row.Figure(ActivityField.Latitude, refuse) ?? current?.Latitude, row.Figure(ActivityField.Longitude, refuse) ?? current?.Longitude);
        var (name, radius) = (row.Text(ActivityField.LocationName, current?.Name), row.Whole(ActivityField.RadiusMeters, refuse) ?? current?.RadiusMeters);
        if (name is not null) return new Location(name, latitude, longitude, radius);
        if (latitude is not null || longitude is not null || radius is not null) refuse(ActivityField.LocationName, "value_needed");
        return null;
    }

    private static ActivityField? FieldOf(string property) => property switch
    {
        "TeamId" => ActivityField.Team,
        "ProjectId" => ActivityField.Project,
        "ResponsibleVolunteerId" => ActivityField.ResponsibleNumber,
        "Location.Name" => ActivityField.LocationName,
        _ => Enum.TryParse<ActivityField>(property.Split('.')[^1], out var field) ? field : null,
    };

    private static ActivityField? FieldOf(RuleBreach breach) => breach switch
    {
        { Code: "status_not_by_import" } => ActivityField.Status,
        { Pointer: "/title" } => ActivityField.Title,
        { Pointer: "/category" } => ActivityField.Category,
        { Pointer: "/endsAt" } => ActivityField.EndsAt,
        _ => null,
    };
}

/// <summary>What the rows of a batch name, as far as whoever asked coordinates it; the activities are locked.</summary>
internal sealed class KnownToActivities
{
    private readonly Dictionary<Guid, Activity> byId;
    private readonly Dictionary<(Guid TeamId, string Title, DateTimeOffset StartsAt), Activity> byPlan = [];
    private readonly Dictionary<string, Guid> teams;
    private readonly Project[] projects;
    private readonly Dictionary<string, Guid> people;

    private KnownToActivities(Organization organization, Dictionary<Guid, Activity> byId, Dictionary<string, Guid> teams, Project[] projects, Dictionary<string, Guid> people)
    {
        (Organization, this.byId, this.teams, this.projects, this.people) = (organization, byId, teams, projects, people);
        foreach (var activity in byId.Values.Where(activity => activity.Status != ActivityStatus.Cancelled).OrderBy(activity => activity.Id)) Add(activity);
    }

    public Organization Organization { get; }

    public static async Task<KnownToActivities> Load(JobContext at, ImportRow<ActivityField>[] rows, CancellationToken ct)
    {
        var (db, tenant, id) = (at.Db, at.Tenant, at.OrganizationId);
        Guid[] ids = [.. rows.Select(row => row.Id(ActivityField.ActivityId, (_, _) => { })).OfType<Guid>().Distinct()];
        string[] Texts(ActivityField field) => [.. rows.Select(row => row.Text(field)).OfType<string>().Distinct()];
        var (titles, named, started, numbers) = (Texts(ActivityField.Title), Texts(ActivityField.Team), Texts(ActivityField.Project), Texts(ActivityField.ResponsibleNumber));
        DateTimeOffset[] starts = [.. rows.Select(row => row.Moment(ActivityField.StartsAt, at.Organization, (_, _) => { })).OfType<DateTimeOffset>().Distinct()];

        Guid[] known = await db.Activities.Where(a => a.OrganizationId == id && (tenant.CoordinatesAll || tenant.Teams.Contains(a.TeamId))
            && (ids.Contains(a.Id) || (titles.Contains(a.Title) && starts.Contains(a.StartsAt)))).Select(a => a.Id).ToArrayAsync(ct);
        var locked = await db.LockActivities(id, known, ct);
        // One may have moved to another team while we waited.
        var activities = locked.Where(activity => tenant.Coordinates(activity.Value.TeamId)).ToDictionary(activity => activity.Key, activity => activity.Value);
        var teams = await db.Teams.Where(t => t.OrganizationId == id && named.Contains(t.Name) && (tenant.CoordinatesAll || tenant.Teams.Contains(t.Id)))
            .ToDictionaryAsync(t => t.Name, t => t.Id, ct);
        Guid?[] ofKnown = [.. activities.Values.Select(activity => activity.ProjectId).OfType<Guid>().Distinct()];
        var projects = await db.Projects.AsNoTracking().Where(p => p.OrganizationId == id && (started.Contains(p.Title) || ofKnown.Contains(p.Id))).OrderBy(p => p.Id).ToArrayAsync(ct);
        var people = await db.Volunteers.Where(v => v.OrganizationId == id && numbers.Contains(v.Number)).Select(v => new { v.Number, v.Id }).ToDictionaryAsync(v => v.Number, v => v.Id, ct);
        return new KnownToActivities(at.Organization, activities, teams, projects, people);
    }

    public Activity? Find(ImportRow<ActivityField> row, Action<ActivityField, string> refuse)
    {
        if (row.Text(ActivityField.ActivityId) is not null)
        {
            if (row.Id(ActivityField.ActivityId, refuse) is not { } id) return null;
            if (byId.GetValueOrDefault(id) is { } known) return known;
            refuse(ActivityField.ActivityId, "activity_not_found");
            return null;
        }
        return row.Text(ActivityField.Team) is { } name && TeamOf(name) is { } team && row.Text(ActivityField.Title) is { } title
            && row.Moment(ActivityField.StartsAt, Organization, (_, _) => { }) is { } start ? byPlan.GetValueOrDefault((team, title, start)) : null;
    }

    public void Add(Activity activity) => byPlan.TryAdd((activity.TeamId, activity.Title, activity.StartsAt), activity);

    public Guid? TeamOf(string name) => teams.TryGetValue(name, out var id) ? id : null;

    /// <summary>Titles may be shared: the project that it is made from already is meant, else the only one of that title.</summary>
    public Guid? ProjectOf(string title, Guid? current, Action<ActivityField, string> refuse)
    {
        var found = projects.Where(project => project.Title.Trim() == title).Select(project => project.Id).ToArray();
        if (current is { } id && found.Contains(id)) return id;
        if (found.Length == 1) return found[0];
        refuse(ActivityField.Project, found.Length == 0 ? "project_not_found" : "ambiguous_name");
        return null;
    }

    public Project? ProjectOf(Guid? id) => id is null ? null : Array.Find(projects, project => project.Id == id);

    public Guid? PersonOf(string number, Action<ActivityField, string> refuse)
    {
        if (people.TryGetValue(number, out var id)) return id;
        refuse(ActivityField.ResponsibleNumber, "volunteer_not_found");
        return null;
    }
}

/// <summary>Activities of the caller's teams, cancelled ones too, in the order in which they start.</summary>
internal sealed class ActivityExport : IJobExport
{
    private const int AtOnce = 1_000;

    public IReadOnlyList<JobColumn> Columns { get; } =
    [
        .. Enum.GetValues<ActivityField>().Select(field => JobColumn.Of(ActivityColumns.Headings, field, field == ActivityField.RadiusMeters ? CellKind.Integer : CellKind.Text,
            field == ActivityField.ActivityId ? 38 : 18)),
    ];

    public Task<int> Count(JobContext at, CancellationToken ct) => Activities(at).CountAsync(ct);

    public async IAsyncEnumerable<object?[]> Rows(JobContext at, [EnumeratorCancellation] CancellationToken ct)
    {
        var db = at.Db;
        for (Activity? last = null; ;)
        {
            var activities = last is null ? Activities(at) : Activities(at).Where(After(last.StartsAt, last.Id));
            var page = await activities.OrderBy(a => a.StartsAt).ThenBy(a => a.Id).Take(AtOnce).Select(a => new
            {
                Activity = a,
                Team = db.Teams.Where(t => t.OrganizationId == a.OrganizationId && t.Id == a.TeamId).Select(t => t.Name).First(),
                Project = db.Projects.Where(p => p.OrganizationId == a.OrganizationId && p.Id == a.ProjectId).Select(p => p.Title).FirstOrDefault(),
                Number = db.Volunteers.Where(v => v.OrganizationId == a.OrganizationId && v.Id == a.ResponsibleVolunteerId).Select(v => v.Number).FirstOrDefault(),
            }).ToListAsync(ct);
            foreach (var row in page) yield return Row(row.Activity, row.Team, row.Project, row.Number, at.Organization);
            if (page.Count < AtOnce) yield break;
            last = page[^1].Activity;
        }
    }

    private static object?[] Row(Activity a, string team, string? project, string? number, Organization organization) =>
    [
        a.Id.ToString(), a.Title, team, project, a.Category, a.Description, a.Location?.Name, a.Location?.Latitude, a.Location?.Longitude,
        a.Location?.RadiusMeters is { } radius ? (long)radius : null, JobWriter.Moment(a.StartsAt, organization), JobWriter.Moment(a.EndsAt, organization), number,
        ActivityColumns.Statuses.Write(a.Status),
    ];

    private static Expression<Func<Activity, bool>> After(DateTimeOffset startsAt, Guid id) => a => a.StartsAt > startsAt || (a.StartsAt == startsAt && a.Id > id);

    private static IQueryable<Activity> Activities(JobContext at)
    {
        var (tenant, job, organization) = (at.Tenant, at.Job, at.Organization);
        var activities = at.Db.Activities.AsNoTracking().Where(a => a.OrganizationId == at.OrganizationId && (tenant.ReadsAll || tenant.Teams.Contains(a.TeamId)));
        return new ActivityFilter(job.From, job.To, job.TeamId).Apply(activities, organization);
    }
}
