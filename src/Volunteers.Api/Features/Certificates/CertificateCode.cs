using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Volunteers.Platform;

namespace Volunteers.Features.Certificates;

/// <summary>
/// What a certificate is verified by, typed from paper: 8 characters that find the organization, 22 at random (110 bits), 2
/// that tell a slip of the keyboard. Kept as it is, because the certificate must be drawn again with it: whoever could read
/// it in the database reads the whole certificate beside it, of which the code opens a part.
/// </summary>
internal static class CertificateCode
{
    public const int Length = PrefixLength + SecretLength + CheckLength;

    private const int PrefixLength = 8;
    private const int SecretLength = 22;
    private const int CheckLength = 2;

    public static string Make(Guid organizationId)
    {
        var prefix = long.Parse(organizationId.ToString("N").AsSpan(22), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        var code = Base32(prefix, PrefixLength) + TypedCode.Make(SecretLength);
        return code + CheckOf(code);
    }

    /// <summary>In capitals, small letters or both, in groups or not, with O for zero; null when it cannot be a code of ours.</summary>
    public static (string OrganizationPrefix, string Code)? Read(string text)
    {
        // Room for every separator that a person may put in.
        if (text.Length > 2 * Length) return null;
        var code = TypedCode.Normalized(text);
        if (code.Length != Length || !code.All(TypedCode.Alphabet.Contains) || CheckOf(code[..^CheckLength]) != code[^CheckLength..]) return null;
        return (code[..PrefixLength].Aggregate(0L, (bits, c) => (bits << 5) | (long)TypedCode.Alphabet.IndexOf(c, StringComparison.Ordinal)).ToString("x10", CultureInfo.InvariantCulture), code);
    }

    private static string CheckOf(string code) => Base32(BinaryPrimitives.ReadUInt16BigEndian(SHA256.HashData(Encoding.ASCII.GetBytes(code))), CheckLength);

    private static string Base32(long bits, int length) => string.Create(length, bits, (text, rest) =>
    {
        for (var i = text.Length - 1; i >= 0; i--, rest >>= 5) text[i] = TypedCode.Alphabet[(int)(rest & 31)];
    });
}
