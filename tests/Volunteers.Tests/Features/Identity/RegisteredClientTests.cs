using Volunteers.Tests.Data;
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
            Assert.Contains("unauthorized_client", (await stillThere.Open(new CodeFlow(without, "board", BoardRedirect).Request())).Text, StringComparison.Ordinal);
        }
        Clock.Advance(TimeSpan.FromSeconds(5));
        (await Host.Call(tokens.Access)).ShouldBe(200);

        await using (var empty = new ApiHost(ConnectionString)) empty.StartServer();

        Clock.Advance(TimeSpan.FromSeconds(5));
        (await Host.Call(tokens.Access)).ShouldRefuse(401, "not_signed_in");
        Assert.Contains("unauthorized_client", (await browser.Open(app.Request())).Text, StringComparison.Ordinal);

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

    [Fact]
    public async Task A_service_with_a_mistake_in_its_clients_says_so_and_does_not_start()
    {
        await using var wrong = ServiceProcess.Run("", ("ConnectionStrings__Volunteers", ConnectionString), ("SignIn__Clients__0__Id", "app"),
            ("SignIn__Clients__1__Id", "app"), ("ASPNETCORE_URLS", "http://127.0.0.1:0"));

        Assert.Equal(1, await wrong.ExitCode());

        Assert.Contains("SignIn:Clients:0: Name takes 1 to 100 characters on one line.", wrong.Output, StringComparison.Ordinal);
        Assert.Contains("'app' stands there twice", wrong.Output, StringComparison.Ordinal);
    }
}
