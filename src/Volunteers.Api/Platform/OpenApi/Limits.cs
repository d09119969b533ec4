using System.Globalization;
using FluentValidation;
using FluentValidation.Validators;
using Microsoft.OpenApi;

namespace Volunteers.Platform.OpenApi;

/// <summary>The validation rules in the words of JSON Schema, so that the document cannot promise other limits than are kept.</summary>
internal static class Limits
{
    public static IValidatorDescriptor? Of(Type type, IServiceProvider services) =>
        (services.GetService(typeof(IValidator<>).MakeGenericType(type)) as IValidator)?.CreateDescriptor();

    public static void Apply(OpenApiSchema schema, IValidationRule rule)
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
                case INotEmptyValidator when schema.Type?.HasFlag(JsonSchemaType.String) == true && schema.Format is null:
                    schema.MinLength ??= 1;
                    break;
                case INotEmptyValidator when schema.Type?.HasFlag(JsonSchemaType.Array) == true:
                    schema.MinItems = 1;
                    break;
                case IRegularExpressionValidator expression:
                    schema.Pattern = expression.Expression;
                    break;
                case IBetweenValidator { From: IFormattable from, To: IFormattable to } when schema.Format is not ("date" or "date-time"):
                    (schema.Minimum, schema.Maximum) = (Number(from), Number(to));
                    break;
                case IComparisonValidator { ValueToCompare: int or long or double or decimal } comparison:
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
