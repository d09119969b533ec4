using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Volunteers.Platform;

/// <summary>What happens in the domain, counted for operators. No tag names an organization or a person.</summary>
internal static class Measures
{
    public const string MeterName = "Volunteers";

    private static readonly Meter Meter = new(MeterName);

    public static Counter<long> ExportRows { get; } = Meter.CreateCounter<long>("volunteers.export.rows", "{row}", "Rows of service records that were sent as files, by format.");

    public static Counter<long> CounterOf(MeasuredAttribute measured) => Meter.CreateCounter<long>(measured.Name, measured.Unit, measured.Description);

    /// <summary>What a worker has still to do, asked of the database when somebody collects.</summary>
    public static void Observe(string name, string unit, string description, Func<double> read) => Meter.CreateObservableGauge(name, read, unit, description);
}

/// <summary>Rows of this entity are counted once they are committed: each new one, and each change of the member that is the tag.</summary>
/// <param name="name">Of the counter.</param>
/// <param name="unit">In UCUM, such as <c>{posting}</c>.</param>
/// <param name="description">For whoever reads a dashboard.</param>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class MeasuredAttribute(string name, string unit, string description) : Attribute
{
    public string Name => name;

    public string Unit => unit;

    public string Description => description;

    /// <summary>The member whose value is the tag, if any.</summary>
    public string? By { get; init; }
}

/// <summary>Counts rows when their transaction commits, so that what was rolled back never was.</summary>
internal sealed class CommittedRows : SaveChangesInterceptor, IDbTransactionInterceptor
{
    private static readonly Dictionary<Type, (Counter<long> Counter, string? By)> Measured = typeof(CommittedRows).Assembly.GetTypes()
        .Select(type => (Type: type, Measured: type.GetCustomAttribute<MeasuredAttribute>())).Where(found => found.Measured is not null)
        .ToDictionary(found => found.Type, found => (Measures.CounterOf(found.Measured!), found.Measured!.By));

    private readonly ConditionalWeakTable<DbContext, Tally> waiting = [];

    public override InterceptionResult<int> SavingChanges(DbContextEventData eventData, InterceptionResult<int> result)
    {
        Note(eventData.Context!);
        return result;
    }

    public override ValueTask<InterceptionResult<int>> SavingChangesAsync(DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        Note(eventData.Context!);
        return ValueTask.FromResult(result);
    }

    public override int SavedChanges(SaveChangesCompletedEventData eventData, int result)
    {
        if (waiting.TryGetValue(eventData.Context!, out var tally)) tally.Saved = tally.Rows.Count;
        if (eventData.Context!.Database.CurrentTransaction is null) Count(eventData.Context);
        return result;
    }

    public override ValueTask<int> SavedChangesAsync(SaveChangesCompletedEventData eventData, int result, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(SavedChanges(eventData, result));

    public override void SaveChangesFailed(DbContextErrorEventData eventData) => ForgetUnsaved(eventData.Context!);

    public override Task SaveChangesFailedAsync(DbContextErrorEventData eventData, CancellationToken cancellationToken = default)
    {
        ForgetUnsaved(eventData.Context!);
        return Task.CompletedTask;
    }

    public void TransactionCommitted(System.Data.Common.DbTransaction transaction, TransactionEndEventData eventData) => Count(eventData.Context!);

    public Task TransactionCommittedAsync(System.Data.Common.DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Count(eventData.Context!);
        return Task.CompletedTask;
    }

    public void TransactionRolledBack(System.Data.Common.DbTransaction transaction, TransactionEndEventData eventData) => Forget(eventData.Context!);

    public Task TransactionRolledBackAsync(System.Data.Common.DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Forget(eventData.Context!);
        return Task.CompletedTask;
    }

    private void Note(DbContext db)
    {
        foreach (var entry in db.ChangeTracker.Entries())
        {
            if (!Measured.TryGetValue(entry.Metadata.ClrType, out var measured) || !Happened(entry, measured.By)) continue;
            KeyValuePair<string, object?>[] tags = measured.By is { } by ? [new(JsonNamingPolicy.SnakeCaseLower.ConvertName(by), Word(entry.Property(by).CurrentValue))] : [];
            waiting.GetOrCreateValue(db).Rows.Add((measured.Counter, tags));
        }
    }

    private static bool Happened(EntityEntry entry, string? by) => entry.State == EntityState.Added
        || (entry.State == EntityState.Modified && by is not null && entry.Property(by) is var member && !Equals(member.OriginalValue, member.CurrentValue));

    private static string Word(object? value) => JsonNamingPolicy.SnakeCaseLower.ConvertName(value?.ToString() ?? "none");

    private void Count(DbContext db)
    {
        if (!waiting.TryGetValue(db, out var tally)) return;
        foreach (var (counter, tags) in tally.Rows) counter.Add(1, tags);
        Forget(db);
    }

    /// <summary>A transaction can go on after a save that failed.</summary>
    private void ForgetUnsaved(DbContext db)
    {
        if (waiting.TryGetValue(db, out var tally)) tally.Rows.RemoveRange(tally.Saved, tally.Rows.Count - tally.Saved);
    }

    private void Forget(DbContext db) => waiting.Remove(db);

    private sealed class Tally
    {
        public List<(Counter<long> Counter, KeyValuePair<string, object?>[] Tags)> Rows { get; } = [];

        /// <summary>How many of them are written, though not yet committed.</summary>
        public int Saved { get; set; }
    }
}
