using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Volunteers.Tests.Support;

namespace Volunteers.Tests.Features.Identity;

/// <summary>An authenticator app: RFC 6238, written here from the RFC so that it is not the library that the service uses.</summary>
public sealed class Authenticator(byte[] secret)
{
    public string[] RecoveryCodes { get; private set; } = [];

    /// <summary>The app with the secret of this answer.</summary>
    public static Authenticator Of(JsonNode enrolment) => new(FromBase32((string)enrolment["secret"]!));

    /// <summary>Turns the second factor of this caller on.</summary>
    public static async Task<Authenticator> Enrol(ApiHost host, Api api, string password)
    {
        var app = Of((await api.Post("/v1/me/second-factor")).ShouldBe(200).Body!);
        var confirmed = (await api.Put("/v1/me/second-factor", new { code = app.CodeAt(host.Clock.GetUtcNow()), password })).ShouldBe(200);
        app.RecoveryCodes = [.. confirmed["codes"]!.AsArray().Select(code => (string)code!)];
        return app;
    }

    public string CodeAt(DateTimeOffset at, int digits = 6)
    {
        Span<byte> step = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(step, at.ToUnixTimeSeconds() / 30);
#pragma warning disable CA5350 // RFC 6238 and every app mean HMAC-SHA-1.
        var hash = HMACSHA1.HashData(secret, step);
#pragma warning restore CA5350
        var number = BinaryPrimitives.ReadInt32BigEndian(hash.AsSpan(hash[^1] & 15)) & int.MaxValue;
        return (number % (int)Math.Pow(10, digits)).ToString(CultureInfo.InvariantCulture).PadLeft(digits, '0');
    }

    private static byte[] FromBase32(string text)
    {
        var bits = string.Concat(text.Select(c => Convert.ToString("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(c, StringComparison.Ordinal), 2).PadLeft(5, '0')));
        return [.. Enumerable.Range(0, bits.Length / 8).Select(i => Convert.ToByte(bits.Substring(i * 8, 8), 2))];
    }
}
