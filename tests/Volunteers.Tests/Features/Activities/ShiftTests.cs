using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Activities;

public sealed class ShiftTests(TestDatabases databases) : HoursTest(databases)
{
    private static readonly DateTimeOffset Start = new(2027, 3, 1, 8, 0, 0, TimeSpan.FromHours(8));

    [Fact]
    public async Task A_shift_takes_what_is_not_given_from_its_activity()
    {
        var activity = await O.UpcomingActivity(Team, Start);

        var made = (await Admin.Post($"/activities/{activity}/shifts", new { name = "North crossing" })).ShouldBe(201);

        Assert.Equal($"{O.Path}/shifts/{made.Id}", made.Header("Location"));
        Assert.Equal((Start, Start.AddHours(4)), ((DateTimeOffset)made["startsAt"]!, (DateTimeOffset)made["endsAt"]!));
        Assert.Null(made["capacity"]);
        Assert.Equal((0, 0), (Number(made, "taken"), Number(made, "waiting")));
        var read = (await Admin.Get($"/shifts/{made.Id}")).ShouldBe(200);
        Assert.Equal(made.Text, read.Text);
        Assert.Equal(made.Id, (string)Assert.Single((await Admin.Get($"/activities/{activity}/shifts")).ShouldBe(200).Items)!["id"]!);
    }

    [Fact]
    public async Task A_shift_lies_within_its_activity()
    {
        var activity = await O.UpcomingActivity(Team, Start);

        (await Admin.Post($"/activities/{activity}/shifts", new { name = "Early", startsAt = Start.AddMinutes(-1) })).ShouldRefuse(409, "shift_outside_activity");
        (await Admin.Post($"/activities/{activity}/shifts", new { name = "Late", endsAt = Start.AddHours(4).AddMinutes(1) })).ShouldRefuse(409, "shift_outside_activity");
        (await Admin.Post($"/activities/{activity}/shifts", new { name = "Elsewhen", startsAt = Start.AddHours(9) })).ShouldRefuse(409, "shift_outside_activity");
        (await Admin.Post($"/activities/{activity}/shifts", new { name = "Backwards", startsAt = Start.AddHours(2), endsAt = Start.AddHours(1) })).ShouldRefuse(400, "invalid_request");
        (await Admin.Post($"/activities/{activity}/shifts", new { name = "None", capacity = 0 })).ShouldRefuse(400, "invalid_request");
        (await Admin.Post($"/activities/{Guid.NewGuid()}/shifts", new { name = "Nowhere" })).ShouldRefuse(404, "not_found");
    }

    [Fact]
    public async Task A_shift_whose_places_are_taken_is_not_moved_and_keeps_places_for_all_of_them()
    {
        var shift = await O.Shift(await O.UpcomingActivity(Team, Start), capacity: 3);
        foreach (var volunteer in await O.Volunteers(2, Team)) await O.SignUp(shift, volunteer);

        var moved = (await Admin.Patch($"/shifts/{shift}", new { startsAt = Start.AddHours(1) })).ShouldRefuse(409, "shift_has_sign_ups");
        Assert.Contains("2", (string)moved["detail"]!, StringComparison.Ordinal);
        (await Admin.Patch($"/shifts/{shift}", new { capacity = 1 })).ShouldRefuse(409, "capacity_below_taken");
        (await Admin.Patch($"/shifts/{shift}", new { capacity = 2, name = "South" })).ShouldBe(200);
        (await Admin.Delete($"/shifts/{shift}")).ShouldRefuse(409, "shift_has_sign_ups");
    }

    [Fact]
    public async Task A_shift_that_nobody_wants_any_more_can_go()
    {
        var shift = await O.Shift(await O.UpcomingActivity(Team, Start), capacity: 1);
        var volunteer = await O.Volunteer(Team);
        await O.SignUp(shift, volunteer);
        (await Admin.Delete($"/shifts/{shift}/sign-ups/{volunteer}")).ShouldBe(204);

        (await Admin.Delete($"/shifts/{shift}")).ShouldBe(204);

        (await Admin.Get($"/shifts/{shift}")).ShouldRefuse(404, "not_found");
    }

    [Fact]
    public async Task A_shift_for_which_service_was_recorded_stays()
    {
        var activity = await O.Activity(Team);
        var shift = await O.Shift(activity);
        (await Admin.Post("/service-records", new { activityId = activity, shiftId = shift, volunteerId = await O.Volunteer(Team), startsAt = "2026-06-07T14:30:00+08:00", endsAt = "2026-06-07T15:30:00+08:00" }))
            .ShouldBe(201);

        (await Admin.Delete($"/shifts/{shift}")).ShouldRefuse(409, "shift_in_use");
    }

    [Fact]
    public async Task An_activity_takes_its_shifts_along_when_it_moves()
    {
        var activity = await O.UpcomingActivity(Team, Start);
        var shift = (await Admin.Post($"/activities/{activity}/shifts",
            new { name = "Second half", startsAt = Start.AddHours(2), cancelClosesAt = Start.AddHours(-24) })).ShouldBe(201).Id;

        (await Admin.Patch($"/activities/{activity}", new { startsAt = Start.AddDays(1), endsAt = Start.AddDays(1).AddHours(4) })).ShouldBe(200);

        var moved = await Admin.Get($"/shifts/{shift}");
        Assert.Equal(Start.AddDays(1).AddHours(2), (DateTimeOffset)moved["startsAt"]!);
        Assert.Equal(Start.AddDays(1).AddHours(4), (DateTimeOffset)moved["endsAt"]!);
        Assert.Equal(Start, (DateTimeOffset)moved["cancelClosesAt"]!);

        (await Admin.Patch($"/activities/{activity}", new { endsAt = Start.AddDays(1).AddHours(3) })).ShouldRefuse(409, "shift_outside_activity");
        await O.SignUp(shift, await O.Volunteer(Team));
        (await Admin.Patch($"/activities/{activity}", new { startsAt = Start, endsAt = Start.AddHours(4) })).ShouldRefuse(409, "shift_has_sign_ups");
        (await Admin.Patch($"/activities/{activity}", new { title = "Still here" })).ShouldBe(200);
    }

    [Fact]
    public async Task An_activity_made_from_a_project_gets_a_shift_for_each_post()
    {
        var project = (await Admin.Post("/projects", new
        {
            title = "Exam rides", category = "rides", status = "adopted", defaults = new { minutes = 90, capacity = 4, posts = new[] { "North gate", "South gate" } },
        })).ShouldBe(201).Id;

        var activity = (await Admin.Post("/activities", new { teamId = Team, projectId = project, startsAt = Start })).ShouldBe(201).Id;

        var shifts = (await Admin.Get($"/activities/{activity}/shifts")).ShouldBe(200).Items;
        Assert.Equal(["North gate", "South gate"], shifts.Select(shift => (string)shift!["name"]!).Order());
        Assert.All(shifts, shift => Assert.Equal((4, Start.AddMinutes(90)), ((int)shift!["capacity"]!, (DateTimeOffset)shift["endsAt"]!)));
    }

    [Fact]
    public async Task Volunteers_see_the_shifts_of_what_is_published()
    {
        var volunteer = await O.SignedInAs(await O.Volunteer(Team));
        var published = await O.Shift(await O.UpcomingActivity(Team, Start));
        var draft = (await Admin.Post("/activities", new { title = "Draft", teamId = Team, category = "patrol", startsAt = Start, endsAt = Start.AddHours(1) })).ShouldBe(201).Id;
        var hidden = await O.Shift(draft);

        (await volunteer.Get($"/shifts/{published}")).ShouldBe(200);
        (await volunteer.Get($"/shifts/{hidden}")).ShouldRefuse(404, "not_found");
        (await volunteer.Get($"/activities/{draft}/shifts")).ShouldRefuse(404, "not_found");
        (await volunteer.Post($"/shifts/{hidden}/sign-ups", new { })).ShouldRefuse(404, "not_found");
        (await Admin.Post($"/shifts/{hidden}/sign-ups", new { volunteerId = await O.Volunteer(Team) })).ShouldRefuse(409, "activity_not_published");
    }

    [Fact]
    public async Task A_coordinator_of_another_team_changes_nothing()
    {
        var stranger = await O.SignedInWithRole("coordinator", await O.Team());
        var activity = await O.UpcomingActivity(Team, Start);
        var shift = await O.Shift(activity);

        (await stranger.Post($"/activities/{activity}/shifts", new { name = "Theirs" })).ShouldRefuse(404, "not_found");
        (await stranger.Patch($"/shifts/{shift}", new { capacity = 1 }, "*")).ShouldRefuse(404, "not_found");
        (await stranger.Delete($"/shifts/{shift}")).ShouldRefuse(404, "not_found");
        (await stranger.Post($"/shifts/{shift}/groups", new { title = "Class", places = 2 })).ShouldRefuse(404, "not_found");
        (await stranger.Post($"/shifts/{shift}/sign-ups", new { volunteerId = await O.Volunteer(Team) })).ShouldRefuse(404, "not_found");
    }
}
