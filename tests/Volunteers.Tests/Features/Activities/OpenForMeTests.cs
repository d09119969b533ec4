using System.Text.Json.Nodes;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Activities;

/// <summary>What may I join, and what have I joined.</summary>
public sealed class OpenForMeTests(TestDatabases databases) : HoursTest(databases)
{
    private string me = null!;
    private Api mine = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        me = await O.Volunteer(Team);
        mine = await O.SignedInAs(me);
    }

    private DateTimeOffset Start => new(Clock.GetUtcNow().Date.AddDays(2), TimeSpan.Zero);

    [Fact]
    public async Task What_I_may_join_shows_its_open_shifts_with_the_places_left()
    {
        var activity = await O.UpcomingActivity(Team);
        var open = await O.Shift(activity, capacity: 3);
        await O.SignUp(open, await O.Volunteer(Team));
        await Full(activity);

        var item = Assert.Single(await OpenForMe())!;

        Assert.Equal(activity, (string)item["id"]!);
        var shift = Assert.Single(item["openShifts"]!.AsArray())!;
        Assert.Equal((open, 2), ((string)shift["shiftId"]!, (int)shift["placesLeft"]!));
        Assert.Null((await mine.Get($"/activities/{activity}"))["openShifts"]);
    }

    [Fact]
    public async Task A_shift_without_a_limit_has_places_for_ever()
    {
        await O.Shift(await O.UpcomingActivity(Team));

        Assert.Null(Assert.Single(Assert.Single(await OpenForMe())!["openShifts"]!.AsArray())!["placesLeft"]);
    }

    [Fact]
    public async Task What_I_have_or_cannot_have_is_not_offered()
    {
        var teamBelow = await O.Team(parentTeamId: Team);
        var draft = (await Admin.Post("/activities", new { title = "Draft", teamId = Team, category = "patrol", startsAt = Start, endsAt = Start.AddHours(2) })).ShouldBe(201).Id;
        await O.Shift(draft);
        await O.Shift(await O.UpcomingActivity(await O.Team()));
        await O.Shift(await O.UpcomingActivity(teamBelow));
        await Full(await O.UpcomingActivity(Team));
        var closed = await O.Shift(await O.UpcomingActivity(Team));
        (await Admin.Patch($"/shifts/{closed}", new { signUpClosesAt = Clock.GetUtcNow().AddMinutes(-1) })).ShouldBe(200);
        await O.Shift(await O.UpcomingActivity(Team), skills: ["first aid"]);
        var cancelled = await O.UpcomingActivity(Team);
        await O.Shift(cancelled);
        (await Admin.Post($"/activities/{cancelled}/cancel", new { reason = "Typhoon" })).ShouldBe(200);
        var own = await O.Shift(await O.UpcomingActivity(Team, Start.AddDays(1)));
        await O.SignUp(own, me);
        await O.Shift(await O.UpcomingActivity(Team, Start.AddDays(1).AddHours(3)));

        Assert.Empty(await OpenForMe());

        // Until the reason is gone.
        (await Admin.Patch($"/volunteers/{me}", new { skills = new[] { new { name = "first aid" } } })).ShouldBe(200);
        Assert.Single(await OpenForMe());
        (await Admin.Delete($"/shifts/{own}/sign-ups/{me}")).ShouldBe(204);
        Assert.Equal(3, (await OpenForMe()).Count);
        await O.Member(teamBelow, me);
        Assert.Equal(4, (await OpenForMe()).Count);
        (await Admin.Patch($"/volunteers/{me}", new { status = "paused" })).ShouldBe(200);
        Assert.Empty(await OpenForMe());
    }

    [Fact]
    public async Task A_skill_that_ends_before_the_shift_is_not_enough()
    {
        var day = DateOnly.FromDateTime(Start.AddHours(8).Date);
        (await Admin.Patch($"/volunteers/{me}", new { skills = new[] { new { name = "first aid", expiresOn = day } } })).ShouldBe(200);
        var on = await O.UpcomingActivity(Team);
        await O.Shift(on, skills: ["first aid"]);
        await O.Shift(await O.UpcomingActivity(Team, Start.AddDays(1)), skills: ["first aid"]);

        Assert.Equal(on, (string)Assert.Single(await OpenForMe())!["id"]!);
    }

    [Fact]
    public async Task Everything_offered_can_be_had()
    {
        for (var i = 0; i < 3; i++) await O.Shift(await O.UpcomingActivity(Team, Start.AddDays(i)), capacity: 1 + i);

        var offered = (await OpenForMe()).SelectMany(activity => activity!["openShifts"]!.AsArray()).Select(shift => (string)shift!["shiftId"]!).ToArray();

        Assert.Equal(3, offered.Length);
        foreach (var shift in offered) Assert.Equal("confirmed", Text((await mine.Post($"/shifts/{shift}/sign-ups", new { })).ShouldBe(201), "status"));
        Assert.Empty(await OpenForMe());
    }

    [Fact]
    public async Task Who_is_no_volunteer_may_join_nothing()
    {
        await O.Shift(await O.UpcomingActivity(Team));

        Assert.Empty((await Admin.Get("/activities?openFor=me")).ShouldBe(200).Items);
        (await mine.Get("/activities?openFor=you")).ShouldRefuse(400, "malformed_parameter");
    }

    [Fact]
    public async Task My_shifts_stand_together_from_every_organization()
    {
        var elsewhere = await Given.AnotherOrganization("Europe/Berlin");
        var otherTeam = await elsewhere.Team();
        var alsoMe = await elsewhere.Volunteer(otherTeam);
        var account = (string)(await new Api(mine.Http, "/v1").Get("/me")).ShouldBe(200)["id"]!;
        (await elsewhere.Admin.Put($"/roles/{account}", new { roles = new[] { new { role = "volunteer", volunteerId = alsoMe } } })).ShouldBe(200);
        var (here, there) = (await O.Shift(await O.UpcomingActivity(Team, Start.AddDays(1)), capacity: 1), await elsewhere.Shift(await elsewhere.UpcomingActivity(otherTeam, Start)));
        await O.SignUp(here, await O.Volunteer(Team));
        await O.SignUp(here, me);
        await elsewhere.SignUp(there, alsoMe);
        var gone = await O.Shift(await O.UpcomingActivity(Team, Start.AddDays(5)));
        await O.SignUp(gone, me);
        (await mine.Delete($"/shifts/{gone}/sign-ups/{me}")).ShouldBe(204);

        var shifts = (await new Api(mine.Http, "").Get("/v1/me/shifts")).ShouldBe(200).Items;

        Assert.Equal([there, here], shifts.Select(shift => (string)shift!["shiftId"]!));
        Assert.Equal(("Europe/Berlin", "confirmed"), ((string)shifts[0]!["timeZone"]!, (string)shifts[0]!["status"]!));
        Assert.Equal((O.Id, "waitlisted", 1), ((string)shifts[1]!["organizationId"]!, (string)shifts[1]!["status"]!, (int)shifts[1]!["waitingPosition"]!));
        Assert.Equal(gone, (string)Assert.Single((await new Api(mine.Http, "").Get("/v1/me/shifts?status=cancelled")).Items)!["shiftId"]!);
        Assert.Empty((await (await Given.Operator()).Get("/v1/me/shifts")).ShouldBe(200).Items);
    }

    [Fact]
    public async Task The_moment_from_which_my_shifts_are_listed_has_any_offset_but_has_one()
    {
        var shift = await O.Shift(await O.UpcomingActivity(Team, Start));
        await O.SignUp(shift, me);
        var (end, api) = (Start.AddHours(4).ToOffset(TimeSpan.FromHours(8)), new Api(mine.Http, ""));

        Assert.Single((await api.Get($"/v1/me/shifts?from={At(end.AddMinutes(-1))}&to={At(end)}")).ShouldBe(200).Items);
        Assert.Empty((await api.Get($"/v1/me/shifts?from={At(end)}")).ShouldBe(200).Items);
        foreach (var vague in new[] { "2026-06-07", "2026-06-07T10:00:00", "9999-12-31T23:59:59Z", "-infinity", "" })
            (await api.Get($"/v1/me/shifts?from={vague}")).ShouldRefuse(400, "malformed_parameter");

        static string At(DateTimeOffset moment) => Uri.EscapeDataString(moment.ToString("yyyy-MM-ddTHH:mm:sszzz", System.Globalization.CultureInfo.InvariantCulture));
    }

    private async Task<JsonArray> OpenForMe() => (await mine.Get("/activities?openFor=me&limit=200")).ShouldBe(200).Items;

    private async Task<string> Full(string activity)
    {
        var shift = await O.Shift(activity, capacity: 1);
        await O.SignUp(shift, await O.Volunteer(Team));
        return shift;
    }
}
