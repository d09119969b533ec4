using System.Text.RegularExpressions;

namespace Volunteers.Features.Identity;

/// <summary>
/// What somebody recognizes their own device by: "Chrome, Android". Versions, models and builds, which would tell one person
/// from others, are not kept.
/// </summary>
internal static partial class Device
{
    /// <summary>Whoever builds on another's browser names it too, so the more particular stand first.</summary>
    private static readonly (string Sign, string Name)[] Browsers =
    [
        ("MicroMessenger/", "WeChat"), ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("HuaweiBrowser/", "Huawei Browser"),
        ("MiuiBrowser/", "Mi Browser"), ("UCBrowser/", "UC Browser"), ("QQBrowser/", "QQ Browser"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
    ];

    private static readonly (string Sign, string Name)[] Systems =
    [
        ("OpenHarmony", "HarmonyOS"), ("HarmonyOS", "HarmonyOS"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
        ("CrOS", "ChromeOS"), ("Mac OS X", "Mac"), ("Linux", "Linux"),
    ];

    public static string? Of(HttpContext http)
    {
        var agent = http.Request.Headers.UserAgent.ToString();
        var program = NameIn(agent, Browsers) ?? (Product().Match(agent) is { Success: true } own && own.Value != "Mozilla" ? own.Value : null);
        var system = NameIn(agent, Systems);
        return program is null || system is null ? program ?? system : $"{program}, {system}";
    }

    private static string? NameIn(string agent, (string Sign, string Name)[] known) =>
        known.FirstOrDefault(entry => agent.Contains(entry.Sign, StringComparison.Ordinal)).Name;

    /// <summary>A program of its own begins with its name.</summary>
    [GeneratedRegex("^[A-Za-z][A-Za-z_-]{0,30}")]
    private static partial Regex Product();
}
