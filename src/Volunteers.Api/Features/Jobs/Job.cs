using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Organizations;
using Volunteers.Features.Teams;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Jobs;

internal enum JobKind
{
    Import,
    Export,
}

/// <summary>What a file holds.</summary>
internal enum JobResource
{
    /// <summary>The volunteers, each with one membership.</summary>
    Roster,
    Activities,
    ServiceRecords,
}

internal enum JobFormat
{
    Csv,
    Xlsx,

    /// <summary>One JSON object per line.</summary>
    Ndjson,
}

internal enum JobState
{
    /// <summary>Waits for its turn: an organization's jobs are done one after the other.</summary>
    Queued,
    Running,

    /// <summary>Went through the whole file; single rows may have been refused.</summary>
    Succeeded,

    /// <summary>Could not go on; what was done until then stays.</summary>
    Failed,

    /// <summary>Stopped by somebody; what was done until then stays.</summary>
    Cancelled,
}

/// <summary>Which rows to export.</summary>
internal sealed record JobFilter(DateOnly? From, DateOnly? To, Guid? TeamId);

/// <summary>What came of some rows.</summary>
internal sealed record JobBatch(int Created, int Updated, int Unchanged, IReadOnlyList<RefusedRow> Refused)
{
    /// <summary>A row is refused once, for whatever reasons.</summary>
    public int RowsRefused => Refused.Select(refusal => refusal.Row).Distinct().Count();

    public int Rows => Created + Updated + Unchanged + RowsRefused;
}

/// <summary>Why a row was refused, in both languages: who asks later may read another than who asked first.</summary>
internal sealed record RefusedRow(int Row, string? Column, string Code, string English, string Chinese);

/// <summary>
/// A file taken in or drawn in the background. Whatever a batch does and how far the job then is are one transaction, so that a
/// crash repeats nothing: whoever goes on begins where the last batch ended.
/// </summary>
internal sealed class Job : IVersioned
{
    /// <summary>Starts without a step in between, after which nobody tries any more: something in the file ends the process.</summary>
    private const int MostAttempts = 5;

    private Job() { }

    public Job(Tenant tenant, JobKind kind, JobResource resource, JobFormat format, string language, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, Kind, Resource, Format, Language, CreatedAt) = (tenant.Id, kind, resource, format, language, Instant.AsKept(now));
        (AskedBy, AskedByClient) = (tenant.ActorId, tenant.Caller.IsClient);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public JobKind Kind { get; private set; }

    public JobResource Resource { get; private set; }

    public JobFormat Format { get; private set; }

    /// <summary>Of an import: say what it would do, and do nothing.</summary>
    public bool DryRun { get; private set; }

    public DateOnly? From { get; private set; }

    public DateOnly? To { get; private set; }

    public Guid? TeamId { get; private set; }

    /// <summary>In which an export writes its headings and words.</summary>
    public string Language { get; private set; } = "";

    public JobState State { get; private set; }

    /// <summary>Rows of the file, once they are counted.</summary>
    [NotAudited]
    public int? Total { get; private set; }

    [NotAudited]
    public int Done { get; private set; }

    [NotAudited]
    public int Created { get; private set; }

    [NotAudited]
    public int Updated { get; private set; }

    [NotAudited]
    public int Unchanged { get; private set; }

    [NotAudited]
    public int Refused { get; private set; }

    public string? FailureCode { get; private set; }

    /// <summary>What the text of the failure names: a figure, or a heading of the file.</summary>
    [NotAudited]
    public string[] FailureArguments { get; private set; } = [];

    /// <summary>The file that came in, or went out; null once it is gone.</summary>
    [NotAudited]
    public long? FileBytes { get; private set; }

    /// <summary>
    /// What an export shows at most: everything of the organization, or what is of the teams; and people whole, those of the teams or, where there are none,
    /// everybody, or nobody.
    /// </summary>
    [NotAudited]
    public bool ShowsAll { get; private set; }

    [NotAudited]
    public bool ShowsPeopleWhole { get; private set; }

    [NotAudited]
    public Guid[] ShowsTeams { get; private set; } = [];

    public Guid AskedBy { get; private set; }

    public bool AskedByClient { get; private set; }

    [NotAudited]
    public int Attempts { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    [NotAudited]
    public DateTimeOffset? StartedAt { get; private set; }

    [NotAudited]
    public DateTimeOffset? FinishedAt { get; private set; }

    public long Version { get; private set; } = 1;

    public bool IsOpen => State is JobState.Queued or JobState.Running;

    public JobFilter Filter => new(From, To, TeamId);

    public void Rehearse() => DryRun = true;

    public void Narrow(JobFilter filter) => (From, To, TeamId) = (filter.From, filter.To, filter.TeamId);

    public void Holds(long bytes) => FileBytes = bytes;

    /// <summary>Somebody takes it up, for the first time or after a crash.</summary>
    /// <returns>Whether it is worth another try.</returns>
    public bool TakeUp(DateTimeOffset now)
    {
        (State, StartedAt) = (JobState.Running, StartedAt ?? Instant.AsKept(now));
        return ++Attempts <= MostAttempts;
    }

    /// <summary>The database was away: that was no try.</summary>
    public void LeaveBe() => Attempts = Math.Max(0, Attempts - 1);

    public void Count(int total) => Total = total;

    /// <summary>An export that was broken off begins anew.</summary>
    public void BeginAnew() => (Done, FileBytes) = (0, null);

    public void Advance(JobBatch batch)
    {
        (Done, Attempts) = (Done + batch.Rows, 0);
        (Created, Updated, Unchanged, Refused) = (Created + batch.Created, Updated + batch.Updated, Unchanged + batch.Unchanged, Refused + batch.RowsRefused);
    }

    public void Advance(int rows) => (Done, Attempts) = (Done + rows, 0);

    /// <summary>What an export shows, by what whoever asked for it may see when it is drawn.</summary>
    public void Show(Tenant tenant, bool peopleWhole) => (ShowsAll, ShowsPeopleWhole, ShowsTeams) = (tenant.ReadsAll, peopleWhole, tenant.CoordinatesAll ? [] : tenant.Teams);

    public void Succeed(DateTimeOffset now) => End(JobState.Succeeded, now);

    public void Fail(string code, IEnumerable<string> arguments, DateTimeOffset now)
    {
        End(JobState.Failed, now);
        (FailureCode, FailureArguments) = (code, [.. arguments]);
    }

    public void Cancel(DateTimeOffset now)
    {
        if (!IsOpen) throw new RuleBreach("job_finished");
        End(JobState.Cancelled, now);
    }

    public void LoseFile() => FileBytes = null;

    private void End(JobState state, DateTimeOffset now) => (State, FinishedAt) = (state, Instant.AsKept(now));

    internal sealed class Configuration : IEntityTypeConfiguration<Job>
    {
        public void Configure(EntityTypeBuilder<Job> builder)
        {
            builder.ToTable("jobs");
            builder.HasKey(j => new { j.OrganizationId, j.Id });
            builder.Property(j => j.Language).HasMaxLength(10);
            builder.Property(j => j.FailureCode).HasMaxLength(60);
            builder.Ignore(j => j.IsOpen).Ignore(j => j.Filter);
            builder.HasOne<Organization>().WithMany().HasForeignKey(j => j.OrganizationId);
            builder.HasOne<Team>().WithMany().HasForeignKey(j => new { j.OrganizationId, j.TeamId })
                .HasConstraintName("team_not_found").OnDelete(DeleteBehavior.Restrict);
            // What the worker looks for.
            builder.HasIndex(j => new { j.OrganizationId, j.Id }).HasFilter("state in ('queued', 'running')").HasDatabaseName("ix_jobs_open");
            // What is too old to be kept.
            builder.HasIndex(j => j.CreatedAt);
            // Whether a team that is removed has any.
            builder.HasIndex(j => new { j.OrganizationId, j.TeamId });
        }
    }
}

/// <summary>A piece of a job's file, sealed: a roster may hold the numbers of identity documents.</summary>
[NotAudited]
internal sealed class JobChunk
{
    public Guid OrganizationId { get; init; }

    public Guid JobId { get; init; }

    public int Number { get; init; }

    /// <summary>Of <see cref="PersonalSeal"/>; null where none is configured.</summary>
    public string? KeyId { get; init; }

    public byte[] Content { get; init; } = [];

    internal sealed class Configuration : IEntityTypeConfiguration<JobChunk>
    {
        public void Configure(EntityTypeBuilder<JobChunk> builder)
        {
            builder.ToTable("job_chunks");
            builder.HasKey(c => new { c.OrganizationId, c.JobId, c.Number });
            builder.Property(c => c.KeyId).HasMaxLength(60);
            builder.HasOne<Job>().WithMany().HasForeignKey(c => new { c.OrganizationId, c.JobId }).HasConstraintName("job_not_found").OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>Why a row of an import was refused. What the row says stands in the file only.</summary>
[NotAudited]
internal sealed class JobRefusal
{
    public Guid OrganizationId { get; init; }

    public Guid JobId { get; init; }

    /// <summary>As the spreadsheet numbers it; of NDJSON, the line.</summary>
    public int Row { get; init; }

    /// <summary>Counts the reasons of one row.</summary>
    public int Position { get; init; }

    public string? Column { get; init; }

    public string Code { get; init; } = "";

    public string English { get; init; } = "";

    public string Chinese { get; init; } = "";

    internal sealed class Configuration : IEntityTypeConfiguration<JobRefusal>
    {
        public void Configure(EntityTypeBuilder<JobRefusal> builder)
        {
            builder.ToTable("job_refusals");
            builder.HasKey(r => new { r.OrganizationId, r.JobId, r.Row, r.Position });
            builder.Property(r => r.Column).HasMaxLength(100);
            builder.Property(r => r.Code).HasMaxLength(60);
            builder.HasOne<Job>().WithMany().HasForeignKey(r => new { r.OrganizationId, r.JobId }).HasConstraintName("job_not_found").OnDelete(DeleteBehavior.Cascade);
        }
    }
}
