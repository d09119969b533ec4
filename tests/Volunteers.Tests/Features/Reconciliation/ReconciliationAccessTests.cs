using Microsoft.Extensions.DependencyInjection;
using Volunteers.Data;
using Volunteers.Features.Reconciliation;
using Volunteers.Tests.Features.Volunteers;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reconciliation;

/// <summary>Who sees what of the people that a file names, and for how long.</summary>
public sealed class ReconciliationAccessTests(TestDatabases databases) : ReconciliationTest(databases)
{
    [Fact]
    public async Task Only_who_sees_every_team_sees_what_came_of_a_file()
    {
        await Person("A-1", "李雷");
        var made = await Reconcile("A-1,,,2026-06-07,60,,R1\r\n,13800138000,赵云,2026-06-07,60,,R2\r\n");
        var ofTeam = await O.SignedInWithRole("coordinator", Team);
        var auditor = await O.SignedInWithRole("auditor");
        var volunteer = await O.SignedInAs(await O.Volunteer(Team));

        Assert.Empty((await ofTeam.Get("/reconciliations")).ShouldBe(200).Items);
        foreach (var path in new[] { "", "/rows" }) (await ofTeam.Get($"/reconciliations/{made.Id}{path}")).ShouldBe(404);
        (await ofTeam.Post($"/reconciliations?{June}&team={Team}", Rosters.Csv(Heading))).ShouldRefuse(403, "forbidden");
        (await Import(made, by: ofTeam)).ShouldRefuse(403, "forbidden");
        Assert.Equal(2, (await auditor.Get($"/reconciliations/{made.Id}/rows")).ShouldBe(200).Items.Count);
        (await Import(made, by: auditor)).ShouldRefuse(403, "forbidden");
        (await volunteer.Get("/reconciliations")).ShouldRefuse(403, "forbidden");
        (await Import(made, by: await O.SignedInWithRole("coordinator"))).ShouldBe(200);
    }

    [Fact]
    public async Task Another_organizations_mapping_file_activity_and_team_are_not_there()
    {
        await Person("A-1", "李雷");
        var made = await Reconcile("A-1,,,2026-06-07,60,,R1\r\n");
        var other = await Given.AnotherOrganization();
        var (theirTeam, theirActivity) = (await other.Team(), "");
        theirActivity = await other.Activity(theirTeam);

        (await other.Admin.Post("/reconciliations?" + June, Rosters.Csv(Heading))).ShouldRefuse(404, "column_mapping_not_found");
        foreach (var path in new[] { "", "/rows" }) (await other.Admin.Get($"/reconciliations/{made.Id}{path}")).ShouldBe(404);
        (await Import(made, by: other.Admin)).ShouldBe(404);
        (await other.Admin.Delete($"/reconciliations/{made.Id}")).ShouldBe(404);
        (await Import(made, new { activityId = theirActivity })).ShouldRefuse(404, "activity_not_found");
        (await Import(made, new { teamId = theirTeam, category = "patrol" })).ShouldRefuse(404, "team_not_found");
        (await Admin.Post($"/reconciliations?{June}&team={theirTeam}", Rosters.Csv(Heading))).ShouldRefuse(404, "team_not_found");
        Assert.Empty(await Records());
    }

    [Fact]
    public async Task Of_matched_people_no_value_of_the_file_is_kept_and_of_others_no_whole_phone()
    {
        await Person("A-1", "李雷", "13800138000");
        await Reconcile("A-1,13800138000,李雷,2026-06-07,60,,R1\r\n,13900139000,赵云,2026-06-07,60,,R2\r\n");

        Assert.Equal(1, await Count("select count(*) from reconciliation_rows where person_name is not null or person_phone is not null or person_number is not null"));
        Assert.Equal(1, await Count("select count(*) from reconciliation_rows where person_phone = '9000' and person_name = '赵云'"));
    }

    [Fact]
    public async Task What_was_reconciled_is_forgotten_after_90_days_or_when_told_and_what_was_imported_stays()
    {
        await Person("A-1", "李雷");
        var (old, told) = (await Reconcile("A-1,,,2026-06-07,60,,R1\r\n"), await Reconcile("A-1,,,2026-06-07,60,,R1\r\n"));
        Assert.Equal((1, 0, 0), Done(await Import(old)));
        (await Admin.Delete($"/reconciliations/{told.Id}")).ShouldBe(204);
        (await Admin.Delete($"/reconciliations/{told.Id}")).ShouldBe(404);
        await Forget(TimeSpan.FromDays(89));
        Assert.Equal(old.Id, (string?)Assert.Single((await Admin.Get("/reconciliations")).Items)!["id"]);

        await Forget(TimeSpan.FromDays(91));

        (await Admin.Get($"/reconciliations/{old.Id}")).ShouldBe(404);
        Assert.Equal(0, await Count("select count(*) from reconciliation_rows"));
        Assert.Single(await Records());
    }

    [Fact]
    public async Task A_repeat_with_the_same_key_gets_the_first_answer()
    {
        await Person("A-1", "李雷");
        var key = ("Idempotency-Key", "once");
        var answers = new[] { 1, 2 }.Select(_ => Admin.Post("/reconciliations?" + June, Rosters.Csv(Heading + "A-1,,,2026-06-07,60,,R1\r\n"), key));

        var first = await Task.WhenAll(answers);

        Assert.Equal(first[0].ShouldBe(201).Text, first[1].ShouldBe(201).Text);
        Assert.Single((await Admin.Get("/reconciliations")).Items);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{ "activityId": "01a205e1-437b-78b6-becd-9388ced34a93", "teamId": "01a205e1-437b-78b6-becd-9388ced34a93", "category": "x" }""")]
    [InlineData("""{ "teamId": "01a205e1-437b-78b6-becd-9388ced34a93" }""")]
    [InlineData("""{ "activityId": "01a205e1-437b-78b6-becd-9388ced34a93", "rows": [] }""")]
    [InlineData("""{ "activityId": "01a205e1-437b-78b6-becd-9388ced34a93", "rows": [2, 2] }""")]
    public async Task An_import_says_under_what_it_is_booked(string body)
    {
        var made = await Reconcile("");
        (await Admin.Post($"/reconciliations/{made.Id}/import", new StringContent(body, System.Text.Encoding.UTF8, "application/json"))).ShouldRefuse(400, "invalid_request");
    }

    private Task Forget(TimeSpan later) => Host.InServices(async services =>
    {
        var db = services.GetRequiredService<VolunteersDb>();
        await ReconciliationCleanup.Forget(db, Clock.GetUtcNow() + later - TimeSpan.FromDays(90), Clock.GetUtcNow(), TestContext.Current.CancellationToken);
    });
}
