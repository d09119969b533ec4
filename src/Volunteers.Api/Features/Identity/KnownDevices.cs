using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace Volunteers.Features.Identity;

/// <summary>
/// A device that signed in to an account keeps a token that says so. It opens nothing: it only sets the device apart from
/// strangers, so that their failures at that account do not shut its owner out.
/// </summary>
internal sealed class KnownDevices(IDataProtectionProvider protection, TimeProvider clock)
{
    /// <summary>How an app brings its token to the token endpoint, and gets it there.</summary>
    public const string Parameter = "device_token";

    public static readonly TimeSpan Known = TimeSpan.FromDays(180);

    private readonly IDataProtector protector = protection.CreateProtector("Volunteers.KnownDevices");

    /// <summary>The token of a browser.</summary>
    public static string? Of(HttpContext http) => http.Request.Cookies[CookieOf(http)];

    public static void Keep(HttpContext http, string token) => http.Response.Cookies.Append(CookieOf(http), token, new CookieOptions
    {
        HttpOnly = true, Secure = http.Request.IsHttps, SameSite = SameSiteMode.Strict, Path = "/", MaxAge = Known, IsEssential = true,
    });

    /// <summary>A token for this device, from now on; the same device as before if it was known.</summary>
    public string Make(Guid accountId, string? before)
    {
        Span<byte> token = stackalloc byte[40];
        accountId.TryWriteBytes(token);
        (Read(before, accountId) ?? Guid.CreateVersion7(clock.GetUtcNow())).TryWriteBytes(token[16..]);
        BinaryPrimitives.WriteInt64BigEndian(token[32..], clock.GetUtcNow().ToUnixTimeSeconds());
        return Base64Url.EncodeToString(protector.Protect(token.ToArray()));
    }

    /// <summary>Which device it is; null unless it signed in to this very account within the last half year.</summary>
    public Guid? Read(string? text, Guid accountId)
    {
        if (text is not { Length: > 0 and < 1000 } || !Base64Url.IsValid(text)) return null;
        try
        {
            var token = protector.Unprotect(Base64Url.DecodeFromChars(text));
            var since = DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadInt64BigEndian(token.AsSpan(32)));
            return new Guid(token.AsSpan(0, 16)) == accountId && clock.GetUtcNow() < since + Known ? new Guid(token.AsSpan(16, 16)) : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static string CookieOf(HttpContext http) => http.Request.IsHttps ? "__Host-volunteers-device" : "volunteers-device";
}
