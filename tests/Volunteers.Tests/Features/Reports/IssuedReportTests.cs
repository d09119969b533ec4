using System.Text.Json.Nodes;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reports;

/// <summary>A report that was sent is remembered, drawn again as it was, and compared with what the ledger says since.</summary>
public sealed class IssuedReportTests(TestDatabases databases) : HoursTest(databases)
{
    private const string June = "from=2026-06-01&to=2026-06-30&groupBy=team,volunteer";

    private static readonly object JuneReport = new { from = "2026-06-01", to = "2026-06-30", groupBy = "team,volunteer", sentTo = "福田区", note = "上半年" };

    [Fact]
    public async Task A_report_sent_in_June_is_drawn_again_as_it_was_and_says_what_changed_since()
    {
        var (first, second) = (await O.Volunteer(Team), await O.Volunteer(Team));
        var record = await O.Record(Activity, first, At("08:00"), At("10:00"));
        await O.Record(Activity, second, At("08:00"), At("09:00"));
        // A new name just before it is sent: it was on the paper.
        (await Admin.Patch($"/teams/{Team}", new { name = "Drivers of June" })).ShouldBe(200);
        var drawn = (await Admin.Get($"/reports/hours?{June}")).ShouldBe(200);

        var issued = (await Admin.Post("/reports/hours/issued", JuneReport)).ShouldBe(201);

        Assert.Equal($"{O.Path}/reports/hours/issued/{issued.Id}", issued.Header("Location"));
        Assert.Equal((2, 180, "福田区", "上半年"), ((int)issued["asOf"]!["position"]!, (int)issued["total"]!["minutes"]!, Text(issued, "sentTo"), Text(issued, "note")));
        Assert.Empty((await Changes(issued))["rows"]!.AsArray());

        (await Admin.Patch($"/teams/{Team}", new { name = "Drivers" })).ShouldBe(200);
        (await Admin.Patch($"/volunteers/{first}", new { name = "Somebody else" })).ShouldBe(200);
        (await Do(Admin, "correct", record, new { reason = "Left early.", endsAt = At("09:30") })).ShouldBe(200);

        Assert.Equal(drawn.Text, (await Admin.Get($"/reports/hours/issued/{issued.Id}/report")).ShouldBe(200).Text);
        var changes = await Changes(issued);
        var row = Assert.Single(changes["rows"]!.AsArray())!;
        Assert.Equal((first, "Somebody else", "Drivers"), ((string?)row["volunteer"]!["id"], (string?)row["volunteer"]!["name"], (string?)row["team"]!["name"]));
        Assert.Equal((120, 90), ((int)row["before"]!["minutes"]!, (int)row["after"]!["minutes"]!));
        Assert.Equal([3, 4], row["positions"]!.AsArray().Select(position => (int)position!));
        Assert.Equal((180, 150), ((int)changes["total"]!["before"]!["minutes"]!, (int)changes["total"]!["after"]!["minutes"]!));
        Assert.Equal([(-120, "corrected", "Left early."), (90, "corrected", "Left early.")],
            changes["postings"]!.AsArray().Select(posting => ((int)posting!["minutes"]!, (string?)posting["cause"], (string?)posting["reason"])));
        Assert.Equal(issued.Id, (string?)Assert.Single((await Admin.Get("/reports/hours/issued")).ShouldBe(200).Items)!["id"]);
    }

    [Fact]
    public async Task What_has_come_to_nothing_and_what_is_new_have_no_figures_on_one_side()
    {
        var (first, second) = (await O.Volunteer(Team), await O.Volunteer(Team));
        var record = await O.Record(Activity, first, At("08:00"), At("10:00"));
        (await Do(Admin, "void", record)).ShouldBe(200);
        await O.Record(Activity, second, At("08:00"), At("09:00"));

        var changes = (await Admin.Get($"/reports/hours/changes?{June}&since=1")).ShouldBe(200);

        var rows = changes["rows"]!.AsArray().ToDictionary(row => (string)row!["volunteer"]!["id"]!);
        Assert.Equal((120, null), ((int?)rows[first]!["before"]?["minutes"], rows[first]!["after"]));
        Assert.Equal((null, 60), (rows[second]!["before"], (int?)rows[second]!["after"]?["minutes"]));
        (await Admin.Get($"/reports/hours/changes?{June}&since=3&asOf=2")).ShouldRefuse(409, "since_after_as_of");
        (await Admin.Get($"/reports/hours/changes?{June}&since=4")).ShouldRefuse(409, "beyond_ledger_end");
        (await Admin.Get($"/reports/hours/changes?{June}")).ShouldRefuse(400, "malformed_request");
        var csv = (await Admin.Get($"/reports/hours/changes?{June}&since=1&format=csv")).ShouldBe(200).Text;
        Assert.Equal(4, csv.TrimEnd().Split("\r\n").Length);
    }

    [Fact]
    public async Task A_team_coordinators_report_stays_about_their_teams_whoever_draws_it()
    {
        var other = await O.Team();
        var coordinator = await O.CoordinatorWhoIs(await O.Volunteer(), Team);
        await O.Record(Activity, await O.Volunteer(Team), At("08:00"), At("10:00"));
        await O.Record(await O.Activity(other), await O.Volunteer(other), At("08:00"), At("09:00"));

        var own = (await coordinator.Post("/reports/hours/issued", new { from = "2026-06-01", to = "2026-06-30" })).ShouldBe(201);
        var all = (await Admin.Post("/reports/hours/issued", new { from = "2026-06-01", to = "2026-06-30" })).ShouldBe(201);

        Assert.Equal((120, 180), ((int)own["total"]!["minutes"]!, (int)all["total"]!["minutes"]!));
        Assert.Equal((await coordinator.Get($"/reports/hours/issued/{own.Id}/report")).ShouldBe(200).Text, (await Admin.Get($"/reports/hours/issued/{own.Id}/report")).ShouldBe(200).Text);
        (await coordinator.Get($"/reports/hours/issued/{all.Id}/report")).ShouldBe(404);
        (await coordinator.Get($"/reports/hours/issued/{all.Id}")).ShouldBe(404);
        Assert.Equal([own.Id], (await coordinator.Get("/reports/hours/issued")).ShouldBe(200).Items.Select(item => (string)item!["id"]!));
        (await (await O.SignedInWithRole("auditor")).Post("/reports/hours/issued", new { from = "2026-06-01", to = "2026-06-30" })).ShouldBe(403);
        (await Admin.Post("/reports/hours/issued", new { from = "2026-06-30", to = "2026-06-01" })).ShouldRefuse(400, "invalid_request");
    }

    [Fact]
    public async Task Reports_say_how_they_know_and_what_has_no_name()
    {
        var volunteer = await O.Volunteer(Team);
        await O.Record(Activity, volunteer, At("08:00"), At("10:00"));
        var self = await O.SignedInAs(volunteer);
        (await Do(Admin, "approve", (await Record(self, volunteer, At("10:00"), At("11:00"))).ShouldBe(201).Id)).ShouldBe(200);
        (await Headcount(Admin, 20, At("08:00", 8), At("09:00", 8))).ShouldBe(201);

        var hours = (await Admin.Get("/reports/hours?from=2026-06-01&to=2026-06-30")).ShouldBe(200);
        var activities = (await Admin.Get("/reports/activities?from=2020-01-01&to=2026-12-31")).ShouldBe(200);

        const string expected =
            """[{"evidence":"coordinator","persons":1,"personTimes":21,"minutes":1320,"hours":22.00},{"evidence":"self","persons":1,"personTimes":1,"minutes":60,"hours":1.00}]""";
        Assert.Equal(expected, hours["byEvidence"]!.ToJsonString());
        Assert.Equal(expected, activities["byEvidence"]!.ToJsonString());
        Assert.Equal("""[{"method":"counted","personTimes":20,"minutes":1200,"hours":20.00}]""", hours["headcounts"]!.ToJsonString());
    }

    private async Task<JsonNode> Changes(Answer issued) => JsonNode.Parse((await Admin.Get($"/reports/hours/issued/{issued.Id}/changes")).ShouldBe(200).Text)!;
}
