using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Volunteers.Platform.Audit;

/// <summary>How much of a personal value the audit trail shows.</summary>
internal enum Mask
{
    /// <summary>All of it: it says nothing by itself about who it is.</summary>
    Whole,

    /// <summary>The first character.</summary>
    Name,

    /// <summary>The first three and the last four digits, of a short one less.</summary>
    Phone,

    /// <summary>The first character and what follows the at sign; a phone number as one.</summary>
    Login,

    /// <summary>The year.</summary>
    Year,

    /// <summary>Only that there is one.</summary>
    Hidden,
}

/// <summary>
/// The value is about a person: the audit trail keeps it beside the event, where it can be erased, and masked. On a class, for a
/// member that it inherits. On a filter's member, the trail says only that it was given.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class, AllowMultiple = true)]
internal sealed class PersonalAttribute(Mask mask) : Attribute
{
    public Mask Mask => mask;

    public string? Member { get; init; }
}

/// <summary>The audit trail takes no notice of it: it follows from something else, or is another record of its own.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class, AllowMultiple = true)]
internal sealed class NotAuditedAttribute : Attribute
{
    public string? Member { get; init; }
}

/// <summary>What a row said when it was made is kept in a history that only grows; the audit trail notes that it was made.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class HistoryKeptAttribute : Attribute;

/// <summary>Whoever is deleted is forgotten: the trail says that it was done, and nothing of what stood there any more.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class ForgottenWhenDeletedAttribute : Attribute;

/// <summary>Somebody who can be erased: from then on the trail says nothing of who they were.</summary>
internal interface IErasable
{
    DateTimeOffset? ErasedAt { get; }
}

/// <summary>Something about one volunteer that does not say so by a member called <c>VolunteerId</c>.</summary>
internal interface IAboutVolunteer
{
    Guid? VolunteerId { get; }
}

internal static class Masks
{
    private const string Stars = "***";

    public static JsonNode? Of(JsonNode? value, Mask mask) => value switch
    {
        null => null,
        _ when mask == Mask.Whole => value,
        JsonValue text when text.GetValueKind() == JsonValueKind.String && mask != Mask.Hidden => Of((string)text!, mask),
        _ => Stars,
    };

    public static string Of(string text, Mask mask) => mask switch
    {
        Mask.Whole => text,
        Mask.Name => First(text) + Stars,
        Mask.Phone => Phone(text),
        Mask.Login => text.LastIndexOf('@') is > 0 and var at ? First(text) + Stars + text[at..] : Phone(text),
        Mask.Year when text.Length >= 4 => text[..4] + "-**-**",
        _ => Stars,
    };

    private static string Phone(string text) => text.Length >= 11 ? $"{text[..3]}****{text[^4..]}" : Stars + text[^Math.Min(2, text.Length)..];

    private static string First(string text) => text.Length == 0 ? "" : StringInfo.GetNextTextElement(text);
}
