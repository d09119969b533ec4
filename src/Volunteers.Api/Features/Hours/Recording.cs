using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Activities;
using Volunteers.Features.Organizations;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Hours;

/// <summary>Service to be recorded, for one named volunteer or for a headcount.</summary>
internal sealed record ServiceEntry(
    Guid? VolunteerId, int PersonTimes, CountingMethod? HeadcountMethod, Guid ActivityId, DateTimeOffset StartsAt, DateTimeOffset EndsAt,
    int? Minutes, string? Note, string? DailyLimitOverride, Guid? ShiftId = null, bool NotCountedElsewhere = false, ServiceOrigin? Origin = null);

/// <summary>Who records: which volunteer they are, for which teams they may enter others' service, and what that is worth as evidence.</summary>
internal sealed record Recorder(Guid ActorId, Guid? VolunteerId, Func<Guid, bool> Coordinates, Evidence ForOthers)
{
    public static Recorder Of(Tenant tenant) => new(tenant.ActorId, tenant.VolunteerId, tenant.Coordinates,
        tenant.Caller.IsClient ? Evidence.Import : Evidence.Coordinator);
}

/// <summary>How service becomes records: the same way for one, for a batch, for a file and for seeds.</summary>
internal static class Recording
{
    /// <summary>Records one entry.</summary>
    public static async Task<ServiceRecord> Record(
        this VolunteersDb db, Organization organization, ServiceEntry entry, Recorder by, DateTimeOffset now, CancellationToken ct)
    {
        var rules = await RecordingRules.Load(db, organization, RecordingScope.Of(organization, entry), ct);
        var record = rules.Admit(entry, by, now);
        await db.Keep(organization, [record], by, now, ct);
        return record;
    }

    /// <summary>Records every entry or none; or, where the caller takes the refusals, every entry that is not refused.</summary>
    /// <param name="db">In a transaction.</param>
    /// <param name="organization">Whose days and limits count.</param>
    /// <param name="entries">What is to be recorded.</param>
    /// <param name="by">Who records.</param>
    /// <param name="now">When.</param>
    /// <param name="ct">Ends it.</param>
    /// <param name="skipped">Takes the entries that are refused; without it one of them refuses all.</param>
    /// <param name="rehearse">Book nothing: the transaction will be rolled back.</param>
    /// <exception cref="BatchRefused">Names each entry that was refused.</exception>
    public static async Task<List<ServiceRecord>> Record(
        this VolunteersDb db, Organization organization, IReadOnlyList<ServiceEntry> entries, Recorder by, DateTimeOffset now, CancellationToken ct,
        List<(int Index, RuleBreach Breach)>? skipped = null, bool rehearse = false)
    {
        var rules = await RecordingRules.Load(db, organization, RecordingScope.Of(organization, entries), ct);
        var records = new List<ServiceRecord>(entries.Count);
        var refusals = new List<(int Index, RuleBreach Breach)>();
        for (var index = 0; index < entries.Count; index++)
        {
            try
            {
                records.Add(rules.Admit(entries[index], by, now));
            }
            catch (RuleBreach breach)
            {
                refusals.Add((index, breach));
            }
        }
        if (refusals.Count > 0 && skipped is null) throw new BatchRefused([.. refusals.Select(refusal => Refusal.Of(refusal.Index, refusal.Breach))]);

        skipped?.AddRange(refusals);
        if (rehearse)
        {
            // Enough for the entries that come after them.
            db.AddRange(records);
            await db.SaveChangesAsync(ct);
        }
        else await db.Keep(organization, records, by, now, ct);
        return records;
    }

    private static async Task Keep(
        this VolunteersDb db, Organization organization, List<ServiceRecord> records, Recorder by, DateTimeOffset now, CancellationToken ct)
    {
        db.AddRange(records);
        var postings = await db.Post(organization.Id,
            [.. records.Where(record => record.Status == ServiceStatus.Approved).Select(record => Booking.Of(record, PostingCause.Approved))],
            by.ActorId, now, ct);
        db.AddRange(records.Select(record => new ServiceRecordEvent(record, RecordStep.Recorded, by.ActorId, now, record.DailyLimitOverride, postings)));
        await db.SaveChangesAsync(ct);
    }
}

/// <summary>Whose time on which days, and what else, new service is held against.</summary>
/// <param name="People">By name.</param>
/// <param name="Days">The local days on which it begins.</param>
/// <param name="First">When the first of it begins.</param>
/// <param name="Last">When the last of it ends.</param>
/// <param name="Activities">Where it was given.</param>
/// <param name="Shifts">The shifts that it is said to belong to.</param>
/// <param name="CountsGroups">Whether a headcount is among it.</param>
internal sealed record RecordingScope(Guid[] People, DateOnly[] Days, DateTimeOffset First, DateTimeOffset Last, Guid[] Activities, Guid[] Shifts, bool CountsGroups)
{
    public static RecordingScope Of(Organization organization, params IReadOnlyList<ServiceEntry> entries) => new(
        [.. entries.Select(entry => entry.VolunteerId).OfType<Guid>().Distinct()], [.. entries.Select(entry => organization.DayOf(entry.StartsAt)).Distinct()],
        entries.Min(entry => entry.StartsAt), entries.Max(entry => entry.EndsAt), [.. entries.Select(entry => entry.ActivityId).Distinct()],
        [.. entries.Select(entry => entry.ShiftId).OfType<Guid>().Distinct()], entries.Any(entry => entry.VolunteerId is null));
}

/// <summary>What the rules about new service need to know, read once for all entries, with the rows locked that they count.</summary>
internal sealed class RecordingRules
{
    private readonly Organization organization;
    private readonly Dictionary<Guid, Activity> activities;
    private readonly Dictionary<Guid, Guid> shifts;
    private readonly HashSet<Guid> volunteers;
    private readonly Dictionary<Guid, DateOnly> unguarded;
    private readonly Dictionary<Guid, Guid?> parents;
    private readonly ILookup<Guid, (Guid TeamId, DateOnly? LeftOn)> memberships;
    private readonly Dictionary<(Guid VolunteerId, DateOnly Day), int> minutesOfDay;
    private readonly Dictionary<Guid, List<(DateTimeOffset StartsAt, DateTimeOffset EndsAt)>> periods;
    private readonly CountedTwice counted;
    private readonly RecordingDeadline deadline;

    private RecordingRules(
        Organization organization, Dictionary<Guid, Activity> activities, Dictionary<Guid, Guid> shifts, HashSet<Guid> volunteers,
        Dictionary<Guid, DateOnly> unguarded, Dictionary<Guid, Guid?> parents,
        ILookup<Guid, (Guid TeamId, DateOnly? LeftOn)> memberships, Dictionary<(Guid VolunteerId, DateOnly Day), int> minutesOfDay,
        Dictionary<Guid, List<(DateTimeOffset StartsAt, DateTimeOffset EndsAt)>> periods, CountedTwice counted,
        RecordingDeadline deadline)
    {
        (this.organization, this.activities, this.shifts, this.volunteers, this.unguarded, this.parents) = (organization, activities, shifts, volunteers, unguarded, parents);
        (this.memberships, this.minutesOfDay, this.periods, this.counted, this.deadline) = (memberships, minutesOfDay, periods, counted, deadline);
    }

    /// <param name="db">In a transaction.</param>
    /// <param name="organization">Whose days and limits count.</param>
    /// <param name="scope">What is to be recorded.</param>
    /// <param name="ct">Ends it.</param>
    /// <param name="except">Records whose own minutes do not count, because they are being corrected.</param>
    public static async Task<RecordingRules> Load(
        VolunteersDb db, Organization organization, RecordingScope scope, CancellationToken ct, IReadOnlyCollection<Guid>? except = null)
    {
        var (id, people, days, first, last, of, onShifts, countsGroups) = (organization.Id, scope.People, scope.Days, scope.First, scope.Last, scope.Activities, scope.Shifts, scope.CountsGroups);
        var activities = await (countsGroups ? db.LockActivities(id, of, ct) : db.ShareActivities(id, of, ct));
        var shifts = onShifts.Length == 0 ? [] : await db.Shifts.Where(s => s.OrganizationId == id && onShifts.Contains(s.Id)).Select(s => new { s.Id, s.ActivityId })
            .ToDictionaryAsync(s => s.Id, s => s.ActivityId, ct);
        var volunteers = await db.LockProfiles(id, people, ct);
        var parents = await db.Teams.Where(t => t.OrganizationId == id).Select(t => new { t.Id, t.ParentTeamId }).ToDictionaryAsync(t => t.Id, t => t.ParentTeamId, ct);
        var memberships = await db.TeamMembers.Where(m => m.OrganizationId == id && people.Contains(m.VolunteerId))
            .Select(m => new { m.VolunteerId, m.TeamId, m.LeftOn }).ToListAsync(ct);
        var corrected = except ?? [];
        var credited = db.ServiceRecords.Where(r => r.OrganizationId == id && r.VolunteerId != null && people.Contains(r.VolunteerId.Value) && !corrected.Contains(r.Id)
            && (r.Status == ServiceStatus.Submitted || r.Status == ServiceStatus.Approved));
        var minutes = await credited.Where(r => days.Contains(r.ServiceDate)).GroupBy(r => new { r.VolunteerId, r.ServiceDate })
            .Select(g => new { g.Key.VolunteerId, g.Key.ServiceDate, Minutes = g.Sum(r => r.Minutes) }).ToListAsync(ct);
        var periods = await credited.Where(r => r.StartsAt < last && r.EndsAt > first).Select(r => new { r.VolunteerId, r.StartsAt, r.EndsAt }).ToListAsync(ct);

        var counted = await CountedTwice.Load(db, id, of, first, last, namesToo: countsGroups, ct);
        var deadline = await RecordingDeadline.Load(db, organization, activities.Values.Select(a => a.EndsAt).DefaultIfEmpty(last).Min(), ct);

        return new RecordingRules(organization, activities, shifts, [.. volunteers.Select(v => v.Id)],
            volunteers.Where(v => v is { Guardian: null, BirthDate: not null }).ToDictionary(v => v.Id, v => v.BirthDate!.Value), parents,
            memberships.ToLookup(m => m.VolunteerId, m => (m.TeamId, m.LeftOn)),
            minutes.ToDictionary(m => (m.VolunteerId!.Value, m.ServiceDate), m => m.Minutes),
            periods.GroupBy(p => p.VolunteerId!.Value).ToDictionary(g => g.Key, g => g.Select(p => (p.StartsAt, p.EndsAt)).ToList()), counted, deadline);
    }

    /// <summary>A record of the entry, if every rule lets it in; later entries of the same batch then reckon with it.</summary>
    public ServiceRecord Admit(ServiceEntry entry, Recorder by, DateTimeOffset now)
    {
        var activity = activities.GetValueOrDefault(entry.ActivityId);
        var coordinates = activity is not null && by.Coordinates(activity.TeamId);
        if (activity is null || (activity.Status == ActivityStatus.Draft && !coordinates)) throw RuleBreach.NotFound("activity_not_found", "/activityId");

        if (entry.ShiftId is { } shift && shifts.GetValueOrDefault(shift) != entry.ActivityId) throw RuleBreach.NotFound("shift_not_found", "/shiftId");

        var own = entry.VolunteerId is not null && entry.VolunteerId == by.VolunteerId;
        if (!own && !coordinates) throw RuleBreach.Forbidden("only_own_service");
        activity.RefuseIfCancelled();
        var figures = FiguresOf(entry, now);
        var day = organization.DayOf(entry.StartsAt);
        if (entry.VolunteerId is { } volunteer)
        {
            RefuseChild(volunteer, now);
            AdmitVolunteer(volunteer, activity.TeamId, figures, day, mayOverride: !own && entry.DailyLimitOverride is not null);
        }

        var record = new ServiceRecord(activity, entry.VolunteerId, entry.HeadcountMethod, figures, day,
            own ? Evidence.Self : by.ForOthers, own ? ServiceStatus.Submitted : ServiceStatus.Approved, entry.Note, by.ActorId, now);
        if (!own && entry.DailyLimitOverride is { } reason) record.OverrideDailyLimit(reason);
        if (entry.ShiftId is { } onShift) record.OnShift(onShift);
        if (entry.Origin is { } origin) record.CameFrom(origin);
        record.ComeLate(IsLate(activity.Id, now));
        if (own) return record;

        counted.Admit(record, apart: entry.NotCountedElsewhere);
        counted.Add(record);
        return record;
    }

    /// <summary>A correction is held against what it brings beside the record, not against what stood there before.</summary>
    public void RefuseCountedTwice(Participation service, Participation? before) => counted.Refuse(service, before);

    /// <summary>Whether somebody in a group that is booked already may be who the record names.</summary>
    public bool MayBeInHeadcount(ServiceRecord record) => counted.Holds(Participation.Of(record));

    /// <summary>What stands counts against a person's day and time.</summary>
    public void Count(Guid volunteer, DateOnly day, ServiceFigures figures)
    {
        minutesOfDay[(volunteer, day)] = minutesOfDay.GetValueOrDefault((volunteer, day)) + figures.Minutes;
        (periods.TryGetValue(volunteer, out var known) ? known : periods[volunteer] = []).Add((figures.StartsAt, figures.EndsAt));
    }

    private void Discount(Guid volunteer, DateOnly day, ServiceFigures figures)
    {
        minutesOfDay[(volunteer, day)] -= figures.Minutes;
        periods[volunteer].Remove((figures.StartsAt, figures.EndsAt));
    }

    public bool IsLate(Guid activityId, DateTimeOffset now) => deadline.IsOver(activities[activityId].EndsAt, now);

    /// <exception cref="RuleBreach">Nothing new is recorded of a child whose guardian has not agreed.</exception>
    public void RefuseChild(Guid volunteer, DateTimeOffset now)
    {
        if (unguarded.TryGetValue(volunteer, out var birthDate) && AgeLimits.Of(organization, now) is var ages && ages.IsChild(birthDate)) throw ages.DataRefused;
    }

    /// <summary>The rules about a person's time; they hold for new service, for a correction and for a claim alike.</summary>
    public void AdmitVolunteer(
        Guid volunteer, Guid teamId, ServiceFigures figures, DateOnly day, bool mayOverride, (DateOnly Day, ServiceFigures Figures)? inPlaceOf = null)
    {
        if (inPlaceOf is { } stood) Discount(volunteer, stood.Day, stood.Figures);
        try
        {
            RefuseVolunteer(volunteer, teamId, figures, day, mayOverride);
            Count(volunteer, day, figures);
        }
        catch (RuleBreach) when (inPlaceOf is not null)
        {
            Count(volunteer, inPlaceOf.Value.Day, inPlaceOf.Value.Figures);
            throw;
        }
    }

    private void RefuseVolunteer(Guid volunteer, Guid teamId, ServiceFigures figures, DateOnly day, bool mayOverride)
    {
        if (!volunteers.Contains(volunteer)) throw RuleBreach.NotFound("volunteer_not_found", "/volunteerId");
        if (!memberships[volunteer].Any(member => (member.LeftOn is null || member.LeftOn >= day) && IsWithin(member.TeamId, teamId)))
            throw new RuleBreach("not_a_member");

        var total = minutesOfDay.GetValueOrDefault((volunteer, day)) + figures.Minutes;
        if (total > organization.Settings.DailyLimitMinutes && !mayOverride)
            throw new RuleBreach("daily_limit", organization.Settings.DailyLimitMinutes, day, total);

        if (periods.GetValueOrDefault(volunteer)?.Any(period => figures.StartsAt < period.EndsAt && figures.EndsAt > period.StartsAt) == true)
            throw new RuleBreach("overlapping_service");
    }

    public static ServiceFigures FiguresOf(ServiceEntry entry, DateTimeOffset now) => entry.EndsAt > now
        ? throw new RuleBreach("in_the_future")
        : new ServiceFigures(entry.StartsAt, entry.EndsAt, entry.Minutes, entry.PersonTimes);

    /// <summary>A member of a sub-team is a member of the team above it.</summary>
    private bool IsWithin(Guid team, Guid above)
    {
        for (Guid? at = team; at is not null; at = parents.GetValueOrDefault(at.Value))
            if (at == above) return true;
        return false;
    }
}
