using System.Text.Json.Nodes;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

public sealed class BatchTests(TestDatabases databases) : HoursTest(databases)
{
    [Fact]
    public async Task A_thousand_services_are_recorded_together_in_the_order_given()
    {
        var volunteers = await O.Volunteers(10, Team);
        var items = Enumerable.Range(0, 1000)
            .Select(i => Service(volunteers[i % 10], $"2026-{1 + (i / 10 % 6):00}-{1 + (i / 60):00}T08:00:00+08:00", $"2026-{1 + (i / 10 % 6):00}-{1 + (i / 60):00}T09:00:00+08:00"))
            .ToArray();

        var answer = (await Admin.Post("/service-records/batch", new { items })).ShouldBe(200);

        Assert.Equal(items.Select(item => (string?)item["volunteerId"]), answer.Items.Select(item => (string?)item!["volunteerId"]));
        Assert.Equal((60_000, 1000), await Credited());
        Assert.Equal(1000, await VerifiedPosition());
        Assert.Equal(1000, await Count("select count(*) from service_record_events where cardinality(positions) = 1"));
    }

    [Fact]
    public async Task One_refused_service_refuses_the_batch_and_every_refusal_names_its_index()
    {
        var (volunteer, stranger) = (await O.Volunteer(Team), await O.Volunteer());
        JsonObject[] items =
        [
            Service(volunteer, At("08:00"), At("09:00")),
            Service(volunteer, At("08:30"), At("09:30")),
            Service(stranger, At("08:00"), At("09:00")),
            Service(volunteer, At("10:00"), At("11:00"), minutes: 61),
            Service(volunteer, At("10:00"), At("23:00")),
            Service(Guid.NewGuid().ToString(), At("10:00"), At("11:00")),
            Service(volunteer, At("10:00"), At("11:00"), activity: Guid.NewGuid().ToString()),
        ];

        var refused = (await Admin.Post("/service-records/batch", new { items })).ShouldRefuse(409, "batch_refused");

        Assert.Equal(
            [(1, "overlapping_service"), (2, "not_a_member"), (3, "minutes_exceed_period"), (4, "daily_limit"), (5, "volunteer_not_found"), (6, "activity_not_found")],
            Refusals(refused));
        Assert.Equal((0, 0), await Credited());
        Assert.Empty((await Admin.Get("/service-records")).Items);
    }

    [Fact]
    public async Task A_batch_of_one_is_refused_as_a_batch_too()
    {
        var refused = await Admin.Post("/service-records/batch", new { items = new[] { Service(await O.Volunteer(), At("08:00"), At("09:00")) } });

        Assert.Equal([(0, "not_a_member")], Refusals(refused.ShouldRefuse(409, "batch_refused")));
    }

    [Fact]
    public async Task A_batch_holds_one_to_a_thousand()
    {
        var volunteer = await O.Volunteer(Team);
        (await Admin.Post("/service-records/batch", new { items = Array.Empty<object>() })).ShouldRefuse(400, "invalid_request");
        (await Admin.Post("/service-records/batch", new { items = Enumerable.Range(0, 1001).Select(_ => Service(volunteer, At("08:00"), At("09:00"))) }))
            .ShouldRefuse(400, "invalid_request");
        (await Admin.Post("/service-records/approvals", new { recordIds = Array.Empty<string>() })).ShouldRefuse(400, "invalid_request");
        (await Admin.Post("/service-records/approvals", new { recordIds = Enumerable.Range(0, 1001).Select(_ => Guid.NewGuid()) }))
            .ShouldRefuse(400, "invalid_request");
    }

    [Fact]
    public async Task Approvals_in_bulk_are_all_or_none()
    {
        var volunteer = await O.Volunteer(Team);
        var self = await O.SignedInAs(volunteer);
        var records = new string[5];
        for (var i = 0; i < records.Length; i++) records[i] = (await Record(self, volunteer, At($"0{i}:00"), At($"0{i}:30"))).ShouldBe(201).Id;
        (await Do(Admin, "reject", records[4])).ShouldBe(200);

        var refused = (await Admin.Post("/service-records/approvals", new { recordIds = records.Append(Guid.NewGuid().ToString()) })).ShouldRefuse(409, "batch_refused");
        Assert.Equal([(4, "already_reviewed"), (5, "record_not_found")], Refusals(refused));
        Assert.Equal((0, 0), await Credited());
        (await Admin.Post("/service-records/approvals", new { recordIds = new[] { records[0], records[0] } })).ShouldRefuse(400, "invalid_request");

        string[] wanted = [records[3], records[0], records[2]];
        var approved = (await Admin.Post("/service-records/approvals", new { recordIds = wanted })).ShouldBe(200);
        Assert.Equal(wanted, approved.Items.Select(item => (string?)item!["id"]));
        Assert.All(approved.Items, item => Assert.Equal("approved", (string?)item!["status"]));
        Assert.Equal(wanted, (await Admin.Get("/ledger")).Items.Select(line => (string?)line!["recordId"]));
        Assert.Equal(3, await VerifiedPosition());
    }

    private static (int, string)[] Refusals(Answer refused) =>
        [.. refused["refusals"]!.AsArray().Select(refusal => ((int)refusal!["index"]!, (string)refusal["code"]!))];
}
