using System.Runtime.CompilerServices;
using System.Text.Json;
using Volunteers.Features.Organizations;
using Xunit;

namespace Volunteers.Tests.Features.Organizations;

/// <summary>Reckoning with working days, on the mainland's calendar of 2025 and 2026 as it is shipped.</summary>
public sealed class WorkingDaysTests
{
    private static readonly DayOfWeek[] Weekend = [DayOfWeek.Saturday, DayOfWeek.Sunday];

    private static readonly CalendarDaysRequest Shipped =
        JsonSerializer.Deserialize<CalendarDaysRequest>(File.ReadAllText(Path.Combine(Here(), "../../../../seeds/shixia/calendar-days.json")), global::Volunteers.Platform.Json.Options)!;

    private static readonly WorkingDays Mainland = new(Weekend, Shipped.Days.ToDictionary(d => d.Day, d => d.Kind));

    [Theory]
    [InlineData("2025-01-26")]
    [InlineData("2025-02-08")]
    [InlineData("2025-04-27")]
    [InlineData("2025-09-28")]
    [InlineData("2025-10-11")]
    [InlineData("2026-01-04")]
    [InlineData("2026-02-14")]
    [InlineData("2026-02-28")]
    [InlineData("2026-05-09")]
    [InlineData("2026-09-20")]
    [InlineData("2026-10-10")]
    public void A_make_up_day_is_worked_though_it_is_a_weekend(string day)
    {
        Assert.Contains(Day(day).DayOfWeek, Weekend);
        Assert.True(Mainland.Includes(Day(day)));
        Assert.False(new WorkingDays(Weekend, new Dictionary<DateOnly, CalendarDayKind>()).Includes(Day(day)));
    }

    [Theory]
    [InlineData("2025-01-01", "2025-01-01")]
    [InlineData("2025-01-28", "2025-02-04")]
    [InlineData("2025-04-04", "2025-04-06")]
    [InlineData("2025-05-01", "2025-05-05")]
    [InlineData("2025-05-31", "2025-06-02")]
    [InlineData("2025-10-01", "2025-10-08")]
    [InlineData("2026-01-01", "2026-01-03")]
    [InlineData("2026-02-15", "2026-02-23")]
    [InlineData("2026-04-04", "2026-04-06")]
    [InlineData("2026-05-01", "2026-05-05")]
    [InlineData("2026-06-19", "2026-06-21")]
    [InlineData("2026-09-25", "2026-09-27")]
    [InlineData("2026-10-01", "2026-10-07")]
    public void Nobody_works_on_a_holiday_and_the_calendar_names_each_of_its_days(string from, string to)
    {
        for (var day = Day(from); day <= Day(to); day = day.AddDays(1))
        {
            Assert.False(Mainland.Includes(day));
            Assert.Single(Shipped.Days, d => d.Day == day && d.Kind == CalendarDayKind.Holiday && d.Name is { Length: > 0 });
        }
    }

    [Fact]
    public void The_shipped_calendar_has_nothing_else()
    {
        Assert.Equal((11, 61), (Shipped.Days.Count(d => d.Kind == CalendarDayKind.Working), Shipped.Days.Count(d => d.Kind == CalendarDayKind.Holiday)));
        Assert.Equal(Shipped.Days.Count, Shipped.Days.DistinctBy(d => d.Day).Count());
        Assert.True(new CalendarDaysRequest.Validator().Validate(Shipped).IsValid);
    }

    [Theory]
    // An ordinary fortnight: Friday 6 to Friday 20 March 2026.
    [InlineData("2026-03-06", 10, "2026-03-20")]
    // From a Saturday the next Friday is the fifth.
    [InlineData("2026-03-07", 5, "2026-03-13")]
    // Before the Spring Festival of 2026: 11, 12, 13 and the make-up Saturday 14 February, nine days off, then 24 to 27, the make-up
    // Saturday 28, and Monday 2 March.
    [InlineData("2026-02-10", 10, "2026-03-02")]
    // Within it.
    [InlineData("2026-02-17", 1, "2026-02-24")]
    // Of 2025, with a make-up Sunday before and a make-up Saturday after.
    [InlineData("2025-01-23", 10, "2025-02-12")]
    // The National Day of 2026.
    [InlineData("2026-09-30", 3, "2026-10-10")]
    // On New Year's Eve the year does not matter.
    [InlineData("2025-12-31", 1, "2026-01-04")]
    [InlineData("2026-06-07", 10, "2026-06-22")]
    [InlineData("2026-06-07", 0, "2026-06-07")]
    public void The_Nth_working_day_after_a_day_steps_over_holidays_and_onto_make_up_days(string after, int count, string expected) =>
        Assert.Equal(Day(expected), Mainland.After(Day(after), count));

    [Fact]
    public void A_week_may_rest_on_Friday_and_Saturday()
    {
        var week = new WorkingDays([DayOfWeek.Friday, DayOfWeek.Saturday], new Dictionary<DateOnly, CalendarDayKind> { [Day("2026-03-13")] = CalendarDayKind.Working });

        // Sunday 8 to Thursday 12, Friday 13 by the calendar, Sunday 15 to Wednesday 18.
        Assert.Equal(Day("2026-03-18"), week.After(Day("2026-03-05"), 10));
        Assert.True(week.Includes(Day("2026-03-08")));
        Assert.False(week.Includes(Day("2026-03-06")));
    }

    [Fact]
    public void A_week_may_work_on_one_day_only_or_on_all()
    {
        Assert.Equal(Day("2026-03-16"), new WorkingDays(Enum.GetValues<DayOfWeek>().Except([DayOfWeek.Monday]), Shipped.Days.ToDictionary(d => d.Day, d => d.Kind)).After(Day("2026-03-02"), 2));
        Assert.Equal(Day("2026-03-12"), new WorkingDays([], new Dictionary<DateOnly, CalendarDayKind>()).After(Day("2026-03-02"), 10));
    }

    /// <summary>The report asks for what is overdue by one day before which everything is; each day's own due day must agree.</summary>
    [Fact]
    public void What_ended_before_the_tenth_working_day_before_today_is_overdue_and_nothing_else()
    {
        for (var today = Day("2025-01-01"); today <= Day("2026-12-31"); today = today.AddDays(1))
        {
            var first = Mainland.Before(today, 10);
            for (var end = first.AddDays(-3); end <= first.AddDays(3); end = end.AddDays(1))
                Assert.True(end < first == Mainland.After(end, 10) < today, $"{end:O} on {today:O}");
        }
    }

    [Fact]
    public void Between_counts_the_working_days_after_the_first_day_up_to_the_last()
    {
        Assert.Equal(0, Mainland.Between(Day("2026-03-06"), Day("2026-03-08")));
        Assert.Equal(1, Mainland.Between(Day("2026-03-06"), Day("2026-03-09")));
        Assert.Equal(5, Mainland.Between(Day("2026-02-13"), Day("2026-02-27")));
        Assert.Equal(0, Mainland.Between(Day("2026-03-09"), Day("2026-03-06")));
    }

    private static DateOnly Day(string day) => DateOnly.ParseExact(day, "yyyy-MM-dd", null);

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
