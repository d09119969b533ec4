using FluentValidation;
using FluentValidation.Validators;

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
        rule.NotEmpty().MaximumLength(longest).Matches(OneLine).WithMessage(_ => Messages.Title("one_line"));

    public static IRuleBuilderOptions<T, string?> OptionalLine<T>(this IRuleBuilder<T, string?> rule, int longest) =>
        rule.MaximumLength(longest).Matches(OneLine).WithMessage(_ => Messages.Title("one_line"));

    /// <summary>So many items and no more.</summary>
    public static IRuleBuilderOptions<T, IReadOnlyCollection<TItem>?> AtMost<T, TItem>(this IRuleBuilder<T, IReadOnlyCollection<TItem>?> rule, int most) =>
        rule.SetValidator(new CountValidator<T, TItem>(0, most)).WithMessage(_ => Messages.Title("too_many"));

    /// <summary>So many items, each of them once; none at all where nothing is given.</summary>
    public static IRuleBuilderOptions<T, IReadOnlyCollection<TItem>?> Between<T, TItem>(this IRuleBuilder<T, IReadOnlyCollection<TItem>?> rule, int least, int most, bool eachOnce = false) =>
        rule.SetValidator(new CountValidator<T, TItem>(least, most, eachOnce));

    /// <summary>Some of these words, where there are any.</summary>
    public static IRuleBuilderOptions<T, IReadOnlyCollection<string>?> EachOneOf<T>(this IRuleBuilder<T, IReadOnlyCollection<string>?> rule, params string[] words) =>
        rule.SetValidator(new WordsValidator<T>(words));

    /// <summary>One of these words, where there is one.</summary>
    public static IRuleBuilderOptions<T, string?> OneOf<T>(this IRuleBuilder<T, string?> rule, params string[] words) => rule.SetValidator(new WordValidator<T>(words));

    /// <summary>Not a value as it is shown to those who do not see it whole: sent back, its stars would stand in place of what they hide.</summary>
    public static IRuleBuilderOptions<T, string?> NotMasked<T>(this IRuleBuilder<T, string?> rule) =>
        rule.Must(text => text is null || !text.Contains('*', StringComparison.Ordinal)).WithErrorCode("masked_value").WithMessage(_ => Messages.Title("masked_value"));

    /// <summary>No control characters. In the form that JavaScript understands too: the document shows it.</summary>
    private const string OneLine = @"^[^\u0000-\u001F\u007F-\u009F]*$(?!\n)";

    private sealed class CountValidator<T, TItem>(int least, int most, bool eachOnce = false) : PropertyValidator<T, IReadOnlyCollection<TItem>?>, ICountLimit
    {
        public override string Name => "CountValidator";

        public int Least => least;

        public int Most => most;

        public bool EachOnce => eachOnce;

        public override bool IsValid(ValidationContext<T> context, IReadOnlyCollection<TItem>? items) =>
            items is null || (items.Count >= least && items.Count <= most && (!eachOnce || items.Distinct().Count() == items.Count));
    }

    private sealed class WordsValidator<T>(string[] words) : PropertyValidator<T, IReadOnlyCollection<string>?>, IWords
    {
        public override string Name => "WordsValidator";

        public IReadOnlyList<string> Known => words;

        public override bool IsValid(ValidationContext<T> context, IReadOnlyCollection<string>? given) =>
            given is null || (given.Count <= words.Length && given.All(word => words.Contains(word, StringComparer.Ordinal)));
    }

    private sealed class WordValidator<T>(string[] words) : PropertyValidator<T, string?>, IWords
    {
        public override string Name => "WordValidator";

        public IReadOnlyList<string> Known => words;

        public override bool IsValid(ValidationContext<T> context, string? word) => word is null || words.Contains(word, StringComparer.Ordinal);
    }
}

/// <summary>A rule about how many items there may be, for the document to show.</summary>
internal interface ICountLimit
{
    int Least { get; }

    int Most { get; }

    bool EachOnce { get; }
}

/// <summary>A rule about which words there may be, for the document to show.</summary>
internal interface IWords
{
    IReadOnlyList<string> Known { get; }
}
