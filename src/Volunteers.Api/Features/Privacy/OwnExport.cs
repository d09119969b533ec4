using System.Data;
using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;
using Volunteers.Data;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Privacy;

internal enum OwnExportFormat
{
    Json,
    Csv,
}

/// <summary>Everything that is kept about whoever asks (PIPL, article 45).</summary>
internal static class OwnExport
{
    /// <summary>What the statement_timeout below says; the driver's own limit of 30 s would come first.</summary>
    public const int LongestStatementSeconds = 240;

    public static void MapOwnExport(this RouteGroupBuilder v1) =>
        v1.MapGet("/me/export", Export).WithTags("Me").WithName("exportMyData").ShowsNoPersonalData().Allows(Access.Account).Costs(Cost.Export).HandlesFiles().RefusesWith(429)
            .AddOpenApiOperationTransformer((operation, _, _) =>
            {
                Describe(operation);
                return Task.CompletedTask;
            });

    /// <summary>
    /// Hands the caller all that is kept about them, in every organization. Profile, names before, consents, documents (masked),
    /// teams, sign-ups, attendance, service with its steps, postings, disputes, certificates, awards, trainings, ratings, what files named
    /// of them, roles, sign-ins and whatever else there is.
    /// </summary>
    /// <remarks>
    /// One JSON object with a list for each kind, or a zip with one CSV file (UTF-8 with BOM) for each. One export of a person runs at a
    /// time. Secrets are left out: hashes, keys and tokens. What the caller did in a role is told in numbers (`acts`), for those
    /// rows are about others.
    /// </remarks>
    private static OwnExportAnswer Export([AsParameters] OwnExportQuery query, Caller caller, VolunteersDb db, PersonalSeal seal, TimeProvider clock) =>
        new(query.Format ?? OwnExportFormat.Json, caller, db, seal, clock);

    private static void Describe(OpenApiOperation operation)
    {
        var rows = new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = JsonSchemaType.Object, AdditionalPropertiesAllowed = true } };
        operation.Responses!["200"].Content!["application/json"] = new OpenApiMediaType
        {
            Schema = new OpenApiSchema
            {
                Title = "OwnExport",
                Type = JsonSchemaType.Object, Required = new HashSet<string> { "drawnAt" }, AdditionalProperties = rows,
                Description = "When it was drawn, and under the name of each kind its rows, whose members are those that are kept.",
                Properties = new Dictionary<string, IOpenApiSchema> { ["drawnAt"] = new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" } },
            },
            Example = JsonNode.Parse("""
                { "drawnAt": "2026-06-30T02:00:00Z", "profiles": [ { "organizationId": "01a205e1-4305-7832-a5a1-8b0d64468451", "id": "01a205e1-4395-7cd1-95a3-0c3fb50c25b3", "number": "SX-0001", "name": "的哥队员01" } ],
                  "memberships": [], "serviceRecords": [] }
                """),
        };
        operation.Responses["200"].Content![OwnExportAnswer.Zip] = new OpenApiMediaType
        {
            Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary", Description = "One CSV file for each kind, UTF-8 with BOM, CRLF." },
        };
    }
}

/// <summary>In what form.</summary>
/// <param name="Format">JSON when not given; CSV is a zip with a file for each kind.</param>
internal sealed record OwnExportQuery([property: FromQuery] OwnExportFormat? Format = null);

/// <summary>
/// Streams from one snapshot; nobody holds the whole. When something fails on the way the connection is cut, so that no part is
/// taken for the whole.
/// </summary>
internal sealed class OwnExportAnswer(OwnExportFormat format, Caller caller, VolunteersDb db, PersonalSeal seal, TimeProvider clock) : IResult, IEndpointMetadataProvider
{
    public const string Zip = "application/zip";

    public async Task ExecuteAsync(HttpContext http)
    {
        var ct = http.RequestAborted;
        await using var snapshot = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        var place = $"own export {caller.ActorId}";
        if (!(await db.Database.SqlQuery<bool>($"select pg_try_advisory_xact_lock(hashtextextended({place}, 0)) as \"Value\"").ToListAsync(ct))[0])
            throw RuleBreach.TooMany("too_many_exports", TimeSpan.FromSeconds(10));
        await db.Database.ExecuteSqlAsync($"set local statement_timeout = '4min'", ct);
        var rows = new PersonRows(db, caller.ActorId, await db.OwnProfiles(caller, ct), seal);

        var now = clock.GetUtcNow();
        var name = string.Create(CultureInfo.InvariantCulture, $"my-data-{now:yyyy-MM-dd}");
        http.Response.ContentType = format == OwnExportFormat.Csv ? Zip : "application/json";
        http.Response.Headers.CacheControl = "no-store";
        http.Response.GetTypedHeaders().ContentDisposition = new ContentDispositionHeaderValue("attachment") { FileName = $"{name}.{(format == OwnExportFormat.Csv ? "zip" : "json")}" };
        try
        {
            await using var json = new PersonJson(http.Response.Body, now);
            using var csv = new PersonCsv(http.Response.Body);
            IPersonWriter writer = format == OwnExportFormat.Csv ? csv : json;
            await rows.WriteTo(writer, ct);
            await writer.Finish(ct);
        }
        catch when (http.Response.HasStarted)
        {
            http.Abort();
            throw;
        }
    }

    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(object), ["application/json"]));
}
