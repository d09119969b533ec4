namespace Volunteers.Platform;

/// <summary>
/// Takes several changes of one row together. Answers each of them and never throws; an answer of null says that this one has
/// to be done alone.
/// </summary>
internal sealed record TakenTogether(Func<IReadOnlyList<Companion>, Task> Take);

/// <summary>A change that waits for its turn, or is taken along by one whose turn has come.</summary>
internal sealed class Companion(TakenTogether together, EndpointFilterInvocationContext context)
{
    private readonly ExecutionContext? flow = ExecutionContext.Capture();
    private readonly TaskCompletionSource<BufferedAnswer?> answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Who may be taken along together: the same operation on the same row of the same organization.</summary>
    public (TakenTogether Together, string? Path) Queue => (together, Http.Request.Path.Value);

    public HttpContext Http => context.HttpContext;

    public Task<BufferedAnswer?> Answered => answered.Task;

    /// <summary>What its handler would have been called with.</summary>
    public T Argument<T>() => context.Arguments.OfType<T>().First();

    public void Answer(BufferedAnswer? answer) => answered.TrySetResult(answer);

    /// <summary>In the language and the trace of its own request.</summary>
    public Task<T> InItsOwnFlow<T>(Func<Task<T>> work)
    {
        if (flow is null) return work();
        Task<T> done = null!;
        ExecutionContext.Run(flow, _ => done = work(), state: null);
        return done;
    }
}

/// <summary>Who waits to be taken along, in the order of arrival.</summary>
internal sealed class Companions
{
    private readonly Lock one = new();
    private readonly Dictionary<(TakenTogether Together, string? Path), LinkedList<Companion>> queues = [];

    public void Join(Companion companion)
    {
        lock (one)
        {
            if (!queues.TryGetValue(companion.Queue, out var queue)) queues.Add(companion.Queue, queue = []);
            queue.AddLast(companion);
        }
    }

    /// <summary>Says that this one waits no longer.</summary>
    /// <returns>False when somebody has taken it along before.</returns>
    public bool Leave(Companion companion)
    {
        lock (one) return Remove(companion);
    }

    /// <summary>This one, whose turn has come, and who waits with it.</summary>
    /// <returns>Null when somebody has taken it along before.</returns>
    public IReadOnlyList<Companion>? TakeAlong(Companion companion, int most)
    {
        lock (one)
        {
            if (!queues.TryGetValue(companion.Queue, out var queue) || !queue.Contains(companion)) return null;
            var all = queue.Take(most - 1).Union([companion]).ToList();
            foreach (var each in all) Remove(each);
            return all;
        }
    }

    private bool Remove(Companion companion)
    {
        if (!queues.TryGetValue(companion.Queue, out var queue) || !queue.Remove(companion)) return false;
        if (queue.Count == 0) queues.Remove(companion.Queue);
        return true;
    }
}
