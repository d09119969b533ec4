namespace Volunteers.Platform.OpenApi;

internal static class Refusals
{
    /// <summary>The error statuses that are this operation's own; those that every operation shares are added to the document.</summary>
    public static TBuilder RefusesWith<TBuilder>(this TBuilder builder, params int[] statuses) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new RefusesWith(statuses));
}

internal sealed record RefusesWith(IReadOnlyList<int> Statuses);
