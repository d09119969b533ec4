using FluentValidation;

namespace Volunteers.Platform;

/// <summary>The first wall: every request that has a validator meets it before its handler runs.</summary>
internal static class Validation
{
    public static void AddValidation(this IServiceCollection services)
    {
        ValidatorOptions.Global.LanguageManager = new ValidationTexts();
        services.AddValidatorsFromAssemblyContaining<Program>(ServiceLifetime.Singleton, includeInternalTypes: true);
    }

    public static TBuilder ValidatesRequests<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.AddEndpointFilterFactory((factory, next) =>
        {
            var validators = factory.MethodInfo.GetParameters()
                .Select((parameter, index) => (index, type: typeof(IValidator<>).MakeGenericType(parameter.ParameterType)))
                .Where(parameter => factory.ApplicationServices.GetService<IServiceProviderIsService>()!.IsService(parameter.type))
                .ToArray();
            if (validators.Length == 0) return next;

            return async context =>
            {
                foreach (var (index, type) in validators)
                    if (context.Arguments[index] is { } argument)
                        await Check((IValidator)context.HttpContext.RequestServices.GetRequiredService(type), argument, context.HttpContext.RequestAborted);
                return await next(context);
            };
        });

    public static async Task Check(IValidator validator, object request, CancellationToken ct)
    {
        var result = await validator.ValidateAsync(new ValidationContext<object>(request), ct);
        if (!result.IsValid) throw new ValidationException(result.Errors);
    }

    /// <summary>One line of text: not empty, no control characters, at most so many UTF-16 units.</summary>
    public static IRuleBuilderOptions<T, string> Line<T>(this IRuleBuilder<T, string> rule, int longest) =>
        rule.NotEmpty().MaximumLength(longest).Must(BeOneLine).WithMessage(_ => Messages.Title("one_line"));

    public static IRuleBuilderOptions<T, string?> OptionalLine<T>(this IRuleBuilder<T, string?> rule, int longest) =>
        rule.MaximumLength(longest).Must(text => text is null || BeOneLine(text)).WithMessage(_ => Messages.Title("one_line"));

    /// <summary>Not a value as it is shown to those who do not see it whole: sent back, its stars would stand in place of what they hide.</summary>
    public static IRuleBuilderOptions<T, string?> NotMasked<T>(this IRuleBuilder<T, string?> rule) =>
        rule.Must(text => text is null || !text.Contains('*', StringComparison.Ordinal)).WithErrorCode("masked_value").WithMessage(_ => Messages.Title("masked_value"));

    private static bool BeOneLine(string? text) => text is null || !text.Any(char.IsControl);
}
