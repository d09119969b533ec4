using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Volunteers.Data;
using Volunteers.Features.Identity;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>A good token opens; the same token with one thing wrong does not.</summary>
public sealed class ForgedTokenTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task A_token_made_with_the_servers_own_key_is_good()
    {
        var genuine = await Genuine();

        (await Host.Call(Signed(genuine, await ServerKey()))).ShouldBe(200);
    }

    [Theory]
    [InlineData("aud", "other")]
    [InlineData("iss", "https://elsewhere.example.org/")]
    [InlineData("scope", "offline_access")]
    [InlineData("scope", "apis")]
    [InlineData("exp", 1_700_000_000)]
    [InlineData("oi_tkn_id", "0199aaaa-0000-7000-8000-000000000000")]
    [InlineData("oi_tkn_id", null)]
    [InlineData("oi_tkn_id", "garbage")]
    [InlineData("aud", null)]
    [InlineData("scope", null)]
    public async Task A_token_with_another_claim_is_not(string claim, object? value)
    {
        var genuine = await Genuine();
        if (value is null) genuine.Remove(claim);
        else genuine[claim] = JsonValue.Create(value);

        (await Host.Call(Signed(genuine, await ServerKey()))).ShouldRefuse(401, "not_signed_in");
    }

    [Fact]
    public async Task A_token_of_another_key_is_not()
    {
        var genuine = await Genuine();
        var ours = await ServerKey();
        using var rsa = RSA.Create(2048);

        (await Host.Call(Signed(genuine, new RsaSecurityKey(rsa) { KeyId = ours.KeyId }))).ShouldRefuse(401, "not_signed_in");
        (await Host.Call(Signed(genuine, new RsaSecurityKey(rsa)))).ShouldRefuse(401, "not_signed_in");
    }

    [Fact]
    public async Task A_token_signed_with_the_public_key_as_a_secret_is_not()
    {
        var key = (RsaSecurityKey)await ServerKey();
        var secret = new SymmetricSecurityKey(key.Rsa.ExportSubjectPublicKeyInfo()) { KeyId = key.KeyId };

        (await Host.Call(Signed(await Genuine(), secret, SecurityAlgorithms.HmacSha256))).ShouldRefuse(401, "not_signed_in");
    }

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("")]
    public async Task A_token_without_a_signature_is_not(string algorithm)
    {
        var header = Encode($$"""{"alg":"{{algorithm}}","typ":"at+jwt"}""");
        var payload = Encode((await Genuine()).ToJsonString());

        (await Host.Call($"{header}.{payload}.")).ShouldRefuse(401, "not_signed_in");
        (await Host.Call($"{header}.{payload}")).ShouldRefuse(401, "not_signed_in");
    }

    [Fact]
    public async Task A_changed_payload_is_not()
    {
        var parts = (await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword)).Access.Split('.');
        var payload = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[1])).Replace("api", "API", StringComparison.Ordinal);

        (await Host.Call($"{parts[0]}.{Encode(payload)}.{parts[2]}")).ShouldRefuse(401, "not_signed_in");
    }

    [Fact]
    public async Task Only_an_access_token_is_an_access_token()
    {
        var answer = await Host.WithPassword(ApiHost.OperatorLogin, ApiHost.OperatorPassword, scope: "openid api offline_access");

        (await Host.Call((string)answer.ShouldBe(200)["access_token"]!)).ShouldBe(200);
        (await Host.Call((string)answer["id_token"]!)).ShouldRefuse(401, "not_signed_in");
        (await Host.Call((string)answer["refresh_token"]!)).ShouldRefuse(401, "not_signed_in");
        (await Host.Call(Signed(await Genuine(), await ServerKey(), type: "JWT"))).ShouldRefuse(401, "not_signed_in");
    }

    [Fact]
    public async Task A_token_without_the_api_scope_opens_nothing()
    {
        var tokens = Tokens.Of(await Host.WithPassword(ApiHost.OperatorLogin, ApiHost.OperatorPassword, scope: "offline_access"));

        (await Host.Call(tokens.Access)).ShouldRefuse(401, "not_signed_in");
    }

    [Theory]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer a.b.c")]
    [InlineData("Bearer a.b.c.d.e")]
    [InlineData("Basic b3BlcmF0b3I6cGFzc3dvcmQ=")]
    [InlineData("garbage")]
    [InlineData("Bearer eyJhbGciOiJSUzI1NiJ9.bnVsbA.AAAA")]
    public async Task What_is_no_token_at_all_is_refused(string authorization)
    {
        var refused = (await Host.Anonymous.Get("/v1/me", ("Authorization", authorization))).ShouldRefuse(401, "not_signed_in");

        Assert.StartsWith("Bearer", refused.Header("WWW-Authenticate"), StringComparison.Ordinal);
    }

    private async Task<JsonObject> Genuine()
    {
        var token = (await Host.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword)).Access;
        return JsonNode.Parse(Base64Url.DecodeFromChars(token.Split('.')[1]))!.AsObject();
    }

    private async Task<SecurityKey> ServerKey()
    {
        SecurityKey? key = null;
        await Host.InServices(async services => key = (await services.GetRequiredService<VolunteersDb>().ServerKeys.SingleAsync(k => k.Use == ServerKeyUse.Signing))
            .ToRsaKey(services.GetRequiredService<IDataProtectionProvider>()));
        return key!;
    }

    private static string Signed(JsonObject claims, SecurityKey key, string algorithm = SecurityAlgorithms.RsaSha256, string type = "at+jwt") =>
        new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(
            claims.ToJsonString(), new SigningCredentials(key, algorithm), new Dictionary<string, object> { ["typ"] = type });

    private static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
}
