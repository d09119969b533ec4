using Volunteers.Data;
using Volunteers.Features.Organizations;

namespace Volunteers.Features.Hours;

/// <summary>
/// By when an activity's service must be recorded: the tenth working day after the local day on which it ended (Order No. 67
/// of the Ministry of Civil Affairs, Art. 11). Later is not refused, but shows.
/// </summary>
internal sealed class RecordingDeadline
{
    private const int WorkingDaysAllowed = 10;

    private readonly Organization organization;
    private readonly WorkingDays workingDays;

    private RecordingDeadline(Organization organization, WorkingDays workingDays) => (this.organization, this.workingDays) = (organization, workingDays);

    /// <param name="db">Where the calendar is.</param>
    /// <param name="organization">Whose days count.</param>
    /// <param name="firstEnd">When the first of the activities in question ended.</param>
    /// <param name="ct">Ends it.</param>
    public static async Task<RecordingDeadline> Load(VolunteersDb db, Organization organization, DateTimeOffset firstEnd, CancellationToken ct) =>
        new(organization, await WorkingDays.Load(db, organization, organization.DayOf(firstEnd), ct));

    public DateOnly DueOn(DateTimeOffset activityEnd) => workingDays.After(organization.DayOf(activityEnd), WorkingDaysAllowed);

    public bool IsOver(DateTimeOffset activityEnd, DateTimeOffset at) => organization.DayOf(at) > DueOn(activityEnd);

    /// <summary>The first local day of an end whose records are not overdue at a moment: those of every day before it are.</summary>
    public DateOnly FirstDayInTime(DateTimeOffset at) => workingDays.Before(organization.DayOf(at), WorkingDaysAllowed);

    /// <summary>How many working days have gone by since the last one on which it was in time.</summary>
    public int WorkingDaysLate(DateTimeOffset activityEnd, DateTimeOffset at) => workingDays.Between(DueOn(activityEnd), organization.DayOf(at));
}
