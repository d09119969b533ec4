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

    private static DateTimeOffset Instant(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    private static JsonNode Of(Answer hours, string organization) =>
        hours["organizations"]!.AsArray().Single(line => (string?)line!["organizationId"] == organization)!;

    private static (string?, int, int, int) Line(JsonNode line) =>
        ((string?)line["volunteerId"], (int)line["minutes"]!, (int)line["personTimes"]!, (int)line["minutesWaiting"]!);

    private static IEnumerable<(string, int)> ByEvidence(JsonNode line) =>
        line["byEvidence"]!.AsArray().Select(e => ((string)e!["evidence"]!, (int)e["minutes"]!));
}
