using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerUI;

namespace Volunteers.Platform.OpenApi;

/// <summary>
/// The contract, written from the code: <c>/openapi/v1.json</c> and <c>.yaml</c> in OpenAPI 3.1, <c>v1-3.0.json</c> for
/// older generators, and Swagger UI over it.
/// </summary>
internal static class OpenApiSetup
{
    /// <summary>The document in OpenAPI 3.0.</summary>
    public const string Older = "v1-3.0";

    private const string SignInClient = "volunteers-swagger";

    public static void AddOpenApiDocuments(this IServiceCollection services)
    {
        services.AddSingleton<Limits>();
        services.AddSingleton(HandlerCodes.OfFile());
        services.AddOpenApi("v1", options => Configure(options, OpenApiSpecVersion.OpenApi3_1));
        services.AddOpenApi(Older, options => Configure(options, OpenApiSpecVersion.OpenApi3_0));
    }

    public static void MapOpenApiDocuments(this WebApplication app)
    {
        app.MapOpenApi("/openapi/{documentName}.json");
        app.MapOpenApi("/openapi/{documentName}.yaml");
        app.UseSwaggerUI(options =>
        {
            options.DocumentTitle = "Volunteers API";
            options.SwaggerEndpoint("/openapi/v1.json", "Volunteers v1");
            options.OAuthClientId(SignInClient);
            options.OAuthScopes(DocumentTransformer.ApiScope);
            options.OAuthUsePkce();
            options.DocExpansion(DocExpansion.List);
            options.EnablePersistAuthorization();
        });
    }

    private static void Configure(OpenApiOptions options, OpenApiSpecVersion version)
    {
        options.OpenApiVersion = version;
        options.CreateSchemaReferenceId = type => OpenApiOptions.CreateDefaultSchemaReferenceId(type) is { } id ? SchemaTransformer.NameOf(id) : null;
        options.AddSchemaTransformer<SchemaTransformer>();
        options.AddOperationTransformer<OperationTransformer>();
        options.AddDocumentTransformer<DocumentTransformer>();
    }
}
