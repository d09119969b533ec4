using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Volunteers.Platform.Audit;

/// <summary>What somebody did.</summary>
internal enum AuditKind
{
    /// <summary>Changed something, or tried to.</summary>
    Change,

    /// <summary>Was shown personal data of others.</summary>
    Look,

    /// <summary>Took personal data away as a file.</summary>
    Export,

    /// <summary>Signed in, or tried to.</summary>
    SignIn,
}

internal enum AuditOutcome
{
    Succeeded,
    Refused,
}

/// <summary>Who did it.</summary>
internal enum AuditActorKind
{
    Account,

    /// <summary>Another system that acts for the organization.</summary>
    Client,

    /// <summary>Somebody who was not signed in.</summary>
    Anonymous,

    /// <summary>The service by itself, or whoever runs it.</summary>
    Service,
}

/// <summary>
/// One thing that somebody did, in the words of the API. Ids and figures only: personal values stand beside it (<see cref="AuditValue"/>)
/// and are bound by a salted hash, so that a person can be erased and the chain stays whole. Insert-only.
/// </summary>
internal sealed class AuditEvent
{
    public const int LongestId = 100;

    /// <summary>Whose trail it is in; all zeros for what happens above organizations.</summary>
    public required Guid OrganizationId { get; init; }

    /// <summary>Of the instant, so that ids are in the order of time.</summary>
    public required Guid Id { get; init; }

    public required DateTimeOffset At { get; init; }

    public required AuditKind Kind { get; init; }

    /// <summary>The operationId, or a word for what the service does by itself.</summary>
    public required string Operation { get; init; }

    public AuditOutcome Outcome { get; init; }

    /// <summary>Why it was refused.</summary>
    public string? Code { get; init; }

    /// <summary>How many times, where the same refusal came again and again.</summary>
    public int Times { get; init; } = 1;

    public required AuditActorKind ActorKind { get; init; }

    /// <summary>The account or client; whose sign-in it was, also when it failed.</summary>
    public Guid? ActorId { get; init; }

    /// <summary>The strongest role that the actor held in the organization.</summary>
    public Role? Role { get; init; }

    /// <summary>The teams to which that role was limited, without their sub-teams; null for the whole organization.</summary>
    public Guid[]? Teams { get; init; }

    public string? Address { get; init; }

    public string? Agent { get; init; }

    public string? TraceId { get; init; }

    /// <summary>What the path names last, as <c>serviceRecord</c>.</summary>
    public string? ResourceType { get; init; }

    public string? ResourceId { get; init; }

    /// <summary>Whom it concerns, as far as they were named one by one.</summary>
    public Guid[] Volunteers { get; init; } = [];

    /// <summary>An <see cref="AuditDetails"/>, as the very text that is hashed.</summary>
    public string Details { get; init; } = "{}";

    /// <summary>
    /// SHA-256 over the hash of the event before and every member of this one, each with its length before it, so that
    /// nothing can move from one into the next.
    /// </summary>
    public byte[] ComputeHash(long position, byte[] previousHash)
    {
        var text = new StringBuilder();
        void Add(string? part)
        {
            if (part is not null) text.Append(part.Length.ToString(CultureInfo.InvariantCulture)).Append(':').Append(part);
            text.Append('\n');
        }

        foreach (var part in (ReadOnlySpan<string?>)
                 [
                     "volunteers.audit.1", OrganizationId.ToString(), position.ToString(CultureInfo.InvariantCulture), Id.ToString(),
                     At.UtcDateTime.ToString("O", CultureInfo.InvariantCulture), Kind.ToString(), Operation, Outcome.ToString(), Code,
                     Times.ToString(CultureInfo.InvariantCulture), ActorKind.ToString(), ActorId?.ToString(), Role?.ToString(),
                     Teams is null ? null : string.Join(' ', Teams), Address, Agent, TraceId, ResourceType, ResourceId, string.Join(' ', Volunteers), Details,
                 ]) Add(part);
        return SHA256.HashData([.. previousHash, .. Encoding.UTF8.GetBytes(text.ToString())]);
    }

    internal sealed class Configuration : IEntityTypeConfiguration<AuditEvent>
    {
        public void Configure(EntityTypeBuilder<AuditEvent> builder)
        {
            builder.ToTable("audit_events");
            builder.HasKey(e => new { e.OrganizationId, e.Id });
            builder.Property(e => e.Operation).HasMaxLength(100);
            builder.Property(e => e.Code).HasMaxLength(100);
            builder.Property(e => e.Address).HasMaxLength(50);
            builder.Property(e => e.Agent).HasMaxLength(30);
            builder.Property(e => e.TraceId).HasMaxLength(100);
            builder.Property(e => e.ResourceType).HasMaxLength(50);
            builder.Property(e => e.ResourceId).HasMaxLength(LongestId);
            // Not jsonb, which would put the text in another order than was hashed.
            builder.Property(e => e.Details).HasColumnType("json");
            // What somebody did, newest first.
            builder.HasIndex(e => new { e.OrganizationId, e.ActorId, e.Id });
            // What was done to a thing, newest first.
            builder.HasIndex(e => new { e.OrganizationId, e.ResourceId, e.Id });
            // What was done in one way, newest first.
            builder.HasIndex(e => new { e.OrganizationId, e.Operation, e.Id });
            // Looks are most of it and found at once; the rest is what one would have to search for.
            builder.HasIndex(e => new { e.OrganizationId, e.Kind, e.Id }).HasFilter("kind <> 'look'");
            // What was refused: little of it, and what one searches for.
            builder.HasIndex(e => new { e.OrganizationId, e.Id }).HasFilter("outcome = 'refused'").HasDatabaseName("ix_audit_events_refused");
            // Whom it was about.
            builder.HasIndex(e => e.Volunteers).HasMethod("gin");
        }
    }
}
