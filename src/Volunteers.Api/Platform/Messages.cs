using System.Globalization;
using System.Resources;
using Microsoft.AspNetCore.Localization;

namespace Volunteers.Platform;

/// <summary>
/// Every text a person reads, by its code, in the language of the request. A code has a title (<c>daily_limit</c>) and,
/// where there is more to say, a detail (<c>daily_limit.detail</c>).
/// </summary>
internal static class Messages
{
    private static readonly ResourceManager Texts = new("Volunteers.Platform.Messages", typeof(Messages).Assembly);

    /// <summary>Whoever reads any Chinese gets ours: phones ask for zh-Hans-CN. Everybody else reads English.</summary>
    public static void UseLanguages(this WebApplication app) => app.UseRequestLocalization(options =>
    {
        options.SetDefaultCulture("en").AddSupportedCultures("en", "zh-CN").AddSupportedUICultures("en", "zh-CN");
        options.RequestCultureProviders = [new CustomRequestCultureProvider(http => Task.FromResult(
            http.Request.GetTypedHeaders().AcceptLanguage.Where(language => language.Quality is null or > 0).OrderByDescending(language => language.Quality ?? 1)
                .Select(language => LanguageOf(language.Value.AsSpan())).FirstOrDefault(known => known is not null) is { } culture
                ? new ProviderCultureResult(culture) : null))];
    });

    /// <summary>Of a page whose address names languages in order of preference, as OpenID Connect does: the rest of the request reads the first we have.</summary>
    public static void Speak(string? languages)
    {
        if (languages?.Split(' ').Select(language => LanguageOf(language)).FirstOrDefault(known => known is not null) is { } culture)
            Languages.Speak(CultureInfo.GetCultureInfo(culture));
    }

    public static bool Has(string code) => Texts.GetString(code, CultureInfo.InvariantCulture) is not null;

    private static string? LanguageOf(ReadOnlySpan<char> tag)
    {
        var end = tag.IndexOf('-');
        var language = end < 0 ? tag : tag[..end];
        return language.Equals("zh", StringComparison.OrdinalIgnoreCase) ? "zh-CN" : language.Equals("en", StringComparison.OrdinalIgnoreCase) ? "en" : null;
    }

    public static string Title(string code) => Texts.GetString(code, CultureInfo.CurrentUICulture) ?? code;

    /// <summary>The language of an organization, for what is kept: everybody there reads it, whoever brought it about.</summary>
    public static CultureInfo Of(string locale) => CultureInfo.GetCultureInfo(LanguageOf(locale) ?? "en");

    public static string TitleIn(CultureInfo language, string code) => Texts.GetString(code, language) ?? code;

    /// <summary>The detail, or the title where there is no more to say, with a sign in place of each figure: for the document.</summary>
    public static string DetailIn(CultureInfo language, string code) =>
        Texts.GetString(code + ".detail", language) is { } text ? string.Format(language, text, "…", "…", "…", "…", "…", "…") : TitleIn(language, code);

    /// <summary>Several things in one sentence.</summary>
    public static string List(IEnumerable<string> things) => string.Join(Title("list_separator"), things);

    public static string Detail(string code, params object[] arguments) =>
        Texts.GetString(code + ".detail", CultureInfo.CurrentUICulture) is { } text
            ? string.Format(CultureInfo.CurrentCulture, text, arguments)
            : Title(code);

    public static string DetailIn(CultureInfo language, string code, params object[] arguments) =>
        string.Format(language, Texts.GetString(code + ".detail", language)!, arguments);
}
