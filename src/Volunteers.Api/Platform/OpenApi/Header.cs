using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace Volunteers.Platform.OpenApi;

/// <summary>The headers of answers, each described once.</summary>
internal static class Header
{
    public const string ETag = "ETag";
    public const string Link = "Link";
    public const string Location = "Location";
    public const string Replayed = "Idempotency-Replayed";
    public const string RetryAfter = "Retry-After";
    public const string Authenticate = "WWW-Authenticate";

    private const string RequestId = "X-Request-Id";
    private const string Limit = "RateLimit";
    private const string LimitPolicy = "RateLimit-Policy";

    /// <summary>What every answer has.</summary>
    public static readonly string[] OfEvery = [RequestId, Limit, LimitPolicy];

    public static Dictionary<string, IOpenApiHeader> All => new()
    {
        [ETag] = Text("The version, for If-Match and If-None-Match.", "\"3\"", 30, always: true),
        [Link] = Text("The next page, `rel=\"next\"`; absent on the last.", "<https://volunteers.example.org/v1/organizations?cursor=eyJ>; rel=\"next\"", 4000),
        [Location] = Text("Where it is.", "/v1/organizations/01a205e1-4305-7832-a5a1-8b0d64468451", 400, always: true),
        [Replayed] = Text("`true` when this is the answer to an earlier request with the same key.", "true", 4),
        [RetryAfter] = new OpenApiHeader
        {
            Description = "Seconds to wait.", Required = true, Example = JsonValue.Create(2),
            Schema = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32", Minimum = "0", Maximum = "86400" },
        },
        [Authenticate] = Text("What is missing (RFC 6750); of a client that lacks a scope, which.", "Bearer error=\"insufficient_scope\", scope=\"hours.write\"", 300),
        [RequestId] = Text("Names the request in the service's logs: as the client named it in `X-Request-Id`, or else as the service did.",
            "97d62691f16932c49ba3b688fc745817", 64, always: true),
        [Limit] = Text("What is left of the limit that the request counts against, and in how many seconds all of it is there again (draft-ietf-httpapi-ratelimit-headers); absent where there is no limit.",
            "\"ordinary\";r=1199;t=1", 60),
        [LimitPolicy] = Text("That limit: how many requests in how many seconds.", "\"ordinary\";q=1200;w=60", 60),
    };

    private static OpenApiHeader Text(string description, string example, int longest, bool always = false) => new()
    {
        Description = description, Required = always, Example = JsonValue.Create(example),
        Schema = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = longest, Pattern = "^[ -~]*$" },
    };
}
