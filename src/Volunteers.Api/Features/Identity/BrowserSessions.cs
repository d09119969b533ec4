using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Volunteers.Features.Identity;

/// <summary>Who is signed in at the sign-in pages in this browser.</summary>
/// <param name="Account">Whose session it is.</param>
/// <param name="Session">As it stands in the database.</param>
/// <param name="Principal">As the cookie says it.</param>
/// <param name="SignedInFor">The hash of the address for which the password was given, and that alone.</param>
internal sealed record SignedIn(Account Account, SignInSession Session, ClaimsPrincipal Principal, string? SignedInFor)
{
    /// <summary>Whether they signed in just now, and in order to go on to this address.</summary>
    public bool JustFor(string returnUrl, DateTimeOffset now) =>
        SignedInFor == BrowserSessions.HashOf(returnUrl) && now < Session.StartedAt + TimeSpan.FromMinutes(5);
}

/// <summary>
/// The sessions of the sign-in pages. The cookie only names one that the database keeps, so one that was ended there is
/// worth nothing. It opens these pages and no API.
/// </summary>
internal sealed class BrowserSessions(VolunteersDb db, SignInTrail trail, TimeProvider clock)
{
    public const string Scheme = "browser";
    private const string SessionClaim = "sid";
    private const string SignedInFor = "for";

    public static void AddTo(IServiceCollection services, bool https)
    {
        services.AddScoped<BrowserSessions>();
        services.AddAuthentication().AddCookie(Scheme, options =>
        {
            Protect(options.Cookie, "volunteers-session", https);
            // Sent when an application sends the browser here, not with a form that another site posts.
            options.Cookie.SameSite = SameSiteMode.Lax;
            options.ExpireTimeSpan = SignInSession.BrowserLifetime;
            options.SlidingExpiration = false;
            options.Events.OnValidatePrincipal = context => context.HttpContext.RequestServices.GetRequiredService<BrowserSessions>().Validate(context);
        });
        services.AddAntiforgery(options =>
        {
            Protect(options.Cookie, "volunteers-form", https);
            options.Cookie.SameSite = SameSiteMode.Lax;
            options.FormFieldName = HtmlForm.Token;
            options.HeaderName = null;
            options.SuppressXFrameOptionsHeader = true;
        });
    }

    public static string HashOf(string returnUrl) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(returnUrl)));

    public static async Task<SignedIn?> Find(HttpContext http) =>
        (await http.AuthenticateAsync(Scheme)).Succeeded ? http.Features.Get<SignedIn>() : null;

    /// <summary>A new session and a new cookie; what this browser had before is over. False if the password was changed since the account was looked at.</summary>
    public async Task<bool> Begin(HttpContext http, Account account, string? returnUrl, CancellationToken ct)
    {
        var before = await Find(http);
        var now = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (before is not null) await db.EndSession(before.Account.Id, before.Session.Id, now, ct);
        if (await db.BeginBrowserSession(account, Device.Of(http), now, ct) is not { } session) return false;
        await transaction.CommitAsync(ct);

        var identity = new ClaimsIdentity([new Claim(Claims.Subject, account.Id.ToString()), new Claim(SessionClaim, session.Id.ToString())], Scheme);
        var properties = new AuthenticationProperties { IssuedUtc = now };
        if (returnUrl is not null) properties.Items[SignedInFor] = HashOf(returnUrl);
        await http.SignInAsync(Scheme, new ClaimsPrincipal(identity), properties);
        return true;
    }

    public async Task End(HttpContext http, SignedIn signedIn, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.EndSession(signedIn.Account.Id, signedIn.Session.Id, clock.GetUtcNow(), ct);
        await trail.Changed(db, "signOut", signedIn.Account.Id, ct, ("session", signedIn.Session.Id.ToString()), AuditKind.SignIn);
        await transaction.CommitAsync(ct);
        await http.SignOutAsync(Scheme);
    }

    private async Task Validate(CookieValidatePrincipalContext context)
    {
        var now = clock.GetUtcNow();
        if (Guid.TryParse(context.Principal?.FindFirstValue(SessionClaim), out var id)
            && await db.SignInSessions.AsNoTracking().Where(s => s.Id == id)
                .Join(db.Users.AsNoTracking(), s => s.AccountId, a => a.Id, (session, account) => new { session, account })
                .SingleOrDefaultAsync(context.HttpContext.RequestAborted) is { } found
            && found.session.IsOpenBrowser(now))
        {
            context.HttpContext.Features.Set(new SignedIn(found.account, found.session, context.Principal!,
                context.Properties.Items.TryGetValue(SignedInFor, out var address) ? address : null));
            return;
        }
        context.RejectPrincipal();
        await context.HttpContext.SignOutAsync(Scheme);
    }

    /// <summary>Over https the name itself tells browsers to take the cookie from this very host only.</summary>
    private static void Protect(CookieBuilder cookie, string name, bool https)
    {
        cookie.Name = https ? "__Host-" + name : name;
        cookie.SecurePolicy = https ? CookieSecurePolicy.Always : CookieSecurePolicy.SameAsRequest;
        cookie.HttpOnly = true;
        cookie.Path = "/";
    }
}
