namespace Volunteers.Platform;

/// <summary>How several changes of one row are done together.</summary>
/// <param name="take">
/// For the first of them, whose turn it is, does all in the order of arrival, and answers each of them: null where one has to be done alone.
/// Never throws.
/// </param>
/// <param name="fits">Whether the second can be done along with the first.</param>
internal sealed class TakenTogether(Func<Companion, IReadOnlyList<Companion>, Task> take, Func<Companion, Companion, bool> fits)
{
    public Task Take(Companion leader, IReadOnlyList<Companion> all) => take(leader, all);

    public bool Fits(Companion leader, Companion other) => fits(leader, other);
}

/// <summary>A change that waits for its turn, or is taken along by one whose turn has come.</summary>
internal sealed class Companion
{
    private readonly ExecutionContext? flow = ExecutionContext.Capture();
    private readonly TaskCompletionSource<BufferedAnswer?> answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly EndpointFilterInvocationContext context;

    public Companion(TakenTogether together, string row, EndpointFilterInvocationContext context)
    {
        this.context = context;
        Key = (together, $"{context.HttpContext.Request.RouteValues["organizationId"]}/{row}");
        Node = new LinkedListNode<Companion>(this);
    }

    /// <summary>Who waits together: for the same operation on the same row of the same organization.</summary>
    public (TakenTogether Together, string Row) Key { get; }

    /// <summary>Its place among them; in no list once it is taken along, or has left.</summary>
    public LinkedListNode<Companion> Node { get; }

    public HttpContext Http => context.HttpContext;

    /// <summary>Its answer; null when it has to be done alone. Fails when nobody knows whether it was done.</summary>
    public Task<BufferedAnswer?> Answered => answered.Task;

    /// <summary>What its handler would have been called with.</summary>
    public T Argument<T>() => context.Arguments.OfType<T>().First();

    public void Answer(BufferedAnswer? answer) => answered.TrySetResult(answer);

    public void Fail(Exception unknown) => answered.TrySetException(unknown);

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
    private readonly Lock gate = new();
    private readonly Dictionary<(TakenTogether Together, string Row), LinkedList<Companion>> queues = [];

    public void Join(Companion companion)
    {
        lock (gate)
        {
            if (!queues.TryGetValue(companion.Key, out var queue)) queues.Add(companion.Key, queue = []);
            queue.AddLast(companion.Node);
        }
    }

    /// <summary>Says that this one waits no longer.</summary>
    /// <returns>False when somebody has taken it along before.</returns>
    public bool Leave(Companion companion)
    {
        lock (gate) return Remove(companion);
    }

    /// <summary>The one whose turn has come, and those who wait with it, as long as they fit: nobody is passed over.</summary>
    /// <returns>In the order of arrival; none when somebody has taken it along before.</returns>
    public IReadOnlyList<Companion> TakeAlong(Companion leader, int most)
    {
        lock (gate)
        {
            if (leader.Node.List is not { } queue) return [];
            // It is the first of them, or next to it: turns are had in the order of arrival.
            var all = queue.Take(most - 1).TakeWhile(other => other == leader || leader.Key.Together.Fits(leader, other)).Union([leader]).ToList();
            foreach (var each in all) Remove(each);
            return all;
        }
    }

    private bool Remove(Companion companion)
    {
        if (companion.Node.List is not { } queue) return false;
        queue.Remove(companion.Node);
        if (queue.Count == 0) queues.Remove(companion.Key);
        return true;
    }
}
