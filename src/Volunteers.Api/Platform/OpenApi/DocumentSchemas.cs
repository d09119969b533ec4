using Microsoft.OpenApi;

namespace Volunteers.Platform.OpenApi;

/// <summary>The schemas of the finished document: named where a name helps, said in one way, and none that nobody refers to.</summary>
internal static class DocumentSchemas
{
    /// <param name="document">The document, with all its operations.</param>
    /// <param name="withoutNull">For OpenAPI 3.0, which has no type of null: what may be null is said to be <c>nullable</c>.</param>
    public static void Tidy(OpenApiDocument document, bool withoutNull)
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

        Used(document, schemas, NullabilityBeside);
        if (withoutNull) SayNullable(document, schemas);
        var used = Used(document, schemas, _ => { });
        document.Components.Schemas = schemas.Where(schema => used.Contains(schema.Key)).OrderBy(schema => schema.Key, StringComparer.Ordinal).ToDictionary();
    }

    /// <summary>What an operation refers to, directly or not; each is looked at once.</summary>
    private static HashSet<string> Used(OpenApiDocument document, IDictionary<string, IOpenApiSchema> schemas, Action<OpenApiSchema> act)
    {
        var used = new HashSet<string>();
        foreach (var media in Media(document).Concat(document.Components!.Responses!.Values.SelectMany(response => response.Content?.Values ?? [])))
            Visit(media.Schema, schemas, used, act);
        foreach (var operation in Operations(document))
            foreach (var parameter in operation.Parameters ?? []) Visit(parameter.Schema, schemas, used, act);
        return used;
    }

    /// <summary>What a member that may be null is, is said beside both of what it may be, not of one of them.</summary>
    private static void NullabilityBeside(OpenApiSchema schema)
    {
        if (Optional(schema) is not { Reference.Description: { } description } reference) return;
        schema.Description = description;
        schema.OneOf![1] = new OpenApiSchemaReference(reference.Reference.Id!, reference.Reference.HostDocument);
    }

    /// <summary>
    /// A schema that is null wherever it may stand is nullable itself; one that is not has a twin that is, so that generators keep its name.
    /// The words of an enum are repeated with null among them.
    /// </summary>
    private static void SayNullable(OpenApiDocument document, IDictionary<string, IOpenApiSchema> schemas)
    {
        var members = new HashSet<OpenApiSchema>(ReferenceEqualityComparer.Instance);
        var needed = new HashSet<string>();
        void Look(OpenApiSchema schema)
        {
            if (Optional(schema) is not null) members.Add(schema);
            else if (schema.OneOf is [OpenApiSchema { Type: JsonSchemaType.Null }, ..])
                schema.OneOf[0] = new OpenApiSchema { Type = JsonSchemaType.Object | JsonSchemaType.Null, Enum = [JsonNullSentinel.JsonNull], Description = "Nothing." };
            var parts = (schema.Properties?.Values ?? []).Concat(schema.AnyOf ?? []).Concat(schema.AllOf ?? []).Append(schema.Items).Append(schema.AdditionalProperties);
            needed.UnionWith(parts.OfType<OpenApiSchemaReference>().Select(reference => reference.Reference.Id!));
        }

        var seen = new HashSet<string>();
        foreach (var media in Media(document))
        {
            if (media.Schema is OpenApiSchemaReference whole) needed.Add(whole.Reference.Id!);
            Visit(media.Schema, schemas, seen, Look);
        }
        foreach (var member in members)
        {
            var id = Optional(member)!.Reference.Id!;
            var schema = (OpenApiSchema)schemas[id];
            if (schema.Enum is { Count: > 0 } words)
            {
                (member.OneOf, member.Type, member.Enum) = (null, JsonSchemaType.String | JsonSchemaType.Null, [.. words, JsonNullSentinel.JsonNull]);
                continue;
            }
            if (needed.Contains(id))
            {
                var twin = "Nullable" + id;
                if (!schemas.ContainsKey(twin)) schemas[twin] = schema.CreateShallowCopy();
                (id, schema) = (twin, (OpenApiSchema)schemas[twin]);
            }
            schema.Type |= JsonSchemaType.Null;
            (member.OneOf, member.AllOf, member.Type) = (null, [new OpenApiSchemaReference(id, document)], JsonSchemaType.Object | JsonSchemaType.Null);
        }
    }

    /// <summary>What a schema refers to that may also be null.</summary>
    private static OpenApiSchemaReference? Optional(OpenApiSchema schema) =>
        schema.OneOf is [OpenApiSchema { Type: JsonSchemaType.Null }, OpenApiSchemaReference reference] ? reference : null;

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
