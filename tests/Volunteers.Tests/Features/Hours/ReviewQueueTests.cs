using System.Text.Json.Nodes;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

/// <summary>What waits for review, and many decisions at once.</summary>
public sealed class ReviewQueueTests(TestDatabases databases) : HoursTest(databases)
{
    [Fact]
    public async Task The_queue_shows_what_waits_oldest_first_and_what_there_is_to_know_of_it()
    {
        var volunteer = await O.Volunteer(Team);
        var self = await O.SignedInAs(volunteer);
        var first = (await Record(self, volunteer, At("12:00"), At("13:00"))).ShouldBe(201).Id;
        await Host.Later(TimeSpan.FromHours(50));
        var second = (await Record(self, volunteer, At("08:00"), At("10:00"))).ShouldBe(201).Id;
        await O.Record(Activity, volunteer, At("15:00"), At("16:00"));
        (await self.Post($"/service-records/{second}/disputes", new { message = "It was longer." })).ShouldBe(201);

        var queue = (await Admin.Get("/service-records/review")).ShouldBe(200).Items;

        Assert.Equal([first, second], queue.Select(item => (string?)item!["recordId"]));
        var (person, activity) = (await Admin.Get($"/volunteers/{volunteer}"), await Admin.Get($"/activities/{Activity}"));
        var item = queue[0]!;
        Assert.Equal((Text(person, "number"), Text(person, "name"), Text(activity, "title"), Team, 60, "self"),
            ((string?)item["volunteerNumber"], (string?)item["volunteerName"], (string?)item["activityTitle"], (string?)item["teamId"], (int)item["minutes"]!, (string?)item["evidence"]));
        Assert.Equal([(2, false, false), (0, true, false)], queue.Select(i => ((int)i!["daysWaiting"]!, (bool)i["disputed"]!, (bool)i["own"]!)));

        (await Do(Admin, "approve", first, new { })).ShouldBe(200);
        (await Do(Admin, "reject", second)).ShouldBe(200);
        Assert.Empty((await Admin.Get("/service-records/review")).Items);
    }

    [Fact]
    public async Task The_queue_is_narrowed_and_paged()
    {
        var (a, b) = (await O.Volunteer(Team), await O.Volunteer(Team));
        var otherTeam = await O.Team();
        await O.Member(otherTeam, b);
        var recent = Clock.GetUtcNow().AddHours(-3);
        var elsewhere = await O.Activity(otherTeam, recent.ToString("O"), recent.AddHours(1).ToString("O"));
        var old = (await Record(await O.SignedInAs(a), a, "2025-03-03T08:00:00+08:00", "2025-03-03T10:00:00+08:00",
            activity: await O.Activity(Team, "2025-03-03T08:00:00+08:00", "2025-03-03T10:00:00+08:00"))).ShouldBe(201).Id;
        var young = (await Record(await O.SignedInAs(b), b, recent.ToString("O"), recent.AddHours(1).ToString("O"), activity: elsewhere)).ShouldBe(201).Id;

        Assert.Equal([old, young], await Queue(""));
        Assert.Equal([old], await Queue($"?team={Team}"));
        Assert.Equal([young], await Queue($"?activity={elsewhere}"));
        Assert.Equal([old], await Queue($"?volunteer={a}"));
        Assert.Equal([old], await Queue("?recordedLate=true"));
        Assert.Equal([young], await Queue("?recordedLate=false"));
        Assert.Equal([old], await Queue("?from=2025-03-03&to=2025-03-03"));
        Assert.Empty(await Queue("?to=2025-03-02"));
        Assert.Empty(await Queue("?evidence=attendance"));
        Assert.Empty(await Queue("?flag=selfReported"));
        Assert.Equal(2, (await Queue("?evidence=self")).Length);
        (await Admin.Get("/service-records/review?from=2025-03-03&to=2025-03-02")).ShouldRefuse(400, "invalid_request");
        (await Admin.Get("/service-records/review?flag=none")).ShouldRefuse(400, "malformed_parameter");
        var page = (await Admin.Get("/service-records/review?limit=1")).ShouldBe(200);
        Assert.Equal(young, (string?)Assert.Single((await Admin.Get($"/service-records/review?limit=1&cursor={(string?)page["next"]}")).Items)!["recordId"]);
    }

    [Fact]
    public async Task A_team_coordinators_queue_is_about_their_teams_and_marks_their_own()
    {
        var otherTeam = await O.Team();
        var (volunteer, coordinating) = (await O.Volunteer(Team), await O.Volunteer(Team));
        await O.Member(otherTeam, coordinating);
        var coordinator = await O.CoordinatorWhoIs(coordinating, Team);
        var theirs = (await Record(await O.SignedInAs(volunteer), volunteer, At("08:00"), At("09:00"))).ShouldBe(201).Id;
        var own = (await Record(coordinator, coordinating, At("08:00"), At("09:00"))).ShouldBe(201).Id;
        var ownElsewhere = (await Record(coordinator, coordinating, At("10:00"), At("11:00"), activity: await O.Activity(otherTeam))).ShouldBe(201).Id;

        var queue = (await coordinator.Get("/service-records/review")).ShouldBe(200).Items;
        Assert.Equal([(theirs, false), (own, true)], queue.Select(i => ((string)i!["recordId"]!, (bool)i["own"]!)));
        Assert.Contains(ownElsewhere, await Queue(""));
        Assert.Equal(3, (await (await O.SignedInWithRole("auditor")).Get("/service-records/review")).ShouldBe(200).Items.Count);
        (await (await O.SignedInAs(await O.Volunteer(Team))).Get("/service-records/review")).ShouldRefuse(403, "forbidden");
    }

    [Fact]
    public async Task Many_are_rejected_for_one_reason_all_or_none()
    {
        var records = await Submitted(3);
        var approved = await O.Record(Activity, await O.Volunteer(Team), At("20:00"), At("21:00"));

        var refused = (await Reject(Admin, [.. records, approved, Guid.NewGuid().ToString()])).ShouldRefuse(409, "batch_refused");
        Assert.Equal([(3, "already_reviewed"), (4, "record_not_found")], refused["refusals"]!.AsArray().Select(r => ((int)r!["index"]!, (string)r["code"]!)));
        Assert.Equal(3, (await Queue("")).Length);

        var done = (await Reject(Admin, [.. records.Reverse()])).ShouldBe(200);
        Assert.Equal(records.Reverse(), done.Items.Select(r => (string)r!["id"]!));
        Assert.All(done.Items, r => Assert.Equal(("rejected", "Not there."), ((string)r!["status"]!, (string)r["reviewReason"]!)));
        var step = (await Admin.Get($"/service-records/{records[0]}/history"))["steps"]![1]!;
        Assert.Equal(("rejected", "Not there.", 0), ((string)step["step"]!, (string)step["reason"]!, (int)step["minutesBooked"]!));
        Assert.Equal(1, await VerifiedPosition());
    }

    [Fact]
    public async Task Rejections_keep_to_the_teams_and_away_from_ones_own()
    {
        var otherTeam = await O.Team();
        var (record, coordinating) = ((await Submitted(1))[0], await O.Volunteer(Team));
        var coordinator = await O.CoordinatorWhoIs(coordinating);
        var own = (await Record(coordinator, coordinating, At("08:00"), At("09:00"))).ShouldBe(201).Id;

        Assert.Equal("record_not_found", CodeOf(await Reject(await O.SignedInWithRole("coordinator", otherTeam), [record])));
        Assert.Equal("own_hours", CodeOf(await Reject(coordinator, [own])));
        (await Reject(Admin, [])).ShouldRefuse(400, "invalid_request");
        (await Reject(Admin, [record, record])).ShouldRefuse(400, "invalid_request");
        (await Admin.Post("/service-records/rejections", new { recordIds = new[] { record } })).ShouldBe(400);
        (await Admin.Post("/service-records/rejections", new { recordIds = new[] { record }, reason = " " })).ShouldRefuse(400, "invalid_request");
        (await Reject(await O.SignedInWithRole("coordinator", Team), [record])).ShouldBe(200);
    }

    [Fact]
    public async Task Approvals_and_rejections_of_the_same_records_never_both_succeed()
    {
        var records = await Submitted(5);

        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Task.Run(() => i % 2 == 0
            ? Reject(Admin, [.. records])
            : Admin.Post("/service-records/approvals", new { recordIds = records.Reverse() }))));

        Assert.Single(answers, answer => answer.Status == 200);
        Assert.All(answers.Where(answer => answer.Status != 200), answer => answer.ShouldRefuse(409, "batch_refused"));
        Assert.Contains(await Credited(), new[] { (0L, 0L), (15L, 5L) });
        await VerifiedPosition();
    }

    private async Task<string[]> Queue(string query) => [.. (await Admin.Get("/service-records/review" + query)).ShouldBe(200).Items.Select(i => (string)i!["recordId"]!)];

    private static Task<Answer> Reject(Api by, string[] recordIds) => by.Post("/service-records/rejections", new { recordIds, reason = "Not there." });

    private static string? CodeOf(Answer refused) => (string?)Assert.Single(refused.ShouldRefuse(409, "batch_refused")["refusals"]!.AsArray())!["code"];

    private async Task<string[]> Submitted(int howMany)
    {
        var volunteer = await O.Volunteer(Team);
        var self = await O.CoordinatorWhoIs(volunteer);
        var items = Enumerable.Range(0, howMany).Select(i => (JsonNode)Service(volunteer, At($"08:{3 * i:00}"), At($"08:{(3 * i) + 3:00}"))).ToArray();
        return [.. (await self.Post("/service-records/batch", new { items })).ShouldBe(200).Items.Select(item => (string)item!["id"]!)];
    }
}
