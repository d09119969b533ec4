using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Volunteers.Data;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Data;

/// <summary>Killed in the middle of a write load: what was acknowledged is there, nothing is there twice, and the books add up.</summary>
public sealed class CrashTests : IDisposable
{
    private const int Clients = 6;

    private readonly string folder = ServiceProcess.NewDataFolder();
    private readonly ConcurrentDictionary<string, JsonObject> sent = new();
    private readonly ConcurrentDictionary<string, string> acknowledged = new();
    private readonly ConcurrentBag<Answer> refused = [];
    private string activity = "";
    private string[] volunteers = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_service_killed_in_a_write_load_keeps_what_it_acknowledged_and_repeats_nothing()
    {
        await using (var service = await ServiceProcess.Serve(folder))
        {
            var api = await Furnish(service);
            using var ending = new CancellationTokenSource();
            var load = Load(api, ending.Token);
            await UntilAcknowledged(50);
            await service.Kill();
            await ending.CancelAsync();
            await load;
        }
        Assert.True(sent.Count > acknowledged.Count, "Nothing was under way when the service was killed.");

        await using var again = await ServiceProcess.Serve(folder);
        await ShouldHoldEachOnce(await again.SignIn(folder));
        await again.Stop();
    }

    [Fact]
    public async Task A_database_killed_in_a_write_load_comes_back_by_itself_and_nothing_acknowledged_is_lost()
    {
        await using var service = await ServiceProcess.Serve(folder);
        var api = await Furnish(service);
        using var ending = new CancellationTokenSource();
        var load = Load(api, ending.Token);
        for (var kill = 1; kill <= 2; kill++)
        {
            await UntilAcknowledged(acknowledged.Count + 30);
            using var postmaster = Process.GetProcessById(PostgresProcess.RunningOn(Path.Combine(folder, "postgres"))!.Value);
            postmaster.Kill();
            await postmaster.WaitForExitAsync(Ct);
        }
        await UntilAcknowledged(acknowledged.Count + 30);
        await ending.CancelAsync();
        await load;

        Assert.NotEmpty(refused);
        Assert.All(refused, answer =>
        {
            answer.ShouldRefuse(503, "unavailable");
            Assert.NotNull(answer.Header("Retry-After"));
        });
        await ShouldHoldEachOnce(api);
        await service.Stop();
    }

    private async Task<Api> Furnish(ServiceProcess service)
    {
        var api = await service.SignIn(folder);
        var team = (await api.Post("/teams", new { name = "Under load" })).ShouldBe(201).Id;
        activity = (await api.Post("/activities", new
        {
            title = "Under load", teamId = team, category = "patrol", startsAt = "2026-01-01T00:00:00+08:00", endsAt = "2026-01-20T00:00:00+08:00",
        })).ShouldBe(201).Id;
        volunteers = new string[Clients];
        for (var i = 0; i < Clients; i++)
        {
            volunteers[i] = (await api.Post("/volunteers", new { name = $"Somebody {i}" })).ShouldBe(201).Id;
            (await api.Put($"/teams/{team}/members/{volunteers[i]}", new { role = "member" })).ShouldBe(200);
        }
        return api;
    }

    /// <summary>Clients that each record service after service, one minute long, with a key for each.</summary>
    private Task Load(Api api, CancellationToken ending) => Task.WhenAll(volunteers.Select((volunteer, client) => Task.Run(async () =>
    {
        for (var i = 0; !ending.IsCancellationRequested; i++)
        {
            var key = $"{client}-{i}";
            // Three hundred a day, so that the daily limit is never what stops it.
            var start = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.FromHours(8)).AddDays(i / 300).AddMinutes(i % 300);
            sent[key] = new JsonObject
            {
                ["volunteerId"] = volunteer, ["activityId"] = activity, ["startsAt"] = start.ToString("O"), ["endsAt"] = start.AddMinutes(1).ToString("O"),
            };
            try
            {
                var answer = await api.Post("/service-records", sent[key], ("Idempotency-Key", key));
                if (answer.Status == 201) acknowledged[key] = answer.Id;
                else
                {
                    refused.Add(answer);
                    await Task.Delay(50, Ct);
                    // With the same key, as a client should.
                    i--;
                }
            }
            catch (HttpRequestException)
            {
                // The service is gone; whether it was done is what the retry finds out.
                return;
            }
        }
    })));

    private async Task UntilAcknowledged(int howMany)
    {
        var waited = Stopwatch.StartNew();
        while (acknowledged.Count < howMany)
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60), $"{acknowledged.Count} of {howMany}; {refused.FirstOrDefault()?.Text}");
            await Task.Delay(10, Ct);
        }
    }

    private async Task ShouldHoldEachOnce(Api api)
    {
        var before = await Records(api);
        Assert.Equal(before.Length, before.Distinct().Count());
        Assert.Empty(acknowledged.Values.Except(before));
        // Besides what was acknowledged there is at most what each client was waiting for.
        Assert.True(before.Length <= acknowledged.Count + Clients);

        foreach (var (key, service) in sent)
        {
            var answer = (await api.Post("/service-records", service, ("Idempotency-Key", key))).ShouldBe(201);
            if (acknowledged.TryGetValue(key, out var id)) Assert.Equal((id, "true"), (answer.Id, answer.Header("Idempotency-Replayed")));
            acknowledged[key] = answer.Id;
        }

        var after = await Records(api);
        Assert.Equal(sent.Count, after.Length);
        Assert.Equal(acknowledged.Values.Order(), after.Order());
        var verification = (await api.Get("/ledger/verification")).ShouldBe(200);
        Assert.True((bool)verification["valid"]!, verification.Text);
        await ShouldHaveTracedEachOnce(api, after);
    }

    /// <summary>A change and its trace are one transaction; what a crash left unsealed is sealed later.</summary>
    private static async Task ShouldHaveTracedEachOnce(Api api, string[] records)
    {
        Answer verification;
        do verification = (await api.Get("/audit/verification")).ShouldBe(200);
        while ((long)verification["waiting"]! > 0);
        Assert.True((bool)verification["valid"]!, verification.Text);

        var traced = new List<string>();
        for (string? cursor = "", page = ""; cursor is not null; page = $"&cursor={cursor}")
        {
            var answer = (await api.Get($"/audit?operation=recordService&outcome=succeeded&limit=200{page}")).ShouldBe(200);
            traced.AddRange(answer.Items.Select(e => (string)e!["resource"]!["id"]!));
            cursor = (string?)answer["next"];
        }
        Assert.Equal(records.Order(), traced.Order());
    }

    private async Task<string[]> Records(Api api)
    {
        var records = new List<string>();
        for (string? cursor = "", page = ""; cursor is not null; page = $"&cursor={cursor}")
        {
            Answer answer;
            // Each connection of the pool that died with the database is found out once, as a client finds it.
            while ((answer = await api.Get($"/service-records?activity={activity}&limit=200{page}")).Status == 503) await Task.Delay(50, Ct);
            answer.ShouldBe(200);
            records.AddRange(answer.Items.Select(record => (string)record!["id"]!));
            cursor = (string?)answer["next"];
        }
        return [.. records];
    }
}
