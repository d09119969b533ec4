using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;
using OpenIddict.Abstractions;
using OpenIddict.Server.AspNetCore;
using Volunteers.Platform;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Volunteers.Features.Identity;

/// <summary>
/// The authorization code flow (RFC 6749, RFC 7636, OpenID Connect Core). The authorization server has checked client,
/// redirect URI, scopes and code challenge before; here are the person and their consent.
/// </summary>
internal static class AuthorizeEndpoint
{
    private const string Allow = "allow";
    private const string Deny = "deny";

    public static void MapAuthorize(this WebApplication app) =>
        app.MapMethods(ReturnUrl.Authorize, [HttpMethods.Get, HttpMethods.Post], Authorize).ExcludeFromDescription();

    private static async Task<IResult> Authorize(
        HttpContext http, ClientSessions clients, IOpenIddictApplicationManager applications, TimeProvider clock, CancellationToken ct)
    {
        if (http.GetOpenIddictServerResponse() is { } error) return SignInPages.Stopped(http, error);
        var request = http.GetOpenIddictServerRequest()!;
        Messages.Speak(request.UiLocales);
        var returnUrl = ReturnUrl.Of(http);
        var silent = request.HasPromptValue(PromptValues.None);

        var signedIn = await BrowserSessions.Find(http);
        var justNow = signedIn?.JustFor(returnUrl.Value, clock.GetUtcNow()) == true;
        var another = signedIn is not null && await Hinted(http) is { } hinted && hinted != signedIn.Account.Id.ToString();
        if (signedIn is null || (!justNow && (another || AsksToSignIn(request, signedIn, clock.GetUtcNow()))))
            return silent ? TokenIdentity.Refuse(Errors.LoginRequired, "The person has to sign in.") : ToSignIn(http, returnUrl);
        if (another) return TokenIdentity.Refuse(Errors.LoginRequired, "Somebody else signed in.");

        var client = (await applications.FindByClientIdAsync(request.ClientId!, ct))!;
        var needsConsent = await applications.HasConsentTypeAsync(client, ConsentTypes.Explicit, ct) && !await clients.HasConsent(signedIn.Account.Id, request, ct);
        var decision = await HtmlForm.Decision(http, signedIn.Principal);
        if (decision is Deny)
        {
            await clients.ForgetConsent(signedIn.Account.Id, request, ct);
            return TokenIdentity.Refuse(Errors.AccessDenied, "The person did not agree.");
        }
        if (decision is not Allow)
        {
            if (needsConsent || request.HasPromptValue(PromptValues.Consent))
                return silent ? TokenIdentity.Refuse(Errors.ConsentRequired, "The person has not agreed yet.") : await Ask(http, request, signedIn, returnUrl, applications, client, ct);
            // RFC 8252, 8.6: another application on the device may have claimed a native client's address, so nothing goes there unseen.
            if (!justNow && await applications.HasApplicationTypeAsync(client, ApplicationTypes.Native, ct))
                return silent ? TokenIdentity.Refuse(Errors.InteractionRequired, "The person has to go on by hand.") : await Ask(http, request, signedIn, returnUrl, applications, client, ct);
        }

        if (needsConsent) await clients.RememberConsent(signedIn.Account.Id, request, ct);
        return await clients.BeginThrough(signedIn, http, request, ct) is { } authorization
            ? TokenIdentity.Begin(signedIn.Account, request.GetScopes(), authorization, signedIn.Session.StartedAt)
            : ToSignIn(http, returnUrl);
    }

    private static bool AsksToSignIn(OpenIddictRequest request, SignedIn signedIn, DateTimeOffset now) =>
        request.HasPromptValue(PromptValues.Login) || request.HasPromptValue(PromptValues.SelectAccount)
        || (request.MaxAge is { } seconds && (now - signedIn.Session.StartedAt).TotalSeconds > seconds);

    /// <summary>Whom the client expects, from an identity token that it had before.</summary>
    private static async Task<string?> Hinted(HttpContext http) =>
        (await http.AuthenticateAsync(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme)).Principal?.GetClaim(Claims.Subject);

    private static RedirectHttpResult ToSignIn(HttpContext http, ReturnUrl returnUrl) => TypedResults.LocalRedirect(SignInPages.For(http, returnUrl));

    private static async Task<ContentHttpResult> Ask(
        HttpContext http, OpenIddictRequest request, SignedIn signedIn, ReturnUrl returnUrl, IOpenIddictApplicationManager applications, object client, CancellationToken ct)
    {
        var foreign = await applications.HasConsentTypeAsync(client, ConsentTypes.Explicit, ct);
        var name = await applications.GetLocalizedDisplayNameAsync(client, ct) ?? request.ClientId!;
        var asks = foreign ? Messages.Detail("consent_title", name, signedIn.Account.DisplayName) : Messages.Detail("continue_title", name, signedIn.Account.DisplayName);
        var (yes, no) = foreign ? (Messages.Title("consent_allow"), Messages.Title("consent_deny")) : (Messages.Title("continue_do"), Messages.Title("continue_cancel"));
        var scopes = foreign
            ? $"<ul>{string.Concat(request.GetScopes().Select(scope => $"<li>{HtmlForm.Encode(Messages.Title("consent_scope_" + scope))}</li>"))}</ul>"
            : "";
        var form = HtmlForm.Post(http, ReturnUrl.Authorize, returnUrl.Parameters,
            HtmlForm.Choice(Allow, yes) + HtmlForm.Choice(Deny, no, second: true));
        var another = $"<p><a href=\"{HtmlForm.Encode(SignInPages.For(http, returnUrl))}\">{HtmlForm.Encode(Messages.Title("sign_in_as_another"))}</a></p>";
        return SignInPages.Show(http, StatusCodes.Status200OK, foreign ? Messages.Title("consent_title") : Messages.Title("continue_title"),
            $"<p>{HtmlForm.Encode(asks)}</p>{scopes}{form}{another}", FormTarget.Of(await applications.GetRedirectUrisAsync(client, ct)));
    }
}
