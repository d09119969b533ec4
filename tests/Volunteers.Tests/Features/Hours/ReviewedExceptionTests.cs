using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

/// <summary>The daily list is worked off: what a coordinator has decided on leaves it.</summary>
public sealed class ReviewedExceptionTests(TestDatabases databases) : AttendanceTest(databases)
{
    [Fact]
    public async Task A_forgotten_check_out_leaves_the_list_when_its_hours_are_approved()
    {
        var volunteer = await SignedUp();
        await Minute(0);
        (await In(volunteer)).ShouldBe(200);
        await SettleAfter(120 + 121);
        Assert.Single(await Exceptions());

        (await Do(Admin, "approve", (string)(await RecordOf(volunteer))["id"]!, new { })).ShouldBe(200);

        Assert.Empty(await Exceptions());
        Assert.Empty(await Exceptions("&kind=forgottenCheckOut&reviewed=false"));
        Assert.Equal("approved", (string?)Assert.Single(await Exceptions("&reviewed=true"))!["serviceRecordStatus"]);
    }

    [Fact]
    public async Task What_arrives_after_the_review_brings_it_back()
    {
        var volunteer = await SignedUp();
        await Minute(0);
        (await In(volunteer)).ShouldBe(200);
        await SettleAfter(120 + 121);
        (await Do(Admin, "reject", (string)(await RecordOf(volunteer))["id"]!)).ShouldBe(200);
        Assert.Empty(await Exceptions());

        Assert.Equal(["recorded"], await Results([Offline(volunteer, "checkOut", 100)]));

        Assert.Equal("already_reviewed", (string?)Assert.Single(await Exceptions())!["notBooked"]);
    }

    [Fact]
    public async Task Hours_that_the_organizations_own_rule_approved_were_looked_at_by_nobody()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        (await Admin.Patch($"/activities/{Event}", new { location = new { name = "Gate", latitude = 22.5, longitude = 114.0, radiusMeters = 100 } })).ShouldBe(200);
        var volunteer = await SignedUp();
        await Minute(0);
        (await Admin.Post($"/shifts/{Shift}/check-in", new { volunteerId = volunteer, position = new { latitude = 23.5, longitude = 114.0 } })).ShouldBe(200);
        await Minute(60);
        Assert.Equal("approved", (string?)RecordIn(await Out(volunteer))["status"]);
        Assert.Single(await Exceptions("&kind=farAway"));

        (await Do(Admin, "correct", (string)(await RecordOf(volunteer))["id"]!, new { reason = "Was at the other gate.", minutes = 50 })).ShouldBe(200);

        Assert.Empty(await Exceptions("&kind=farAway"));
    }

    [Fact]
    public async Task Who_did_not_come_leaves_the_list_when_a_coordinator_enters_their_hours_on_the_shift()
    {
        var (missing, other) = (await SignedUp(), await SignedUp());
        await SettleAfter(120 + 121);
        Assert.Equal(2, (await Exceptions("&kind=noShow")).Count);
        Assert.Equal(2, (await Admin.Get($"/attendance/exceptions?to={Start:yyyy-MM-dd}")).ShouldBe(200).Items.Count);

        (await Admin.Post("/service-records", new { activityId = Event, shiftId = Shift, volunteerId = missing, startsAt = Start, endsAt = End })).ShouldBe(201);

        Assert.Equal(other, (string?)Assert.Single(await Exceptions("&kind=noShow"))!["volunteerId"]);
    }
}
