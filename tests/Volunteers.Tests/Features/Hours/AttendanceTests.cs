using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

/// <summary>Who may check whom in, and what is kept of it.</summary>
public sealed class AttendanceTests(TestDatabases databases) : AttendanceTest(databases)
{
    [Fact]
    public async Task Volunteers_check_in_and_out_with_the_code_and_their_hours_wait_for_a_coordinator()
    {
        var volunteer = await SignedUp();
        var self = await O.SignedInAs(volunteer);

        await Minute(5);
        var came = await OwnIn(self);
        Assert.Equal(("attended", null), (Text(came.ShouldBe(200), "status"), came["serviceRecord"]));
        await Minute(65.3);
        var record = RecordIn(await OwnOut(self));

        Assert.Equal(("submitted", null, 60), Brief(record));
        Assert.Equal(("attendance", volunteer, Shift, Event), ((string?)record["evidence"], (string?)record["volunteerId"], (string?)record["shiftId"], (string?)record["activityId"]));
        Assert.Equal((0, 0), await Credited());
        (await Do(self, "approve", (string)record["id"]!)).ShouldRefuse(403, "forbidden");
        (await Do(Admin, "approve", (string)record["id"]!)).ShouldBe(200);
        Assert.Equal((60, 1), await Credited());
        Assert.All(await Events(), e => Assert.Equal(("code", true), ((string?)e!["method"], (bool)e["vouched"]!)));
    }

    [Fact]
    public async Task Attendance_is_enough_where_the_organization_says_so()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        var volunteer = await SignedUp();
        var self = await O.SignedInAs(volunteer);
        await Minute(0);
        (await OwnIn(self)).ShouldBe(200);
        await Minute(90.3);

        Assert.Equal(("approved", null, 90), Brief(RecordIn(await OwnOut(self))));

        Assert.Equal((90, 1), await Credited());
        Assert.Equal(1, await VerifiedPosition());
        var row = Assert.Single((await Admin.Get($"/reports/hours?from={Start:yyyy-MM-dd}&to={Start:yyyy-MM-dd}&groupBy=evidence")).ShouldBe(200)["rows"]!.AsArray())!;
        Assert.Equal(("attendance", 90, 1), ((string?)row["evidence"], (int)row["minutes"]!, (int)row["persons"]!));
    }

    [Theory]
    [InlineData("automatic")]
    [InlineData("coordinator")]
    public async Task Coordinators_do_not_vouch_for_themselves(string confirmedBy)
    {
        await Settings(new { attendanceConfirmedBy = confirmedBy });
        var volunteer = await SignedUp();
        var coordinator = await O.CoordinatorWhoIs(volunteer);
        await Minute(0);
        (await In(null, by: coordinator)).ShouldBe(200);
        await Minute(60.3);
        var record = RecordIn(await OwnOut(coordinator));

        Assert.Equal(("submitted", "selfReported", 60), Brief(record));
        (await Do(coordinator, "approve", (string)record["id"]!)).ShouldRefuse(409, "own_hours");
        Assert.All(await Events(), e => Assert.False((bool)e!["vouched"]!));
        Assert.Equal(volunteer, (string?)Assert.Single(await Exceptions("&kind=selfReported"))!["volunteerId"]);
        Assert.Equal((0, 0), await Credited());
    }

    [Fact]
    public async Task The_person_in_charge_checks_others_in_and_does_not_vouch_for_themselves()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        var (inCharge, volunteer) = (await SignedUp(), await SignedUp());
        (await Admin.Patch($"/activities/{Event}", new { responsibleVolunteerId = inCharge })).ShouldBe(200);
        var self = await O.SignedInAs(inCharge);
        await Minute(0);
        foreach (var person in new[] { inCharge, volunteer }) (await In(person, by: self)).ShouldBe(200);
        await Minute(60.3);

        Assert.Equal(("approved", null, 60), Brief(RecordIn(await self.Post($"/shifts/{Shift}/check-out", new { volunteerId = volunteer, kiosk = true }))));
        Assert.Equal(("submitted", "selfReported", 60), Brief(RecordIn(await Out(inCharge, by: self))));
        Assert.Equal("kiosk", (string?)(await Events())[2]!["method"]);
    }

    [Fact]
    public async Task Volunteers_check_in_nobody_else_not_even_with_the_code()
    {
        var (volunteer, friend) = (await SignedUp(), await SignedUp());
        var self = await O.SignedInAs(volunteer);
        await Minute(0);

        (await self.Post($"/shifts/{Shift}/check-in", new { volunteerId = friend, code = await Code() })).ShouldRefuse(403, "only_own_attendance");
        (await (await O.SignedInWithRole("coordinator", await O.Team())).Post($"/shifts/{Shift}/check-in", new { volunteerId = friend })).ShouldBe(404);
        (await self.Post($"/shifts/{Shift}/check-in", new { volunteerId = volunteer, kiosk = true })).ShouldRefuse(409, "check_in_code_invalid");
        Assert.Empty(await Events());
    }

    [Fact]
    public async Task Nobody_comes_too_early_too_late_or_goes_without_having_come()
    {
        var volunteer = await SignedUp();

        await Minute(-121);
        (await In(volunteer)).ShouldRefuse(409, "too_early");
        await Minute(-119);
        (await Out(volunteer)).ShouldRefuse(409, "not_checked_in");
        (await In(await O.Volunteer(Team))).ShouldRefuse(409, "not_signed_up");
        (await In(Guid.NewGuid().ToString())).ShouldRefuse(409, "not_signed_up");
        (await In(null)).ShouldRefuse(400, "volunteer_needed");
        await Minute(241);
        (await In(volunteer)).ShouldRefuse(409, "shift_over");
        Assert.Equal(("confirmed", 0), (await StatusOf(volunteer), (await Events()).Count));
    }

    [Fact]
    public async Task The_person_in_charge_has_the_list_of_who_is_to_come_and_who_came()
    {
        var (inCharge, other) = (await O.Volunteer(Team), await O.Volunteer(Team));
        (await Admin.Patch($"/activities/{Event}", new { responsibleVolunteerId = inCharge })).ShouldBe(200);
        var volunteer = await SignedUp();
        var (kiosk, phone) = (await O.SignedInAs(inCharge), await O.SignedInAs(other));
        await Minute(0);
        (await In(volunteer, by: kiosk)).ShouldBe(200);

        Assert.Equal(volunteer, (string)Assert.Single((await kiosk.Get($"/shifts/{Shift}/sign-ups")).Items)!["volunteerId"]!);
        Assert.Equal(volunteer, (string)Assert.Single((await kiosk.Get($"/shifts/{Shift}/attendance")).Items)!["volunteerId"]!);
        Assert.Empty((await phone.Get($"/shifts/{Shift}/sign-ups")).Items);
        Assert.Empty((await phone.Get($"/shifts/{Shift}/attendance")).Items);
        (await kiosk.Delete($"/shifts/{Shift}/sign-ups/{volunteer}")).ShouldRefuse(403, "only_own_sign_up");
    }

    [Fact]
    public async Task Walk_ins_are_let_in_by_setting_while_there_are_places()
    {
        var shift = await O.Shift(Event, capacity: 2, startsAt: Start, endsAt: End);
        var (walkIn, late, stranger) = (await O.Volunteer(Team), await O.Volunteer(Team), await O.Volunteer());
        await SignedUp(shift);
        await Minute(0);
        (await In(walkIn, shift)).ShouldRefuse(409, "not_signed_up");
        await Settings(new { walkInsAllowed = true });

        (await In(stranger, shift)).ShouldRefuse(409, "not_a_member");
        (await Out(walkIn, shift)).ShouldRefuse(409, "not_signed_up");
        Assert.Equal("attended", Text((await OwnIn(await O.SignedInAs(walkIn), shift)).ShouldBe(200), "status"));
        (await In(late, shift)).ShouldRefuse(409, "shift_full");
        Assert.Equal("walkIn", Text(await Admin.Get($"/shifts/{shift}/sign-ups/{walkIn}"), "source"));
        Assert.Equal((2, 0), await PlacesOf(shift));
    }

    [Fact]
    public async Task Who_waits_takes_a_free_place_only()
    {
        await Settings(new { walkInsAllowed = true });
        var shift = await O.Shift(Event, capacity: 1, startsAt: Start, endsAt: End);
        var (first, waiting) = (await SignedUp(shift), await O.Volunteer(Team));
        Assert.Equal("waitlisted", await O.SignUp(shift, waiting));
        await Minute(5);
        (await In(waiting, shift)).ShouldRefuse(409, "shift_full");

        // After the start nobody is promoted unasked.
        (await Admin.Delete($"/shifts/{shift}/sign-ups/{first}")).ShouldBe(204);
        (await Admin.Patch($"/volunteers/{waiting}", new { status = "paused" })).ShouldBe(200);
        (await In(waiting, shift)).ShouldRefuse(409, "volunteer_not_active");
        (await Admin.Patch($"/volunteers/{waiting}", new { status = "active" })).ShouldBe(200);
        Assert.Equal("waitlisted", await StatusOf(waiting, shift));
        Assert.Equal("attended", Text((await In(waiting, shift)).ShouldBe(200), "status"));
        Assert.Equal((1, 0), await PlacesOf(shift));
    }

    [Fact]
    public async Task Every_check_in_is_kept_and_several_stays_are_one_record()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        var volunteer = await SignedUp();
        await Minute(0);
        var first = (await In(volunteer)).ShouldBe(200);
        await Minute(10);
        (await In(volunteer)).ShouldBe(200);
        await Minute(30.3);
        Assert.Equal(("approved", null, 30), Brief(RecordIn(await Out(volunteer))));

        Assert.Equal(("approved", null, 70), Brief(RecordIn(await Stay(volunteer, 60, 100))));
        Assert.Equal(("approved", null, 80), Brief(RecordIn(await Stay(volunteer, 100.5, 110))));

        var record = await RecordOf(volunteer);
        Assert.Equal(Text(first, "countedAt"), (string?)record["startsAt"]);
        Assert.Equal(["checkIn", "checkIn", "checkOut", "checkIn", "checkOut", "checkIn", "checkOut"], (await Events()).Select(e => (string)e!["kind"]!));
        Assert.Equal((80, 1), await Credited());
        Assert.Equal(5, await VerifiedPosition());
        Assert.Equal(3, (await Admin.Get($"/service-records/{record["id"]}/history")).ShouldBe(200)["steps"]!.AsArray().Count);
    }

    [Fact]
    public async Task Volunteers_see_their_own_attendance_only()
    {
        var (volunteer, other) = (await SignedUp(), await SignedUp());
        await Minute(0);
        foreach (var person in new[] { volunteer, other }) (await In(person)).ShouldBe(200);

        var seen = (await (await O.SignedInAs(volunteer)).Get($"/shifts/{Shift}/attendance")).ShouldBe(200).Items;

        Assert.Equal(volunteer, (string?)Assert.Single(seen)!["volunteerId"]);
    }

    [Fact]
    public async Task A_cancelled_activity_takes_no_attendance_and_another_organization_knows_nothing_of_it()
    {
        var volunteer = await SignedUp();
        var elsewhere = await Given.AnotherOrganization();
        await Minute(0);

        foreach (var step in new[] { "check-in", "check-out" })
            (await elsewhere.Admin.Post($"/shifts/{Shift}/{step}", new { volunteerId = volunteer })).ShouldRefuse(404, "not_found");
        (await elsewhere.Admin.Get($"/shifts/{Shift}/attendance")).ShouldRefuse(404, "not_found");
        (await Admin.Post($"/activities/{Event}/cancel", new { reason = "Rain" })).ShouldBe(200);
        (await In(volunteer)).ShouldRefuse(409, "activity_cancelled");
    }

    private async Task<(int, int)> PlacesOf(string shift)
    {
        var places = (await Admin.Get($"/shifts/{shift}")).ShouldBe(200);
        return (Number(places, "taken"), Number(places, "waiting"));
    }
}
