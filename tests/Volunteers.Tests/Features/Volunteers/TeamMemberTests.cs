using System.Globalization;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Volunteers;

public sealed class TeamMemberTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task Members_are_listed_by_role_and_those_who_left_only_when_asked_for()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var (leader, core, left) = (await o.Volunteer(), await o.Volunteer(), await o.Volunteer());
        await o.Member(team, leader, "leader");
        await o.Member(team, core, "core");
        await o.Member(team, left, "core");
        (await o.Admin.Delete($"/teams/{team}/members/{left}")).ShouldBe(204);

        Assert.Equal([leader, core], await Ids(""));
        Assert.Equal([core], await Ids("?role=core"));
        Assert.Equal([core, left], await Ids("?role=core&includeLeft=true"));
        Assert.Equal([], await Ids("?role=member"));

        async Task<List<string>> Ids(string query) =>
            [.. (await o.Admin.Get($"/teams/{team}/members{query}")).ShouldBe(200).Items.Select(member => (string)member!["volunteerId"]!)];
    }

    [Fact]
    public async Task A_membership_keeps_its_first_day_and_ends_no_earlier()
    {
        var o = await Given.Organization();
        var (team, person) = (await o.Team(), await o.Volunteer());
        var path = $"/teams/{team}/members/{person}";

        (await o.Admin.Put(path, new { role = "member", joinedOn = "2020-01-02" })).ShouldBe(200);
        var changed = (await o.Admin.Put(path, new { role = "core" })).ShouldBe(200);
        Assert.Equal(("core", "2020-01-02", null), ((string?)changed["role"], (string?)changed["joinedOn"], (string?)changed["leftOn"]));
        (await o.Admin.Put(path, new { role = "core", leftOn = "2020-01-01" })).ShouldRefuse(409, "left_before_joined");

        // Today in Shanghai is tomorrow in UTC from four in the afternoon on.
        var today = DateOnly.FromDateTime(Clock.GetUtcNow().UtcDateTime.AddHours(8));
        (await o.Admin.Delete(path)).ShouldBe(204);
        var left = Assert.Single((await o.Admin.Get($"/teams/{team}/members?includeLeft=true")).Items)!;
        Assert.Equal(today.ToString("O", CultureInfo.InvariantCulture), (string?)left["leftOn"]);
        (await o.Admin.Put(path, new { role = "member" })).ShouldBe(200);
        Assert.Single((await o.Admin.Get($"/teams/{team}/members")).Items);
    }

    [Fact]
    public async Task The_same_person_taken_in_twice_at_once_is_one_member()
    {
        var o = await Given.Organization();
        var (team, person) = (await o.Team(), await o.Volunteer());

        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => o.Admin.Put($"/teams/{team}/members/{person}", new { role = "member" })));

        Assert.All(answers, answer => Assert.True(answer.Status == 200 || answer.Code == "already_a_member", answer.Text));
        Assert.Single((await o.Admin.Get($"/teams/{team}/members?includeLeft=true")).Items);
    }

    [Fact]
    public async Task A_volunteer_sees_the_names_of_the_mates_they_have_now()
    {
        var o = await Given.Organization();
        var (team, otherTeam) = (await o.Team(), await o.Team());
        var me = await o.Volunteer(inTeam: team);
        await o.Volunteer(inTeam: team);
        await o.Volunteer(inTeam: otherTeam);
        var volunteer = await o.SignedInAs(me);

        var mates = (await volunteer.Get($"/teams/{team}/members")).ShouldBe(200);
        Assert.Equal(2, mates.Items.Count);
        Assert.Equal(["joinedOn", "leftOn", "name", "number", "role", "volunteerId"], mates.Items[0]!.AsObject().Select(member => member.Key).Order());
        (await volunteer.Get($"/teams/{otherTeam}/members")).ShouldRefuse(404, "not_found");
        (await volunteer.Put($"/teams/{team}/members/{me}", new { role = "leader" })).ShouldRefuse(403, "forbidden");

        (await o.Admin.Delete($"/teams/{team}/members/{me}")).ShouldBe(204);
        (await volunteer.Get($"/teams/{team}/members")).ShouldRefuse(404, "not_found");
    }

    [Fact]
    public async Task A_team_coordinator_takes_people_into_their_own_teams_only()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var (below, other, person) = (await o.Team(parentTeamId: team), await o.Team(), await o.Volunteer(inTeam: team));
        var coordinator = await o.SignedInWithRole("coordinator", team);

        (await coordinator.Put($"/teams/{below}/members/{person}", new { role = "member" })).ShouldBe(200);
        (await coordinator.Put($"/teams/{other}/members/{person}", new { role = "member" })).ShouldRefuse(404, "not_found");
        (await coordinator.Get($"/teams/{other}/members")).ShouldRefuse(404, "not_found");
        (await coordinator.Delete($"/teams/{below}/members/{person}")).ShouldBe(204);
        (await o.Admin.Put($"/teams/{Guid.NewGuid()}/members/{person}", new { role = "member" })).ShouldRefuse(404, "not_found");
        (await o.Admin.Put($"/teams/{team}/members/{Guid.NewGuid()}", new { role = "member" })).ShouldRefuse(404, "not_found");
    }
}
