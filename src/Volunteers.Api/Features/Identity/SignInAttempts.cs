using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore;
using Microsoft.Extensions.Options;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using Volunteers.Platform;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Volunteers.Features.Identity;

/// <summary>
/// How often one login or client id may be tried, asked before a password is hashed or anything is looked up, whether it
/// exists or not. One address gets a third of what all have together, so that no single stranger uses up somebody's sign-ins.
/// </summary>
internal sealed class SignInAttempts(IOptions<RateLimits> limits, TimeProvider clock)
{
    private readonly Quota ofLogin = new(limits.Value.SignInsPerMinuteAndLogin, TimeSpan.FromMinutes(1), clock);
    private readonly Quota ofLoginAtAddress = new((limits.Value.SignInsPerMinuteAndLogin + 2) / 3, TimeSpan.FromMinutes(1), clock);

    /// <summary>Logins and client ids that are remembered, with and without an address.</summary>
    public int Remembered => ofLogin.Count + ofLoginAtAddress.Count;

    /// <summary>Counts a try of this login from this address; how long to wait with it, zero when it may be made now.</summary>
    public TimeSpan Try(HttpContext http, string login)
    {
        var known = Login.Parse(login)?.Value ?? login.Trim().ToLowerInvariant();
        var wait = ofLoginAtAddress.Take(KeyOf($"{RateLimiting.AddressOf(http)} {known}")).Wait;
        return wait > TimeSpan.Zero ? wait : ofLogin.Take(KeyOf(known)).Wait;
    }

    /// <summary>429 as an OAuth client reads it (RFC 6749 has no code of its own for it).</summary>
    public static Task SayTooMany(HttpContext http)
    {
        http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
        http.Response.Headers.CacheControl = "no-store";
        return http.Response.WriteAsJsonAsync(
            new { error = Errors.TemporarilyUnavailable, error_description = "Too many attempts. Wait as long as Retry-After says." }, http.RequestAborted);
    }

    private static Guid KeyOf(string text) => new(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));

    /// <summary>Once the authorization server has read who signs in, from wherever in the request it stands.</summary>
    internal sealed class AtTokenEndpoint(SignInAttempts attempts) : IOpenIddictServerHandler<ExtractTokenRequestContext>
    {
        public async ValueTask HandleAsync(ExtractTokenRequestContext context)
        {
            var request = context.Request;
            var login = request?.IsPasswordGrantType() == true ? request.Username : request?.IsClientCredentialsGrantType() == true ? request.ClientId : null;
            if (string.IsNullOrEmpty(login) || context.Transaction.GetHttpRequest()?.HttpContext is not { } http) return;
            var wait = attempts.Try(http, login);
            if (wait == TimeSpan.Zero) return;

            RateLimiting.AskToWait(http, wait);
            await SayTooMany(http);
            context.HandleRequest();
        }
    }
}
