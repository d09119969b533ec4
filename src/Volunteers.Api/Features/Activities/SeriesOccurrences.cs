using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Platform;

namespace Volunteers.Features.Activities;

/// <summary>Why an occurrence stays as it is although its series says something else by now.</summary>
internal enum UntouchedReason
{
    /// <summary>Somebody has a place on it, or waits for one.</summary>
    SignUps,

    /// <summary>A group has places on it.</summary>
    GroupPlaces,

    /// <summary>Service was recorded for it.</summary>
    ServiceRecords,

    /// <summary>Somebody gave back a place on a shift that would have to go.</summary>
    FormerSignUps,

    /// <summary>It was moved, changed or set apart on its own.</summary>
    Detached,

    /// <summary>It was called off on its own.</summary>
    Cancelled,
}

/// <summary>An occurrence that a change of its series left as it is.</summary>
/// <param name="ActivityId">The occurrence.</param>
/// <param name="OccurrenceOn">The local day that the rule gave it.</param>
/// <param name="StartsAt">When it starts.</param>
/// <param name="SignUps">How many have a place on it or wait for one.</param>
/// <param name="Records">How many service records name it.</param>
/// <param name="Reason">Why.</param>
internal sealed record UntouchedView(Guid ActivityId, DateOnly OccurrenceOn, DateTimeOffset StartsAt, int SignUps, int Records, UntouchedReason Reason)
{
    [JsonIgnore]
    public Guid TeamId { get; init; }
}

/// <summary>What became of the occurrences of a series.</summary>
internal sealed class SeriesChange
{
    public int Created { get; set; }

    public int Changed { get; set; }

    public int Removed { get; set; }

    public List<UntouchedView> Untouched { get; } = [];

    /// <summary>Shifts that are open anew, for those who come to every occurrence.</summary>
    public List<(Activity Activity, Shift[] Shifts)> Opened { get; } = [];
}

/// <summary>
/// Makes the occurrences of a series what it says. The series is locked before, then its occurrences, then their shifts:
/// whoever signs up meanwhile either has made the occurrence used, or finds the shift as it is afterwards.
/// </summary>
internal static class SeriesOccurrences
{
    /// <summary>How far a rule without an end is carried on.</summary>
    public const int HorizonDays = 84;

    private const int AtMost = 400;

    /// <summary>Makes what is within reach and not yet made. The series must be new, or locked.</summary>
    public static async Task<SeriesChange> Make(this VolunteersDb db, Series series, Organization organization, DateOnly after, DateTimeOffset now, CancellationToken ct)
    {
        var change = new SeriesChange();
        var today = organization.DayOf(now);
        var until = today.AddDays(HorizonDays);
        foreach (var occurrence in series.Due(organization, today, until, day => day > after)) db.Add(series, occurrence, change, now);
        series.Made(series.GoesOn ? until : change.Opened.Select(made => made.Activity.OccurrenceOn!.Value).Append(series.FirstOn).Max());
        await db.SaveChangesAsync(ct);
        await db.SignUpStanding(series, organization, change.Opened, now, ct);
        return change;
    }

    /// <summary>Changes what is still to come: what is used or was changed on its own stays. The series must be locked.</summary>
    public static async Task<SeriesChange> Adjust(this VolunteersDb db, Series series, Organization organization, DateTimeOffset now, CancellationToken ct)
    {
        var change = new SeriesChange();
        var today = organization.DayOf(now);
        // A local day back: over a gap of the clock an occurrence may start on the day after the one it is called by.
        var yesterday = today.AddDays(-1);
        var locked = await db.LockOccurrences(series, yesterday, now, ct);
        var coming = locked.Where(activity => activity.StartsAt > now).ToList();
        var shifts = await db.LockShiftsOf(coming, ct);
        var uses = await db.UsesOf(series.OrganizationId, [.. coming.Select(activity => activity.Id)], ct);

        var dropped = Messages.TitleIn(Messages.Of(organization.Locale), series.Status == SeriesStatus.Ended ? "dropped_as_series_ended" : "dropped_by_series");
        var until = coming.Select(activity => activity.OccurrenceOn!.Value).Append(today.AddDays(HorizonDays)).Max();
        var due = series.Due(organization, today, until, day => day >= yesterday).Where(occurrence => occurrence.Plan.StartsAt > now).ToDictionary(occurrence => occurrence.On);
        foreach (var activity in coming.OrderBy(activity => activity.OccurrenceOn))
            db.Adjust(series, activity, due.GetValueOrDefault(activity.OccurrenceOn!.Value), [.. shifts[activity.Id]], uses[activity.Id], change, dropped, now);

        var there = locked.Select(activity => activity.OccurrenceOn!.Value).ToHashSet();
        foreach (var occurrence in due.Values.Where(occurrence => !there.Contains(occurrence.On))) db.Add(series, occurrence, change, now);
        series.Made(series.GoesOn ? until : due.Keys.Concat(there).Append(series.FirstOn).Max());
        await db.SaveChangesAsync(ct);
        await db.SignUpStanding(series, organization, change.Opened, now, ct);
        return change;
    }

    private static List<Occurrence> Due(this Series series, Organization organization, DateOnly today, DateOnly until, Func<DateOnly, bool> concerned)
    {
        var last = (series.FirstOn > today ? series.FirstOn : today).AddYears(10);
        var due = new List<Occurrence>();
        foreach (var day in series.Days(organization).TakeWhile(day => !series.GoesOn || day <= until).Where(concerned))
        {
            if (due.Count == AtMost || day > last) throw RuleBreach.Malformed("too_many_occurrences", "/recurrence", AtMost);
            due.Add(series.On(day, organization));
        }
        return due;
    }

    private static void Add(this VolunteersDb db, Series series, Occurrence occurrence, SeriesChange change, DateTimeOffset now)
    {
        var activity = new Activity(series, occurrence, now);
        Shift[] shifts = [.. occurrence.Shifts.Select(plan => new Shift(activity, plan, now))];
        db.Add(activity);
        db.AddRange(shifts);
        change.Created++;
        change.Opened.Add((activity, shifts));
    }

    private static void Adjust(
        this VolunteersDb db, Series series, Activity activity, Occurrence? due, Shift[] shifts, OccurrenceUse use, SeriesChange change, string dropped, DateTimeOffset now)
    {
        var off = activity.Status == ActivityStatus.Cancelled;
        if (due is null ? off : !off && activity.IsAsPlanned(due, shifts) && (!series.Publish || activity.Status == ActivityStatus.Published)) return;

        var pairs = due is null ? [] : Match(shifts, due.Shifts);
        // The shifts that would be deleted: of a draft that drops out, all.
        var surplus = due is null && activity.Status != ActivityStatus.Draft ? [] : shifts.Except(pairs.Select(pair => pair.Shift)).ToArray();
        if (use.Reason(activity, surplus) is { } reason)
        {
            change.Untouched.Add(new UntouchedView(activity.Id, activity.OccurrenceOn!.Value, activity.StartsAt, use.SignUps, use.Records, reason) { TeamId = activity.TeamId });
            return;
        }

        if (due is null)
        {
            change.Removed++;
            if (activity.Status == ActivityStatus.Draft)
            {
                db.RemoveRange(shifts);
                db.Remove(activity);
                return;
            }
            activity.DropOut(dropped);
            foreach (var shift in shifts) shift.CallOff();
            return;
        }

        var opens = activity.Status != ActivityStatus.Published;
        activity.Follow(series, due.Plan);
        foreach (var (shift, plan) in pairs)
            if (off || !Same(shift.Plan, plan)) shift.Change(activity, plan);
        db.RemoveRange(surplus);
        var added = due.Shifts.Except(pairs.Select(pair => pair.Plan), ReferenceEqualityComparer.Instance).Cast<ShiftPlan>()
            .Select(plan => new Shift(activity, plan, now)).ToArray();
        db.AddRange(added);
        if (off) change.Created++;
        else change.Changed++;
        if (!opens || activity.Status != ActivityStatus.Published) return;
        change.Opened.Add((activity, [.. due.Shifts.Select(plan =>
            pairs.FirstOrDefault(pair => ReferenceEquals(pair.Plan, plan)).Shift ?? added.First(shift => Same(shift.Plan, plan)))]));
    }

    /// <summary>Which shift becomes which: by its name, else in order.</summary>
    private static List<(Shift Shift, ShiftPlan Plan)> Match(Shift[] shifts, IReadOnlyList<ShiftPlan> plans)
    {
        var pairs = new List<(Shift Shift, ShiftPlan Plan)>();
        foreach (var byName in new[] { true, false })
            foreach (var plan in plans.Where(plan => !pairs.Exists(pair => ReferenceEquals(pair.Plan, plan))))
                if (Array.Find(shifts, shift => (!byName || shift.Name == plan.Name) && !pairs.Exists(pair => pair.Shift == shift)) is { } match)
                    pairs.Add((match, plan));
        return pairs;
    }

    private static bool IsAsPlanned(this Activity activity, Occurrence due, Shift[] shifts) =>
        activity.Plan == due.Plan && shifts.Length == due.Shifts.Count && Match(shifts, due.Shifts).TrueForAll(pair => Same(pair.Shift.Plan, pair.Plan));

    private static bool Same(ShiftPlan left, ShiftPlan right) =>
        left with { Skills = right.Skills } == right && left.Skills.SequenceEqual(right.Skills);

    private static async Task<ILookup<Guid, Shift>> LockShiftsOf(this VolunteersDb db, List<Activity> activities, CancellationToken ct)
    {
        if (activities.Count == 0) return Array.Empty<Shift>().ToLookup(shift => shift.ActivityId);
        var organizationId = activities[0].OrganizationId;
        var ids = activities.Select(activity => activity.Id).ToArray();
        // Nobody adds one meanwhile: for that they would share the activity.
        var shiftIds = await db.Shifts.Where(s => s.OrganizationId == organizationId && ids.Contains(s.ActivityId)).Select(s => s.Id).ToArrayAsync(ct);
        return (await db.LockShifts(organizationId, shiftIds, ct)).OrderBy(shift => shift.StartsAt).ThenBy(shift => shift.Id).ToLookup(shift => shift.ActivityId);
    }

    /// <summary>Asked when activities and shifts are locked, so it is still true when they are changed.</summary>
    private static async Task<Dictionary<Guid, OccurrenceUse>> UsesOf(this VolunteersDb db, Guid organizationId, Guid[] activityIds, CancellationToken ct)
    {
        var signUps = await db.SignUps.Where(s => s.OrganizationId == organizationId)
            .Join(db.Shifts.Where(s => activityIds.Contains(s.ActivityId)), u => new { u.OrganizationId, Id = u.ShiftId }, s => new { s.OrganizationId, s.Id },
                (u, s) => new { s.ActivityId, u.ShiftId, Active = u.Status != SignUpStatus.Cancelled }).ToListAsync(ct);
        var grouped = await db.ShiftGroups.Where(g => g.OrganizationId == organizationId)
            .Join(db.Shifts.Where(s => activityIds.Contains(s.ActivityId)), g => new { g.OrganizationId, Id = g.ShiftId }, s => new { s.OrganizationId, s.Id },
                (g, s) => new { s.ActivityId, g.ShiftId, Active = g.Places > 0 }).ToListAsync(ct);
        // Plain SQL: service records come after activities in the order of features.
        var recorded = await db.Database.SqlQuery<Guid>(
            $"select activity_id as \"Value\" from service_records where organization_id = {organizationId} and activity_id = any({activityIds})").ToListAsync(ct);
        return activityIds.ToDictionary(id => id, id => new OccurrenceUse(
            signUps.Count(signUp => signUp.ActivityId == id && signUp.Active), grouped.Exists(group => group.ActivityId == id && group.Active),
            recorded.Count(record => record == id), [.. signUps.Concat(grouped).Select(each => each.ShiftId)]));
    }

    private sealed record OccurrenceUse(int SignUps, bool Groups, int Records, HashSet<Guid> EverSignedUpFor)
    {
        public UntouchedReason? Reason(Activity activity, Shift[] surplus) =>
            activity.Detached ? activity.Status == ActivityStatus.Cancelled ? UntouchedReason.Cancelled : UntouchedReason.Detached
            : SignUps > 0 ? UntouchedReason.SignUps
            : Groups ? UntouchedReason.GroupPlaces
            : Records > 0 ? UntouchedReason.ServiceRecords
            : surplus.Any(shift => EverSignedUpFor.Contains(shift.Id)) ? UntouchedReason.FormerSignUps
            : null;
    }
}
