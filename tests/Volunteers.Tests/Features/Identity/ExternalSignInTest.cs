using System.Net;
using System.Text.RegularExpressions;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>A test with an authority that is not ours: it finds accounts by verified e-mail addresses.</summary>
public abstract class ExternalSignInTest(TestDatabases databases) : SignInTest(databases)
{
    protected const string Name = "office";

    protected OtherAuthority Authority { get; private set; } = null!;

    protected virtual string LinkBy => "email";

    protected override (string Name, string Value)[] Configuration =>
    [
        .. base.Configuration,
        ("SignIn:External:0:Id", Name), ("SignIn:External:0:DisplayName", "Street <i>office</i>"), ("SignIn:External:0:Authority", Authority.Issuer),
        ("SignIn:External:0:ClientId", OtherAuthority.ClientId), ("SignIn:External:0:ClientSecret", OtherAuthority.ClientSecret), ("SignIn:External:0:LinkBy", LinkBy),
    ];

    public override async ValueTask InitializeAsync()
    {
        Authority = await OtherAuthority.Start();
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await Authority.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>What the authority says of each person.</summary>
    protected async Task AuthorityKnows(object accounts)
    {
        using var http = Host.Http();
        await Authority.Knows(new Uri(http.BaseAddress!, $"/sign-in/external/{Name}/callback").AbsoluteUri, accounts);
    }

    /// <summary>Goes from the sign-in page to the authority: the address that it is asked at.</summary>
    protected static async Task<Uri> Leave(Browser browser, WebPage page)
    {
        var leaving = await Press(browser, page, $"/sign-in/external/{Name}");
        Assert.True(leaving.Status == 200, leaving.Html);
        return Leaving(leaving);
    }

    protected static Uri Leaving(WebPage page)
    {
        var address = WebUtility.HtmlDecode(Regex.Match(page.Html, "<a href=\"(http[^\"]*)\"").Groups[1].Value);
        Assert.Equal($"0; url={address}", page.Header("Refresh"));
        return new Uri(address);
    }

    /// <summary>Sends the form that posts to this path.</summary>
    protected static Task<WebPage> Press(Browser browser, WebPage page, string path, params (string Name, string Value)[] fields)
    {
        var form = Regex.Match(page.Html, $"<form method=\"post\" action=\"{Regex.Escape(path)}\">(.*?)</form>", RegexOptions.Singleline);
        Assert.True(form.Success, page.Html);
        var filled = Regex.Matches(form.Groups[1].Value, "<input type=\"hidden\" name=\"([^\"]*)\" value=\"([^\"]*)\">")
            .ToDictionary(input => input.Groups[1].Value, input => WebUtility.HtmlDecode(input.Groups[2].Value));
        foreach (var (name, value) in fields) filled[name] = value;
        return browser.Post(path, filled);
    }

    /// <summary>The whole way: from this address of ours over the authority back to us.</summary>
    protected async Task<WebPage> SignInElsewhere(Browser browser, string address, string person)
    {
        using var there = new AuthorityBrowser(Authority.Issuer);
        return await browser.Open((await there.SignIn(await Leave(browser, await browser.Open(address)), person)).AbsoluteUri);
    }

    /// <summary>Another account: its login and its id.</summary>
    protected async Task<(string Login, string Id)> Member(OrganizationSteps? o = null)
    {
        o ??= await Given.Organization();
        return await o.Account(await o.Volunteer());
    }
}
