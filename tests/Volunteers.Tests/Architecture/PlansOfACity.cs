using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Architecture;

/// <summary>The service over a database that plans for a city (<see cref="LargeDatabase"/>), and how PostgreSQL goes about what a request asks of it.</summary>
public sealed partial class PlansOfACity(TestDatabases databases) : ApiTest(databases)
{
    private static readonly string[] Askers = ["administrator", "team coordinator", "volunteer"];

    private World world = null!;
    private string[] empty = [];

    /// <summary>Why there are no plans to see; null when there are.</summary>
    public string? Skip { get; private set; }

    protected override (string Name, string Value)[] Configuration => [("Logging:LogLevel:Microsoft.Extensions.Hosting", "None")];

    /// <summary>The workers are stopped before the service is.</summary>
    private protected override Action<IServiceCollection> Also =>
        services => services.Configure<HostOptions>(options => options.BackgroundServiceExceptionBehavior = BackgroundServiceExceptionBehavior.Ignore);

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        try
        {
            await Execute("LOAD 'auto_explain'");
        }
        catch (PostgresException missing)
        {
            Skip = $"This PostgreSQL does not tell its plans: {missing.MessageText}";
            return;
        }
        // Before the service has its first connection.
        foreach (var setting in new[]
        {
            "session_preload_libraries = auto_explain", "auto_explain.log_min_duration = 0", "auto_explain.log_format = json", "auto_explain.log_nested_statements = on",
            // The files are small: what is left of the cost is what is done with rows.
            "random_page_cost = 1.1",
        })
            await Execute($"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {setting}', current_database()); END $$");
        world = await World.Make(Host, Given);
        await AddWhatIsMissing();
        await Seal();
        // From here on nothing is asked but what a request asks.
        foreach (var worker in Host.Services.GetServices<IHostedService>().OfType<BackgroundService>()) await worker.StopAsync(TestContext.Current.CancellationToken);
        empty = await LargeDatabase.PlanForACity(ConnectionString, world["organizationId"], TestContext.Current.CancellationToken);
    }

    /// <summary>How many rows PostgreSQL believes a table to have.</summary>
    public int RowsOf(string table) => empty.Contains(table) ? 0 : LargeDatabase.RowsOf(table);

    /// <summary>Every way to ask a list, a report or an export: plainly, for the page after the first, and with each of its filters, by each caller who may.</summary>
    public async Task<IReadOnlyList<Ask>> Asks()
    {
        var document = (await Host.Anonymous.Get("/openapi/v1.json")).ShouldBe(200).Body!;
        var asks = new List<Ask>();
        foreach (var (template, path) in document["paths"]!.AsObject())
        {
            if (path!["get"] is not { } get) continue;
            var parameters = (get["parameters"]?.AsArray() ?? []).Concat(path["parameters"]?.AsArray() ?? [])
                .Where(parameter => (string)parameter!["in"]! == "query").ToDictionary(parameter => (string)parameter!["name"]!, parameter => parameter!["schema"]!);
            var isList = parameters.ContainsKey("limit");
            // What is kept about one person is told once in a while, from every table that has anything of theirs: it is no report.
            if ((string)get["operationId"]! == "exportMyData") continue;
            if (!isList && !template.Contains("/reports/", StringComparison.Ordinal) && !template.EndsWith("/export", StringComparison.Ordinal)) continue;

            var operation = Operation.All.Single(one => one.Id == (string)get["operationId"]!);
            var filters = new List<string> { "" };
            // What it has to be asked with is there in any case.
            foreach (var (name, schema) in parameters.Where(parameter => !operation.Query.Contains($"{parameter.Key}=", StringComparison.Ordinal))) filters.AddRange(Filters(operation.Id, name, Resolved(schema, document)));
            foreach (var caller in Askers.Where(caller => operation.AnswerTo(caller) == 'y'))
            {
                if (parameters.ContainsKey("cursor") && (string?)(await world.As(caller).Get($"{world.PathOf(operation)}?limit=1")).ShouldBe(200)["next"] is { } next)
                    asks.Add(new Ask(operation.Id, caller, world.PathOf(operation), $"cursor={next}") { IsList = true, IsNext = true });
                asks.AddRange(filters.Select(filter => new Ask(operation.Id, caller, world.PathOf(operation),
                    string.Join('&', new[] { operation.Query.TrimStart('?'), filter }.Where(part => part.Length > 0)))
                {
                    IsList = isList,
                }));
            }
        }
        return asks;
    }

    /// <summary>Asks one after the other, and answers the plans of all statements of each.</summary>
    public async Task<IReadOnlyList<Asked>> Ask(IReadOnlyList<Ask> asks)
    {
        var ct = TestContext.Current.CancellationToken;
        // Between two requests the log has a statement that nobody else makes.
        var mark = $"{Guid.NewGuid():n}";
        await using var marks = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ConnectionString);
        await marks.OpenAsync(ct);
        var answers = new List<Answer>();
        foreach (var ask in asks)
        {
            await Mark(answers.Count);
            answers.Add(await world.As(ask.Caller).Get(ask.Path + (ask.Query.Length > 0 ? "?" + ask.Query : "")));
        }
        await Mark(answers.Count);

        var plans = asks.Select(_ => new List<Plan>()).ToArray();
        var at = -1;
        var log = await Databases.Server.Log();
        foreach (Match entry in Entry().Matches(log, log.IndexOf(mark, StringComparison.Ordinal) - "plan:\n\t{\n\t  \"Query Text\": \"SELECT '".Length))
        {
            var plan = Plan.Of(entry.Groups[1].Value);
            if (plan.Statement.StartsWith($"SELECT '{mark}", StringComparison.Ordinal)) at = int.Parse(plan.Statement.Split(' ')[2].TrimEnd('\''), CultureInfo.InvariantCulture);
            else if (at >= 0 && at < asks.Count) plans[at].Add(plan);
        }
        Assert.Equal(asks.Count, at);
        return [.. asks.Select((ask, i) => new Asked(ask, answers[i], plans[i]))];

        async Task Mark(int number)
        {
            await using var command = new NpgsqlCommand($"SELECT '{mark} {number}'", marks);
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    /// <summary>What is planned while an index is not to be had.</summary>
    public async Task<Asked> AskWithout(string index, Ask ask)
    {
        await Execute($"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{index}'::regclass");
        try
        {
            return (await Ask([ask]))[0];
        }
        finally
        {
            await Execute($"UPDATE pg_index SET indisvalid = true WHERE indexrelid = '{index}'::regclass");
        }
    }

    private IEnumerable<string> Filters(string operation, string name, JsonNode schema) => (name, (string?)schema["format"]) switch
    {
        ("limit" or "cursor" or "to" or "format", _) => [],
        ("from", "date") => ["from=2026-01-01&to=2026-12-31"],
        ("from", "date-time") => ["from=2026-01-01T00:00:00Z&to=2026-12-31T00:00:00Z"],
        ("team", _) => [$"team={world["teamId"]}"],
        ("volunteer", _) => [$"volunteer={world["ownVolunteer"]}"],
        ("activity", _) => [$"activity={world["activityId"]}"],
        ("project", _) => [$"project={world["projectId"]}"],
        ("actor", _) => [$"actor={world["accountId"]}"],
        ("resource", _) => [$"resource={world["recordId"]}"],
        ("resourceType", _) => ["resourceType=serviceRecord"],
        ("operation", _) => ["operation=createServiceRecord"],
        ("category", _) => ["category=patrol"],
        ("q", _) => ["q=Volunteer"],
        ("hometown", _) => ["hometown=Futian"],
        ("skill", _) => ["skill=first%20aid"],
        ("purpose", _) => ["purpose=pictures"],
        ("type", _) => ["type=certificate.revoked"],
        ("level", _) => ["level=1"],
        ("after", _) => ["after=1"],
        ("asOf", _) => operation == "listStars" ? [] : ["asOf=1"],
        // A place in the list of changes is told by the answer before.
        ("since", _) => [],
        ("groupBy", _) when schema["enum"] is null => ["groupBy=team,month", "groupBy=month", "groupBy=volunteer", "groupBy=activity"],
        _ when (string?)schema["type"] == "boolean" => [$"{name}=true"],
        _ when schema["enum"] is JsonArray words => words.Select(word => $"{name}={word}"),
        _ => throw new InvalidOperationException($"{operation} has a filter {name} that is new here: say in {nameof(PlansOfACity)} what to ask for with it."),
    };

    private static JsonNode Resolved(JsonNode schema, JsonNode document) =>
        schema["$ref"] is { } reference ? document["components"]!["schemas"]![((string)reference!).Split('/')[^1]]! : schema;

    /// <summary>A second of what the world has one of, so that each list has a page after the first, and what it has none of.</summary>
    private async Task AddWhatIsMissing()
    {
        var (admin, volunteer) = (world.Organization.Admin, world.As("volunteer").At(world.Organization.Path));
        var (own, other) = (world["ownVolunteer"], world["volunteerId"]);
        foreach (var person in new[] { own, other })
        {
            (await admin.Post($"/volunteers/{person}/consents", new { purpose = "pictures", action = "given", version = "v1" })).ShouldBe(201);
            (await admin.Post($"/volunteers/{person}/consents", new { purpose = "pictures", action = "withdrawn" })).ShouldBe(201);
        }
        for (var i = 0; i < 2; i++)
        {
            (await admin.Post($"/volunteers/{own}/certificates", new { from = "2026-01-01", to = "2026-01-31" })).ShouldBe(201);
            (await admin.Post($"/volunteers/{other}/trainings", new { name = "First aid", minutes = 60, heldOn = "2026-06-07" })).ShouldBe(201);
            (await admin.Post($"/volunteers/{other}/ratings", new { grade = "Good", ratedBy = "Neighbours", ratedOn = "2026-06-07" })).ShouldBe(201);
            (await admin.Post($"/shifts/{world["shiftId"]}/groups", new { title = world.Unique("Class"), places = 2 })).ShouldBe(200);
            (await admin.Post($"/webhooks/{world["webhookId"]}/test")).ShouldBe(200);
            (await admin.Put($"/consent-texts/{(i == 0 ? "newsletter" : "research")}", new { version = "v1", textEn = "News." })).ShouldBe(200);
            (await admin.Put("/calendar-days", new { days = new[] { new { day = $"2026-10-0{i + 5}", kind = "holiday" } } })).ShouldBe(200);
            (await volunteer.Post("/calendar-feeds", new { kind = "own" })).ShouldBe(201);
            (await admin.Post("/reports/hours/issued", new { from = "2026-01-01", to = "2026-06-30" })).ShouldBe(201);
            await world.Organization.Project();
            var claimed = (await volunteer.Post("/service-records", world.Service)).ShouldBe(201).Id;
            (await volunteer.Post($"/service-records/{claimed}/disputes", new { message = "It was longer." })).ShouldBe(201);
            var shift = await world.Organization.Shift(await world.Organization.UpcomingActivity(world["teamId"], Clock.GetUtcNow().AddDays(10 + i)));
            await world.Organization.SignUp(shift, own);
            await world.Organization.SignUp(world["shiftId"], await world.Organization.Volunteer(inTeam: world["teamId"]));
        }
        (await admin.Post($"/certificates/{world["certificateId"]}/revoke", new { reason = "Wrong" })).ShouldBe(200);
    }

    private async Task Execute(string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>A plan in the log: the lines after the first are indented.</summary>
    [GeneratedRegex(@"plan:\n((?:\t.*\n?)+)")]
    private static partial Regex Entry();
}

/// <summary>One request.</summary>
/// <param name="Operation">Its name.</param>
/// <param name="Caller">One of <see cref="World.Callers"/>.</param>
/// <param name="Path">Of what.</param>
/// <param name="Query">Which of it.</param>
public sealed record Ask(string Operation, string Caller, string Path, string Query)
{
    /// <summary>A page is asked for: else all there is.</summary>
    public bool IsList { get; init; }

    /// <summary>The page after the first.</summary>
    public bool IsNext { get; init; }

    public override string ToString() => $"{Operation} by the {Caller}, {(IsNext ? "its second page" : Query.Length > 0 ? Query : "plainly")}";
}

/// <summary>A request, its answer, and the plans of the statements it took.</summary>
public sealed record Asked(Ask Ask, Answer Answer, IReadOnlyList<Plan> Plans);

/// <summary>How PostgreSQL went about a statement, in its own estimate.</summary>
public sealed record Plan(string Statement, JsonNode Root)
{
    /// <summary>As auto_explain writes it.</summary>
    public static Plan Of(string text)
    {
        var told = JsonNode.Parse(string.Join('\n', text.Split('\n').Select(line => line.StartsWith('\t') ? line[1..] : line)))!;
        return new Plan((string)told["Query Text"]!, told["Plan"]!);
    }

    public double Cost => (double)Root["Total Cost"]!;

    /// <summary>Those of some tables that are read from end to end.</summary>
    public IEnumerable<string> Scans(Func<string, bool> ofTable) =>
        Nodes(Root).Where(node => Is(node, "Seq Scan")).Select(node => (string)node["Relation Name"]!).Where(ofTable).Distinct();

    /// <summary>How many rows are sorted at once.</summary>
    public double Sorted => Nodes(Root).Where(node => Is(node, "Sort")).Select(node => (double)node["Plans"]![0]!["Plan Rows"]!).DefaultIfEmpty().Max();

    private static bool Is(JsonNode node, string type) => (string)node["Node Type"]! == type;

    private static IEnumerable<JsonNode> Nodes(JsonNode node) => [node, .. (node["Plans"]?.AsArray() ?? []).SelectMany(child => Nodes(child!))];
}
