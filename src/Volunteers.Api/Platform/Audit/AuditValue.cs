using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Volunteers.Platform.Audit;

/// <summary>
/// The texts of one change, before and after, beside the event that holds their hash. Without the salt, which goes with
/// them, the hash says nothing: not even a guessed phone number can be tried against it. The service may add and delete
/// such rows, never change one.
/// </summary>
internal sealed class AuditValue
{
    private AuditValue() { }

    public AuditValue(Guid organizationId, Guid eventId, int position, Guid? subjectId, string texts)
    {
        (OrganizationId, EventId, Position, SubjectId, Texts) = (organizationId, eventId, position, subjectId, texts);
        Salt = RandomNumberGenerator.GetBytes(16);
    }

    public Guid OrganizationId { get; private set; }

    public Guid EventId { get; private set; }

    /// <summary>Which of the event's changes, counted from 0.</summary>
    public int Position { get; private set; }

    /// <summary>Whom or what they are about: the volunteer or account, else the thing itself.</summary>
    public Guid? SubjectId { get; private set; }

    public byte[] Salt { get; private set; } = [];

    /// <summary>By the member's name: before and after.</summary>
    public string Texts { get; private set; } = "";

    public string ComputeHash() => Convert.ToHexStringLower(SHA256.HashData([.. Salt, .. Encoding.UTF8.GetBytes(Texts)]));

    /// <summary>Erases what the trail of an organization says about some people; the events and the chain stay as they are.</summary>
    public static Task<int> Forget(DbContext db, Guid organizationId, Guid[] subjectIds, CancellationToken ct) => db.Set<AuditValue>()
        .Where(value => value.OrganizationId == organizationId && value.SubjectId != null && subjectIds.Contains(value.SubjectId.Value)).ExecuteDeleteAsync(ct);

    internal sealed class Configuration : IEntityTypeConfiguration<AuditValue>
    {
        public void Configure(EntityTypeBuilder<AuditValue> builder)
        {
            builder.ToTable("audit_values");
            builder.HasKey(value => new { value.OrganizationId, value.EventId, value.Position });
            builder.Property(value => value.Texts).HasColumnType("json");
            // What is erased with a person.
            builder.HasIndex(value => new { value.OrganizationId, value.SubjectId });
        }
    }
}
