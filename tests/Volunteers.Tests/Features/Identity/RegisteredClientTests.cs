using Microsoft.Extensions.Options;
using Volunteers.Features.Identity;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>Applications that the operator registers by configuration.</summary>
public sealed class RegisteredClientTests(TestDatabases databases) : SignInTest(databases)
{
    [Fact]
    public async Task A_client_that_is_configured_no_longer_is_shut_out_with_all_it_holds()
    {
        var app = Rota();
        using var browser = new Browser(Host);
        var tokens = Tokens.Of(await app.Exchange(app.CodeFrom(await SignInAndAllow(browser, app))));
        (await Host.Call(tokens.Access)).ShouldBe(200);

        await using (var without = new ApiHost(ConnectionString, Configuration[..4]))
        {
            without.StartServer();
            var kept = new CodeFlow(without, "rota", RotaRedirect);
            using var stillThere = new Browser(without);
            Assert.Equal("Sign in", (await stillThere.Open(kept.Request())).Title);
            Assert.Equal("unauthorized_client", (await stillThere.Open(new CodeFlow(without, "board", BoardRedirect).Request())).Sent("error"));
        }
        Clock.Advance(TimeSpan.FromSeconds(5));
        (await Host.Call(tokens.Access)).ShouldBe(200);

        await using (var empty = new ApiHost(ConnectionString)) empty.StartServer();

        Clock.Advance(TimeSpan.FromSeconds(5));
        (await Host.Call(tokens.Access)).ShouldRefuse(401, "not_signed_in");
        Assert.Equal("unauthorized_client", (await browser.Open(app.Request())).Sent("error"));

        // It comes back as it was, and people need not agree again.
        await using (var again = new ApiHost(ConnectionString, Configuration)) again.StartServer();
        app.CodeFrom(await browser.Open(app.Request()));
    }

    [Fact]
    public async Task A_changed_client_is_changed_at_the_next_start()
    {
        using var browser = new Browser(Host);
        Assert.Equal("Sign in", (await browser.Open(Rota().Request())).Title);

        await using (var changed = new ApiHost(ConnectionString, [.. Configuration, ("SignIn:Clients:0:RedirectUris:0", "https://new.example.org/back")])) changed.StartServer();

        Assert.Equal(400, (await browser.Open(Rota().Request())).Status);
        Assert.Equal("Sign in", (await browser.Open(new CodeFlow(Host, "rota", "https://new.example.org/back").Request())).Title);
    }

    [Fact]
    public async Task Replicas_that_start_at_once_register_the_same_clients_once()
    {
        var replicas = Enumerable.Range(0, 4).Select(_ => new ApiHost(ConnectionString, Configuration)).ToArray();

        await Task.WhenAll(replicas.Select(replica => Task.Run(() => replica.StartServer())));

        foreach (var replica in replicas)
        {
            using var browser = new Browser(replica);
            Assert.Equal("Sign in", (await browser.Open(Rota().Request())).Title);
            await replica.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("app", "App", null, "https://app.example.org/cb", null)]
    [InlineData("app", "应用", "01234567890123456789012345678901", "https://app.example.org/cb", null)]
    [InlineData("app", "App", null, "http://127.0.0.1/cb", null)]
    [InlineData("app", "App", null, "http://[::1]/cb", null)]
    [InlineData("app", "App", null, "org.example.app:/cb", null)]
    [InlineData("", "App", null, "https://app.example.org/cb", "Id")]
    [InlineData("a b", "App", null, "https://app.example.org/cb", "Id")]
    [InlineData("volunteers-mobile", "App", null, "https://app.example.org/cb", "Id")]
    [InlineData("volunteers-swagger", "App", null, "https://app.example.org/cb", "Id")]
    [InlineData("0199aaaa000070008000000000000000.0199aaaa000070008000000000000000", "App", null, "https://app.example.org/cb", "Id")]
    [InlineData("app", "", null, "https://app.example.org/cb", "Name")]
    [InlineData("app", "App", "short", "https://app.example.org/cb", "Secret")]
    [InlineData("app", "App", null, null, "RedirectUris")]
    [InlineData("app", "App", null, "http://app.example.org/cb", "redirect URI")]
    [InlineData("app", "App", null, "https://app.example.org/cb#x", "redirect URI")]
    [InlineData("app", "App", null, "https://*.example.org/cb", "redirect URI")]
    [InlineData("app", "App", null, "https://user@app.example.org/cb", "redirect URI")]
    [InlineData("app", "App", null, "/cb", "redirect URI")]
    [InlineData("app", "App", null, "javascript:alert(1)", "redirect URI")]
    [InlineData("app", "App", null, "data:text/html,x", "redirect URI")]
    [InlineData("app", "App", null, "file:///etc/passwd", "redirect URI")]
    public void What_cannot_be_a_client_is_refused_before_the_service_starts(string id, string name, string? secret, string? redirectUri, string? mistake)
    {
        var client = new RegisteredClient { Id = id, Name = name, Secret = secret, RedirectUris = redirectUri is null ? [] : [redirectUri] };

        Assert.Equal(mistake is null, client.Mistake() is null);
        if (mistake is not null) Assert.Contains(mistake, client.Mistake(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_with_a_mistake_in_its_clients_says_so_and_does_not_start()
    {
        await using var wrong = new ApiHost(ConnectionString, [.. Configuration, ("SignIn:Clients:1:Id", "rota")]);

        var refused = Assert.Throws<OptionsValidationException>(() => wrong.StartServer());

        Assert.Contains("'rota' stands there twice", refused.Message, StringComparison.Ordinal);
    }
}
