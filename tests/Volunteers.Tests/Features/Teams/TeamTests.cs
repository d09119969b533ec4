using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Teams;

public sealed class TeamTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task A_name_belongs_to_one_team_of_an_organization()
    {
        var o = await Given.Organization();
        var made = (await o.Admin.Post("/teams", new { name = "的哥队", description = "免费送考" })).ShouldBe(201);

        Assert.Equal(made.Text, (await o.Admin.Get($"/teams/{made.Id}")).Text);
        (await o.Admin.Post("/teams", new { name = "的哥队" })).ShouldRefuse(409, "team_name_taken");
        (await o.Admin.Post("/teams", new { name = "送考组", parentTeamId = Guid.NewGuid() })).ShouldRefuse(404, "parent_team_not_found");
        (await (await Given.AnotherOrganization()).Admin.Post("/teams", new { name = "的哥队" })).ShouldBe(201);
    }

    [Fact]
    public async Task A_team_cannot_be_part_of_itself_or_of_a_team_below_it()
    {
        var o = await Given.Organization();
        var top = await o.Team();
        var middle = await o.Team(top);
        var bottom = await o.Team(middle);

        (await o.Admin.Patch($"/teams/{top}", new { parentTeamId = top })).ShouldRefuse(409, "team_inside_itself");
        (await o.Admin.Patch($"/teams/{top}", new { parentTeamId = middle })).ShouldRefuse(409, "team_inside_itself");
        (await o.Admin.Patch($"/teams/{top}", new { parentTeamId = bottom })).ShouldRefuse(409, "team_inside_itself");
        (await o.Admin.Patch($"/teams/{middle}", new { parentTeamId = (string?)null })).ShouldBe(200);
        (await o.Admin.Patch($"/teams/{top}", new { parentTeamId = bottom })).ShouldBe(200);
    }

    [Fact]
    public async Task Two_teams_moved_below_each_other_at_once_make_no_ring()
    {
        var o = await Given.Organization();
        for (var round = 0; round < 5; round++)
        {
            var (one, other) = (await o.Team(), await o.Team());

            var answers = await Task.WhenAll(
                o.Admin.Patch($"/teams/{one}", new { parentTeamId = other }, "\"1\""),
                o.Admin.Patch($"/teams/{other}", new { parentTeamId = one }, "\"1\""));

            Assert.Single(answers, answer => answer.Status == 200);
            Assert.Single(answers, answer => answer.Code == "team_inside_itself");
        }
    }

    [Fact]
    public async Task A_team_that_something_was_done_in_cannot_be_deleted()
    {
        var o = await Given.Organization();
        var (unused, withPart, withMember, withActivity, withCoordinator) = (await o.Team(), await o.Team(), await o.Team(), await o.Team(), await o.Team());
        await o.Team(parentTeamId: withPart);
        await o.Volunteer(inTeam: withMember);
        await o.Activity(withActivity);
        await o.SignedInWithRole("coordinator", withCoordinator);

        (await o.Admin.Delete($"/teams/{unused}")).ShouldBe(204);
        (await o.Admin.Delete($"/teams/{unused}")).ShouldRefuse(404, "not_found");
        (await o.Admin.Delete($"/teams/{withPart}")).ShouldRefuse(409, "parent_team_in_use");
        foreach (var team in new[] { withMember, withActivity, withCoordinator }) (await o.Admin.Delete($"/teams/{team}")).ShouldRefuse(409, "team_in_use");
    }

    [Fact]
    public async Task A_team_coordinator_sees_their_team_and_the_teams_below_it()
    {
        var o = await Given.Organization();
        var top = await o.Team();
        var own = await o.Team(top);
        var below = await o.Team(own);
        var deeper = await o.Team(below);
        var beside = await o.Team(top);
        var coordinator = await o.SignedInWithRole("coordinator", own);

        Assert.Equal([own, below, deeper], (await coordinator.Get("/teams")).Items.Select(team => (string)team!["id"]!));
        foreach (var hidden in new[] { top, beside }) (await coordinator.Get($"/teams/{hidden}")).ShouldRefuse(404, "not_found");
        (await coordinator.Get($"/teams/{deeper}")).ShouldBe(200);
        (await coordinator.Patch($"/teams/{own}", new { name = "Renamed" })).ShouldRefuse(403, "forbidden");

        var volunteer = await o.SignedInAs(await o.Volunteer());
        Assert.Equal(5, (await volunteer.Get("/teams")).Items.Count);
    }
}
