using Volunteers.Features.Identity;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

public sealed class RegisteredClientMistakeTests
{
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
}
