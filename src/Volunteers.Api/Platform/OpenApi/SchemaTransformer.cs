using System.Reflection;
using System.Text.Json.Serialization.Metadata;
using FluentValidation;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Volunteers.Platform.OpenApi;

/// <summary>
/// Schemas that say what the serializer and the validators do: types that the strict converters hide, which members may be
/// null, which are required, and the limits of the validation rules.
/// </summary>
internal sealed class SchemaTransformer(Limits limits) : IOpenApiSchemaTransformer
{
    /// <summary><c>PageOfTeamView</c> reads <c>TeamPage</c>, <c>TeamView</c> reads <c>Team</c>.</summary>
    public static string NameOf(string id)
    {
        var page = id.StartsWith("PageOf", StringComparison.Ordinal);
        var name = page ? id["PageOf".Length..] : id;
        if (name.EndsWith("View", StringComparison.Ordinal)) name = name[..^"View".Length];
        return page ? name + "Page" : name;
    }

    public Task TransformAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        var type = Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) ?? context.JsonTypeInfo.Type;
        if (type.IsEnum)
        {
            schema.Type = JsonSchemaType.String;
            // Whoever may hold none of them says so itself: the schema is shared.
            schema.Enum = schema.Enum?.Where(value => value is not null && value.GetValueKind() == System.Text.Json.JsonValueKind.String).ToList();
        }
        else if (type == typeof(string) && schema.Type is null) schema.Type = JsonSchemaType.String;
        else if (type == typeof(DateTimeOffset)) (schema.Type, schema.Format) = (JsonSchemaType.String, "date-time");
        else if (type == typeof(DateOnly)) (schema.Type, schema.Format) = (JsonSchemaType.String, "date");
        // Without seconds, so not what the format "time" means.
        else if (type == typeof(TimeOnly)) (schema.Type, schema.Format, schema.Pattern) = (JsonSchemaType.String, null, "^([01][0-9]|2[0-3]):[0-5][0-9]$");
        else if (type.IsAssignableTo(typeof(IEnumerable<string>))) schema.Items ??= new OpenApiSchema { Type = JsonSchemaType.String };
        else if (type.IsAssignableTo(typeof(IEnumerable<DateOnly>))) schema.Items ??= new OpenApiSchema { Type = JsonSchemaType.String, Format = "date" };
        Bound(schema);
        if (schema.Items is OpenApiSchema item) Bound(item);

        if (context.JsonPropertyInfo?.AttributeProvider?.GetCustomAttributes(typeof(OneOfAttribute), inherit: false) is [OneOfAttribute several])
            (schema.Metadata ??= new Dictionary<string, object>())[nameof(OneOfAttribute)] = several;
        if (schema.Properties is { Count: > 0 } && context.JsonTypeInfo.Kind == JsonTypeInfoKind.Object)
            (schema.Metadata ??= new Dictionary<string, object>())[nameof(MayBeNull)] = context.JsonTypeInfo.Properties.Where(MayBeNull).Select(each => each.Name).ToArray();
        // A member that is an object of its own refers to a schema that others share: it, too, says itself that it may be null.
        if (context.JsonPropertyInfo is { } member && !type.IsEnum && context.JsonTypeInfo.Kind != JsonTypeInfoKind.Object && schema.Type is { } plain)
        {
            if (MayBeNull(member)) schema.Type = plain | JsonSchemaType.Null;
            if (member.AttributeProvider is PropertyInfo property)
            {
                limits.Apply(schema, member.DeclaringType, property.Name);
                if (property.Name == nameof(Page<>.Items) && member.DeclaringType is { IsGenericType: true } page && page.GetGenericTypeDefinition() == typeof(Page<>))
                    schema.MaxItems = PageQuery.Most;
            }
        }
        else if (context.JsonTypeInfo.Kind == JsonTypeInfoKind.Object && schema.Properties is not null && !HasDefaults(type))
        {
            // What is sent back has all its members; what is taken says by its defaults which may be left out.
            schema.Required = context.JsonTypeInfo.Properties
                .Where(each => each.ShouldSerialize is null && schema.Properties.ContainsKey(each.Name) && each.AttributeProvider?.IsDefined(typeof(AbsentUnlessAskedForAttribute), inherit: true) != true)
                .Select(each => each.Name).ToHashSet();
        }
        return Task.CompletedTask;
    }

    /// <summary>What is true of every value of a format.</summary>
    private static void Bound(OpenApiSchema schema)
    {
        switch (schema.Format)
        {
            case "uuid": schema.MaxLength = 36; break;
            case "date": schema.MaxLength = 10; break;
            case "date-time": schema.MaxLength = 35; break;
            case null when schema.Pattern == "^([01][0-9]|2[0-3]):[0-5][0-9]$": schema.MaxLength = 5; break;
        }
    }

    /// <summary>Only when all schemas are there can one refer to others. The framework says of members that are set, and not of those that are reckoned, that they may be null.</summary>
    public static void Refer(OpenApiDocument document)
    {
        foreach (var schema in document.Components!.Schemas!.Values.OfType<OpenApiSchema>())
            foreach (var name in schema.Metadata?.TryGetValue(nameof(MayBeNull), out var names) == true ? (string[])names : [])
                if (schema.Properties!.TryGetValue(name, out var member) && member is OpenApiSchemaReference)
                    schema.Properties[name] = new OpenApiSchema { OneOf = [new OpenApiSchema { Type = JsonSchemaType.Null }, member] };
        foreach (var member in document.Components!.Schemas!.Values.SelectMany(schema => schema.Properties?.Values ?? []).OfType<OpenApiSchema>())
            if (member.Metadata is { } notes && notes.TryGetValue(nameof(OneOfAttribute), out var note) && note is OneOfAttribute several)
                member.OneOf = [new OpenApiSchema { Type = JsonSchemaType.Null }, .. several.Views.Select(view => new OpenApiSchemaReference(NameOf(view.Name), document))];
    }

    private static bool HasDefaults(Type type) => type.GetConstructors().SelectMany(constructor => constructor.GetParameters()).Any(parameter => parameter.HasDefaultValue);

    private static bool MayBeNull(JsonPropertyInfo member) =>
        Nullable.GetUnderlyingType(member.PropertyType) is not null
        || (member.AttributeProvider is PropertyInfo property && !property.PropertyType.IsValueType
            && new NullabilityInfoContext().Create(property).ReadState == NullabilityState.Nullable);
}
