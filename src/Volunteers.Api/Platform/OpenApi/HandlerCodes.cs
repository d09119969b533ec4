using System.Text.Json;

namespace Volunteers.Platform.OpenApi;

/// <summary>
/// The codes that each operation's handler can refuse with, by the operation's name and the status. Kept in <c>Codes.json</c>, which is not
/// written by hand: a test reads the code of the handlers, and writes the file anew with <c>UPDATE_OPENAPI=1</c>.
/// </summary>
internal sealed class HandlerCodes(Func<IReadOnlyDictionary<string, SortedDictionary<int, string[]>>> read)
{
    private readonly Lazy<IReadOnlyDictionary<string, SortedDictionary<int, string[]>>> all = new(read);

    public static HandlerCodes OfFile() => new(() =>
    {
        using var file = typeof(HandlerCodes).Assembly.GetManifestResourceStream("Volunteers.Platform.OpenApi.Codes.json")!;
        return JsonSerializer.Deserialize<Dictionary<string, SortedDictionary<int, string[]>>>(file)!;
    });

    public IEnumerable<(int Status, string[] Codes)> Of(string operation) =>
        all.Value.TryGetValue(operation, out var codes) ? codes.Select(of => (of.Key, of.Value)) : [];
}
