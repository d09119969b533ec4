using Microsoft.OpenApi;

namespace Volunteers.Platform.OpenApi;

/// <summary>The schemas of the finished document: named where a name helps, said in one way, and none that nobody refers to.</summary>
internal static class DocumentSchemas
{
    public static void Tidy(OpenApiDocument document)
    {
        var schemas = document.Components!.Schemas!;
        foreach (var media in Media(document))
            if (media.Schema is OpenApiSchema { Title: { } name } named)
            {
                named.Title = null;
                schemas[name] = named;
                media.Schema = new OpenApiSchemaReference(name, document);
            }

        foreach (var operation in Operations(document))
            foreach (var media in operation.RequestBody?.Content?.Values ?? [])
                Visit(media.Schema, schemas, [], Limits.ApplyToTaken);

        var used = new HashSet<string>();
        foreach (var media in Media(document).Concat(document.Components.Responses!.Values.SelectMany(response => response.Content?.Values ?? [])))
            Visit(media.Schema, schemas, used, NullabilityBeside);
        foreach (var operation in Operations(document))
            foreach (var parameter in operation.Parameters ?? []) Visit(parameter.Schema, schemas, used, NullabilityBeside);
        document.Components.Schemas = schemas.Where(schema => used.Contains(schema.Key)).OrderBy(schema => schema.Key, StringComparer.Ordinal).ToDictionary();
    }

    /// <summary>What a member that may be null is, is said beside both of what it may be, not of one of them.</summary>
    private static void NullabilityBeside(OpenApiSchema schema)
    {
        if (schema.OneOf is not [OpenApiSchema { Type: JsonSchemaType.Null }, OpenApiSchemaReference reference] || reference.Reference.Description is not { } description) return;
        schema.Description = description;
        schema.OneOf[1] = new OpenApiSchemaReference(reference.Reference.Id!, reference.Reference.HostDocument);
    }

    private static void Visit(IOpenApiSchema? schema, IDictionary<string, IOpenApiSchema> schemas, HashSet<string> seen, Action<OpenApiSchema> act)
    {
        if (schema is OpenApiSchemaReference reference)
        {
            if (seen.Add(reference.Reference.Id!)) Visit(schemas[reference.Reference.Id!], schemas, seen, act);
            return;
        }
        if (schema is not OpenApiSchema plain) return;
        act(plain);
        foreach (var part in (plain.Properties?.Values ?? []).Concat(plain.OneOf ?? []).Concat(plain.AnyOf ?? []).Concat(plain.AllOf ?? []).Append(plain.Items).Append(plain.AdditionalProperties).ToArray())
            Visit(part, schemas, seen, act);
    }

    private static IEnumerable<OpenApiOperation> Operations(OpenApiDocument document) => document.Paths.Values.SelectMany(path => path.Operations!.Values);

    private static IEnumerable<OpenApiMediaType> Media(OpenApiDocument document) => Operations(document)
        .SelectMany(operation => (operation.RequestBody?.Content?.Values ?? []).Concat(operation.Responses!.Values.OfType<OpenApiResponse>().SelectMany(response => response.Content?.Values ?? [])));
}
