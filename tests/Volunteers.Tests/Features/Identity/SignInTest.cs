using Volunteers.Tests.Support;

namespace Volunteers.Tests.Features.Identity;

/// <summary>A test with two applications that the operator registered: one public, one that keeps a secret.</summary>
public abstract class SignInTest(TestDatabases databases) : ApiTest(databases)
{
    public const string RotaRedirect = "https://rota.example.org/back";
    public const string RotaLeft = "https://rota.example.org/left";
    public const string BoardRedirect = "https://board.example.org/cb";
    public const string BoardSecret = "a-secret-that-is-long-enough-for-anybody";

    protected override (string Name, string Value)[] Configuration =>
    [
        ("SignIn:Clients:0:Id", "rota"), ("SignIn:Clients:0:Name", "Duty rota"), ("SignIn:Clients:0:RedirectUris:0", RotaRedirect),
        ("SignIn:Clients:0:PostLogoutRedirectUris:0", RotaLeft),
        ("SignIn:Clients:1:Id", "board"), ("SignIn:Clients:1:Name", "<b>Notice</b> board"), ("SignIn:Clients:1:Secret", BoardSecret),
        ("SignIn:Clients:1:RedirectUris:0", BoardRedirect),
    ];

    protected CodeFlow Rota() => new(Host, "rota", RotaRedirect);

    protected CodeFlow Board() => new(Host, "board", BoardRedirect);

    /// <summary>Signs in, and allows the application what it asks for.</summary>
    protected static async Task<WebPage> SignInAndAllow(Browser browser, CodeFlow app, params (string Name, string? Value)[] changes) =>
        await browser.Submit(await browser.SignIn(await browser.Open(app.Request(changes))), ("decision", "allow"));

    /// <summary>Another account, with the password of every test.</summary>
    protected async Task<string> SomebodyElse()
    {
        var o = await Given.Organization();
        return (await o.Account(await o.Volunteer())).Login;
    }
}
