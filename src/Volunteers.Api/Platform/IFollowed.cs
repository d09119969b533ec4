namespace Volunteers.Platform;

/// <summary>A context of whose rows others keep copies: it is told of those that a statement of its own deletes, before they are gone.</summary>
internal interface IFollowed
{
    Task Deleting(IReadOnlyCollection<object> rows, CancellationToken ct);
}
