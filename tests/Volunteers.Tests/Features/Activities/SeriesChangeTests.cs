using System.Text.Json.Nodes;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Activities;

public sealed class SeriesChangeTests(TestDatabases databases) : SeriesTest(databases)
{
    [Fact]
    public async Task A_change_leaves_what_is_used_and_says_which()
    {
        var series = await Plan();
        var (signedUp, grouped, recorded, moved, calledOff, apart, gaveBack) = (await On(series.Id, "2037-04-10"), await On(series.Id, "2037-04-17"), await On(series.Id, "2037-04-24"),
            await On(series.Id, "2037-05-08"), await On(series.Id, "2037-05-15"), await On(series.Id, "2037-05-22"), await On(series.Id, "2037-05-29"));
        await SignUp(signedUp);
        (await Admin.Post($"/shifts/{Id((await ShiftsOf(grouped))[0])}/groups", new { title = "石厦小学", places = 5 })).ShouldBe(200);
        await Record(recorded);
        (await Admin.Patch($"/activities/{Id(moved)}", new { startsAt = "2037-05-09T17:30:00+08:00", endsAt = "2037-05-09T19:00:00+08:00" })).ShouldBe(200);
        (await Admin.Post($"/activities/{Id(calledOff)}/cancel", new { reason = "台风" })).ShouldBe(200);
        Assert.True((bool)(await Admin.Post($"/activities/{Id(apart)}/detach")).ShouldBe(200)["detached"]!);
        var (shift, volunteer) = await SignUp(gaveBack);
        (await Admin.Delete($"/shifts/{shift}/sign-ups/{volunteer}")).ShouldBe(204);
        var before = (await Occurrences(series.Id)).ToDictionary(Id, a => a.ToJsonString());

        var change = (await Admin.Patch($"/series/{series.Id}", new { startTime = "18:00", title = "晚间值守" })).ShouldBe(200);

        Assert.Equal((0, 6, 0), ((int)change["created"]!, (int)change["changed"]!, (int)change["removed"]!));
        Assert.Equal(
            [("2037-04-10", "signUps", 1, 0), ("2037-04-17", "groupPlaces", 0, 0), ("2037-04-24", "serviceRecords", 0, 1), ("2037-05-08", "detached", 0, 0), ("2037-05-15", "cancelled", 0, 0),
                ("2037-05-22", "detached", 0, 0)],
            change["untouched"]!.AsArray().Select(u => ((string)u!["occurrenceOn"]!, (string)u["reason"]!, (int)u["signUps"]!, (int)u["records"]!)));
        var untouched = change["untouched"]!.AsArray().Select(u => (string)u!["activityId"]!).ToHashSet();
        foreach (var a in await Occurrences(series.Id))
        {
            if (untouched.Contains(Id(a))) Assert.Equal(before[Id(a)], a.ToJsonString());
            else Assert.Equal(("晚间值守", "10:00:00Z", "11:00:00Z"), ((string?)a["title"], Start(a)[11..], End(a)[11..]));
        }
        Assert.Equal("2037-05-29T10:00:00Z", Start(Assert.Single(await ShiftsOf(gaveBack))));
        Assert.Equal(shift, Id(Assert.Single(await ShiftsOf(gaveBack))));
    }

    [Fact]
    public async Task What_the_rule_drops_is_called_off_and_comes_back_with_it()
    {
        var series = await Plan();
        var dropped = await On(series.Id, "2037-04-17");
        var shift = Id((await ShiftsOf(dropped))[0]);

        var change = (await Admin.Patch($"/series/{series.Id}", new { recurrence = "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR;UNTIL=20370630" })).ShouldBe(200);
        // Of the 12 Fridays from 3 April, the even ones; 1 May was every second one.
        Assert.Equal((0, 0, 6), ((int)change["created"]!, (int)change["changed"]!, (int)change["removed"]!));
        var off = await On(series.Id, "2037-04-10");
        Assert.Equal(("cancelled", false), (Status(off), (bool)off["detached"]!));
        // In the language of the organization, whatever that of who changed the series.
        Assert.Equal("该系列这一天不再举行。", (string?)off["cancelReason"]);
        Assert.Equal("published", Status(await On(series.Id, "2037-04-17")));

        var sequence = await Sequence(Id(off));
        var back = (await Admin.Patch($"/series/{series.Id}", new { recurrence = "FREQ=WEEKLY;BYDAY=FR;UNTIL=20370630", endTime = "20:00" })).ShouldBe(200);
        Assert.Equal((6, 6, 0), ((int)back["created"]!, (int)back["changed"]!, (int)back["removed"]!));
        var revived = await On(series.Id, "2037-04-10");
        Assert.Equal((Id(off), "published", null, "2037-04-10T12:00:00Z"), (Id(revived), Status(revived), (string?)revived["cancelReason"], End(revived)));
        Assert.Equal("2037-04-10T12:00:00Z", End(Assert.Single(await ShiftsOf(revived))));
        Assert.True(await Sequence(Id(off)) > sequence);
        await SignUp(revived);
        Assert.Equal(shift, Id((await ShiftsOf(await On(series.Id, "2037-04-17")))[0]));
    }

    [Fact]
    public async Task Drafts_that_the_rule_drops_are_gone_and_made_anew()
    {
        var series = await Plan(("publish", false));

        (await Admin.Patch($"/series/{series.Id}", new { exceptOn = new[] { "2037-05-01", "2037-04-10" } })).ShouldBe(200);
        Assert.DoesNotContain("2037-04-10", Days(await Occurrences(series.Id)));

        var back = (await Admin.Patch($"/series/{series.Id}", new { exceptOn = (string[]?)null, publish = true })).ShouldBe(200);
        Assert.Equal((2, 11), ((int)back["created"]!, (int)back["changed"]!));
        Assert.All(await Occurrences(series.Id), a => Assert.Equal("published", Status(a)));
        Assert.Equal(13, (await Occurrences(series.Id)).Length);
    }

    [Fact]
    public async Task A_draft_on_which_a_group_once_had_places_stays_and_is_named()
    {
        var series = await Plan(("publish", false));
        var shift = Id((await ShiftsOf(await On(series.Id, "2037-04-10")))[0]);
        var group = (await Admin.Post($"/shifts/{shift}/groups", new { title = "某公司", places = 3 })).ShouldBe(200).Id;
        (await Admin.Delete($"/shifts/{shift}/groups/{group}")).ShouldBe(204);

        var ended = (await Admin.Delete($"/series/{series.Id}")).ShouldBe(200);

        Assert.Equal([("2037-04-10", "formerSignUps")], ended["untouched"]!.AsArray().Select(u => ((string)u!["occurrenceOn"]!, (string)u["reason"]!)));
        Assert.Equal(["2037-04-10"], Days(await Occurrences(series.Id)));
    }

    [Fact]
    public async Task Shifts_are_changed_with_their_occurrences()
    {
        var series = await Plan(("shifts", new JsonArray(new JsonObject { ["name"] = "东", ["capacity"] = 2 }, new JsonObject { ["name"] = "西" })));
        var (used, left) = (await On(series.Id, "2037-04-03"), await On(series.Id, "2037-04-10"));
        var (shift, volunteer) = await SignUp(left, "西");
        (await Admin.Delete($"/shifts/{shift}/sign-ups/{volunteer}")).ShouldBe(204);
        await SignUp(used, "西");

        var change = (await Admin.Patch($"/series/{series.Id}", new { shifts = new object[] { new { name = "北", endTime = "18:00" }, new { name = "东", capacity = 4 }, new { name = "南" } } })).ShouldBe(200);
        Assert.Equal(["2037-04-03"], change["untouched"]!.AsArray().Select(u => (string)u!["occurrenceOn"]!));
        Assert.Equal(["东", "西"], (await ShiftsOf(used)).Select(s => (string)s["name"]!).Order());
        Assert.Equal([("东", 4), ("北", 0), ("南", 0)], (await ShiftsOf(await On(series.Id, "2037-04-17"))).Select(s => ((string)s["name"]!, (int?)s["capacity"] ?? 0)).OrderBy(s => s.Item1, StringComparer.Ordinal));

        // One of two has to go, and somebody had a place on it once: its history stays.
        var fewer = (await Admin.Patch($"/series/{series.Id}", new { shifts = new[] { new { name = "东" } } })).ShouldBe(200);
        Assert.Equal([("2037-04-03", "signUps"), ("2037-04-10", "formerSignUps")],
            fewer["untouched"]!.AsArray().Select(u => ((string)u!["occurrenceOn"]!, (string)u["reason"]!)));
        Assert.Single(await ShiftsOf(await On(series.Id, "2037-04-17")));
    }

    [Fact]
    public async Task Ending_it_calls_off_what_is_unused_from_that_day_on()
    {
        var series = await Plan(("recurrence", "FREQ=WEEKLY;BYDAY=FR"));
        await SignUp(await On(series.Id, "2037-05-15"));

        var ended = (await Admin.Delete($"/series/{series.Id}?from=2037-05-08")).ShouldBe(200);

        Assert.Equal(("ended", "2037-05-08"), ((string?)ended["status"], (string?)ended["endedFrom"]));
        Assert.Equal(["2037-05-15"], ended["untouched"]!.AsArray().Select(u => (string)u!["occurrenceOn"]!));
        Assert.Equal(["2037-04-03", "2037-04-10", "2037-04-17", "2037-04-24", "2037-05-15"], Days(await Occurrences(series.Id, "&status=published")));
        Assert.Equal(6, (int)ended["removed"]!);
        (await Admin.Delete($"/series/{series.Id}")).ShouldRefuse(409, "series_ended");
        (await Admin.Patch($"/series/{series.Id}", new { title = "a" })).ShouldRefuse(409, "series_ended");
        Assert.Equal("ended", (string?)(await Admin.Get($"/series/{series.Id}"))["status"]);
    }

    [Fact]
    public async Task Ending_it_beyond_its_reach_makes_what_is_missing_until_then()
    {
        var series = await Plan(("recurrence", "FREQ=WEEKLY;BYDAY=FR"), ("exceptOn", null));

        (await Admin.Delete($"/series/{series.Id}?from=2037-09-04")).ShouldBe(200);

        Assert.Equal((22, "2037-08-28"), ((await Occurrences(series.Id)).Length, Days(await Occurrences(series.Id))[^1]));
    }

    [Fact]
    public async Task What_took_place_or_has_begun_is_history()
    {
        var series = await Plan();
        await MoveTo("2037-04-10T17:31:00+08:00");

        var change = (await Admin.Patch($"/series/{series.Id}", new { startTime = "18:00", endTime = "19:30" })).ShouldBe(200);

        Assert.Equal((0, 10, 0), ((int)change["created"]!, (int)change["changed"]!, change["untouched"]!.AsArray().Count));
        Assert.Equal(["09:30", "09:30", "10:00"], (await Occurrences(series.Id)).Take(3).Select(a => Start(a)[11..16]));
        Assert.Equal(12, (await Occurrences(series.Id)).Length);
    }

    [Fact]
    public async Task A_change_of_nothing_changes_nothing()
    {
        var series = await Plan();
        var before = (await Occurrences(series.Id)).Select(a => a.ToJsonString()).ToArray();

        var change = (await Admin.Patch($"/series/{series.Id}", new { title = "周五交通值守" })).ShouldBe(200);

        Assert.Equal((0, 0, 0), ((int)change["created"]!, (int)change["changed"]!, (int)change["removed"]!));
        Assert.Equal(before, (await Occurrences(series.Id)).Select(a => a.ToJsonString()));
        (await Admin.Patch($"/series/{series.Id}", new { recurrence = "FREQ=HOURLY" })).ShouldRefuse(400, "invalid_recurrence");
        (await Admin.Patch($"/series/{series.Id}", new { firstOn = "2037-01-01" })).ShouldRefuse(400, "first_on_too_early");
        (await Admin.Patch($"/series/{series.Id}", new { teamId = Guid.NewGuid() })).ShouldRefuse(404, "team_not_found");
        (await Admin.Post($"/activities/{await O.Activity(Team)}/detach")).ShouldRefuse(409, "not_in_series");
        Assert.Equal(before, (await Occurrences(series.Id)).Select(a => a.ToJsonString()));
    }

    private async Task<(string Shift, string Volunteer)> SignUp(JsonNode activity, string? name = null)
    {
        var (shift, volunteer) = (Id((await ShiftsOf(activity)).First(s => name is null || (string?)s["name"] == name)), await O.Volunteer(Team));
        (await Admin.Post($"/shifts/{shift}/sign-ups", new { volunteerId = volunteer })).ShouldBe(201);
        return (shift, volunteer);
    }

    /// <summary>Service cannot be recorded before it was given, so this record is moved here.</summary>
    private async Task Record(JsonNode activity)
    {
        var record = await O.Record(await O.Activity(Team), await O.Volunteer(Team), "2026-06-07T14:30:00+08:00", "2026-06-07T15:30:00+08:00");
        await using var source = Npgsql.NpgsqlDataSource.Create(ConnectionString);
        await using var command = source.CreateCommand("update service_records set activity_id = $1 where id = $2");
        command.Parameters.AddWithValue(Guid.Parse(Id(activity)));
        command.Parameters.AddWithValue(Guid.Parse(record));
        Assert.Equal(1, await command.ExecuteNonQueryAsync());
    }

    private async Task<int> Sequence(string activity)
    {
        await using var source = Npgsql.NpgsqlDataSource.Create(ConnectionString);
        await using var command = source.CreateCommand("select sequence from activities where id = $1");
        command.Parameters.AddWithValue(Guid.Parse(activity));
        return (int)(await command.ExecuteScalarAsync())!;
    }
}
