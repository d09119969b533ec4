using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Activities;
using Volunteers.Features.Organizations;
using Volunteers.Platform;

namespace Volunteers.Features.Reconciliation;

/// <summary>
/// What imported service is booked under: one activity for all of it, or, in a team, one for each activity that the file names
/// on each day. One that is there from an earlier import, or was planned under that name, is taken again.
/// </summary>
internal sealed class ImportActivities(VolunteersDb db, Organization organization, ReconciliationRun run, ReconciliationImportRequest request)
{
    private const int LongestTitle = 100;

    private readonly Dictionary<(string Title, DateOnly Day), Activity> known = [];
    private readonly List<Activity> added = [];

    /// <summary>Those there are, shared so that nobody cancels them meanwhile.</summary>
    public async Task Find(IReadOnlyCollection<ReconciliationRow> rows, CancellationToken ct)
    {
        if (request.ActivityId is { } id)
        {
            if (await db.ShareActivity(organization.Id, id, ct) is null) throw RuleBreach.NotFound("activity_not_found", "/activityId");
            return;
        }
        if (!await db.Teams.AnyAsync(t => t.OrganizationId == organization.Id && t.Id == request.TeamId, ct)) throw RuleBreach.NotFound("team_not_found", "/teamId");

        var titles = rows.Select(TitleOf).Distinct().ToArray();
        var (from, to) = (organization.StartOf(run.From), organization.StartOf(run.To.AddDays(1)));
        var found = await db.Activities.Where(a => a.OrganizationId == organization.Id && a.TeamId == request.TeamId && a.Category == request.Category
                && titles.Contains(a.Title) && (a.Status == ActivityStatus.Published || a.Status == ActivityStatus.Completed) && a.StartsAt >= from && a.StartsAt < to)
            .Select(a => a.Id).ToArrayAsync(ct);
        // Shared first, then looked at: one may have been called off while we waited.
        foreach (var activity in (await db.ShareActivities(organization.Id, found, ct)).Values.OrderBy(activity => activity.Id))
            if (activity.Status != ActivityStatus.Cancelled) known.TryAdd((activity.Title, organization.DayOf(activity.StartsAt)), activity);
    }

    /// <summary>Those that there are not.</summary>
    public async Task Add(IReadOnlyList<TimedRow> planned, DateTimeOffset now, CancellationToken ct)
    {
        if (request.ActivityId is not null) return;
        foreach (var group in planned.GroupBy(plan => (Title: TitleOf(plan.Row), Day: plan.Row.Day!.Value)).Where(group => !known.ContainsKey(group.Key)))
        {
            var activity = new Activity(organization.Id, new ActivityPlan(group.Key.Title, request.TeamId!.Value, null, request.Category!, null, null,
                group.Min(plan => plan.StartsAt), group.Max(plan => plan.EndsAt), null), now);
            activity.Publish();
            known.Add(group.Key, activity);
            added.Add(activity);
        }
        db.AddRange(added);
        await db.SaveChangesAsync(ct);
    }

    public Guid Of(ReconciliationRow row) => request.ActivityId ?? known[(TitleOf(row), row.Day!.Value)].Id;

    public void DropUnused(HashSet<Guid> used) => db.RemoveRange(added.Where(activity => !used.Contains(activity.Id)));

    /// <summary>The other system's name where the file names no activity.</summary>
    private string TitleOf(ReconciliationRow row)
    {
        var title = row.Activity ?? run.System;
        return title.Length <= LongestTitle ? title : title[..(char.IsHighSurrogate(title[LongestTitle - 1]) ? LongestTitle - 1 : LongestTitle)];
    }
}
