using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Http.HttpResults;
using OpenIddict.Server.AspNetCore;
using Volunteers.Platform;

namespace Volunteers.Features.Identity;

/// <summary>
/// OpenID Connect RP-Initiated Logout. The authorization server has checked where the browser may go afterwards; here the
/// person is asked, always, so that no page on the web signs them out.
/// </summary>
internal static class LogoutEndpoint
{
    public const string Path = "/connect/logout";

    private const string SignOut = "signOut";

    public static void MapLogout(this WebApplication app) =>
        app.MapMethods(Path, [HttpMethods.Get, HttpMethods.Post], Logout).ExcludeFromDescription();

    private static async Task<IResult> Logout(HttpContext http, BrowserSessions sessions, CancellationToken ct)
    {
        if (http.GetOpenIddictServerResponse() is { } error) return SignInPages.Stopped(http, error);
        var request = http.GetOpenIddictServerRequest()!;
        Messages.Speak(request.UiLocales);

        if (await BrowserSessions.Find(http) is { } signedIn)
        {
            if (await HtmlForm.Decision(http, signedIn.Principal) != SignOut) return Ask(http, signedIn, request.PostLogoutRedirectUri);
            await sessions.End(http, signedIn, ct);
        }
        return request.PostLogoutRedirectUri is null
            ? SignInPages.Show(http, StatusCodes.Status200OK, Messages.Title("signed_out"), $"<p>{HtmlForm.Encode(Messages.Detail("signed_out"))}</p>")
            : TypedResults.SignOut(properties: null, [OpenIddictServerAspNetCoreDefaults.AuthenticationScheme]);
    }

    private static ContentHttpResult Ask(HttpContext http, SignedIn signedIn, string? goingTo)
    {
        var form = HtmlForm.Post(http, Path, HtmlForm.Parameters(http).SelectMany(parameter => parameter.Value, (parameter, value) => KeyValuePair.Create(parameter.Key, value)),
            HtmlForm.Choice(SignOut, Messages.Title("sign_out_title")));
        return SignInPages.Show(http, StatusCodes.Status200OK, Messages.Title("sign_out_title"),
            $"<p>{HtmlForm.Encode(Messages.Detail("sign_out_title", signedIn.Account.DisplayName))}</p>{form}",
            goingTo is null ? null : FormTarget.Of([goingTo]));
    }
}
