using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Recognition;

/// <summary>Trainings and ratings: plain records beside service.</summary>
public sealed class TrainingTests(TestDatabases databases) : RecognitionTest(databases)
{
    public static readonly TheoryData<string> Kinds = ["trainings", "ratings"];

    [Fact]
    public async Task They_are_recorded_with_all_that_the_rules_ask()
    {
        var volunteer = await O.Volunteer(Team);

        var training = (await Admin.Post($"/volunteers/{volunteer}/trainings",
            new { name = "急救培训", content = "心肺复苏", minutes = 240, organizer = "福田区红十字会", heldOn = "2026-05-16" })).ShouldBe(201);
        var rating = (await Admin.Post($"/volunteers/{volunteer}/ratings", new { grade = "优秀", ratedBy = "考生家长", ratedOn = "2026-06-09", note = "准时" })).ShouldBe(201);

        Assert.Equal(("急救培训", "心肺复苏", 240, "福田区红十字会", "2026-05-16"),
            (Text(training, "name"), Text(training, "content"), Number(training, "minutes"), Text(training, "organizer"), Text(training, "heldOn")));
        Assert.Equal(("优秀", "考生家长", "2026-06-09", "准时"), (Text(rating, "grade"), Text(rating, "ratedBy"), Text(rating, "ratedOn"), Text(rating, "note")));
        Assert.Equal(training.Text, Assert.Single((await Admin.Get($"/volunteers/{volunteer}/trainings")).ShouldBe(200).Items)!.ToJsonString(Readable));
        Assert.Equal(rating.Text, Assert.Single((await Admin.Get($"/volunteers/{volunteer}/ratings")).ShouldBe(200).Items)!.ToJsonString(Readable));
    }

    [Fact]
    public async Task They_move_no_figure_of_hours()
    {
        await Rule(1);
        var volunteer = await O.Volunteer(Team);
        await Give(volunteer, 59);
        var before = await Figures(volunteer);

        foreach (var kind in new[] { "trainings", "ratings" }) (await Make(Admin, volunteer, kind)).ShouldBe(201);

        Assert.Equal(before, await Figures(volunteer));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task What_was_revoked_stays_to_be_seen_with_the_reason(string kind)
    {
        var volunteer = await O.Volunteer(Team);
        var made = (await Make(Admin, volunteer, kind)).ShouldBe(201).Id;
        var path = $"/volunteers/{volunteer}/{kind}";
        (await Admin.Post($"{path}/{made}/revoke", new { reason = "" })).ShouldRefuse(400, "invalid_request");

        (await Admin.Post($"{path}/{made}/revoke", new { reason = "登记有误" })).ShouldBe(200);

        (await Admin.Post($"{path}/{made}/revoke", new { reason = "Again" })).ShouldRefuse(409, "already_revoked");
        var listed = Assert.Single((await (await O.SignedInAs(volunteer)).Get(path)).ShouldBe(200).Items)!;
        Assert.Equal(("登记有误", false), ((string?)listed["revocationReason"], listed["revokedAt"] is null));
        (await Admin.Post($"/volunteers/{await O.Volunteer(Team)}/{kind}/{made}/revoke", new { reason = "Wrong" })).ShouldRefuse(404, "not_found");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_team_coordinator_writes_for_their_members_and_each_sees_whom_they_may(string kind)
    {
        var other = await O.Team();
        var (member, stranger) = (await O.Volunteer(Team), await O.Volunteer(other));
        var coordinator = await O.SignedInWithRole("coordinator", Team);
        var self = await O.SignedInAs(member);

        var made = (await Make(coordinator, member, kind)).ShouldBe(201).Id;

        (await Make(coordinator, stranger, kind)).ShouldRefuse(404, "not_found");
        (await Make(self, member, kind)).ShouldRefuse(403, "forbidden");
        (await Make(await O.SignedInWithRole("auditor"), member, kind)).ShouldRefuse(403, "forbidden");
        Assert.Single((await self.Get($"/volunteers/{member}/{kind}")).ShouldBe(200).Items);
        (await self.Get($"/volunteers/{stranger}/{kind}")).ShouldRefuse(404, "not_found");
        (await coordinator.Get($"/volunteers/{stranger}/{kind}")).ShouldRefuse(404, "not_found");
        (await (await O.SignedInWithRole("coordinator", other)).Post($"/volunteers/{member}/{kind}/{made}/revoke", new { reason = "No" })).ShouldRefuse(404, "not_found");
        var elsewhere = (await Given.AnotherOrganization()).Admin;
        (await elsewhere.Get($"/volunteers/{member}/{kind}")).ShouldRefuse(404, "not_found");
        (await Make(elsewhere, member, kind)).ShouldRefuse(404, "not_found");
    }

    [Fact]
    public async Task What_lies_ahead_is_not_recorded_and_nobody_rates_themselves()
    {
        var volunteer = await O.Volunteer(Team);
        var coordinator = await O.CoordinatorWhoIs(volunteer);
        var tomorrow = Day(Today.AddDays(1));

        (await Admin.Post($"/volunteers/{volunteer}/trainings", new { name = "A", minutes = 1, heldOn = tomorrow })).ShouldRefuse(409, "not_yet_held");
        (await Admin.Post($"/volunteers/{volunteer}/ratings", new { grade = "A", ratedBy = "B", ratedOn = tomorrow })).ShouldRefuse(409, "not_yet_rated");
        (await Make(coordinator, volunteer, "ratings")).ShouldRefuse(409, "own_rating");
        (await Admin.Post($"/volunteers/{volunteer}/trainings", new { name = "A", minutes = 0, heldOn = "2026-06-07" })).ShouldRefuse(400, "invalid_request");
        (await Admin.Post($"/volunteers/{volunteer}/trainings", new { name = "A", minutes = 60 })).ShouldBe(400);
    }

    private static readonly System.Text.Json.JsonSerializerOptions Readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static Task<Answer> Make(Api by, string volunteer, string kind) => by.Post($"/volunteers/{volunteer}/{kind}", kind == "trainings"
        ? new { name = "急救培训", minutes = 600, heldOn = "2026-05-16" } : new { grade = "优秀", ratedBy = "考生家长", ratedOn = "2026-06-09" });

    /// <summary>All that says how many hours there are.</summary>
    private async Task<string> Figures(string volunteer) => string.Join('\n',
        (await Admin.Get($"/volunteers/{volunteer}/summary")).ShouldBe(200).Text,
        (await Admin.Get("/reports/hours?from=2025-01-01&to=2026-12-31&groupBy=volunteer")).ShouldBe(200).Text,
        (await Admin.Get("/ledger")).ShouldBe(200).Text, (await Stars("?level=0")).Text,
        await Ask("select coalesce(sum(minutes), 0)::bigint, coalesce(sum(person_times), 0)::bigint from hour_totals", row => $"{row.GetInt64(0)} {row.GetInt64(1)}"));
}
