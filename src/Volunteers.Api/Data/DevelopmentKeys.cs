using System.Security.Cryptography;
using System.Text.Json;
using Volunteers.Platform;

namespace Volunteers.Data;

/// <summary>
/// In Development, keys of personal data in the data folder: made once, readable by their owner only, and settings like any
/// other, so that a change of keys can be tried there too.
/// </summary>
internal static class DevelopmentKeys
{
    public const string FileName = "personal-data-keys.json";

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    public static async Task Use(ConfigurationManager configuration, string dataDirectory, CancellationToken ct)
    {
        if (configuration.GetSection(nameof(PersonalData)).GetChildren().Any()) return;

        var file = Path.Combine(dataDirectory, FileName);
        if (!File.Exists(file)) await Make(file, ct);
        configuration.AddJsonFile(file, optional: false, reloadOnChange: false);
    }

    /// <summary>Whole or not at all: what half a file had sealed would never open again.</summary>
    private static async Task Make(string file, CancellationToken ct)
    {
        var made = new PersonalData
        {
            Keys = { ["development"] = NewKey() }, CurrentKey = "development", HashKey = NewKey(),
        };
        var unfinished = file + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using (var stream = new FileStream(unfinished, options))
            await JsonSerializer.SerializeAsync(stream, new Dictionary<string, object> { [nameof(PersonalData)] = new { made.Keys, made.CurrentKey, made.HashKey } }, Readable, ct);
        File.Move(unfinished, file);
    }

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(PersonalSeal.KeyBytes));
}
