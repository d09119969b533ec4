using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Volunteers.Data;
using Volunteers.Tests.Features.Volunteers;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Privacy;

/// <summary>A driver of the community's own data lives a full life here, asks to be forgotten, and is looked for everywhere.</summary>
public sealed class ShixiaErasureTests(TestDatabases databases) : IAsyncLifetime
{
    private const string Year = "/reports/hours?from=2020-01-01&to=2026-12-31&groupBy=team,year";
    private const string Name = "的哥队员47", Number = "SX-0047", Phone = "13766554433", Document = "440305198503079918", Residence = "石厦南村四十七号", Login = "driver47@example.org",
        DisplayName = "四十七号的哥", Guardian = "四十七之父", Former = "的哥新人四七";

    private static readonly string[] Values = [Name, Number, Phone, Document, Residence, Login, DisplayName, Guardian, Former, "1985-03-07"];

    private readonly Recorder recorder = new();
    private string connectionString = null!;
    private ApiHost host = null!;

    public async ValueTask InitializeAsync()
    {
        connectionString = await databases.NewDatabase();
        host = new ApiHost(connectionString, ("Logging:LogLevel:Default", "Trace"), ("Logging:Console:LogLevel:Default", "None"))
        {
            Also = services => services.AddSingleton<ILoggerProvider>(recorder),
        };
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await databases.Drop(connectionString);
        recorder.Dispose();
    }

    [Fact]
    public async Task A_seeded_driver_who_is_erased_is_found_neither_in_a_dump_of_the_database_nor_in_the_logs()
    {
        var o = await Shixia();
        var driver = (string)(await o.Get($"/volunteers?q={Uri.EscapeDataString(Number)}")).ShouldBe(200).Items.Single()!["id"]!;
        var (report, ledger) = ((await o.Get(Year)).ShouldBe(200), (await o.Get("/ledger/verification")).ShouldBe(200));
        await Live(o, driver);
        var (served, verified) = ((await o.Get(Year)).ShouldBe(200), (await o.Get("/ledger/verification")).ShouldBe(200));
        Assert.NotEqual(report["total"]!.ToJsonString(), served["total"]!.ToJsonString());
        Assert.Equal(Values.Order(), (await DatabaseText.Of(connectionString)).Find(Values).Select(found => found.Split(" in ")[0]).Append(Document).Distinct().Order());

        (await o.Delete($"/volunteers/{driver}")).ShouldBe(204);

        Assert.Empty((await DatabaseText.Of(connectionString)).Find(Values));
        Assert.Empty(new Dictionary<string, string> { ["pg_dump"] = await Dump() }.Find(Values));
        Assert.Empty(new Dictionary<string, string> { ["the logs"] = string.Join('\n', recorder.All.Where(line => !line.Contains("http.client", StringComparison.Ordinal) && !line.StartsWith("System.Net.Http", StringComparison.Ordinal))) }.Find(Values));
        Assert.Empty(new Dictionary<string, string> { ["the database's log"] = await databases.Server.Log() }.Find(Values));
        Assert.Equal(served.Text, (await o.Get(Year)).Text);
        Assert.Equal(verified.Text, (await o.Get("/ledger/verification")).Text);
        Assert.Equal(ledger["valid"]!.ToJsonString(), verified["valid"]!.ToJsonString());
        Assert.Equal(47, (int)(await o.Get("/reports/hours?from=2020-01-01&to=2020-12-31")).ShouldBe(200)["total"]!["persons"]!);
        Assert.Equal(130, (int)ledger["position"]!);
    }

    private async Task Live(Api o, string driver)
    {
        var taxi = (string)(await o.Get("/teams?limit=200")).ShouldBe(200).Items.Single(team => (string?)team!["name"] == "“的哥”志愿服务队")!["id"]!;
        (await o.Patch($"/volunteers/{driver}", new
        {
            phone = Phone, residence = Residence, birthDate = "1985-03-07", gender = "male",
            guardian = new { name = Guardian, phone = "13700000047", relation = "father", version = "2020-01", at = "2020-01-15T10:00:00+08:00" },
        })).ShouldBe(200);
        (await o.Patch($"/volunteers/{driver}", new { name = Former })).ShouldBe(200);
        (await o.ImportCsv($"number,name\r\n{Number},{Name}\r\n")).ShouldBe(200);
        (await o.Put($"/volunteers/{driver}/identity-document", new { kind = "residentId", number = Document })).ShouldBe(200);
        var code = (string)(await o.Post($"/volunteers/{driver}/invitation", null, ("Idempotency-Key", $"invite {Number}"))).ShouldBe(200)["code"]!;
        (await host.Anonymous.Post("/v1/accounts", new { invitationCode = code, login = Login, password = Given.Password, displayName = DisplayName }, ("Idempotency-Key", "a"))).ShouldBe(201);
        var self = await host.SignIn(Login, Given.Password);
        var activity = (await o.Post("/activities", new
        {
            title = "高考免费接送", teamId = taxi, category = "接送", description = $"找{Name}，电话{Phone}", startsAt = "2026-06-07T06:30:00+08:00", endsAt = "2026-06-07T09:00:00+08:00",
            responsibleVolunteerId = driver,
        })).ShouldBe(201).Id;
        (await o.Post($"/activities/{activity}/publish")).ShouldBe(200);
        var record = (await o.Post("/service-records", new
        {
            volunteerId = driver, activityId = activity, startsAt = "2026-06-07T06:30:00+08:00", endsAt = "2026-06-07T09:00:00+08:00", note = $"{Name} {Number} {Phone}",
        }, ("Idempotency-Key", "record"))).ShouldBe(201).Id;
        (await o.Post($"/service-records/{record}/correct", new { minutes = 140, reason = $"{Name}晚到10分钟" })).ShouldBe(200);
        var organization = (string)(await self.Get("/v1/me"))["organizations"]![0]!["organizationId"]!;
        var there = self.At($"/v1/organizations/{organization}");
        (await there.Post($"/service-records/{record}/disputes", new { message = $"我{Name}没有晚到" })).ShouldBe(201);
        // Others of the team: their certificate names the driver who was in charge.
        var other = (string)(await o.Get("/volunteers?limit=1")).Items[0]!["id"]!;
        (await o.Post("/service-records", new
        {
            volunteerId = other, activityId = activity, startsAt = "2026-06-07T06:30:00+08:00", endsAt = "2026-06-07T07:00:00+08:00", note = $"{Name}的车",
        })).ShouldBe(201);
        foreach (var person in new[] { driver, other })
            (await o.Post($"/volunteers/{person}/certificates", new { from = "2020-01-01", to = "2026-06-30" })).ShouldBe(201);
        var award = (await o.Post("/awards", new { volunteerId = driver, name = "最美的哥", reason = $"{Name}风雨无阻" })).ShouldBe(201).Id;
        (await o.Post($"/awards/{award}/publish", new { })).ShouldBe(200);
        (await o.Post("/reports/hours/issued", new { from = "2020-01-01", to = "2026-12-31", groupBy = "volunteer", sentTo = "街道", note = $"{Name}送达" })).ShouldBe(201);
        (await there.Post("/calendar-feeds", new { kind = "own" })).ShouldBe(201);
        (await self.Get("/v1/me/export")).ShouldBe(200);
        (await host.Anonymous.Post($"/v1/organizations/{organization}/volunteers/applications", new { name = Name, phone = Phone, message = $"又是我{Former}", consent = new { version = "2020-01" } })).ShouldBe(202);
        (await o.Get($"/service-records/export?from=2020-01-01&to=2026-12-31&format=csv")).ShouldBe(200);
        // Wrong in every way.
        (await o.Post("/volunteers", new { name = Name, number = Number })).ShouldRefuse(409, "volunteer_number_taken");
        (await o.Get($"/volunteers/{Uri.EscapeDataString(Name)}")).ShouldBe(404);
    }

    private async Task<Api> Shixia()
    {
        await host.InServices(async services =>
        {
            var db = services.GetRequiredService<VolunteersDb>();
            var administrator = await db.Users.Where(account => account.IsOperator).Select(account => account.Id).SingleAsync();
            await new SeedLoader(db, services.GetRequiredService<TimeProvider>()).Load(Path.Combine(AppContext.BaseDirectory, "seeds", "shixia"), administrator, CancellationToken.None);
        });
        var api = await host.SignInAsOperator();
        return api.At($"/v1/organizations/{(string)(await api.Get("/v1/organizations")).ShouldBe(200).Items.Single()!["id"]!}");
    }

    /// <summary>By the tool itself, where the server is the machine's own; elsewhere what it would write, table by table.</summary>
    private async Task<string> Dump()
    {
        var server = new NpgsqlConnectionStringBuilder(connectionString);
        if (!server.Host!.StartsWith('/')) return string.Join('\n', (await DatabaseText.Of(connectionString)).Values);
        var tool = PostgresBinaries.Folders().Select(folder => Path.Combine(folder, "pg_dump")).First(File.Exists);
        using var dump = Process.Start(new ProcessStartInfo(tool, ["--host", server.Host, "--username", server.Username!, server.Database!]) { RedirectStandardOutput = true })!;
        var text = await dump.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await dump.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, dump.ExitCode);
        Assert.Contains("COPY public.volunteers", text, StringComparison.Ordinal);
        return text;
    }
}
