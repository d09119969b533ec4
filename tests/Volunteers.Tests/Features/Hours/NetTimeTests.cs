using CsCheck;
using Volunteers.Features.Hours;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

public sealed class NetTimeTests
{
    private static readonly DateTimeOffset Start = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly Gen<CreditedPeriod> Period =
        from start in Gen.Int[0, 11]
        from length in Gen.Int[1, 6]
        from minutes in Gen.Int[1, length]
        select Of(start, start + length, minutes);

    [Fact]
    public void Time_is_the_most_minutes_that_fit_when_each_minute_of_the_clock_is_given_once() =>
        Period.Array[1, 6].Sample(periods => Assert.Equal(MostThatFit(periods), NetTime.Minutes(periods)));

    [Fact]
    public void Periods_that_do_not_hang_together_are_reckoned_apart_to_the_same_end() =>
        Period.Array[1, 6].Sample(periods => Assert.Equal(NetTime.Minutes(periods), NetTime.Clusters(periods).Sum(NetTime.Minutes)));

    [Fact]
    public void A_short_service_within_a_long_one_that_was_not_given_whole_takes_nothing_from_it()
    {
        CreditedPeriod[] periods = [Of(0, 240, 60), Of(60, 120, 60), Of(60, 120, 60)];

        Assert.Equal(120, NetTime.Minutes(periods));
        Assert.Equal(120, NetTime.Minutes(periods[..2]));
    }

    private static CreditedPeriod Of(int from, int to, int minutes) => new(Guid.NewGuid(), Guid.NewGuid(), Start.AddMinutes(from), Start.AddMinutes(to), minutes);

    /// <summary>A minute of a record takes a minute of the clock, or drives another from it to one that is free: the textbook's largest matching.</summary>
    private static int MostThatFit(CreditedPeriod[] periods)
    {
        var jobs = periods.SelectMany(p => Enumerable.Repeat(p, p.Minutes)).ToArray();
        var takenBy = new Dictionary<int, int>();
        return Enumerable.Range(0, jobs.Length).Count(job => Place(job, []));

        bool Place(int job, HashSet<int> seen)
        {
            for (var minute = (int)(jobs[job].StartsAt - Start).TotalMinutes; minute < (int)(jobs[job].EndsAt - Start).TotalMinutes; minute++)
            {
                if (!seen.Add(minute) || (takenBy.TryGetValue(minute, out var other) && !Place(other, seen))) continue;
                takenBy[minute] = job;
                return true;
            }
            return false;
        }
    }
}
