using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http.HttpResults;
using OpenIddict.Abstractions;
using Volunteers.Platform;

namespace Volunteers.Features.Identity;

/// <summary>The page between the password and the application, for accounts with a second factor.</summary>
internal static class SecondFactorPage
{
    private const string Path = "/sign-in/second-factor";
    private static readonly TimeSpan InTime = TimeSpan.FromMinutes(5);

    public static void MapSecondFactorPage(this WebApplication app) => app.MapPost(Path, Enter).Costs(Cost.SignIn).ExcludeFromDescription();

    /// <summary>The page keeps, protected, whose password was right and which one it was; the browser keeps nothing.</summary>
    public static ContentHttpResult Ask(HttpContext http, Account account, ReturnUrl? returnUrl, IEnumerable<string>? formTargets)
    {
        var now = http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow();
        return Page(http, Protector(http).Protect($"{account.Id} {account.SecurityStamp} {now.ToUnixTimeSeconds()}"), returnUrl, null, StatusCodes.Status200OK, formTargets);
    }

    private static async Task<IResult> Enter(
        HttpContext http, SignInCheck check, BrowserSessions sessions, IOpenIddictApplicationManager applications, TimeProvider clock, CancellationToken ct)
    {
        var form = await HtmlForm.Read(http);
        var returnUrl = ReturnUrl.Parse(http, form["returnUrl"]);
        Messages.Speak(returnUrl?["ui_locales"]);
        if (!form.IsOurs || Read(http, form["firstStep"], clock.GetUtcNow()) is not var (accountId, stamp)) return Late(http, returnUrl);

        var (code, targets) = (form["code"], await SignInPages.FormTargets(returnUrl, applications, ct));
        if (code.Length == 0) return Page(http, form["firstStep"], returnUrl, Messages.Title("second_factor_code_missing"), StatusCodes.Status400BadRequest, targets);
        return await check.SecondFactor(accountId, stamp, code, SignInOrigin.Of(http, KnownDevices.Of(http)), ct) switch
        {
            SignInOutcome.Accepted accepted => await SignInPages.Accepted(http, sessions, accepted, returnUrl, ct),
            SignInOutcome.SecondFactorWrong => Page(http, form["firstStep"], returnUrl, Messages.Title("wrong_code"), StatusCodes.Status400BadRequest, targets),
            _ => Page(http, form["firstStep"], returnUrl, Messages.Title("too_many_attempts"), StatusCodes.Status400BadRequest, targets),
        };
    }

    private static ContentHttpResult Page(HttpContext http, string firstStep, ReturnUrl? returnUrl, string? error, int status, IEnumerable<string>? formTargets)
    {
        var form = HtmlForm.Post(http, Path, [new("returnUrl", returnUrl?.Value), new("firstStep", firstStep)],
            HtmlForm.Field(new("code", Messages.Title("second_factor_code"), "one-time-code", Error: error)) + HtmlForm.Button(Messages.Title("sign_in_do")));
        return SignInPages.Show(http, status, Messages.Title("second_factor_title"),
            $"<p>{HtmlForm.Encode(Messages.Detail("second_factor_title"))}</p>{form}{Again(http, returnUrl)}", formTargets);
    }

    private static ContentHttpResult Late(HttpContext http, ReturnUrl? returnUrl) => SignInPages.Show(http, StatusCodes.Status400BadRequest,
        Messages.Title("second_factor_title"), HtmlForm.Alert("problem", Messages.Title("second_factor_late")) + Again(http, returnUrl));

    private static string Again(HttpContext http, ReturnUrl? returnUrl) => HtmlForm.Link(SignInPages.For(http, returnUrl), Messages.Title("sign_in_title"));

    private static (Guid AccountId, string Stamp)? Read(HttpContext http, string firstStep, DateTimeOffset now)
    {
        try
        {
            return Protector(http).Unprotect(firstStep).Split(' ') is [var account, var stamp, var at]
                && now < DateTimeOffset.FromUnixTimeSeconds(long.Parse(at, System.Globalization.CultureInfo.InvariantCulture)) + InTime
                ? (Guid.Parse(account), stamp)
                : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static IDataProtector Protector(HttpContext http) => http.RequestServices.GetRequiredService<IDataProtectionProvider>().CreateProtector("Volunteers.FirstStep");
}
