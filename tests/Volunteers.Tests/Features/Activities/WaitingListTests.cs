using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Activities;

/// <summary>Whatever frees a place gives it to the first who waits and can take it, before the answer is sent.</summary>
public sealed class WaitingListTests(TestDatabases databases) : HoursTest(databases)
{
    private string activity = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        activity = await O.UpcomingActivity(Team);
    }

    [Fact]
    public async Task Who_is_active_again_has_the_place_that_stayed_free_meanwhile()
    {
        var (shift, people) = await Full(capacity: 1, people: 2);
        (await Admin.Patch($"/volunteers/{people[1]}", new { status = "paused" })).ShouldBe(200);
        (await Admin.Delete($"/shifts/{shift}/sign-ups/{people[0]}")).ShouldBe(204);
        await CountsAre(shift, taken: 0, waiting: 1);

        (await Admin.Patch($"/volunteers/{people[1]}", new { status = "active" })).ShouldBe(200);

        Assert.Equal([people[1]], await With("confirmed", shift));
        await CountsAre(shift, taken: 1, waiting: 0);
    }

    [Fact]
    public async Task A_cancellation_gives_the_place_to_the_first_who_waits()
    {
        var (shift, people) = await Full(capacity: 2, people: 5);

        (await Admin.Delete($"/shifts/{shift}/sign-ups/{people[0]}")).ShouldBe(204);

        Assert.Equal([people[1], people[2]], await With("confirmed", shift));
        Assert.Equal([people[3], people[4]], await With("waitlisted", shift));
        await CountsAre(shift, taken: 2, waiting: 2);
    }

    [Fact]
    public async Task Who_gives_up_waiting_moves_nobody()
    {
        var (shift, people) = await Full(capacity: 1, people: 3);

        (await Admin.Delete($"/shifts/{shift}/sign-ups/{people[1]}")).ShouldBe(204);

        Assert.Equal([people[0]], await With("confirmed", shift));
        Assert.Equal([people[2]], await With("waitlisted", shift));
        await CountsAre(shift, taken: 1, waiting: 1);
    }

    [Fact]
    public async Task More_places_go_to_those_who_wait()
    {
        var (shift, people) = await Full(capacity: 1, people: 5);

        (await Admin.Patch($"/shifts/{shift}", new { capacity = 3 })).ShouldBe(200);
        Assert.Equal(people[..3], await With("confirmed", shift));

        var unlimited = (await Admin.Patch($"/shifts/{shift}", new { capacity = (int?)null })).ShouldBe(200);
        Assert.Equal((5, 0), (Number(unlimited, "taken"), Number(unlimited, "waiting")));
        Assert.Equal(people, await With("confirmed", shift));
    }

    [Fact]
    public async Task Who_leaves_the_organization_gives_back_places_and_turns()
    {
        var (shift, people) = await Full(capacity: 1, people: 3);
        var other = await O.Shift(await O.UpcomingActivity(Team, Clock.GetUtcNow().AddDays(9)), capacity: 1);
        await O.SignUp(other, people[2]);
        await O.SignUp(other, people[0]);

        (await Admin.Patch($"/volunteers/{people[0]}", new { status = "left" })).ShouldBe(200);

        Assert.Equal([people[1]], await With("confirmed", shift));
        await CountsAre(shift, taken: 1, waiting: 1);
        await CountsAre(other, taken: 1, waiting: 0);
    }

    [Fact]
    public async Task Who_leaves_by_a_roster_gives_back_places_too()
    {
        var (shift, people) = await Full(capacity: 1, people: 2);
        var number = (string)(await Admin.Get($"/volunteers/{people[0]}"))["number"]!;

        var roster = new StringContent($"number,name,status\r\n{number},Somebody,left\r\n", System.Text.Encoding.UTF8, "text/csv");
        (await Admin.Post("/volunteers/import", roster)).ShouldBe(200);

        Assert.Equal([people[1]], await With("confirmed", shift));
    }

    [Fact]
    public async Task Who_leaves_the_team_gives_back_its_shifts_and_keeps_those_of_others()
    {
        var otherTeam = await O.Team();
        var (shift, people) = await Full(capacity: 1, people: 2);
        await O.Member(otherTeam, people[0]);
        var other = await O.Shift(await O.UpcomingActivity(otherTeam, Clock.GetUtcNow().AddDays(9)), capacity: 1);
        await O.SignUp(other, people[0]);

        (await Admin.Delete($"/teams/{Team}/members/{people[0]}")).ShouldBe(204);

        Assert.Equal([people[1]], await With("confirmed", shift));
        Assert.Equal([people[0]], await With("confirmed", other));
    }

    [Fact]
    public async Task A_group_gives_back_what_it_has_not_named()
    {
        var shift = await O.Shift(activity, capacity: 3);
        var people = await O.Volunteers(4, Team);
        var group = (await Admin.Post($"/shifts/{shift}/groups", new { title = "Class 3", places = 3 })).ShouldBe(200).Id;
        foreach (var person in people) Assert.Equal("waitlisted", await O.SignUp(shift, person));
        var named = (await Admin.Post($"/shifts/{shift}/groups/{group}/names", new { volunteerId = people[3] })).ShouldBe(200);
        Assert.Equal(("confirmed", "group", group), (Text(named, "status"), Text(named, "source"), Text(named, "groupId")));
        await CountsAre(shift, taken: 3, waiting: 3);
        (await Admin.Post($"/shifts/{shift}/groups", new { title = "Class 4", places = 1 })).ShouldRefuse(409, "shift_full");

        (await Admin.Delete($"/shifts/{shift}/groups/{group}")).ShouldBe(204);

        Assert.Equal([people[0], people[1], people[3]], (await With("confirmed", shift)).OrderBy(person => Array.IndexOf(people, person)));
        await CountsAre(shift, taken: 3, waiting: 1);
        (await Admin.Post($"/shifts/{shift}/groups/{group}/names", new { volunteerId = people[2] })).ShouldRefuse(409, "group_all_named");
    }

    [Fact]
    public async Task Who_has_another_shift_by_now_is_passed_over_and_keeps_their_turn()
    {
        var (shift, people) = await Full(capacity: 1, people: 3);
        var elsewhere = await O.Shift(await O.UpcomingActivity(Team));
        await O.SignUp(elsewhere, people[1]);

        (await Admin.Delete($"/shifts/{shift}/sign-ups/{people[0]}")).ShouldBe(204);
        Assert.Equal([people[2]], await With("confirmed", shift));
        Assert.Equal([people[1]], await With("waitlisted", shift));

        // A place is free and nobody can take it, until the other shift is given back.
        (await Admin.Delete($"/shifts/{shift}/sign-ups/{people[2]}")).ShouldBe(204);
        await CountsAre(shift, taken: 0, waiting: 1);
        (await Admin.Delete($"/shifts/{elsewhere}/sign-ups/{people[1]}")).ShouldBe(204);
        Assert.Equal([people[1]], await With("confirmed", shift));
    }

    [Fact]
    public async Task An_activity_called_off_gives_its_people_to_where_they_wait()
    {
        var (shift, people) = await Full(capacity: 1, people: 2);
        var calledOff = await O.UpcomingActivity(Team);
        var elsewhere = await O.Shift(calledOff);
        await O.SignUp(elsewhere, people[1]);
        (await Admin.Delete($"/shifts/{shift}/sign-ups/{people[0]}")).ShouldBe(204);
        await CountsAre(shift, taken: 0, waiting: 1);

        (await Admin.Post($"/activities/{calledOff}/cancel", new { reason = "Typhoon" })).ShouldBe(200);

        Assert.Equal([people[1]], await With("confirmed", shift));
        var cancelled = await Admin.Get($"/shifts/{elsewhere}/sign-ups/{people[1]}");
        Assert.Equal(("cancelled", "Typhoon"), (Text(cancelled, "status"), Text(cancelled, "cancelReason")));
        await CountsAre(elsewhere, taken: 0, waiting: 0);
        (await Admin.Post($"/shifts/{elsewhere}/sign-ups", new { volunteerId = people[0] })).ShouldRefuse(409, "activity_cancelled");
    }

    [Fact]
    public async Task Who_is_paused_is_passed_over()
    {
        var (shift, people) = await Full(capacity: 1, people: 3);
        (await Admin.Patch($"/volunteers/{people[1]}", new { status = "paused" })).ShouldBe(200);

        (await Admin.Delete($"/shifts/{shift}/sign-ups/{people[0]}")).ShouldBe(204);

        Assert.Equal([people[2]], await With("confirmed", shift));
    }

    private async Task<(string Shift, string[] People)> Full(int capacity, int people)
    {
        var shift = await O.Shift(activity, capacity);
        var volunteers = await O.Volunteers(people, Team);
        foreach (var (index, volunteer) in volunteers.Index())
            Assert.Equal(index < capacity ? "confirmed" : "waitlisted", await O.SignUp(shift, volunteer));
        return (shift, volunteers);
    }

    private async Task<string[]> With(string status, string shift) =>
        [.. (await Admin.Get($"/shifts/{shift}/sign-ups?status={status}")).ShouldBe(200).Items.Select(item => (string)item!["volunteerId"]!)];

    private async Task CountsAre(string shift, int taken, int waiting)
    {
        var counts = (await Admin.Get($"/shifts/{shift}")).ShouldBe(200);
        Assert.Equal((taken, waiting), (Number(counts, "taken"), Number(counts, "waiting")));
    }
}
