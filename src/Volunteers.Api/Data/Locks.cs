using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Volunteers.Features.Activities;
using Volunteers.Features.Hours;
using Volunteers.Features.Identity;
using Volunteers.Features.Organizations;
using Volunteers.Features.Volunteers;
using Volunteers.Features.Webhooks;
using Volunteers.Platform;

namespace Volunteers.Data;

/// <summary>
/// Whatever is counted or decided once locks its row first. Always in this order, so that two requests never wait for each
/// other: organization, client, webhook, series, activities, shifts, records, volunteers (each by id), then the ledger, last. The correction
/// of a record with a name may share the activity after it has its record: who has an activity locked waits for no such
/// record.
/// </summary>
internal static class Locks
{
    /// <summary>One half of the key of an advisory lock; the other is the organization.</summary>
    private const int Moments = 0x6d6f6d65;

    public static Task<Organization> LockOrganization(this VolunteersDb db, Guid id, CancellationToken ct) =>
        db.Organizations.FromSql($"select * from organizations where id = {id} for no key update").SingleAsync(ct);

    /// <summary>A client whose secrets are about to be counted.</summary>
    public static Task<OrganizationClient?> LockClient(this VolunteersDb db, Guid organizationId, Guid id, CancellationToken ct) =>
        db.Clients.FromSql($"select * from organization_clients where organization_id = {organizationId} and id = {id} for no key update").SingleOrDefaultAsync(ct);

    /// <summary>A webhook, with its secrets as they are then, that is about to change.</summary>
    public static async Task<Webhook?> LockWebhook(this VolunteersDb db, Guid organizationId, Guid id, CancellationToken ct)
    {
        var webhook = await db.Webhooks.FromSql($"select * from webhooks where organization_id = {organizationId} and id = {id} for no key update").SingleOrDefaultAsync(ct);
        if (webhook is not null) await db.Entry(webhook).Collection(w => w.Secrets).LoadAsync(ct);
        return webhook;
    }

    /// <summary>A series whose occurrences are about to be made or changed.</summary>
    public static Task<Series?> LockSeries(this VolunteersDb db, Guid organizationId, Guid id, CancellationToken ct) =>
        db.Series.FromSql($"select * from series where organization_id = {organizationId} and id = {id} for no key update").SingleOrDefaultAsync(ct);

    /// <summary>Occurrences still to come, and those of days from this one on; waits for records that are being entered for them.</summary>
    public static Task<List<Activity>> LockOccurrences(this VolunteersDb db, Series series, DateOnly from, DateTimeOffset now, CancellationToken ct) =>
        db.Activities.FromSql(
            $"""
             select * from activities where organization_id = {series.OrganizationId} and series_id = {series.Id} and (occurrence_on >= {from} or starts_at > {now})
             order by id for update
             """).ToListAsync(ct);

    /// <summary>An activity about to change; waits for records that are being entered for it.</summary>
    public static Task<Activity?> LockActivity(this VolunteersDb db, Guid organizationId, Guid id, CancellationToken ct) =>
        db.Activities.FromSql($"select * from activities where organization_id = {organizationId} and id = {id} for update").SingleOrDefaultAsync(ct);

    /// <summary>Activities that records are entered for: they may not be cancelled meanwhile.</summary>
    public static Task<Dictionary<Guid, Activity>> ShareActivities(this VolunteersDb db, Guid organizationId, Guid[] ids, CancellationToken ct) =>
        db.Activities.FromSql($"select * from activities where organization_id = {organizationId} and id = any({ids}) order by id for share")
            .ToDictionaryAsync(activity => activity.Id, ct);

    /// <summary>
    /// The activities of records about to be approved or claimed: no group may be counted for them, and no count corrected,
    /// meanwhile. An activity never changes under a record.
    /// </summary>
    public static Task ShareActivitiesOf(this VolunteersDb db, Guid organizationId, Guid[] recordIds, CancellationToken ct) => db.Database.ExecuteSqlAsync(
        $"""
         select 1 from activities where organization_id = {organizationId}
             and id in (select activity_id from service_records where organization_id = {organizationId} and id = any({recordIds})) order by id for share
         """, ct);

    /// <summary>Activities that a group is counted for: nobody may be approved by name meanwhile.</summary>
    public static Task<Dictionary<Guid, Activity>> LockActivities(this VolunteersDb db, Guid organizationId, Guid[] ids, CancellationToken ct) =>
        db.Activities.FromSql($"select * from activities where organization_id = {organizationId} and id = any({ids}) order by id for update")
            .ToDictionaryAsync(activity => activity.Id, ct);

    /// <summary>The activity of a headcount about to be corrected or to get somebody back, before its record: nobody may be approved by name meanwhile, in it or beside it.</summary>
    public static Task LockActivityOfHeadcount(this VolunteersDb db, Guid organizationId, Guid recordId, CancellationToken ct) => db.Database.ExecuteSqlAsync(
        $"""
         select 1 from activities where organization_id = {organizationId}
             and id = (select activity_id from service_records where organization_id = {organizationId} and id = {recordId} and volunteer_id is null) for update
         """, ct);

    /// <summary>An activity whose shifts are about to change: it may not be cancelled or moved meanwhile.</summary>
    public static Task<Activity?> ShareActivity(this VolunteersDb db, Guid organizationId, Guid id, CancellationToken ct) =>
        db.Activities.FromSql($"select * from activities where organization_id = {organizationId} and id = {id} for share").SingleOrDefaultAsync(ct);

    /// <summary>Shifts whose places are about to be taken or freed.</summary>
    public static Task<List<Shift>> LockShifts(this VolunteersDb db, Guid organizationId, Guid[] ids, CancellationToken ct) =>
        db.Shifts.FromSql($"select * from shifts where organization_id = {organizationId} and id = any({ids}) order by id for no key update").ToListAsync(ct);

    /// <summary>People whose hours of a day are about to be added up.</summary>
    public static Task<List<Guid>> LockVolunteers(this VolunteersDb db, Guid organizationId, Guid[] ids, CancellationToken ct) =>
        db.Database.SqlQuery<Guid>(
            $"select id as \"Value\" from volunteers where organization_id = {organizationId} and id = any({ids}) order by id for no key update").ToListAsync(ct);

    /// <summary>People who are about to be given a place or to lose it.</summary>
    public static Task<List<Volunteer>> LockProfiles(this VolunteersDb db, Guid organizationId, Guid[] ids, CancellationToken ct) =>
        db.Volunteers.FromSql($"select * from volunteers where organization_id = {organizationId} and id = any({ids}) order by id for no key update")
            .AsNoTracking().ToListAsync(ct);

    public static Task<List<ServiceRecord>> LockRecords(this VolunteersDb db, Guid organizationId, Guid[] ids, CancellationToken ct) =>
        db.ServiceRecords.FromSql($"select * from service_records where organization_id = {organizationId} and id = any({ids}) order by id for update").ToListAsync(ct);

    /// <summary>What was booked for the attendance of these people on these shifts.</summary>
    public static async Task<List<ServiceRecord>> LockAttendanceRecords(this VolunteersDb db, Guid organizationId, Guid[] shiftIds, Guid[] volunteerIds, CancellationToken ct)
    {
        var known = await db.ServiceRecords.Where(r => r.OrganizationId == organizationId && r.Evidence == Evidence.Attendance
            && r.ShiftId != null && shiftIds.Contains(r.ShiftId.Value) && r.VolunteerId != null && volunteerIds.Contains(r.VolunteerId.Value)).Select(r => r.Id).ToArrayAsync(ct);
        return known.Length == 0 ? [] : await db.LockRecords(organizationId, known, ct);
    }

    /// <summary>The ledger's row, made with the first posting. Taken last, held to the end of the transaction; what is booked then has a moment of its own, as below.</summary>
    public static async Task<HourLedger> LockLedger(this VolunteersDb db, Guid organizationId, CancellationToken ct)
    {
        var locked = await db.HourLedgers.FromSql(
            $"""
             insert into hour_ledgers as l (organization_id, position, hash, posted_at)
             select {organizationId}, 0, '', '1970-01-01 00:00:00+00' from (select pg_advisory_xact_lock_shared({Moments}, hashtext({organizationId}::text))) moment
             on conflict (organization_id) do update set position = l.position
             returning *
             """).ToListAsync(ct);
        return locked[0];
    }

    /// <summary>
    /// The moment of a change that reports as of a point in time must or must not show. Said under a lock that is shared until
    /// the change is there or given up, so that <see cref="AwaitMoments"/> leaves none of the past under way.
    /// </summary>
    public static async Task<DateTimeOffset> TakeMoment(this VolunteersDb db, Guid organizationId, CancellationToken ct)
    {
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock_shared({Moments}, hashtext({organizationId}::text))", ct);
        return db.Moment();
    }

    /// <summary>Once more what time it is, for who holds the lock already.</summary>
    public static DateTimeOffset Moment(this VolunteersDb db) => Instant.AsKept(db.GetService<TimeProvider>().GetUtcNow());

    /// <summary>
    /// Waits for changes that have their moment already; every later one has a later moment. So what is said of the past once
    /// is said of it for ever. Held to the end of a transaction, if there is one: before anything else is locked there.
    /// </summary>
    public static Task AwaitMoments(this VolunteersDb db, Guid organizationId, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock({Moments}, hashtext({organizationId}::text))", ct);
}
