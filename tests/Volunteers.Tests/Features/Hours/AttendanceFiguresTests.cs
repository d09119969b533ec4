using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

/// <summary>What attendance is worth in minutes, and what is kept of it when a rule refuses them.</summary>
public sealed class AttendanceFiguresTests(TestDatabases databases) : AttendanceTest(databases)
{
    [Theory]
    [InlineData(0, 0, 120, 120)]
    [InlineData(0, -30, 90, 90)]
    [InlineData(0, 30, 150, 90)]
    [InlineData(0, -30, 150, 120)]
    [InlineData(15, -10, 130, 140)]
    [InlineData(15, -30, 90, 105)]
    [InlineData(15, 30, 150, 105)]
    [InlineData(15, -60, 200, 150)]
    public async Task Hours_are_clipped_to_the_shift_and_the_grace(int grace, int from, int to, int minutes)
    {
        await Settings(new { graceMinutes = grace });
        var record = RecordIn(await Stay(await SignedUp(), from, to));

        Assert.Equal(minutes, (int)record["minutes"]!);
        Assert.True(record["startsAt"]!.GetValue<DateTimeOffset>() >= Start.AddMinutes(-grace));
        Assert.True(record["endsAt"]!.GetValue<DateTimeOffset>() <= End.AddMinutes(grace));
    }

    [Theory]
    [InlineData(-60, -20)]
    [InlineData(140, 200)]
    [InlineData(10, 10.4)]
    public async Task What_lies_outside_or_is_no_minute_is_no_service_and_is_listed(double from, double to)
    {
        var volunteer = await SignedUp();
        await Minute(from);
        (await In(volunteer)).ShouldBe(200);
        await Minute(to);
        var answer = (await Out(volunteer)).ShouldBe(200);

        Assert.Equal(("too_short", "attended", null), (Text(answer, "bookingRefusal"), Text(answer, "status"), answer["serviceRecord"]));
        Assert.Equal("too_short", (string?)Assert.Single(await Exceptions("&kind=notBooked"))!["notBooked"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Back_to_back_shifts_count_no_minute_twice(bool laterFirst)
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        var next = await O.Shift(Event, startsAt: End, endsAt: End.AddHours(2));
        var volunteer = await SignedUp();
        await O.SignUp(next, volunteer);
        await Minute(0);
        (await In(volunteer)).ShouldBe(200);
        await Minute(110);
        (await In(volunteer, next)).ShouldBe(200);
        await Minute(130.3);
        foreach (var shift in laterFirst ? new[] { next, Shift } : [Shift, next]) (await Out(volunteer, shift)).ShouldBe(200);
        await Minute(240.5);
        (await Out(volunteer, next)).ShouldBe(200);

        Assert.Empty(await Exceptions());
        Assert.InRange((await Credited()).Minutes, 239, 240);
        Assert.Equal(0, await Count("select count(*) from service_records a join service_records b on a.id < b.id and a.volunteer_id = b.volunteer_id and a.starts_at < b.ends_at and b.starts_at < a.ends_at"));
        await VerifiedPosition();
    }

    [Fact]
    public async Task What_is_credited_already_in_several_records_is_clipped_away_whole()
    {
        var volunteer = await SignedUp();
        await Minute(0);
        (await In(volunteer)).ShouldBe(200);
        await Minute(120.3);
        foreach (var (from, to) in new[] { (-10, 20), (20, 40), (100, 110), (110, 120) })
            await O.Record(Event, volunteer, Start.AddMinutes(from).ToString("O"), Start.AddMinutes(to).ToString("O"));

        var record = RecordIn(await Out(volunteer));

        Assert.Equal((60, Start.AddMinutes(40)), ((int)record["minutes"]!, record["startsAt"]!.GetValue<DateTimeOffset>()));
    }

    [Fact]
    public async Task Who_the_leader_may_have_counted_already_waits_for_review_though_attendance_is_enough()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        var (early, counted) = (await SignedUp(), await SignedUp());
        await Stay(early, 0, 10);
        await Minute(20);
        (await In(counted)).ShouldBe(200);
        await Minute(30);
        var headcount = new { activityId = Event, startsAt = Start.AddMinutes(15), endsAt = Start.AddMinutes(30), headcount = new { personTimes = 4, method = "counted" } };
        (await Admin.Post("/service-records", headcount)).ShouldBe(201);

        await Minute(60);
        (await Out(counted)).ShouldBe(200);

        Assert.Equal("approved", (string?)(await RecordOf(early))["status"]);
        var record = await RecordOf(counted);
        (await Do(Admin, "approve", (string)record["id"]!)).ShouldRefuse(409, "counted_in_headcount");
        Assert.Equal("submitted", (string?)record["status"]);
    }

    [Fact]
    public async Task What_is_credited_in_the_middle_refuses_the_hours_and_keeps_the_attendance()
    {
        var volunteer = await SignedUp();
        await Minute(0);
        (await In(volunteer)).ShouldBe(200);
        await Minute(120.3);
        await O.Record(Event, volunteer, Start.AddMinutes(50).ToString("O"), Start.AddMinutes(60).ToString("O"));

        Assert.Equal("overlapping_service", Text((await Out(volunteer)).ShouldBe(200), "bookingRefusal"));
        Assert.Equal(2, (await Events()).Count);
    }

    [Fact]
    public async Task Two_shifts_checked_out_at_the_same_moment_share_the_minutes_between_them()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        var next = await O.Shift(Event, startsAt: End, endsAt: End.AddHours(2));
        var people = await O.Volunteers(10, Team);
        foreach (var person in people)
            foreach (var shift in new[] { Shift, next }) await O.SignUp(shift, person);
        await Minute(59.7);
        foreach (var person in people)
            foreach (var shift in new[] { Shift, next }) (await In(person, shift)).ShouldBe(200);
        await Minute(150);

        foreach (var person in people) await Task.WhenAll(Out(person), Out(person, next));

        Assert.Empty(await Exceptions());
        Assert.Equal((people.Length * 90, people.Length * 2), await Credited());
        await VerifiedPosition();
    }

    [Fact]
    public async Task The_daily_limit_refuses_hours_and_keeps_the_attendance()
    {
        await Settings(new { dailyLimitMinutes = 60, attendanceConfirmedBy = "automatic" });
        var volunteer = await SignedUp();

        var answer = await Stay(volunteer, 0, 90);

        Assert.Equal(("daily_limit", "attended", null), (Text(answer, "bookingRefusal"), Text(answer, "status"), answer["serviceRecord"]));
        Assert.Equal(2, (await Events()).Count);
        var exception = Assert.Single(await Exceptions("&kind=notBooked"))!;
        Assert.Equal((volunteer, "daily_limit"), ((string?)exception["volunteerId"], (string?)exception["notBooked"]));
        Assert.Equal((0, 0), await Credited());
        (await Admin.Post("/service-records", new
        {
            volunteerId = volunteer, activityId = Event, shiftId = Shift, startsAt = Start, endsAt = Start.AddMinutes(90), dailyLimitOverride = "Typhoon.",
        })).ShouldBe(201);
        Assert.Equal((90, 1), await Credited());
    }

    [Theory]
    [InlineData("reject")]
    [InlineData("approve")]
    [InlineData("void")]
    public async Task What_a_person_decided_stays_whatever_attendance_arrives_later(string decision)
    {
        var volunteer = await SignedUp();
        var record = (string)RecordIn(await Stay(volunteer, 0, 30))["id"]!;
        if (decision == "void") (await Do(Admin, "approve", record)).ShouldBe(200);
        var decided = (await Do(Admin, decision, record)).ShouldBe(200);

        var answer = await Stay(volunteer, 60, 90);

        Assert.Equal("already_reviewed", Text(answer, "bookingRefusal"));
        Assert.Equal(decided.Text, (await Admin.Get($"/service-records/{record}")).Text);
        Assert.Equal("already_reviewed", (string?)Assert.Single(await Exceptions("&kind=notBooked"))!["notBooked"]);
        await VerifiedPosition();
    }

    [Fact]
    public async Task Only_a_distance_is_kept_of_a_position()
    {
        var (latitude, longitude) = (22.531234, 114.061234);
        (await Admin.Patch($"/activities/{Event}", new { location = new { name = "Lianhua Street", latitude, longitude, radiusMeters = 100 } })).ShouldBe(200);
        var volunteer = await SignedUp();
        await Minute(0);
        foreach (var north in new[] { 0.0008, 0.001, 0.018, 0.02 })
            (await Admin.Post($"/shifts/{Shift}/check-in", new { volunteerId = volunteer, position = new { latitude = latitude + north, longitude } })).ShouldBe(200);
        (await Admin.Post($"/shifts/{Shift}/check-in", new { volunteerId = volunteer, position = new { latitude = 91, longitude } })).ShouldRefuse(400, "invalid_request");
        (await In(volunteer)).ShouldBe(200);

        Assert.Equal(["atPlace", "nearby", "nearby", "far", null], (await Events()).Select(e => (string?)e!["distance"]));
        Assert.Equal(volunteer, (string?)Assert.Single(await Exceptions("&kind=farAway"))!["volunteerId"]);
        Assert.Equal(0, await Count(
            """
            select (select count(*) from attendance_events e where to_jsonb(e)::text ~ '[^:]22\.5|114\.0')
                 + (select count(*) from sign_ups s where to_jsonb(s)::text ~ '[^:]22\.5|114\.0')
            """));
        Assert.Equal(0, await Count(
            "select count(*) from information_schema.columns where table_name = 'attendance_events' and data_type in ('double precision', 'numeric', 'real', 'point', 'jsonb', 'json')"));
    }
}
