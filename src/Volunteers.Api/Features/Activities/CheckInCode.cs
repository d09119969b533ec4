using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Volunteers.Platform;

namespace Volunteers.Features.Activities;

/// <summary>
/// The rotating code on the organizer's screen: eight characters, another every 30 seconds, the last two accepted. Whoever
/// reads it is there, or is told it within the minute; an hour later it proves nothing.
/// </summary>
internal static class CheckInCode
{
    public static readonly TimeSpan Step = TimeSpan.FromSeconds(30);

    /// <summary>How long a code is accepted from the moment it is first shown: its own step and the one after.</summary>
    public static readonly TimeSpan AcceptedFor = 2 * Step;

    public static byte[] NewSecret() => RandomNumberGenerator.GetBytes(32);

    public static string Of(byte[] secret, DateTimeOffset at)
    {
        Span<byte> step = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(step, at.ToUnixTimeSeconds() / (long)Step.TotalSeconds);
        var bits = BinaryPrimitives.ReadUInt64BigEndian(HMACSHA256.HashData(secret, step));
        return string.Create(8, bits, (code, rest) =>
        {
            for (var i = 0; i < code.Length; i++, rest >>= 5) code[i] = TypedCode.Alphabet[(int)(rest & 31)];
        });
    }

    /// <summary>When the step of that instant began.</summary>
    public static DateTimeOffset StepAt(DateTimeOffset at) =>
        DateTimeOffset.FromUnixTimeSeconds(at.ToUnixTimeSeconds() / (long)Step.TotalSeconds * (long)Step.TotalSeconds);

    /// <summary>When a code was first shown, if that was between these instants; the one nearest the end, should two be equal.</summary>
    public static DateTimeOffset? ShownAt(byte[] secret, string code, DateTimeOffset from, DateTimeOffset to)
    {
        var read = Encoding.ASCII.GetBytes(TypedCode.Normalized(code));
        for (var step = StepAt(to); step >= StepAt(from); step -= Step)
            if (CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Of(secret, step)), read)) return step;
        return null;
    }
}
