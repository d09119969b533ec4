using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Recognition;

/// <summary>Where an award stands.</summary>
internal enum AwardStatus
{
    Proposed,

    /// <summary>Made public, so that anybody may object (公示).</summary>
    InPublicity,

    Confirmed,
    Withdrawn,
}

/// <summary>What an award says (Art. 9: name, date, awarded by).</summary>
internal sealed record AwardText(string Name, int? Level, string? AwardedBy, string? Reason);

/// <summary>Something that one volunteer is honoured with: proposed, made public, confirmed. What was withdrawn is kept.</summary>
internal sealed class Award : IVersioned
{
    private Award() { }

    public Award(Guid organizationId, Guid volunteerId, AwardText text, DateOnly proposedOn, Guid proposedBy, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, VolunteerId, ProposedOn, ProposedBy, ProposedAt) = (organizationId, volunteerId, proposedOn, proposedBy, now);
        (Name, Level, AwardedBy, Reason) = text;
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid VolunteerId { get; private set; }

    public string Name { get; private set; } = "";

    /// <summary>Of a star award, which is proposed and confirmed only while the volunteer has the level.</summary>
    public int? Level { get; private set; }

    public string? AwardedBy { get; private set; }

    [Personal(Mask.Hidden)]
    public string? Reason { get; private set; }

    public AwardStatus Status { get; private set; }

    public DateOnly ProposedOn { get; private set; }

    public Guid ProposedBy { get; private set; }

    public DateTimeOffset ProposedAt { get; private set; }

    public DateOnly? PublicityFrom { get; private set; }

    /// <summary>The last day on which it is public and may not be confirmed yet.</summary>
    public DateOnly? PublicityTo { get; private set; }

    public DateOnly? ConfirmedOn { get; private set; }

    public Guid? ConfirmedBy { get; private set; }

    public DateOnly? WithdrawnOn { get; private set; }

    public Guid? WithdrawnBy { get; private set; }

    [Personal(Mask.Hidden)]
    public string? WithdrawalReason { get; private set; }

    public long Version { get; private set; } = 1;

    public void Publish(DateOnly from, DateOnly to)
    {
        if (Status != AwardStatus.Proposed) throw new RuleBreach("not_proposed");
        (Status, PublicityFrom, PublicityTo) = (AwardStatus.InPublicity, from, to);
    }

    /// <summary>An objection is heard from its first public day until the award is confirmed, also when its last day has passed.</summary>
    public void RefuseUnlessPublic(DateOnly today)
    {
        if (Status != AwardStatus.InPublicity || today < PublicityFrom) throw new RuleBreach("not_in_publicity");
    }

    public void RefuseOwn(Guid? volunteerId)
    {
        if (volunteerId == VolunteerId) throw new RuleBreach("own_award");
    }

    public void Confirm(DateOnly today, int levelHeld, bool objectionOpen, bool withoutPublicity, Guid by)
    {
        if (Status is AwardStatus.Confirmed or AwardStatus.Withdrawn) throw new RuleBreach("award_settled");
        if (Status == AwardStatus.Proposed ? !withoutPublicity : today <= PublicityTo) throw new RuleBreach("publicity_not_over");
        if (objectionOpen) throw new RuleBreach("objection_open");
        if (Level > levelHeld) throw new RuleBreach("level_not_reached", Level);
        (Status, ConfirmedOn, ConfirmedBy) = (AwardStatus.Confirmed, today, by);
    }

    public void Withdraw(string reason, DateOnly today, Guid by)
    {
        if (Status == AwardStatus.Withdrawn) throw new RuleBreach("award_settled");
        (Status, WithdrawnOn, WithdrawnBy, WithdrawalReason) = (AwardStatus.Withdrawn, today, by, reason);
    }

    internal sealed class Configuration : IEntityTypeConfiguration<Award>
    {
        public void Configure(EntityTypeBuilder<Award> builder)
        {
            builder.ToTable("awards", table => table.HasCheckConstraint("publicity_to_before_from", "publicity_to >= publicity_from"));
            builder.HasKey(a => new { a.OrganizationId, a.Id });
            builder.Property(a => a.Name).HasMaxLength(100);
            builder.Property(a => a.AwardedBy).HasMaxLength(100);
            builder.Property(a => a.Reason).HasMaxLength(1000);
            builder.Property(a => a.WithdrawalReason).HasMaxLength(500);
            builder.HasOne<Volunteer>().WithMany().HasForeignKey(a => new { a.OrganizationId, a.VolunteerId })
                .HasConstraintName("volunteer_not_found").OnDelete(DeleteBehavior.Restrict);
            // A star is awarded once.
            builder.HasIndex(a => new { a.OrganizationId, a.VolunteerId, a.Level }).IsUnique()
                .HasFilter("level is not null and status <> 'withdrawn'").HasDatabaseName("star_award_exists");
            // The awards of a volunteer.
            builder.HasIndex(a => new { a.OrganizationId, a.VolunteerId });
        }
    }
}

/// <summary>What a member said against an award while it was public, and the answer to it.</summary>
internal sealed class AwardObjection
{
    private AwardObjection() { }

    public AwardObjection(Award award, string message, Guid by, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, AwardId, Message, By, At) = (award.OrganizationId, award.Id, message, by, now);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid AwardId { get; private set; }

    [Personal(Mask.Hidden)]
    public string Message { get; private set; } = "";

    public Guid By { get; private set; }

    public DateTimeOffset At { get; private set; }

    [Personal(Mask.Hidden)]
    public string? Answer { get; private set; }

    public Guid? AnsweredBy { get; private set; }

    public DateTimeOffset? AnsweredAt { get; private set; }

    public void Reply(string answer, Guid by, DateTimeOffset now)
    {
        if (Answer is not null) throw new RuleBreach("objection_answered");
        (Answer, AnsweredBy, AnsweredAt) = (answer, by, now);
    }

    internal sealed class Configuration : IEntityTypeConfiguration<AwardObjection>
    {
        public void Configure(EntityTypeBuilder<AwardObjection> builder)
        {
            builder.ToTable("award_objections");
            builder.HasKey(o => new { o.OrganizationId, o.Id });
            builder.Property(o => o.Message).HasMaxLength(1000);
            builder.Property(o => o.Answer).HasMaxLength(1000);
            builder.HasOne<Award>().WithMany().HasForeignKey(o => new { o.OrganizationId, o.AwardId })
                .HasConstraintName("award_not_found").OnDelete(DeleteBehavior.Restrict);
            // The objections to an award.
            builder.HasIndex(o => new { o.OrganizationId, o.AwardId });
        }
    }
}
