namespace Volunteers.Platform.OpenApi;

/// <summary>
/// How an operation refuses. What every operation shares (not signed in, not found, too many requests …) is in the document by itself:
/// <see cref="DocumentTransformer.Errors"/>. Its own codes are named where its route is mapped, and a test that meets another says which.
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
}

internal sealed record RefusesWith(int Status, IReadOnlyList<string> Codes);
