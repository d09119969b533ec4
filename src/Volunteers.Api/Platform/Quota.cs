using System.Runtime.InteropServices;

namespace Volunteers.Platform;

/// <summary>
/// An allowance for each key: so many in so long, at once or bit by bit, and what was taken comes back evenly. All it keeps of
/// a key is when its allowance will be whole again, and of keys it keeps so many at most: whoever invents new ones makes it
/// forget, never grow. The framework's limiters know neither our clock nor such a bound.
/// </summary>
/// <param name="permits">How many; 0 for no limit.</param>
/// <param name="period">In how long.</param>
/// <param name="clock">Says what time it is.</param>
/// <param name="most">Keys that are remembered at most.</param>
internal sealed class Quota(int permits, TimeSpan period, TimeProvider clock, int most = 100_000)
{
    private readonly long started = clock.GetTimestamp();
    private readonly Lock gate = new();

    // Two generations: keys taken from since the last turn, and in the turn before. One that was not taken from for a whole
    // period has its allowance back and is forgotten without loss; only when there are too many does a turn come earlier.
    private Dictionary<Guid, TimeSpan> young = new(Spread.Instance), old = new(Spread.Instance);
    private TimeSpan turnedAt;

    public int Permits => permits;

    public TimeSpan Period => period;

    /// <summary>Keys that are remembered.</summary>
    public int Count
    {
        get { lock (gate) return young.Count + old.Count; }
    }

    /// <summary>Takes one from the allowance of this key. A refusal takes nothing.</summary>
    public Standing Take(Guid key)
    {
        if (permits == 0) return new Standing(TimeSpan.Zero, int.MaxValue, TimeSpan.Zero);

        var each = period / permits;
        lock (gate)
        {
            var now = clock.GetElapsedTime(started);
            Turn(now);
            var wholeAt = young.TryGetValue(key, out var known) || old.TryGetValue(key, out known) ? known : now;
            var whole = (wholeAt > now ? wholeAt - now : TimeSpan.Zero) + each;
            if (whole > period) return new Standing(whole - period, 0, whole - each);

            young[key] = now + whole;
            return new Standing(TimeSpan.Zero, (int)((period - whole) / each), whole);
        }
    }

    private void Turn(TimeSpan now)
    {
        if (young.Count < most / 2 && now - turnedAt < period) return;
        (old, young) = (now - turnedAt < 2 * period ? young : new(Spread.Instance), new(Spread.Instance));
        turnedAt = now;
    }

    /// <summary>Seeded for each process, so that nobody chooses keys that fall into one place.</summary>
    private sealed class Spread : IEqualityComparer<Guid>
    {
        public static readonly Spread Instance = new();

        public bool Equals(Guid x, Guid y) => x == y;

        public int GetHashCode(Guid key)
        {
            var parts = MemoryMarshal.Cast<Guid, long>(new ReadOnlySpan<Guid>(in key));
            return HashCode.Combine(parts[0], parts[1]);
        }
    }
}

/// <summary>How a key stands after asking.</summary>
/// <param name="Wait">How long until it may ask again; zero when it was granted.</param>
/// <param name="Remaining">How many more it may ask now.</param>
/// <param name="WholeIn">How long until its allowance is whole again.</param>
internal readonly record struct Standing(TimeSpan Wait, int Remaining, TimeSpan WholeIn)
{
    public bool Granted => Wait == TimeSpan.Zero;
}
