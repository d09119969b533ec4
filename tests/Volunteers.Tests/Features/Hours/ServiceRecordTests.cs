using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

public sealed class ServiceRecordTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task A_coordinators_entry_for_others_is_approved_and_posted_at_once()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var activity = await o.Activity(team);
        var volunteer = await o.Volunteer(inTeam: team);

        var record = (await o.Admin.Post("/service-records", new
        {
            volunteerId = volunteer, activityId = activity, shiftId = (string?)null,
            startsAt = "2026-06-07T14:30:00+08:00", endsAt = "2026-06-07T17:00:00+08:00", minutes = 150, note = "…",
        })).ShouldBe(201);

        Assert.Equal("approved", (string?)record["status"]);
        Assert.Equal("coordinator", (string?)record["evidence"]);
        Assert.Equal("\"1\"", record.Header("ETag"));
        Assert.Equal($"{o.Path}/service-records/{record.Id}", record.Header("Location"));
        var posting = Assert.Single((await o.Admin.Get("/ledger")).Items);
        Assert.Equal(150, (int)posting!["minutes"]!);
        Assert.Equal(1, (long)posting["position"]!);
        Assert.True((bool)(await o.Admin.Get("/ledger/verification"))["valid"]!);
    }
}
