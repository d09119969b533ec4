using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Recognition;

public sealed class StarTests(TestDatabases databases) : RecognitionTest(databases)
{
    [Fact]
    public async Task The_first_star_comes_with_the_last_minute_of_a_hundred_hours()
    {
        var volunteer = await O.Volunteer(Team);
        for (var i = 0; i < 8; i++) await Give(volunteer, 720);
        await Give(volunteer, 239);
        Assert.Empty((await Stars()).Items);
        await NextDay();
        await Give(volunteer, 1);

        var stars = await Stars();

        var star = Assert.Single(stars.Items)!;
        Assert.Equal((1, Day(Today), 6000, 2, 12_000), ((int)star["level"]!, (string?)star["reachedOn"], (int)star["countedMinutes"]!, (int)star["nextLevel"]!, (int)star["missingMinutes"]!));
        Assert.Equal((10, Day(Today), 0), ((int)stars["asOf"]!["position"]!, (string?)stars["asOf"]!["day"], (int)stars["ruleVersion"]!));
    }

    [Fact]
    public async Task A_correction_takes_a_level_back_from_its_day_on_and_leaves_earlier_days()
    {
        await Rule(1, 2);
        var volunteer = await O.Volunteer(Team);
        var record = await Give(volunteer, 60);
        var (first, before) = (Today, await Stars($"?asOf={Day(Today)}"));
        Assert.Equal((1, Day(first)), Reached(before)[volunteer]);

        await NextDay();
        (await Do(Admin, "correct", record, new { reason = "Shorter.", minutes = 59 })).ShouldBe(200);

        Assert.Empty((await Stars()).Items);
        Assert.Equal(before.Text, (await Stars($"?asOf={Day(first)}")).Text);
        Assert.Equal(before.Text, (await Stars("?asOf=1")).Text);
        Assert.Empty((await Stars($"?asOf={Day(first.AddDays(-1))}")).Items);

        await NextDay();
        await Give(volunteer, 61);
        Assert.Equal((2, Day(Today)), Reached(await Stars())[volunteer]);
    }

    [Fact]
    public async Task A_correction_above_the_threshold_does_not_move_the_day()
    {
        await Rule(1);
        var volunteer = await O.Volunteer(Team);
        var record = await Give(volunteer, 90);
        var first = Today;
        await NextDay();

        // It is posted back whole and in again, within one day.
        (await Do(Admin, "correct", record, new { reason = "Shorter.", minutes = 80 })).ShouldBe(200);

        Assert.Equal((1, Day(first)), Reached(await Stars())[volunteer]);
    }

    [Fact]
    public async Task A_day_that_is_over_says_the_same_whatever_becomes_of_profile_rule_and_zone()
    {
        (await Admin.Post("/star-rules", new { levels = new[] { new { level = 1, hours = 1, monthsRegistered = 2 } } })).ShouldBe(201);
        var first = Today;
        var volunteer = (await Admin.Post("/volunteers", new { name = "王明", joinedOn = Day(first.AddMonths(-2)) })).ShouldBe(201).Id;
        await O.Member(Team, volunteer);
        await Give(volunteer, 60);
        await NextDay(2);
        var (ofDay, ofPosition, dayBefore) = (await Stars($"?asOf={Day(first)}"), await Stars("?asOf=1"), await Stars($"?asOf={Day(first.AddDays(-1))}"));
        Assert.Equal((1, Day(first)), Reached(ofDay)[volunteer]);

        (await Admin.Patch($"/volunteers/{volunteer}", new { name = "王小明", number = "X-77", joinedOn = Day(Today) })).ShouldBe(200);
        (await Admin.Post("/star-rules", new { levels = Levels(2) })).ShouldBe(201);
        // Noon here is the evening before there.
        (await Admin.Patch("", new { timeZone = "America/Los_Angeles" })).ShouldBe(200);
        await NextDay();

        Assert.Empty((await Stars()).Items);
        Assert.Equal(ofDay.Text, (await Stars($"?asOf={Day(first)}")).Text);
        Assert.Equal(ofPosition.Text, (await Stars("?asOf=1")).Text);
        Assert.Equal(dayBefore.Text, (await Stars($"?asOf={Day(first.AddDays(-1))}")).Text);
        (await Admin.Patch($"/volunteers/{volunteer}", new { joinedOn = "2020-01-01" })).ShouldBe(200);
        Assert.Equal(ofDay.Text, (await Stars($"?asOf={Day(first)}")).Text);
    }

    [Fact]
    public async Task A_rule_made_later_on_the_same_day_changes_nothing_of_a_position_before_it()
    {
        await Rule(1);
        var volunteer = await OneStar();
        var before = await Stars("?asOf=1");
        await Host.Later(TimeSpan.FromHours(1));

        await Rule(2);

        Assert.Equal((1, Day(Today)), Reached(before)[volunteer]);
        Assert.Equal(before.Text, (await Stars("?asOf=1")).Text);
        Assert.Empty((await Stars()).Items);
    }

    [Fact]
    public async Task Only_the_evidence_that_the_rule_names_counts()
    {
        (await Admin.Post("/star-rules", new { levels = Levels(1), evidence = new[] { "self" } })).ShouldBe(201);
        var volunteer = await OneStar();
        Assert.Empty((await Stars()).Items);
        var self = await O.SignedInAs(volunteer);

        var own = (await Record(self, volunteer, At("08:00"), At("10:00"))).ShouldBe(201).Id;
        (await Do(Admin, "approve", own)).ShouldBe(200);

        var star = Assert.Single((await Stars()).Items)!;
        Assert.Equal((120, """[{"evidence":"self","minutes":120}]"""), ((int)star["countedMinutes"]!, star["byEvidence"]!.ToJsonString()));
        var summary = (await self.Get($"/volunteers/{volunteer}/summary")).ShouldBe(200);
        Assert.Equal((180, 120, 1), (Number(summary, "minutes"), (int)summary["stars"]!["countedMinutes"]!, (int)summary["stars"]!["level"]!));

        await Rule(1);
        Assert.Equal("""[{"evidence":"coordinator","minutes":60},{"evidence":"self","minutes":120}]""", Assert.Single((await Stars()).Items)!["byEvidence"]!.ToJsonString());
    }

    [Fact]
    public async Task A_level_waits_for_its_months_of_registration()
    {
        (await Admin.Post("/star-rules", new { levels = new[] { new { level = 1, hours = 1, monthsRegistered = 1 } } })).ShouldBe(201);
        var joined = Today;
        var volunteer = await OneStar();
        var summary = (await Admin.Get($"/volunteers/{volunteer}/summary"))["stars"]!;
        Assert.Equal((0, 0, 1, null), ((int)summary["level"]!, (int)summary["missingMinutes"]!, (int)summary["missingMonths"]!, summary["reachedOn"]));
        var waiting = await Stars("?level=0");
        Assert.Equal((0, null), Reached(waiting)[volunteer]);
        Assert.Equal((Day(joined), 0, 1), ((string?)waiting.Items[0]!["joinedOn"], (int)waiting.Items[0]!["missingMinutes"]!, (int)waiting.Items[0]!["missingMonths"]!));

        var complete = joined.AddMonths(1);
        await NextDay(complete.DayNumber - joined.DayNumber + 3);

        Assert.Equal((1, Day(complete)), Reached(await Stars())[volunteer]);
        Assert.Empty((await Stars($"?asOf={Day(complete.AddDays(-1))}")).Items);
        Assert.Equal((1, Day(complete)), Reached(await Stars($"?asOf={Day(complete)}"))[volunteer]);
    }

    [Fact]
    public async Task A_rule_holds_from_its_day_on_and_moves_no_date_of_a_level_it_leaves_alone()
    {
        await Rule(1, 2);
        var volunteers = await O.Volunteers(2, Team);
        await Give(volunteers[0], 60);
        await Give(volunteers[1], 120);
        var first = Today;
        (await Admin.Post("/star-rules", new { levels = Levels(1, 3), effectiveFrom = Day(first.AddDays(2)) })).ShouldBe(201);
        (await Admin.Post("/star-rules", new { levels = new[] { new { level = 1, hours = 1 } }, effectiveFrom = Day(first.AddDays(4)), publicityDays = 3 })).ShouldBe(201);
        (await Admin.Post("/star-rules", new { levels = Levels(2), effectiveFrom = Day(first.AddDays(6)) })).ShouldBe(201);
        await NextDay(7);

        Assert.Equal((2, Day(first)), Reached(await Stars($"?asOf={Day(first.AddDays(1))}"))[volunteers[1]]);
        Assert.Equal((1, Day(first)), Reached(await Stars($"?asOf={Day(first.AddDays(2))}"))[volunteers[1]]);
        Assert.Equal((1, Day(first)), Reached(await Stars($"?asOf={Day(first.AddDays(5))}"))[volunteers[0]]);
        Assert.Equal((1, Day(first.AddDays(6))), Assert.Single(Reached(await Stars())).Value);
    }

    [Fact]
    public async Task The_pages_that_follow_show_the_ledger_of_the_first()
    {
        await Rule(1, 2);
        var volunteers = await O.Volunteers(3, Team);
        foreach (var volunteer in volunteers) await Give(volunteer, volunteer == volunteers[1] ? 120 : 60);

        var first = await Stars("?limit=1");
        var link = first.Header("Link")!;
        await Give(volunteers[2], 60);
        (await Admin.Patch($"/volunteers/{volunteers[0]}", new { number = "Z-9", name = "Renamed" })).ShouldBe(200);
        var second = await Stars($"?limit=1&cursor={(string?)first["next"]}");
        var third = await Stars($"?limit=1&cursor={(string?)second["next"]}");

        Assert.Equal([(volunteers[1], 2), (volunteers[0], 1), (volunteers[2], 1)],
            new[] { first, second, third }.Select(page => ((string)Assert.Single(page.Items)!["volunteerId"]!, (int)page.Items[0]!["level"]!)));
        Assert.NotEqual("Renamed", (string?)second.Items[0]!["name"]);
        Assert.Null(third["next"]);
        Assert.Contains((string)first["next"]!, link, StringComparison.Ordinal);
        Assert.Equal(2, (await Stars("?level=2")).Items.Count);
    }

    [Fact]
    public async Task A_team_coordinator_sees_the_members_of_their_teams_with_all_their_hours()
    {
        await Rule(1);
        var other = await O.Team();
        var (member, stranger) = (await O.Volunteer(other), await OneStar());
        await O.Member(Team, member);
        await Give(member, 60);
        var coordinator = await O.SignedInWithRole("coordinator", other);

        Assert.Equal([member], Reached(await Stars(by: coordinator)).Keys);
        Assert.Empty((await Stars($"?team={Team}&level=0", coordinator)).Items);
        Assert.Equal([member], Reached(await Stars($"?team={other}")).Keys);
        Assert.Equal(2, (await Stars(by: await O.SignedInWithRole("auditor"))).Items.Count);
        Assert.Empty((await (await Given.AnotherOrganization()).Admin.Get($"/stars?team={Team}")).ShouldBe(200).Items);

        (await Admin.Delete($"/teams/{other}/members/{member}")).ShouldBe(204);
        Assert.Empty((await Stars(by: coordinator)).Items);
        Assert.Contains(stranger, Reached(await Stars()).Keys);
    }

    [Theory]
    [InlineData("asOf=", "/asOf")]
    [InlineData("asOf=-1", "/asOf")]
    [InlineData("asOf=2026-02-30", "/asOf")]
    [InlineData("asOf=2026-06-01T00:00:00Z", "/asOf")]
    [InlineData("asOf=99999999999999999999", "/asOf")]
    [InlineData("level=11", "/level")]
    [InlineData("level=-1", "/level")]
    [InlineData("limit=0", "/limit")]
    [InlineData("limit=201", "/limit")]
    [InlineData("cursor=e30", "/cursor")]
    [InlineData("cursor=bnVsbA", "/cursor")]
    [InlineData("cursor=x", "/cursor")]
    [InlineData("stars=1", "/stars")]
    public async Task What_cannot_be_asked_is_refused_by_name(string query, string at)
    {
        var answer = (await Admin.Get($"/stars?{query}")).ShouldBe(400);

        Assert.Equal([at], answer["errors"]!.AsObject().Select(error => error.Key));
    }

    [Theory]
    [InlineData("""{"level":1,"number":"x","point":{"position":1,"day":"2026-06-01","at":"2026-06-01T00:00:00+08:00"}}""", 200)]
    [InlineData("""{"level":1,"number":"x","point":{"position":-1,"day":"9999-12-31","at":"9999-12-31T23:59:59Z"}}""", 400)]
    [InlineData("""{"level":1,"number":"x","point":{"position":1,"day":"2199-12-31","at":"1970-01-01T00:00:00Z"}}""", 200)]
    [InlineData("""{"level":1,"number":"x\u0000","point":{"position":1,"day":"2026-06-01","at":"2026-06-01T00:00:00Z"}}""", 400)]
    [InlineData("""{"level":1,"number":"x"}""", 400)]
    public async Task A_cursor_that_somebody_wrote_themselves_harms_nothing(string cursor, int status) =>
        (await Admin.Get($"/stars?level=0&cursor={WebEncoders.Base64UrlEncode(Encoding.UTF8.GetBytes(cursor))}")).ShouldBe(status);

    [Fact]
    public async Task What_lies_ahead_is_not_known()
    {
        (await Admin.Get($"/stars?asOf={Day(Today.AddDays(1))}")).ShouldRefuse(409, "beyond_ledger_end");
        (await Admin.Get("/stars?asOf=1")).ShouldRefuse(409, "beyond_ledger_end");
        Assert.Empty((await Stars("?asOf=0")).Items);
        Assert.Empty((await Stars("?asOf=1900-01-01")).Items);
    }
}
