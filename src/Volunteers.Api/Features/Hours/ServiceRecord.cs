using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Activities;
using Volunteers.Features.Teams;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Hours;

/// <summary>
/// The claim that service was given: by whom, when, for which activity, how long, on what evidence. Team, project and
/// category are those of the activity when it was recorded, and stay.
/// </summary>
[HistoryKept]
[Measured("volunteers.service_records", "{record}", "Service records, by what they became.", By = nameof(Status))]
internal sealed class ServiceRecord : IVersioned
{
    /// <summary>Who acts when no person does: all zeros.</summary>
    public static readonly Guid TheServiceItself = Guid.Empty;

    private ServiceRecord() { }

    public ServiceRecord(
        Activity activity, Guid? volunteerId, CountingMethod? headcountMethod, ServiceFigures figures, DateOnly serviceDate,
        Evidence evidence, ServiceStatus status, string? note, Guid recordedBy, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, ActivityId, TeamId, ProjectId, Category) = (activity.OrganizationId, activity.Id, activity.TeamId, activity.ProjectId, activity.Category);
        (VolunteerId, HeadcountMethod, Evidence, Status, Note, RecordedBy, RecordedAt) = (volunteerId, headcountMethod, evidence, status, note, recordedBy, now);
        if (status == ServiceStatus.Approved) (ReviewedBy, ReviewedAt) = (recordedBy, now);
        Set(figures, serviceDate);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    /// <summary>Null for a headcount: a group whose names were not taken.</summary>
    public Guid? VolunteerId { get; private set; }

    public CountingMethod? HeadcountMethod { get; private set; }

    public Guid ActivityId { get; private set; }

    public Guid TeamId { get; private set; }

    public Guid? ProjectId { get; private set; }

    public string Category { get; private set; } = "";

    /// <summary>The shift it was given on, if any.</summary>
    public Guid? ShiftId { get; private set; }

    public DateTimeOffset StartsAt { get; private set; }

    public DateTimeOffset EndsAt { get; private set; }

    /// <summary>The local day on which it began; it belongs there whole.</summary>
    public DateOnly ServiceDate { get; private set; }

    public int Minutes { get; private set; }

    public int PersonTimes { get; private set; }

    /// <summary>Of a headcount: what named people have claimed of it since.</summary>
    public int ClaimedMinutes { get; private set; }

    public int ClaimedPersonTimes { get; private set; }

    /// <summary>The headcount from which this named record was claimed.</summary>
    public Guid? ClaimedFromId { get; private set; }

    public Evidence Evidence { get; private set; }

    public ServiceStatus Status { get; private set; }

    public RecordFlag? Flag { get; private set; }

    [Personal(Mask.Hidden)]
    public string? Note { get; private set; }

    /// <summary>Why a coordinator let it exceed the daily limit.</summary>
    [Personal(Mask.Hidden)]
    public string? DailyLimitOverride { get; private set; }

    /// <summary>The other system that an imported record came from, by the name the organization gave it.</summary>
    public string? OriginSystem { get; private set; }

    /// <summary>What the other system calls it; the same row never becomes two records.</summary>
    public string? OriginReference { get; private set; }

    public Guid RecordedBy { get; private set; }

    public DateTimeOffset RecordedAt { get; private set; }

    /// <summary>Recorded after <see cref="RecordingDeadline"/>, by the calendar of that day.</summary>
    public bool RecordedLate { get; private set; }

    public Guid? ReviewedBy { get; private set; }

    public DateTimeOffset? ReviewedAt { get; private set; }

    [Personal(Mask.Hidden)]
    public string? ReviewReason { get; private set; }

    public long Version { get; private set; } = 1;

    public bool IsHeadcount => VolunteerId is null;

    /// <summary>Always the sum of its postings.</summary>
    public int CreditedMinutes => Status == ServiceStatus.Approved ? Minutes - ClaimedMinutes : 0;

    public int CreditedPersonTimes => Status == ServiceStatus.Approved ? PersonTimes - ClaimedPersonTimes : 0;

    public void OnShift(Guid shiftId) => ShiftId = shiftId;

    public void OverrideDailyLimit(string reason) => DailyLimitOverride = reason;

    public void CameFrom(ServiceOrigin origin) => (OriginSystem, OriginReference) = (origin.System, origin.Reference);

    public void ComeLate(bool late) => RecordedLate = late;

    public void LookTwice(RecordFlag? flag) => Flag = flag;

    /// <summary>Nobody decides on their own hours.</summary>
    public void RefuseOwn(Reviewer reviewer)
    {
        if (VolunteerId is { } volunteer && volunteer == reviewer.VolunteerId) throw new RuleBreach("own_hours");
    }

    public void Approve(Reviewer reviewer, DateTimeOffset now)
    {
        RefuseOwn(reviewer);
        if (Status != ServiceStatus.Submitted) throw new RuleBreach("already_reviewed");
        Review(ServiceStatus.Approved, reviewer, reason: null, now);
    }

    /// <summary>
    /// Approves what a headcount holds already: minutes and a person-time move here from there. Team, project and category
    /// become the headcount's, so that no total of theirs moves; only how we know these minutes changes.
    /// </summary>
    public void ApproveFrom(ServiceRecord headcount, Reviewer reviewer, DateTimeOffset now)
    {
        Approve(reviewer, now);
        if (headcount.ActivityId != ActivityId || headcount.ServiceDate != ServiceDate) throw new RuleBreach("claim_outside_headcount");
        headcount.GiveUp(new ServiceFigures(StartsAt, EndsAt, Minutes, PersonTimes));
        (ClaimedFromId, TeamId, ProjectId, Category) = (headcount.Id, headcount.TeamId, headcount.ProjectId, headcount.Category);
    }

    public void Reject(Reviewer reviewer, string reason, DateTimeOffset now)
    {
        RefuseOwn(reviewer);
        if (Status != ServiceStatus.Submitted) throw new RuleBreach("already_reviewed");
        Review(ServiceStatus.Rejected, reviewer, reason, now);
    }

    /// <summary>Other figures for approved service. Of a headcount, what was claimed by name stays claimed.</summary>
    public void Correct(Reviewer reviewer, ServiceFigures figures, DateOnly serviceDate, string reason, DateTimeOffset now)
    {
        RefuseOwn(reviewer);
        RefuseUnlessApproved();
        if (!IsHeadcount && figures.PersonTimes != 1) throw new RuleBreach("one_person");
        RefuseUnlessRestIsWhole(figures.Minutes - ClaimedMinutes, figures.PersonTimes - ClaimedPersonTimes, figures);
        Set(figures, serviceDate);
        Review(ServiceStatus.Approved, reviewer, reason, now);
    }

    public void Void(Reviewer reviewer, string reason, DateTimeOffset now)
    {
        RefuseOwn(reviewer);
        RefuseUnlessApproved();
        Review(ServiceStatus.Voided, reviewer, reason, now);
    }

    /// <summary>A name that was wrong: what stands here goes back to the headcount that it was claimed from, and this counts no more.</summary>
    public void GiveBack(ServiceRecord headcount, Reviewer reviewer, string reason, DateTimeOffset now)
    {
        var minutes = CreditedMinutes;
        Void(reviewer, reason, now);
        if (headcount.ServiceDate != ServiceDate) throw new RuleBreach("claim_outside_headcount");
        headcount.TakeBack(minutes);
    }

    /// <summary>One participation of this headcount gets a name: minutes and a person-time move to a record of their own.</summary>
    public ServiceRecord Claim(Reviewer reviewer, Guid volunteerId, ServiceFigures figures, DateTimeOffset now)
    {
        if (reviewer.VolunteerId == volunteerId) throw new RuleBreach("own_hours");
        GiveUp(figures);
        var named = new ServiceRecord
        {
            Id = Guid.CreateVersion7(now), OrganizationId = OrganizationId, ActivityId = ActivityId, TeamId = TeamId, ProjectId = ProjectId,
            Category = Category, VolunteerId = volunteerId, ClaimedFromId = Id, ShiftId = ShiftId, Evidence = Evidence, Note = Note, RecordedBy = reviewer.ActorId, RecordedAt = now,
        };
        named.Set(figures, ServiceDate);
        named.Review(ServiceStatus.Approved, reviewer, reason: null, now);
        return named;
    }

    /// <summary>What check-in and check-out say of one volunteer on one shift; waits for review until <see cref="Confirm"/>.</summary>
    public static ServiceRecord FromAttendance(
        Activity activity, Guid shiftId, Guid volunteerId, ServiceFigures figures, DateOnly serviceDate, RecordFlag? flag, Guid recordedBy, DateTimeOffset now) =>
        new(activity, volunteerId, headcountMethod: null, figures, serviceDate, Evidence.Attendance, ServiceStatus.Submitted, note: null, recordedBy, now)
        {
            ShiftId = shiftId, Flag = flag,
        };

    /// <summary>What a person has decided on stays as they decided, whatever attendance arrives later.</summary>
    public void RefuseUnlessOurs()
    {
        if (ReviewedBy is not null && ReviewedBy != TheServiceItself) throw new RuleBreach("already_reviewed");
    }

    /// <summary>More attendance arrived.</summary>
    public void Retake(ServiceFigures figures, DateOnly serviceDate, RecordFlag? flag)
    {
        RefuseUnlessOurs();
        Set(figures, serviceDate);
        Flag = flag;
    }

    /// <summary>Approved by the organization's own rule that attendance is enough.</summary>
    public void Confirm(DateTimeOffset now) => Review(ServiceStatus.Approved, new Reviewer(TheServiceItself, VolunteerId: null), reason: null, now);

    /// <summary>One participation leaves this headcount for a name.</summary>
    private void GiveUp(ServiceFigures figures)
    {
        if (!IsHeadcount) throw new RuleBreach("not_a_headcount");
        RefuseUnlessApproved();
        if (figures.StartsAt < StartsAt || figures.EndsAt > EndsAt) throw new RuleBreach("claim_outside_headcount");
        RefuseUnlessRestIsWhole(Minutes - ClaimedMinutes - figures.Minutes, PersonTimes - ClaimedPersonTimes - 1, new ServiceFigures(StartsAt, EndsAt, Minutes, PersonTimes));
        (ClaimedMinutes, ClaimedPersonTimes) = (ClaimedMinutes + figures.Minutes, ClaimedPersonTimes + 1);
    }

    private void TakeBack(int minutes)
    {
        RefuseUnlessApproved();
        var (claimedMinutes, claimedPersonTimes) = (ClaimedMinutes - minutes, ClaimedPersonTimes - 1);
        if (claimedMinutes < 0) throw new RuleBreach("claims_do_not_fit");
        RefuseUnlessRestIsWhole(Minutes - claimedMinutes, PersonTimes - claimedPersonTimes, new ServiceFigures(StartsAt, EndsAt, Minutes, PersonTimes));
        (ClaimedMinutes, ClaimedPersonTimes) = (claimedMinutes, claimedPersonTimes);
    }

    private void Set(ServiceFigures figures, DateOnly serviceDate) => (StartsAt, EndsAt, Minutes, PersonTimes, ServiceDate) =
        (figures.StartsAt, figures.EndsAt, figures.Minutes, figures.PersonTimes, serviceDate);

    private void Review(ServiceStatus status, Reviewer reviewer, string? reason, DateTimeOffset now) =>
        (Status, ReviewedBy, ReviewReason, ReviewedAt) = (status, reviewer.ActorId, reason, now);

    private void RefuseUnlessApproved()
    {
        if (Status != ServiceStatus.Approved) throw new RuleBreach("not_approved");
    }

    /// <summary>Minutes without a person, a person without a minute, or more than the period allows: none may be left.</summary>
    private static void RefuseUnlessRestIsWhole(int minutes, int personTimes, ServiceFigures of)
    {
        if (minutes < personTimes || personTimes < 0 || minutes > (long)(of.EndsAt - of.StartsAt).TotalMinutes * personTimes)
            throw new RuleBreach("claims_do_not_fit");
    }

    internal sealed class Configuration : IEntityTypeConfiguration<ServiceRecord>
    {
        public void Configure(EntityTypeBuilder<ServiceRecord> builder)
        {
            builder.ToTable("service_records", table =>
            {
                table.HasCheckConstraint("minutes_exceed_period", "minutes > 0 and minutes <= person_times * extract(epoch from ends_at - starts_at) / 60");
                table.HasCheckConstraint("claims_do_not_fit",
                    "claimed_minutes between 0 and minutes and claimed_person_times between 0 and person_times and (volunteer_id is null or claimed_person_times = 0)");
                table.HasCheckConstraint("one_person", "person_times > 0 and (volunteer_id is null or person_times = 1)");
                table.HasCheckConstraint("headcount_has_method", "(volunteer_id is null) = (headcount_method is not null)");
            });
            builder.HasKey(r => new { r.OrganizationId, r.Id });
            builder.Property(r => r.Category).HasMaxLength(50);
            builder.Property(r => r.Note).HasMaxLength(1000);
            builder.Property(r => r.ReviewReason).HasMaxLength(500);
            builder.Property(r => r.DailyLimitOverride).HasMaxLength(500);
            builder.Property(r => r.OriginSystem).HasMaxLength(100);
            builder.Property(r => r.OriginReference).HasMaxLength(200);
            // A row of another system is taken over once.
            builder.HasIndex(r => new { r.OrganizationId, r.OriginSystem, r.OriginReference }).IsUnique()
                .HasFilter("origin_system is not null").HasDatabaseName("imported_before");
            builder.Ignore(r => r.IsHeadcount).Ignore(r => r.CreditedMinutes).Ignore(r => r.CreditedPersonTimes);
            builder.HasOne<Activity>().WithMany().HasForeignKey(r => new { r.OrganizationId, r.ActivityId })
                .HasConstraintName("activity_not_found").OnDelete(DeleteBehavior.Restrict);
            builder.HasOne<Team>().WithMany().HasForeignKey(r => new { r.OrganizationId, r.TeamId })
                .HasConstraintName("team_not_found").OnDelete(DeleteBehavior.Restrict);
            builder.HasOne<Volunteer>().WithMany().HasForeignKey(r => new { r.OrganizationId, r.VolunteerId })
                .HasConstraintName("volunteer_not_found").OnDelete(DeleteBehavior.Restrict);
            builder.HasOne<ServiceRecord>().WithMany().HasForeignKey(r => new { r.OrganizationId, r.ClaimedFromId })
                .HasConstraintName("record_not_found").OnDelete(DeleteBehavior.Restrict);
            builder.HasOne<Shift>().WithMany().HasForeignKey(r => new { r.OrganizationId, r.ShiftId })
                .HasConstraintName("shift_not_found").OnDelete(DeleteBehavior.Restrict);
            // One participation, whoever takes it and however often: the same attendance never becomes two records.
            builder.HasIndex(r => new { r.OrganizationId, r.ShiftId, r.VolunteerId }).IsUnique()
                .HasFilter("evidence = 'attendance'").HasDatabaseName("attendance_recorded_twice");
            // The list, in the order in which service was given.
            builder.HasIndex(r => new { r.OrganizationId, r.StartsAt, r.Id });
            // The same of one team.
            builder.HasIndex(r => new { r.OrganizationId, r.TeamId, r.StartsAt, r.Id });
            // The same of one status, but for the one that nearly all have.
            builder.HasIndex(r => new { r.OrganizationId, r.Status, r.StartsAt, r.Id }).HasFilter("status <> 'approved'").HasDatabaseName("ix_service_records_not_approved");
            // One volunteer's records, and their minutes of a day.
            builder.HasIndex(r => new { r.OrganizationId, r.VolunteerId, r.ServiceDate });
            // The records of an activity: its figures, and whether it is overdue.
            builder.HasIndex(r => new { r.OrganizationId, r.ActivityId });
            // The headcounts of an activity, which a name may stand in already.
            builder.HasIndex(r => new { r.OrganizationId, r.ActivityId }, "Headcounts").HasFilter("volunteer_id is null").HasDatabaseName("ix_service_records_headcounts");
            // Who came out of a headcount.
            builder.HasIndex(r => new { r.OrganizationId, r.ClaimedFromId }).HasFilter("claimed_from_id is not null");
            // Whether a shift that is removed has records.
            builder.HasIndex(r => new { r.OrganizationId, r.ShiftId }).HasFilter("shift_id is not null").HasDatabaseName("ix_service_records_of_shift");
            // The queue of those who review, oldest first.
            builder.HasIndex(r => new { r.OrganizationId, r.RecordedAt, r.Id }).HasFilter("status = 'submitted'");
        }
    }
}

/// <summary>Who reviews, and which volunteer they are themselves: nobody approves their own hours.</summary>
internal sealed record Reviewer(Guid ActorId, Guid? VolunteerId)
{
    public static Reviewer Of(Tenant tenant) => new(tenant.ActorId, tenant.VolunteerId);
}
