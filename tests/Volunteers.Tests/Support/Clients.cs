using Volunteers.Platform;

namespace Volunteers.Tests.Support;

/// <summary>A client of an organization, with the secret it was given.</summary>
public sealed record MadeClient(string Id, string ClientId, string Secret);

/// <summary>Steps with the systems that act for an organization.</summary>
public static class Clients
{
    public static readonly string[] AllScopes = [.. Scope.All.Keys];

    /// <summary>Admitted by the administrator, with every scope unless said otherwise.</summary>
    public static async Task<MadeClient> Client(
        this OrganizationSteps o, string role = "coordinator", string name = "Gateway", string[]? scopes = null, DateTimeOffset? expiresAt = null)
    {
        var made = (await o.Admin.Post("/clients", new { name, role, scopes = scopes ?? AllScopes, expiresAt })).ShouldBe(201);
        return new MadeClient(made.Id, (string)made["clientId"]!, (string)made["clientSecret"]!);
    }

    /// <summary>A request for a token, answered as RFC 6749 says.</summary>
    public static async Task<Answer> AskForToken(this ApiHost host, MadeClient client, string? scope = "api")
    {
        using var http = host.Http();
        (string, string)[] form = [("grant_type", "client_credentials"), ("client_id", client.ClientId), ("client_secret", client.Secret)];
        return await ApiHost.PostToken(http, scope is null ? form : [.. form, ("scope", scope)]);
    }

    /// <summary>A client with a token for these scopes.</summary>
    public static async Task<Api> SignedIn(this ApiHost host, MadeClient client, string? scope = "api") =>
        Api.With(host.Http(), (string)(await host.AskForToken(client, scope)).ShouldBe(200)["access_token"]!);
}
