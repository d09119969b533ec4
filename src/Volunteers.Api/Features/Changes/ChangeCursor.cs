using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Volunteers.Data;
using Volunteers.Platform;

namespace Volunteers.Features.Changes;

/// <summary>
/// How far a caller has come. Sealed with the service's keys: nobody reads how it is made, alters it, or makes one.
/// </summary>
/// <param name="OrganizationId">Whose changes.</param>
/// <param name="ActorId">Who has come so far.</param>
/// <param name="Sight">What they could see, as a digest: with another, what they have cannot be brought up to date.</param>
/// <param name="Position">Everything up to it they have; while they take the whole, where that began.</param>
/// <param name="At">When that was all there was.</param>
/// <param name="Stage">While they take the whole: the resource they are at.</param>
/// <param name="After">The last of it that they have.</param>
internal sealed record ChangeCursor(Guid OrganizationId, Guid ActorId, Guid Sight, long Position, DateTimeOffset At, int? Stage = null, Guid? After = null)
{
    private const int Length = 1 + (16 * 4) + (8 * 2);
    private const byte NoStage = byte.MaxValue;

    public string Write(IDataProtectionProvider protection)
    {
        var bytes = new byte[Length];
        bytes[0] = Stage is { } stage ? (byte)stage : NoStage;
        foreach (var (i, id) in new[] { OrganizationId, ActorId, Sight, After ?? Guid.Empty }.Index()) id.TryWriteBytes(bytes.AsSpan(1 + (16 * i)));
        BitConverter.TryWriteBytes(bytes.AsSpan(65), Position);
        BitConverter.TryWriteBytes(bytes.AsSpan(73), At.UtcTicks);
        return Base64Url.EncodeToString(Protector(protection).Protect(bytes));
    }

    /// <exception cref="RuleBreach">400: it is not one of ours.</exception>
    public static ChangeCursor Read(string cursor, IDataProtectionProvider protection)
    {
        try
        {
            var bytes = Protector(protection).Unprotect(Base64Url.DecodeFromChars(cursor));
            Guid Id(int i) => new(bytes.AsSpan(1 + (16 * i), 16));
            return new ChangeCursor(Id(0), Id(1), Id(2), BitConverter.ToInt64(bytes, 65), new DateTimeOffset(BitConverter.ToInt64(bytes, 73), TimeSpan.Zero),
                bytes[0] == NoStage ? null : bytes[0], Id(3) is var after && after == Guid.Empty ? null : after);
        }
        catch (Exception unreadable) when (unreadable is FormatException or CryptographicException)
        {
            throw RuleBreach.Malformed("invalid_cursor", "/since");
        }
    }

    /// <exception cref="RuleBreach">400: somebody else's. 410: too old, or of a time when the caller saw something else.</exception>
    public void RefuseUnlessOf(ChangeCursor now, int keptDays)
    {
        if (OrganizationId != now.OrganizationId || ActorId != now.ActorId) throw RuleBreach.Malformed("foreign_cursor", "/since");
        if (At < now.At.AddDays(-keptDays)) throw RuleBreach.Precondition("cursor_expired", StatusCodes.Status410Gone);
        if (Sight != now.Sight) throw RuleBreach.Precondition("resync_required", StatusCodes.Status410Gone);
    }

    private static IDataProtector Protector(IDataProtectionProvider protection) => protection.CreateProtector("Volunteers.ChangeCursors");
}

/// <summary>What a caller can see at all, before any row is looked at: their roles here, and of a client its scopes.</summary>
internal sealed record CallerSight(Guid Digest, Guid[] Keys, IReadOnlyList<SyncedType> Types)
{
    public static CallerSight Of(Tenant tenant)
    {
        var types = SyncedType.All.Where(type => !tenant.Caller.IsClient || tenant.Caller.Scopes.Contains($"{type.Area}.read")).ToArray();
        var teams = tenant.Teams.Order().ToArray();
        var text = $"{tenant.ReadsAll} {tenant.CoordinatesAll} {tenant.VolunteerId} {string.Join(',', teams)} {string.Join(',', types.Select(type => type.Resource))}";
        return new CallerSight(new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16)),
            [Sight.Everybody, .. teams, .. tenant.VolunteerId is { } own ? [own, Sight.Volunteers] : Array.Empty<Guid>()], types);
    }
}
