using System.Globalization;
using FluentValidation.Resources;

namespace Volunteers.Platform;

/// <summary>
/// What is said of a value that breaks a rule which has no words of its own: our texts in place of FluentValidation's, which name
/// members as they are called in the code, whatever the language.
/// </summary>
internal sealed class ValidationTexts : ILanguageManager
{
    /// <summary>The kinds of rules, as FluentValidation calls them, and the codes of what is said.</summary>
    public static readonly IReadOnlyDictionary<string, string> Codes = new Dictionary<string, string>
    {
        ["NotEmptyValidator"] = "value_needed",
        ["NotNullValidator"] = "value_needed",
        ["NullValidator"] = "value_not_taken",
        ["EmptyValidator"] = "value_not_taken",
        ["MaximumLengthValidator"] = "text_too_long",
        ["MinimumLengthValidator"] = "text_too_short",
        ["LengthValidator"] = "text_of_wrong_length",
        ["InclusiveBetweenValidator"] = "value_outside",
        ["GreaterThanValidator"] = "value_too_small",
        ["GreaterThanOrEqualValidator"] = "value_below",
        ["LessThanOrEqualValidator"] = "value_above",
        ["RegularExpressionValidator"] = "wrong_form",
        ["EqualValidator"] = "value_not_accepted",
        ["EnumValidator"] = "unknown_value",
        ["PredicateValidator"] = "value_not_accepted",
    };

    public bool Enabled { get; set; } = true;

    public CultureInfo Culture { get; set; } = CultureInfo.InvariantCulture;

    /// <summary>In the language of the request; nothing for what is no kind of rule, such as a code of ours.</summary>
    public string GetString(string key, CultureInfo? culture = null) => Codes.TryGetValue(key, out var code) ? Messages.Title(code) : "";
}
