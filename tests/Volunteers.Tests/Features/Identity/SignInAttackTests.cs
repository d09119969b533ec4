using System.Net;
using Microsoft.AspNetCore.WebUtilities;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>What is tried against a sign-in page and an authorization endpoint, and the answer that it gets.</summary>
public sealed class SignInAttackTests(TestDatabases databases) : SignInTest(databases)
{
    [Fact]
    public async Task A_request_without_a_hashed_challenge_gets_no_code()
    {
        foreach (var (challenge, method) in new (string? challenge, string? method)[]
                 {
                     (null, null),
                     (null, "S256"),
                     ("", "S256"),
                     ("0123456789012345678901234567890123456789012", "plain"),
                     ("0123456789012345678901234567890123456789012", null),
                     ("0123456789012345678901234567890123456789012", "none"),
                     ("0123456789012345678901234567890123456789012", "s256"),
                 })
        {
            using var browser = new Browser(Host);
            await browser.SignIn(await browser.Open("/sign-in"));
            foreach (var app in new[] { Rota(), Board(), new CodeFlow(Host) })
            {
                var page = await browser.Open(app.Request(("code_challenge", challenge), ("code_challenge_method", method)));

                Assert.Null(page.LeftFor);
                Assert.Equal("invalid_request", Error(page));
            }
        }
    }

    [Fact]
    public async Task A_code_is_good_only_with_the_verifier_that_it_was_asked_for_with()
    {
        using var browser = new Browser(Host);
        var app = Rota();
        var code = app.CodeFrom(await SignInAndAllow(browser, app));

        Assert.Equal("invalid_grant", Error(await app.Exchange(code, ("code_verifier", new string('x', 43)))));
        Assert.Equal("invalid_request", Error(await app.Exchange(code, ("code_verifier", null))));
        Assert.Equal("invalid_request", Error(await app.Exchange(code, ("code_verifier", ""))));
        Tokens.Of(await app.Exchange(code));
    }

    [Fact]
    public async Task A_code_used_twice_ends_all_that_it_gave()
    {
        using var browser = new Browser(Host);
        var app = Rota();
        var code = app.CodeFrom(await SignInAndAllow(browser, app));
        var tokens = Tokens.Of(await app.Exchange(code));
        var another = Tokens.Of(await app.Exchange(app.CodeFrom(await browser.Open(app.Request()))));
        (await Host.Call(tokens.Access)).ShouldBe(200);

        Assert.Equal("invalid_grant", Error(await app.Exchange(code)));

        Clock.Advance(TimeSpan.FromSeconds(5));
        (await Host.Call(tokens.Access)).ShouldRefuse(401, "not_signed_in");
        Assert.Equal("invalid_grant", Error(await Refresh(app, tokens)));
        // The other sign-in, and the consent, are not touched.
        (await Host.Call(another.Access)).ShouldBe(200);
        (await Refresh(app, another)).ShouldBe(200);
        app.CodeFrom(await browser.Open(app.Request()));
    }

    [Fact]
    public async Task A_code_used_twice_at_once_leaves_nobody_signed_in()
    {
        using var browser = new Browser(Host);
        var app = Rota();
        var code = app.CodeFrom(await SignInAndAllow(browser, app));

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => app.Exchange(code)));

        Assert.All(answers, answer => Assert.True(answer.Status is 200 or 400, answer.Text));
        Assert.InRange(answers.Count(answer => answer.Status == 200), 0, 1);
        Clock.Advance(TimeSpan.FromSeconds(5));
        foreach (var tokens in answers.Where(answer => answer.Status == 200).Select(Tokens.Of))
        {
            (await Refresh(app, tokens)).ShouldBe(400);
            (await Host.Call(tokens.Access)).ShouldRefuse(401, "not_signed_in");
        }
    }

    [Fact]
    public async Task A_code_of_one_client_is_no_good_to_another()
    {
        using var browser = new Browser(Host);
        var app = Rota();
        var code = app.CodeFrom(await SignInAndAllow(browser, app));

        Assert.Equal("invalid_grant", Error(await app.Exchange(code, ("client_id", "volunteers-mobile"))));
        Assert.Equal("invalid_grant", Error(await app.Exchange(code, ("client_id", "board"), ("client_secret", BoardSecret))));
        Assert.Equal("invalid_grant", Error(await app.Exchange(code, ("redirect_uri", "https://rota.example.org/other"))));
        Tokens.Of(await app.Exchange(code));
    }

    [Fact]
    public async Task A_code_is_good_for_five_minutes()
    {
        using var browser = new Browser(Host);
        var app = Rota();
        var code = app.CodeFrom(await SignInAndAllow(browser, app));

        Clock.Advance(TimeSpan.FromMinutes(5.1));

        Assert.Equal("invalid_grant", Error(await app.Exchange(code)));
    }

    [Fact]
    public async Task A_browser_goes_nowhere_but_to_an_address_that_the_client_registered()
    {
        foreach (var (client, redirectUri) in new (string client, string? redirectUri)[]
                 {
                     ("rota", "https://evil.example.org/"),
                     ("rota", "https://rota.example.org/back/further"),
                     ("rota", "https://rota.example.org/back?next=https://evil.example.org"),
                     ("rota", "https://rota.example.org/back#x"),
                     ("rota", "https://rota.example.org/"),
                     ("rota", "https://rota.example.org/back/../other"),
                     ("rota", "https://rota.example.org:8443/back"),
                     ("rota", "http://rota.example.org/back"),
                     ("rota", "https://rota.example.org.evil.example/back"),
                     ("rota", "https://rota.example.org@evil.example/back"),
                     ("rota", "https://ROTA.example.org/BACK"),
                     ("rota", "//rota.example.org/back"),
                     ("rota", "javascript:alert(1)"),
                     ("rota", "data:text/html,x"),
                     ("rota", ""),
                     ("rota", null),
                     ("rota", "volunteers://callback"),
                     ("volunteers-mobile", "volunteers://callback.evil"),
                     ("volunteers-mobile", "http://127.0.0.1.evil.example/callback"),
                     ("volunteers-mobile", "http://127.0.0.1:80/other"),
                     ("volunteers-mobile", "http://10.0.0.1/callback"),
                     ("volunteers-mobile", "https://rota.example.org/back"),
                     ("volunteers-swagger", "https://evil.example.org/swagger/oauth2-redirect.html"),
                     ("volunteers-swagger", "https://rota.example.org/back"),
                     ("nobody", "https://rota.example.org/back"),
                 })
        {
            using var browser = new Browser(Host);
            var app = new CodeFlow(Host, client);
            // Whatever else is wrong with the request, the error is not sent there either.
            foreach (var request in new[]
                     {
                         app.Request(("redirect_uri", redirectUri)), app.Request(("redirect_uri", redirectUri), ("code_challenge", null)),
                         app.Request(("redirect_uri", redirectUri), ("prompt", "none")), app.Request(("redirect_uri", redirectUri), ("scope", "everything")),
                         app.Request(("redirect_uri", redirectUri), ("response_type", "token")), app.Request(("redirect_uri", redirectUri), ("state", null)),
                     })
            {
                var page = await browser.Open(request);
                Assert.True(page.LeftFor is null, page.LeftFor?.ToString());
                Assert.Equal(("This sign-in cannot go on.", 400), (page.Title, page.Status));
            }
        }
    }

    [Fact]
    public async Task Swagger_UI_is_answered_where_the_service_is()
    {
        using var browser = new Browser(Host);
        var app = new CodeFlow(Host, "volunteers-swagger", new Uri(browser.Service, "/swagger/oauth2-redirect.html").AbsoluteUri);

        var tokens = await app.SignIn(browser, scope: "api");

        (await Host.Call(tokens.Access)).ShouldBe(200);
        Assert.Null((await browser.Open(new CodeFlow(Host, "volunteers-swagger", "http://localhost:1/swagger/oauth2-redirect.html").Request(("scope", "api")))).LeftFor);
    }

    [Fact]
    public async Task After_signing_in_nobody_is_led_away()
    {
        foreach (var returnUrl in new string[]
                 {
                     "https://evil.example.org/",
                     "//evil.example.org/",
                     "/\\evil.example.org/",
                     "\\\\evil.example.org",
                     "/\t/evil.example.org/",
                     "/connect/authorize@evil.example.org?x=1",
                     "/connect/authorize/../../evil?x=1",
                     "/connect/authorized?x=1",
                     "/connect/logout?post_logout_redirect_uri=https://evil.example.org",
                     "/v1/me",
                     "javascript:alert(1)",
                     " https://evil.example.org/",
                     "/connect/authorize",
                     "",
                 })
        {
            using var browser = new Browser(Host);

            var page = await browser.SignIn(await browser.Open(QueryHelpers.AddQueryString("/sign-in", "returnUrl", returnUrl)));
            var posted = await browser.Submit(await browser.Open(new CodeFlow(Host).Request(("prompt", "login"))),
                ("login", ApiHost.OperatorLogin), ("password", ApiHost.OperatorPassword), ("returnUrl", returnUrl));

            Assert.All([page, posted], shown => Assert.Equal((null, "/sign-in", "You are signed in."), (shown.LeftFor, shown.Address.AbsolutePath, shown.Title)));
        }
    }

    [Fact]
    public async Task Line_breaks_in_a_return_address_stay_within_it()
    {
        using var browser = new Browser(Host);

        var page = await browser.SignIn(await browser.Open(QueryHelpers.AddQueryString("/sign-in", "returnUrl", "/connect/authorize?x=1\r\nSet-Cookie: a=b")));

        Assert.Equal("This sign-in cannot go on.", page.Title);
        Assert.Null(browser.Cookies.GetCookies(browser.Service)["a"]);
    }

    [Fact]
    public async Task Nothing_of_a_request_becomes_markup()
    {
        foreach (var parameter in new string[]
                 {
                     "state",
                     "login_hint",
                     "client_id",
                     "scope",
                     "ui_locales",
                     "redirect_uri",
                     "prompt",
                     "nonce",
                     "made_up\"><script>alert(1)</script>",
                 })
        {
            const string Attack = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>";
            using var browser = new Browser(Host);
            var asked = Rota().Request((parameter, Attack));

            var page = await browser.Open(asked);
            var pages = new List<WebPage> { page, await browser.Open(QueryHelpers.AddQueryString("/sign-in", "returnUrl", asked)) };
            if (page.Html.Contains("<form", StringComparison.Ordinal))
            {
                pages.Add(await browser.SignIn(page, Attack, Attack));
                pages.Add(await browser.SignIn(page));
            }

            Assert.All(pages.Where(shown => shown.LeftFor is null), shown =>
            {
                Assert.DoesNotContain("<script", shown.Html, StringComparison.OrdinalIgnoreCase);
                Assert.DoesNotContain("<img", shown.Html, StringComparison.OrdinalIgnoreCase);
            });
        }
    }

    /// <summary>PostgreSQL cannot hold it, so it must not get that far.</summary>
    [Fact]
    public async Task A_null_character_is_refused()
    {
        foreach (var parameter in new string[]
                 {
                     "client_id",
                     "state",
                     "redirect_uri",
                     "login_hint",
                     "made_up",
                 })
        {
            using var browser = new Browser(Host);
            var asked = Rota().Request((parameter, "rota\0"));

            Assert.Equal(400, (await browser.Open(asked)).Status);
            Assert.Equal(200, (await browser.Open(QueryHelpers.AddQueryString("/sign-in", "returnUrl", asked))).Status);
            Assert.Equal(400, (await browser.Open("/connect/logout?client_id=%00")).Status);
        }
    }

    [Fact]
    public async Task State_comes_back_as_it_was_sent()
    {
        const string State = "a b&c=d%20\"<é>\r\nX: y";
        using var browser = new Browser(Host);

        var page = await SignInAndAllow(browser, Rota(), ("state", State));

        Assert.Equal(State, page.Sent("state"));
        Assert.DoesNotContain("X", page.Headers.Select(header => header.Key));
    }

    [Fact]
    public async Task A_form_that_is_not_ours_signs_nobody_in()
    {
        using var browser = new Browser(Host);
        using var stranger = new Browser(Host);
        var theirs = (await stranger.Open("/sign-in")).Form.Fields;
        var login = new Dictionary<string, string> { ["login"] = ApiHost.OperatorLogin, ["password"] = ApiHost.OperatorPassword };

        var pages = new[]
        {
            await browser.Post("/sign-in", login),
            await browser.Post("/sign-in", login.Append(new("formToken", "garbage"))),
            await browser.Post("/sign-in", login.Append(new("formToken", theirs["formToken"]))),
        };
        await browser.Open("/sign-in");
        var withCookie = await browser.Post("/sign-in", login.Append(new("formToken", theirs["formToken"])));

        Assert.All(pages.Append(withCookie), page => Assert.Equal((400, "Sign in"), (page.Status, page.Title)));
        Assert.Contains("This page had expired", withCookie.Text, StringComparison.Ordinal);
        Assert.Null(browser.SessionCookie);
    }

    [Fact]
    public async Task Another_site_cannot_answer_the_consent_page()
    {
        using var browser = new Browser(Host);
        var app = Rota();
        var asked = await browser.SignIn(await browser.Open(app.Request()));
        var fields = asked.Form.Fields;

        var withoutToken = await browser.Post("/connect/authorize", fields.Where(field => field.Key != "formToken").Append(new("decision", "allow")));
        var inTheAddress = await browser.Open(app.Request(("decision", "allow"), ("formToken", fields["formToken"])));

        Assert.All([withoutToken, inTheAddress], page => Assert.Equal((null, "Allow access?"), (page.LeftFor, page.Title)));
    }

    [Fact]
    public async Task The_consent_page_of_one_account_answers_for_no_other()
    {
        var login = await SomebodyElse();
        using var browser = new Browser(Host);
        var app = Rota();
        var mine = await browser.SignIn(await browser.Open(app.Request()));
        await browser.SignIn(await browser.Open("/sign-in?returnUrl=" + WebUtility.UrlEncode(app.Request())), login, Given.Password);

        var page = await browser.Submit(mine, ("decision", "allow"));

        Assert.Equal((null, "Allow access?"), (page.LeftFor, page.Title));
        Assert.Contains("your account, Somebody.", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Signing_in_gives_another_cookie_and_ends_what_the_old_one_opened()
    {
        var login = await SomebodyElse();
        using var attacker = new Browser(Host);
        await attacker.SignIn(await attacker.Open("/sign-in"), login, Given.Password);
        using var victim = new Browser(Host);
        // Planted in the victim's browser before they sign in.
        victim.Cookies.SetCookies(victim.Service, $"volunteers-session={attacker.SessionCookie}");

        var page = await victim.SignIn(await victim.Open(new CodeFlow(Host).Request(("prompt", "login"))));

        Assert.NotNull(page.Sent("code"));
        Assert.NotEqual(attacker.SessionCookie, victim.SessionCookie);
        Assert.Equal("Sign in", (await attacker.Open("/sign-in")).Title);
        Assert.Contains("Administrator", (await victim.Open("/sign-in")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cookie_that_was_not_made_here_opens_nothing()
    {
        using var browser = new Browser(Host);
        await browser.SignIn(await browser.Open("/sign-in"));
        var good = browser.SessionCookie!;

        foreach (var forged in new[] { "x", good[..^2] + "AA", good[1..], "" })
        {
            using var other = new Browser(Host);
            other.Cookies.SetCookies(other.Service, $"volunteers-session={forged}");
            Assert.Equal("Sign in", (await other.Open("/sign-in")).Title);
        }
    }

    [Fact]
    public async Task The_cookie_opens_the_pages_and_no_API()
    {
        using var browser = new Browser(Host);
        await browser.SignIn(await browser.Open("/sign-in"));

        Assert.Equal(401, (await browser.Open("/v1/me")).Status);
    }

    [Fact]
    public async Task No_page_is_framed_kept_or_sniffed_and_forms_go_nowhere_else()
    {
        using var browser = new Browser(Host);
        var app = Rota();
        var page = await browser.Open(app.Request());
        var consent = await browser.SignIn(page);
        var pages = new[] { page, await browser.SignIn(page, password: "wrong"), consent, await browser.Open("/connect/logout"), await browser.Open("/connect/authorize?x=1") };

        Assert.All(pages, shown =>
        {
            Assert.Contains("frame-ancestors 'none'", shown.Header("Content-Security-Policy"), StringComparison.Ordinal);
            Assert.StartsWith("default-src 'none'", shown.Header("Content-Security-Policy"), StringComparison.Ordinal);
            Assert.Equal(("DENY", "nosniff"), (shown.Header("X-Frame-Options"), shown.Header("X-Content-Type-Options")));
            Assert.Contains("no-store", shown.Header("Cache-Control"), StringComparison.Ordinal);
        });
        Assert.EndsWith("form-action 'self' https://rota.example.org", page.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.EndsWith("form-action 'self' https://rota.example.org", consent.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.EndsWith("form-action 'self' volunteers: http://127.0.0.1:* http://localhost:*",
            (await browser.Open(new CodeFlow(Host).Request())).Header("Content-Security-Policy"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Over_https_the_cookies_belong_to_this_very_host()
    {
        await using var secure = new ApiHost(ConnectionString, [.. Configuration, ("SignIn:RequireHttps", "true"), ("ForwardedHeaders:KnownProxies:0", "127.0.0.1")]);
        using var http = secure.Http();
        http.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");

        var page = await http.GetAsync(new Uri("/sign-in", UriKind.Relative), TestContext.Current.CancellationToken);
        var form = Assert.Single(page.Headers.GetValues("Set-Cookie"));
        var token = new WebPage(200, http.BaseAddress!, await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), page.Headers, null).Form.Fields["formToken"];
        http.DefaultRequestHeaders.Add("Cookie", form.Split(';')[0]);
        var signedIn = await http.PostAsync(new Uri("/sign-in", UriKind.Relative), new FormUrlEncodedContent(
            [new("login", ApiHost.OperatorLogin), new("password", ApiHost.OperatorPassword), new("formToken", token)]), TestContext.Current.CancellationToken);

        Assert.Equal(["path=/", "secure", "samesite=lax", "httponly"], Attributes(form, "__Host-volunteers-form"));
        Assert.Equal(["path=/", "secure", "samesite=lax", "httponly"], Attributes(signedIn.Headers.GetValues("Set-Cookie").Single(cookie => cookie.Contains("session=", StringComparison.Ordinal)), "__Host-volunteers-session"));

        static string[] Attributes(string cookie, string name)
        {
            Assert.StartsWith(name + "=", cookie, StringComparison.Ordinal);
            return [.. cookie.Split("; ")[1..]];
        }
    }

    [Fact]
    public async Task What_is_not_offered_is_refused()
    {
        foreach (var (parameter, value, error) in new (string parameter, string value, string error)[]
                 {
                     ("response_mode", "form_post", "invalid_request"),
                     ("response_mode", "fragment", "invalid_request"),
                     ("response_type", "token", "unsupported_response_type"),
                     ("response_type", "code id_token", "unsupported_response_type"),
                     ("response_type", "none", "unsupported_response_type"),
                     ("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"),
                     ("request_uri", "https://evil.example.org/request", "request_uri_not_supported"),
                     ("prompt", "none login", "invalid_request"),
                     ("scope", "api everything", "invalid_scope"),
                 })
        {
            using var browser = new Browser(Host);

            var page = await browser.Open(Rota().Request((parameter, value)));

            Assert.Null(page.LeftFor);
            Assert.Equal(error, Error(page));
        }
    }

    [Fact]
    public async Task A_body_that_is_no_form_is_answered_and_not_stumbled_over()
    {
        foreach (var (type, body) in new (string type, string body)[]
                 {
                     ("application/json", "{}"),
                     ("multipart/form-data; boundary=x", "--y"),
                     ("application/x-www-form-urlencoded", "login=%00%ff&password=%00&formToken=%00"),
                     ("text/plain", ""),
                 })
        {
            foreach (var path in new[] { "/sign-in", "/connect/authorize", "/connect/logout" })
            {
                using var content = new StringContent(body);
                content.Headers.Remove("Content-Type");
                content.Headers.TryAddWithoutValidation("Content-Type", type);

                var answer = await Host.Anonymous.Post(path, content);

                Assert.InRange(answer.Status, path == "/connect/logout" ? 200 : 400, 415);
            }
        }
    }

    private static string? Error(Answer answer) => (string?)answer["error"];

    private static string Error(WebPage page) => System.Text.RegularExpressions.Regex.Match(page.Text, "([a-z_]+): ").Groups[1].Value;

    private async Task<Answer> Refresh(CodeFlow app, Tokens tokens)
    {
        using var http = Host.Http();
        return await ApiHost.PostToken(http, ("grant_type", "refresh_token"), ("client_id", app.ClientId), ("refresh_token", tokens.Refresh!));
    }
}
