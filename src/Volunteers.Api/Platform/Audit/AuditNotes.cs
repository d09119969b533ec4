using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;

namespace Volunteers.Platform.Audit;

/// <summary>
/// What a request, or the service by itself, changes: every row that EF saves meanwhile, as it was and as it becomes. What a
/// statement of its own does is told by whoever runs it.
/// </summary>
internal sealed class AuditNotes
{
    private static readonly ConditionalWeakTable<DbContext, AuditNotes> Watched = [];

    private readonly Dictionary<object, AuditedRow> rows = new(ReferenceEqualityComparer.Instance);
    private readonly List<(Guid? OrganizationId, AuditChange Change)> told = [];

    public IReadOnlyCollection<AuditedRow> Rows => rows.Values;

    public IReadOnlyCollection<(Guid? OrganizationId, AuditChange Change)> Told => told;

    /// <summary>Who are deleted, or erased, and with them what the trail says about them.</summary>
    public IEnumerable<AuditedRow> Forgotten => rows.Values.Where(row => (row.Action == AuditAction.Deleted && row.Type.ForgetsDeleted) || row.Row is IErasable { ErasedAt: not null });

    /// <summary>Takes notes of what is saved until it is disposed.</summary>
    public IDisposable Watch(DbContext db) => new Watching(db, this);

    /// <summary>Rows that a statement of its own deleted, as they were.</summary>
    public static void Deleted(DbContext db, IEnumerable<object> rows)
    {
        if (!Watched.TryGetValue(db, out var notes)) return;
        foreach (var row in rows)
            if (AuditedType.Of(db.Model.FindEntityType(row.GetType())!) is { } type) notes.rows[row] = AuditedRow.Deleted(type, row);
    }

    /// <summary>Rows that a statement of its own made or changed.</summary>
    public static void Tell(DbContext db, Guid organizationId, string type, AuditAction action, int count)
    {
        if (count > 0 && Watched.TryGetValue(db, out var notes)) notes.told.Add((organizationId, new AuditChange(type, action, [], count)));
    }

    /// <summary>The notes about each of these, where each of them made a change of their own.</summary>
    /// <exception cref="InvalidOperationException">Something was changed that is about none of them: nobody could say who did it.</exception>
    public IReadOnlyDictionary<Guid, AuditNotes> ByVolunteer(IReadOnlyCollection<Guid> volunteers)
    {
        var each = volunteers.ToDictionary(id => id, _ => new AuditNotes());
        foreach (var row in rows.Values)
        {
            if (row.VolunteerId is { } id && each.TryGetValue(id, out var theirs)) theirs.rows.Add(row.Row, row);
            else if (row.Action != AuditAction.Changed || row.Differences().Any()) throw new InvalidOperationException($"A {row.Type.Name} was changed that is about none of those who share the transaction.");
        }
        if (told.Count > 0) throw new InvalidOperationException("Rows were changed by a statement in a shared transaction.");
        return each;
    }

    private void Note(EntityEntry entry)
    {
        if (entry.State is not (EntityState.Added or EntityState.Modified or EntityState.Deleted) || AuditedType.Of(entry.Metadata) is not { } type) return;
        if (!rows.TryGetValue(entry.Entity, out var row)) rows.Add(entry.Entity, row = new AuditedRow(type, entry.Entity));
        row.Note(entry);
        if (row.CameAndWent) rows.Remove(entry.Entity);
    }

    private sealed class Watching : IDisposable
    {
        private readonly DbContext db;
        private readonly AuditNotes notes;

        public Watching(DbContext db, AuditNotes notes)
        {
            (this.db, this.notes) = (db, notes);
            db.SavingChanges += Note;
            Watched.Add(db, notes);
        }

        public void Dispose()
        {
            db.SavingChanges -= Note;
            Watched.Remove(db);
        }

        private void Note(object? sender, SavingChangesEventArgs e)
        {
            foreach (var entry in db.ChangeTracker.Entries()) notes.Note(entry);
        }
    }
}

internal static class NotedDeletion
{
    /// <summary>Deletes with one statement, and notes what the rows were.</summary>
    public static async Task<int> DeleteNoted<T>(this DbContext db, IQueryable<T> rows, CancellationToken ct) where T : class
    {
        var those = await rows.AsNoTracking().ToListAsync(ct);
        if (db is IFollowed followed) await followed.Deleting(those, ct);
        var deleted = those.Count == 0 ? 0 : await rows.ExecuteDeleteAsync(ct);
        if (deleted > 0) AuditNotes.Deleted(db, those);
        return deleted;
    }
}

/// <summary>One row over all the times it was saved: as it was before the first, as it is after the last.</summary>
internal sealed class AuditedRow(AuditedType type, object row)
{
    private readonly Dictionary<AuditedMember, JsonNode?> before = [];

    public AuditedType Type => type;

    public object Row => row;

    public Guid? OrganizationId => type.OrganizationOf(row);

    public Guid? VolunteerId => AboutVolunteer.Of(row);

    public AuditAction Action { get; private set; } = AuditAction.Changed;

    /// <summary>Made and deleted by the same request.</summary>
    public bool CameAndWent { get; private set; }

    public static AuditedRow Deleted(AuditedType type, object row)
    {
        var deleted = new AuditedRow(type, row) { Action = AuditAction.Deleted };
        foreach (var member in type.Members) deleted.before[member] = member.Plain(row);
        return deleted;
    }

    public void Note(EntityEntry entry)
    {
        if (entry.State == EntityState.Added)
        {
            Action = AuditAction.Created;
            return;
        }
        if (entry.State == EntityState.Deleted)
        {
            CameAndWent = Action == AuditAction.Created;
            Action = AuditAction.Deleted;
        }
        if (Action == AuditAction.Created) return;

        var was = entry.OriginalValues.ToObject();
        foreach (var member in type.Members)
            // The first time counts: what the row was before the request.
            if (entry.State == EntityState.Deleted || IsModified(entry, member)) before.TryAdd(member, member.Plain(was));
    }

    /// <summary>The members that differ now from what they were; all that there is of a row that was made or deleted.</summary>
    public IEnumerable<(AuditedMember Member, JsonNode? Before, JsonNode? After)> Differences()
    {
        foreach (var member in type.Members)
        {
            var was = Action == AuditAction.Created ? null : before.GetValueOrDefault(member);
            if (Action == AuditAction.Changed && !before.ContainsKey(member)) continue;
            var now = Action == AuditAction.Deleted ? null : member.Plain(row);
            if (!JsonNode.DeepEquals(was, now)) yield return (member, Masks.Of(was, member.Mask)?.DeepClone(), Masks.Of(now, member.Mask)?.DeepClone());
        }
    }

    /// <summary>What is complex is compared by what it says.</summary>
    private static bool IsModified(EntityEntry entry, AuditedMember member) =>
        entry.Metadata.FindProperty(member.Property.Name) is not { } property || entry.Property(property).IsModified;
}
