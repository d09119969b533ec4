using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Recognition;

public sealed class StarAwardTests(TestDatabases databases) : RecognitionTest(databases)
{
    [Fact]
    public async Task A_star_is_proposed_only_to_who_has_it()
    {
        await Rule(1, 2);
        var volunteer = await OneStar();

        (await Admin.Post("/awards", new { volunteerId = volunteer, name = "Star", level = 2 })).ShouldRefuse(409, "level_not_reached");
        (await Admin.Post("/awards", new { volunteerId = await O.Volunteer(Team), name = "Star", level = 1 })).ShouldRefuse(409, "level_not_reached");
        (await Admin.Post("/awards", new { volunteerId = volunteer, name = "Star", level = 1 })).ShouldBe(201);
    }

    [Fact]
    public async Task A_star_whose_hours_were_taken_back_is_not_confirmed()
    {
        await OnePublicDay(1);
        var volunteer = await O.Volunteer(Team);
        var record = await Give(volunteer, 60);
        var award = await Proposed(volunteer, level: 1);
        (await Step(Admin, award, "publish", new { to = Day(Today) })).ShouldBe(200);
        await NextDay();
        (await Do(Admin, "void", record)).ShouldBe(200);

        (await Step(Admin, award, "confirm")).ShouldRefuse(409, "level_not_reached");
        await Give(volunteer, 60);
        (await Step(Admin, award, "confirm")).ShouldBe(200);
    }

    [Fact]
    public async Task One_live_award_of_a_level_for_each_volunteer_however_many_propose_it()
    {
        await Rule(1);
        var volunteer = await OneStar();
        object one = new { volunteerId = volunteer, name = "Star", level = 1 };

        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => i % 2 == 0 ? Admin.Post("/awards", one) : Admin.Post("/awards/proposals", new { name = "Star" })));

        Assert.Equal(1, await Count("select count(*) from awards where level = 1"));
        Assert.All(answers, answer => Assert.True(answer.Status is 200 or 201 || answer.Code == "star_award_exists", answer.Text));
        (await Admin.Post("/awards", one)).ShouldRefuse(409, "star_award_exists");
        (await Step(Admin, (await Admin.Get("/awards")).Items[0]!["id"]!.ToString(), "withdraw", new { reason = "Wrong" })).ShouldBe(200);
        (await Admin.Post("/awards", one)).ShouldBe(201);
    }

    [Fact]
    public async Task Everybody_who_has_a_level_and_no_award_of_it_is_proposed_at_once()
    {
        await Rule(1, 2);
        var volunteers = await O.Volunteers(4, Team);
        foreach (var volunteer in volunteers[..3]) await Give(volunteer, 60);
        await Give(volunteers[1], 60);
        await Give(volunteers[3], 59);
        await Proposed(volunteers[0], level: 1);

        var proposed = (await Admin.Post("/awards/proposals", new { name = "星级志愿者" })).ShouldBe(200);

        Assert.Equal([(volunteers[1], 2), (volunteers[2], 1)], proposed.Items.Select(item => ((string)item!["volunteerId"]!, (int)item["level"]!)));
        Assert.False((bool)proposed["more"]!);
        Assert.Empty((await Admin.Post("/awards/proposals", new { name = "星级志愿者" })).ShouldBe(200).Items);
        Assert.Equal(3, (await Admin.Get("/awards?status=proposed")).Items.Count);

        // Another level is another award.
        await Give(volunteers[0], 60);
        Assert.Empty((await Admin.Post("/awards/proposals", new { name = "星级志愿者", level = 1 })).ShouldBe(200).Items);
        Assert.Equal(volunteers[0], (string?)Assert.Single((await Admin.Post("/awards/proposals", new { name = "星级志愿者", level = 2 })).ShouldBe(200).Items)!["volunteerId"]);
    }

    [Fact]
    public async Task Another_organizations_stars_are_not_proposed()
    {
        await Rule(1);
        await OneStar();
        var elsewhere = await Given.AnotherOrganization();

        Assert.Empty((await elsewhere.Admin.Post("/awards/proposals", new { name = "Star" })).ShouldBe(200).Items);
    }
}
