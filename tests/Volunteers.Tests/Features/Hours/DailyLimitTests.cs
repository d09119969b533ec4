using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

/// <summary>The most service credited to one person on one local day.</summary>
public sealed class DailyLimitTests(TestDatabases databases) : HoursTest(databases)
{
    [Fact]
    public async Task Twelve_hours_a_day_are_the_limit_and_a_coordinators_reason_goes_beyond_it()
    {
        var volunteer = await O.Volunteer(Team);
        (await Record(Admin, volunteer, At("06:00"), At("18:00"))).ShouldBe(201);

        (await Record(Admin, volunteer, At("18:00"), At("18:01"))).ShouldRefuse(409, "daily_limit");
        var record = (await Record(Admin, volunteer, At("18:00"), At("20:00"), dailyLimitOverride: "Flood.")).ShouldBe(201);

        Assert.Equal("Flood.", Text(record, "dailyLimitOverride"));
        var step = Assert.Single((await Admin.Get($"/service-records/{record.Id}/history"))["steps"]!.AsArray());
        Assert.Equal("Flood.", (string?)step!["reason"]);
        (await Record(Admin, volunteer, At("06:00", day: 8), At("18:00", day: 8))).ShouldBe(201);
    }

    [Fact]
    public async Task A_volunteers_own_reason_does_not_count()
    {
        var volunteer = await O.Volunteer(Team);
        var coordinator = await O.CoordinatorWhoIs(volunteer);
        (await Record(coordinator, volunteer, At("06:00"), At("18:00"))).ShouldBe(201);

        (await Record(coordinator, volunteer, At("18:00"), At("19:00"), dailyLimitOverride: "I say so.")).ShouldRefuse(409, "daily_limit");
        (await Record(await O.SignedInAs(await O.Volunteer(Team)), volunteer, At("18:00"), At("19:00"), dailyLimitOverride: "I say so."))
            .ShouldRefuse(403, "only_own_service");
    }

    [Fact]
    public async Task Rejected_and_voided_service_leaves_room()
    {
        var volunteer = await O.Volunteer(Team);
        var self = await O.SignedInAs(volunteer);
        var submitted = (await Record(self, volunteer, At("00:00"), At("06:00"))).ShouldBe(201).Id;
        var approved = (await Record(Admin, volunteer, At("06:00"), At("12:00"))).ShouldBe(201).Id;
        (await Record(Admin, volunteer, At("12:00"), At("18:00"))).ShouldRefuse(409, "daily_limit");

        (await Do(Admin, "reject", submitted)).ShouldBe(200);
        (await Record(Admin, volunteer, At("12:00"), At("18:00"))).ShouldBe(201);
        (await Do(Admin, "void", approved)).ShouldBe(200);
        (await Record(Admin, volunteer, At("18:00"), At("23:59"))).ShouldBe(201);
    }

    [Fact]
    public async Task The_limit_is_the_organizations_and_the_day_is_local_to_its_zone()
    {
        var o = await Given.AnotherOrganization("America/New_York", new { dailyLimitMinutes = 120 });
        var team = await o.Team();
        var (volunteer, activity) = (await o.Volunteer(team), await o.Activity(team));

        // 23:00 to 01:00 in New York is wholly of the seventh, though it begins on the eighth in UTC.
        (await Record(o.Admin, volunteer, "2026-06-08T03:00:00Z", "2026-06-08T05:00:00Z", activity: activity)).ShouldBe(201);
        (await Record(o.Admin, volunteer, "2026-06-07T04:00:00Z", "2026-06-07T04:01:00Z", activity: activity)).ShouldRefuse(409, "daily_limit");
        (await Record(o.Admin, volunteer, "2026-06-07T03:59:00Z", "2026-06-07T04:01:00Z", activity: activity)).ShouldBe(201);
        (await Record(o.Admin, volunteer, "2026-06-08T05:00:00Z", "2026-06-08T07:00:00Z", activity: activity)).ShouldBe(201);
        (await Record(o.Admin, volunteer, "2026-06-09T03:59:00Z", "2026-06-09T04:00:00Z", activity: activity)).ShouldRefuse(409, "daily_limit");
    }

    [Fact]
    public async Task A_correction_may_not_exceed_the_limit_unless_it_says_why()
    {
        var volunteer = await O.Volunteer(Team);
        var morning = await O.Record(Activity, volunteer, At("06:00"), At("12:00"));
        await O.Record(Activity, volunteer, At("12:00"), At("18:00"));

        (await Do(Admin, "correct", morning, new { reason = "Earlier.", startsAt = At("05:00") })).ShouldRefuse(409, "daily_limit");
        var corrected = (await Do(Admin, "correct", morning, new { reason = "Earlier.", startsAt = At("05:00"), dailyLimitOverride = "Flood." })).ShouldBe(200);
        Assert.Equal("Flood.", Text(corrected, "dailyLimitOverride"));
        Assert.Equal((780, 2), await Credited());
    }

    [Fact]
    public async Task A_correction_to_less_needs_no_reason_on_a_day_above_the_limit()
    {
        var volunteer = await O.Volunteer(Team);
        var morning = await O.Record(Activity, volunteer, At("06:00"), At("12:00"));
        (await Record(Admin, volunteer, At("12:00"), At("22:00"), dailyLimitOverride: "Flood.")).ShouldBe(201);

        (await Do(Admin, "correct", morning, new { reason = "Shorter.", startsAt = At("07:00") })).ShouldBe(200);
        (await Do(Admin, "correct", morning, new { reason = "Longer again.", startsAt = At("06:59") })).ShouldRefuse(409, "daily_limit");
        Assert.Equal((900, 2), await Credited());
    }
}
