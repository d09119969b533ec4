namespace Volunteers.Platform.OpenApi;

internal static class OpenApiSetup
{
    public static void AddOpenApiDocuments(this IServiceCollection services) => services.AddOpenApi("v1");

    public static void MapOpenApiDocuments(this WebApplication app)
    {
        app.MapOpenApi("/openapi/{documentName}.json");
        app.MapOpenApi("/openapi/{documentName}.yaml");
        app.UseSwaggerUI(options =>
        {
            options.SwaggerEndpoint("/openapi/v1.json", "Volunteers v1");
            options.OAuthClientId("volunteers-mobile");
        });
    }
}
