using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Data;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>People link their account to whom an authority knows, themselves: here no claim finds an account.</summary>
public sealed class ExternalLinkTests(TestDatabases databases) : ExternalSignInTest(databases)
{
    protected override string LinkBy => "none";

    [Fact]
    public async Task With_their_password_people_link_their_account_and_sign_in_there_from_then_on()
    {
        var (login, _) = await Member();
        await AuthorityKnows(new { anna = new { email = login, email_verified = true } });
        using var stranger = new Browser(Host);
        Assert.Equal("Your account was not found.", (await SignInElsewhere(stranger, "/sign-in", "anna")).Title);
        using var browser = new Browser(Host);

        var linked = await LinkTo(browser, login, "anna");

        Assert.Equal("You are signed in.", linked.Title);
        Assert.Contains("You can also sign in with Street <i>office</i>.", linked.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("name=\"password\"", linked.Html, StringComparison.Ordinal);
        Assert.Equal("You are signed in.", (await SignInElsewhere(stranger, "/sign-in", "anna")).Title);
        var mine = Assert.Single((await (await Host.SignIn(login, Given.Password)).Get("/v1/me/external-sign-ins")).ShouldBe(200).Items)!;
        Assert.Equal(("Street <i>office</i>", Authority.Issuer), ((string?)mine["displayName"], (string?)mine["issuer"]));
    }

    [Fact]
    public async Task An_open_browser_is_not_enough()
    {
        var (login, _) = await Member();
        await AuthorityKnows(new { thief = new { } });
        using var browser = new Browser(Host);
        var here = await browser.SignIn(await browser.Open("/sign-in"), login, Given.Password);

        var refused = await Press(browser, here, "/sign-in/link", ("decision", Name), ("password", "not-the-password"));
        var empty = await Press(browser, here, "/sign-in/link", ("decision", Name), ("password", ""));
        var forged = await browser.Post("/sign-in/link", [new("decision", Name), new("password", Given.Password)]);

        Assert.All(new[] { refused, empty, forged }, page => Assert.Equal((400, ""), (page.Status, page.Header("Refresh"))));
        for (var i = 0; i < 3; i++) await Press(browser, here, "/sign-in/link", ("decision", Name), ("password", "not-the-password"));
        Assert.Contains("Too many", (await Press(browser, here, "/sign-in/link", ("decision", Name), ("password", Given.Password))).Text, StringComparison.OrdinalIgnoreCase);
        // Whoever found the browser has used up its guesses, and the owner elsewhere has not.
        (await Host.WithPassword(login, Given.Password)).ShouldBe(200);
    }

    [Fact]
    public async Task One_person_there_is_one_account_here_and_the_other_way_round()
    {
        var (first, _) = await Member();
        var (second, _) = await Member();
        await AuthorityKnows(new { anna = new { }, berta = new { } });
        using var firsts = new Browser(Host);
        await LinkTo(firsts, first, "anna");
        using var seconds = new Browser(Host);
        using var firstsAgain = new Browser(Host);
        // Shown before the link was made, in another window.
        var here = await seconds.SignIn(await seconds.Open("/sign-in"), second, Given.Password);

        var refused = await LinkFrom(seconds, here, "anna");

        Assert.Equal("This cannot be linked.", refused.Title);
        Assert.Empty((await (await Host.SignIn(second, Given.Password)).Get("/v1/me/external-sign-ins")).ShouldBe(200).Items);
        Assert.Equal("You are signed in.", (await LinkFrom(seconds, here, "berta")).Title);
        Assert.Equal("This cannot be linked.", (await LinkFrom(seconds, here, "anna")).Title);
        Assert.Single((await (await Host.SignIn(first, Given.Password)).Get("/v1/me/external-sign-ins")).ShouldBe(200).Items);
    }

    [Fact]
    public async Task Whoever_was_signed_out_meanwhile_links_nothing()
    {
        var (login, _) = await Member();
        await AuthorityKnows(new { anna = new { } });
        using var browser = new Browser(Host);
        using var there = new AuthorityBrowser(Authority.Issuer);
        var here = await browser.SignIn(await browser.Open("/sign-in"), login, Given.Password);
        var back = await there.SignIn(Leaving(await Press(browser, here, "/sign-in/link", ("decision", Name), ("password", Given.Password))), "anna");
        var api = await Host.SignIn(login, Given.Password);
        (await api.Delete("/v1/me/sessions")).ShouldBe(204);

        Assert.Equal("You are no longer signed in.", (await browser.Open(back.AbsoluteUri)).Title);
        Assert.Empty((await api.Get("/v1/me/external-sign-ins")).ShouldBe(200).Items);
    }

    [Fact]
    public async Task Linking_does_not_count_for_somebody_else_who_signed_in_meanwhile()
    {
        var (login, _) = await Member();
        await AuthorityKnows(new { anna = new { } });
        using var browser = new Browser(Host);
        using var there = new AuthorityBrowser(Authority.Issuer);
        var signIn = await browser.Open(Rota().Request());
        var here = await browser.SignIn(await browser.Open("/sign-in"), login, Given.Password);
        var back = await there.SignIn(Leaving(await Press(browser, here, "/sign-in/link", ("decision", Name), ("password", Given.Password))), "anna");
        await browser.SignIn(signIn);

        Assert.Equal("You are no longer signed in.", (await browser.Open(back.AbsoluteUri)).Title);
        Assert.Empty((await (await Given.Operator()).Get("/v1/me/external-sign-ins")).ShouldBe(200).Items);
    }

    [Fact]
    public async Task A_link_that_is_removed_opens_nothing_any_more()
    {
        var o = await Given.Organization();
        var (login, _) = await Member(o);
        var (other, _) = await Member();
        await AuthorityKnows(new { anna = new { } });
        using var browser = new Browser(Host);
        await LinkTo(browser, login, "anna");
        var api = await Host.SignIn(login, Given.Password);
        var id = (string)(await api.Get("/v1/me/external-sign-ins")).ShouldBe(200).Items[0]!["id"]!;
        (await (await Host.SignIn(other, Given.Password)).Delete($"/v1/me/external-sign-ins/{id}")).ShouldRefuse(404, "not_found");

        (await api.Delete($"/v1/me/external-sign-ins/{id}")).ShouldBe(204);

        (await api.Delete($"/v1/me/external-sign-ins/{id}")).ShouldRefuse(404, "not_found");
        foreach (var operation in new[] { "linkExternalSignIn", "removeMyExternalSignIn" })
            Assert.Equal(id, (string?)Assert.Single((await o.Admin.Get($"/audit?operation={operation}")).ShouldBe(200).Items)!["resource"]!["id"]);
        using var later = new Browser(Host);
        Assert.Equal("Your account was not found.", (await SignInElsewhere(later, "/sign-in", "anna")).Title);
    }

    [Fact]
    public async Task The_last_way_in_stays()
    {
        var (login, id) = await Member();
        await AuthorityKnows(new { anna = new { } });
        using var browser = new Browser(Host);
        await LinkTo(browser, login, "anna");
        var api = await Host.SignIn(login, Given.Password);
        await Host.InServices(services => services.GetRequiredService<VolunteersDb>().Users.Where(account => account.Id == Guid.Parse(id))
            .ExecuteUpdateAsync(set => set.SetProperty(account => account.PasswordHash, (string?)null)));
        var link = (string)(await api.Get("/v1/me/external-sign-ins")).ShouldBe(200).Items[0]!["id"]!;

        (await api.Delete($"/v1/me/external-sign-ins/{link}")).ShouldRefuse(409, "last_sign_in");

        using var later = new Browser(Host);
        Assert.Equal("You are signed in.", (await SignInElsewhere(later, "/sign-in", "anna")).Title);
    }

    private async Task<WebPage> LinkTo(Browser browser, string login, string person) =>
        await LinkFrom(browser, await browser.SignIn(await browser.Open("/sign-in"), login, Given.Password), person);

    private async Task<WebPage> LinkFrom(Browser browser, WebPage here, string person)
    {
        using var there = new AuthorityBrowser(Authority.Issuer);
        var leaving = await Press(browser, here, "/sign-in/link", ("decision", Name), ("password", Given.Password));
        return await browser.Open((await there.SignIn(Leaving(leaving), person)).AbsoluteUri);
    }
}
