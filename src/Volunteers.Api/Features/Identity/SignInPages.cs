using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Http.HttpResults;
using OpenIddict.Abstractions;
using Volunteers.Platform;

namespace Volunteers.Features.Identity;

/// <summary>
/// Where people sign in with a browser, on behalf of an application that waits for them. Plain HTML in two languages; no
/// script runs.
/// </summary>
internal static class SignInPages
{
    public const string Path = "/sign-in";

    public static void MapSignInPages(this WebApplication app)
    {
        app.MapGet(Path, Ask).ExcludeFromDescription();
        app.MapPost(Path, SignIn).Costs(Cost.SignIn).ExcludeFromDescription();
    }

    public static string For(HttpContext http, ReturnUrl? returnUrl) =>
        http.Request.PathBase + Path + (returnUrl is null ? "" : QueryString.Create("returnUrl", returnUrl.Value).ToString());

    private static async Task<IResult> Ask(
        HttpContext http, IOpenIddictApplicationManager applications, CancellationToken ct, string? returnUrl = null)
    {
        var goingOn = ReturnUrl.Parse(http, returnUrl);
        Messages.Speak(goingOn?["ui_locales"]);
        return goingOn is null && await BrowserSessions.Find(http) is { } signedIn
            ? await Here(http, signedIn, ct)
            : await Page(http, goingOn, applications, goingOn?.Login, Problem.None, ct);
    }

    private static async Task<IResult> SignIn(
        HttpContext http, SignInCheck check, BrowserSessions sessions, IOpenIddictApplicationManager applications, CancellationToken ct)
    {
        var form = await HtmlForm.Read(http);
        var returnUrl = ReturnUrl.Parse(http, form["returnUrl"]);
        var (login, password) = (form["login"], form["password"]);
        Messages.Speak(returnUrl?["ui_locales"]);
        if (!form.IsOurs) return await Page(http, returnUrl, applications, login, Problem.Expired, ct);
        if (login.Length == 0 || password.Length == 0)
            return await Page(http, returnUrl, applications, login, login.Length == 0 ? Problem.NoLogin : Problem.NoPassword, ct);

        return await check.Password(login, password, code: null, SignInOrigin.Of(http, KnownDevices.Of(http)), ct) switch
        {
            SignInOutcome.Accepted accepted => await Accepted(http, sessions, accepted, returnUrl, ct),
            SignInOutcome.SecondFactorNeeded { Account: var account } => SecondFactorPage.Ask(http, account, returnUrl, formTargets: await FormTargets(returnUrl, applications, ct)),
            _ => await Page(http, returnUrl, applications, login, Problem.Refused, ct),
        };
    }

    /// <summary>They have shown who they are: the browser is known from now on.</summary>
    public static Task<RedirectHttpResult> Accepted(
        HttpContext http, BrowserSessions sessions, SignInOutcome.Accepted accepted, ReturnUrl? returnUrl, CancellationToken ct)
    {
        KnownDevices.Keep(http, accepted.DeviceToken);
        return GoOn(http, sessions, accepted.Account, returnUrl, ct);
    }

    /// <summary>
    /// Whoever has shown who they are gets a session of this browser, and goes on to where they came from: whose password was changed
    /// at this very moment to the sign-in page again.
    /// </summary>
    public static async Task<RedirectHttpResult> GoOn(HttpContext http, BrowserSessions sessions, Account account, ReturnUrl? returnUrl, CancellationToken ct)
    {
        await sessions.Begin(http, account, returnUrl?.Value, ct);
        return TypedResults.LocalRedirect(returnUrl?.Value ?? http.Request.PathBase + Path);
    }

    /// <summary>Where the application that waits may send the browser on to from a page of ours.</summary>
    public static async Task<IEnumerable<string>?> FormTargets(ReturnUrl? returnUrl, IOpenIddictApplicationManager applications, CancellationToken ct) =>
        await ClientOf(returnUrl, applications, ct) is { } client ? FormTarget.Of(await applications.GetRedirectUrisAsync(client, ct)) : null;

    /// <summary>Nothing on these pages is to be found later in a browser that others use.</summary>
    public static ContentHttpResult Show(HttpContext http, int status, string title, string content, IEnumerable<string>? formTargets = null)
    {
        http.Response.Headers.CacheControl = "no-store";
        return HtmlPage.Of(http, status, HtmlForm.Encode(title), content, formTargets);
    }

    /// <summary>An error that cannot be sent back to the application, because it is not known where that is.</summary>
    public static ContentHttpResult Stopped(HttpContext http, OpenIddictResponse error)
    {
        Messages.Speak(http.GetOpenIddictServerRequest()?.UiLocales);
        return Show(http, StatusCodes.Status400BadRequest, Messages.Title("sign_in_stopped"),
            $"<p>{HtmlForm.Encode(Messages.Detail("sign_in_stopped"))}</p><p lang=\"en\">{HtmlForm.Encode($"{error.Error}: {error.ErrorDescription}")}</p>");
    }

    private static async Task<ContentHttpResult> Page(
        HttpContext http, ReturnUrl? returnUrl, IOpenIddictApplicationManager applications, string? login, Problem problem, CancellationToken ct)
    {
        var client = await ClientOf(returnUrl, applications, ct);
        var purpose = client is null ? "" : $"<p>{HtmlForm.Encode(Messages.Detail("sign_in_title", await applications.GetLocalizedDisplayNameAsync(client, ct) ?? ""))}</p>";
        var alert = problem switch { Problem.Expired => Messages.Title("page_expired"), Problem.Refused => Messages.Title("sign_in_refused"), _ => null };
        var errorId = problem == Problem.Refused ? "problem" : null;
        var form = HtmlForm.Post(http, Path, [new("returnUrl", returnUrl?.Value)],
            $"""
             {HtmlForm.Field(new("login", Messages.Title("sign_in_login"), "username", Value: login, ErrorId: errorId, Focus: problem == Problem.NoLogin,
                 Error: problem == Problem.NoLogin ? Messages.Title("sign_in_login_missing") : null))}
             {HtmlForm.Field(new("password", Messages.Title("sign_in_password"), "current-password", "password", ErrorId: errorId, Focus: problem is Problem.NoPassword or Problem.Refused,
                 Error: problem == Problem.NoPassword ? Messages.Title("sign_in_password_missing") : null))}
             {HtmlForm.Button(Messages.Title("sign_in_do"))}
             """);
        return Show(http, problem == Problem.None ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest, Messages.Title("sign_in_title"),
            $"{purpose}{(alert is null ? "" : HtmlForm.Alert("problem", alert))}{form}{HtmlForm.Link(PasswordResetPages.For(http, returnUrl), Messages.Title("password_forgotten"))}{ExternalSignInPages.Buttons(http, returnUrl)}",
            client is null ? null : FormTarget.Of(await applications.GetRedirectUrisAsync(client, ct)));
    }

    private static async Task<object?> ClientOf(ReturnUrl? returnUrl, IOpenIddictApplicationManager applications, CancellationToken ct) =>
        returnUrl?["client_id"] is { Length: > 0 and <= 100 } id ? await applications.FindByClientIdAsync(id, ct) : null;

    /// <summary>Signed in, and no application waits.</summary>
    private static async Task<ContentHttpResult> Here(HttpContext http, SignedIn signedIn, CancellationToken ct) => Show(http, StatusCodes.Status200OK, Messages.Title("signed_in"),
        $"""
         <p>{HtmlForm.Encode(Messages.Detail("signed_in", signedIn.Account.DisplayName))}</p>
         {await ExternalSignInPages.Links(http, signedIn, ct)}
         <p><a href="{HtmlForm.Encode(http.Request.PathBase + LogoutEndpoint.Path)}">{HtmlForm.Encode(Messages.Title("sign_out_title"))}</a></p>
         """);

    private enum Problem
    {
        None,
        Expired,
        NoLogin,
        NoPassword,
        Refused,
    }
}
