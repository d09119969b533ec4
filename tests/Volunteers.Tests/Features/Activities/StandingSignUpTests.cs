using System.Text.Json.Nodes;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Activities;

public sealed class StandingSignUpTests(TestDatabases databases) : SeriesTest(databases)
{
    [Fact]
    public async Task Whoever_comes_to_every_occurrence_has_a_place_on_each()
    {
        var series = await Plan(("shifts", new JsonArray(new JsonObject { ["name"] = "东", ["capacity"] = 1 }, new JsonObject { ["name"] = "西" })));
        var (first, second) = (await O.Volunteer(Team), await O.Volunteer(Team));
        var self = await O.SignedInAs(second);

        var answer = (await Admin.Post($"/series/{series.Id}/sign-ups", new { volunteerId = first })).ShouldBe(201);
        var waiting = (await self.Post($"/series/{series.Id}/sign-ups", new { })).ShouldBe(201);

        Assert.Equal(Enumerable.Repeat("confirmed", 12), Results(answer));
        Assert.Equal(Enumerable.Repeat("waitlisted", 12), Results(waiting));
        Assert.Equal(Days(await Occurrences(series.Id)), answer["occurrences"]!.AsArray().Select(r => ((string)r!["startsAt"]!)[..10]));
        Assert.All(await Occurrences(series.Id), a => Assert.Contains(answer["occurrences"]!.AsArray(), r => (string?)r!["activityId"] == Id(a)));
        Assert.Equal([first, second], (await Admin.Get($"/series/{series.Id}/sign-ups")).Items.Select(s => (string)s!["volunteerId"]!));
        Assert.Equal([second], (await self.Get($"/series/{series.Id}/sign-ups")).Items.Select(s => (string)s!["volunteerId"]!));
        (await self.Post($"/series/{series.Id}/sign-ups", new { shiftName = "西" })).ShouldRefuse(409, "already_comes_to_all");
        (await self.Post($"/series/{series.Id}/sign-ups", new { volunteerId = first })).ShouldRefuse(403, "only_own_sign_up");
        (await Admin.Post($"/series/{series.Id}/sign-ups", new { volunteerId = first, shiftName = "北" })).ShouldRefuse(404, "shift_not_found");
        (await Admin.Post($"/series/{series.Id}/sign-ups", new { volunteerId = Guid.NewGuid() })).ShouldRefuse(404, "volunteer_not_found");
    }

    [Fact]
    public async Task A_refusal_concerns_one_occurrence_alone()
    {
        var series = await Plan();
        var volunteer = await O.Volunteer(Team);
        var other = await O.Activity(Team, "2037-04-10T18:00:00+08:00", "2037-04-10T20:00:00+08:00");
        var shift = (await Admin.Post($"/activities/{other}/shifts", new { name = "a" })).ShouldBe(201).Id;
        (await Admin.Post($"/shifts/{shift}/sign-ups", new { volunteerId = volunteer })).ShouldBe(201);
        (await Admin.Post($"/activities/{Id(await On(series.Id, "2037-04-17"))}/cancel", new { reason = "雨" })).ShouldBe(200);

        var answer = (await Admin.Post($"/series/{series.Id}/sign-ups", new { volunteerId = volunteer })).ShouldBe(201);

        Assert.Equal(["2037-04-10"], answer["occurrences"]!.AsArray().Where(r => (string?)r!["code"] == "shift_clash" && (string?)r["result"] == "refused").Select(r => ((string)r!["startsAt"]!)[..10]));
        Assert.Equal(10, Results(answer).Count(result => result == "confirmed"));
        Assert.Equal(11, Results(answer).Length);
    }

    [Fact]
    public async Task Those_who_come_to_all_are_on_what_is_made_later_in_their_order()
    {
        var series = await Plan(("recurrence", "FREQ=WEEKLY;BYDAY=FR"), ("shifts", new JsonArray(new JsonObject { ["name"] = "东", ["capacity"] = 2 })));
        var volunteers = await O.Volunteers(3, Team);
        foreach (var volunteer in volunteers) (await Admin.Post($"/series/{series.Id}/sign-ups", new { volunteerId = volunteer })).ShouldBe(201);

        await MoveTo("2037-04-11T10:00:00+08:00");
        await CarryOn(Host);

        var made = (await Occurrences(series.Id))[^1];
        Assert.Equal("2037-07-03", (string?)made["occurrenceOn"]);
        var signUps = (await Admin.Get($"/shifts/{Id((await ShiftsOf(made))[0])}/sign-ups")).ShouldBe(200).Items;
        Assert.Equal(volunteers.Zip(["confirmed", "confirmed", "waitlisted"]), signUps.Select(s => ((string)s!["volunteerId"]!, (string)s["status"]!)));
        Assert.All(signUps, s => Assert.Equal("series", (string?)s!["source"]));
    }

    [Fact]
    public async Task Who_no_longer_comes_to_all_gives_back_what_is_still_to_come_and_the_next_moves_up()
    {
        var series = await Plan(("shifts", new JsonArray(new JsonObject { ["name"] = "东", ["capacity"] = 1, ["cancelClosesMinutesBefore"] = 2880 })));
        var (first, second) = (await O.Volunteer(Team), await O.Volunteer(Team));
        var (login, _) = await O.Account(first);
        var (self, other) = ((await Host.SignIn(login, Given.Password)).At(O.Path), await O.SignedInAs(second));
        (await self.Post($"/series/{series.Id}/sign-ups", new { })).ShouldBe(201);
        (await other.Post($"/series/{series.Id}/sign-ups", new { })).ShouldBe(201);
        (await other.Delete($"/series/{series.Id}/sign-ups/{first}")).ShouldBe(404);

        // Two days before the first of them a volunteer may no longer give back by themselves.
        await MoveTo("2037-04-02T10:00:00+08:00");
        self = (await Host.SignIn(login, Given.Password)).At(O.Path);
        (await self.Delete($"/series/{series.Id}/sign-ups/{first}")).ShouldBe(204);

        var shifts = await Task.WhenAll((await Occurrences(series.Id)).Select(async a => Id((await ShiftsOf(a))[0])));
        Assert.Equal((first, "confirmed"), await Holder(shifts[0]));
        foreach (var shift in shifts[1..]) Assert.Equal((second, "confirmed"), await Holder(shift));
        (await self.Delete($"/series/{series.Id}/sign-ups/{first}")).ShouldBe(404);
        Assert.Equal([second], (await Admin.Get($"/series/{series.Id}/sign-ups")).Items.Select(s => (string)s!["volunteerId"]!));

        async Task<(string, string)> Holder(string shift)
        {
            var holder = (await Admin.Get($"/shifts/{shift}/sign-ups?status=confirmed")).Items.Single()!;
            return ((string)holder["volunteerId"]!, (string)holder["status"]!);
        }
    }

    [Fact]
    public async Task Who_left_the_organization_or_the_team_no_longer_comes_to_all()
    {
        var series = await Plan(("recurrence", "FREQ=WEEKLY;BYDAY=FR"));
        var below = await O.Team(parentTeamId: Team);
        var (stays, leaves, changesTeam) = (await O.Volunteer(Team), await O.Volunteer(Team), await O.Volunteer(Team));
        await O.Member(below, stays);
        foreach (var volunteer in new[] { stays, leaves, changesTeam }) (await Admin.Post($"/series/{series.Id}/sign-ups", new { volunteerId = volunteer })).ShouldBe(201);

        (await Admin.Patch($"/volunteers/{leaves}", new { status = "left" })).ShouldBe(200);
        foreach (var volunteer in new[] { stays, changesTeam }) (await Admin.Delete($"/teams/{Team}/members/{volunteer}")).ShouldBe(204);
        Assert.Equal([stays], (await Admin.Get($"/series/{series.Id}/sign-ups")).Items.Select(s => (string)s!["volunteerId"]!));

        // Nobody is signed up for what they have long forgotten because they came back.
        (await Admin.Patch($"/volunteers/{leaves}", new { status = "active" })).ShouldBe(200);
        await O.Member(Team, changesTeam);
        await MoveTo("2037-04-11T10:00:00+08:00");
        await CarryOn(Host);
        Assert.Equal([stays], await Signed((await Occurrences(series.Id))[^1]));
    }

    [Fact]
    public async Task A_shift_that_gets_another_name_keeps_who_comes_to_it()
    {
        var series = await Plan(("recurrence", "FREQ=WEEKLY;BYDAY=FR"), ("shifts", new JsonArray(new JsonObject { ["name"] = "东" }, new JsonObject { ["name"] = "西" })));
        var (first, second) = (await O.Volunteer(Team), await O.Volunteer(Team));
        (await Admin.Post($"/series/{series.Id}/sign-ups", new { volunteerId = first, shiftName = "东" })).ShouldBe(201);
        (await Admin.Post($"/series/{series.Id}/sign-ups", new { volunteerId = second, shiftName = "西" })).ShouldBe(201);

        (await Admin.Patch($"/series/{series.Id}", new { shifts = new[] { new { name = "西" }, new { name = "东门" } } })).ShouldBe(200);

        Assert.Equal(["东门", "西"], (await Admin.Get($"/series/{series.Id}/sign-ups")).Items.Select(s => (string)s!["shiftName"]!));
        await MoveTo("2037-04-11T10:00:00+08:00");
        await CarryOn(Host);
        var made = (await ShiftsOf((await Occurrences(series.Id))[^1])).ToDictionary(shift => (string)shift["name"]!, Id);
        Assert.Equal(first, (string?)Assert.Single((await Admin.Get($"/shifts/{made["东门"]}/sign-ups")).Items)!["volunteerId"]);
        Assert.Equal(second, (string?)Assert.Single((await Admin.Get($"/shifts/{made["西"]}/sign-ups")).Items)!["volunteerId"]);
    }

    private async Task<string[]> Signed(JsonNode activity) =>
        [.. (await Admin.Get($"/shifts/{Id((await ShiftsOf(activity))[0])}/sign-ups")).ShouldBe(200).Items.Select(s => (string)s!["volunteerId"]!)];

    private static string[] Results(Answer answer) => [.. answer["occurrences"]!.AsArray().Select(r => (string)r!["result"]!)];
}
