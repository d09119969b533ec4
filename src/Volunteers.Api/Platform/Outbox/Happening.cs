using Microsoft.EntityFrameworkCore.ChangeTracking;

namespace Volunteers.Platform.Outbox;

/// <summary>A kind of thing that happens and that other systems may ask to be told of; its name is stable, such as <c>sign_up.confirmed</c>.</summary>
internal sealed record EventType(string Name);

/// <summary>One thing that happened.</summary>
/// <param name="Type">Of what kind.</param>
/// <param name="OrganizationId">Where.</param>
/// <param name="ObjectId">To what: of one object everything is told in order.</param>
/// <param name="Data">What is told: ids, figures, words and times, never a text that may say who somebody is.</param>
internal sealed record Happening(EventType Type, Guid OrganizationId, Guid ObjectId, object Data);

/// <summary>
/// A row whose changes other systems are told of. Whatever saves it with EF tells them, in the same transaction; a statement that
/// changes such rows by itself has to say so with <see cref="Outbox.Tell"/>.
/// </summary>
internal interface IAnnounced
{
    /// <summary>What happened by what is about to be saved of it.</summary>
    IEnumerable<Happening> Announce(EntityEntry entry);

    /// <summary>In which order it is told among what is saved with it, which has none by itself.</summary>
    long Place => long.MaxValue;
}
