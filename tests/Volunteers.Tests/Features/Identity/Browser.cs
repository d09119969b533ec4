using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>What a browser shows: a page of the service, or the address elsewhere that it was sent to.</summary>
public sealed partial record WebPage(int Status, Uri Address, string Html, HttpResponseHeaders Headers, Uri? LeftFor)
{
    /// <summary>What somebody reads: text without its markup.</summary>
    public string Text => WebUtility.HtmlDecode(Tag().Replace(Html[Html.IndexOf("<body", StringComparison.Ordinal)..], " "));

    public string Title => WebUtility.HtmlDecode(Regex.Match(Html, "<title>(.*?)</title>").Groups[1].Value);

    /// <summary>Where its form posts to, and what is in it already.</summary>
    public (string Action, Dictionary<string, string> Fields) Form
    {
        get
        {
            var form = Regex.Match(Html, "<form method=\"post\" action=\"([^\"]*)\">(.*?)</form>", RegexOptions.Singleline);
            Assert.True(form.Success, Html);
            return (WebUtility.HtmlDecode(form.Groups[1].Value), Input().Matches(form.Groups[2].Value).Select(input => Attributes(input.Value))
                .ToDictionary(input => input["name"], input => input.GetValueOrDefault("value", "")));
        }
    }

    public string Header(string name) => Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : "";

    /// <summary>A parameter of the address that the browser was sent to.</summary>
    public string? Sent(string parameter) => System.Web.HttpUtility.ParseQueryString(LeftFor!.Query)[parameter];

    /// <summary>The attributes of an input, by its name.</summary>
    public Dictionary<string, string> Field(string name) => Input().Matches(Html).Select(input => Attributes(input.Value)).Single(input => input["name"] == name);

    private static Dictionary<string, string> Attributes(string tag) =>
        Regex.Matches(tag, "([a-z-]+)=\"([^\"]*)\"").ToDictionary(match => match.Groups[1].Value, match => WebUtility.HtmlDecode(match.Groups[2].Value));

    [GeneratedRegex("<input[^>]*>")]
    private static partial Regex Input();

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tag();
}

/// <summary>A browser: it keeps cookies, follows the service's redirects to itself, and stops where it is sent elsewhere.</summary>
public sealed class Browser : IDisposable
{
    private readonly HttpClient http;

    public Browser(ApiHost host, string language = "en", string agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36")
    {
        using var server = host.Http();
        http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = Cookies }) { BaseAddress = server.BaseAddress };
        http.DefaultRequestHeaders.AcceptLanguage.ParseAdd(language);
        http.DefaultRequestHeaders.TryAddWithoutValidation("User-Agent", agent);
    }

    public CookieContainer Cookies { get; } = new();

    public Uri Service => http.BaseAddress!;

    public string? SessionCookie => Cookies.GetCookies(Service)["volunteers-session"]?.Value;

    public Task<WebPage> Open(string address) => Go(HttpMethod.Get, new Uri(Service, address), null);

    /// <summary>Sends the form of a page, with these fields filled in.</summary>
    public Task<WebPage> Submit(WebPage page, params (string Name, string Value)[] fields)
    {
        var (action, filled) = page.Form;
        foreach (var (name, value) in fields) filled[name] = value;
        return Post(action, filled);
    }

    public Task<WebPage> Post(string address, IEnumerable<KeyValuePair<string, string>> fields) =>
        Go(HttpMethod.Post, new Uri(Service, address), new FormUrlEncodedContent(fields));

    public Task<WebPage> SignIn(WebPage page, string login = ApiHost.OperatorLogin, string password = ApiHost.OperatorPassword) =>
        Submit(page, ("login", login), ("password", password));

    private async Task<WebPage> Go(HttpMethod method, Uri address, HttpContent? content)
    {
        for (var hops = 0; hops < 10; hops++)
        {
            using var request = new HttpRequestMessage(method, address) { Content = content };
            using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
            var html = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            if (response.Headers.Location is not { } location) return new WebPage((int)response.StatusCode, address, html, response.Headers, null);

            location = new Uri(address, location);
            if (location.GetLeftPart(UriPartial.Authority) != Service.GetLeftPart(UriPartial.Authority) || location.AbsolutePath.EndsWith("redirect.html", StringComparison.Ordinal))
                return new WebPage((int)response.StatusCode, address, html, response.Headers, location);
            (method, address, content) = (HttpMethod.Get, location, null);
        }
        throw new InvalidOperationException("The service sends the browser in circles.");
    }

    public void Dispose() => http.Dispose();
}
