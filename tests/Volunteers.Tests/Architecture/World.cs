using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Features.Identity;
using Volunteers.Tests.Support;

namespace Volunteers.Tests.Architecture;

/// <summary>One organization with something of everything in it, and every kind of caller.</summary>
public sealed partial class World
{
    public static readonly string[] Callers =
    [
        "anonymous", "volunteer", "volunteer of another team", "team coordinator", "coordinator of another team", "coordinator", "auditor", "administrator",
        "administrator elsewhere", AtHome, "operator", "client", "client (auditor)", WithoutScope, "revoked token", "expired token",
    ];

    /// <summary>The administrator of the other organization, who asks there for what has these ids here.</summary>
    public const string AtHome = "administrator elsewhere, at home";

    public const string WithoutScope = "client without the scope";

    private readonly Dictionary<string, string> ids = [];
    private readonly Dictionary<string, Api> callers = [];
    private readonly Dictionary<string, Func<string, Task<string>>> spares = [];
    private Api reading = null!;
    private Api writing = null!;
    private int count;

    /// <summary>The first organization, by its administrator.</summary>
    public OrganizationSteps Organization { get; private set; } = null!;

    public string this[string name] => ids[name];

    /// <summary>Null when there is nothing of that name.</summary>
    public string? Find(string name) => ids.GetValueOrDefault(name);

    public string Unique(string word) => $"{word} {Interlocked.Increment(ref count)}";

    public Api As(string caller) => callers[caller];

    /// <summary>A client whose role allows everything but settings, and that has every scope but those of this kind.</summary>
    public Api Without(string? scope) => scope?.EndsWith(".read", StringComparison.Ordinal) == true ? writing : reading;

    public object Activity => new
    {
        title = "Patrol", teamId = ids["teamId"], category = "patrol", startsAt = "2026-06-07T14:30:00+08:00", endsAt = "2026-06-07T18:30:00+08:00",
    };

    public static object ColumnMapping => new { system = "Upstream", columns = new { number = "Number", date = "Date", minutes = "Minutes" } };

    /// <summary>Leads nowhere, whoever asks (RFC 2606).</summary>
    public static object Webhook => new { url = "https://hooks.invalid/volunteers", eventTypes = new[] { "certificate.revoked" } };

    /// <summary>Every week at noon, without an end.</summary>
    public object Series => new
    {
        title = "Duty", teamId = ids["teamId"], category = "patrol", firstOn = $"{DateTime.UtcNow.AddDays(-1):yyyy-MM-dd}",
        startTime = "12:00", endTime = "13:00", recurrence = "FREQ=WEEKLY",
    };

    /// <summary>Service of the volunteer who signs in, in another hour each time.</summary>
    public object Service
    {
        get
        {
            var start = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddHours(Interlocked.Increment(ref count));
            return new { volunteerId = ids["ownVolunteer"], activityId = ids["activityId"], startsAt = start, endsAt = start.AddHours(1) };
        }
    }

    public object OfflineAttendance => new
    {
        events = new[] { new { clientEventId = Guid.NewGuid(), volunteerId = ids["ownVolunteer"], shiftId = ids["shiftId"], kind = "checkIn", occurredAt = "2026-06-07T14:30:00+08:00" } },
    };

    /// <summary>The path of an operation, with the ids of this world.</summary>
    public string PathOf(Operation operation) => Parameter().Replace(operation.Template, match => ids[match.Groups[1].Value]);

    /// <summary>The same for one caller, who may delete what is there: something of its own, so that nobody else misses it.</summary>
    public async Task<string> PathFor(Operation operation, string caller)
    {
        var path = operation.Template;
        foreach (var name in Parameter().Matches(path).Select(match => match.Groups[1].Value))
            path = path.Replace($"{{{name}}}", spares.TryGetValue(name, out var make) && operation.AnswerTo(caller) == 'y' ? await make(caller)
                : name == "organizationId" && caller == AtHome ? ids["otherOrganization"] : ids[name], StringComparison.Ordinal);
        return path + operation.Query;
    }

    public static async Task<World> Make(ApiHost host, Given given)
    {
        var world = new World();
        var nursery = await given.Organization();
        var o = await world.OrganizationOf(nursery, host, given, "administrator");
        var elsewhere = await world.OrganizationOf(nursery, host, given, "administrator elsewhere");
        world.Organization = o;
        world.ids["organizationId"] = o.Id;
        world.ids["otherOrganization"] = elsewhere.Id;

        var team = world.ids["teamId"] = await o.Team();
        var anotherTeam = await o.Team();
        world.ids["ownVolunteer"] = await o.Volunteer(inTeam: team);
        world.ids["volunteerId"] = await o.Volunteer(inTeam: team);
        world.ids["spareVolunteer"] = await o.Volunteer(inTeam: team);
        world.ids["erasedVolunteer"] = await o.Volunteer(inTeam: team);
        world.ids["purpose"] = "pictures";
        (await o.Admin.Put("/consent-texts/pictures", new { version = "v1", textEn = "Pictures of activities may show you." })).ShouldBe(200);
        foreach (var (person, number) in new[] { ("ownVolunteer", "11010519491231002X"), ("volunteerId", "440305198001010013") })
            (await o.Admin.Put($"/volunteers/{world[person]}/identity-document", new { kind = "residentId", number })).ShouldBe(200);
        world.ids["accountId"] = (await o.Account(await o.Volunteer())).AccountId;
        (var spareLogin, world.ids["spareAccount"]) = await o.Account(await o.Volunteer());
        world.ids["sessionId"] = (string)(await (await host.SignIn(spareLogin, Given.Password)).Get("/v1/me/sessions")).ShouldBe(200).Items[0]!["id"]!;
        await host.InServices(services => services.GetRequiredService<ExternalSignInCheck>().Link(
            Guid.Parse(world["spareAccount"]), new ExternalPerson("https://login.example.org", spareLogin, null), CancellationToken.None));
        world.ids["externalSignInId"] = (string)(await (await host.SignIn(spareLogin, Given.Password)).Get("/v1/me/external-sign-ins")).ShouldBe(200).Items[0]!["id"]!;
        world.ids["projectId"] = await o.Project();
        world.ids["activityId"] = await o.Activity(team);
        world.ids["spareActivity"] = (await o.Admin.Post("/activities", world.Activity)).ShouldBe(201).Id;

        world.ids["shiftId"] = await o.Shift(await o.UpcomingActivity(team, host.Clock.GetUtcNow().AddMinutes(30)));
        await o.SignUp(world.ids["shiftId"], world.ids["ownVolunteer"]);
        (await o.Admin.Post($"/shifts/{world.ids["shiftId"]}/check-in", new { volunteerId = world.ids["ownVolunteer"] })).ShouldBe(200);
        world.ids["groupId"] = (await o.Admin.Post($"/shifts/{world.ids["shiftId"]}/groups", new { title = "Class", places = 2 })).ShouldBe(200).Id;
        world.ids["seriesId"] = (await o.Admin.Post("/series", world.Series)).ShouldBe(201).Id;
        world.ids["occurrenceId"] = (await o.Admin.Get("/activities?status=published")).Items.Last(a => a!["seriesId"] is not null)!["id"]!.ToString();

        world.ids["endedSeries"] = (await o.Admin.Post("/series", world.Series)).ShouldBe(201).Id;

        world.ids["mappingName"] = "upstream";
        // Not the one that is read: who may set it at home makes it there.
        world.ids["mappingToSet"] = "downstream";
        (await o.Admin.Put("/column-mappings/upstream", ColumnMapping)).ShouldBe(200);
        world.ids["reconciliationId"] = await world.Reconciliation();

        world.callers["anonymous"] = host.Anonymous;
        world.callers["operator"] = await given.Operator();
        world.callers[AtHome] = world.callers["administrator elsewhere"];
        world.callers["volunteer"] = new Api((await o.SignedInAs(world["ownVolunteer"])).Http, "");
        world.callers["volunteer of another team"] = new Api((await o.SignedInAs(await o.Volunteer(inTeam: anotherTeam))).Http, "");
        foreach (var role in new[] { "coordinator", "auditor" })
        {
            world.callers[role] = new Api((await o.SignedInWithRole(role)).Http, "");
            world.callers[role == "coordinator" ? "client" : $"client ({role})"] = await host.SignedIn(await o.Client(role));
        }
        world.callers["team coordinator"] = new Api((await o.SignedInWithRole("coordinator", team)).Http, "");
        world.callers["coordinator of another team"] = new Api((await o.SignedInWithRole("coordinator", anotherTeam)).Http, "");
        world.reading = await host.SignedIn(await o.Client(scopes: [.. Clients.AllScopes.Where(scope => scope.EndsWith(".read", StringComparison.Ordinal))]));
        world.writing = await host.SignedIn(await o.Client(scopes: [.. Clients.AllScopes.Where(scope => scope.EndsWith(".write", StringComparison.Ordinal))]));
        foreach (var client in new[] { "clientId", "spareClient" })
            world.ids[client] = (string)(await o.Admin.Post("/clients", new { name = "Spare", role = "auditor", scopes = Clients.AllScopes })).ShouldBe(201)["clientId"]!;
        world.ids["secretId"] = (await o.Admin.Post($"/clients/{world.ids["clientId"]}/secrets")).ShouldBe(201).Id;

        var volunteer = world.As("volunteer").At(o.Path);
        world.ids["recordId"] = (await volunteer.Post("/service-records", world.Service)).ShouldBe(201).Id;
        world.ids["reportId"] = (await o.Admin.Post("/reports/hours/issued", new { from = "2026-01-01", to = "2026-06-30" })).ShouldBe(201).Id;
        world.ids["disputeId"] = (await volunteer.Post($"/service-records/{world.ids["recordId"]}/disputes", new { message = "It was longer." })).ShouldBe(201).Id;
        world.ids["calendarDay"] = "2026-10-02";
        (await o.Admin.Put("/calendar-days", new { days = new[] { new { day = world.ids["calendarDay"], kind = "holiday" } } })).ShouldBe(200);
        world.ids["feedId"] = (await volunteer.Post("/calendar-feeds", new { kind = "own" })).ShouldBe(201).Id;
        world.ids["secret"] = (string)(await o.Admin.Post("/calendar-feeds", new { kind = "organization" })).ShouldBe(201)["secret"]!;
        world.ids["spareRecord"] = (await o.Admin.Post("/service-records", world.Service)).ShouldBe(201).Id;

        foreach (var award in new[] { "awardId", "spareAward" })
            world.ids[award] = (await o.Admin.Post("/awards", new { volunteerId = world["volunteerId"], name = "Helper of the year" })).ShouldBe(201).Id;
        (await o.Admin.Post($"/awards/{world["awardId"]}/publish", new { })).ShouldBe(200);
        world.ids["objectionId"] = (await volunteer.Post($"/awards/{world["awardId"]}/objections", new { message = "No" })).ShouldBe(201).Id;
        world.ids["trainingId"] = (await o.Admin.Post($"/volunteers/{world["volunteerId"]}/trainings", new { name = "First aid", minutes = 60, heldOn = "2026-06-07" })).ShouldBe(201).Id;
        world.ids["ratingId"] = (await o.Admin.Post($"/volunteers/{world["volunteerId"]}/ratings", new { grade = "Good", ratedBy = "Neighbours", ratedOn = "2026-06-07" })).ShouldBe(201).Id;
        var certificate = (await o.Admin.Post($"/volunteers/{world["ownVolunteer"]}/certificates", new { from = "2026-01-01", to = "2026-01-31" })).ShouldBe(201);
        (world.ids["certificateId"], world.ids["code"]) = (certificate.Id, (string)certificate["code"]!);

        world.ids["jobId"] = await world.Job();
        world.spares["drawnJob"] = _ => world.Job();

        world.ids["webhookId"] = (await o.Admin.Post("/webhooks", Webhook)).ShouldBe(201).Id;
        world.ids["webhookSecretId"] = (string)(await o.Admin.Get($"/webhooks/{world["webhookId"]}")).ShouldBe(200)["secrets"]![0]!["id"]!;
        world.ids["deliveryId"] = (await o.Admin.Post($"/webhooks/{world["webhookId"]}/test")).ShouldBe(200).Id;
        // Tried by the service itself: what changes from here on, somebody has changed.
        while ((string?)(await o.Admin.Get($"/webhooks/{world["webhookId"]}/deliveries/{world["deliveryId"]}")).ShouldBe(200)["status"] == "pending") await Task.Delay(50);
        world.spares["spareWebhook"] = async _ => (await o.Admin.Post("/webhooks", Webhook)).ShouldBe(201).Id;

        world.spares["spareMapping"] = async _ =>
        {
            var name = world.Unique("spare");
            (await o.Admin.Put($"/column-mappings/{name}", ColumnMapping)).ShouldBe(200);
            return name;
        };
        world.spares["spareReconciliation"] = _ => world.Reconciliation();
        world.spares["documented"] = async _ =>
        {
            var volunteer = await o.Volunteer(inTeam: team);
            (await o.Admin.Put($"/volunteers/{volunteer}/identity-document", new { kind = "passport", number = world.Unique("E").Replace(" ", "000", StringComparison.Ordinal) })).ShouldBe(200);
            return volunteer;
        };
        world.spares["standing"] = async caller =>
        {
            var volunteer = caller == "volunteer" ? world["ownVolunteer"] : await o.Volunteer(inTeam: team);
            var answer = await o.Admin.Post($"/series/{world["seriesId"]}/sign-ups", new { volunteerId = volunteer });
            if (answer.Status != 409) answer.ShouldBe(201);
            return volunteer;
        };
        foreach (var (name, make) in world.spares) world.ids[name] = await make("");
        return world;
    }

    private async Task<string> Reconciliation() => (await Organization.Admin.Post("/reconciliations?mapping=upstream&from=2026-01-01&to=2026-01-31",
        new StringContent("Number,Date,Minutes\r\n1,2026-01-01,60\r\n", Encoding.UTF8, "text/csv"))).ShouldBe(201).Id;

    /// <summary>An export by the administrator, drawn.</summary>
    private async Task<string> Job()
    {
        var job = (await Organization.Admin.Post("/jobs/exports", new { resource = "activities", format = "csv" })).ShouldBe(201).Id;
        while ((string?)(await Organization.Admin.Get($"/jobs/{job}")).ShouldBe(200)["state"] is "queued" or "running") await Task.Delay(20);
        return job;
    }

    /// <summary>An organization whose administrator is not the operator.</summary>
    private async Task<OrganizationSteps> OrganizationOf(OrganizationSteps nursery, ApiHost host, Given given, string administrator)
    {
        var (login, account) = await nursery.Account(await nursery.Volunteer());
        var made = (await (await given.Operator()).Post("/v1/organizations", new { name = given.Unique("Community"), timeZone = "Asia/Shanghai", administratorAccountId = account }))
            .ShouldBe(201);
        if (administrator == "administrator")
        {
            // Never signed in again, as those are whom the host knows.
            callers["expired token"] = await SignedIn(host, login);
            await host.Later(TimeSpan.FromMinutes(16));
            callers["revoked token"] = await SignedIn(host, login);
            var token = callers["revoked token"].Http.DefaultRequestHeaders.Authorization!.Parameter!;
            using var form = new FormUrlEncodedContent([KeyValuePair.Create("token", token), KeyValuePair.Create("client_id", "volunteers-mobile")]);
            (await host.Anonymous.Post("/connect/revoke", form)).ShouldBe(200);
        }
        callers[administrator] = await host.SignIn(login, Given.Password);
        return new OrganizationSteps(host, given, made.Id, callers[administrator].At($"/v1/organizations/{made.Id}"));
    }

    private static async Task<Api> SignedIn(ApiHost host, string login) => Api.With(host.Http(),
        (string)(await ApiHost.PostToken(host.Http(), ("grant_type", "password"), ("client_id", "volunteers-mobile"), ("username", login), ("password", Given.Password), ("scope", "api"))).ShouldBe(200)["access_token"]!);

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Parameter();
}
