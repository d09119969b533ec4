namespace Volunteers.Platform;

/// <summary>A rule of the domain refuses. The code is stable; its texts stand in Messages.resx in every language.</summary>
internal class RuleBreach(string code, params object[] arguments) : Exception(code)
{
    public string Code { get; } = code;

    /// <summary>Figures that the text of the refusal names: a limit, a day.</summary>
    public object[] Arguments { get; } = arguments;

    public int Status { get; private init; } = StatusCodes.Status409Conflict;

    /// <summary>JSON pointer to the member of the request that names what was refused, if one does.</summary>
    public string? Pointer { get; private init; }

    /// <summary>How long to wait before it is worth another try, where that would help.</summary>
    public TimeSpan? RetryAfter { get; private init; }

    /// <summary>A body names something that is not there, or is another organization's: for the caller there is no difference.</summary>
    public static RuleBreach NotFound(string code, string pointer) =>
        new(code) { Status = StatusCodes.Status404NotFound, Pointer = pointer };

    public static RuleBreach Forbidden(string code, params object[] arguments) => new(code, arguments) { Status = StatusCodes.Status403Forbidden };

    public static RuleBreach Malformed(string code, string pointer, params object[] arguments) =>
        new(code, arguments) { Status = StatusCodes.Status400BadRequest, Pointer = pointer };

    public static RuleBreach Precondition(string code, int status) => new(code) { Status = status };

    public static RuleBreach TooMany(string code, TimeSpan retryAfter) => new(code) { Status = StatusCodes.Status429TooManyRequests, RetryAfter = retryAfter };
}

/// <summary>One refused item of a batch: its place in the request, counted from 0, and why.</summary>
internal sealed record Refusal(int Index, string Code, string Detail)
{
    public static Refusal Of(int index, RuleBreach breach) => new(index, breach.Code, Messages.Detail(breach.Code, breach.Arguments));
}

/// <summary>A batch is taken whole or not at all; this names every item that stood in the way.</summary>
internal sealed class BatchRefused(IReadOnlyList<Refusal> refusals) : RuleBreach("batch_refused", refusals.Count)
{
    public IReadOnlyList<Refusal> Refusals { get; } = refusals;
}

/// <summary>Of a route: codes that it refuses with, for the document.</summary>
internal sealed record RefusesWith(int Status, IReadOnlyList<string> Codes);
