using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Volunteers.Platform.Audit;

internal enum AuditAction
{
    Created,
    Changed,
    Deleted,
}

/// <summary>What an event says besides who, when and on what.</summary>
/// <param name="Changes">What became of which rows.</param>
/// <param name="Query">The filters of a look or an export, and other parameters of the request.</param>
/// <param name="Rows">How many rows were shown, taken away or deleted.</param>
internal sealed record AuditDetails(IReadOnlyList<AuditChange>? Changes = null, IReadOnlyDictionary<string, string>? Query = null, long? Rows = null)
{
    private static readonly JsonSerializerOptions Options = new(Json.Options) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public string Write() => JsonSerializer.Serialize(this, Options);

    /// <summary>Of a text that nobody here wrote, nothing.</summary>
    public static AuditDetails Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<AuditDetails>(text, Options) ?? new AuditDetails();
        }
        catch (JsonException)
        {
            return new AuditDetails();
        }
    }
}

/// <summary>What became of a row, or of many that were made alike.</summary>
/// <param name="Type">The word for it, as <c>serviceRecord</c>.</param>
/// <param name="Action">What became of it.</param>
/// <param name="Ids">Which; at most 1,000.</param>
/// <param name="Count">How many, where that is more than one.</param>
/// <param name="Figures">By the member's name: before and after.</param>
/// <param name="Texts">The names of the members whose values stand beside the event.</param>
/// <param name="Hash">Of those values, salted, in hexadecimal.</param>
internal sealed record AuditChange(
    string Type, AuditAction Action, IReadOnlyList<string> Ids, int? Count = null, IReadOnlyDictionary<string, JsonNode?[]>? Figures = null,
    IReadOnlyList<string>? Texts = null, string? Hash = null);
