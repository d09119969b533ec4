using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http.HttpResults;
using Volunteers.Data;
using Volunteers.Platform;

namespace Volunteers.Features.Identity;

/// <summary>Where whoever forgot their password asks for a code, and where anybody with a code sets a new one.</summary>
internal static class PasswordResetPages
{
    private const string Path = "/password-reset";
    private const string WithCode = "/password-reset/code";

    public static void MapPasswordResetPages(this WebApplication app)
    {
        app.MapGet(Path, (HttpContext http, string? returnUrl = null) => Asking(http, Spoken(http, returnUrl), null)).ExcludeFromDescription();
        app.MapPost(Path, Ask).Costs(Cost.PasswordReset).ExcludeFromDescription();
        app.MapGet(WithCode, (HttpContext http, string? returnUrl = null) => Setting(http, Spoken(http, returnUrl), "", null, null)).ExcludeFromDescription();
        app.MapPost(WithCode, Set).Costs(Cost.PasswordReset).ExcludeFromDescription();
    }

    public static string For(HttpContext http, ReturnUrl? returnUrl) => Address(http, Path, returnUrl);

    /// <summary>Shows the same page whether anybody has this login or not.</summary>
    private static async Task<ContentHttpResult> Ask(HttpContext http, IDataProtectionProvider protection, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var form = await HtmlForm.Read(http);
        var returnUrl = Spoken(http, form["returnUrl"]);
        if (!form.IsOurs) return Asking(http, returnUrl, Messages.Title("page_expired"));
        if (Login.Parse(form["login"]) is null) return Asking(http, returnUrl, Messages.Title("invalid_login"));

        db.Add(new ResetMessage(form["login"], protection, clock.GetUtcNow()));
        await db.SaveChangesAsync(ct);
        return Setting(http, returnUrl, form["login"], null, Messages.Title("password_reset_sent"));
    }

    private static async Task<ContentHttpResult> Set(HttpContext http, ResetCheck check, CancellationToken ct)
    {
        var form = await HtmlForm.Read(http);
        var returnUrl = Spoken(http, form["returnUrl"]);
        var (login, code, password) = (form["login"], form["code"], form["newPassword"]);
        if (!form.IsOurs) return Setting(http, returnUrl, login, Messages.Title("page_expired"), null);
        if (login.Length == 0 || code.Length == 0 || password.Length == 0) return Setting(http, returnUrl, login, Messages.Title("password_reset_missing"), null);
        if (!PasswordRule.Takes(password, login)) return Setting(http, returnUrl, login, $"{Messages.Title("weak_password")} {Messages.Detail("weak_password")}", null);
        if (await check.Reset(login, code, password, SignInOrigin.Of(http, KnownDevices.Of(http)), ct) is not { } deviceToken)
            return Setting(http, returnUrl, login, $"{Messages.Title("reset_code_invalid")} {Messages.Detail("reset_code_invalid")}", null);

        KnownDevices.Keep(http, deviceToken);
        return SignInPages.Show(http, StatusCodes.Status200OK, Messages.Title("password_reset_done"),
            $"<p>{HtmlForm.Encode(Messages.Detail("password_reset_done"))}</p>{ToSignIn(http, returnUrl)}");
    }

    private static ContentHttpResult Asking(HttpContext http, ReturnUrl? returnUrl, string? problem) => Page(http, problem, Messages.Detail("password_reset_title"),
        HtmlForm.Post(http, Path, [new("returnUrl", returnUrl?.Value)],
            HtmlForm.Field(new("login", Messages.Title("sign_in_login"), "username", ErrorId: problem is null ? null : "problem")) + HtmlForm.Button(Messages.Title("password_reset_do")))
        + HtmlForm.Link(Address(http, WithCode, returnUrl), Messages.Title("password_reset_have_code")) + ToSignIn(http, returnUrl));

    private static ContentHttpResult Setting(HttpContext http, ReturnUrl? returnUrl, string login, string? problem, string? sent)
    {
        var errorId = problem is null ? null : "problem";
        return Page(http, problem, sent ?? Messages.Detail("password_reset_new"), HtmlForm.Post(http, WithCode, [new("returnUrl", returnUrl?.Value)],
            $"""
             {HtmlForm.Field(new("login", Messages.Title("sign_in_login"), "username", Value: login, ErrorId: errorId))}
             {HtmlForm.Field(new("code", Messages.Title("password_reset_code"), "one-time-code", ErrorId: errorId))}
             {HtmlForm.Field(new("newPassword", Messages.Title("password_reset_new"), "new-password", "password", ErrorId: errorId))}
             {HtmlForm.Button(Messages.Title("password_reset_set"))}
             """) + ToSignIn(http, returnUrl));
    }

    private static ContentHttpResult Page(HttpContext http, string? problem, string says, string content) => SignInPages.Show(
        http, problem is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest, Messages.Title("password_reset_title"),
        $"{(problem is null ? "" : HtmlForm.Alert("problem", problem))}<p>{HtmlForm.Encode(says)}</p>{content}");

    private static string ToSignIn(HttpContext http, ReturnUrl? returnUrl) => HtmlForm.Link(SignInPages.For(http, returnUrl), Messages.Title("sign_in_title"));

    private static string Address(HttpContext http, string path, ReturnUrl? returnUrl) =>
        http.Request.PathBase + path + (returnUrl is null ? "" : QueryString.Create("returnUrl", returnUrl.Value).ToString());

    /// <summary>Where to go on to, in whose language the page is.</summary>
    private static ReturnUrl? Spoken(HttpContext http, string? returnUrl)
    {
        var goingOn = ReturnUrl.Parse(http, returnUrl);
        Messages.Speak(goingOn?["ui_locales"]);
        return goingOn;
    }
}
