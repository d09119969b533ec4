using System.Text.Json.Nodes;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

/// <summary>Whose service records somebody sees and touches.</summary>
public sealed class ServiceRecordAccessTests(TestDatabases databases) : HoursTest(databases)
{
    private static readonly string[] Steps = ["approve", "reject", "correct", "void", "claims"];

    [Fact]
    public async Task What_belongs_to_another_organization_is_not_there()
    {
        var other = await Given.AnotherOrganization();
        var otherTeam = await other.Team();
        var (otherVolunteer, otherActivity) = (await other.Volunteer(otherTeam), await other.Activity(otherTeam));
        var theirs = await other.Record(otherActivity, otherVolunteer, At("08:00"), At("09:00"));
        var mine = await O.Volunteer(Team);

        (await Record(Admin, otherVolunteer, At("08:00"), At("09:00"))).ShouldRefuse(404, "volunteer_not_found");
        (await Record(Admin, mine, At("08:00"), At("09:00"), activity: otherActivity)).ShouldRefuse(404, "activity_not_found");
        (await Admin.Get($"/service-records/{theirs}")).ShouldRefuse(404, "not_found");
        (await Admin.Get($"/service-records/{theirs}/history")).ShouldRefuse(404, "not_found");
        foreach (var step in Steps)
            (await Do(Admin, step, theirs, BodyOf(step, mine))).ShouldRefuse(404, "not_found");
        var bulk = (await Admin.Post("/service-records/approvals", new { recordIds = new[] { theirs } })).ShouldRefuse(409, "batch_refused");
        Assert.Equal("record_not_found", (string?)bulk["refusals"]![0]!["code"]);

        var headcount = (await Headcount(Admin, 3, At("08:00"), At("09:00"))).ShouldBe(201).Id;
        (await Do(Admin, "claims", headcount, new { volunteerId = otherVolunteer })).ShouldRefuse(404, "volunteer_not_found");
        var outsider = await other.SignedInWithRole("coordinator");
        (await outsider.At($"/../{O.Id}").Get("/service-records")).ShouldRefuse(404, "not_found");
        Assert.Equal((180, 3), await Credited());
    }

    [Fact]
    public async Task A_team_coordinator_acts_in_their_team_and_its_sub_teams_only()
    {
        var (subTeam, otherTeam) = (await O.Team(parentTeamId: Team), await O.Team());
        var coordinator = await O.SignedInWithRole("coordinator", Team);
        var (member, below, outside) = (await O.Volunteer(Team), await O.Volunteer(subTeam), await O.Volunteer(otherTeam));
        var (subActivity, otherActivity) = (await O.Activity(subTeam), await O.Activity(otherTeam));

        (await Record(coordinator, member, At("08:00"), At("09:00"))).ShouldBe(201);
        (await Record(coordinator, below, At("08:00"), At("09:00"), activity: subActivity)).ShouldBe(201);
        (await Record(coordinator, outside, At("08:00"), At("09:00"), activity: otherActivity)).ShouldRefuse(403, "only_own_service");

        var theirs = await O.Record(otherActivity, outside, At("08:00"), At("09:00"));
        foreach (var step in Steps)
            (await Do(coordinator, step, theirs, BodyOf(step, outside))).ShouldRefuse(404, "not_found");
        (await coordinator.Get($"/service-records/{theirs}")).ShouldRefuse(404, "not_found");
        var bulk = (await coordinator.Post("/service-records/approvals", new { recordIds = new[] { theirs } })).ShouldRefuse(409, "batch_refused");
        Assert.Equal("record_not_found", (string?)bulk["refusals"]![0]!["code"]);
        Assert.Equal(2, (await coordinator.Get("/service-records")).Items.Count);
        Assert.Equal([1, 2], (await coordinator.Get("/ledger")).Items.Select(line => (long)line!["position"]!));
    }

    [Fact]
    public async Task An_auditor_reads_everything_and_changes_nothing()
    {
        var auditor = await O.SignedInWithRole("auditor");
        var record = await O.Record(Activity, await O.Volunteer(Team), At("08:00"), At("09:00"));

        Assert.Single((await auditor.Get("/service-records")).Items);
        Assert.Single((await auditor.Get("/ledger")).Items);
        (await Record(auditor, await O.Volunteer(Team), At("08:00"), At("09:00"))).ShouldRefuse(403, "forbidden");
        foreach (var step in Steps) (await Do(auditor, step, record, BodyOf(step, record))).ShouldRefuse(403, "forbidden");
    }

    [Fact]
    public async Task What_a_client_of_the_organization_records_is_an_import()
    {
        var client = await O.Client();
        var system = (await Host.SignedIn(client)).At(O.Path);

        var record = (await Record(system, await O.Volunteer(Team), At("08:00"), At("09:00"))).ShouldBe(201);

        Assert.Equal(("approved", "import", client.Id), (Text(record, "status"), Text(record, "evidence"), Text(record, "recordedBy")));
        Assert.Equal("import", (string?)Assert.Single((await Admin.Get("/ledger")).Items)!["evidence"]);
    }

    private static JsonObject BodyOf(string step, string volunteer) => step switch
    {
        "claims" => new JsonObject { ["volunteerId"] = volunteer },
        "correct" => new JsonObject { ["reason"] = "Other.", ["minutes"] = 30 },
        _ => new JsonObject { ["reason"] = "Other." },
    };
}
