using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Activities;

public sealed class SignUpTests(TestDatabases databases) : HoursTest(databases)
{
    private string activity = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        activity = await O.UpcomingActivity(Team);
    }

    private DateTimeOffset Start => new(Clock.GetUtcNow().Date.AddDays(2), TimeSpan.Zero);

    [Fact]
    public async Task Who_comes_first_has_a_place_and_who_comes_later_waits_in_order_of_arrival()
    {
        var shift = await O.Shift(activity, capacity: 1);
        var people = await O.Volunteers(3, Team);
        var first = await O.SignedInAs(people[0]);

        var own = (await first.Post($"/shifts/{shift}/sign-ups", new { })).ShouldBe(201);
        var second = (await Admin.Post($"/shifts/{shift}/sign-ups", new { volunteerId = people[1] })).ShouldBe(201);
        var third = (await Admin.Post($"/shifts/{shift}/sign-ups", new { volunteerId = people[2] })).ShouldBe(201);

        Assert.Equal(("confirmed", "self", people[0]), (Text(own, "status"), Text(own, "source"), Text(own, "volunteerId")));
        Assert.Equal($"{O.Path}/shifts/{shift}/sign-ups/{people[0]}", own.Header("Location"));
        Assert.Null(own["waitingPosition"]);
        Assert.Equal(("waitlisted", "coordinator", 1), (Text(second, "status"), Text(second, "source"), Number(second, "waitingPosition")));
        Assert.Equal(2, Number(third, "waitingPosition"));
        var counts = await Admin.Get($"/shifts/{shift}");
        Assert.Equal((1, 2), (Number(counts, "taken"), Number(counts, "waiting")));
        Assert.Equal(people, (await Admin.Get($"/shifts/{shift}/sign-ups")).ShouldBe(200).Items.Select(item => (string)item!["volunteerId"]!));
        Assert.Equal(people[1..], (await Admin.Get($"/shifts/{shift}/sign-ups?status=waitlisted")).Items.Select(item => (string)item!["volunteerId"]!));
    }

    [Fact]
    public async Task A_volunteer_signs_up_and_sees_only_themselves()
    {
        var shift = await O.Shift(activity);
        var people = await O.Volunteers(2, Team);
        await O.SignUp(shift, people[1]);
        var volunteer = await O.SignedInAs(people[0]);

        (await volunteer.Post($"/shifts/{shift}/sign-ups", new { volunteerId = people[1] })).ShouldRefuse(403, "only_own_sign_up");
        (await volunteer.Delete($"/shifts/{shift}/sign-ups/{people[1]}")).ShouldRefuse(404, "not_found");
        (await volunteer.Get($"/shifts/{shift}/sign-ups/{people[1]}")).ShouldRefuse(404, "not_found");
        (await volunteer.Post($"/shifts/{shift}/sign-ups", new { volunteerId = people[0] })).ShouldBe(201);
        Assert.Equal(people[0], (string)Assert.Single((await volunteer.Get($"/shifts/{shift}/sign-ups")).Items)!["volunteerId"]!);
        (await volunteer.Post($"/shifts/{shift}/sign-ups", new { })).ShouldRefuse(409, "already_signed_up");
    }

    [Fact]
    public async Task Nobody_signs_up_who_is_not_of_the_team_not_active_or_not_there()
    {
        var shift = await O.Shift(activity);
        var paused = await O.Volunteer(Team);
        (await Admin.Patch($"/volunteers/{paused}", new { status = "paused" })).ShouldBe(200);
        var below = await O.Volunteer(await O.Team(parentTeamId: Team));

        (await Admin.Post($"/shifts/{shift}/sign-ups", new { volunteerId = await O.Volunteer(await O.Team()) })).ShouldRefuse(409, "not_a_member");
        (await Admin.Post($"/shifts/{shift}/sign-ups", new { volunteerId = paused })).ShouldRefuse(409, "volunteer_not_active");
        (await Admin.Post($"/shifts/{shift}/sign-ups", new { volunteerId = Guid.NewGuid() })).ShouldRefuse(404, "volunteer_not_found");
        (await Admin.Post($"/shifts/{shift}/sign-ups", new { })).ShouldRefuse(400, "volunteer_needed");
        Assert.Equal("confirmed", await O.SignUp(shift, below));
    }

    [Fact]
    public async Task Deadlines_bind_volunteers_and_not_coordinators()
    {
        var shift = await O.Shift(activity);
        (await Admin.Patch($"/shifts/{shift}", new { signUpClosesAt = Start.AddHours(-6), cancelClosesAt = Start.AddHours(-3) })).ShouldBe(200);
        var people = await O.Volunteers(3, Team);
        var volunteer = await O.SignedInAs(people[0]);
        (await volunteer.Post($"/shifts/{shift}/sign-ups", new { })).ShouldBe(201);
        var late = await O.SignedInAs(people[1]);

        await Host.Later(Start.AddHours(-5) - Clock.GetUtcNow());
        (await late.Post($"/shifts/{shift}/sign-ups", new { })).ShouldRefuse(409, "sign_up_closed");
        (await Admin.Post($"/shifts/{shift}/sign-ups", new { volunteerId = people[2] })).ShouldBe(201);
        (await volunteer.Delete($"/shifts/{shift}/sign-ups/{people[0]}")).ShouldBe(204);
        (await Admin.Post($"/shifts/{shift}/sign-ups", new { volunteerId = people[0] })).ShouldBe(201);

        await Host.Later(TimeSpan.FromHours(3));
        (await volunteer.Delete($"/shifts/{shift}/sign-ups/{people[0]}")).ShouldRefuse(409, "cancellation_closed");
        (await Admin.Delete($"/shifts/{shift}/sign-ups/{people[0]}")).ShouldBe(204);

        await Host.Later(TimeSpan.FromHours(12));
        (await Admin.Post($"/shifts/{shift}/sign-ups", new { volunteerId = people[0] })).ShouldRefuse(409, "shift_over");
    }

    [Fact]
    public async Task A_required_skill_must_hold_on_the_day_of_the_shift()
    {
        var shift = await O.Shift(activity, skills: ["first aid", "driving"]);
        var day = DateOnly.FromDateTime(Start.AddHours(8).Date);
        var (able, expired, without) = (await O.Volunteer(Team), await O.Volunteer(Team), await O.Volunteer(Team));
        await Skills(able, new { name = "first aid", expiresOn = (DateOnly?)day }, new { name = "driving", expiresOn = (DateOnly?)null });
        await Skills(expired, new { name = "first aid", expiresOn = (DateOnly?)day.AddDays(-1) }, new { name = "driving", expiresOn = (DateOnly?)null });
        await Skills(without, new { name = "driving" });

        Assert.Equal("confirmed", await O.SignUp(shift, able));
        foreach (var volunteer in new[] { expired, without })
        {
            var refused = (await Admin.Post($"/shifts/{shift}/sign-ups", new { volunteerId = volunteer })).ShouldRefuse(409, "skill_missing");
            Assert.Contains("first aid", (string)refused["detail"]!, StringComparison.Ordinal);
            Assert.DoesNotContain("driving", (string)refused["detail"]!, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Nobody_is_in_two_places_at_once_unless_a_coordinator_says_why()
    {
        var otherTeam = await O.Team();
        var person = await O.Volunteer(Team);
        await O.Member(otherTeam, person);
        var shift = await O.Shift(activity, startsAt: Start.AddHours(1), endsAt: Start.AddHours(2));
        await O.SignUp(shift, person);
        var elsewhere = await O.UpcomingActivity(otherTeam);
        var (clashing, after) = (await O.Shift(elsewhere, startsAt: Start, endsAt: Start.AddMinutes(61)), await O.Shift(elsewhere, startsAt: Start.AddHours(2), endsAt: Start.AddHours(3)));
        var volunteer = await O.SignedInAs(person);

        (await volunteer.Post($"/shifts/{clashing}/sign-ups", new { })).ShouldRefuse(409, "shift_clash");
        (await volunteer.Post($"/shifts/{clashing}/sign-ups", new { allowClash = true, clashReason = "I am quick." })).ShouldRefuse(409, "shift_clash");
        (await Admin.Post($"/shifts/{clashing}/sign-ups", new { volunteerId = person })).ShouldRefuse(409, "shift_clash");
        (await Admin.Post($"/shifts/{clashing}/sign-ups", new { volunteerId = person, allowClash = true })).ShouldRefuse(400, "invalid_request");
        (await volunteer.Post($"/shifts/{after}/sign-ups", new { })).ShouldBe(201);
        var allowed = (await Admin.Post($"/shifts/{clashing}/sign-ups", new { volunteerId = person, allowClash = true, clashReason = "One minute." })).ShouldBe(201);
        Assert.Equal("One minute.", Text(allowed, "clashReason"));
    }

    [Fact]
    public async Task Who_cancelled_may_come_back_at_the_end_of_the_list()
    {
        var shift = await O.Shift(activity, capacity: 1);
        var people = await O.Volunteers(3, Team);
        foreach (var person in people) await O.SignUp(shift, person);

        (await Admin.Delete($"/shifts/{shift}/sign-ups/{people[1]}?reason=Ill")).ShouldBe(204);
        (await Admin.Delete($"/shifts/{shift}/sign-ups/{people[1]}")).ShouldRefuse(404, "not_found");
        Assert.Equal("Ill", Text(await Admin.Get($"/shifts/{shift}/sign-ups/{people[1]}"), "cancelReason"));
        var again = (await Admin.Post($"/shifts/{shift}/sign-ups", new { volunteerId = people[1] })).ShouldBe(201);

        Assert.Equal(("waitlisted", 2), (Text(again, "status"), Number(again, "waitingPosition")));
        Assert.Null(again["cancelReason"]);
    }

    private async Task Skills(string volunteer, params object[] skills) =>
        (await Admin.Patch($"/volunteers/{volunteer}", new { skills })).ShouldBe(200);
}
