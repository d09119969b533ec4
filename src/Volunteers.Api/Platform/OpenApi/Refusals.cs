namespace Volunteers.Platform.OpenApi;

/// <summary>
/// How an operation refuses. What every operation shares (not signed in, not found, too many requests …) is in the document by itself:
/// <see cref="DocumentTransformer.Errors"/>. So are the codes that its handler throws, directly or not: <see cref="HandlerCodes"/>. What stands
/// elsewhere, names of constraints and codes of filters, is named where the route is mapped; a test that meets another code says which.
/// </summary>
internal static class Refusals
{
    /// <summary>The error statuses that are this operation's own, with no other code than the status has anyway.</summary>
    public static TBuilder RefusesWith<TBuilder>(this TBuilder builder, params int[] statuses) where TBuilder : IEndpointConventionBuilder
    {
        foreach (var status in statuses) builder.WithMetadata(new RefusesWith(status, []));
        return builder;
    }

    /// <summary>The codes of this operation with a status, or of all operations of a group.</summary>
    public static TBuilder RefusesWith<TBuilder>(this TBuilder builder, int status, string code, params string[] more) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new RefusesWith(status, [code, .. more]));

    /// <summary>A refusal with this status says more than others do: these members of another answer of the operation.</summary>
    public static TBuilder RefusesWithMembersOf<TBuilder>(this TBuilder builder, int status, Type answer, params string[] members) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new ProblemMembers(status, answer, members));
}

internal sealed record ProblemMembers(int Status, Type Answer, IReadOnlyList<string> Members);
