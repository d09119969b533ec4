using Volunteers.Features.Activities;
using Volunteers.Platform;
using Xunit;

namespace Volunteers.Tests.Features.Activities;

/// <summary>Rules against days that were written out by hand from a calendar, or stand in RFC 5545, 3.8.5.3.</summary>
public sealed class RecurrenceTests
{
    [Theory]
    [InlineData("FREQ=DAILY;COUNT=3", "2026-01-30", "2026-01-30 2026-01-31 2026-02-01")]
    [InlineData("FREQ=DAILY;INTERVAL=10;COUNT=5", "1997-09-02", "1997-09-02 1997-09-12 1997-09-22 1997-10-02 1997-10-12")]
    [InlineData("FREQ=WEEKLY;BYDAY=FR;COUNT=3", "2026-01-01", "2026-01-02 2026-01-09 2026-01-16")]
    [InlineData("FREQ=WEEKLY;COUNT=2", "2026-01-01", "2026-01-01 2026-01-08")]
    [InlineData("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08-05", "1997-08-05 1997-08-10 1997-08-19 1997-08-24")]
    [InlineData("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08-05", "1997-08-05 1997-08-17 1997-08-19 1997-08-31")]
    [InlineData("FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=1;COUNT=2", "2026-01-01", "2026-01-05 2026-01-12")]
    [InlineData("FREQ=MONTHLY;COUNT=4;BYDAY=1FR", "1997-09-05", "1997-09-05 1997-10-03 1997-11-07 1997-12-05")]
    [InlineData("FREQ=MONTHLY;COUNT=3;BYDAY=-2MO", "1997-09-22", "1997-09-22 1997-10-20 1997-11-17")]
    [InlineData("FREQ=MONTHLY;COUNT=4;BYMONTHDAY=31", "2026-01-01", "2026-01-31 2026-03-31 2026-05-31 2026-07-31")]
    [InlineData("FREQ=MONTHLY;COUNT=3", "2026-01-31", "2026-01-31 2026-03-31 2026-05-31")]
    [InlineData("FREQ=MONTHLY;COUNT=3;BYMONTHDAY=-1", "2026-01-31", "2026-01-31 2026-02-28 2026-03-31")]
    [InlineData("FREQ=MONTHLY;COUNT=3;BYMONTHDAY=13;BYDAY=FR", "2026-01-01", "2026-02-13 2026-03-13 2026-11-13")]
    [InlineData("FREQ=MONTHLY;COUNT=3;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-01-01", "2026-01-30 2026-02-27 2026-03-31")]
    [InlineData("FREQ=YEARLY;COUNT=2;BYMONTH=11;BYDAY=4TH", "2026-01-01", "2026-11-26 2027-11-25")]
    [InlineData("FREQ=YEARLY;COUNT=2;BYDAY=20MO", "1997-05-19", "1997-05-19 1998-05-18")]
    [InlineData("FREQ=YEARLY;COUNT=2", "2024-02-29", "2024-02-29 2028-02-29")]
    [InlineData("FREQ=YEARLY;COUNT=3;BYMONTHDAY=1", "2026-01-15", "2026-02-01 2026-03-01 2026-04-01")]
    [InlineData("FREQ=YEARLY;COUNT=2;BYMONTHDAY=29;BYMONTH=2;BYDAY=FR", "2025-01-01", "2036-02-29 2064-02-29")]
    [InlineData("rrule:freq=weekly;count=2;byday=fr", "2026-01-01", "2026-01-02 2026-01-09")]
    [InlineData("FREQ=WEEKLY;UNTIL=20260116", "2026-01-02", "2026-01-02 2026-01-09 2026-01-16")]
    [InlineData("FREQ=WEEKLY;UNTIL=20260116T173000", "2026-01-02", "2026-01-02 2026-01-09 2026-01-16")]
    [InlineData("FREQ=WEEKLY;UNTIL=20260116T172959", "2026-01-02", "2026-01-02 2026-01-09")]
    // 17:30 in Shanghai is 09:30 in UTC.
    [InlineData("FREQ=WEEKLY;UNTIL=20260116T093000Z", "2026-01-02", "2026-01-02 2026-01-09 2026-01-16")]
    [InlineData("FREQ=WEEKLY;UNTIL=20260116T092959Z", "2026-01-02", "2026-01-02 2026-01-09")]
    [InlineData("FREQ=WEEKLY;UNTIL=20260115T235959Z", "2026-01-02", "2026-01-02 2026-01-09")]
    [InlineData("FREQ=WEEKLY;UNTIL=20260101", "2026-01-02", "")]
    [InlineData("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2026-01-01", "")]
    [InlineData("FREQ=DAILY;BYMONTH=4;BYMONTHDAY=31", "2026-01-01", "")]
    [InlineData("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6", "2026-01-01", "")]
    [InlineData("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=-6", "2026-01-01", "")]
    [InlineData("FREQ=MONTHLY;INTERVAL=12;BYMONTH=2", "2026-03-01", "")]
    [InlineData("FREQ=YEARLY;INTERVAL=100", "2150-01-01", "2150-01-01")]
    public void A_rule_gives_these_days(string rule, string firstOn, string days) =>
        Assert.Equal(days, string.Join(' ', Days(rule, firstOn).Select(day => $"{day:yyyy-MM-dd}")));

    [Fact]
    public void A_rule_without_an_end_goes_on()
    {
        Assert.True(Recurrence.Parse("FREQ=WEEKLY;BYDAY=FR").Endless);
        Assert.False(Recurrence.Parse("FREQ=WEEKLY;BYDAY=FR;COUNT=5").Endless);
        Assert.False(Recurrence.Parse("FREQ=WEEKLY;BYDAY=FR;UNTIL=20260630").Endless);
        Assert.Equal(new DateOnly(2035, 11, 30), Days("FREQ=WEEKLY;BYDAY=FR", "2026-05-01").ElementAt(500));
    }

    public static readonly TheoryData<string> Unusable =
    [
        "", " ", ";", "FREQ", "FREQ=", "=WEEKLY", "FREQ=WEEKLY;", "FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=HOURLY;BYDAY=MO", "FREQ=FORTNIGHTLY", "BYDAY=FR",
        "FREQ=WEEKLY;BYHOUR=9", "FREQ=DAILY;BYMINUTE=1", "FREQ=DAILY;BYSECOND=1", "FREQ=YEARLY;BYYEARDAY=100", "FREQ=YEARLY;BYWEEKNO=20", "FREQ=WEEKLY;X-MINE=1",
        "FREQ=WEEKLY;FREQ=DAILY", "FREQ=WEEKLY;BYDAY=FR;BYDAY=MO", "FREQ=WEEKLY RRULE:FREQ=DAILY", "RRULE:RRULE:FREQ=DAILY", "FREQ=WEEKLY\r\nRRULE:FREQ=DAILY",
        "FREQ=WEEKLY\n", "FREQ=WEEKLY;BYDAY=FR\r\nDTSTART:19700101", "EXRULE:FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=0", "FREQ=WEEKLY;COUNT=-1", "FREQ=WEEKLY;COUNT=99999999999",
        "FREQ=WEEKLY;COUNT=1.5", "FREQ=WEEKLY;COUNT=2;UNTIL=20260630", "FREQ=WEEKLY;INTERVAL=0", "FREQ=WEEKLY;INTERVAL=1000", "FREQ=WEEKLY;INTERVAL=1,2",
        "FREQ=WEEKLY;UNTIL=2026-06-30", "FREQ=WEEKLY;UNTIL=20260631", "FREQ=WEEKLY;UNTIL=20260630T250000", "FREQ=WEEKLY;UNTIL=99991231T235959Z", "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;BYDAY=FR,", "FREQ=WEEKLY;BYDAY=1FR", "FREQ=DAILY;BYDAY=1FR", "FREQ=MONTHLY;BYDAY=0FR", "FREQ=MONTHLY;BYDAY=54FR", "FREQ=WEEKLY;BYMONTHDAY=1",
        "FREQ=MONTHLY;BYMONTHDAY=0", "FREQ=MONTHLY;BYMONTHDAY=32", "FREQ=MONTHLY;BYMONTHDAY=-32", "FREQ=MONTHLY;BYMONTHDAY=1;BYDAY=1FR", "FREQ=YEARLY;BYMONTH=13",
        "FREQ=YEARLY;BYMONTH=-1", "FREQ=MONTHLY;BYSETPOS=1", "FREQ=MONTHLY;BYDAY=FR;BYSETPOS=0", "FREQ=MONTHLY;BYDAY=FR;BYSETPOS=367", "FREQ=WEEKLY;WKST=1MO", "FREQ=WEEKLY;BYDAY=ＦＲ",
        "FREQ=WEEKLY;COUNT=٣", "FREQ=WEEKLY;\0",
    ];

    [Theory]
    [MemberData(nameof(Unusable))]
    public void What_is_no_rule_for_days_is_refused(string rule)
    {
        var refused = Assert.Throws<RuleBreach>(() => Recurrence.Parse(rule));

        Assert.Equal(("invalid_recurrence", 400, "/recurrence"), (refused.Code, refused.Status, refused.Pointer));
    }

    private static IEnumerable<DateOnly> Days(string rule, string firstOn) =>
        Recurrence.Parse(rule).Days(DateOnly.Parse(firstOn, null), new TimeOnly(17, 30), TimeZoneInfo.FindSystemTimeZoneById("Asia/Shanghai"));
}
