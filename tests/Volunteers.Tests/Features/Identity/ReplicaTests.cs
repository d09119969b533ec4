using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

public sealed class ReplicaTests(TestDatabases databases) : ApiTest(databases)
{
    private static readonly (string, string) OneName = ("SignIn:Issuer", "https://volunteers.example.org/");

    [Fact]
    public async Task A_token_of_one_replica_works_at_another_and_after_a_restart()
    {
        Tokens tokens;
        await using (var first = new ApiHost(ConnectionString, OneName))
            tokens = await first.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);

        await using var another = new ApiHost(ConnectionString, OneName);
        await using var third = new ApiHost(ConnectionString, OneName);

        (await another.Call(tokens.Access)).ShouldBe(200);
        (await third.Call(tokens.Access)).ShouldBe(200);
        var refreshed = Tokens.Of(await another.Refresh(tokens.Refresh));
        (await third.Call(refreshed.Access)).ShouldBe(200);
        Assert.Equal(Keys(await another.Anonymous.Get("/.well-known/jwks")), Keys(await third.Anonymous.Get("/.well-known/jwks")));
    }

    [Fact]
    public async Task What_one_replica_revokes_stops_at_the_other()
    {
        await using var one = new ApiHost(ConnectionString, OneName);
        await using var other = new ApiHost(ConnectionString, OneName);
        var tokens = await one.TokensOf(ApiHost.OperatorLogin, ApiHost.OperatorPassword);
        (await other.Call(tokens.Access)).ShouldBe(200);

        (await one.Revoke(tokens.Refresh!)).ShouldBe(200);

        await SignIn.Until(401, () => other.Call(tokens.Access));
    }

    [Fact]
    public async Task A_read_with_a_known_token_asks_the_database_for_nothing_but_what_is_read()
    {
        var o = await Given.Organization();
        var volunteer = await o.SignedInAs(await o.Volunteer());
        (await volunteer.Get("/projects")).ShouldBe(200);

        using var statements = new SaidStatements(ConnectionString);
        (await volunteer.Get("/projects")).ShouldBe(200);

        var statement = Assert.Single(statements.All);
        Assert.Contains("projects", statement, StringComparison.Ordinal);
    }

    private static string Keys(Answer answer) => answer.ShouldBe(200)["keys"]!.ToJsonString();
}
