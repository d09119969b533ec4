using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>An application that signs people in with the authorization code flow, by hand.</summary>
public sealed class CodeFlow(ApiHost host, string clientId = "volunteers-mobile", string redirectUri = "volunteers://callback")
{
    public string ClientId => clientId;

    public string RedirectUri => redirectUri;

    public string Verifier { get; } = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    public string State { get; } = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(8));

    /// <summary>The address of the authorization request; a parameter given as null is left out.</summary>
    public string Request(params (string Name, string? Value)[] changes)
    {
        var parameters = new Dictionary<string, string?>
        {
            ["response_type"] = "code", ["client_id"] = clientId, ["redirect_uri"] = redirectUri, ["scope"] = "openid api offline_access", ["state"] = State, ["nonce"] = "n-1",
            ["code_challenge"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier))), ["code_challenge_method"] = "S256",
        };
        foreach (var (name, value) in changes) parameters[name] = value;
        return QueryHelpers.AddQueryString("/connect/authorize", parameters.Where(parameter => parameter.Value is not null));
    }

    /// <summary>Brings a code to the token endpoint; a field given as null is left out.</summary>
    public async Task<Answer> Exchange(string? code, params (string Name, string? Value)[] changes)
    {
        var form = new Dictionary<string, string?>
        {
            ["grant_type"] = "authorization_code", ["client_id"] = clientId, ["redirect_uri"] = redirectUri, ["code"] = code, ["code_verifier"] = Verifier,
        };
        foreach (var (name, value) in changes) form[name] = value;
        using var http = host.Http();
        return await ApiHost.PostToken(http, [.. form.Where(field => field.Value is not null).Select(field => (field.Key, field.Value!))]);
    }

    /// <summary>The code that the service sent the browser back with, if it did what it should.</summary>
    public string CodeFrom(WebPage page)
    {
        Assert.True(page.LeftFor is not null, page.Html);
        Assert.StartsWith(redirectUri, page.LeftFor.AbsoluteUri, StringComparison.Ordinal);
        Assert.Equal(State, page.Sent("state"));
        Assert.Null(page.Sent("error"));
        return page.Sent("code")!;
    }

    /// <summary>Signs in with a password in this browser; answers the tokens.</summary>
    public async Task<Tokens> SignIn(Browser browser, string login = ApiHost.OperatorLogin, string password = ApiHost.OperatorPassword, string scope = "openid api offline_access")
    {
        var signedIn = await browser.SignIn(await browser.Open(Request(("scope", scope))), login, password);
        return Tokens.Of(await Exchange(CodeFrom(signedIn)));
    }
}
