using Volunteers.Features.Recognition;
using Volunteers.Features.Reports;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reports;

public sealed class VolunteerSummaryTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task It_sums_up_all_credited_service_of_one_person()
    {
        var scenario = await LedgerScenario.Make(Given);
        var o = scenario.Organization;

        var summary = (await o.Admin.Get($"/volunteers/{scenario.Volunteers[0]}/summary")).ShouldBe(200);

        Assert.Equal(
            $$$"""
            {"volunteerId":"{{{scenario.Volunteers[0]}}}","personTimes":2,"minutes":200,"hours":3.33,
            "byEvidence":[{"evidence":"coordinator","personTimes":1,"minutes":150,"hours":2.50},{"evidence":"self","personTimes":1,"minutes":50,"hours":0.83}],
            "byYear":[{"year":2026,"personTimes":2,"minutes":200,"hours":3.33}],
            "stars":{"level":0,"reachedOn":null,"ruleVersion":0,"countedMinutes":200,"nextLevel":1,"missingMinutes":5800,"missingHours":96.67,"missingMonths":0}}
            """.Replace("\n", "", StringComparison.Ordinal), summary.Text);
        var newYear = await o.Admin.Get($"/volunteers/{scenario.Volunteers[2]}/summary");
        Assert.Equal([2025, 2026], newYear["byYear"]!.AsArray().Select(year => (int)year!["year"]!));
    }

    [Fact]
    public async Task Somebody_without_service_has_an_empty_summary()
    {
        var o = await Given.Organization();

        var summary = (await o.Admin.Get($"/volunteers/{await o.Volunteer()}/summary")).ShouldBe(200);

        Assert.Equal("0.00", summary["hours"]!.ToJsonString());
        Assert.Empty(summary["byEvidence"]!.AsArray());
        Assert.Empty(summary["byYear"]!.AsArray());
    }

    [Fact]
    public async Task It_is_for_the_volunteer_and_those_who_see_their_profile()
    {
        var o = await Given.Organization();
        var (team, other) = (await o.Team(), await o.Team());
        var volunteers = await o.Volunteers(2, inTeam: team);
        var self = await o.SignedInAs(volunteers[0]);

        (await self.Get($"/volunteers/{volunteers[0]}/summary")).ShouldBe(200);
        (await self.Get($"/volunteers/{volunteers[1]}/summary")).ShouldRefuse(404, "not_found");
        (await (await o.SignedInWithRole("coordinator", team)).Get($"/volunteers/{volunteers[0]}/summary")).ShouldBe(200);
        (await (await o.SignedInWithRole("coordinator", other)).Get($"/volunteers/{volunteers[0]}/summary")).ShouldRefuse(404, "not_found");
        (await (await o.SignedInWithRole("auditor")).Get($"/volunteers/{volunteers[0]}/summary")).ShouldBe(200);
        (await (await Given.AnotherOrganization()).Admin.Get($"/volunteers/{volunteers[0]}/summary")).ShouldRefuse(404, "not_found");
    }

    [Fact]
    public async Task Stars_follow_the_organizations_own_rule()
    {
        var o = await Given.Organization();
        (await o.Admin.Post("/star-rules", new { levels = new[] { new { level = 1, hours = 1 }, new { level = 2, hours = 3 } } })).ShouldBe(201);
        var team = await o.Team();
        var volunteer = await o.Volunteer(inTeam: team);
        await o.Record(await o.Activity(team), volunteer, "2026-06-07T14:30:00+08:00", "2026-06-07T16:29:00+08:00");

        var stars = (await o.Admin.Get($"/volunteers/{volunteer}/summary")).ShouldBe(200)["stars"]!;

        Assert.NotNull(stars["reachedOn"]);
        stars.AsObject().Remove("reachedOn");
        Assert.Equal(
            """{"level":1,"ruleVersion":1,"countedMinutes":119,"nextLevel":2,"missingMinutes":61,"missingHours":1.02,"missingMonths":0}""", stars.ToJsonString());
    }

    [Theory]
    [InlineData(0, 0, 1, 6000L)]
    [InlineData(5999, 0, 1, 1L)]
    [InlineData(6000, 1, 2, 12000L)]
    [InlineData(89_999, 4, 5, 1L)]
    [InlineData(90_000, 5, null, null)]
    public void What_is_missing_is_counted_in_minutes_and_not_by_rounding(long minutes, int level, int? next, long? missing)
    {
        var day = new DateOnly(2026, 6, 7);
        var standing = new StarStanding(Guid.NewGuid(), "1", "Somebody", day, level, null, minutes, []);

        var stars = Stars.Of(standing, day, StarRule.Default, day);

        Assert.Equal((level, next, missing), (stars.Level, stars.NextLevel, stars.MissingMinutes));
    }
}
