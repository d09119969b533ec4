using System.Text;
using System.Text.Json;

namespace Volunteers.Platform;

/// <summary>RFC 6901 pointers in the names that the client wrote, from the paths that .NET reports.</summary>
internal static class JsonPointer
{
    /// <summary><c>Items[3].StartsAt</c> becomes <c>/items/3/startsAt</c>.</summary>
    public static string FromPropertyPath(string path)
    {
        var pointer = new StringBuilder();
        foreach (var part in path.Split(['.', '[', ']'], StringSplitOptions.RemoveEmptyEntries))
            pointer.Append('/').Append(JsonNamingPolicy.CamelCase.ConvertName(part));
        return pointer.ToString();
    }

    /// <summary><c>$.items[3].startsAt</c> becomes <c>/items/3/startsAt</c>.</summary>
    public static string FromJsonPath(string? path) =>
        path is null ? "" : FromPropertyPath(path.TrimStart('$').Replace("['", ".", StringComparison.Ordinal).Replace("']", "", StringComparison.Ordinal));
}
