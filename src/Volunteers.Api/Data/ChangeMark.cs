using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Activities;
using Volunteers.Features.Certificates;
using Volunteers.Features.Hours;
using Volunteers.Features.Organizations;
using Volunteers.Features.Projects;
using Volunteers.Features.Recognition;
using Volunteers.Features.Teams;
using Volunteers.Features.Volunteers;
using Volunteers.Platform.Audit;

namespace Volunteers.Data;

/// <summary>What was written. Most are one row; the others are what one row is to many: see where they are expanded.</summary>
internal enum MarkKind
{
    Organization,

    /// <summary>Of an organization: whom it takes for minors.</summary>
    Ages,
    Team,

    /// <summary>By the id of the volunteer, with the team.</summary>
    Member,
    Volunteer,

    /// <summary>By the id of the volunteer: what they are called, wherever that is shown.</summary>
    Person,
    Project,
    Series,
    Activity,

    /// <summary>Who sees the activity, and with it what belongs to it.</summary>
    ActivitySight,

    /// <summary>What the activity is called, wherever that is shown.</summary>
    ActivityTitle,
    Shift,
    SignUp,

    /// <summary>By the id of the shift: the turns of those who wait.</summary>
    WaitingList,
    ServiceRecord,

    /// <summary>By the id of the record: what is shown of it with what was disputed.</summary>
    RecordDisputes,
    Dispute,
    Certificate,
    Award,
}

/// <summary>
/// That a row was written which other systems and phones keep a copy of: its id and who could see it until then, nothing of what
/// it says. Made in the transaction of the change, and gone as soon as the change has its position. No triggers, which Citus
/// refuses: EF marks whatever it saves, and statements of their own mark what they move; a test with triggers holds them to it.
/// </summary>
[NotAudited]
internal sealed class ChangeMark
{
    private ChangeMark() { }

    public ChangeMark(Guid organizationId, MarkKind kind, Guid rowId, params IEnumerable<Guid> keys) =>
        (OrganizationId, Id, Kind, RowId, Keys) = (organizationId, Guid.CreateVersion7(), kind, rowId, [.. keys.Distinct()]);

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public MarkKind Kind { get; private set; }

    public Guid RowId { get; private set; }

    /// <summary>Who could see it before: teams, volunteers, <see cref="Sight.Everybody"/>. Who can see it now is read from the row.</summary>
    public Guid[] Keys { get; private set; } = [];

    /// <summary>What a row that is about to be saved means to who follows. Without the keys of shifts and sign-ups that are deleted: only the database has them.</summary>
    public static IEnumerable<ChangeMark> Of(EntityEntry entry)
    {
        if (entry.State is not (EntityState.Added or EntityState.Modified or EntityState.Deleted)) return [];
        T Was<T>(string property) => (T)entry.Property(property).OriginalValue!;
        bool Differs(params string[] properties) => entry.State == EntityState.Modified && Array.Exists(properties, property => entry.Property(property).IsModified);
        var added = entry.State == EntityState.Added;

        return entry.Entity switch
        {
            Organization o => [new(o.Id, MarkKind.Organization, o.Id), .. One(!added, () => new(o.Id, MarkKind.Ages, o.Id))],
            Team t => [new(t.OrganizationId, MarkKind.Team, t.Id)],
            TeamMember m => [new(m.OrganizationId, MarkKind.Member, m.VolunteerId, m.TeamId)],
            RoleGrant g => new[] { g.VolunteerId, Was<Guid?>(nameof(g.VolunteerId)) }.OfType<Guid>().Distinct().Select(id => new ChangeMark(g.OrganizationId, MarkKind.Volunteer, id)),
            IdentityDocument d => [new(d.OrganizationId, MarkKind.Volunteer, d.VolunteerId)],
            Volunteer v => [new(v.OrganizationId, MarkKind.Volunteer, v.Id), .. One(Differs(nameof(v.Name), nameof(v.Number)), () => new(v.OrganizationId, MarkKind.Person, v.Id))],
            Project p => [new(p.OrganizationId, MarkKind.Project, p.Id)],
            Series s => [new(s.OrganizationId, MarkKind.Series, s.Id, Sight.Of(Was<Guid>(nameof(s.TeamId)), Was<bool>(nameof(s.Publish))))],
            Activity a => OfActivity(a, Sight.Of(Was<Guid>(nameof(a.TeamId)), Was<ActivityStatus>(nameof(a.Status)) != ActivityStatus.Draft), Was<Guid?>(nameof(a.ResponsibleVolunteerId)),
                sight: Differs(nameof(a.TeamId), nameof(a.Status), nameof(a.ResponsibleVolunteerId)), title: Differs(nameof(a.Title))),
            Shift s => [new(s.OrganizationId, MarkKind.Shift, s.Id)],
            SignUp s =>
            [
                new(s.OrganizationId, MarkKind.SignUp, s.Id, s.VolunteerId),
                // Whoever stood behind moves up.
                .. One(!added && Was<SignUpStatus>(nameof(s.Status)) == SignUpStatus.Waitlisted, () => new(s.OrganizationId, MarkKind.WaitingList, s.ShiftId)),
            ],
            ServiceRecord r => OfRecord(r, Known(Was<Guid>(nameof(r.TeamId)), Was<Guid?>(nameof(r.VolunteerId))),
                Differs(nameof(r.TeamId), nameof(r.VolunteerId), nameof(r.ActivityId))),
            Dispute d => [new(d.OrganizationId, MarkKind.Dispute, d.Id)],
            Certificate c => [new(c.OrganizationId, MarkKind.Certificate, c.Id)],
            CertificateEnding e => [new(e.OrganizationId, MarkKind.Certificate, e.Id)],
            Award a => [new(a.OrganizationId, MarkKind.Award, a.Id,
                Was<AwardStatus>(nameof(a.Status)) is AwardStatus.InPublicity or AwardStatus.Confirmed ? [Sight.Everybody] : [])],
            AwardObjection o => [new(o.OrganizationId, MarkKind.Award, o.AwardId)],
            _ => [],
        };
    }

    private static IEnumerable<ChangeMark> OfActivity(Activity a, Guid[] keys, Guid? responsible, bool sight, bool title) =>
    [
        new(a.OrganizationId, MarkKind.Activity, a.Id, keys),
        .. One(sight, () => new(a.OrganizationId, MarkKind.ActivitySight, a.Id, [.. keys, .. Known(responsible)])),
        .. One(title, () => new(a.OrganizationId, MarkKind.ActivityTitle, a.Id)),
    ];

    private static IEnumerable<ChangeMark> OfRecord(ServiceRecord r, Guid[] keys, bool moved) =>
        [new(r.OrganizationId, MarkKind.ServiceRecord, r.Id, keys), .. One(moved, () => new(r.OrganizationId, MarkKind.RecordDisputes, r.Id, keys))];

    private static Guid[] Known(params Guid?[] some) => [.. some.OfType<Guid>()];

    private static IEnumerable<ChangeMark> One(bool really, Func<ChangeMark> mark) => really ? [mark()] : [];

    internal sealed class Configuration : IEntityTypeConfiguration<ChangeMark>
    {
        public void Configure(EntityTypeBuilder<ChangeMark> builder)
        {
            builder.ToTable("change_marks");
            builder.HasKey(m => new { m.OrganizationId, m.Id });
        }
    }
}

/// <summary>Who may see something, as keys: whoever holds one of them may have seen it. Who reads everything needs none.</summary>
internal static class Sight
{
    /// <summary>Everybody with a role in the organization.</summary>
    public static readonly Guid Everybody = Guid.Empty;

    /// <summary>Everybody with a profile in the organization.</summary>
    public static readonly Guid Volunteers = new("ffffffff-ffff-ffff-ffff-ffffffffffff");

    /// <summary>A team's own, and every volunteer's once it is published.</summary>
    public static Guid[] Of(Guid teamId, bool published) => published ? [teamId, Volunteers] : [teamId];
}

internal static class ChangeMarks
{
    /// <summary>Marks what EF is about to save, as a part of it.</summary>
    public static async Task MarkChanges(this VolunteersDb db, IEnumerable<EntityEntry> entries, CancellationToken ct)
    {
        var (marks, deleted) = (new List<ChangeMark>(), new List<object>());
        foreach (var entry in entries)
            if (entry is { State: EntityState.Deleted, Entity: Shift or SignUp }) deleted.Add(entry.Entity);
            else marks.AddRange(ChangeMark.Of(entry));
        if (deleted.Count > 0) marks.AddRange(await db.MarksOfDeleted(deleted, ct));
        db.AddRange(Merged(marks));
    }

    /// <summary>Marks rows that a statement of its own is about to delete.</summary>
    public static async Task MarkDeleted(this VolunteersDb db, IReadOnlyCollection<object> rows, CancellationToken ct) => await db.Insert(Merged(
    [
        .. await db.MarksOfDeleted(rows, ct),
        .. rows.OfType<IdentityDocument>().Select(document => new ChangeMark(document.OrganizationId, MarkKind.Volunteer, document.VolunteerId)),
    ]), ct);

    /// <summary>Marks rows that a statement of its own wrote, and whose readers it left as they were, but for those who are named.</summary>
    public static Task Mark(this VolunteersDb db, Guid organizationId, MarkKind kind, IEnumerable<Guid> rows, CancellationToken ct, params Guid[] formerReaders) =>
        db.Insert([.. rows.Distinct().Select(row => new ChangeMark(organizationId, kind, row, formerReaders))], ct);

    private static async Task<List<ChangeMark>> MarksOfDeleted(this VolunteersDb db, IReadOnlyCollection<object> rows, CancellationToken ct)
    {
        var (shifts, signUps) = (rows.OfType<Shift>().ToArray(), rows.OfType<SignUp>().ToArray());
        if (shifts.Length + signUps.Length == 0) return [];

        var organizations = shifts.Select(s => s.OrganizationId).Concat(signUps.Select(s => s.OrganizationId)).Distinct().ToArray();
        var ids = shifts.Select(s => s.Id).Concat(signUps.Select(s => s.ShiftId)).Distinct().ToArray();
        var activities = await db.Shifts.Where(s => organizations.Contains(s.OrganizationId) && ids.Contains(s.Id))
            .Join(db.Activities, s => new { s.OrganizationId, Id = s.ActivityId }, a => new { a.OrganizationId, a.Id }, (s, a) => new { s.Id, a.TeamId, a.Status, a.ResponsibleVolunteerId })
            .ToDictionaryAsync(found => found.Id, ct);
        return
        [
            .. shifts.Where(s => activities.ContainsKey(s.Id)).Select(s =>
                new ChangeMark(s.OrganizationId, MarkKind.Shift, s.Id, Sight.Of(activities[s.Id].TeamId, activities[s.Id].Status != ActivityStatus.Draft))),
            .. signUps.Where(s => activities.ContainsKey(s.ShiftId)).Select(s => new ChangeMark(s.OrganizationId, MarkKind.SignUp, s.Id,
                new Guid?[] { s.VolunteerId, activities[s.ShiftId].TeamId, activities[s.ShiftId].ResponsibleVolunteerId }.OfType<Guid>())),
        ];
    }

    private static List<ChangeMark> Merged(IEnumerable<ChangeMark> marks) =>
        [.. marks.GroupBy(mark => (mark.OrganizationId, mark.Kind, mark.RowId)).Select(same => new ChangeMark(same.Key.OrganizationId, same.Key.Kind, same.Key.RowId, same.SelectMany(mark => mark.Keys)))];

    /// <summary>At once, for who saves nothing more: in the transaction that there is.</summary>
    private static async Task Insert(this VolunteersDb db, IReadOnlyCollection<ChangeMark> marks, CancellationToken ct)
    {
        foreach (var some in marks.Chunk(1000))
        {
            // A row for each key: arrays of arrays must be of one length.
            var keyed = some.SelectMany(mark => mark.Keys.Select(key => (Guid?)key).DefaultIfEmpty(), (mark, key) => (mark, key)).ToArray();
            var organizations = keyed.Select(each => each.mark.OrganizationId).ToArray();
            var ids = keyed.Select(_ => Guid.CreateVersion7()).ToArray();
            var kinds = keyed.Select(each => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(each.mark.Kind.ToString())).ToArray();
            var rows = keyed.Select(each => each.mark.RowId).ToArray();
            var keys = keyed.Select(each => each.key).ToArray();
            await db.Database.ExecuteSqlAsync(
                $"""
                 insert into change_marks (organization_id, id, kind, row_id, keys)
                 select o, i, k, r, array_remove(array[s], null) from unnest({organizations}, {ids}, {kinds}, {rows}, {keys}) as marked(o, i, k, r, s)
                 """, ct);
        }
    }
}
