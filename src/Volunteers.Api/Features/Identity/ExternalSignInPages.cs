using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OpenIddict.Abstractions;
using OpenIddict.Client;
using OpenIddict.Client.AspNetCore;
using Volunteers.Data;
using Volunteers.Platform;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Client.OpenIddictClientEvents;
using Properties = OpenIddict.Client.AspNetCore.OpenIddictClientAspNetCoreConstants.Properties;

namespace Volunteers.Features.Identity;

/// <summary>To an external authority and back: to sign in, or to link an account to whom the authority knows.</summary>
internal static class ExternalSignInPages
{
    private const string Path = "/sign-in/external/";
    private const string LinkPath = "/sign-in/link";

    /// <summary>What goes along, protected, in the state: where to go on to, for whose session to link, whether an old sign-in will do.</summary>
    private const string GoingOn = "goingOn";
    private const string LinkTo = "linkTo";
    private const string Anew = "anew";

    private static readonly TimeSpan JustNow = TimeSpan.FromMinutes(5);

    public static void MapExternalSignIn(this WebApplication app)
    {
        app.MapPost(Path + "{name}", SignIn).Costs(Cost.SignIn).ExcludeFromDescription();
        app.MapPost(LinkPath, Link).Costs(Cost.SignIn).ExcludeFromDescription();
        app.MapGet(Path + "{name}/callback", ComeBack).ExcludeFromDescription();
    }

    public static string CallbackOf(ExternalAuthority authority) => $"{Path[1..]}{authority.Id}/callback";

    /// <summary>A button for each authority: a form of ours, so that no other site and no other application begins a sign-in unseen.</summary>
    public static string Buttons(HttpContext http, ReturnUrl? returnUrl) => string.Concat(AuthoritiesOf(http).All.Select(authority =>
        HtmlForm.Post(http, Path + authority.Id, [new("returnUrl", returnUrl?.Value)], HtmlForm.Button(Messages.Detail("external_sign_in", authority.DisplayName), second: true))));

    /// <summary>For whoever is signed in: what their account is linked to, and what else it can be, for the password.</summary>
    public static async Task<string> Links(HttpContext http, SignedIn signedIn, CancellationToken ct)
    {
        if (AuthoritiesOf(http) is not { All.Count: > 0 } authorities) return "";
        var issuers = await http.RequestServices.GetRequiredService<VolunteersDb>().ExternalSignIns.Where(link => link.AccountId == signedIn.Account.Id).Select(link => link.Issuer).ToListAsync(ct);
        ExternalAuthority[] linked = [.. issuers.Select(authorities.FindByIssuer).OfType<ExternalAuthority>()];
        var says = string.Concat(linked.Select(authority => $"<p>{HtmlForm.Encode(Messages.Detail("external_linked", authority.DisplayName))}</p>"));
        ExternalAuthority[] others = [.. authorities.All.Except(linked)];
        if (others.Length == 0 || signedIn.Account.PasswordHash is null) return says;

        // Tokens of forms are bound to whoever is the user.
        http.User = signedIn.Principal;
        return says + HtmlForm.Post(http, LinkPath, [], HtmlForm.Field(new("password", Messages.Title("sign_in_password"), "current-password", "password"))
            + string.Concat(others.Select(authority => HtmlForm.Choice(authority.Id, Messages.Detail("external_link", authority.DisplayName), second: true))));
    }

    private static async Task<IResult> SignIn(string name, HttpContext http, ExternalAuthorities authorities)
    {
        if (authorities.Find(name) is not { } authority) return TypedResults.NotFound();
        var form = await HtmlForm.Read(http);
        var returnUrl = ReturnUrl.Parse(http, form["returnUrl"]);
        Messages.Speak(returnUrl?["ui_locales"]);
        if (!form.IsOurs) return Stopped(http, returnUrl, StatusCodes.Status400BadRequest, Messages.Title("sign_in_title"), Messages.Title("page_expired"));

        var anew = returnUrl?["max_age"] is not null || returnUrl?["prompt"]?.Split(' ').Any(prompt => prompt is PromptValues.Login or PromptValues.SelectAccount) == true;
        return await Leave(http, authority, returnUrl, anew, linkTo: null);
    }

    /// <summary>Whoever sits down at an open browser must not leave a door for themselves: so the password, once more.</summary>
    private static async Task<IResult> Link(
        HttpContext http, ExternalAuthorities authorities, PasswordCheck passwords, Lockout lockout, CancellationToken ct)
    {
        if (await BrowserSessions.Find(http) is not { } signedIn) return TypedResults.LocalRedirect(SignInPages.For(http, null));
        if (await HtmlForm.Decision(http, signedIn.Principal) is not { } name || authorities.Find(name) is not { } authority)
            return Stopped(http, null, StatusCodes.Status400BadRequest, Messages.Title("external_link"), Messages.Title("page_expired"));

        var source = AttemptSource.Session($"browser {signedIn.Session.Id}");
        if (!await lockout.Enter(signedIn.Account.Id, source, ct)) return Stopped(http, null, StatusCodes.Status400BadRequest, Messages.Title("external_link"), Messages.Title("too_many_attempts"));
        if (!await passwords.IsRight(signedIn.Account, (await HtmlForm.Read(http))["password"], ct))
            return Stopped(http, null, StatusCodes.Status400BadRequest, Messages.Title("external_link"), Messages.Title("wrong_password"));
        await lockout.Forget(signedIn.Account.Id, source, ct);
        return await Leave(http, authority, returnUrl: null, anew: true, signedIn.Session.Id);
    }

    /// <summary>
    /// By a page that moves on at once and not by a redirect: browsers hold a redirect that follows a form against the page's policy,
    /// and nobody knows over which hosts an authority leads its people.
    /// </summary>
    private static async Task<ContentHttpResult> Leave(HttpContext http, ExternalAuthority authority, ReturnUrl? returnUrl, bool anew, Guid? linkTo)
    {
        var properties = new AuthenticationProperties { Items = { [Properties.RegistrationId] = authority.Id, [GoingOn] = returnUrl?.Value, [LinkTo] = linkTo?.ToString(), [Anew] = anew ? "true" : null } };
        properties.SetParameter(Parameters.UiLocales, CultureInfo.CurrentUICulture.Name);
        if (anew)
        {
            properties.SetParameter(Parameters.Prompt, PromptValues.Login);
            // Has the authority say when it was.
            properties.SetParameter(Parameters.MaxAge, 0);
        }
        await http.ChallengeAsync(OpenIddictClientAspNetCoreDefaults.AuthenticationScheme, properties);
        if (http.Response.Headers.Location.ToString() is not { Length: > 0 } address) return Ended(http, authority, returnUrl, "external_away");

        http.Response.Headers.Remove("Location");
        http.Response.Headers["Refresh"] = "0; url=" + address;
        return SignInPages.Show(http, StatusCodes.Status200OK, Messages.Title("external_leaving"), HtmlForm.Link(address, Messages.Detail("external_leaving", authority.DisplayName)));
    }

    /// <summary>State, code, identity token and user info have been checked before; here the account is found.</summary>
    private static async Task<IResult> ComeBack(
        string name, HttpContext http, ExternalAuthorities authorities, ExternalSignInCheck check, BrowserSessions sessions, TimeProvider clock,
        IOpenIddictApplicationManager applications, ILogger<ExternalSignInCheck> log, CancellationToken ct)
    {
        if (authorities.Find(name) is not { } authority) return TypedResults.NotFound();
        var came = await http.AuthenticateAsync(OpenIddictClientAspNetCoreDefaults.AuthenticationScheme);
        var state = http.Features.Get<OpenIddictClientAspNetCoreFeature>()?.Transaction?.GetProperty<ProcessAuthenticationContext>(typeof(ProcessAuthenticationContext).FullName!)?.Properties;
        var returnUrl = ReturnUrl.Parse(http, state?.GetValueOrDefault(GoingOn));
        Messages.Speak(returnUrl?["ui_locales"]);
        if (!came.Succeeded)
        {
            var error = came.Properties?.GetString(Properties.Error);
            log.LogInformation("A sign-in at {Authority} was refused: {Error}, {Reason}", authority.Id, error, came.Properties?.GetString(Properties.ErrorDescription));
            return Ended(http, authority, returnUrl, error switch
            {
                Errors.AccessDenied => "external_cancelled",
                Errors.ServerError or Errors.TemporarilyUnavailable => "external_away",
                _ => "external_failed",
            });
        }

        if (came.Properties.GetParameter<ClaimsPrincipal>(Properties.BackchannelIdentityTokenPrincipal) is not { } identityToken
            || IsExpired(identityToken, clock.GetUtcNow()) || ExternalPerson.Of(identityToken, came.Principal, authority.LinkBy) is not { } person) return Ended(http, authority, returnUrl, "external_failed");
        if (state?.GetValueOrDefault(Anew) is not null && !IsFromJustNow(identityToken, clock.GetUtcNow())) return Ended(http, authority, returnUrl, "external_not_anew");

        if (state?.GetValueOrDefault(LinkTo) is { } session)
        {
            // Whoever has been signed out meanwhile, or somebody else who signed in, links nothing.
            if (await BrowserSessions.Find(http) is not { } signedIn || signedIn.Session.Id.ToString() != session) return Ended(http, authority, null, "external_link_late");
            return await check.Link(signedIn.Account.Id, person, ct) ? TypedResults.LocalRedirect(SignInPages.For(http, null)) : Ended(http, authority, null, "external_taken");
        }
        return await check.SignIn(person, ct) switch
        {
            ExternalOutcome.Accepted accepted => await SignInPages.GoOn(http, sessions, accepted.Account, returnUrl, ct),
            ExternalOutcome.SecondFactorNeeded { Account: var account } => SecondFactorPage.Ask(http, account, returnUrl, await SignInPages.FormTargets(returnUrl, applications, ct)),
            ExternalOutcome.NothingVerified => Ended(http, authority, returnUrl, "external_not_verified"),
            ExternalOutcome.Unknown => Ended(http, authority, returnUrl, "external_unknown"),
            _ => Ended(http, authority, returnUrl, "external_taken"),
        };
    }

    /// <summary>The library checks signature, issuer, audience and nonce of what comes straight from the authority, and not this (OpenID Connect Core, 3.1.3.7).</summary>
    private static bool IsExpired(ClaimsPrincipal identityToken, DateTimeOffset now) => InstantOf(identityToken, Claims.ExpiresAt) is not { } end || now - JustNow >= end;

    private static bool IsFromJustNow(ClaimsPrincipal identityToken, DateTimeOffset now) => InstantOf(identityToken, Claims.AuthenticationTime) is { } then && now - JustNow < then;

    private static DateTimeOffset? InstantOf(ClaimsPrincipal identityToken, string claim) =>
        long.TryParse(identityToken.FindFirstValue(claim), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;

    private static ContentHttpResult Ended(HttpContext http, ExternalAuthority authority, ReturnUrl? returnUrl, string how) => Stopped(http, returnUrl,
        how == "external_away" ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status400BadRequest, Messages.Title(how), Messages.Detail(how, authority.DisplayName));

    private static ContentHttpResult Stopped(HttpContext http, ReturnUrl? returnUrl, int status, string title, string why) => SignInPages.Show(
        http, status, title, HtmlForm.Alert("problem", why) + HtmlForm.Link(SignInPages.For(http, returnUrl), Messages.Title("external_back")));

    private static ExternalAuthorities AuthoritiesOf(HttpContext http) => http.RequestServices.GetRequiredService<ExternalAuthorities>();
}
