using Volunteers.Platform;
using Xunit;

namespace Volunteers.Tests.Platform;

public sealed class QuotaTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly StillClock clock = new();

    [Fact]
    public void An_allowance_is_taken_at_once_and_comes_back_evenly()
    {
        var (quota, key) = (new Quota(3, Minute, clock), Guid.NewGuid());

        Assert.Equal([2, 1, 0], Enumerable.Range(0, 3).Select(_ => quota.Take(key).Remaining));
        Assert.Equal(TimeSpan.FromSeconds(20), quota.Take(key).Wait);
        clock.Pass(TimeSpan.FromSeconds(19));
        Assert.Equal(TimeSpan.FromSeconds(1), quota.Take(key).Wait);
        clock.Pass(TimeSpan.FromSeconds(1));
        Assert.True(quota.Take(key).Granted);
        Assert.False(quota.Take(key).Granted);
        clock.Pass(Minute);
        Assert.Equal(3, Enumerable.Range(0, 10).Count(_ => quota.Take(key).Granted));
    }

    [Fact]
    public void One_key_does_not_take_from_another()
    {
        var quota = new Quota(1, Minute, clock);

        Assert.All(Enumerable.Range(0, 100), _ => Assert.True(quota.Take(Guid.NewGuid()).Granted));
    }

    [Fact]
    public void No_limit_refuses_nothing_and_remembers_nobody()
    {
        var (quota, key) = (new Quota(0, Minute, clock), Guid.NewGuid());

        Assert.All(Enumerable.Range(0, 1000), _ => Assert.True(quota.Take(key).Granted));
        Assert.Equal(0, quota.Count);
    }

    [Fact]
    public void Keys_that_are_invented_do_not_grow_what_is_remembered()
    {
        var quota = new Quota(5, Minute, clock, most: 1000);
        var largest = 0;

        for (var i = 0; i < 50_000; i++)
        {
            quota.Take(Guid.NewGuid());
            largest = Math.Max(largest, quota.Count);
            if (i % 100 == 0) clock.Pass(TimeSpan.FromMilliseconds(10));
        }

        Assert.InRange(largest, 500, 1000);
    }

    [Fact]
    public void Keys_that_nobody_uses_are_forgotten()
    {
        var quota = new Quota(5, Minute, clock);
        for (var i = 0; i < 1000; i++) quota.Take(Guid.NewGuid());

        clock.Pass(2 * Minute);
        quota.Take(Guid.NewGuid());

        Assert.Equal(1, quota.Count);
    }

    /// <summary>As long as there are not too many keys, forgetting changes no answer.</summary>
    [Fact]
    public void What_is_forgotten_would_have_made_no_difference()
    {
        var random = new Random(20261126);
        var keys = Enumerable.Range(0, 15).Select(_ => Guid.NewGuid()).ToArray();
        var quota = new Quota(4, Minute, clock);
        var whole = new Dictionary<Guid, TimeSpan>();
        var (now, refused) = (TimeSpan.Zero, 0);

        for (var i = 0; i < 20_000; i++)
        {
            var by = TimeSpan.FromMilliseconds(random.Next(random.Next(50) == 0 ? 90_000 : 600));
            clock.Pass(by);
            now += by;
            var key = keys[random.Next(keys.Length)];
            var wholeAt = TimeSpan.FromTicks(Math.Max(now.Ticks, whole.GetValueOrDefault(key).Ticks)) + TimeSpan.FromSeconds(15);
            var expected = wholeAt - now <= Minute;
            if (expected) whole[key] = wholeAt;
            else refused++;

            Assert.Equal(expected, quota.Take(key).Granted);
        }
        Assert.InRange(refused, 1000, 19_000);
    }

    [Fact]
    public void Those_who_come_at_the_same_moment_get_no_more_than_there_is()
    {
        var (quota, key, granted) = (new Quota(100, Minute, clock), Guid.NewGuid(), 0);

        Parallel.For(0, 10_000, _ =>
        {
            if (quota.Take(key).Granted) Interlocked.Increment(ref granted);
        });

        Assert.Equal(100, granted);
    }

    /// <summary>A clock that stands still until time passes.</summary>
    private sealed class StillClock : TimeProvider
    {
        private long ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => ticks;

        public void Pass(TimeSpan by) => ticks += by.Ticks;
    }
}
