using Npgsql;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

public sealed class ClientSecretTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task A_secret_is_changed_without_an_outage()
    {
        var o = await Given.Organization();
        var client = await o.Client();
        var first = await OnlySecret(o, client);

        var made = (await o.Admin.Post($"/clients/{client.ClientId}/secrets")).ShouldBe(201);
        var renewed = client with { Secret = (string)made["clientSecret"]! };
        (await Host.AskForToken(client)).ShouldBe(200);
        (await Host.AskForToken(renewed)).ShouldBe(200);

        (await o.Admin.Delete($"/clients/{client.ClientId}/secrets/{first}")).ShouldBe(204);

        Assert.Equal("invalid_client", (string?)(await Host.AskForToken(client)).ShouldBe(401)["error"]);
        (await Host.AskForToken(renewed)).ShouldBe(200);
        Assert.Equal(made.Id, await OnlySecret(o, client));
    }

    [Fact]
    public async Task A_client_has_two_secrets_at_most_and_one_at_least()
    {
        var o = await Given.Organization();
        var client = await o.Client();
        var path = $"/clients/{client.ClientId}/secrets";
        var first = await OnlySecret(o, client);

        (await o.Admin.Delete($"{path}/{first}")).ShouldRefuse(409, "last_client_secret");
        var second = (await o.Admin.Post(path, new { expiresAt = Clock.GetUtcNow().AddHours(1) })).ShouldBe(201);
        (await o.Admin.Post(path)).ShouldRefuse(409, "too_many_client_secrets");
        (await o.Admin.Delete($"{path}/{Guid.NewGuid()}")).ShouldRefuse(404, "not_found");

        await Host.Later(TimeSpan.FromHours(1));
        (await Host.AskForToken(client with { Secret = (string)second["clientSecret"]! })).ShouldBe(401);
        // One that has expired does not count, neither as a second nor as a last.
        (await o.Admin.Delete($"{path}/{first}")).ShouldRefuse(409, "last_client_secret");
        (await o.Admin.Post(path)).ShouldBe(201);
        Assert.DoesNotContain(second.Id, (await o.Admin.Get($"/clients/{client.ClientId}")).Text, StringComparison.Ordinal);
        (await o.Admin.Delete($"{path}/{first}")).ShouldBe(204);
    }

    [Fact]
    public async Task What_changes_the_secrets_changes_the_version()
    {
        var o = await Given.Organization();
        var client = await o.Client();

        var made = (await o.Admin.Post($"/clients/{client.ClientId}/secrets")).ShouldBe(201);
        (await o.Admin.Patch($"/clients/{client.ClientId}", new { name = "Late" }, "\"1\"")).ShouldRefuse(412, "stale_version");
        (await o.Admin.Delete($"/clients/{client.ClientId}/secrets/{made.Id}")).ShouldBe(204);

        Assert.Equal("\"3\"", (await o.Admin.Get($"/clients/{client.ClientId}")).Header("ETag"));
    }

    [Fact]
    public async Task Rotations_at_the_same_moment_never_leave_three()
    {
        var o = await Given.Organization();
        await using var replica = new ApiHost(ConnectionString);
        var there = (await replica.SignInAsOperator()).At(o.Path);
        for (var round = 0; round < 5; round++)
        {
            var client = await o.Client();

            var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => (i % 2 == 0 ? o.Admin : there).Post($"/clients/{client.ClientId}/secrets")));

            Assert.Single(answers, answer => answer.Status == 201);
            Assert.All(answers.Where(answer => answer.Status != 201), answer => answer.ShouldRefuse(409, "too_many_client_secrets"));
            Assert.Equal(2, Secrets(await o.Admin.Get($"/clients/{client.ClientId}")).Length);
        }
    }

    [Fact]
    public async Task Both_secrets_taken_away_at_the_same_moment_leave_one()
    {
        var o = await Given.Organization();
        for (var round = 0; round < 5; round++)
        {
            var client = await o.Client();
            var path = $"/clients/{client.ClientId}/secrets";
            string[] ids = [await OnlySecret(o, client), (await o.Admin.Post(path)).ShouldBe(201).Id];

            var answers = await Task.WhenAll(ids.Select(id => o.Admin.Delete($"{path}/{id}")));

            Assert.Single(answers, answer => answer.Status == 204);
            Assert.Single(answers, answer => answer.Code == "last_client_secret");
            await OnlySecret(o, client);
        }
    }

    [Fact]
    public async Task The_last_use_is_noted_once_in_five_minutes()
    {
        var o = await Given.Organization();
        var client = await o.Client();
        var renewed = client with { Secret = (string)(await o.Admin.Post($"/clients/{client.ClientId}/secrets")).ShouldBe(201)["clientSecret"]! };
        Assert.All(Secrets(await Shown()), secret => Assert.Null(secret));

        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Host.AskForToken(client)));
        var (first, row) = (await Shown(), await Row());
        Assert.NotNull(first["lastUsedAt"]);
        Assert.Equal([(DateTimeOffset?)first["lastUsedAt"], null], Secrets(first));

        Clock.Advance(TimeSpan.FromMinutes(4));
        (await Host.AskForToken(client)).ShouldBe(200);
        (await Host.WithSecret(client.ClientId, "wrong")).ShouldBe(401);
        Assert.Equal(row, await Row());
        Assert.Equal(first.Header("ETag"), (await Shown()).Header("ETag"));

        // The other secret is noted for itself: nobody takes one for unused that is not.
        (await Host.AskForToken(renewed)).ShouldBe(200);
        Assert.All(Secrets(await Shown()), secret => Assert.NotNull(secret));

        Clock.Advance(TimeSpan.FromMinutes(5));
        (await Host.AskForToken(client)).ShouldBe(200);
        Assert.True((DateTimeOffset)(await Shown())["lastUsedAt"]! > (DateTimeOffset)first["lastUsedAt"]!);

        Task<Answer> Shown() => o.Admin.Get($"/clients/{client.ClientId}");
        Task<string> Row() => Ask("select xmin::text from organization_clients");
    }

    [Fact]
    public async Task Only_hashes_are_kept()
    {
        var o = await Given.Organization();
        var client = await o.Client();

        Assert.Equal("0", await Ask($"select count(*)::text from organization_client_secrets s where s::text like '%{client.Secret}%'"));
        Assert.Equal("1", await Ask($"select count(*)::text from organization_client_secrets where secret_hash = sha256('{client.Secret}')"));
        Assert.Equal("0", await Ask($"select count(*)::text from openiddict_applications a where a::text like '%{client.Secret}%'"));
    }

    private static DateTimeOffset?[] Secrets(Answer client) => [.. client.ShouldBe(200)["secrets"]!.AsArray().Select(secret => (DateTimeOffset?)secret!["lastUsedAt"])];

    private static async Task<string> OnlySecret(OrganizationSteps o, MadeClient client) =>
        (string)Assert.Single((await o.Admin.Get($"/clients/{client.ClientId}")).ShouldBe(200)["secrets"]!.AsArray())!["id"]!;

    private async Task<string> Ask(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return (string)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }
}
