using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Activities;

public sealed class SeriesRaceTests(TestDatabases databases) : SeriesTest(databases)
{
    [Fact]
    public async Task Of_several_changes_at_once_one_wins()
    {
        var series = await Plan();
        var tag = series.Header("ETag")!;

        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(() => Admin.Patch($"/series/{series.Id}", new { title = $"值守{i}" }, tag))));

        Assert.Single(answers, answer => answer.Status == 200);
        Assert.All(answers.Where(answer => answer.Status != 200), answer => answer.ShouldRefuse(412, "stale_version"));
        var title = (string)answers.Single(answer => answer.Status == 200)["title"]!;
        Assert.All(await Occurrences(series.Id), a => Assert.Equal(title, (string?)a["title"]));
    }

    [Fact]
    public async Task A_sign_up_during_a_change_is_never_lost()
    {
        var volunteers = await O.Volunteers(4, Team);
        for (var round = 0; round < 4; round++)
        {
            var series = await Plan(("startTime", $"{8 + round:00}:00"), ("endTime", $"{8 + round:00}:30"), ("recurrence", "FREQ=WEEKLY;BYDAY=FR;COUNT=4"));
            var shifts = await Task.WhenAll((await Occurrences(series.Id)).Select(async a => Id((await ShiftsOf(a))[0])));

            var change = Task.Run(() => Admin.Patch($"/series/{series.Id}", round % 2 == 0 ? new { exceptOn = new[] { "2037-04-03", "2037-04-10" } } : new { startTime = "20:00", endTime = "21:00" }, series.Header("ETag")));
            var signUps = await Task.WhenAll(shifts.Select((shift, i) => Task.Run(() => Admin.Post($"/shifts/{shift}/sign-ups", new { volunteerId = volunteers[i] }))));

            var untouched = (await change).ShouldBe(200)["untouched"]!.AsArray().Select(u => (string)u!["activityId"]!).ToHashSet();
            Assert.All(signUps, answer => Assert.True(answer.Status == 201 || answer.Code == "activity_cancelled", answer.Text));
            foreach (var activity in await Occurrences(series.Id))
            {
                var shift = Assert.Single(await ShiftsOf(activity));
                var taken = signUps[Array.IndexOf(shifts, Id(shift))].Status == 201;
                Assert.Equal(taken ? 1 : 0, (int)shift["taken"]!);
                if (taken || untouched.Contains(Id(activity))) Assert.Equal("published", Status(activity));
                Assert.Equal((Start(activity), End(activity)), (Start(shift), End(shift)));
            }
        }
    }
}
