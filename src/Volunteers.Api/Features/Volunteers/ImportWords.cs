using System.Collections.Frozen;
using Volunteers.Platform;

namespace Volunteers.Features.Volunteers;

/// <summary>
/// What files call the members of an enum, in both languages. They are read without regard to case, blanks, underscores and the
/// asterisk of required columns; written as the first word in Chinese, as the last in English.
/// </summary>
internal sealed class ImportWords<T> where T : struct, Enum
{
    private readonly FrozenDictionary<string, T> values;
    private readonly FrozenDictionary<T, (string Chinese, string English)> written;

    public ImportWords(params (T Value, string Words)[] rows)
    {
        values = rows.SelectMany(row => row.Words.Split(' '), (row, word) => KeyValuePair.Create(Plain(word), row.Value)).ToFrozenDictionary();
        written = rows.ToFrozenDictionary(row => row.Value, row => (row.Words.Split(' ')[0], row.Words.Split(' ')[^1]));
    }

    public bool TryRead(string text, out T value) => values.TryGetValue(Plain(text), out value);

    /// <summary>In the language of the request.</summary>
    public string Write(T value) => Languages.IsChinese ? written[value].Chinese : written[value].English;

    private static string Plain(string word) => ImportWords.Plain(word);
}

internal static class ImportWords
{
    /// <summary>By which two words are the same.</summary>
    public static string Plain(string word) =>
        string.Concat(word.Where(c => !char.IsWhiteSpace(c) && c is not ('_' or '*' or '＊'))).ToLowerInvariant();
}
