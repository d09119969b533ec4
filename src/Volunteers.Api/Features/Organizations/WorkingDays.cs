using Microsoft.EntityFrameworkCore;
using Volunteers.Data;

namespace Volunteers.Features.Organizations;

/// <summary>Which days an organization works: its week, but for the days that its calendar names.</summary>
internal sealed class WorkingDays(IEnumerable<DayOfWeek> restDays, IReadOnlyDictionary<DateOnly, CalendarDayKind> calendar)
{
    private readonly HashSet<DayOfWeek> restDays = [.. restDays];

    /// <param name="db">Where its calendar is.</param>
    /// <param name="organization">Whose.</param>
    /// <param name="from">The first day that is to be reckoned with.</param>
    /// <param name="ct">Ends it.</param>
    public static async Task<WorkingDays> Load(VolunteersDb db, Organization organization, DateOnly from, CancellationToken ct) => new(
        organization.Settings.RestDays,
        await db.CalendarDays.Where(d => d.OrganizationId == organization.Id && d.Day >= from).ToDictionaryAsync(d => d.Day, d => d.Kind, ct));

    public bool Includes(DateOnly day) => calendar.TryGetValue(day, out var kind) ? kind == CalendarDayKind.Working : !restDays.Contains(day.DayOfWeek);

    /// <summary>The Nth working day after a day, which itself does not count. No week is all rest, so there always is one.</summary>
    public DateOnly After(DateOnly day, int count)
    {
        while (count > 0)
            if (Includes(day = day.AddDays(1))) count--;
        return day;
    }

    /// <summary>The Nth working day before a day, which itself does not count: after every day before that one, N working days lie before this day.</summary>
    public DateOnly Before(DateOnly day, int count)
    {
        while (count > 0)
            if (Includes(day = day.AddDays(-1))) count--;
        return day;
    }

    /// <summary>How many working days lie after one day, up to and including another.</summary>
    public int Between(DateOnly after, DateOnly upTo)
    {
        var count = 0;
        for (var day = after.AddDays(1); day <= upTo; day = day.AddDays(1))
            if (Includes(day)) count++;
        return count;
    }
}
