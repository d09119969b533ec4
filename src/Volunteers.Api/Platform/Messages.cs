using System.Globalization;
using System.Resources;

namespace Volunteers.Platform;

/// <summary>
/// Every text a person reads, by its code, in the language of the request. A code has a title (<c>daily_limit</c>) and,
/// where there is more to say, a detail (<c>daily_limit.detail</c>).
/// </summary>
internal static class Messages
{
    private static readonly ResourceManager Texts = new("Volunteers.Platform.Messages", typeof(Messages).Assembly);

    public static bool Has(string code) => Texts.GetString(code, CultureInfo.InvariantCulture) is not null;

    public static string Title(string code) => Texts.GetString(code, CultureInfo.CurrentUICulture) ?? code;

    public static string Detail(string code, params object[] arguments) =>
        Texts.GetString(code + ".detail", CultureInfo.CurrentUICulture) is { } text
            ? string.Format(CultureInfo.CurrentCulture, text, arguments)
            : Title(code);
}
