using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Volunteers.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

/// <summary>A shift from 9:00 to 11:00 of the day after tomorrow, and short words for coming and going.</summary>
public abstract class AttendanceTest(TestDatabases databases) : HoursTest(databases)
{
    protected DateTimeOffset Start { get; private set; }

    protected DateTimeOffset End => Start.AddHours(2);

    protected string Event { get; private set; } = null!;

    protected string Shift { get; private set; } = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Start = new DateTimeOffset(Clock.GetUtcNow().Date.AddDays(2), TimeSpan.Zero).AddHours(1);
        Event = await O.UpcomingActivity(Team, Start, hours: 6);
        Shift = await O.Shift(Event, startsAt: Start, endsAt: End);
    }

    protected async Task Settings(object settings) => (await Admin.Patch("", new { settings })).ShouldBe(200);

    /// <summary>A volunteer of the team with a place on the shift.</summary>
    protected async Task<string> SignedUp(string? shift = null)
    {
        var volunteer = await O.Volunteer(Team);
        Assert.Equal("confirmed", await O.SignUp(shift ?? Shift, volunteer));
        return volunteer;
    }

    /// <summary>So many minutes after the start of the shift. The clock runs on: a few seconds more make sure of a whole minute.</summary>
    protected Task Minute(double minute) => Host.Later(Start.AddMinutes(minute) - Clock.GetUtcNow());

    protected async Task<string> Code(string? shift = null) => (string)(await Admin.Get($"/shifts/{shift ?? Shift}/check-in-code")).ShouldBe(200)["code"]!;

    /// <summary>By hand, by the administrator or another.</summary>
    protected Task<Answer> In(string? volunteerId, string? shift = null, Api? by = null) => (by ?? Admin).Post($"/shifts/{shift ?? Shift}/check-in", new { volunteerId });

    protected Task<Answer> Out(string? volunteerId, string? shift = null, Api? by = null) => (by ?? Admin).Post($"/shifts/{shift ?? Shift}/check-out", new { volunteerId });

    /// <summary>By one's own phone with the code on the screen.</summary>
    protected async Task<Answer> OwnIn(Api self, string? shift = null) => await self.Post($"/shifts/{shift ?? Shift}/check-in", new { code = await Code(shift) });

    protected async Task<Answer> OwnOut(Api self, string? shift = null) => await self.Post($"/shifts/{shift ?? Shift}/check-out", new { code = await Code(shift) });

    /// <summary>Comes and goes at these minutes, by hand; answers the last.</summary>
    protected async Task<Answer> Stay(string volunteer, double from, double to, string? shift = null)
    {
        await Minute(from - 0.3);
        (await In(volunteer, shift)).ShouldBe(200);
        await Minute(to);
        return (await Out(volunteer, shift)).ShouldBe(200);
    }

    /// <summary>An event of a batch, at so many minutes after the start by the device's clock.</summary>
    protected JsonObject Offline(string volunteer, string kind, double minute, string? code = null, string? shift = null) => new()
    {
        ["clientEventId"] = Guid.NewGuid().ToString(), ["volunteerId"] = volunteer, ["shiftId"] = shift ?? Shift, ["kind"] = kind,
        ["occurredAt"] = Start.AddMinutes(minute).ToString("O"), ["code"] = code,
    };

    protected static Task<Answer> Send(Api by, IEnumerable<JsonNode> events, DateTimeOffset? sentAt = null) =>
        by.Post("/attendance/batch", new { events = events.Select(e => e.DeepClone()), sentAt });

    protected async Task<string[]> Results(IEnumerable<JsonNode> events, Api? by = null, DateTimeOffset? sentAt = null) =>
        [.. (await Send(by ?? Admin, events, sentAt)).ShouldBe(200).Items.Select(item => (string?)item!["code"] ?? (string)item["result"]!)];

    protected async Task<JsonArray> Events(string? shift = null) => (await Admin.Get($"/shifts/{shift ?? Shift}/attendance?limit=200")).ShouldBe(200).Items;

    protected async Task<string> StatusOf(string volunteer, string? shift = null) =>
        (string)(await Admin.Get($"/shifts/{shift ?? Shift}/sign-ups/{volunteer}")).ShouldBe(200)["status"]!;

    /// <summary>The volunteer's only record.</summary>
    protected async Task<JsonNode> RecordOf(string volunteer) => Assert.Single((await Admin.Get($"/service-records?volunteer={volunteer}")).ShouldBe(200).Items)!;

    protected async Task<JsonArray> Exceptions(string query = "") =>
        (await Admin.Get($"/attendance/exceptions?from={Start:yyyy-MM-dd}&to={Start:yyyy-MM-dd}{query}")).ShouldBe(200).Items;

    /// <summary>What the background worker does every minute.</summary>
    protected static Task Settle(ApiHost host) =>
        host.Services.GetServices<IHostedService>().OfType<ShiftSettlement>().Single().SettleDue(TestContext.Current.CancellationToken);

    protected async Task SettleAfter(double minute)
    {
        await Minute(minute);
        await Settle(Host);
    }

    protected static JsonNode RecordIn(Answer answer) => answer.ShouldBe(200)["serviceRecord"]!;

    protected static (string?, string?, int) Brief(JsonNode record) => ((string?)record["status"], (string?)record["flag"], (int)record["minutes"]!);
}
