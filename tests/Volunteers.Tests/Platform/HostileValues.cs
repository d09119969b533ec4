using System.Collections;
using System.Reflection;
using System.Text.Json;
using Volunteers.Platform;

namespace Volunteers.Tests.Platform;

/// <summary>What no client should send.</summary>
public static class HostileValues
{
    private static readonly string Deep = string.Concat(Enumerable.Repeat("""{"a":""", 200)) + "1" + new string('}', 200);

    /// <summary>Bodies that are not the JSON object that an operation takes.</summary>
    public static readonly string[] Bodies =
    [
        "", " ", "{", "}", "{\"", "{]", "[]", "[[]]", "null", "\"x\"", "3", "true", "{}{}", "{} x", "{,}", "{'name':1}", "{\"name\":}", "NaN",
        "\ufeff\ufeff{}", "// comment", "{\"name\":\"a\",}", "{\"name\":\"\\ud800\"", "{\"\\u0000\":1}", "{\"\":1}", Deep, new string('[', 100_000),
        "{\"name\":\"a\",\"name\":\"b\",\"title\":1,\"title\":2,\"reason\":1,\"reason\":2}",
    ];

    /// <summary>Members that would be worth something to whoever could set them.</summary>
    public static readonly string[] Members =
        ["organizationId", "id", "version", "recordedBy", "reviewedBy", "approvedBy", "creditedMinutes", "createdAt", "isOperator", "Name", "__proto__", "$type", "constructor", "a.b", "a/b~c", "志愿"];

    /// <summary>JSON values of a wrong type, form or size.</summary>
    public static readonly string[] Values =
    [
        "null", "true", "0", "-1", "1", "3.5", "1e400", "-1e400", "2147483648", "99999999999999999999999", "\"\"", "\" \"", "\"x\"", "\"1\"",
        "\"\\u0000\"", "\"a\\u0000b\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\u202e\\u200b\"", "\"\\r\\n\"", "[]", "[null]", "[[]]", "[1,\"x\",{}]", "{}",
        "{\"x\":1}", Deep, $"\"{new string('x', 100_000)}\"", $"\"{string.Concat(Enumerable.Repeat("😀", 20_000))}\"",
        "\"0001-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59.9999999+14:00\"", "\"0000-00-00T00:00:00Z\"", "\"2026-06-30T23:59:60Z\"", "\"2026-06-07T14:30:00\"",
        "\"2026-06-07T24:00:00Z\"", "\"2026-06-07T14:30:00+99:99\"", "\"2026-02-30\"", "\"2026-06-07\"", "\"9999-12-31\"", "\"0001-01-01\"", "\"2199-12-31T23:59:59Z\"",
        "\"00000000-0000-0000-0000-000000000000\"", "\"{00000000-0000-0000-0000-000000000000}\"", "\"not-a-guid\"", "\"administrator\"", "\"' or 1=1 --\"",
    ];

    /// <summary>Texts for query parameters, headers and cursors, not escaped yet.</summary>
    public static readonly string[] Texts =
    [
        "", " ", "x", "0", "-1", "201", "1e3", "99999999999999999999", "null", "true", "\0", "a\0b", "\ud83d\ude00", "%", "%_\\", "' or 1=1 --", "2026-02-30", "0001-01-01",
        "9999-12-31", "2026-06-07", "2026-06-07T00:00:00Z", "not-a-guid", "00000000-0000-0000-0000-000000000000", "AAAA", "e30", "bnVsbA", "W10", "IiI",
        "eyJGaXJzdCI6bnVsbCwiU2Vjb25kIjpudWxsfQ", new string('x', 3000), "team,team", "team,month,volunteer,activity", "approved", "Approved", "core",
    ];

    /// <summary>Every member of a request by its JSON pointer's parts, those of its parts included.</summary>
    public static IEnumerable<string[]> MembersOf(Type request) => request.GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(property => property.CanWrite)
        .SelectMany(property =>
        {
            var name = JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            var item = type.IsGenericType && type.IsAssignableTo(typeof(IEnumerable)) ? type.GetGenericArguments()[0] : null;
            var part = item ?? type;
            IEnumerable<string[]> inner = part is { IsEnum: false } && part.Assembly == typeof(Problems).Assembly ? MembersOf(part) : [];
            return inner.Select(path => (string[])(item is null ? [name, .. path] : [name, "[]", .. path])).Prepend([name]);
        });

    /// <summary>A body in which one member has this value, and everything around it is as little as it can be.</summary>
    public static string With(string validBody, string[] path, string value)
    {
        var members = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(validBody)!.ToDictionary(member => member.Key, member => member.Value.GetRawText());
        members[path[0]] = Wrap(path[1..], value);
        return "{" + string.Join(',', members.Select(member => $"{JsonSerializer.Serialize(member.Key)}:{member.Value}")) + "}";
    }

    private static string Wrap(string[] path, string value) => path switch
    {
        [] => value,
        ["[]", .. var rest] => $"[{Wrap(rest, value)}]",
        [var name, .. var rest] => $"{{\"{name}\":{Wrap(rest, value)}}}",
    };
}
