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
internal sealed class SchemaTransformer(IServiceProvider services) : IOpenApiSchemaTransformer
{
    private static readonly NullabilityInfoContext Nullability = new();

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
        if (type.IsEnum) schema.Type = JsonSchemaType.String;
        else if (type == typeof(string) && schema.Type is null) schema.Type = JsonSchemaType.String;
        else if (type == typeof(DateTimeOffset)) (schema.Type, schema.Format) = (JsonSchemaType.String, "date-time");
        else if (type == typeof(DateOnly)) (schema.Type, schema.Format) = (JsonSchemaType.String, "date");
        // Without seconds, so not what the format "time" means.
        else if (type == typeof(TimeOnly)) (schema.Type, schema.Format, schema.Pattern) = (JsonSchemaType.String, null, "^([01][0-9]|2[0-3]):[0-5][0-9]$");
        else if (type.IsAssignableTo(typeof(IEnumerable<string>))) schema.Items ??= new OpenApiSchema { Type = JsonSchemaType.String };
        else if (type.IsAssignableTo(typeof(IEnumerable<DateOnly>))) schema.Items ??= new OpenApiSchema { Type = JsonSchemaType.String, Format = "date" };

        if (context.JsonPropertyInfo?.AttributeProvider?.GetCustomAttributes(typeof(OneOfAttribute), inherit: false) is [OneOfAttribute several])
            (schema.Metadata ??= new Dictionary<string, object>())[nameof(OneOfAttribute)] = several;
        if (context.JsonPropertyInfo is { } member && !type.IsEnum && schema.Type is { } plain)
        {
            if (MayBeNull(member)) schema.Type = plain | JsonSchemaType.Null;
            if (member.AttributeProvider is MemberInfo property && Limits.Of(member.DeclaringType, services) is { } rules)
                foreach (var rule in rules.GetRulesForMember(property.Name)) Limits.Apply(schema, rule);
        }
        else if (context.JsonTypeInfo.Kind == JsonTypeInfoKind.Object && schema.Properties is not null && !HasDefaults(type))
        {
            // What is sent back has all its members; what is taken says by its defaults which may be left out.
            schema.Required = context.JsonTypeInfo.Properties.Where(each => each.ShouldSerialize is null && schema.Properties.ContainsKey(each.Name))
                .Select(each => each.Name).ToHashSet();
        }
        return Task.CompletedTask;
    }

    /// <summary>Only when all schemas are there can one refer to others.</summary>
    public static void Refer(OpenApiDocument document)
    {
        foreach (var member in document.Components!.Schemas!.Values.SelectMany(schema => schema.Properties?.Values ?? []).OfType<OpenApiSchema>())
            if (member.Metadata is { } notes && notes.TryGetValue(nameof(OneOfAttribute), out var note) && note is OneOfAttribute several)
                member.OneOf = [new OpenApiSchema { Type = JsonSchemaType.Null }, .. several.Views.Select(view => new OpenApiSchemaReference(NameOf(view.Name), document))];
    }

    private static bool HasDefaults(Type type) => type.GetConstructors().SelectMany(constructor => constructor.GetParameters()).Any(parameter => parameter.HasDefaultValue);

    private static bool MayBeNull(JsonPropertyInfo member) =>
        Nullable.GetUnderlyingType(member.PropertyType) is not null
        || (member.AttributeProvider is PropertyInfo property && !property.PropertyType.IsValueType
            && Nullability.Create(property).ReadState == NullabilityState.Nullable);
}
