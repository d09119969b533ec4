using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Activities;

public sealed class SeriesHorizonTests(TestDatabases databases) : SeriesTest(databases)
{
    private const string Endless = "FREQ=WEEKLY;BYDAY=FR";

    [Fact]
    public async Task A_rule_without_an_end_is_carried_on_twelve_weeks_ahead()
    {
        var series = await Plan(("recurrence", Endless));
        // 1 April and 84 days: 24 June.
        Assert.Equal("2037-06-24", (string?)series["madeUntil"]);
        Assert.Equal((11, "2037-06-19"), ((await Occurrences(series.Id)).Length, Days(await Occurrences(series.Id))[^1]));

        await CarryOn(Host);
        Assert.Equal(11, (await Occurrences(series.Id)).Length);

        await MoveTo("2037-04-02T23:59:00+08:00");
        await CarryOn(Host);
        Assert.Equal(11, (await Occurrences(series.Id)).Length);

        await MoveTo("2037-04-03T00:01:00+08:00");
        await CarryOn(Host);
        var made = (await Occurrences(series.Id))[^1];
        Assert.Equal(("2037-06-26", "2037-06-26T09:30:00Z", "published"), ((string?)made["occurrenceOn"], Start(made), Status(made)));
        Assert.Single(await ShiftsOf(made));
        Assert.Equal("2037-06-26", (string?)(await Admin.Get($"/series/{series.Id}"))["madeUntil"]);
    }

    [Fact]
    public async Task After_a_long_pause_it_makes_up_for_everything()
    {
        var series = await Plan(("recurrence", Endless));

        await MoveTo("2038-04-01T10:00:00+08:00");
        await CarryOn(Host);

        // Fridays from 3 April 2037 to 18 June 2038, but for 1 May 2037.
        var days = Days(await Occurrences(series.Id));
        Assert.Equal((63, "2038-06-18"), (days.Length, days[^1]));
        Assert.Equal(days.Distinct(), days);
    }

    [Fact]
    public async Task Two_replicas_at_once_make_each_day_once()
    {
        var series = new[] { await Plan(("recurrence", "FREQ=DAILY")), await Plan(("recurrence", Endless)), await Plan(("recurrence", "FREQ=MONTHLY;BYMONTHDAY=31")) };
        await using var replica = new ApiHost(ConnectionString);
        replica.Clock.Advance(DateTimeOffset.Parse("2037-05-01T10:00:00+08:00", null) - replica.Clock.GetUtcNow());
        await MoveTo("2037-05-01T10:00:00+08:00");

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => CarryOn(i % 2 == 0 ? Host : replica))));

        // To 24 July: 115 days from 1 April, but for 1 May.
        var days = Days(await Occurrences(series[0].Id));
        Assert.Equal((114, 114), (days.Length, days.Distinct().Count()));
        Assert.Equal(16, (await Occurrences(series[1].Id)).Length);
        Assert.Equal(["2037-05-31"], Days(await Occurrences(series[2].Id)));
    }

    [Fact]
    public async Task What_was_ended_or_has_an_end_is_not_carried_on()
    {
        var (ended, bounded) = (await Plan(("recurrence", Endless)), await Plan());
        (await Admin.Delete($"/series/{ended.Id}")).ShouldBe(200);

        await MoveTo("2037-07-01T10:00:00+08:00");
        await CarryOn(Host);

        Assert.Empty(await Occurrences(ended.Id, "&status=published"));
        Assert.Equal(12, (await Occurrences(bounded.Id)).Length);
    }

    [Fact]
    public async Task An_end_that_is_taken_away_and_given_again_makes_no_day_twice()
    {
        var series = await Plan(("recurrence", "FREQ=WEEKLY;BYDAY=FR;UNTIL=20371231"));
        Assert.Equal(38, (int)series["created"]!);

        (await Admin.Patch($"/series/{series.Id}", new { recurrence = Endless })).ShouldBe(200);
        await CarryOn(Host);
        Assert.Equal(38, (await Occurrences(series.Id)).Length);
        (await Admin.Patch($"/series/{series.Id}", new { recurrence = "FREQ=WEEKLY;BYDAY=FR;UNTIL=20370430" })).ShouldBe(200);
        Assert.Equal(4, (await Occurrences(series.Id, "&status=published")).Length);
        (await Admin.Patch($"/series/{series.Id}", new { recurrence = Endless })).ShouldBe(200);
        await CarryOn(Host);

        Assert.Equal(38, (await Occurrences(series.Id)).Length);
        var days = Days(await Occurrences(series.Id));
        Assert.Equal(days.Distinct(), days);
        Assert.All(await Occurrences(series.Id), a => Assert.Equal("published", Status(a)));
    }
}
