using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace Volunteers.Platform;

/// <summary>Something sealed, and the id of the key that opens it.</summary>
internal sealed record SealedText(string KeyId, byte[] Bytes);

/// <summary>A hash that nobody can compute or guess at without the key, and a name for that key.</summary>
internal sealed record KeyedHash(string KeyId, byte[] Hash);

/// <summary>
/// Seals texts with AES-256-GCM under a nonce of their own, each bound to where it belongs: moved elsewhere, it does not open.
/// </summary>
internal sealed class PersonalSeal
{
    public const int KeyBytes = 32;

    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    private readonly Dictionary<string, byte[]> keys;
    private readonly (string Id, byte[] Key)[] hashKeys;
    private readonly string? currentKey;

    public PersonalSeal(IOptions<PersonalData> settings)
    {
        var data = settings.Value;
        keys = data.IsEmpty ? [] : data.Keys.Where(key => key.Value.Length > 0).ToDictionary(key => key.Key.ToLowerInvariant(), key => PersonalData.Read(key.Value)!);
        currentKey = keys.Count == 0 ? null : data.CurrentKey!.ToLowerInvariant();
        hashKeys = keys.Count == 0 ? [] : [.. new[] { data.HashKey, data.PreviousHashKey }.Select(PersonalData.Read).OfType<byte[]>().Select(key => (NameOf(key), key)).DistinctBy(key => key.Item1)];
    }

    public bool IsConfigured => currentKey is not null;

    /// <exception cref="RuleBreach">Nothing is sealed without keys.</exception>
    public string CurrentKey => currentKey ?? throw new RuleBreach("identity_documents_not_configured");

    /// <summary>What hashes are made with from now on.</summary>
    public string CurrentHashKey => hashKeys.Length > 0 ? hashKeys[0].Id : throw new RuleBreach("identity_documents_not_configured");

    public IReadOnlyList<string> HashKeys => [.. hashKeys.Select(key => key.Id)];

    public bool Opens(string keyId) => keys.ContainsKey(keyId);

    /// <summary>Nonce, ciphertext and tag, in that order.</summary>
    public SealedText Seal(string text, ReadOnlySpan<byte> boundTo)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var sealedText = Seal(plain, boundTo);
        CryptographicOperations.ZeroMemory(plain);
        return sealedText;
    }

    public SealedText Seal(ReadOnlySpan<byte> plain, ReadOnlySpan<byte> boundTo)
    {
        var bytes = new byte[NonceBytes + plain.Length + TagBytes];
        var nonce = bytes.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(keys[CurrentKey], TagBytes);
        aes.Encrypt(nonce, plain, bytes.AsSpan(NonceBytes, plain.Length), bytes.AsSpan(NonceBytes + plain.Length), Binding(boundTo, CurrentKey));
        return new SealedText(CurrentKey, bytes);
    }

    /// <exception cref="RuleBreach">503: the key is not among the settings.</exception>
    /// <exception cref="CryptographicException">It was changed, or does not belong there.</exception>
    public string Open(SealedText sealedText, ReadOnlySpan<byte> boundTo) => Encoding.UTF8.GetString(OpenBytes(sealedText, boundTo));

    /// <inheritdoc cref="Open"/>
    public byte[] OpenBytes(SealedText sealedText, ReadOnlySpan<byte> boundTo)
    {
        if (!keys.TryGetValue(sealedText.KeyId, out var key)) throw RuleBreach.Precondition("personal_key_missing", StatusCodes.Status503ServiceUnavailable);
        if (sealedText.Bytes.Length < NonceBytes + TagBytes) throw new CryptographicException("What is sealed is too short to be anything.");

        var bytes = sealedText.Bytes.AsSpan();
        var plain = new byte[bytes.Length - NonceBytes - TagBytes];
        using var aes = new AesGcm(key, TagBytes);
        aes.Decrypt(bytes[..NonceBytes], bytes[NonceBytes..^TagBytes], bytes[^TagBytes..], plain, Binding(boundTo, sealedText.KeyId));
        return plain;
    }

    /// <summary>Under the hash key of now and, during a change, under the one before. None without keys.</summary>
    public IReadOnlyList<KeyedHash> HashesOf(string use, ReadOnlySpan<byte> value)
    {
        byte[] content = [.. Encoding.UTF8.GetBytes(use), 0, .. value];
        return [.. hashKeys.Select(key => new KeyedHash(key.Id, HMACSHA256.HashData(key.Key, content)))];
    }

    private static byte[] Binding(ReadOnlySpan<byte> boundTo, string keyId) => [.. boundTo, 0, .. Encoding.UTF8.GetBytes(keyId)];

    private static string NameOf(byte[] hashKey) => Convert.ToHexStringLower(HMACSHA256.HashData(hashKey, "name of this key"u8))[..16];
}
