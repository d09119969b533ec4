using System.Diagnostics;
using System.Globalization;
using Volunteers.Tests.Data;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Webhooks;

/// <summary>
/// The real process killed in the middle of deliveries, again and again: every message arrives at a receiver that knows nothing of the
/// service, verified with the library of the standard, none is missing, and those of one object come in order. Three times, or as often as
/// <c>VOLUNTEERS_WEBHOOK_KILLS</c> says.
/// </summary>
public sealed class DeliveryCrashTests : IDisposable
{
    private const int AtOnce = 40;

    /// <summary>In the order in which they happen when a coordinator enters service.</summary>
    private static readonly string[] Types = ["posting.created", "service_record.recorded", "service_record.approved"];

    private readonly string folder = ServiceProcess.NewDataFolder();
    private readonly (string, string) loopback = ("Webhooks__AllowLoopback", "true");
    private string activity = "", volunteer = "";
    private int minute;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task No_message_is_lost_however_often_the_service_is_killed_while_it_delivers()
    {
        var kills = int.Parse(Environment.GetEnvironmentVariable("VOLUNTEERS_WEBHOOK_KILLS") is { Length: > 0 } wanted ? wanted : "3", CultureInfo.InvariantCulture);
        var (inTheMiddle, waiting, started) = (0, new Queue<(string Key, object Batch)>(), Stopwatch.StartNew());
        var service = await ServiceProcess.Serve(folder, loopback);
        var api = await Furnish(service);
        var made = (await api.Post("/webhooks", new { url = "http://127.0.0.1:1/", eventTypes = Types })).ShouldBe(201);
        await using var receiver = await ReceiverProcess.Start((string)made["secret"]!);
        (await api.Patch($"/webhooks/{made.Id}", new { url = receiver.Url })).ShouldBe(200);

        var expected = 0;
        for (var kill = 1; kill <= kills; kill++)
        {
            var before = receiver.Taken;
            expected += await Enter(api, $"{kill}", Batch());
            // One more is on its way in when it is killed: whether it was done, the same key finds out.
            var (key, batch) = ($"{kill} on its way", Batch());
            var under = Enter(api, key, batch);
            // From the first message to the last but some.
            var until = before + 1 + Random.Shared.Next(2 * AtOnce);
            await receiver.Until(r => r.Taken >= until);
            await service.Kill();
            if (receiver.Taken < expected) inTheMiddle++;
            try
            {
                await under;
            }
            catch (HttpRequestException)
            {
                // The service is gone.
            }
            await service.DisposeAsync();
            service = await ServiceProcess.Serve(folder, loopback);
            api = await service.SignIn(folder);
            expected += await Enter(api, key, batch);
        }

        await receiver.Until(r => r.Taken >= expected);
        await ShouldHaveArrived(api, receiver, expected);
        await service.Stop();
        await service.DisposeAsync();
        Assert.True(inTheMiddle * 2 > kills, $"Of {kills} kills only {inTheMiddle} were in the middle of deliveries.");
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{kills} kills, {inTheMiddle} of them with messages still to come; {receiver.Taken} messages taken, {receiver.Repeated} of them repeated, none refused, none missing; {started.Elapsed.TotalSeconds:0} s");
        Directory.Delete(receiver.Folder, recursive: true);
    }

    private async Task<Api> Furnish(ServiceProcess service)
    {
        var api = await service.SignIn(folder);
        var team = (await api.Post("/teams", new { name = "Under load" })).ShouldBe(201).Id;
        activity = (await api.Post("/activities", new
        {
            title = "Under load", teamId = team, category = "patrol", startsAt = "2025-12-15T00:00:00+08:00", endsAt = "2026-01-14T00:00:00+08:00",
        })).ShouldBe(201).Id;
        volunteer = (await api.Post("/volunteers", new { name = "Somebody" })).ShouldBe(201).Id;
        (await api.Put($"/teams/{team}/members/{volunteer}", new { role = "member" })).ShouldBe(200);
        return api;
    }

    /// <summary>Service of one minute each, three hundred a day at most, so that the daily limit is never what stops it.</summary>
    private object Batch() => new
    {
        items = Enumerable.Range(0, AtOnce).Select(_ => minute++).Select(i => new DateTimeOffset(2025, 12, 15, 0, 0, 0, TimeSpan.FromHours(8)).AddDays(i / 300).AddMinutes(i % 300))
            .Select(start => new { volunteerId = volunteer, activityId = activity, startsAt = start, endsAt = start.AddMinutes(1) }).ToArray(),
    };

    /// <summary>Answers how many messages follow from it.</summary>
    private static async Task<int> Enter(Api api, string key, object batch)
    {
        (await api.Post("/service-records/batch", batch, ("Idempotency-Key", key))).ShouldBe(200);
        return AtOnce * Types.Length;
    }

    /// <summary>By what the service holds, not by what it says to have sent.</summary>
    private async Task ShouldHaveArrived(Api api, ReceiverProcess receiver, int expected)
    {
        var records = new List<string>();
        for (string? cursor = "", page = ""; cursor is not null; page = $"&cursor={cursor}")
        {
            var answer = (await api.Get($"/service-records?activity={activity}&limit=200{page}")).ShouldBe(200);
            records.AddRange(answer.Items.Select(record => (string)record!["id"]!));
            cursor = (string?)answer["next"];
        }
        var kept = receiver.Kept.ToLookup(message => (string)message["data"]!["recordId"]!, message => (string)message["type"]!);

        Assert.Empty(receiver.Refused);
        Assert.Equal(expected, records.Count * Types.Length);
        Assert.Equal(records.Order(), kept.Select(record => record.Key).Order());
        Assert.All(kept, record => Assert.Equal(Types, record));
        Assert.Equal(expected, receiver.Kept.Select(message => (string)message["id"]!).Distinct().Count());
    }
}
