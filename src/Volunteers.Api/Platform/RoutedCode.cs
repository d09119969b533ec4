using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Volunteers.Platform;

/// <summary>
/// A secret that is shown once and looked up without saying where. It begins with its organization, so that it is found
/// without searching every tenant; only its hash is kept.
/// </summary>
internal static class RoutedCode
{
    public static string Make(Guid organizationId) =>
        Base64Url.EncodeToString([.. organizationId.ToByteArray(bigEndian: true), .. RandomNumberGenerator.GetBytes(16)]);

    /// <summary>Null when it cannot be a code of ours.</summary>
    public static (Guid OrganizationId, byte[] Hash)? Read(string code)
    {
        var bytes = new byte[32];
        return code.Length == 43 && Base64Url.IsValid(code) && Base64Url.TryDecodeFromChars(code, bytes, out var written) && written == 32
            ? (new Guid(bytes.AsSpan(0, 16), bigEndian: true), Hash(code))
            : null;
    }

    public static byte[] Hash(string code) => SHA256.HashData(Encoding.ASCII.GetBytes(code));
}
