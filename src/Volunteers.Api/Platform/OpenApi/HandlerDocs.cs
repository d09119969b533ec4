using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Volunteers.Platform.OpenApi;

/// <summary>
/// The comments of handlers and filters, from the documentation file beside the assembly: handlers are private, and the
/// framework describes public ones only.
/// </summary>
internal static partial class HandlerDocs
{
    private static readonly Lazy<ILookup<string, XElement>> Members = new(() =>
    {
        var file = Path.ChangeExtension(typeof(HandlerDocs).Assembly.Location, ".xml");
        return File.Exists(file)
            ? XDocument.Load(file).Descendants("member").ToLookup(member => (string)member.Attribute("name")!.Value.Split('(')[0])
            : Enumerable.Empty<XElement>().ToLookup(_ => "");
    });

    /// <summary>The first sentence as summary; what follows it, and the remarks, as description.</summary>
    public static (string Summary, string? Description)? Of(MethodInfo method)
    {
        if (Member(method)?.Element("summary") is not { } element) return null;
        var text = Plain(element);
        var end = text.IndexOf(". ", StringComparison.Ordinal);
        var more = string.Join("\n\n", new[] { end < 0 ? "" : text[(end + 2)..], Member(method)?.Element("remarks") is { } remarks ? Plain(remarks) : "" }
            .Where(part => part.Length > 0));
        return (end < 0 ? text.TrimEnd('.') : text[..end], more.Length == 0 ? null : more);
    }

    public static string? OfParameter(MethodInfo method, string name) =>
        Member(method)?.Elements("param").FirstOrDefault(param => (string?)param.Attribute("name") == name) is { } element ? Plain(element) : null;

    private static XElement? Member(MethodInfo method) =>
        Members.Value[$"M:{method.DeclaringType!.FullName!.Replace('+', '.')}.{method.Name}"].FirstOrDefault();

    private static string Plain(XElement element)
    {
        var markdown = string.Concat(element.Nodes().Select(node => node is XElement { Name.LocalName: "c" } code ? $"`{code.Value}`" : node is XElement other ? other.Value : node.ToString()));
        return Blanks().Replace(System.Net.WebUtility.HtmlDecode(markdown), " ").Trim();
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
