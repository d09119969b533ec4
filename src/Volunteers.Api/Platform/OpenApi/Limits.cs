using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using FluentValidation;
using FluentValidation.Validators;
using Microsoft.OpenApi;

namespace Volunteers.Platform.OpenApi;

/// <summary>
/// The validation rules in the words of JSON Schema, so that the document cannot promise other limits than are kept. Rules
/// are followed into what they hand members to (<c>ChildRules</c>, <c>SetValidator</c>, <c>RuleForEach</c>), by the names of the members.
/// A limit inside a <c>Must</c> is not seen: use a length, a range, <see cref="Validation.AtMost"/>, <see cref="Validation.OneOf"/> or a pattern.
/// </summary>
internal sealed class Limits
{
    /// <summary>Where no rule says what a text may look like: anything but the character that PostgreSQL cannot hold.</summary>
    private const string AnyText = @"^[^\u0000]*$";

    private readonly Dictionary<(Type, string), List<(IValidationRule Rule, bool OfEach)>> rules = [];
    private readonly Dictionary<Type, SortedSet<string>> codes = [];

    public Limits(IServiceProvider services)
    {
        foreach (var found in AssemblyScanner.FindValidatorsInAssembly(typeof(Limits).Assembly, includeInternalTypes: true))
        {
            var type = found.InterfaceType.GetGenericArguments()[0];
            if (services.GetService(found.InterfaceType) is IValidator validator) Read(type, type, validator);
        }
    }

    /// <summary>The codes of their own that rules for this request answer with, where nothing else is wrong.</summary>
    public IEnumerable<string> CodesOf(Type request) => codes.TryGetValue(request, out var own) ? own : [];

    /// <summary>The limits of a member, by the name of its property.</summary>
    public void Apply(OpenApiSchema schema, Type declaring, string property)
    {
        foreach (var (rule, ofEach) in rules.GetValueOrDefault((declaring, property), []))
        {
            if (!ofEach) Apply(schema, rule);
            else if (schema.Items is OpenApiSchema item) Apply(item, rule);
        }
    }

    /// <summary>What is true of everything that is taken, whether a rule names it or not.</summary>
    public static void ApplyToTaken(OpenApiSchema schema)
    {
        if (schema.Type?.HasFlag(JsonSchemaType.String) == true && schema is { Format: null, Pattern: null, Enum: null or [] }) schema.Pattern = AnyText;
        if (schema.Format == "int32") (schema.Minimum, schema.Maximum) = (LowerOf(schema, int.MinValue), UpperOf(schema, int.MaxValue));
        if (schema.Format == "int64") (schema.Minimum, schema.Maximum) = (LowerOf(schema, long.MinValue), UpperOf(schema, long.MaxValue));
        if (schema.Items is OpenApiSchema item) ApplyToTaken(item);
    }

    private static string? LowerOf(OpenApiSchema schema, long least) => schema.Minimum ?? (schema.ExclusiveMinimum is null ? Number(least) : null);

    private static string? UpperOf(OpenApiSchema schema, long most) => schema.Maximum ?? (schema.ExclusiveMaximum is null ? Number(most) : null);

    private void Read(Type request, Type type, IValidator validator)
    {
        foreach (var rule in validator.CreateDescriptor().Rules)
        {
            var ofEach = rule.GetType().GetInterfaces().Any(each => each.IsGenericType && each.GetGenericTypeDefinition() == typeof(ICollectionRule<,>));
            var (holder, property) = Find(type, rule.PropertyName);
            if (property is not null)
            {
                if (!rules.TryGetValue((holder, property.Name), out var known)) rules[(holder, property.Name)] = known = [];
                known.Add((rule, ofEach));
            }
            foreach (var component in rule.Components)
            {
                if (component.ErrorCode is { } code && Messages.Has(code))
                {
                    if (!codes.TryGetValue(request, out var own)) codes[request] = own = new(StringComparer.Ordinal);
                    own.Add(code);
                }
                if (component.Validator is IChildValidatorAdaptor adaptor && ChildOf(adaptor) is { } child)
                    Read(request, property is null ? type : Plain(property.PropertyType, ofEach), child);
            }
        }
    }

    /// <summary>The member that a rule is about, which may stand deeper; none when it is about the request itself.</summary>
    private static (Type Holder, PropertyInfo? Property) Find(Type type, string? path)
    {
        PropertyInfo? property = null;
        foreach (var name in (path ?? "").Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            if (property is not null) type = Plain(property.PropertyType, ofEach: false);
            if ((property = type.GetProperty(name)) is null) return (type, null);
        }
        return (type, property);
    }

    private static Type Plain(Type type, bool ofEach) => ofEach
        ? type.GetInterfaces().Append(type).First(each => each.IsGenericType && each.GetGenericTypeDefinition() == typeof(IEnumerable<>)).GetGenericArguments()[0]
        : Nullable.GetUnderlyingType(type) ?? type;

    /// <summary>The adaptor's own type says of whom; a validator that is chosen by the value cannot be known before there is one.</summary>
    private static IValidator? ChildOf(IChildValidatorAdaptor adaptor)
    {
        for (var type = adaptor.GetType(); type is not null; type = type.BaseType)
            if (type.GetField("_validator", BindingFlags.Instance | BindingFlags.NonPublic) is { } field) return field.GetValue(adaptor) as IValidator;
        return null;
    }

    private static void Apply(OpenApiSchema schema, IValidationRule rule)
    {
        foreach (var component in rule.Components)
        {
            switch (component.Validator)
            {
                case ILengthValidator { Max: > 0 } length:
                    schema.MaxLength = length.Max;
                    if (length.Min > 0) schema.MinLength = length.Min;
                    break;
                case ILengthValidator length:
                    schema.MinLength = length.Min;
                    break;
                case INotEmptyValidator when component.HasCondition: break;
                case INotEmptyValidator when schema.Type?.HasFlag(JsonSchemaType.String) == true && schema.Format is null:
                    schema.MinLength ??= 1;
                    break;
                case INotEmptyValidator when schema.Type?.HasFlag(JsonSchemaType.Array) == true:
                    schema.MinItems = 1;
                    break;
                case ICountLimit count:
                    schema.MaxItems = count.Most;
                    if (count.Least > 0) schema.MinItems = count.Least;
                    if (count.EachOnce) schema.UniqueItems = true;
                    break;
                case IWords words when schema.Items is OpenApiSchema item:
                    schema.MaxItems = words.Known.Count;
                    item.Enum = [.. words.Known.Select(word => (JsonNode)word)];
                    break;
                case IWords words:
                    schema.Enum = [.. words.Known.Select(word => (JsonNode)word)];
                    break;
                case IRegularExpressionValidator expression:
                    schema.Pattern = expression.Expression;
                    break;
                case IBetweenValidator { From: IFormattable from, To: IFormattable to } when schema.Format is not ("date" or "date-time"):
                    (schema.Minimum, schema.Maximum) = (Number(from), Number(to));
                    break;
                case IComparisonValidator { ValueToCompare: int or long or double or decimal } comparison when !component.HasCondition:
                    Compare(schema, comparison.Comparison, Number((IFormattable)comparison.ValueToCompare));
                    break;
            }
        }
    }

    private static void Compare(OpenApiSchema schema, Comparison comparison, string value)
    {
        switch (comparison)
        {
            case Comparison.GreaterThan: schema.ExclusiveMinimum = value; break;
            case Comparison.GreaterThanOrEqual: schema.Minimum = value; break;
            case Comparison.LessThan: schema.ExclusiveMaximum = value; break;
            case Comparison.LessThanOrEqual: schema.Maximum = value; break;
        }
    }

    private static string Number(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
