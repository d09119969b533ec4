using System.Globalization;
using System.Text.Json.Nodes;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

public sealed class MyHoursTests(TestDatabases databases) : AttendanceTest(databases)
{
    [Fact]
    public async Task Ones_own_hours_of_all_organizations_by_evidence_and_what_still_waits()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        var (here, other) = (await SignedUp(), await Given.AnotherOrganization());
        var (login, account) = await O.Account(here);
        var otherTeam = await other.Team();
        var there = await other.Volunteer(otherTeam);
        (await other.Admin.Put($"/roles/{account}", new { roles = new[] { new { role = "volunteer", volunteerId = there } } })).ShouldBe(200);
        await O.Record(Activity, here, At("08:00"), At("09:00"));
        await O.Record(Activity, await O.Volunteer(Team), At("08:00"), At("09:00"));
        var elsewhere = await other.Record(await other.Activity(otherTeam), there, At("08:00"), At("08:50"));
        await Stay(here, 0, 45);
        var self = await Host.SignIn(login, Given.Password);
        (await Record(self.At(O.Path), here, At("10:00"), At("10:20"))).ShouldBe(201);

        var hours = (await self.Get("/v1/me/hours")).ShouldBe(200);

        Assert.Equal((155, 3, 20), (Number(hours, "grossMinutes"), Number(hours, "personTimes"), Number(hours, "minutesWaiting")));
        var (mine, theirs) = (Of(hours, O.Id), Of(hours, other.Id));
        Assert.Equal((here, 105, 2, 20), Line(mine));
        Assert.Equal((there, 50, 1, 0), Line(theirs));
        Assert.Equal([("attendance", 45), ("coordinator", 60)], ByEvidence(mine));
        Assert.Equal([("coordinator", 50)], ByEvidence(theirs));

        (await other.Admin.Post($"/service-records/{elsewhere}/void", new { reason = "Not there." })).ShouldBe(200);
        Assert.Empty(ByEvidence(Of(await self.Get("/v1/me/hours"), other.Id)));
    }

    [Fact]
    public async Task What_two_organizations_credit_for_the_same_time_counts_once()
    {
        var (here, other) = (await O.Volunteer(Team), await Given.AnotherOrganization());
        var (login, account) = await O.Account(here);
        var otherTeam = await other.Team();
        var there = await other.Volunteer(otherTeam);
        (await other.Admin.Put($"/roles/{account}", new { roles = new[] { new { role = "volunteer", volunteerId = there } } })).ShouldBe(200);
        await O.Record(Activity, here, At("08:00"), At("10:00"));
        await O.Record(Activity, here, At("12:00"), At("13:00"));
        var elsewhere = await other.Record(await other.Activity(otherTeam), there, At("09:30"), At("11:00"));
        var self = await Host.SignIn(login, Given.Password);

        var hours = (await self.Get("/v1/me/hours")).ShouldBe(200);

        Assert.Equal((270, 30, 240), (Number(hours, "grossMinutes"), Number(hours, "overlapMinutes"), Number(hours, "netMinutes")));
        var overlap = Assert.Single(hours["overlaps"]!.AsArray())!;
        Assert.Equal((30, Instant(At("08:00")), Instant(At("11:00"))),
            ((int)overlap["minutes"]!, Instant((string)overlap["startsAt"]!), Instant((string)overlap["endsAt"]!)));
        Assert.Equal([O.Id, other.Id], overlap["records"]!.AsArray().Select(record => (string)record!["organizationId"]!));
        Assert.Equal(elsewhere, (string)overlap["records"]![1]!["recordId"]!);

        (await other.Admin.Post($"/service-records/{elsewhere}/correct", new { reason = "Came later.", startsAt = At("10:00") })).ShouldBe(200);
        hours = (await self.Get("/v1/me/hours")).ShouldBe(200);
        Assert.Equal((240, 0, 240), (Number(hours, "grossMinutes"), Number(hours, "overlapMinutes"), Number(hours, "netMinutes")));
        Assert.Empty(hours["overlaps"]!.AsArray());
    }

    [Fact]
    public async Task Of_three_organizations_that_overlap_in_a_chain_each_minute_of_the_clock_counts_once()
    {
        var (mine, self) = await VolunteerOf(3);
        await mine[0].Record("08:00", "10:00");
        await mine[1].Record("09:30", "11:30");
        await mine[2].Record("11:00", "12:00");
        // All three at once, and one that stands alone.
        foreach (var (at, minutes) in new[] { (0, 60), (1, 45), (2, 30) }) await mine[at].Record("14:00", "15:00", minutes);
        await mine[2].Record("15:00", "15:30");

        var hours = (await self.Get("/v1/me/hours")).ShouldBe(200);

        Assert.Equal((465, 30 + 30 + 75, 330), (Number(hours, "grossMinutes"), Number(hours, "overlapMinutes"), Number(hours, "netMinutes")));
        Assert.Equal([(60, 3), (75, 3)], hours["overlaps"]!.AsArray().Select(overlap => ((int)overlap!["minutes"]!, overlap["records"]!.AsArray().Count)));
        Assert.Equal([180, 165, 120], mine.Select(one => (int)Of(hours, one.Organization.Id)["minutes"]!));
    }

    [Fact]
    public async Task Hours_given_where_one_has_left_since_are_still_ones_own()
    {
        var (mine, self) = await VolunteerOf(2);
        await mine[0].Record("08:00", "10:00");
        await mine[1].Record("09:00", "10:00");
        var (left, account) = (mine[1].Organization.Admin, (string)(await self.Get("/v1/me")).ShouldBe(200)["id"]!);

        (await left.Patch($"/volunteers/{mine[1].Volunteer}", new { status = "left" })).ShouldBe(200);
        (await left.Delete($"/roles/{account}")).ShouldBe(204);

        var hours = (await self.Get("/v1/me/hours")).ShouldBe(200);
        Assert.Equal((180, 60, 120), (Number(hours, "grossMinutes"), Number(hours, "overlapMinutes"), Number(hours, "netMinutes")));
    }

    [Fact]
    public async Task What_is_read_while_hours_are_booked_is_of_one_moment()
    {
        var (mine, self) = await VolunteerOf(2);
        await mine[0].Record("08:00", "09:00");
        using var done = new CancellationTokenSource();
        var booking = BookAndVoid();

        // Whether the second organization credits the hour or not: it is one hour of the clock.
        while (!done.IsCancellationRequested)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => self.Get("/v1/me/hours")));
            Assert.All(answers, answer => Assert.Equal(60, Number(answer.ShouldBe(200), "netMinutes")));
        }
        await booking;

        async Task BookAndVoid()
        {
            for (var i = 0; i < 25; i++)
            {
                var record = await mine[1].Record("08:00", "09:00");
                (await mine[1].Organization.Admin.Post($"/service-records/{record}/void", new { reason = "Not there." })).ShouldBe(200);
            }
            await done.CancelAsync();
        }
    }

    [Fact]
    public async Task Who_is_a_volunteer_nowhere_has_no_hours_and_who_is_nobody_is_not_let_in()
    {
        var hours = (await (await Given.Operator()).Get("/v1/me/hours")).ShouldBe(200);

        Assert.Equal((0, 0), (hours["organizations"]!.AsArray().Count, Number(hours, "grossMinutes")));
        (await Host.Anonymous.Get("/v1/me/hours")).ShouldBe(401);
    }

    [Fact]
    public async Task Nobody_is_two_volunteers_of_one_organization()
    {
        var (_, account) = await O.Account(await O.Volunteer());

        var answer = await Admin.Put($"/roles/{account}",
            new { roles = new[] { new { role = "volunteer", volunteerId = await O.Volunteer() }, new { role = "volunteer", volunteerId = await O.Volunteer() } } });

        Assert.InRange(answer.Status, 400, 409);
    }

    /// <summary>One account that is a volunteer in so many organizations, each with an activity.</summary>
    private async Task<(Membership[] Mine, Api Self)> VolunteerOf(int organizations)
    {
        var mine = new List<Membership> { new(O, await O.Volunteer(Team), Activity) };
        var (login, account) = await O.Account(mine[0].Volunteer);
        while (mine.Count < organizations)
        {
            var other = await Given.AnotherOrganization();
            var team = await other.Team();
            mine.Add(new Membership(other, await other.Volunteer(team), await other.Activity(team)));
            (await other.Admin.Put($"/roles/{account}", new { roles = new[] { new { role = "volunteer", volunteerId = mine[^1].Volunteer } } })).ShouldBe(200);
        }
        return ([.. mine], await Host.SignIn(login, Given.Password));
    }

    private sealed record Membership(OrganizationSteps Organization, string Volunteer, string Activity)
    {
        public async Task<string> Record(string from, string to, int? minutes = null) => (await Organization.Admin.Post("/service-records",
            new { volunteerId = Volunteer, activityId = Activity, startsAt = At(from), endsAt = At(to), minutes })).ShouldBe(201).Id;
    }

    private static DateTimeOffset Instant(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    private static JsonNode Of(Answer hours, string organization) =>
        hours["organizations"]!.AsArray().Single(line => (string?)line!["organizationId"] == organization)!;

    private static (string?, int, int, int) Line(JsonNode line) =>
        ((string?)line["volunteerId"], (int)line["minutes"]!, (int)line["personTimes"]!, (int)line["minutesWaiting"]!);

    private static IEnumerable<(string, int)> ByEvidence(JsonNode line) =>
        line["byEvidence"]!.AsArray().Select(e => ((string)e!["evidence"]!, (int)e["minutes"]!));
}
