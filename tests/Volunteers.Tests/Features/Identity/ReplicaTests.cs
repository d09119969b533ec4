using Npgsql;
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

        var statements = new List<string>();
        using var listener = Listen(statements);
        (await volunteer.Get("/projects")).ShouldBe(200);

        var statement = Assert.Single(statements);
        Assert.Contains("projects", statement, StringComparison.Ordinal);
    }

    private static string Keys(Answer answer) => answer.ShouldBe(200)["keys"]!.ToJsonString();

    /// <summary>Npgsql tells of every statement; those of the background task are not part of a request.</summary>
    private System.Diagnostics.ActivityListener Listen(List<string> statements)
    {
        var database = new NpgsqlConnectionStringBuilder(ConnectionString).Database;
        var listener = new System.Diagnostics.ActivityListener
        {
            ShouldListenTo = source => source.Name is "Npgsql" or "Microsoft.AspNetCore",
            Sample = (ref _) => System.Diagnostics.ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if (activity.Source.Name != "Npgsql" || (string?)activity.GetTagItem("db.namespace") != database) return;
                var request = activity.Parent;
                while (request is { Source.Name: not "Microsoft.AspNetCore" }) request = request.Parent;
                if (request is null) return;
                lock (statements) statements.Add($"{activity.GetTagItem("db.query.text")}");
            },
        };
        System.Diagnostics.ActivitySource.AddActivityListener(listener);
        return listener;
    }
}
