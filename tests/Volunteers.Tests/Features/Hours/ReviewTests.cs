using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

/// <summary>Correcting and voiding, and what is kept of each step.</summary>
public sealed class ReviewTests(TestDatabases databases) : HoursTest(databases)
{
    [Fact]
    public async Task A_correction_posts_the_old_figure_back_and_the_new_one_in()
    {
        var volunteer = await O.Volunteer(Team);
        var record = await O.Record(Activity, volunteer, At("08:00"), At("10:00"));

        var corrected = (await Do(Admin, "correct", record, new { reason = "Stayed longer.", endsAt = At("11:00") })).ShouldBe(200);

        Assert.Equal(("approved", 180, 180, "\"2\""),
            (Text(corrected, "status"), Number(corrected, "minutes"), Number(corrected, "creditedMinutes"), corrected.Header("ETag")));
        Assert.Equal([("approved", 120, 1), ("corrected", -120, -1), ("corrected", 180, 1)], await Lines());
        Assert.Equal(3, await VerifiedPosition());
    }

    [Fact]
    public async Task A_correction_onto_another_day_moves_the_hours_to_its_month()
    {
        var volunteer = await O.Volunteer(Team);
        var record = await O.Record(Activity, volunteer, "2026-06-30T22:00:00+08:00", "2026-07-01T01:00:00+08:00");

        var corrected = (await Do(Admin, "correct", record,
            new { reason = "A day late.", startsAt = "2026-07-01T22:00:00+08:00", endsAt = "2026-07-02T00:00:00+08:00" })).ShouldBe(200);

        Assert.Equal(("2026-07-01", 120), (Text(corrected, "serviceDate"), Number(corrected, "minutes")));
        Assert.Equal(["2026-06-30", "2026-06-30", "2026-07-01"], (await Admin.Get("/ledger")).Items.Select(line => (string?)line!["serviceDate"]));
        Assert.Equal((0, 0), await Total("2026-06-01"));
        Assert.Equal((120, 1), await Total("2026-07-01"));
        await VerifiedPosition();
    }

    [Fact]
    public async Task A_correction_keeps_the_rules_of_time()
    {
        var volunteer = await O.Volunteer(Team);
        var record = await O.Record(Activity, volunteer, At("08:00"), At("10:00"));
        await O.Record(Activity, volunteer, At("11:00"), At("12:00"));

        (await Do(Admin, "correct", record, new { reason = "Longer.", endsAt = At("11:30") })).ShouldRefuse(409, "overlapping_service");
        (await Do(Admin, "correct", record, new { reason = "More.", minutes = 121 })).ShouldRefuse(409, "minutes_exceed_period");
        (await Do(Admin, "correct", record, new { reason = "Two.", personTimes = 2 })).ShouldRefuse(409, "one_person");
        (await Do(Admin, "correct", record, new { reason = "Turned.", endsAt = At("07:00") })).ShouldRefuse(400, "at_most_a_day");
        (await Do(Admin, "correct", record, new { reason = "Nothing." })).ShouldRefuse(400, "invalid_request");
        (await Do(Admin, "correct", record, new { reason = "", minutes = 60 })).ShouldRefuse(400, "invalid_request");
        (await Do(Admin, "correct", record, new { reason = "Shifted onto itself.", startsAt = At("09:00"), endsAt = At("11:00") })).ShouldBe(200);
        Assert.Equal((180, 2), await Credited());
    }

    [Fact]
    public async Task Voided_service_is_posted_back_once()
    {
        var record = await O.Record(Activity, await O.Volunteer(Team), At("08:00"), At("10:00"));

        var voided = (await Do(Admin, "void", record, new { reason = "Entered twice." })).ShouldBe(200);

        Assert.Equal(("voided", "Entered twice.", 0), (Text(voided, "status"), Text(voided, "reviewReason"), Number(voided, "creditedMinutes")));
        foreach (var step in new[] { "void", "correct" })
            (await Do(Admin, step, record, step == "void" ? null : new { reason = "More.", minutes = 60 })).ShouldRefuse(409, "not_approved");
        (await Do(Admin, "approve", record)).ShouldRefuse(409, "already_reviewed");
        Assert.Equal([("approved", 120, 1), ("voided", -120, -1)], await Lines());
        Assert.Equal(2, await VerifiedPosition());
    }

    [Fact]
    public async Task Reject_and_void_need_a_reason()
    {
        var volunteer = await O.Volunteer(Team);
        var submitted = (await Record(await O.SignedInAs(volunteer), volunteer, At("08:00"), At("10:00"))).ShouldBe(201).Id;

        (await Do(Admin, "reject", submitted, new { reason = " " })).ShouldRefuse(400, "invalid_request");
        (await Do(Admin, "reject", submitted, new { })).ShouldRefuse(400, "invalid_request");
        (await Do(Admin, "void", submitted, new { reason = new string('x', 501) })).ShouldRefuse(400, "invalid_request");
    }

    [Fact]
    public async Task Every_step_of_a_record_is_kept_in_order_with_its_positions()
    {
        var volunteer = await O.Volunteer(Team);
        var self = await O.SignedInAs(volunteer);
        var record = (await Record(self, volunteer, At("08:00"), At("10:00"))).ShouldBe(201).Id;
        (await Do(Admin, "approve", record)).ShouldBe(200);
        (await Do(Admin, "correct", record, new { reason = "Shorter.", minutes = 100 })).ShouldBe(200);
        (await Do(Admin, "void", record, new { reason = "Wrong." })).ShouldBe(200);

        var steps = (await self.Get($"/service-records/{record}/history")).ShouldBe(200)["steps"]!.AsArray();

        Assert.Equal(
            [("recorded", "submitted", 120, 0, null, ""), ("approved", "approved", 120, 120, "Because.", "1"), ("corrected", "approved", 100, 100, "Shorter.", "2,3"),
                ("voided", "voided", 100, 0, "Wrong.", "4")],
            steps.Select(s => ((string)s!["step"]!, (string)s["status"]!, (int)s["minutes"]!, (int)s["creditedMinutes"]!, (string?)s["reason"],
                string.Join(',', s["positions"]!.AsArray().Select(p => (long)p!)))));
        Assert.NotEqual((string?)steps[0]!["by"], (string?)steps[1]!["by"]);
    }

    private async Task<(string, int, int)[]> Lines() =>
        [.. (await Admin.Get("/ledger")).Items.Select(line => ((string)line!["cause"]!, (int)line["minutes"]!, (int)line["personTimes"]!))];

    private Task<(long, long)> Total(string month) =>
        Ask($"select sum(minutes)::bigint, sum(person_times)::bigint from hour_totals where month = '{month}'", row => (row.GetInt64(0), row.GetInt64(1)));
}
