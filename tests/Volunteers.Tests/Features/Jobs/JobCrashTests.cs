using System.Text;
using Volunteers.Tests.Data;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Jobs;

/// <summary>The service killed in the middle of an import, again and again: each row is taken once.</summary>
public sealed class JobCrashTests : IDisposable
{
    private const int Rows = 6_000;

    private readonly string folder = ServiceProcess.NewDataFolder();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task An_import_that_the_service_was_killed_in_goes_on_after_the_start_and_takes_each_row_once()
    {
        // Nothing but a name tells one row from the next: a row that is taken twice makes two people. The last repeats the first, which was taken before any kill.
        var file = Encoding.UTF8.GetBytes("姓名,编号\r\n崩溃0,CRASH-0\r\n" + string.Concat(Enumerable.Range(1, Rows).Select(i => $"崩溃{i},\r\n")) + "崩溃末,CRASH-0\r\n");
        var (id, before, done) = ("", 0, new List<int>());
        for (var kill = 1; kill <= 2; kill++)
        {
            await using var service = await ServiceProcess.Serve(folder);
            var api = await service.SignIn(folder);
            if (kill == 1)
            {
                before = (await All(api)).Count;
                id = (await api.AskForImport("roster", file, "text/csv")).ShouldBe(201).Id;
            }
            done.Add(await UntilDone(api, id, kill * 1_000));
            await service.Kill();
        }
        Assert.True(done[^1] < Rows, "Nothing was under way when the service was killed.");

        await using var again = await ServiceProcess.Serve(folder);
        var restarted = await again.SignIn(folder);
        var job = await restarted.Over(id);

        Assert.Equal(("succeeded", Rows + 1, 0, 0, 1), job.Outcome());
        Assert.Contains("duplicate_row", Encoding.UTF8.GetString(await restarted.ResultFile(id)), StringComparison.Ordinal);
        var names = await All(restarted);
        Assert.Equal(Rows + 1, names.Count(name => name.StartsWith("崩溃", StringComparison.Ordinal)));
        Assert.Equal(names.Count, before + names.Where(name => name.StartsWith("崩溃", StringComparison.Ordinal)).Distinct().Count());
        await again.Stop();
    }

    private static async Task<int> UntilDone(Api api, string id, int rows)
    {
        while (true)
        {
            var job = (await api.Get($"/jobs/{id}")).ShouldBe(200);
            Assert.Contains((string?)job["state"], new[] { "queued", "running" });
            if (job.Count("done") >= rows) return job.Count("done");
            await Task.Delay(20, Ct);
        }
    }

    private static async Task<List<string>> All(Api api)
    {
        var names = new List<string>();
        for (string? cursor = "", page = ""; cursor is not null; page = $"&cursor={cursor}")
        {
            var answer = (await api.Get($"/volunteers?limit=200{page}")).ShouldBe(200);
            names.AddRange(answer.Items.Select(person => (string)person!["name"]!));
            cursor = (string?)answer["next"];
        }
        return names;
    }
}
