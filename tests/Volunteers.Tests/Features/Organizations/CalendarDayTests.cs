using System.Text.Json.Nodes;
using Npgsql;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Organizations;

public sealed class CalendarDayTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task Days_are_set_together_replace_those_there_were_and_leave_the_others()
    {
        var o = await Given.Organization();
        var set = (await Set(o.Admin, Day("2026-10-10", "working", "Make-up"), Day("2026-10-01", "holiday"))).ShouldBe(200);
        Assert.Equal(["2026-10-01", "2026-10-10"], set.Items.Select(d => (string?)d!["day"]));

        (await Set(o.Admin, Day("2026-10-10", "holiday"), Day("2026-12-25", "holiday", "Christmas"))).ShouldBe(200);

        var all = (await o.Admin.Get("/calendar-days")).ShouldBe(200).Items;
        Assert.Equal([("2026-10-01", "holiday", null), ("2026-10-10", "holiday", null), ("2026-12-25", "holiday", "Christmas")],
            all.Select(d => ((string)d!["day"]!, (string)d["kind"]!, (string?)d["name"])));
        Assert.Equal("2026-10-10", (string?)Assert.Single((await o.Admin.Get("/calendar-days?from=2026-10-02&to=2026-12-24")).Items)!["day"]);
        Assert.Equal(2, (await o.Admin.Get("/calendar-days?from=2026-10-10&to=2026-12-25")).Items.Count);
    }

    [Fact]
    public async Task A_day_is_taken_out_once()
    {
        var o = await Given.Organization();
        (await Set(o.Admin, Day("2026-10-01", "holiday"))).ShouldBe(200);

        (await o.Admin.Delete("/calendar-days/2026-10-01")).ShouldBe(204);

        (await o.Admin.Delete("/calendar-days/2026-10-01")).ShouldRefuse(404, "not_found");
        Assert.Equal(400, (await o.Admin.Delete("/calendar-days/2026-02-30")).Status);
        Assert.Empty((await o.Admin.Get("/calendar-days")).Items);
    }

    [Fact]
    public async Task What_is_not_a_calendar_is_refused_and_changes_nothing()
    {
        var o = await Given.Organization();

        (await Set(o.Admin)).ShouldRefuse(400, "invalid_request");
        (await Set(o.Admin, Day("2026-10-01", "holiday"), Day("2026-10-01", "working"))).ShouldRefuse(400, "invalid_request");
        (await Set(o.Admin, Day("2026-02-30", "holiday"))).ShouldRefuse(400, "malformed_json");
        (await Set(o.Admin, Day("2026-10-01", "feast"))).ShouldRefuse(400, "malformed_json");
        (await Set(o.Admin, Day("2026-10-01", "holiday", new string('x', 101)))).ShouldRefuse(400, "invalid_request");
        (await Set(o.Admin, Day("2026-10-01", "holiday", "two\nlines"))).ShouldRefuse(400, "invalid_request");
        (await o.Admin.Put("/calendar-days", new { days = new object?[] { null } })).ShouldRefuse(400, "invalid_request");
        (await Set(o.Admin, [.. Enumerable.Range(0, 1001).Select(i => Day($"{new DateOnly(2026, 1, 1).AddDays(i):yyyy-MM-dd}", "holiday"))])).ShouldRefuse(400, "invalid_request");
        (await o.Admin.Get("/calendar-days?from=2026-10-02&to=2026-10-01")).ShouldRefuse(400, "invalid_request");
        Assert.Empty((await o.Admin.Get("/calendar-days")).Items);
        (await Set(o.Admin, [.. Enumerable.Range(0, 1000).Select(i => Day($"{new DateOnly(2026, 1, 1).AddDays(i):yyyy-MM-dd}", "holiday"))])).ShouldBe(200);
    }

    [Fact]
    public async Task Members_read_the_calendar_and_only_administrators_change_it()
    {
        var o = await Given.Organization();
        (await Set(o.Admin, Day("2026-10-01", "holiday"))).ShouldBe(200);
        var team = await o.Team();

        foreach (var caller in new[] { await o.SignedInAs(await o.Volunteer(team)), await o.SignedInWithRole("coordinator"), await o.SignedInWithRole("auditor") })
        {
            Assert.Single((await caller.Get("/calendar-days")).ShouldBe(200).Items);
            (await Set(caller, Day("2026-10-02", "holiday"))).ShouldRefuse(403, "forbidden");
            (await caller.Delete("/calendar-days/2026-10-01")).ShouldRefuse(403, "forbidden");
        }
    }

    [Fact]
    public async Task Another_organization_has_a_calendar_of_its_own()
    {
        var (o, other) = (await Given.Organization(), await Given.AnotherOrganization());
        (await Set(o.Admin, Day("2026-10-01", "holiday"))).ShouldBe(200);

        Assert.Empty((await other.Admin.Get("/calendar-days")).Items);
        (await other.Admin.Delete("/calendar-days/2026-10-01")).ShouldRefuse(404, "not_found");
        (await Set(other.Admin, Day("2026-10-01", "working"))).ShouldBe(200);

        Assert.Equal("holiday", (string?)Assert.Single((await o.Admin.Get("/calendar-days")).Items)!["kind"]);
    }

    [Fact]
    public async Task Lists_that_name_the_same_day_at_the_same_moment_set_it_once()
    {
        var o = await Given.Organization();

        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Set(o.Admin, Day("2026-10-01", i % 2 == 0 ? "holiday" : "working"), Day("2026-10-02", "holiday"))));

        Assert.All(answers, answer => answer.ShouldBe(200));
        Assert.Equal(2, (await o.Admin.Get("/calendar-days")).Items.Count);
    }

    [Fact]
    public async Task The_days_of_rest_are_a_setting_and_at_most_six()
    {
        var o = await Given.Organization();
        Assert.Equal(["saturday", "sunday"], await RestDays(o));

        (await o.Admin.Patch("", new { settings = new { restDays = new[] { "friday", "saturday" } } })).ShouldBe(200);
        Assert.Equal(["friday", "saturday"], await RestDays(o));
        (await o.Admin.Patch("", new { settings = new { restDays = Array.Empty<string>() } })).ShouldBe(200);
        Assert.Empty(await RestDays(o));

        (await o.Admin.Patch("", new { settings = new { restDays = new[] { "friday", "friday" } } })).ShouldRefuse(400, "invalid_request");
        (await o.Admin.Patch("", new { settings = new { restDays = new[] { "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday" } } }))
            .ShouldRefuse(400, "invalid_request");
        (await o.Admin.Patch("", new { settings = new { restDays = new[] { "someday" } } })).ShouldBe(400);
        (await o.Admin.Patch("", new { settings = new { restDays = new[] { 6 } } })).ShouldBe(400);
    }

    [Fact]
    public async Task An_organization_from_before_there_were_days_of_rest_rests_at_the_weekend()
    {
        var o = await Given.Organization();
        await using (var connection = new NpgsqlConnection(ConnectionString))
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = new NpgsqlCommand($"update organizations set settings = (settings::jsonb - 'RestDays') where id = '{o.Id}'", connection);
            Assert.Equal(1, await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
        }

        Assert.Equal(["saturday", "sunday"], await RestDays(o));
        (await o.Admin.Patch("", new { settings = new { dailyLimitMinutes = 600 } })).ShouldBe(200);
        Assert.Equal(["saturday", "sunday"], await RestDays(o));
    }

    private static Task<Answer> Set(Api by, params JsonObject[] days) => by.Put("/calendar-days", new { days });

    private static JsonObject Day(string day, string kind, string? name = null) => new() { ["day"] = day, ["kind"] = kind, ["name"] = name };

    private static async Task<string[]> RestDays(OrganizationSteps o) =>
        [.. (await o.Admin.Get("")).ShouldBe(200)["settings"]!["restDays"]!.AsArray().Select(day => (string)day!)];
}
