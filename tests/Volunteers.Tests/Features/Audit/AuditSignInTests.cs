using Microsoft.Extensions.DependencyInjection;
using Volunteers.Platform.Audit;
using Volunteers.Tests.Features.Identity;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Audit;

public sealed class AuditSignInTests(TestDatabases databases) : AuditTest(databases)
{
    [Fact]
    public async Task Signing_in_is_told_wherever_the_account_has_a_role()
    {
        var other = await Given.AnotherOrganization();
        var (login, account) = await O.Account(await O.Volunteer());
        (await other.Admin.Put($"/roles/{account}", new { roles = new[] { new { role = "auditor" } } })).ShouldBe(200);

        await Host.TokensOf(login, Given.Password);

        foreach (var organization in new[] { O, other })
        {
            var e = Assert.Single(await EventsOf(organization, $"kind=signIn&actor={account}"));
            Assert.Equal(("signIn", "succeeded"), ((string?)e["operation"], (string?)e["outcome"]));
        }
        Assert.Empty(await EventsOf(await Given.AnotherOrganization(), $"kind=signIn&actor={account}"));
    }

    [Fact]
    public async Task A_wrong_password_and_a_lockout_are_told_and_a_flood_of_them_is_counted()
    {
        var (login, account) = await O.Account(await O.Volunteer());
        for (var i = 0; i < 12; i++) (await Host.WithPassword(login, $"wrong-{i}")).ShouldBe(400);

        await FlushRefusals();
        var events = await Events($"kind=signIn&outcome=refused&actor={account}");

        // Five are looked at; the others come too early.
        Assert.Equal(5, events.Where(e => (string?)e["code"] == "wrong_password").Sum(e => (int)e["times"]!));
        Assert.Equal(7, events.Where(e => (string?)e["code"] == "too_many_attempts").Sum(e => (int)e["times"]!));
        Assert.InRange(events.Length, 2, 6);
    }

    [Fact]
    public async Task A_login_that_nobody_has_leaves_nothing()
    {
        var before = await Ask<long>("select count(*) from audit_events");

        for (var i = 0; i < 10; i++) (await Host.WithPassword($"nobody{i}@example.org", "wrong")).ShouldBe(400);
        await FlushRefusals();

        Assert.Equal(before, await Ask<long>("select count(*) from audit_events"));
    }

    [Fact]
    public async Task A_used_refresh_token_that_comes_again_is_told()
    {
        var (login, account) = await O.Account(await O.Volunteer());
        var tokens = await Host.TokensOf(login, Given.Password);
        (await Host.Refresh(tokens.Refresh)).ShouldBe(200);

        (await Host.Refresh(tokens.Refresh)).ShouldBe(400);

        var e = await TheEventToCome($"operation=refresh&actor={account}");
        Assert.Equal(("refused", "token_replayed"), ((string?)e["outcome"], (string?)e["code"]));
    }

    [Fact]
    public async Task A_client_with_a_wrong_secret_is_told_and_one_that_is_made_up_is_not()
    {
        var made = await O.Client("auditor");

        (await Host.WithSecret(made.ClientId, "wrong")).ShouldBe(401);
        (await Host.WithSecret($"{Guid.Parse(O.Id):n}.{Guid.NewGuid():n}", "wrong")).ShouldBe(401);

        var e = await TheEventToCome("kind=signIn&outcome=refused");
        Assert.Equal(("client", made.Id, "wrong_secret"), ((string?)e["actor"]!["kind"], (string?)e["actor"]!["id"], (string?)e["code"]));
        await FlushRefusals();
        await TheEvent("kind=signIn&outcome=refused");
    }

    [Fact]
    public async Task What_somebody_may_not_do_is_told_once_and_then_counted()
    {
        var volunteer = await O.SignedInAs(await O.Volunteer());

        for (var i = 0; i < 30; i++) (await volunteer.Get("/roles")).ShouldBe(403);
        (await volunteer.Post("/teams", new { name = "Mine" })).ShouldBe(403);
        await FlushRefusals();

        var looks = await Events("outcome=refused&operation=listRoles");
        Assert.InRange(looks.Length, 1, 3);
        Assert.Equal(30, looks.Sum(e => (int)e["times"]!));
        Assert.All(looks, e => Assert.Equal(("look", "forbidden", "volunteer"), ((string?)e["kind"], (string?)e["code"], (string?)e["role"])));
        Assert.Equal("change", (string?)(await TheEvent("outcome=refused&operation=createTeam"))["kind"]);
    }

    [Fact]
    public async Task Whoever_tries_everything_leaves_a_bounded_trail()
    {
        var (refusals, actor) = (Host.Services.GetRequiredService<AuditRefusals>(), Guid.NewGuid());

        for (var i = 0; i < 1000; i++)
            refusals.Note(Guid.Parse(O.Id), new AuditScene(Clock.GetUtcNow(), AuditKind.Change, $"operation{i}") { ActorId = actor, ActorKind = AuditActorKind.Account, Outcome = AuditOutcome.Refused });
        await FlushRefusals();

        var events = await Events($"outcome=refused&actor={actor}");
        Assert.Equal(1000, events.Sum(e => (int)e["times"]!));
        Assert.InRange(events.Length, 1, 65);
    }

    [Fact]
    public async Task A_stranger_leaves_nothing_in_other_peoples_trail()
    {
        var (login, _) = await O.Account(await O.Volunteer());
        var volunteer = await Host.SignIn(login, Given.Password);
        var other = await Given.AnotherOrganization();
        var before = await Ask<long>($"select count(*) from audit_events where organization_id = '{other.Id}'");

        (await volunteer.Get($"{other.Path}/roles")).ShouldBe(404);
        (await volunteer.Post($"{other.Path}/teams", new { name = "X" })).ShouldBe(404);
        await FlushRefusals();

        Assert.Equal(before, await Ask<long>($"select count(*) from audit_events where organization_id = '{other.Id}'"));
    }

    private Task FlushRefusals() => Host.Services.GetRequiredService<AuditRefusals>().Flush(all: true);
}
