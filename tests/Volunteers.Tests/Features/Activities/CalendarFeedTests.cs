using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Activities;

/// <summary>Who makes a feed, who reads it, and until when.</summary>
public sealed class CalendarFeedTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task The_secret_is_shown_once_and_only_its_hash_is_kept()
    {
        var o = await Given.Organization();
        var (team, other) = (await o.Team(), await o.Team());
        var volunteer = await o.SignedInAs(await o.Volunteer(inTeam: team));

        var own = (await volunteer.Post("/calendar-feeds", new { kind = "own" })).ShouldBe(201);
        var ofTeam = (await volunteer.Post("/calendar-feeds", new { kind = "team", teamId = team })).ShouldBe(201);
        var secret = (string)own["secret"]!;

        Assert.Equal($"{volunteer.Http.BaseAddress}v1/calendars/{secret}.ics", (string?)own["url"]);
        Assert.Equal($"{o.Path}/calendar-feeds/{own.Id}", own.Header("Location"));
        var listed = (await volunteer.Get("/calendar-feeds")).ShouldBe(200);
        Assert.Equal([(own.Id, "own", null), (ofTeam.Id, "team", team)],
            listed.Items.Select(feed => ((string)feed!["id"]!, (string)feed["kind"]!, (string?)feed["teamId"])));
        Assert.DoesNotContain(secret, listed.Text, StringComparison.Ordinal);
        Assert.Empty((await o.Admin.Get("/calendar-feeds")).ShouldBe(200).Items);
        Assert.Equal(0L, await Scalar($"select count(*) from calendar_feeds f where f::text like '%{secret}%' or encode(f.secret_hash, 'escape') like '%{secret}%'"));
        Assert.Equal(1L, await Scalar($"select count(*) from calendar_feeds where secret_hash = sha256('{secret}')"));
        (await Host.Anonymous.Get($"/v1/calendars/{secret}.ics")).ShouldBe(200);
        (await volunteer.Post("/calendar-feeds", new { kind = "team", teamId = other })).ShouldRefuse(404, "team_not_found");
    }

    [Fact]
    public async Task Its_address_is_the_public_one_whatever_host_the_request_names()
    {
        await using var host = new ApiHost(ConnectionString, ("SignIn:Issuer", "https://volunteers.example.org/"));
        var o = await Given.Organization();
        await o.Team();
        await o.Team();
        var admin = (await host.SignInAsOperator()).At(o.Path);

        var made = (await admin.Post("/calendar-feeds", new { kind = "organization" }, ("Host", "evil.example"))).ShouldBe(201);
        var page = (await admin.Get("/teams?limit=1", ("Host", "evil.example"))).ShouldBe(200);

        Assert.Equal($"https://volunteers.example.org/v1/calendars/{made["secret"]}.ics", (string?)made["url"]);
        Assert.StartsWith($"<https://volunteers.example.org{o.Path}/teams?", page.Header("Link"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everybody_has_feeds_of_what_they_may_see()
    {
        var o = await Given.Organization();
        var (team, other) = (await o.Team(), await o.Team());
        var below = await o.Team(parentTeamId: team);
        var coordinator = await o.SignedInWithRole("coordinator", team);

        (await o.Admin.Post("/calendar-feeds", new { kind = "team", teamId = other })).ShouldBe(201);
        (await coordinator.Post("/calendar-feeds", new { kind = "team", teamId = below })).ShouldBe(201);
        (await coordinator.Post("/calendar-feeds", new { kind = "organization" })).ShouldBe(201);
        (await coordinator.Post("/calendar-feeds", new { kind = "team", teamId = other })).ShouldRefuse(404, "team_not_found");
        (await coordinator.Post("/calendar-feeds", new { kind = "own" })).ShouldRefuse(409, "not_a_volunteer");
        (await coordinator.Post("/calendar-feeds", new { kind = "team" })).ShouldRefuse(400, "invalid_request");
        (await coordinator.Post("/calendar-feeds", new { kind = "own", teamId = team })).ShouldRefuse(400, "invalid_request");
        (await coordinator.Post("/calendar-feeds", new { kind = "everything" })).ShouldBe(400);
    }

    [Fact]
    public async Task A_revoked_feed_and_an_unknown_secret_are_not_found()
    {
        var o = await Given.Organization();
        var elsewhere = await Given.AnotherOrganization();
        var made = (await o.Admin.Post("/calendar-feeds", new { kind = "organization" })).ShouldBe(201);
        var (secret, foreign) = ((string)made["secret"]!, (string)(await elsewhere.Admin.Post("/calendar-feeds", new { kind = "organization" })).ShouldBe(201)["secret"]!);
        (await Host.Anonymous.Get($"/v1/calendars/{secret}.ics")).ShouldBe(200);

        (await (await o.SignedInWithRole("administrator")).Delete($"/calendar-feeds/{made.Id}")).ShouldRefuse(404, "not_found");
        (await o.Admin.Delete($"/calendar-feeds/{made.Id}")).ShouldBe(204);

        (await Host.Anonymous.Get($"/v1/calendars/{secret}.ics")).ShouldRefuse(404, "not_found");
        (await o.Admin.Delete($"/calendar-feeds/{made.Id}")).ShouldRefuse(404, "not_found");
        Assert.Empty((await o.Admin.Get("/calendar-feeds")).Items);
        // The organization of one secret with the rest of another; too short; not base64; nothing at all.
        foreach (var wrong in new[] { secret[..20] + foreign[20..], secret[1..], "!" + secret[1..], secret + "A", "x", "%20" })
            (await Host.Anonymous.Get($"/v1/calendars/{wrong}.ics")).ShouldRefuse(404, "not_found");
        (await Host.Anonymous.Get($"/v1/calendars/{foreign}")).ShouldRefuse(404, "not_found");
        (await Host.Anonymous.Get($"/v1/calendars/{foreign}.ics")).ShouldBe(200);
    }

    [Fact]
    public async Task Who_left_reads_no_feed_any_more()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var person = await o.Volunteer(inTeam: team);
        var volunteer = await o.SignedInAs(person);
        string[] feeds = [await volunteer.Feed("own"), await volunteer.Feed("team", team), await volunteer.Feed("organization")];
        await ShouldAnswer(200, feeds);

        (await o.Admin.Delete($"/teams/{team}/members/{person}")).ShouldBe(204);
        await ShouldAnswer(404, feeds[1]);
        await ShouldAnswer(200, feeds[0], feeds[2]);

        (await o.Admin.Patch($"/volunteers/{person}", new { status = "paused" })).ShouldBe(200);
        await ShouldAnswer(200, feeds[0], feeds[2]);

        (await o.Admin.Patch($"/volunteers/{person}", new { status = "left" })).ShouldBe(200);
        await ShouldAnswer(404, feeds);
        (await volunteer.Post("/calendar-feeds", new { kind = "organization" })).ShouldRefuse(409, "not_a_volunteer");
    }

    [Fact]
    public async Task Who_lost_their_role_reads_no_feed_any_more()
    {
        var o = await Given.Organization();
        var (team, other) = (await o.Team(), await o.Team());
        var (login, account) = await o.Account(await o.Volunteer());
        (await o.Admin.Put($"/roles/{account}", new { roles = new[] { new { role = "coordinator" } } })).ShouldBe(200);
        var coordinator = (await Host.SignIn(login, Given.Password)).At(o.Path);
        string[] feeds = [await coordinator.Feed("organization"), await coordinator.Feed("team", team), await coordinator.Feed("team", other)];
        await ShouldAnswer(200, feeds);

        (await o.Admin.Put($"/roles/{account}", new { roles = new[] { new { role = "coordinator", teamId = team } } })).ShouldBe(200);
        await ShouldAnswer(200, feeds[0], feeds[1]);
        await ShouldAnswer(404, feeds[2]);

        (await o.Admin.Delete($"/roles/{account}")).ShouldBe(204);
        await ShouldAnswer(404, feeds);
    }

    [Fact]
    public async Task A_system_that_was_shut_out_reads_no_feed_any_more()
    {
        var o = await Given.Organization();
        var client = await o.Client("auditor");
        var feed = await (await Host.SignedIn(client)).At(o.Path).Feed("organization");
        await ShouldAnswer(200, feed);

        (await o.Admin.Patch($"/clients/{client.ClientId}", new { scopes = new[] { "activities.write", "hours.read" } })).ShouldBe(200);
        await ShouldAnswer(404, feed);
        (await o.Admin.Patch($"/clients/{client.ClientId}", new { scopes = new[] { "activities.read" }, expiresAt = Clock.GetUtcNow().AddHours(1) })).ShouldBe(200);
        await ShouldAnswer(200, feed);
        await Host.Later(TimeSpan.FromHours(1));
        await ShouldAnswer(404, feed);
        (await o.Admin.Patch($"/clients/{client.ClientId}", new { expiresAt = (string?)null })).ShouldBe(200);
        await ShouldAnswer(200, feed);
        (await o.Admin.Delete($"/clients/{client.ClientId}")).ShouldBe(204);

        await ShouldAnswer(404, feed);
    }

    [Fact]
    public async Task Twenty_feeds_are_enough_also_when_they_are_made_at_once()
    {
        var o = await Given.Organization();
        var another = await o.SignedInWithRole("auditor");

        var answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => o.Admin.Post("/calendar-feeds", new { kind = "organization" })));

        Assert.Equal(20, answers.Count(answer => answer.Status == 201));
        Assert.All(answers.Where(answer => answer.Status != 201), answer => answer.ShouldRefuse(409, "too_many_feeds"));
        (await another.Post("/calendar-feeds", new { kind = "organization" })).ShouldBe(201);
        (await o.Admin.Delete($"/calendar-feeds/{answers.First(answer => answer.Status == 201).Id}")).ShouldBe(204);
        (await o.Admin.Post("/calendar-feeds", new { kind = "organization" })).ShouldBe(201);
    }

    [Fact]
    public async Task A_team_with_a_feed_and_nothing_else_can_be_deleted()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var feed = await o.Admin.Feed("team", team);

        (await o.Admin.Delete($"/teams/{team}")).ShouldBe(204);

        await ShouldAnswer(404, feed);
    }

    [Fact]
    public async Task No_secret_comes_into_the_logs()
    {
        await using var host = new ApiHost(ConnectionString, ("Logging:LogLevel:Default", "Information"), ("Logging:LogLevel:Microsoft.AspNetCore", "Information"));
        var steps = new Given(host);
        var log = new CapturedLog();
        host.Services.GetRequiredService<ILoggerFactory>().AddProvider(log);
        var feed = await (await steps.Organization()).Admin.Feed("organization");

        (await host.Anonymous.Get(feed)).ShouldBe(200);
        (await host.Anonymous.Get(feed.Replace(".ics", "", StringComparison.Ordinal))).ShouldBe(404);

        Assert.NotEmpty(log.Lines);
        Assert.DoesNotContain(log.Lines, line => line.Contains(feed.Split('/')[^1][..43], StringComparison.Ordinal));
    }

    private async Task ShouldAnswer(int status, params string[] feeds)
    {
        foreach (var feed in feeds) (await Host.Anonymous.Get(feed)).ShouldBe(status);
    }

    private async Task<long> Scalar(string sql)
    {
        await using var database = NpgsqlDataSource.Create(ConnectionString);
        await using var command = database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    private sealed class CapturedLog : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue(formatter(state, exception) + exception);

        public void Dispose() { }
    }
}
