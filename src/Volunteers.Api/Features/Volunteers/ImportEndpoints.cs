using System.Reflection;
using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.OpenApi;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Volunteers;

internal static class ImportEndpoints
{
    public static void MapVolunteerImport(this RouteGroupBuilder volunteers) =>
        volunteers.MapPost("/import", Import).WithName("importVolunteers").Allows(Access.CoordinateAll).Costs(Cost.Import).RefusesWith(409, 413, 415)
            .RefusesWithMembersOf(409, typeof(ImportView), "created", "updated", "unchanged", "refused")
            .WithMetadata(new RequestSizeLimitAttribute(ImportFile.LargestBytes)).HandlesFiles()
            .TakesSpreadsheet("The roster, CSV or XLSX, at most 20 MiB.", "编号,姓名,籍贯,服务队\r\nSX-0048,的哥队员48,湖南,“的哥”志愿服务队\r\n");

    /// <summary>Imports a roster from a spreadsheet, all rows or none.</summary>
    /// <remarks>
    /// CSV (UTF-8, UTF-16 with a mark, or GB18030) or XLSX (its first sheet), as the body itself or as the one file of a form; at
    /// most 20 MiB and 20,000 rows. The first row holds the headings, in Chinese or English, in any order: number 编号, name 姓名,
    /// phone 电话 or 手机号, hometown 籍贯, gender 性别, birthDate 出生日期, residence 居住地, skills 技能 (separated by 、 or
    /// a comma or semicolon), joinedOn 加入日期, status 状态, consentVersion 同意书版本, consentAt 同意时间, of a minor guardianName 监护人,
    /// guardianPhone 监护人电话, guardianRelation 与监护人关系, guardianConsentVersion 监护人同意书版本 and guardianConsentAt 监护人同意时间,
    /// identityNumber 身份证号 (of a resident's card), team 服务队 (the names of existing teams, separated like skills) and teamRole 队内角色
    /// (one for all of the teams, or as many as there are teams, in their order). Dates: 2020-01-02, 2020/1/2, 2020.1.2, 2020年1月2日, or real dates of the spreadsheet.
    ///
    /// A row is matched with a person by number, then identity number, then phone, then name and birth date; with none it makes a new one, who gets the
    /// next number when the row has none. Only columns that are in the file change anything, and an empty cell leaves the value as
    /// it is. Columns without a heading are left out. A person named with a team is in it from the day they joined; nobody
    /// leaves a team through an import. The same file twice changes nothing the second time.
    /// </remarks>
    private static async Task<Results<Ok<ImportView>, ImportRefused>> Import(
        ImportFile file, [AsParameters] ImportQuery query, Tenant tenant, VolunteersDb db, [FromServices] IValidator<VolunteerRequest> validator,
        IDepartures departures, PersonalSeal seal, TimeProvider clock, CancellationToken ct)
    {
        // Also for a dry run, so that it answers what an import at that moment would.
        var organization = await db.LockOrganization(tenant.Id, ct);
        var people = new ImportPeople(db, organization, file, validator, departures, seal, tenant.ActorId, clock.GetUtcNow());
        await people.Take(ct);
        var view = new ImportView(query.DryRun == true, people.Created, people.Updated, people.Unchanged, people.Refused);
        if (view.DryRun) return TypedResults.Ok(view);
        if (view.Refused.Count > 0) return new ImportRefused(view);

        await people.AddNewcomers(ct);
        await db.SaveChangesAsync(ct);
        if (people.Departed.Count > 0) await departures.Settle(db, organization, [.. people.Departed], clock.GetUtcNow(), ct);
        return TypedResults.Ok(view);
    }

    /// <summary>The body of an upload. As a form first: there Swagger UI shows a file picker.</summary>
    public static RouteHandlerBuilder TakesSpreadsheet(this RouteHandlerBuilder route, string description, string example) =>
        route.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            var file = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary", MaxLength = ImportFile.LargestBytes, Description = "CSV or XLSX." };
            var form = new OpenApiSchema
            {
                Title = "SpreadsheetForm",
                Description = "A form with one file.",
                Type = JsonSchemaType.Object,
                Properties = new Dictionary<string, IOpenApiSchema> { ["file"] = file },
                Required = new HashSet<string> { "file" },
            };
            operation.RequestBody = new OpenApiRequestBody
            {
                Description = description,
                Required = true,
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    [ImportFile.Form] = new() { Schema = form },
                    [ImportFile.Csv] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = ImportFile.LargestBytes }, Example = example },
                    [ImportFile.Xlsx] = new() { Schema = file },
                },
            };
            return Task.CompletedTask;
        });
}

/// <summary>How to import.</summary>
/// <param name="DryRun">Answer what an import would do, and do nothing.</param>
internal sealed record ImportQuery([property: FromQuery] bool? DryRun = null);

/// <summary>What an import did, or would do.</summary>
/// <param name="DryRun">Nothing was written.</param>
/// <param name="Created">Rows that make a new volunteer.</param>
/// <param name="Updated">Rows that change a volunteer or their membership.</param>
/// <param name="Unchanged">Rows that say what is known already.</param>
/// <param name="Refused">Why rows were refused; with any of them nothing is written.</param>
internal sealed record ImportView(bool DryRun, int Created, int Updated, int Unchanged, IReadOnlyList<ImportRefusal> Refused);

/// <summary>Why a row was refused.</summary>
/// <param name="Row">As the spreadsheet numbers it: the headings are row 1.</param>
/// <param name="Column">The column's heading as the file writes it; null when the row as a whole is refused.</param>
/// <param name="Code">
/// Stable. Of the operation that does the same for one, or of a file: <c>invalid_value</c> (no other says what is wrong with it); of people <c>ambiguous_match</c>,
/// <c>duplicate_row</c>, <c>unknown_word</c>, <c>unknown_date</c>, <c>team_needed</c>, <c>team_roles_differ</c>, <c>consent_incomplete</c>, <c>guardian_incomplete</c>;
/// of a reconciliation <c>imported_before</c>, <c>waiting_here</c>, <c>not_missing_here</c>, <c>changed_since</c>, <c>no_free_time</c>.
/// </param>
/// <param name="Detail">In the language of the request.</param>
internal sealed record ImportRefusal(int Row, string? Column, string Code, string Detail);

/// <summary>409 with every row that was refused.</summary>
internal sealed class ImportRefused(ImportView view) : IResult, IEndpointMetadataProvider
{
    public Task ExecuteAsync(HttpContext http)
    {
        var problem = Problems.Of(StatusCodes.Status409Conflict, "import_refused", view.Refused.Count);
        problem.Extensions["created"] = view.Created;
        problem.Extensions["updated"] = view.Updated;
        problem.Extensions["unchanged"] = view.Unchanged;
        problem.Extensions["refused"] = view.Refused;
        return Problems.Write(http, problem);
    }

    // The 409 stands in RefusesWith, as for every operation.
    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) { }
}
