using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Data;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Changes;

/// <summary>What phones and other systems keep copies of, in the order in which they get it: what is pointed to before what points to it.</summary>
internal enum SyncedResource
{
    Organization,
    Team,
    Volunteer,
    Project,
    Series,
    Activity,
    Shift,
    SignUp,
    ServiceRecord,
    Dispute,
    Certificate,
    Award,
}

/// <summary>
/// That something changed, and its place in the one order of its organization. Ids and nothing else: what it is by now is read when
/// somebody asks.
/// </summary>
[NotAudited]
internal sealed class Change
{
    private Change() { }

    public Guid OrganizationId { get; private set; }

    /// <summary>1, 2, 3 and so on without a gap, in the order in which changes were committed and seen.</summary>
    public long Position { get; private set; }

    public SyncedResource Resource { get; private set; }

    public Guid ResourceId { get; private set; }

    /// <summary>Who could see it before or can since; see <see cref="Data.Sight"/>. Whoever reads everything needs no key.</summary>
    public Guid[] Keys { get; private set; } = [];

    public DateTimeOffset At { get; private set; }

    internal sealed class Configuration : IEntityTypeConfiguration<Change>
    {
        public void Configure(EntityTypeBuilder<Change> builder)
        {
            builder.ToTable("changes");
            builder.HasKey(c => new { c.OrganizationId, c.Position });
            // What is too old to be asked for.
            builder.HasIndex(c => c.At);
        }
    }
}

/// <summary>How far an organization's changes have their positions.</summary>
[NotAudited]
internal sealed class ChangeHead
{
    private ChangeHead() { }

    public Guid OrganizationId { get; private set; }

    public long Position { get; private set; }

    /// <summary>The local day that was noticed last: some things change because a day begins.</summary>
    public DateOnly Day { get; private set; }

    internal sealed class Configuration : IEntityTypeConfiguration<ChangeHead>
    {
        public void Configure(EntityTypeBuilder<ChangeHead> builder)
        {
            builder.ToTable("change_heads");
            builder.HasKey(h => h.OrganizationId);
        }
    }
}

internal static class ChangeCleanup
{
    /// <summary>Forgets what changed before then, a thousand at a time. A cursor is refused first, by its own age.</summary>
    public static Task<int> Forget(VolunteersDb db, DateTimeOffset before, CancellationToken ct)
    {
        // A day more: the clocks of two replicas differ.
        var longBefore = before.AddDays(-1);
        return db.Database.ExecuteSqlAsync(
            $"""
             delete from changes where (organization_id, position) in
                 (select organization_id, position from changes where at < {longBefore} order by at limit 1000)
             """, ct);
    }
}
