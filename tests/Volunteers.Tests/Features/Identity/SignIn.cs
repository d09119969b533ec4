using System.Diagnostics;
using System.Net.Http.Headers;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>What the token endpoint gave.</summary>
public sealed record Tokens(string Access, string? Refresh)
{
    public static Tokens Of(Answer answer) => new((string)answer.ShouldBe(200)["access_token"]!, (string?)answer["refresh_token"]);
}

/// <summary>The requests of an OAuth client, by hand.</summary>
public static class SignIn
{
    public static async Task<Answer> WithPassword(this ApiHost host, string login, string password, string scope = "api offline_access")
    {
        using var http = host.Http();
        return await ApiHost.PostToken(http, ("grant_type", "password"), ("client_id", "volunteers-mobile"),
            ("username", login), ("password", password), ("scope", scope));
    }

    /// <summary>With further fields, from this address of the loopback network.</summary>
    public static async Task<Answer> WithPasswordFrom(this ApiHost host, string login, string password, string from, params (string Name, string Value)[] fields)
    {
        using var http = host.HttpFrom(System.Net.IPAddress.Parse(from));
        return await ApiHost.PostToken(http, [("grant_type", "password"), ("client_id", "volunteers-mobile"),
            ("username", login), ("password", password), ("scope", "api offline_access"), .. fields]);
    }

    public static async Task<Tokens> TokensOf(this ApiHost host, string login, string password) => Tokens.Of(await host.WithPassword(login, password));

    public static async Task<Answer> Refresh(this ApiHost host, string? refreshToken)
    {
        using var http = host.Http();
        return await ApiHost.PostToken(http, ("grant_type", "refresh_token"), ("client_id", "volunteers-mobile"), ("refresh_token", refreshToken!));
    }

    public static async Task<Answer> WithSecret(this ApiHost host, string clientId, string clientSecret)
    {
        using var http = host.Http();
        return await ApiHost.PostToken(http, ("grant_type", "client_credentials"), ("client_id", clientId), ("client_secret", clientSecret), ("scope", "api"));
    }

    public static async Task<Answer> Revoke(this ApiHost host, string token, params (string Name, string Value)[] client)
    {
        using var http = host.Http();
        var form = client.DefaultIfEmpty(("client_id", "volunteers-mobile")).Append(("token", token));
        return await Answer.Of(await http.PostAsync(new Uri("/connect/revoke", UriKind.Relative),
            new FormUrlEncodedContent(form.Select(field => KeyValuePair.Create(field.Item1, field.Item2))), TestContext.Current.CancellationToken));
    }

    /// <summary>Reads <c>/v1/me</c>, or another path, with this token.</summary>
    public static async Task<Answer> Call(this ApiHost host, string accessToken, string path = "/v1/me")
    {
        using var http = host.Http();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        return await new Api(http, "").Get(path);
    }

    /// <summary>
    /// Asks until the answer has this status. Five seconds are what the service promises; the test allows a slow machine more,
    /// and never waits longer than it has to.
    /// </summary>
    public static async Task<Answer> Until(int status, Func<Task<Answer>> ask)
    {
        var asked = Stopwatch.StartNew();
        while (true)
        {
            var answer = await ask();
            if (answer.Status == status || asked.Elapsed > TimeSpan.FromSeconds(15)) return answer.ShouldBe(status);
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }
}
