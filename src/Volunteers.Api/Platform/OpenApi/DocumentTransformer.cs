using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Volunteers.Platform.OpenApi;

/// <summary>What the document says as a whole: title, tags in reading order, how to sign in, and the answers that operations share.</summary>
internal sealed class DocumentTransformer(IConfiguration configuration) : IOpenApiDocumentTransformer
{
    public const string ApiScope = "api";
    public const string SecurityScheme = "oauth2";
    private const string ProblemSchema = "Problem";
    private const string RefusalSchema = "Refusal";

    /// <summary>Error answers, by status: the name under which operations refer to one, what it means, and the codes that any operation may answer with.</summary>
    public static readonly Dictionary<int, (string Name, string Description, string[] Codes)> Errors = new()
    {
        [400] = ("BadRequest", "The request is malformed or breaks a rule of form; `errors` says where.",
            ["invalid_request", "malformed_request", "malformed_json", "malformed_parameter", "unknown_parameter", "invalid_cursor", "invalid_idempotency_key", "https_required"]),
        [401] = ("Unauthorized", "No valid access token.", ["not_signed_in"]),
        [403] = ("Forbidden", "The caller's role in this organization, or the scopes of a client's token, do not allow it.", ["forbidden", "insufficient_scope", "second_factor_required"]),
        [404] = ("NotFound", "It does not exist, belongs to another organization, or is not the caller's to see.", ["not_found"]),
        [406] = ("NotAcceptable", "It cannot be had in the format asked for.", ["not_acceptable"]),
        [409] = ("Conflict", "A rule refuses; `code` says which.", []),
        [410] = ("Gone", "A repeated request was carried out once, and its answer was about somebody who was erased since; or a copy cannot be brought up to date from there and begins anew: `code` says which.", ["answer_erased"]),
        [412] = ("PreconditionFailed", "Somebody changed it meanwhile: `If-Match` names an older version.", ["stale_version"]),
        [413] = ("ContentTooLarge", "The body is too large: 1 MiB at most, a file as much as its operation says.", ["body_too_large"]),
        [415] = ("UnsupportedMediaType", "The body is of a type that this operation does not take.", ["unsupported_media_type"]),
        [422] = ("IdempotencyKeyReused", "The `Idempotency-Key` was used for another request.", ["idempotency_key_reused"]),
        [428] = ("PreconditionRequired", "`If-Match` is missing.", ["if_match_required"]),
        [429] = ("TooManyRequests", "Too many in a short time, or at once; `code` says of what. Try again after `Retry-After` seconds.", ["too_many_requests"]),
        [500] = ("InternalServerError", "The service failed; nothing was changed. `traceId` finds the reason in its logs.", ["internal_error"]),
        [503] = ("ServiceUnavailable", "The database is away or too busy; nothing was changed. Try again after `Retry-After` seconds.",
            ["unavailable", "busy", "took_too_long", "not_migrated", "personal_key_missing"]),
    };

    private static readonly (string Name, string Description)[] Tags =
    [
        ("Accounts", "Making an account from an invitation."),
        ("Me", "Who is signed in, and what they may do where; joining another organization."),
        ("Organizations", "The tenants: communities and associations, with their settings."),
        ("Roles", "Who is administrator, coordinator, auditor or volunteer."),
        ("Clients", "Other systems that act for an organization."),
        ("Webhooks", "Other systems that are told what happens in an organization."),
        ("Teams", "Standing groups and their members."),
        ("Volunteers", "People's profiles, applications, roster import, invitations and summaries."),
        ("Consent", "What people are asked to agree to, and the receipts of what they agreed to and took back."),
        ("Projects", "The library of reusable projects."),
        ("Activities", "What takes place: planned, published, cancelled or completed."),
        ("Shifts", "Time slots of an activity with places to fill; sign-ups, waiting lists and groups."),
        ("Attendance", "Check-in and check-out: by code, by a coordinator, at a kiosk, or taken offline."),
        ("Series", "Recurring activities, by a rule in the organization's local time, and who comes to every occurrence."),
        ("Calendar", "Feeds that calendar applications subscribe to."),
        ("Service records", "Service given: recorded, reviewed, corrected; booked when it is approved."),
        ("Disputes", "What volunteers say about records of theirs, and the coordinators' answers."),
        ("Ledger", "The postings, in order and without a gap, and their verification."),
        ("Recognition", "Stars, awards, trainings and ratings: beside service, never in hours."),
        ("Reports", "Hours, person-times and persons, as of any position of the ledger."),
        ("Reconciliation", "Exports of another system held against the hours kept here, and what is missing imported."),
        ("Certificates", "Frozen statements of service, and their verification by anybody."),
        ("Jobs", "Files of people, activities and service records, taken in and drawn in the background."),
        ("Changes", "Copies on phones and in other systems, kept in step with what their owner may see."),
        ("Audit", "Who changed, saw or exported what, chained so that nothing of it can be changed unnoticed."),
    ];

    public Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new OpenApiInfo
        {
            Title = "Volunteers",
            Version = "v1",
            Summary = "Volunteer teams and the hours they give, booked like money.",
            Description =
                """
                Times are RFC 3339 instants with an offset; days are the organization's local days. Lists page by an opaque `cursor`.
                Every POST takes an `Idempotency-Key`; every PATCH is a JSON merge patch and needs `If-Match`. Every error is
                `application/problem+json` with a stable `code`; its texts follow `Accept-Language` (zh-CN, en). More codes may come, with
                statuses that are there already: treat one that is not known by its status. Requests may name themselves in `X-Request-Id`.
                Members that a request does not list are refused. The schemas of answers are closed as well, since they say to the member
                what this version answers; later ones may answer more, so a client passes over members that it does not know.
                """,
            Contact = Contact(),
            License = context.DocumentName == OpenApiSetup.Older
                ? new OpenApiLicense { Name = "MIT", Url = new Uri("https://spdx.org/licenses/MIT.html") }
                : new OpenApiLicense { Name = "MIT", Identifier = "MIT" },
        };
        // Behind a proxy the address of a request may be anybody's.
        if (configuration["SignIn:Issuer"] is { } issuer) document.Servers = [new OpenApiServer { Url = issuer.TrimEnd('/'), Description = "This service." }];
        document.Tags = Tags.Select(tag => new OpenApiTag { Name = tag.Name, Description = tag.Description }).ToHashSet();

        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme> { [SecurityScheme] = SignIn() };
        document.Components.Schemas ??= new Dictionary<string, IOpenApiSchema>();
        document.Components.Schemas[ProblemSchema] = Problem(document);
        document.Components.Schemas[RefusalSchema] = RefusedItem();
        document.Components.Headers = Header.All;
        document.Components.Responses = Errors.Where(error => error.Value.Codes.Length > 0).ToDictionary(error => error.Value.Name, error => (IOpenApiResponse)Refusal(error.Key, [], document));
        document.Components.Examples = new SortedDictionary<string, IOpenApiExample>(document.Components.Examples!.ToDictionary(), StringComparer.Ordinal);
        SchemaTransformer.Refer(document);
        DocumentSchemas.Tidy(document, withoutNull: context.DocumentName == OpenApiSetup.Older);
        return Task.CompletedTask;
    }

    /// <summary>An answer that refuses: what the status means, and an example for each code that it may have here.</summary>
    public static OpenApiResponse Refusal(int status, IReadOnlyCollection<string> own, OpenApiDocument document, bool ownOnly = false)
    {
        var (_, description, shared) = Errors[status];
        var codes = (ownOnly ? own : own.Concat(shared)).Distinct().ToArray();
        return new OpenApiResponse
        {
            Description = codes.Length < 2 ? description : $"{description}\n\nCodes: {string.Join(", ", codes.Select(code => $"`{code}`"))}.",
            Headers = OperationTransformer.Headers(document, status switch
            {
                StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden => [Header.Authenticate],
                StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable => [Header.RetryAfter],
                _ => [],
            }),
            Content = new Dictionary<string, OpenApiMediaType>
            {
                [Problems.ContentType] = new()
                {
                    Schema = new OpenApiSchemaReference(ProblemSchema, document),
                    Examples = codes.ToDictionary(code => code, IOpenApiExample (code) => Example(status, code, document)),
                },
            },
        };
    }

    /// <summary>A problem with some members of an answer, where the code is about them.</summary>
    public static OpenApiSchemaReference ProblemWith(string answer, IReadOnlyList<string> members, OpenApiDocument document)
    {
        var (name, problem) = (answer + ProblemSchema, Problem(document));
        problem.Description = "An error, as RFC 9457 describes it, and what stood in the way.";
        foreach (var member in members) problem.Properties![member] = document.Components!.Schemas![answer].Properties![member];
        document.Components!.Schemas![name] = problem;
        return new OpenApiSchemaReference(name, document);
    }

    /// <summary>Each code once, with its texts; one that is answered with several statuses, once for each.</summary>
    private static OpenApiExampleReference Example(int status, string code, OpenApiDocument document)
    {
        document.Components ??= new OpenApiComponents();
        var examples = document.Components.Examples ??= new Dictionary<string, IOpenApiExample>();
        var problem = new JsonObject
        {
            ["type"] = $"urn:volunteers:problem:{code}", ["title"] = Messages.TitleIn(CultureInfo.InvariantCulture, code), ["status"] = status,
            ["detail"] = Messages.DetailIn(CultureInfo.InvariantCulture, code), ["code"] = code, ["traceId"] = "00-97d62691f16932c49ba3b688fc745817-026166963744bb59-00",
        };
        var name = examples.TryGetValue(code, out var known) && (int)known.Value!["status"]! != status ? $"{code}_{status}" : code;
        examples[name] = new OpenApiExample { Summary = Messages.TitleIn(CultureInfo.InvariantCulture, code), Value = problem };
        return new OpenApiExampleReference(name, document);
    }

    /// <summary>Whom integrators ask: whoever runs the service says so.</summary>
    private OpenApiContact Contact() => new()
    {
        Name = configuration["Contact:Name"] ?? "The Volunteers authors", Email = configuration["Contact:Email"],
        Url = Uri.TryCreate(configuration["Contact:Url"], UriKind.Absolute, out var page) ? page : null,
    };

    private static OpenApiSecurityScheme SignIn()
    {
        var token = new Uri("/connect/token", UriKind.Relative);
        var scopes = new Dictionary<string, string> { [ApiScope] = "Call this API.", ["offline_access"] = "Get a refresh token." };
        return new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.OAuth2,
            Description = "OAuth 2.0; discovery at /.well-known/openid-configuration. People sign in at the service's own page, with authorization code and PKCE (S256); the mobile app, client id `volunteers-mobile` and no secret, may take the password itself. "
                + "With a second factor, the password grant takes its code as `second_factor_code`: `error_code` `second_factor_required` asks for it. "
                + "Send the `device_token` of the last answer with the next sign-in, and strangers' failures do not shut this device out. Other systems have their own client. "
                + "Access tokens last fifteen minutes and are opaque to applications; what the service itself checks of them (signature and its algorithm, type, issuer, expiry) follows RFC8725.",
            Flows = new OpenApiOAuthFlows
            {
                AuthorizationCode = new OpenApiOAuthFlow { AuthorizationUrl = new Uri("/connect/authorize", UriKind.Relative), TokenUrl = token, RefreshUrl = token, Scopes = scopes },
                Password = new OpenApiOAuthFlow { TokenUrl = token, RefreshUrl = token, Scopes = scopes },
                ClientCredentials = new OpenApiOAuthFlow { TokenUrl = token, Scopes = new OrderedDictionary<string, string>(Scope.All) { [ApiScope] = "Everything that the client has a scope for." } },
            },
        };
    }

    private static OpenApiSchema Problem(OpenApiDocument document) => new()
    {
        Type = JsonSchemaType.Object,
        AdditionalPropertiesAllowed = false,
        Description = "An error, as RFC 9457 describes it.",
        Required = new HashSet<string> { "type", "title", "status", "detail", "code", "traceId" },
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["type"] = Text("Names the kind of error; the same for the same `code`.", "urn:volunteers:problem:overlapping_service"),
            ["title"] = Text("What is wrong, in the language of the request.", "This time is credited already."),
            ["status"] = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32", Description = "The HTTP status.", Examples = [409] },
            ["detail"] = Text("What to know or do about it, in the language of the request.", "One minute counts once, in whatever team."),
            ["code"] = Text("Stable, for programs.", "overlapping_service"),
            ["traceId"] = Text("Finds the request in the service's logs.", "00-97d62691f16932c49ba3b688fc745817-026166963744bb59-00"),
            ["errors"] = new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Description = "JSON pointer into the request (or name of the query parameter after a slash) → messages.",
                AdditionalProperties = new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = JsonSchemaType.String } },
            },
            ["refusals"] = new OpenApiSchema
            {
                Type = JsonSchemaType.Array,
                Description = "Of a batch: each refused item.",
                Items = new OpenApiSchemaReference(RefusalSchema, document),
            },
        },
    };

    private static OpenApiSchema RefusedItem() => new()
    {
        Type = JsonSchemaType.Object,
        AdditionalPropertiesAllowed = false,
        Description = "One refused item of a batch.",
        Required = new HashSet<string> { "index", "code", "detail" },
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["index"] = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32", Description = "Its place in the request, from 0." },
            ["code"] = Text("Stable, for programs.", "daily_limit"),
            ["detail"] = Text("In the language of the request.", null),
        },
    };

    private static OpenApiSchema Text(string description, string? example) => new()
    {
        Type = JsonSchemaType.String, Description = description, Examples = example is null ? null : [JsonValue.Create(example)],
    };
}
