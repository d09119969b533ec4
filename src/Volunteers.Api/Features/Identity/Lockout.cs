using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Npgsql;
using Volunteers.Data;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Identity;

/// <summary>How often somebody failed to prove they are one account, from one source, and when they may try again.</summary>
[NotAudited]
internal sealed class FailureCount
{
    /// <summary>The account; for a login that nobody has, one that poses as it.</summary>
    public Guid Subject { get; private set; }

    public string Source { get; private set; } = "";

    public int Failures { get; private set; }

    public DateTimeOffset LastAt { get; private set; }

    /// <summary>Long ago unless there is a wait: a rival at the same moment may have read the clock a little earlier.</summary>
    public DateTimeOffset OpenAt { get; private set; }

    internal sealed class Configuration : IEntityTypeConfiguration<FailureCount>
    {
        public void Configure(EntityTypeBuilder<FailureCount> builder)
        {
            builder.ToTable("failure_counts");
            builder.HasKey(count => new { count.Subject, count.Source });
            builder.Property(count => count.Source).HasMaxLength(80);
            // What is too old to count.
            builder.HasIndex(count => count.LastAt);
        }
    }
}

/// <summary>How long to wait after so many failures: not at all for the first few, then twice as long each time.</summary>
internal sealed record Waits(int Free, TimeSpan First, TimeSpan Longest);

/// <summary>
/// From where somebody tries. <paramref name="Near"/> is what is theirs alone: a device that signed in before, a session, or
/// else the address. What comes from a mere address counts in <paramref name="Everywhere"/> too.
/// </summary>
internal sealed record AttemptSource(string Near, Waits Waits, string? Everywhere = null)
{
    /// <summary>Five failures from one source are free: a person who forgot is through. Then at most 96 guesses a day.</summary>
    private static readonly Waits OfOne = new(5, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(15));

    /// <summary>Thirty from all strange addresses together; then at most 288 guesses a day, however many addresses guess.</summary>
    public static readonly Waits OfEverywhere = new(30, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5));

    /// <summary>Three messages, then fewer and fewer. Each code is good for an hour, so nobody waits without one.</summary>
    public static readonly AttemptSource Messages = new("messages", new Waits(3, TimeSpan.FromMinutes(15), TimeSpan.FromHours(1)));

    public static AttemptSource Device(Guid deviceId) => new($"device {deviceId:n}", OfOne);

    public static AttemptSource Session(string sessionId) => new($"session {sessionId}", OfOne);

    public static AttemptSource Address(IPAddress address) => new($"address {address}", OfOne, "everywhere");

    /// <summary>Guesses at reset codes do not shut anybody out who knows the password, nor the other way round.</summary>
    public static AttemptSource Reset(IPAddress address) => new($"reset {address}", OfOne, "reset");
}

/// <summary>
/// Slows guessing down, and shuts nobody out for long. Every attempt is counted as a failure before it is looked at, in one
/// statement, so that of any number of guesses at one moment, at whatever replica, no more are looked at than are allowed;
/// a success takes its own count back.
/// </summary>
internal sealed class Lockout(VolunteersDb db, TimeProvider clock)
{
    public static readonly TimeSpan Remembered = TimeSpan.FromHours(24);

    /// <summary>
    /// Counts an attempt, unless it is too early for one: then false, and nothing is looked at. An attempt that is too early does
    /// not count, or whoever keeps trying would never be let in again.
    /// </summary>
    public async Task<bool> Enter(Guid subject, AttemptSource source, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var parameters = new List<NpgsqlParameter>
        {
            new("subject", subject), new("now", now), new("forgotten", now - Remembered), new("near", source.Near),
            new("near_free", source.Waits.Free), new("near_first", source.Waits.First), new("near_longest", source.Waits.Longest),
        };
        var sql = Count("near", "true");
        if (source.Everywhere is { } everywhere)
        {
            parameters.AddRange(
            [
                new("wide", everywhere), new("wide_free", AttemptSource.OfEverywhere.Free), new("wide_first", AttemptSource.OfEverywhere.First),
                new("wide_longest", AttemptSource.OfEverywhere.Longest),
            ]);
            sql = $"""
                 with near as (
                     {Count("near", "not exists (select 1 from failure_counts where subject = @subject and source = @wide and open_at > @now)")})
                 {Count("wide", "exists (select 1 from near)")}
                 """;
        }
        return (await db.Database.SqlQueryRaw<bool>(sql, [.. parameters]).ToListAsync(ct)).Count == 1;
    }

    /// <summary>They proved it: what failed from here is forgotten, and of the failures from everywhere the one that was none.</summary>
    public Task Forget(Guid subject, AttemptSource source, CancellationToken ct) => db.Database.ExecuteSqlAsync(
        $"""
         with near as (delete from failure_counts where subject = {subject} and source = {source.Near})
         update failure_counts set failures = greatest(failures - 1, 0), open_at = 'epoch' where subject = {subject} and source = {source.Everywhere}
         """, ct);

    /// <summary>Neither a failure nor a success yet: the attempt did not count.</summary>
    public Task TakeBack(Guid subject, AttemptSource source, CancellationToken ct) => db.Database.ExecuteSqlAsync(
        $"""
         update failure_counts set failures = greatest(failures - 1, 0), open_at = 'epoch'
         where subject = {subject} and (source = {source.Near} or source = {source.Everywhere})
         """, ct);

    /// <summary>How long it is too early still.</summary>
    public async Task<TimeSpan> WaitOf(Guid subject, AttemptSource source, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var open = await db.Set<FailureCount>().Where(count => count.Subject == subject && count.Source == source.Near).Select(count => count.OpenAt).SingleOrDefaultAsync(ct);
        return open > now ? open - now : TimeSpan.FromSeconds(1);
    }

    /// <summary>
    /// A login that nobody has is counted as well, under one of 65,536 made-up ids: as much work as for one that somebody has, a
    /// bounded number of rows, and nobody's phone number to be read from them.
    /// </summary>
    public static Guid PoseAs(string? login)
    {
        Span<byte> id = stackalloc byte[16];
        id.Clear();
        SHA256.HashData(Encoding.UTF8.GetBytes(login ?? ""))[..2].CopyTo(id);
        return new Guid(id, bigEndian: true);
    }

    /// <summary>Failures of which the last was before then; no wait is shortened by it.</summary>
    public static Task<int> ForgetOld(VolunteersDb db, DateTimeOffset before, DateTimeOffset now, CancellationToken ct) =>
        db.Set<FailureCount>().Where(count => count.LastAt < before && count.OpenAt < now).ExecuteDeleteAsync(ct);

    /// <summary>Two at once are counted one after the other, and the second is held to what the first left.</summary>
    private static string Count(string source, string condition) =>
        $"""
         insert into failure_counts as f (subject, source, failures, last_at, open_at)
         select @subject, @{source}, 1, @now, timestamptz 'epoch' where {condition}
         on conflict (subject, source) do update set
             failures = case when f.last_at < @forgotten then 1 else f.failures + 1 end,
             last_at = @now,
             open_at = case when f.last_at < @forgotten or f.failures + 1 < @{source}_free then timestamptz 'epoch'
                 else @now + least(@{source}_first * power(2, least(f.failures + 1 - @{source}_free, 20)), @{source}_longest) end
         where f.open_at <= @now
         returning true as "Value"
         """;
}
