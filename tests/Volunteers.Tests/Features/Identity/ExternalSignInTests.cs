using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>Signing in at an authority that is not ours.</summary>
public sealed class ExternalSignInTests(TestDatabases databases) : ExternalSignInTest(databases)
{
    [Fact]
    public async Task Somebody_whose_address_is_verified_there_gets_tokens_of_ours()
    {
        var (login, id) = await Member();
        await AuthorityKnows(new { anna = new { email = login.ToUpperInvariant(), email_verified = true } });
        using var browser = new Browser(Host);
        var app = Rota();

        var consent = await SignInElsewhere(browser, app.Request(), "anna");
        var tokens = Tokens.Of(await app.Exchange(app.CodeFrom(await browser.Submit(consent, ("decision", "allow")))));

        var me = (await Api.With(Host.Http(), tokens.Access).Get("/v1/me")).ShouldBe(200);
        Assert.Equal((id, login), (me.Id, (string?)me["login"]));
    }
}
