using System.Net;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Volunteers.Tests.Features.Identity;
using Volunteers.Tests.Features.Volunteers;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Privacy;

/// <summary>
/// Values that stand nowhere else are sent through the service in every way, good and bad, and then looked for in all that was
/// written about it: logs of every level, traces, metrics, the database's own log, and the addresses that the service sent people to.
/// </summary>
public sealed class CanaryTests(TestDatabases databases) : IAsyncLifetime
{
    private const string Name = "金丝雀甲乙", Number = "CANARY-7731", Phone = "18800007731", Document = "440305199003077734", Residence = "金丝雀路七七三一号", Hometown = "金丝雀乡",
        Guardian = "金丝雀之父", GuardianPhone = "18800007732", Login = "canary.7731@example.org", DisplayName = "金丝雀昵称", Password = "Canary-Password-7731",
        NewPassword = "Canary-Password-7732", WrongPassword = "Canary-Password-0000", Note = "金丝雀备注一二三", Origin = "127.77.31.77";

    private static readonly string[] Planted =
        [Name, Number, Phone, Document, Residence, Hometown, Guardian, GuardianPhone, Login, DisplayName, Password, NewPassword, WrongPassword, Note, Origin];

    /// <summary>The same at every level: whoever turns the logs up to find a fault must not read about people.</summary>
    private static readonly string[] Loudest =
    [
        "Default", "Microsoft.AspNetCore", "Microsoft.AspNetCore.Hosting.Diagnostics", "Microsoft.AspNetCore.DataProtection", "Microsoft.EntityFrameworkCore",
        "Microsoft.EntityFrameworkCore.Database.Command", "Microsoft.EntityFrameworkCore.Database.Connection", "Microsoft.EntityFrameworkCore.Update", "OpenIddict", "Microsoft.Hosting.Lifetime",
    ];

    private readonly Recorder recorder = new();
    private readonly List<string> secrets = [];
    private readonly List<string> addresses = [];
    private Gateway gateway = null!;
    private string connectionString = null!;
    private ApiHost host = null!;
    private Given given = null!;

    public async ValueTask InitializeAsync()
    {
        gateway = await Gateway.Start();
        connectionString = await databases.NewDatabase();
        host = new ApiHost(connectionString, [.. Loudest.Select(category => ($"Logging:LogLevel:{category}", "Trace")), ("Logging:Console:LogLevel:Default", "None"), .. gateway.Settings])
        {
            Also = services => services.AddSingleton<ILoggerProvider>(recorder),
        };
        given = new Given(host);
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await databases.Drop(connectionString);
        await gateway.DisposeAsync();
        recorder.Dispose();
    }

    [Fact]
    public async Task Nothing_that_was_sent_about_people_is_written_down_anywhere()
    {
        var o = await given.Organization();
        var admin = new Api(host.HttpFrom(IPAddress.Parse(Origin)), "");
        Api.With(admin.Http, (await given.Operator()).Http.DefaultRequestHeaders.Authorization!.Parameter!);
        admin = admin.At(o.Path);

        var volunteer = await Roster(admin, o);
        var self = await SignIns(admin, volunteer);
        await Service(admin, self, o, volunteer);
        await Mistakes(admin, volunteer);
        (await new Api(self.Http, "").Get("/v1/me/export")).ShouldBe(200);
        (await new Api(self.Http, "").Get("/v1/me/export?format=csv")).ShouldBe(200);
        await Pages();
        await Reset();
        (await admin.Delete($"/volunteers/{volunteer}")).ShouldBe(204);

        var databaseLog = await databases.Server.Log();
        Assert.True(recorder.Logs.Count > 1000 && recorder.Traces.Count > 100 && recorder.Metrics.Count > 100, $"{recorder.Logs.Count} {recorder.Traces.Count} {recorder.Metrics.Count}");
        Assert.Contains(recorder.Logs, line => line.StartsWith("Trace ", StringComparison.Ordinal));
        Assert.Contains(recorder.Logs, line => line.StartsWith("Error ", StringComparison.Ordinal));
        Assert.All(new[] { "Microsoft.AspNetCore ", "Npgsql " }, source => Assert.Contains(recorder.Traces, trace => trace.StartsWith(source, StringComparison.Ordinal)));
        Assert.Contains("volunteer_number_taken", databaseLog, StringComparison.Ordinal);
        Assert.True(secrets.Count > 15, string.Join(' ', secrets));
        // What this test's own clients write about where they go is theirs.
        ShouldTellNothing("a log", recorder.Logs);
        ShouldTellNothing("a trace", recorder.Traces.Where(trace => !trace.StartsWith("System.Net.Http", StringComparison.Ordinal) && !trace.StartsWith("Experimental.System.Net", StringComparison.Ordinal)));
        ShouldTellNothing("a metric", recorder.Metrics.Where(metric => !metric.StartsWith("http.client", StringComparison.Ordinal)));
        ShouldTellNothing("an address", addresses);
        ShouldTellNothing("the database's log", databaseLog.Split('\n'));
    }

    private async Task<string> Roster(Api admin, OrganizationSteps o)
    {
        var id = (await admin.Post("/volunteers", new
        {
            name = Name, number = Number, phone = Phone, hometown = Hometown, residence = Residence, birthDate = "1990-03-07",
            guardian = new { name = Guardian, phone = GuardianPhone, relation = "father", version = "v1", at = "2026-01-01T00:00:00Z" },
        }, ("Idempotency-Key", Phone))).ShouldBe(201).Id;
        (await admin.Post("/volunteers", new { name = Name, number = Number })).ShouldRefuse(409, "volunteer_number_taken");
        (await admin.Post("/volunteers", new { name = Name, phone = $"{Phone}x" })).ShouldBe(400);
        (await admin.Post("/volunteers", new { name = Name, phone = Phone }, ("Idempotency-Key", Phone))).ShouldRefuse(422, "idempotency_key_reused");
        (await admin.Put($"/volunteers/{id}/identity-document", new { kind = "residentId", number = Document })).ShouldBe(200);
        (await admin.Put($"/volunteers/{id}/identity-document", new { kind = "residentId", number = Document + "1" })).ShouldBe(400);
        var twin = (await admin.Post("/volunteers", new { name = Name })).ShouldBe(201).Id;
        (await admin.Put($"/volunteers/{twin}/identity-document", new { kind = "residentId", number = Document })).ShouldRefuse(409, "identity_document_taken");
        (await admin.Get($"/volunteers?q={Uri.EscapeDataString(Name)}")).ShouldBe(200);
        (await admin.Get($"/volunteers?hometown={Uri.EscapeDataString(Hometown)}")).ShouldBe(200);
        (await admin.ImportCsv($"number,name,phone,birthDate\r\n{Number},{Name},{Phone},1990-03-07\r\n,{Name},{GuardianPhone},not a day\r\n")).ShouldBe(409);
        (await admin.ImportCsv($"number,name\r\n{Number},{Name}\r\n")).ShouldBe(200);
        (await admin.ImportCsv($"what is this,{Name}\r\n{Number},{Phone}\r\n")).ShouldBe(400);
        (await host.Anonymous.Post($"{o.Path}/volunteers/applications", new { name = Name, phone = Phone, message = Note, consent = new { version = "v1" } })).ShouldBe(202);
        (await host.Anonymous.Post($"{o.Path}/volunteers/applications", new { name = Name, phone = Phone, unknown = Note, consent = new { version = "v1" } })).ShouldBe(400);
        return id;
    }

    private async Task<Api> SignIns(Api admin, string volunteer)
    {
        var code = (string)(await admin.Post($"/volunteers/{volunteer}/invitation")).ShouldBe(200)["code"]!;
        secrets.Add(code);
        (await host.Anonymous.Post("/v1/accounts", new { invitationCode = code + "x", login = Login, password = Password, displayName = DisplayName })).ShouldBe(409);
        (await host.Anonymous.Post("/v1/accounts", new { invitationCode = code, login = Login, password = Password, displayName = DisplayName })).ShouldBe(201);
        using var http = host.HttpFrom(IPAddress.Parse(Origin));
        (string, string)[] form = [("grant_type", "password"), ("client_id", "volunteers-mobile"), ("username", Login), ("scope", "openid api offline_access")];
        Assert.NotEqual(200, (await ApiHost.PostToken(http, [.. form, ("password", WrongPassword)])).Status);
        Assert.NotEqual(200, (await ApiHost.PostToken(http, [.. form, ("password", WrongPassword), ("client_secret", Password)])).Status);
        var tokens = await Token(http, [.. form, ("password", Password)]);
        var renewed = await Token(http, [("grant_type", "refresh_token"), ("client_id", "volunteers-mobile"), ("refresh_token", (string)tokens["refresh_token"]!)]);
        Assert.NotEqual(200, (await ApiHost.PostToken(http, ("grant_type", "refresh_token"), ("client_id", "volunteers-mobile"), ("refresh_token", (string)tokens["refresh_token"]!))).Status);
        (await Api.With(host.Http(), (string)renewed["access_token"]! + "x").Get("/v1/me")).ShouldBe(401);
        tokens = await Token(http, [.. form, ("password", Password)]);

        var self = Api.With(host.HttpFrom(IPAddress.Parse(Origin)), (string)tokens["access_token"]!);
        var app = (await self.Post("/v1/me/second-factor")).ShouldBe(200);
        secrets.Add((string)app["secret"]!);
        var confirmed = (await self.Put("/v1/me/second-factor", new { code = Authenticator.Of(app.Body!).CodeAt(host.Clock.GetUtcNow()), password = Password })).ShouldBe(200);
        secrets.AddRange(confirmed["codes"]!.AsArray().Select(each => (string)each!));
        (await self.Send(HttpMethod.Delete, "/v1/me/second-factor", new { code = secrets[^1] })).ShouldBe(204);
        (await self.Put("/v1/me/password", new { currentPassword = WrongPassword, newPassword = NewPassword })).ShouldBe(409);
        (await self.Put("/v1/me/password", new { currentPassword = Password, newPassword = NewPassword })).ShouldBe(204);

        var client = (await admin.Post("/clients", new { name = "Gateway", role = "auditor", scopes = new[] { "roster.read" } })).ShouldBe(201);
        var secret = (string)client["clientSecret"]!;
        secrets.Add(secret);
        (string, string)[] asClient = [("grant_type", "client_credentials"), ("client_id", (string)client["clientId"]!)];
        await Token(http, [.. asClient, ("client_secret", secret)]);
        Assert.NotEqual(200, (await ApiHost.PostToken(http, [.. asClient, ("client_secret", secret + "x")])).Status);
        return self;
    }

    private async Task<Answer> Token(HttpClient http, (string, string)[] form)
    {
        var tokens = (await ApiHost.PostToken(http, form)).ShouldBe(200);
        foreach (var kind in new[] { "access_token", "refresh_token", "id_token", "device_token" })
            if ((string?)tokens[kind] is { } token) secrets.Add(token);
        return tokens;
    }

    private async Task Service(Api admin, Api self, OrganizationSteps o, string volunteer)
    {
        var team = await o.Team();
        await o.Member(team, volunteer);
        var activity = await o.Activity(team);
        var service = new { volunteerId = volunteer, activityId = activity, startsAt = "2026-06-07T14:30:00+08:00", endsAt = "2026-06-07T15:30:00+08:00", note = Note };
        var record = (await admin.Post("/service-records", service)).ShouldBe(201).Id;
        (await admin.Post("/service-records", service)).ShouldBe(409);
        (await self.At(o.Path).Post($"/service-records/{record}/disputes", new { message = Note })).ShouldBe(201);
        var feed = (string)(await self.At(o.Path).Post("/calendar-feeds", new { kind = "own" })).ShouldBe(201)["secret"]!;
        secrets.Add(feed);
        (await host.Anonymous.Get($"/v1/calendars/{feed}.ics")).ShouldBe(200);
        (await host.Anonymous.Get($"/v1/calendars/{feed}x.ics")).ShouldBe(404);
        var certificate = (await admin.Post($"/volunteers/{volunteer}/certificates", new { from = "2026-06-01", to = "2026-06-30", purpose = Note })).ShouldBe(201);
        var code = (string)certificate["code"]!;
        secrets.Add(code);
        (await host.Anonymous.Get($"/v1/certificates/{code}")).ShouldBe(200);
        (await host.Anonymous.Get($"/verify/{code}")).ShouldBe(200);
        (await admin.Get($"/certificates/{certificate.Id}/pdf")).ShouldBe(200);
        (await admin.Get("/service-records/export?from=2026-01-01&to=2026-12-31&format=csv")).ShouldBe(200);
        (await admin.Get("/service-records/export?from=2026-01-01&to=2026-12-31&format=xlsx")).ShouldBe(200);
        (await admin.Get("/reports/hours?from=2026-01-01&to=2026-12-31&groupBy=volunteer&format=pdf")).ShouldBe(200);
        (await admin.Put("/column-mappings/upstream", new { system = "Upstream", columns = new { name = "Name", phone = "Phone", date = "Date", minutes = "Minutes" } })).ShouldBe(200);
        (await admin.Post("/reconciliations?mapping=upstream&from=2026-06-01&to=2026-06-30", Rosters.Csv($"Name,Phone,Date,Minutes\r\n{Name},{Phone},2026-06-07,60\r\n{Guardian},{GuardianPhone},bad,1\r\n"))).ShouldBe(201);
    }

    /// <summary>What goes wrong says so, and not of whom.</summary>
    private async Task Mistakes(Api admin, string volunteer)
    {
        (await admin.Post("/volunteers", new StringContent($"{{\"name\":\"{Name}\",", Encoding.UTF8, "application/json"))).ShouldBe(400);
        (await admin.Post("/volunteers", new StringContent($"{{\"{Name}\":\"{Phone}\"}}", Encoding.UTF8, "application/json"))).ShouldBe(400);
        (await admin.Post("/volunteers", new { name = Name, birthDate = Phone })).ShouldBe(400);
        (await admin.Get($"/volunteers?unknown={Uri.EscapeDataString(Name)}")).ShouldBe(400);
        (await admin.Get($"/volunteers?limit={Phone}")).ShouldBe(400);
        (await admin.Get($"/volunteers?cursor={Uri.EscapeDataString(Note)}")).ShouldBe(400);
        (await admin.Get($"/volunteers/{Uri.EscapeDataString(Name)}")).ShouldBe(404);
        (await admin.Get($"/{Phone}")).ShouldBe(404);
        (await host.Anonymous.Get($"/{Uri.EscapeDataString(Name)}?login={Login}")).ShouldBe(404);
        (await host.Anonymous.Get($"/swagger/{Uri.EscapeDataString(Name)}.html")).ShouldBe(404);
        (await admin.Send(HttpMethod.Post, $"/volunteers/{volunteer}", new { name = Name })).ShouldBe(405);
        (await host.Anonymous.Get("/v1/me", ("Authorization", $"Bearer {Password}"))).ShouldBe(401);
        (await host.Anonymous.Get("/v1/me", ("Authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Login}:{Password}"))}"))).ShouldBe(401);
        (await host.Anonymous.Get("/v1/me", ("Cookie", $"volunteers-session={Password}; volunteers-device={Password}"))).ShouldBe(401);
        (await host.Anonymous.Get("/v1/me", ("Origin", $"https://{Phone}.example.org"), ("Access-Control-Request-Method", "GET"))).ShouldBe(401);
        using (var raw = new System.Net.Sockets.TcpClient())
        {
            await raw.ConnectAsync(host.ClientOptions.BaseAddress.Host, host.ClientOptions.BaseAddress.Port, TestContext.Current.CancellationToken);
            await raw.GetStream().WriteAsync(Encoding.UTF8.GetBytes($"GET /{Phone} {Login} HTTP/9.9\r\n{Password}\r\n\r\n"), TestContext.Current.CancellationToken);
            _ = await raw.GetStream().ReadAsync(new byte[100], TestContext.Current.CancellationToken);
        }

        // What the database holds beyond what any request may break, and an error that nobody foresaw.
        await Sql("alter table volunteers add constraint canary check (residence <> 'canary') not valid");
        (await admin.Patch($"/volunteers/{volunteer}", new { residence = "canary" })).ShouldBe(500);
        await Sql("alter table volunteers drop constraint canary; alter table volunteers rename residence to elsewhere");
        (await admin.Patch($"/volunteers/{volunteer}", new { hometown = Hometown }, "\"1\"")).ShouldBe(503);
        await Sql("alter table volunteers rename elsewhere to residence");
        await Sql($"update identity_documents set sealed_number = '\\x00' where volunteer_id = '{volunteer}'");
        (await admin.Get($"/volunteers/{volunteer}/identity-document")).ShouldBe(500);
        (await admin.Delete($"/volunteers/{volunteer}/identity-document")).ShouldBe(204);
        (await admin.Get("/volunteers", ("X-Forwarded-For", Phone), ("User-Agent", Login))).ShouldBe(200);
    }

    private async Task Pages()
    {
        using var browser = new Browser(host);
        var flow = new CodeFlow(host);
        var page = await browser.Open(flow.Request(("login_hint", Login)));
        addresses.Add(page.Address.PathAndQuery);
        Assert.Equal(Login, page.Field("login")["value"]);
        page = await browser.SignIn(page, Login, WrongPassword);
        addresses.Add(page.Address.PathAndQuery);
        page = await browser.SignIn(page, Login, NewPassword);
        var code = flow.CodeFrom(page);
        secrets.Add(code);
        addresses.Add(page.LeftFor!.AbsoluteUri.Replace(code, "", StringComparison.Ordinal));
        var tokens = (await flow.Exchange(code)).ShouldBe(200);
        secrets.Add((string)tokens["access_token"]!);
        Assert.NotEqual(200, (await flow.Exchange(code)).Status);
        page = await browser.Open("/password-reset");
        page = await browser.Submit(page, ("login", Login));
        addresses.Add(page.Address.PathAndQuery);
        page = await browser.Submit(page, ("login", Login), ("code", "AAAA-AAAA-AAAA"), ("newPassword", WrongPassword));
        addresses.Add(page.Address.PathAndQuery);
        Assert.Equal(400, (await browser.Open($"/connect/authorize?client_id={Phone}&redirect_uri=https://{Phone}.example.org/&response_type=code")).Status);
    }

    private async Task Reset()
    {
        (await host.Anonymous.Post("/v1/password-resets", new { login = Login })).ShouldBe(202);
        var code = (string)(await gateway.Messages(1))[0]["code"]!;
        secrets.Add(code);
        (await host.Anonymous.Put("/v1/password-resets", new { login = Login, code = "BBBB-BBBB-BBBB", newPassword = Password })).ShouldBe(409);
        (await host.Anonymous.Put("/v1/password-resets", new { login = Login, code, newPassword = NewPassword })).ShouldBe(200);
    }

    private void ShouldTellNothing(string where, IEnumerable<string> written)
    {
        var lines = written.ToArray();
        var told = from value in Planted.Concat(secrets).Distinct()
                   from spelling in DatabaseText.Spellings(value).Distinct()
                   from line in lines
                   where line.Contains(spelling, StringComparison.OrdinalIgnoreCase)
                   select $"{value} in {where}: {(line.Length > 500 ? line[..500] : line)}";
        var found = told.Distinct().DistinctBy(line => line[..Math.Min(line.Length, line.IndexOf(": ", line.IndexOf(": ", StringComparison.Ordinal) + 2, StringComparison.Ordinal) is > 0 and var end ? end + 60 : 120)]).ToArray();
        Assert.True(found.Length == 0, $"{found.Length}:\n" + string.Join('\n', found.Take(60)));
    }

    private async Task Sql(string sql)
    {
        await using var source = Npgsql.NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
