using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Data;
using Volunteers.Features.Identity;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reports;

/// <summary>The figures of the community's own report of 10 November 2020, out of the running service.</summary>
public sealed class ShixiaSeedTests(TestDatabases databases) : ApiTest(databases)
{
    private const string Year = "from=2020-01-01&to=2020-12-31";

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "seeds", "shixia");

    [Fact]
    public async Task The_taxi_drivers_team_has_47_core_members()
    {
        var o = await Shixia();
        var taxi = await Team(o, "“的哥”志愿服务队");

        var members = (await o.Get($"/teams/{taxi}/members?role=core&limit=200")).ShouldBe(200);

        Assert.Equal(47, members.Items.Count);
        Assert.Null((string?)members["next"]);
    }

    [Fact]
    public async Task The_cycling_patrol_gave_1221_hours_in_105_person_times()
    {
        var o = await Shixia();
        var path = $"/reports/hours?{Year}&team={await Team(o, "社区防疫宣传骑行队")}";

        var report = (await o.Get(path)).ShouldBe(200);
        var csv = ReportFile.Read((await o.Get(path + "&format=csv")).ShouldBe(200).Text);

        Assert.Equal("""{"persons":47,"personTimes":105,"minutes":73260,"hours":1221.00}""", report["total"]!.ToJsonString());
        Assert.Equal(["47", "105", "73260", "1221.00"], Assert.Single(csv.Rows).Values);
    }

    [Fact]
    public async Task The_culture_programme_has_five_categories_25_sessions_and_540_person_times()
    {
        var o = await Shixia();
        var path = $"/reports/activities?{Year}&team={await Team(o, "乡情港湾")}&groupBy=category";

        var report = (await o.Get(path)).ShouldBe(200);
        var csv = ReportFile.Read((await o.Get(path + "&format=csv", ("Accept-Language", "zh-CN"))).ShouldBe(200).Text);

        Assert.Equal(["剪纸", "武术", "湘绣", "绳结编织", "陶艺"], report["rows"]!.AsArray().Select(row => (string?)row!["category"]));
        Assert.All(report["rows"]!.AsArray(), row => Assert.Equal(5, (int)row!["sessions"]!));
        Assert.Equal((25, 540), ((int)report["total"]!["sessions"]!, (int)report["total"]!["personTimes"]!));
        Assert.Equal(["剪纸", "武术", "湘绣", "绳结编织", "陶艺", "合计"], csv.Rows.Select(row => row["类别"]));
        Assert.Equal(("25", "540"), (csv.Rows[^1]["场次"], csv.Rows[^1]["人次"]));
        Assert.Equal(540, (int)(await o.Get($"/reports/hours?{Year}&team={await Team(o, "乡情港湾")}"))["total"]!["personTimes"]!);
    }

    [Fact]
    public async Task Prevention_work_reached_more_than_10000_residents_in_more_than_200_activities()
    {
        var o = await Shixia();
        var path = $"/reports/activities?{Year}&category={Uri.EscapeDataString("防疫")}";

        var report = (await o.Get(path)).ShouldBe(200);
        var csv = ReportFile.Read((await o.Get(path + "&format=csv")).ShouldBe(200).Text);

        Assert.Equal("""{"activities":205,"sessions":205,"persons":0,"personTimes":0,"minutes":0,"beneficiaries":10250,"hours":0.00}""", report["total"]!.ToJsonString());
        Assert.Equal(["205", "205", "0", "0", "0", "0.00", "10250"], Assert.Single(csv.Rows).Values);
    }

    [Fact]
    public async Task Every_hour_is_there_on_the_evidence_of_an_import_and_the_ledger_verifies()
    {
        var o = await Shixia();

        var report = (await o.Get($"/reports/hours?{Year}&groupBy=evidence")).ShouldBe(200);
        var verification = (await o.Get("/ledger/verification")).ShouldBe(200);

        var row = Assert.Single(report["rows"]!.AsArray())!;
        Assert.Equal("import", (string?)row["evidence"]);
        Assert.Equal((105 + 540, 73_260 + 56_140), ((int)row["personTimes"]!, (int)row["minutes"]!));
        Assert.True((bool)verification["valid"]!);
        Assert.Equal(130, (long)verification["position"]!);
    }

    [Fact]
    public async Task Loading_twice_changes_nothing()
    {
        await Shixia();
        var before = await Counts();

        Assert.False(await Load(Folder, CancellationToken.None));

        Assert.Equal(before, await Counts());
        Assert.Equal((1, 47, 248, 130), (before.Organizations, before.Volunteers, before.Activities, before.Postings));
    }

    [Fact]
    public async Task A_load_that_is_broken_off_leaves_nothing()
    {
        var folder = Directory.CreateTempSubdirectory("volunteers-seeds-").FullName;
        try
        {
            var copy = Directory.CreateDirectory(Path.Combine(folder, "shixia")).FullName;
            foreach (var file in Directory.GetFiles(Folder)) File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
            // A second ride at the same time: refused when teams, people and activities are written already.
            await File.AppendAllTextAsync(Path.Combine(copy, "service-records.csv"),
                "cycling-01,SX-0001,2020-02-08T08:00:00+08:00,2020-02-08T09:00:00+08:00,60,\n", TestContext.Current.CancellationToken);

            await Assert.ThrowsAnyAsync<Exception>(() => Load(copy, CancellationToken.None));

            Assert.Equal(new Rows(0, 0, 0, 0, 0, 0), await Counts());
            Assert.True(await Load(Folder, CancellationToken.None));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_load_that_is_cancelled_at_any_write_leaves_nothing()
    {
        for (var write = 1; ; write++)
        {
            using var stop = new CancellationTokenSource();
            var left = write;
            try
            {
                await LoadWatching(() => { if (--left == 0) stop.Cancel(); }, stop.Token);
                Assert.True(write > 5, $"Only {write - 1} writes were seen.");
                return;
            }
            catch (OperationCanceledException)
            {
                Assert.Equal(new Rows(0, 0, 0, 0, 0, 0), await Counts());
            }
        }
    }

    private async Task<Api> Shixia()
    {
        Assert.True(await Load(Folder, CancellationToken.None));
        var admin = await Given.Operator();
        var organization = Assert.Single((await admin.Get("/v1/organizations")).ShouldBe(200).Items)!;
        return admin.At($"/v1/organizations/{organization["id"]}");
    }

    private static async Task<string> Team(Api o, string name) =>
        (string)(await o.Get("/teams")).Items.Single(team => (string?)team!["name"] == name)!["id"]!;

    private async Task<bool> Load(string folder, CancellationToken ct)
    {
        var loaded = false;
        await Host.InServices(async services =>
        {
            var db = services.GetRequiredService<VolunteersDb>();
            var administrator = await db.Set<Account>().Select(account => account.Id).SingleAsync(CancellationToken.None);
            loaded = await new SeedLoader(db, services.GetRequiredService<TimeProvider>()).Load(folder, administrator, ct);
        });
        return loaded;
    }

    private Task LoadWatching(Action saving, CancellationToken ct) => Host.InServices(async services =>
    {
        var db = services.GetRequiredService<VolunteersDb>();
        var administrator = await db.Set<Account>().Select(account => account.Id).SingleAsync(CancellationToken.None);
        db.SavingChanges += (_, _) => saving();
        await new SeedLoader(db, services.GetRequiredService<TimeProvider>()).Load(Folder, administrator, ct);
    });

    private sealed record Rows(int Organizations, int Teams, int Volunteers, int Activities, int Postings, int Loads);

    private async Task<Rows> Counts()
    {
        Rows? rows = null;
        await Host.InServices(async services =>
        {
            var db = services.GetRequiredService<VolunteersDb>();
            rows = new Rows(await db.Organizations.CountAsync(), await db.Teams.CountAsync(), await db.Volunteers.CountAsync(),
                await db.Activities.CountAsync(), await db.HourPostings.CountAsync(), await db.SeedLoads.CountAsync());
        });
        return rows!;
    }
}
