using System.Security.Cryptography;

namespace Volunteers.Platform;

/// <summary>Codes that people read out and type, in Crockford's base 32: without the letters that are taken for digits or for each other.</summary>
internal static class TypedCode
{
    public const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// <summary>At random, five bits to the character.</summary>
    public static string Make(int length) => RandomNumberGenerator.GetString(Alphabet, length);

    /// <summary>As people type it: in small letters, in groups, with O for zero.</summary>
    public static string Normalized(string code) => string.Concat(code.Where(c => c is not '-' and not ' ').Select(char.ToUpperInvariant))
        .Replace('O', '0').Replace('I', '1').Replace('L', '1');

    /// <summary>In groups of four, as it is shown.</summary>
    public static string InGroups(string code) => string.Join('-', code.Chunk(4).Select(group => new string(group)));
}
