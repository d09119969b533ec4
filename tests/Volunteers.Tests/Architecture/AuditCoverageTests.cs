using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Architecture;

/// <summary>No operation escapes the audit trail: neither one that changes, nor one that shows.</summary>
public sealed class AuditCoverageTests(TestDatabases databases) : ApiTest(databases)
{
    /// <summary>What the service answers besides its operations, each with why it leaves no trace.</summary>
    private static readonly Dictionary<string, string> Outside = new()
    {
        ["connect/token"] = "Signing in leaves traces of its own: see SignInTrail.",
        ["connect/authorize"] = "Agreeing, refusing, and going on to an application leave traces of their own.",
        ["connect/logout"] = "Signing out leaves a trace of its own.",
        ["connect/userinfo"] = "Shows to an application whose sign-in was traced who signed in to it.",
        ["sign-in"] = "As the token endpoint.",
        ["sign-in/second-factor"] = "As the token endpoint.",
        ["sign-in/external/{name}"] = "Leads to an authority; nobody is signed in yet.",
        ["sign-in/external/{name}/callback"] = "As the token endpoint; a link that it makes leaves a trace of its own.",
        ["sign-in/link"] = "Leads to an authority; the link is made on the way back.",
        ["password-reset"] = "A code that is sent leaves a trace of its own.",
        ["password-reset/code"] = "As resetPassword, and by the same code.",
        ["verify"] = "A page that asks for a code.",
        ["verify/{code}"] = "Shows a masked name to whoever was handed the code.",
        ["openapi/{documentName}.json"] = "The document.",
        ["openapi/{documentName}.yaml"] = "The document.",
        ["health/live"] = "Says that it lives.",
        ["health/ready"] = "Says that it is ready.",
    };

    /// <summary>
    /// Changes whose trace is not left by the filter that all others go through: they commit their own transaction, or only set
    /// off something that leaves it. Each is held to its trace by a test: see AuditAccountTests.
    /// </summary>
    private static readonly string[] OnTheirOwn = ["changePassword", "confirmSecondFactor", "eraseMe", "removeSecondFactor", "renewRecoveryCodes", "requestPasswordReset", "resetPassword"];

    /// <summary>Lists of people that name nobody by an id of a volunteer: accounts, and who objects to an award.</summary>
    private static readonly string[] NameNoVolunteer = ["getRoles", "listRoles", "listAwardObjections"];

    /// <summary>Sums and files about many: the trace says by which filters they were made.</summary>
    private static readonly string[] AboutMany =
        ["drawIssuedReport", "exportAuditEvents", "exportServiceRecords", "getChangesSinceIssued", "getHourReport", "getHourReportChanges", "getJobResult", "listAuditEvents"];

    /// <summary>Texts that the trail shows whole: decided one by one. Whatever may say who somebody is has a mask in its entity.</summary>
    private static readonly string[] ShownWhole =
    [
        "activity.cancelReason", "activity.category", "activity.description", "activity.location", "activity.outcome", "activity.title",
        "award.awardedBy", "award.name", "calendarDay.name", "certificate.byEvidence", "certificate.code", "certificate.contact", "certificate.language", "certificate.lines", "certificate.organization",
        "certificate.replacesNumber", "certificate.responsiblePerson", "certificate.supervisingOrganization", "certificate.volunteerNumber", "certificateEnding.successorNumber",
        "externalSignIn.issuer", "job.failureCode", "job.language", "consentReceipt.purpose", "consentText.purpose", "consentText.textEn", "consentText.textZh",
        "columnMapping.columns", "columnMapping.dateFormats", "columnMapping.name", "columnMapping.system", "issuedReport.query", "issuedReport.teams",
        "organization.contact", "organization.locale", "organization.name", "organization.responsiblePerson", "organization.settings", "organization.timeZone", "organizationClient.name", "organizationClient.scopes",
        "project.category", "project.defaults", "project.summary", "project.title", "rating.grade", "reconciliationRun.counts", "reconciliationRun.mapping", "reconciliationRun.system",
        "series.category", "series.description", "series.exceptOn", "series.location", "series.recurrence", "series.shifts", "series.title", "serviceRecord.category", "serviceRecord.originReference", "serviceRecord.originSystem",
        "shift.name", "shift.skills", "shiftGroup.title", "signUp.bookingRefusal", "standingSignUp.shiftName", "starRule.evidence", "starRule.levels", "team.description", "team.name",
        "training.content", "training.name", "training.organizer", "volunteer.consentVersion", "volunteer.guardianConsentVersion", "volunteer.number", "volunteer.skills", "volunteer.withdrawnConsents",
        "webhook.description", "webhook.eventTypes", "webhook.url",
    ];

    [Fact]
    public void Every_get_says_whether_it_shows_personal_data()
    {
        var silent = Endpoints().Where(endpoint => Methods(endpoint).Contains("GET") && endpoint.Metadata.GetMetadata<PersonalDataShown>() is null).Select(endpoint => endpoint.DisplayName);

        Assert.Empty(silent);
    }

    [Fact]
    public void Every_change_leaves_its_trace_in_the_common_way_or_was_decided_to_leave_one_of_its_own() => Assert.Equal(OnTheirOwn.Order(), Endpoints()
        .Where(endpoint => endpoint.Metadata.GetMetadata<OwnTransaction>() is not null || endpoint.Metadata.GetMetadata<Traceless>() is not null)
        .Select(endpoint => endpoint.Metadata.GetRequiredMetadata<IEndpointNameMetadata>().EndpointName).Order());

    [Fact]
    public void Every_view_of_people_says_whom_it_shows()
    {
        var nameless = Endpoints().Where(endpoint => endpoint.Metadata.GetMetadata<PersonalDataShown>()?.Kind is not null
                && !endpoint.RoutePattern.Parameters.Any(parameter => parameter.Name == "volunteerId") && !Shown(endpoint).Any(AboutVolunteer.IsSaidBy))
            .Select(endpoint => endpoint.Metadata.GetRequiredMetadata<IEndpointNameMetadata>().EndpointName).ToArray();

        Assert.Equal(NameNoVolunteer.Concat(AboutMany).Order(), nameless.Order());
    }

    [Fact]
    public void What_stands_outside_of_the_trail_is_known()
    {
        Host.StartServer();
        var outside = Host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Select(endpoint => endpoint.RoutePattern.RawText!.TrimStart('/')).Where(route => !route.StartsWith("v1", StringComparison.Ordinal)).Distinct();

        Assert.Equal(Outside.Keys.Order(), outside.Order());
    }

    [Fact]
    public async Task Every_text_of_a_row_is_masked_or_was_decided_to_be_shown_whole()
    {
        var (whole, masked) = (Array.Empty<string>(), 0);
        await Host.InServices(services =>
        {
            var types = services.GetRequiredService<VolunteersDb>().Model.GetEntityTypes().Where(type => type.FindPrimaryKey() is not null && !type.IsOwned()).Select(AuditedType.Of).OfType<AuditedType>().ToArray();
            Assert.True(types.Length > 20);
            whole = [.. types.SelectMany(type => type.Members.Where(member => member is { IsText: true, Mask: Mask.Whole }).Select(member => $"{type.Name}.{member.Name}"))];
            masked = types.Sum(type => type.Members.Count(member => member.Mask != Mask.Whole));
            return Task.CompletedTask;
        });

        Assert.Equal("", string.Join(' ', whole.Except(ShownWhole)));
        Assert.Equal("", string.Join(' ', ShownWhole.Except(whole)));
        Assert.True(masked > 15);
    }

    /// <summary>Over HTTP, for every operation: a change leaves one event of its own, a look at people one, anything else none.</summary>
    [Fact]
    public async Task Every_operation_leaves_the_trace_that_it_should()
    {
        var world = await World.Make(Host, Given);
        var shown = Endpoints().ToDictionary(endpoint => endpoint.Metadata.GetRequiredMetadata<IEndpointNameMetadata>().EndpointName, endpoint => endpoint.Metadata.GetMetadata<PersonalDataShown>()?.Kind);
        var (wrong, unseen, changes) = (new List<string>(), new List<string>(), 0);

        foreach (var operation in Operation.All)
        {
            // Nobody else may: it is their own.
            var caller = operation.Id is "disputeServiceRecord" or "withdrawDispute" or "revokeCalendarFeed" || operation.Id.Contains("MyCertificate", StringComparison.Ordinal) ? "volunteer"
                : operation.Id is "createOrganization" ? "operator" : "administrator";
            var period = operation.Id is "exportServiceRecords" or "getHourReport" or "getHourReportChanges" or "getActivityReport" ? "?from=2026-01-01&to=2026-12-31" : "";
            if (operation.Id is "getHourReportChanges") period += "&since=0";
            var before = await Events();
            var body = operation.Body?.Invoke(world);
            if (body is string csv) body = new StringContent(csv, Encoding.UTF8, "text/csv");
            var answer = await world.As(caller).Send(new HttpMethod(operation.Method), world.PathOf(operation) + period, body, ("If-Match", "*"));
            var after = await Events();

            var expected = answer.Status >= 400 || operation.Id is "requestPasswordReset" || (operation.Method == "GET" && shown[operation.Id] is null) ? 0 : 1;
            var left = after.Skip(before.Length).ToArray();
            // What concerns an account as such is told once in each of its organizations.
            var one = expected == 1 && !operation.Route.StartsWith("{o}", StringComparison.Ordinal) ? left.Distinct().Count() : expected;
            if (left.Length != one || (expected == 1 && one == 0) || left.Any(e => !e.EndsWith(' ' + operation.Id, StringComparison.Ordinal))) wrong.Add($"{operation.Id}: {answer.Status} left {string.Join(' ', left)}");
            if (answer.Status < 400 && operation.Method != "GET") changes++;
            if (answer.Status >= 400 && operation.Method == "GET") unseen.Add($"{operation.Id}: {answer.Text}");
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(changes > 60, $"Only {changes} changes succeeded.");
        Assert.Empty(unseen);
    }

    /// <summary>In the order in which they came; sign-ins and refusals come in the background.</summary>
    private async Task<string[]> Events()
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(
            "select coalesce(array_agg(organization_id || ' ' || operation order by id), '{}') from audit_events where outcome = 'succeeded' and kind <> 'sign_in' and actor_kind <> 'service'", connection);
        return (string[])(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    private RouteEndpoint[] Endpoints()
    {
        Host.StartServer();
        return [.. Host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.StartsWith("/v1", StringComparison.Ordinal))];
    }

    private static IReadOnlyList<string> Methods(RouteEndpoint endpoint) => endpoint.Metadata.GetRequiredMetadata<IHttpMethodMetadata>().HttpMethods;

    /// <summary>What the handler answers, down to the items of a page.</summary>
    private static IEnumerable<Type> Shown(RouteEndpoint endpoint)
    {
        var open = new Queue<Type>([endpoint.Metadata.OfType<MethodInfo>().Last().ReturnType]);
        while (open.TryDequeue(out var type))
        {
            yield return type;
            foreach (var argument in type.GetGenericArguments()) open.Enqueue(argument);
            if (type.Assembly == typeof(VolunteersDb).Assembly && type.GetProperty("Items") is { } items) open.Enqueue(items.PropertyType);
        }
    }
}
