namespace Volunteers.Platform;

/// <summary>
/// No log line says anything of a person, however loud the logs are set: whoever looks for a fault need not read about people,
/// and logs are kept elsewhere and longer. Our own lines name ids; what follows repeats what was sent, and is held back
/// whatever the settings say. What it would tell of times and answers, traces and metrics tell without it.
/// </summary>
internal static class DiscreetLogs
{
    /// <summary>Categories, with those below them, and the least level at which they repeat nothing.</summary>
    private static readonly (string Category, LogLevel From)[] Held =
    [
        // Paths and queries, of every line within the request too: names that are searched for, codes of certificates and calendars.
        ("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None),
        ("Microsoft.AspNetCore.Routing", LogLevel.Warning),
        // What stands in a header or in a line that is no request, and where a browser is sent.
        ("Microsoft.AspNetCore.Cors", LogLevel.Warning),
        ("Microsoft.AspNetCore.Server.Kestrel.BadRequests", LogLevel.Warning),
        ("Microsoft.AspNetCore.Http.Result", LogLevel.Warning),
        // Logins, codes and tokens.
        ("OpenIddict", LogLevel.Warning),
    ];

    public static void AddDiscreetLogs(this IServiceCollection services) => services.PostConfigure<LoggerFilterOptions>(options =>
    {
        LoggerFilterRule[] rules = [new(null, null, options.MinLevel, null), .. options.Rules];
        options.Rules.Clear();
        foreach (var rule in rules)
            options.Rules.Add(new LoggerFilterRule(rule.ProviderName, rule.CategoryName, rule.LogLevel,
                (provider, category, level) => RepeatsNothing(category, level) && rule.Filter?.Invoke(provider, category, level) != false));
    });

    private static bool RepeatsNothing(string? category, LogLevel level) => category is null
        || Held.All(held => (level >= held.From && held.From != LogLevel.None) || !Covers(held.Category, category));

    private static bool Covers(string held, string category) =>
        category.StartsWith(held, StringComparison.Ordinal) && (category.Length == held.Length || category[held.Length] == '.');
}
