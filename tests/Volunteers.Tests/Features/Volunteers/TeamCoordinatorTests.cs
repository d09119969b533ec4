using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Volunteers;

public sealed class TeamCoordinatorTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task Who_coordinates_one_team_and_serves_in_it_does_not_see_the_members_of_another()
    {
        var o = await Given.Organization();
        var (own, other) = (await o.Team(), await o.Team());
        var coordinator = await o.CoordinatorWhoIs(await o.Volunteer(inTeam: own), teamId: own);
        await o.Volunteer(inTeam: other);

        Assert.Single((await coordinator.Get($"/teams/{own}/members")).ShouldBe(200).Items);
        (await coordinator.Get($"/teams/{other}/members")).ShouldRefuse(404, "not_found");
    }

    [Fact]
    public async Task A_coordinator_of_one_team_cannot_take_in_a_stranger_and_so_see_their_profile()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var coordinator = await o.CoordinatorWhoIs(await o.Volunteer(inTeam: team), teamId: team);
        var stranger = await o.Volunteer(inTeam: await o.Team());

        (await coordinator.Put($"/teams/{team}/members/{stranger}", new { role = "member" })).ShouldRefuse(404, "not_found");
        (await coordinator.Get($"/volunteers/{stranger}")).ShouldRefuse(404, "not_found");
    }

    [Fact]
    public async Task Who_has_left_the_team_is_no_longer_its_coordinators_to_see()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var coordinator = await o.CoordinatorWhoIs(await o.Volunteer(inTeam: team), teamId: team);
        var member = await o.Volunteer(inTeam: team);
        (await coordinator.Get($"/volunteers/{member}")).ShouldBe(200);

        (await o.Admin.Delete($"/teams/{team}/members/{member}")).ShouldBe(204);

        (await coordinator.Get($"/volunteers/{member}")).ShouldRefuse(404, "not_found");
    }
}
