using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

public sealed class RoleChangeTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task A_role_granted_a_moment_ago_works_at_once_with_the_token_there_is()
    {
        var o = await Given.Organization();
        var (login, account) = await o.Account(await o.Volunteer());
        var api = (await Host.SignIn(login, Given.Password)).At(o.Path);
        (await api.Get("/roles")).ShouldRefuse(403, "forbidden");

        (await o.Admin.Put($"/roles/{account}", new { roles = new[] { new { role = "administrator" } } })).ShouldBe(200);

        (await api.Get("/roles")).ShouldBe(200);
    }

    [Fact]
    public async Task A_role_taken_away_stops_within_five_seconds()
    {
        var o = await Given.Organization();
        var (login, account) = await o.Account(await o.Volunteer());
        (await o.Admin.Put($"/roles/{account}", new { roles = new[] { new { role = "administrator" } } })).ShouldBe(200);
        var api = (await Host.SignIn(login, Given.Password)).At(o.Path);
        (await api.Get("/roles")).ShouldBe(200);

        (await o.Admin.Put($"/roles/{account}", new { roles = new[] { new { role = "auditor" } } })).ShouldBe(200);
        Clock.Advance(TimeSpan.FromSeconds(5));
        (await api.Get("/roles")).ShouldRefuse(403, "forbidden");
        (await api.Get("/volunteers")).ShouldBe(200);

        (await o.Admin.Delete($"/roles/{account}")).ShouldBe(204);
        Clock.Advance(TimeSpan.FromSeconds(5));
        (await api.Get("/volunteers")).ShouldRefuse(404, "not_found");
    }

    [Fact]
    public async Task A_role_taken_away_stops_although_nobody_moves_the_clock()
    {
        var o = await Given.Organization();
        var (login, account) = await o.Account(await o.Volunteer());
        var api = (await Host.SignIn(login, Given.Password)).At(o.Path);
        (await api.Get("/projects")).ShouldBe(200);

        (await o.Admin.Delete($"/roles/{account}")).ShouldBe(204);

        await SignIn.Until(404, () => api.Get("/projects"));
    }

    [Fact]
    public async Task An_organization_keeps_an_administrator_even_if_two_remove_each_other_at_once()
    {
        var o = await Given.Organization();
        var (login, account) = await o.Account(await o.Volunteer());
        (await o.Admin.Put($"/roles/{account}", new { roles = new[] { new { role = "administrator" } } })).ShouldBe(200);
        var second = (await Host.SignIn(login, Given.Password)).At(o.Path);
        var first = (await (await Given.Operator()).Get("/v1/me")).Id;

        var answers = await Task.WhenAll(o.Admin.Delete($"/roles/{account}"), second.Delete($"/roles/{first}"));

        Assert.Single(answers, answer => answer.Status == 204);
        Assert.Contains(answers.Single(answer => answer.Status != 204).Status, new[] { 403, 404, 409 });
    }

    [Fact]
    public async Task A_team_coordinators_rights_follow_the_team_when_it_moves()
    {
        var o = await Given.Organization();
        var (above, below) = (await o.Team(), await o.Team());
        var coordinator = await o.SignedInWithRole("coordinator", above);
        (await coordinator.Get($"/teams/{below}")).ShouldRefuse(404, "not_found");

        (await o.Admin.Patch($"/teams/{below}", new { parentTeamId = above })).ShouldBe(200);
        await SignIn.Until(200, () => coordinator.Get($"/teams/{below}"));

        (await o.Admin.Patch($"/teams/{below}", new { parentTeamId = (string?)null })).ShouldBe(200);
        await SignIn.Until(404, () => coordinator.Get($"/teams/{below}"));
    }
}
