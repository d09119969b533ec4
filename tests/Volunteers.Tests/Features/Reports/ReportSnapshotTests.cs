using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reports;

public sealed class ReportSnapshotTests(TestDatabases databases) : ApiTest(databases)
{
    [Theory]
    [InlineData("from=2026-06-01&to=2026-06-30&groupBy=volunteer")]
    [InlineData("from=2026-06-01&to=2026-06-29&groupBy=activity,volunteer")]
    public async Task A_report_drawn_while_service_is_booked_is_that_of_one_position(string report)
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var activity = await o.Activity(team);
        var volunteers = await o.Volunteers(4, inTeam: team);
        var path = $"/reports/hours?{report}";

        var booking = Task.WhenAll(volunteers.Select(async volunteer =>
        {
            for (var hour = 0; hour < 12; hour++)
                await o.Record(activity, volunteer, $"2026-06-07T{hour:D2}:00:00+08:00", $"2026-06-07T{hour:D2}:07:00+08:00");
        }));
        var drawn = new List<Answer>();
        while (!booking.IsCompleted || drawn.Count == 0) drawn.Add((await o.Admin.Get(path)).ShouldBe(200));
        await booking;

        Assert.True(drawn.Select(answer => (long)answer["asOf"]!["position"]!).Distinct().Count() > 3);
        foreach (var answer in drawn)
            Assert.Equal((await o.Admin.Get($"{path}&asOf={answer["asOf"]!["position"]}")).ShouldBe(200).Text, answer.Text);
    }
}
